"""Builds GGUF files piece by piece, right ones and such as nobody should trust."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

TEXT, ARRAY, UINT32, BOOL = 8, 9, 4, 7


def text(value: str | bytes, order: str = "<") -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(f"{order}Q", len(raw)) + raw


def entry(key: str | bytes, kind: int, value: bytes, order: str = "<") -> bytes:
    return text(key, order) + struct.pack(f"{order}I", kind) + value


def said(key: str, value: str | bytes, order: str = "<") -> bytes:
    """An entry that is a text."""
    return entry(key, TEXT, text(value, order), order)


def number(key: str, value: int, order: str = "<") -> bytes:
    return entry(key, UINT32, struct.pack(f"{order}I", value), order)


def texts(key: str, values: Sequence[str | bytes]) -> bytes:
    """An entry that is an array of texts."""
    return entry(key, ARRAY, struct.pack("<IQ", TEXT, len(values)) + b"".join(map(text, values)))


def tensor(
    name: str | bytes, shape: Sequence[int] = (32,), kind: int = 0, offset: int = 0, order: str = "<"
) -> bytes:
    sizes = struct.pack(f"{order}{len(shape)}Q", *shape)
    return (
        text(name, order)
        + struct.pack(f"{order}I", len(shape))
        + sizes
        + struct.pack(f"{order}IQ", kind, offset)
    )


ENTRIES = (
    said("general.architecture", "llama"),
    said("general.license", "mit"),
    number("llama.block_count", 1),
    texts("tokenizer.ggml.tokens", ["<s>", "\x1b[2J", "a\u202eb", "c"]),
    said("tokenizer.chat_template", "{{ a }}\n\t{{ b }}"),
)
TENSORS = (tensor("token_embd.weight", (32, 4)), tensor("output.weight", (32,), kind=8, offset=512))
DATA = 512 + 34


@dataclass(frozen=True)
class Made:
    """What a file is made of; `claims` are the counts that it says, where they are not the true ones."""

    entries: Sequence[bytes] = ENTRIES
    tensors: Sequence[bytes] = TENSORS
    version: int = 3
    magic: bytes = b"GGUF"
    alignment: int = 32
    data: int = DATA
    claims: tuple[int | None, int | None] = (None, None)
    order: str = "<"
    tail: bytes = field(default=b"")

    @property
    def head(self) -> bytes:
        """The header, without its padding."""
        tensors, entries = self.claims
        counts = (
            len(self.tensors) if tensors is None else tensors,
            len(self.entries) if entries is None else entries,
        )
        start = self.magic + struct.pack(f"{self.order}IQQ", self.version, *counts)
        return start + b"".join(self.entries) + b"".join(self.tensors)

    @property
    def whole(self) -> bytes:
        head = self.head
        return head + bytes(-len(head) % self.alignment) + bytes(self.data) + self.tail
