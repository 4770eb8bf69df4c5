"""Reads the header of a GGUF file, none of which is believed: bounded, and never more than the header.

Source: ggml/docs/gguf.md, ggml/src/gguf.cpp, ollama fs/ggml (v0.33).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from modeltui.domain.findings import Finding, Kind, characters
from modeltui.domain.ggmltypes import BLOCKS
from modeltui.text import clean_line

Read = Callable[[int], bytes]
"""The next bytes of a file, at most as many as asked for, fewer only at its end."""

CHUNK = 64 * 1024
MOST_HEADER = 256 * 2**20
_MOST_KEYS, _MOST_TENSORS = 4096, 65_536
_LONGEST_KEY, _LONGEST_NAME, _LONGEST_TEXT = 65_535, 256, 16 * 2**20
_MOST_DIMENSIONS = 4
_MOST_ELEMENTS = 2**63 - 1
_MOST_FINDINGS = 8
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says, as far as it was read. `facts` are its short `general.…` entries, cleaned."""

    version: int | None = None
    tensors: int = 0
    facts: dict[str, str | int | float | bool] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not any(each.is_serious for each in self.findings)


class _Broken(Exception):
    """The header cannot be followed any further."""


def is_gguf(head: bytes) -> bool:
    return head[:4] == b"GGUF"


def parse(read: Read, size: int) -> Header:
    """Follow the header of a file of `size` bytes; never raises for what is in it.

    What makes a reader of such a file fail, or read where nothing is, is a serious finding.
    """
    reading = _Reading(_Window(read, size))
    try:
        reading.header()
    except _Broken as broken:
        reading.find(Kind.HEADER, f"its GGUF header is broken: {broken}", is_serious=True)
    return Header(reading.version, reading.tensors, reading.facts, tuple(reading.findings))


class _Window:
    """The file's beginning, of which only a piece is held; asking for more than there is, is refused."""

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self._size = size
        self._held = b""
        self._at = 0
        self._before = 0  # bytes of the file in front of what is held
        self.order = "<"

    @property
    def place(self) -> int:
        return self._before + self._at

    @property
    def left(self) -> int:
        """Bytes of the file that were not taken yet."""
        return max(0, self._size - self.place)

    def take(self, count: int) -> bytes:
        """The next bytes; no more is asked of the file than it has."""
        self.allow(count)
        if self._at + count > len(self._held):
            self._fill(count)
        start, self._at = self._at, self._at + count
        return self._held[start : self._at]

    def skip(self, count: int) -> None:
        self.allow(count)
        while count > 0:
            piece = min(count, CHUNK)
            self.take(piece)
            count -= piece

    def skip_texts(self, count: int) -> None:
        """Pass by so many texts; a vocabulary has half a million, so those that are held go fast."""
        length_of = struct.Struct(f"{self.order}Q").unpack_from
        while count > 0:
            held, at, end = self._held, self._at, len(self._held)
            while count > 0 and at + 8 <= end and (after := at + 8 + length_of(held, at)[0]) <= end:
                at, count = after, count - 1
            self._at = at
            if count > 0:
                self.skip(self.whole("Q"))
                count -= 1

    def allow(self, count: int) -> None:
        """Raise when so many bytes cannot follow."""
        if count > self.left:
            raise _Broken(f"at byte {self.place} it wants {count} bytes and the file has {self.left}")
        if self.place + count > MOST_HEADER:
            raise _Broken(f"it does not end within {MOST_HEADER // 2**20} MiB")

    def number(self, kind: str) -> int | float | bool:
        """One number of struct's `kind`."""
        form = self.order + kind
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        assert isinstance(value, (int, float, bool))
        return value

    def whole(self, kind: str) -> int:
        return int(self.number(kind))

    def _fill(self, count: int) -> None:
        kept = self._held[self._at :]
        self._before, self._at = self.place, 0
        parts, have = [kept], len(kept)
        while have < count:
            part = self._read(min(max(CHUNK, count - have), self._size - self._before - have))
            if not part:
                raise _Broken(f"the file ends at byte {self._before + have}, before its {self._size}")
            parts.append(part)
            have += len(part)
        self._held = b"".join(parts)


