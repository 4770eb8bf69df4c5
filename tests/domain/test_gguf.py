"""GGUF headers: right ones are read, crafted ones are told, and none makes the parser fail, hang or swell."""

import struct
import tracemalloc
from io import BytesIO

import pytest
from ggufs import ARRAY, DATA, ENTRIES, TENSORS, TEXT, UINT32, Made, entry, number, said, tensor, text, texts
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modeltui.domain.findings import Kind
from modeltui.domain.ggmltypes import BLOCKS
from modeltui.domain.gguf import CHUNK, Header, parse

HUGE = 2**63 + 5


class Counted(BytesIO):
    """A file that counts what was asked of it."""

    asked = 0

    def read(self, count: int | None = -1, /) -> bytes:
        assert count is not None
        assert 0 <= count <= max(CHUNK, 2**24)
        part = super().read(count)
        self.asked += len(part)
        return part


def look(whole: bytes, size: int | None = None) -> Header:
    return parse(Counted(whole).read, len(whole) if size is None else size)


def serious(header: Header) -> list[str]:
    return [each.words for each in header.findings if each.is_serious]


@pytest.mark.parametrize("version", [2, 3])
def test_a_sound_file(version: int) -> None:
    header = look(Made(version=version).whole)
    assert header.findings == ()
    assert header.is_sound
    assert (header.version, header.tensors) == (version, 2)
    assert header.facts == {"general.architecture": "llama", "general.license": "mit"}


def test_a_sound_file_the_other_way_round() -> None:
    made = Made(
        entries=[said("general.architecture", "llama", ">"), number("general.alignment", 32, ">")],
        tensors=[tensor("a", (32,), order=">")],
        order=">",
    )
    header = look(made.whole)
    assert (header.version, header.findings) == (3, ())
    assert header.facts["general.architecture"] == "llama"


def test_every_scalar_and_arrays_of_them_are_passed() -> None:
    forms = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    entries = [entry(f"x.{kind}", kind, struct.pack(f"<{form}", 1)) for kind, form in forms.items()]
    entries += [
        entry(f"y.{kind}", ARRAY, struct.pack(f"<IQ3{form}", kind, 3, 1, 0, 1))
        for kind, form in forms.items()
    ]
    header = look(Made(entries=[*entries, said("general.name", "end")]).whole)
    assert header.findings == ()
    assert header.facts == {"general.name": "end"}


@pytest.mark.parametrize("kind", sorted(BLOCKS))
def test_the_size_of_every_type_counts(kind: int) -> None:
    elements, held = BLOCKS[kind]
    tensors = [tensor("a", (elements * 3, 2), kind)]
    assert look(Made(tensors=tensors, data=6 * held).whole).findings == ()
    assert "ends at" in serious(look(Made(tensors=tensors, data=6 * held - 1).whole))[0]


def test_only_the_header_is_read() -> None:
    made = Made(data=DATA, tail=bytes(10_000_000))
    file = Counted(made.whole)
    assert parse(file.read, len(made.whole)).findings == ()
    assert file.asked <= len(made.head) + CHUNK


def test_a_header_without_end_is_left_at_a_bound() -> None:
    """The file is as large as it claims: what bounds the reading is no longer the file."""
    numbers = struct.pack("<IQ", 0, 10**12)
    head = Counted(Made(entries=[entry("x", ARRAY, numbers)]).head)
    asked = 0

    def read(count: int) -> bytes:
        nonlocal asked
        asked += count
        return head.read(count) or bytes(count)

    assert "does not end within 256 MiB" in serious(parse(read, 2 * 10**12))[0]
    assert asked <= 2 * CHUNK


def test_a_header_larger_than_a_piece() -> None:
    tokens = [f"token{number}" * 3 for number in range(20_000)]
    header = look(Made(entries=[texts("tokenizer.ggml.tokens", tokens), *ENTRIES[:2]]).whole)
    assert header.findings == ()
    assert header.facts["general.license"] == "mit"


