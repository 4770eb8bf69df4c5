"""Hardware as people type it: what it means, what is assumed, and what is refused in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.machines.machine import Backend, Card, Machine, Origin
from modeltui.domain.machines.typedhardware import (
    parse_bandwidth,
    parse_cards,
    parse_hardware,
    parse_overhead,
)
from modeltui.errors import UsageError

GIB = 1 << 30
BASE = Machine((), 100 * GIB, 90 * GIB, 80e9, 12, "a processor", 7, origin=Origin.MEASURED)


@pytest.mark.parametrize(
    ("text", "cards", "ram"),
    [
        ("8GB", [8], 16),
        ("8", [8], 16),
        ("8 gib", [8], 16),
        ("8192MB", [8], 16),
        ("2x24GB", [24, 24], 48),
        ("2 × 24 GB", [24, 24], 48),
        ("24GB+64GB", [24], 64),
        ("24GB + 64GB", [24], 64),
        ("24GB,12GB+64GB", [24, 12], 64),
        ("none+16GB", [], 16),
        ("none", [], 16),
        ("rtx 4090", [24], 24),
        ("4090", [24], 24),
        ("rtx 3080 ti", [12], 16),
        ("2x 4070 ti super", [16, 16], 32),
        ("rtx 3080 ti 12GB", [12], 16),
        ("2x RTX 3090 + 128GB", [24, 24], 128),
        ("rtx 3080 12GB", [12], 16),
        ("a100 40GB", [40], 40),
        ("my card 24GB", [24], 24),
        ("24GB@936GB/s", [24], 24),
        ("8x141GB+2TB", [141] * 8, 2048),
    ],
)
def test_what_is_typed(text: str, cards: list[int], ram: int) -> None:
    machine = parse_hardware(text)
    assert [card.total for card in machine.cards] == [gib * GIB for gib in cards]
    assert machine.ram_total == ram * GIB
    assert machine.origin is Origin.SIMULATED
    assert ("GB of RAM" in " ".join(machine.assumptions)) is ("+" not in text)


def test_a_known_card_brings_its_facts() -> None:
    (card,) = parse_hardware("rtx 4090").cards
    assert card == Card("RTX 4090", 24 * GIB, 24 * GIB - 24 * GIB // 50, 0, 1008e9, Backend.CUDA, (8, 9))


def test_a_size_alone_has_the_usual_bandwidth_and_says_so() -> None:
    machine = parse_hardware("24GB")
    assert machine.cards[0].is_bandwidth_assumed
    assert machine.assumptions == ("768 GB/s for a card of 24 GB", "24 GB of RAM")


def test_a_typed_bandwidth_is_not_assumed() -> None:
    (card,) = parse_hardware("my card 24GB@936.2").cards
    assert (card.name, card.bandwidth, card.is_bandwidth_assumed) == ("my card", 936.2e9, False)


@pytest.mark.parametrize(
    ("text", "usable"), [("m2 max 64GB", 48), ("Apple M1 24GB", 16), ("gb10 128GB", 126)]
)
def test_memory_that_is_shared(text: str, usable: int) -> None:
    machine = parse_hardware(text)
    (card,) = machine.cards
    assert machine.is_unified
    assert (card.total, card.free) == (usable * GIB, usable * GIB)
    assert card.total <= machine.ram_total
    assert machine.ram_bandwidth == card.bandwidth is not None


def test_the_rest_is_the_server_s_machine() -> None:
    machine = parse_hardware("2x24GB", BASE)
    assert (machine.ram_total, machine.ram_free, machine.ram_bandwidth) == (100 * GIB, 90 * GIB, 80e9)
    assert (machine.cores, machine.disk_free) == (12, 7)
    assert "RAM" not in " ".join(machine.assumptions)
    assert parse_hardware("2x24GB+64GB", BASE).ram_total == 64 * GIB


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot read"),
        ("+16GB", "cannot read"),
        ("24GB+", "cannot read"),
        ("24GB++16GB", "cannot read"),
        ("0", "no GPU is written none"),
        ("0GB", "no GPU is written none"),
        ("-8GB", "cannot read"),
        ("24GB+-1GB", "cannot read"),
        ("24GB+0GB", "RAM has at least 64 MB"),
        ("1e9GB", "cannot read|no card"),
        ("1000000000GB", "at most 1024 GB"),
        ("24GB+1000000000GB", "at most 65536 GB"),
        ("nan", "no card"),
        ("infGB", "no card"),
        ("0x24GB", "between 1 and 64"),
        ("65x24GB", "between 1 and 64"),
        ("40x8GB,40x8GB", "at most 64 cards"),
        ("24GB@0", "bandwidth"),
        ("24GB@1000000GB/s", "bandwidth"),
        ("rtx 4090 8GB", "has 24 GB"),
        ("rxt 4090", "no card"),
        ("none,24GB", "no card"),
        ("m2 max", "its memory is needed"),
        ("m2 max 64GB+64GB", "has one size"),
        ("2x m2 max 64GB", "is the only one"),
        ("m2 max 64GB,24GB", "is the only one"),
        ("m2 max 0.5GB", "at least 1 GB"),
        ("١٦GB", "cannot read"),
        ("\x1b[2J24GB", "cannot read"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse_hardware(text)
    assert caught.value.remedy
    assert "\x1b" not in caught.value.message


def test_a_long_text_is_refused_shortly() -> None:
    with pytest.raises(UsageError) as caught:
        parse_hardware("24GB" * 10_000)
    assert len(caught.value.message) < 300


def test_near_names_are_offered() -> None:
    with pytest.raises(UsageError) as caught:
        parse_hardware("rxt 4090")
    assert "rtx 4090" in str(caught.value.remedy)


@given(st.text(max_size=40))
def test_any_text_is_a_machine_or_refused(text: str) -> None:
    try:
        machine = parse_hardware(text)
    except UsageError:
        return
    assert len(machine.cards) <= 64
    for card in machine.cards:
        assert 0 < card.free <= card.total
        assert card.bandwidth is None or (math.isfinite(card.bandwidth) and card.bandwidth > 0)
    assert 0 < machine.ram_free <= machine.ram_total


@given(st.integers(1, 64), st.integers(1, 1024), st.integers(1, 65_536))
def test_sizes_come_back(count: int, gib: int, ram: int) -> None:
    machine = parse_hardware(f"{count}x{gib}GB+{ram}GB")
    assert machine.vram_total == count * gib * GIB
    assert machine.ram_total == ram * GIB


@given(st.integers(1, 1023))
def test_a_larger_card_is_better_in_nothing_worse(gib: int) -> None:
    small, large = (parse_hardware(f"{size}GB+64GB").cards[0] for size in (gib, gib + 1))
    assert small.free < large.free
    assert small.bandwidth is not None
    assert large.bandwidth is not None
    assert small.bandwidth <= large.bandwidth


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("0.0GB", 0), ("0.5", GIB // 2), ("512MB", GIB // 2)])
def test_overhead_may_be_none(text: str, size: int) -> None:
    assert parse_overhead(text) == size


@pytest.mark.parametrize("text", ["", "fast", "-5", "0", "nan", "1e400", "100001"])
def test_no_bandwidth(text: str) -> None:
    with pytest.raises(UsageError, match="bandwidth"):
        parse_bandwidth(text)


def test_none_means_no_cards() -> None:
    assert parse_cards(["none"]).cards == ()