class _Reading:
    """One header on its way through the window."""

    def __init__(self, window: _Window) -> None:
        self._window = window
        self.version: int | None = None
        self.tensors = 0
        self.facts: dict[str, str | int | float | bool] = {}
        self.findings: list[Finding] = []
        self._alignment = 32

    def find(self, kind: Kind, words: str, *, is_serious: bool) -> None:
        self._add(Finding(kind, clean_line(words), is_serious))

    def _add(self, finding: Finding) -> None:
        """Keep the first few: a hostile file has as many as it likes. A serious one always counts."""
        full = len(self.findings) >= _MOST_FINDINGS
        if finding not in self.findings and (not full or (finding.is_serious and self._is_harmless)):
            self.findings.append(finding)

    @property
    def _is_harmless(self) -> bool:
        return not any(each.is_serious for each in self.findings)

    def header(self) -> None:
        window = self._window
        if window.left < 4 or not is_gguf(window.take(4)):
            raise _Broken("it does not begin with GGUF")
        self.version = window.whole("I")
        if self.version & 0xFFFF == 0:  # written the other way round: 3 reads as 0x03000000
            window.order = ">"
            self.version = int.from_bytes(self.version.to_bytes(4, "little"), "big")
        if self.version == 1:
            self.find(Kind.HEADER, "GGUF version 1 is too old to be looked at", is_serious=False)
            return
        if self.version not in (2, 3):
            raise _Broken(f"version {self.version} is not known")
        self.tensors, keys = window.whole("Q"), window.whole("Q")
        if keys > _MOST_KEYS or self.tensors > _MOST_TENSORS:
            raise _Broken(f"it claims {keys} entries and {self.tensors} tensors")
        self._entries(keys)
        self._tensors(self.tensors)

    def _text(self, what: str, most: int) -> str:
        length = self._window.whole("Q")
        if length > most:
            raise _Broken(f"{what} claims {length} bytes")
        return self._window.take(length).decode("utf-8", "replace")

    def _entries(self, count: int) -> None:
        seen: set[str] = set()
        for _ in range(count):
            key = self._text("the name of an entry", _LONGEST_KEY)
            for finding in characters("the name of a header entry", key):
                self._add(finding)
            if key in seen:
                raise _Broken(f"it says “{key[:64]}” twice")
            seen.add(key)
            self._value(key, self._window.whole("I"))

    def _value(self, key: str, kind: int) -> None:
        if kind == _ARRAY:
            self._array(key)
            return
        value: str | int | float | bool
        if kind == _STRING:
            value = self._text(f"the entry “{key[:64]}”", _LONGEST_TEXT)
            for finding in characters(f"the header entry {key[:64]}", value):
                self._add(finding)
            value = clean_line(value)
        elif kind in _SCALARS:
            value = self._window.number(_SCALARS[kind])
        else:
            raise _Broken(f"the entry “{key[:64]}” has the unknown type {kind}")
        if key.startswith("general."):
            self.facts[clean_line(key, 128)] = value
        if key == "general.alignment":
            if type(value) is not int or not 0 < value <= 2**20 or value & (value - 1):
                raise _Broken(f"its alignment is {value}")
            self._alignment = value

    def _array(self, key: str) -> None:
        window = self._window
        kind, count = window.whole("I"), window.whole("Q")
        if kind in _SCALARS:
            window.skip(count * struct.calcsize("=" + _SCALARS[kind]))
        elif kind == _STRING:
            window.allow(count * 8)  # the least that so many texts take
            if key.startswith("tokenizer.ggml."):  # tokens may be anything
                window.skip_texts(count)
                return
            for _ in range(count):
                text = self._text(f"a part of “{key[:64]}”", _LONGEST_TEXT)
                for finding in characters(f"the header entry {key[:64]}", text):
                    self._add(finding)
        else:
            what = "an array in an array" if kind == _ARRAY else f"an array of the unknown type {kind}"
            raise _Broken(f"the entry “{key[:64]}” is {what}")

    def _tensors(self, count: int) -> None:
        window = self._window
        window.allow(count * 24)  # the least that so many tensors take
        names: set[str] = set()
        furthest, last, unknown = 0, "", set()
        for _ in range(count):
            name = self._text("the name of a tensor", _LONGEST_NAME)
            for finding in characters("the name of a tensor", name):
                self._add(finding)
            if name in names:
                raise _Broken(f"it holds the tensor “{name}” twice")
            names.add(name)
            kind, elements, row = self._shape(name)
            offset = window.whole("Q")
            if offset % self._alignment:
                words = f"the tensor “{name}” begins at {offset}, which is not aligned"
                self.find(Kind.TENSORS, words, is_serious=True)
            if kind not in BLOCKS:
                unknown.add(kind)
                end = offset
            else:
                block, held = BLOCKS[kind]
                if row % block:
                    words = f"the rows of the tensor “{name}” do not fill its blocks"
                    self.find(Kind.TENSORS, words, is_serious=True)
                end = offset + -(-elements // block) * held
            if end > furthest:
                furthest, last = end, name
        for kind in sorted(unknown)[:_MOST_FINDINGS]:
            self.find(Kind.TENSORS, f"tensors of the unknown type {kind}", is_serious=False)
        start = -(-window.place // self._alignment) * self._alignment
        room = max(0, window.place + window.left - start)
        if furthest > room:
            words = f"the tensor “{last}” ends at {start + furthest}, beyond the file's {start + room} bytes"
            self.find(Kind.TENSORS, words, is_serious=True)

    def _shape(self, name: str) -> tuple[int, int, int]:
        """A tensor's type, its elements, and the length of a row."""
        window = self._window
        dimensions = window.whole("I")
        if dimensions > _MOST_DIMENSIONS:
            raise _Broken(f"the tensor “{name}” has {dimensions} dimensions")
        elements, row = 1, 1
        for place in range(dimensions):
            length = window.whole("Q")
            elements *= length
            row = length if place == 0 else row
        if elements > _MOST_ELEMENTS:
            raise _Broken(f"the tensor “{name}” claims {elements} elements")
        return window.whole("I"), elements, row