BROKEN = {
    "empty": b"",
    "magic alone": b"GGUF",
    "another format": b"GGML" + bytes(100),
    "safetensors": struct.pack("<Q", 2) + b"{}",
    "a script": b"#!/bin/sh\nrm -rf /\n",
    "version 0": Made(version=0).whole,
    "version 4": Made(version=4).whole,
    "version -1": Made(version=2**32 - 1).whole,
    "more entries than there are": Made(claims=(None, 6)).whole,
    "entries without end": Made(claims=(None, HUGE)).whole,
    "more tensors than the file has bytes for": Made(claims=(60_000, None)).whole,
    "tensors without end": Made(claims=(2**64 - 1, None)).whole,
    "a key without end": Made(entries=[struct.pack("<Q", HUGE) + b"key"]).whole,
    "a key that is too long": Made(entries=[number("k" * 70_000, 1)]).whole,
    "a text without end": Made(entries=[entry("k", TEXT, struct.pack("<Q", HUGE) + b"x")]).whole,
    "a text of 4 GB": Made(entries=[entry("k", TEXT, struct.pack("<Q", 2**32) + b"x")]).whole,
    "a text beyond the file": Made(entries=[entry("k", TEXT, struct.pack("<Q", 10_000) + b"x")]).whole,
    "an unknown type of entry": Made(entries=[entry("k", 13, bytes(8))]).whole,
    "an array without end": Made(entries=[entry("k", ARRAY, struct.pack("<IQ", UINT32, HUGE))]).whole,
    "an array whose bytes overflow": Made(entries=[entry("k", ARRAY, struct.pack("<IQ", 10, 2**61))]).whole,
    "texts without end": Made(entries=[entry("k", ARRAY, struct.pack("<IQ", TEXT, 2**40))]).whole,
    "a text in an array beyond the file": Made(
        entries=[entry("k", ARRAY, struct.pack("<IQQ", TEXT, 1, HUGE))]
    ).whole,
    "an array in an array": Made(
        entries=[entry("k", ARRAY, struct.pack("<IQ", ARRAY, 1) + struct.pack("<IQ", UINT32, 0))]
    ).whole,
    "a deep nest": Made(entries=[entry("k", ARRAY, struct.pack("<IQ", ARRAY, 1) * 10_000)]).whole,
    "an array of an unknown type": Made(entries=[entry("k", ARRAY, struct.pack("<IQ", 99, 1))]).whole,
    "the same key twice": Made(entries=[number("k", 1), number("k", 2)]).whole,
    "alignment 0": Made(entries=[number("general.alignment", 0)]).whole,
    "alignment 33": Made(entries=[number("general.alignment", 33)]).whole,
    "alignment 2 GB": Made(entries=[number("general.alignment", 2**31)]).whole,
    "alignment in words": Made(entries=[said("general.alignment", "32")]).whole,
    "five dimensions": Made(tensors=[tensor("t", (1, 1, 1, 1, 1))]).whole,
    "dimensions without end": Made(tensors=[text("t") + struct.pack("<I", 2**32 - 1)]).whole,
    "elements that overflow": Made(tensors=[tensor("t", (2**32, 2**32))]).whole,
    "elements that overflow to few": Made(tensors=[tensor("t", (2**63, 2, 32))]).whole,
    "a tensor's name without end": Made(tensors=[struct.pack("<Q", HUGE)]).whole,
    "a tensor's name that is too long": Made(tensors=[tensor("t" * 300)]).whole,
    "a tensor twice": Made(tensors=[tensor("t"), tensor("t")]).whole,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_header_is_told(name: str) -> None:
    header = look(BROKEN[name])
    assert len(serious(header)) == 1, header.findings
    assert header.findings[-1].kind is Kind.HEADER
    assert header.findings[-1].words.startswith("its GGUF header is broken: ")


TENSORS_WRONG = {
    "an offset beyond the file": [tensor("t", (32,), offset=2**40)],
    "an offset that overflows": [tensor("t", (32,), offset=2**64 - 32)],
    "a tensor that is too large": [tensor("t", (2**40,))],
    "the second one beyond the file": [tensor("a"), tensor("t", (32, 100))],
    "not aligned": [tensor("t", (32,), offset=4)],
    "rows that do not fill blocks": [tensor("t", (33, 2), kind=2)],
}


@pytest.mark.parametrize("name", TENSORS_WRONG)
def test_tensors_that_point_elsewhere(name: str) -> None:
    header = look(Made(tensors=TENSORS_WRONG[name]).whole)
    assert len(serious(header)) == 1
    assert header.findings[0].kind is Kind.TENSORS
    assert "“t”" in header.findings[0].words


def test_a_file_that_was_cut() -> None:
    whole = Made().whole
    assert "ends at" in serious(look(whole[:-1]))[0]
    for length in range(len(Made().head)):
        assert not look(whole[:length]).is_sound


def test_a_file_shorter_than_its_size() -> None:
    """It shrinks while it is read."""
    whole = Made().head
    assert "the file ends at byte" in serious(look(whole[:100], size=len(whole)))[0]


def test_unknown_types_of_tensors_are_told_and_not_serious() -> None:
    tensors = [tensor(f"t{kind}", (32,), kind) for kind in (5, 31, 42, 4_000_000_000)]
    header = look(Made(tensors=tensors).whole)
    assert header.is_sound
    assert len(header.findings) == 4
    assert "type 4000000000" in header.findings[3].words
    assert "beyond" in serious(look(Made(tensors=[tensor("t", kind=99, offset=2**50)]).whole))[0]


def test_version_1_is_told_and_not_serious() -> None:
    header = look(Made(version=1).whole)
    assert [each.is_serious for each in header.findings] == [False]


@pytest.mark.parametrize("hidden", ["\x1b[31m", "\x00", "\x9b2J", "\u202e", "\u2066", "\U000e0041"])
@pytest.mark.parametrize(
    "where", ["general.name", "tokenizer.chat_template", "split.note", "key", "tensor", "array"]
)
def test_characters_that_steer(where: str, hidden: str) -> None:
    value, entries, tensors = f"a{hidden}b", [*ENTRIES[:3]], list(TENSORS)
    if where == "key":
        entries.append(number(value, 1))
    elif where == "tensor":
        tensors.append(tensor(value, offset=32))
    elif where == "array":
        entries.append(texts("general.tags", ["x", value]))
    else:
        entries.append(said(where, value))
    header = look(Made(entries=entries, tensors=tensors).whole)
    assert [(each.kind, each.is_serious) for each in header.findings] == [(Kind.CHARACTERS, True)]
    assert f"U+{ord(hidden[0]):04X}" in header.findings[0].words
    assert hidden[0] not in header.findings[0].words
    assert hidden[0] not in str(header.facts)


def test_what_is_no_utf8_is_read_as_well() -> None:
    header = look(Made(entries=[said("general.name", b"\xff\xfe\xed\xa0\x80")]).whole)
    assert header.is_sound
    assert "\udc80" not in str(header.facts)


def test_findings_stay_few_and_the_serious_one_is_among_them() -> None:
    noted = [said(f"general.{number}", "a\u200bb") for number in range(100)]
    header = look(Made(entries=[*noted, said("general.bad", "\x1b")]).whole)
    assert len(header.findings) == 9
    assert len(serious(header)) == 1
    header = look(Made(entries=[said(f"general.{number}", "\x1b") for number in range(100)]).whole)
    assert len(header.findings) == 8


@pytest.mark.parametrize(
    "name", ["a text of 4 GB", "an array without end", "texts without end", "a deep nest"]
)
def test_a_claim_costs_no_memory(name: str) -> None:
    tracemalloc.start()
    try:
        look(BROKEN[name])
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


WHOLE = Made().whole


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
@example(b"GGUF" + b"\xff" * 200)
def test_any_bytes(data: bytes) -> None:
    for whole in (data, b"GGUF\x03\0\0\0" + data, Made().head[: len(Made().head) // 2] + data):
        file = Counted(whole)
        header = parse(file.read, len(whole))
        assert len(header.findings) <= 10
        assert file.asked <= len(whole)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(WHOLE) - 1),
            st.sampled_from(
                [b"\0", b"\1", b"\xff", b"\xff" * 4, b"\xff" * 8, b"\0" * 8, b"\x09\0\0\0", b"\x80"]
            ),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, len(WHOLE)),
)
def test_a_sound_file_with_bytes_turned(turned: list[tuple[int, bytes]], cut: int) -> None:
    data = bytearray(WHOLE)
    for place, piece in turned:
        data[place : place + len(piece)] = piece
    for whole in (bytes(data), bytes(data[:cut])):
        file = Counted(whole)
        header = parse(file.read, len(whole))
        assert file.asked <= len(whole)
        for finding in header.findings:
            assert finding.words.isprintable()
