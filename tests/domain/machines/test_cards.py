"""What is known of cards by name: the right one, and never a laptop's for a desktop's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.machines.cards import (
    apple_bandwidth,
    known_card,
    known_names,
    shared_bandwidth,
    usual_bandwidth,
)

GIB = 1 << 30


@pytest.mark.parametrize(
    ("name", "gib", "gigabytes"),
    [
        ("NVIDIA GeForce RTX 4090", 24, 1008),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 16, 576),
        ("rtx4090", None, 1008),
        ("RTX 4090 laptop", None, 576),
        ("NVIDIA GeForce RTX 5060", 8, 448),
        ("NVIDIA GeForce RTX 5060 Laptop GPU", 8, 384),
        ("NVIDIA GeForce RTX 5060 Ti", 16, 448),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", 16, 672),
        ("NVIDIA GeForce RTX 3080", 10, 760),
        ("NVIDIA GeForce RTX 3080", 12, 912),
        ("RTX 3080 12GB", None, 912),
        ("NVIDIA GeForce RTX 3050 6GB Laptop GPU", 6, 168),
        ("NVIDIA A100-SXM4-80GB", 80, 2039),
        ("NVIDIA A100 80GB PCIe", 80, 1935),
        ("NVIDIA H100 80GB HBM3", 79.6, 3350),
        ("NVIDIA H100 PCIe", 80, 2039),
        ("Tesla T4", 15, 320),
        ("NVIDIA RTX A6000", 48, 768),
        ("NVIDIA RTX 6000 Ada Generation", 48, 960),
        ("Quadro RTX 6000", 24, 672),
        ("AMD Radeon RX 7900 XTX", 24, 960),
        ("AMD Instinct MI300X", 192, 5300),
    ],
)
def test_cards_as_drivers_name_them(name: str, gib: float | None, gigabytes: int) -> None:
    found = known_card(name, None if gib is None else int(gib * GIB))
    assert found is not None
    assert found.bandwidth == gigabytes * 1e9


@pytest.mark.parametrize(
    ("name", "gib"),
    [
        ("NVIDIA GeForce RTX 2070 with Max-Q Design", 8),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 24),
        ("NVIDIA GeForce RTX 4090", 16),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 5),
        ("GRID T4-8Q", 8),
        ("RTX", None),
        ("", None),
        ("4090 ti super duper", None),
        ("x" * 100_000, None),
    ],
)
def test_other_cards_are_not_known(name: str, gib: int | None) -> None:
    assert known_card(name, None if gib is None else gib * GIB) is None


def test_a_laptops_card_is_never_faster_than_the_desktops() -> None:
    laptops = {name for name in known_names() if name.endswith(" laptop")}
    assert len(laptops) >= 15
    laptops.remove("rtx 5050 laptop")  # it has GDDR7 where the desktop's has GDDR6
    for name in laptops:
        laptop, desktop = known_card(name), known_card(name.removesuffix(" laptop"))
        assert laptop is not None
        assert desktop is None or laptop.bandwidth <= desktop.bandwidth, name


def test_every_name_is_found_by_itself_and_has_sense() -> None:
    names = known_names()
    assert len(names) == len(set(names)) > 100
    for name in names:
        card = known_card(name)
        assert card is not None
        assert card.name == name
        assert 2 * GIB <= card.total <= 512 * GIB
        assert 5e10 <= card.bandwidth <= 1e13


@given(st.integers(0, 1 << 45), st.integers(0, 1 << 45))
def test_more_memory_is_never_expected_slower(one: int, other: int) -> None:
    assert usual_bandwidth(min(one, other)) <= usual_bandwidth(max(one, other))


@given(st.text(max_size=60), st.none() | st.integers(0, 1 << 45))
def test_any_name_has_an_answer(name: str, total: int | None) -> None:
    known_card(name, total)
    assert apple_bandwidth(name, total) is None or "m" in name.casefold()
    assert shared_bandwidth(name) is None or "gb10" in name.casefold().replace(" ", "")


def test_what_shares_the_machines_memory() -> None:
    assert shared_bandwidth("NVIDIA GB10") == 273e9
    assert shared_bandwidth("NVIDIA GeForce RTX 4090") is None
