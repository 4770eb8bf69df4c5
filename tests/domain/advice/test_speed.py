"""The speed estimate: bytes over bandwidth, times added, a band; what was measured and what corrects it."""

from dataclasses import replace
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.rates import (
    Calibration,
    is_moe,
    parameters_of,
    rates_of,
    tokens_per_second,
    weights_read,
)
from modeltui.domain.advice.speed import calibrated, filled, measured, speed, tokens_placed
from modeltui.domain.machines.machine import Backend, Card, Machine
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.estimate import place
from modeltui.domain.memory.serving import Serving

GIB = 1 << 30
GB = 10**9
SHAPE = Architecture("llama", 32, 4096, 32, (8,) * 32, 128, 128, 128256, 131072, has_output=True)
LLAMA = Facts(4_920_753_328, quantization="Q4_K_M", architecture=SHAPE, parameters=8_030_000_000)
MOE = Facts(18_560_000_000, quantization="Q4_K_M", parameters=30_500_000_000, active_parameters=3_300_000_000)
OSS = Facts(13_800_000_000, quantization="MXFP4", parameters=20_900_000_000, active_parameters=3_600_000_000)
SERVING = Serving((0, 32, 0))


def card(gib: float, bandwidth: float | None = 936 * GB, name: str = "RTX 3090") -> Card:
    return Card(name, int(gib * GIB), int(gib * GIB), bandwidth=bandwidth, compute=(8, 6))


def machine(*cards: Card, ram_bandwidth: float | None = 50 * GB, ram: int = 64) -> Machine:
    return Machine(cards, ram * GIB, ram * GIB, ram_bandwidth, cores=8)


def test_one_token_takes_the_bytes_of_each_place_over_its_bandwidth() -> None:
    rates = rates_of(machine(card(24)))
    on_card = tokens_per_second(rates, 5e9, 0, 33, 33, False)
    in_ram = tokens_per_second(rates, 0, 5e9, 0, 33, False)
    both = tokens_per_second(rates, 5e9, 5e9, 33, 66, False)
    assert on_card and in_ram and both
    assert 1 / both == pytest.approx(1 / on_card + 1 / in_ram)
    assert on_card < 936 / 5, "no card reaches its theoretical bandwidth"
    assert in_ram < 50 / 5


def test_a_token_of_a_mixture_reads_its_active_experts_only() -> None:
    assert weights_read(LLAMA, 4_600_000_000) == 4_600_000_000
    assert weights_read(MOE, 18_400_000_000) == pytest.approx(2.0e9, rel=0.02)
    # gpt-oss: the experts have 4.25 bits, attention and output 16.
    assert weights_read(OSS, 12_640_000_000) == pytest.approx(3.45e9, rel=0.02)
    assert is_moe(MOE) and is_moe(OSS) and not is_moe(LLAMA)


def test_active_parameters_that_nobody_tells_follow_from_the_experts() -> None:
    shape = replace(SHAPE, kind="qwen3moe", experts=128, experts_used=8, parameters=30_500_000_000)
    total, active = parameters_of(Facts(18_560_000_000, architecture=shape))
    assert total == 30_500_000_000
    assert active is not None and 3e9 < active < 4.5e9


def test_the_estimate_has_a_band_and_says_what_it_rests_on() -> None:
    here = machine(card(24))
    found = speed(place(LLAMA, 8192, SERVING, here), LLAMA, here)
    assert found.tokens and found.low and found.high and found.low < found.tokens < found.high
    assert not found.is_measured
    assert "RTX 3090 with 936 GB/s" in found.basis and "RAM" not in found.basis
    assert found.prompt and 2000 < found.prompt < 6000


def test_an_unknown_bandwidth_is_assumed_in_words_and_with_a_wider_band() -> None:
    known, unknown = machine(card(24)), machine(card(24, None, "24 GB card"), ram_bandwidth=None)
    sure = speed(place(LLAMA, 8192, SERVING, known), LLAMA, known)
    guess = speed(place(LLAMA, 8192, SERVING, unknown), LLAMA, unknown)
    assert sure.tokens and sure.low and sure.high and guess.tokens and guess.low and guess.high
    assert guess.high / guess.low > 2 * sure.high / sure.low
    assert "taken to have" in guess.basis
    alone = Machine((), 64 * GIB, 64 * GIB)
    slow = speed(place(LLAMA, 8192, SERVING, alone), LLAMA, alone)
    assert "nobody measured it" in slow.basis
    assert slow.high and slow.low and slow.high / slow.low >= 8


def test_a_longer_context_reads_more_cache() -> None:
    here = machine(card(24))
    found = [
        speed(place(LLAMA, tokens, SERVING, here), LLAMA, here).tokens for tokens in (2048, 16384, 32768)
    ]
    assert all(found)
    assert found == sorted(found, key=lambda tokens: -(tokens or 0))
    assert filled(4096) == 1024 and filled(262144) == 8192
    long = speed(place(LLAMA, 65536, SERVING, here), LLAMA, here)
    assert long.tokens and long.low and long.low < 0.75 * long.tokens * 0.9, "a full context is slower still"


def test_of_cards_that_differ_those_count_that_hold_the_model() -> None:
    fast, slow = card(24, 1008 * GB, "fast"), card(24, 200 * GB, "slow")
    both = machine(fast, slow)
    placement = place(LLAMA, 8192, SERVING, both)
    on_fast = replace(placement, by_card=(placement.vram, 0))
    on_slow = replace(placement, by_card=(0, placement.vram))
    rates = rates_of(both)
    assert tokens_placed(rates, on_fast, LLAMA) == pytest.approx(
        tokens_placed(rates_of(machine(fast)), on_fast, LLAMA)
    )
    quick, tardy = tokens_placed(rates, on_fast, LLAMA), tokens_placed(rates, on_slow, LLAMA)
    assert quick and tardy and quick > 3 * tardy


def test_what_generates_nothing_or_does_not_fit_has_no_speed() -> None:
    here = machine(card(24))
    embedding = replace(LLAMA, is_embedding=True)
    found = speed(place(embedding, 512, SERVING, here), embedding, here)
    assert found.tokens is None and "generates no text" in found.basis
    tiny = Machine((), GIB, GIB)
    none = speed(place(LLAMA, 4096, SERVING, tiny), LLAMA, tiny)
    assert none.tokens is None and none.basis == "it does not fit"


def test_prompts_of_unknown_cards_are_unknown_and_a_laptop_is_no_desktop() -> None:
    for name in ("Radeon Whatever", "NVIDIA GeForce RTX 3090 Laptop GPU"):
        here = machine(card(24, name=name))
        assert speed(place(LLAMA, 4096, SERVING, here), LLAMA, here).prompt is None


def test_stacked_memory_is_not_kept_busy_by_one_request() -> None:
    a100 = Card("A100", 80 * GIB, 80 * GIB, bandwidth=1935 * GB, compute=(8, 0))
    blackwell = Card("RTX PRO 6000", 96 * GIB, 96 * GIB, bandwidth=1792 * GB, compute=(12, 0))
    stacked, other = machine(a100), machine(blackwell)
    slow = speed(place(LLAMA, 4096, SERVING, stacked), LLAMA, stacked).tokens
    fast = speed(place(LLAMA, 4096, SERVING, other), LLAMA, other).tokens
    assert slow and fast and fast > slow


def test_calibration_is_the_median_of_what_was_measured_over_the_estimates() -> None:
    assert calibrated([]) is None
    assert calibrated([(0.0, 10.0), (5.0, 0.0), (float("nan"), 1.0)]) is None
    assert calibrated([(50.0, 100.0)]) == Calibration(0.5, 1)
    assert calibrated([(50.0, 100.0), (80.0, 100.0), (900.0, 100.0)]) == Calibration(0.8, 3)
    assert calibrated([(10_000.0, 1.0)]) == Calibration(3.0, 1), "clamped"
    assert calibrated([(0.001, 1.0)]) == Calibration(0.25, 1), "clamped"


def test_a_calibrated_estimate_is_scaled_says_so_and_has_a_narrower_band() -> None:
    here = machine(card(24))
    placement = place(LLAMA, 8192, SERVING, here)
    plain, corrected = speed(placement, LLAMA, here), speed(placement, LLAMA, here, Calibration(0.5, 2))
    assert plain.tokens and corrected.tokens and corrected.tokens == pytest.approx(plain.tokens / 2)
    assert "corrected by 2 models measured here" in corrected.basis
    assert corrected.low and corrected.high and plain.low and plain.high
    assert corrected.high / corrected.low < plain.high / plain.low


def test_measured_speed_is_its_median_with_its_spread() -> None:
    found = measured([40.0, 44.0, 60.0], [900.0])
    assert found is not None
    assert (found.tokens, found.low, found.high, found.prompt, found.is_measured) == (
        44.0,
        40.0,
        60.0,
        900.0,
        True,
    )
    assert measured([]) is None
    assert measured([0.0, float("inf")]) is None


@given(
    gib=st.floats(0, 200),
    bandwidth=st.none() | st.floats(),
    ram_bandwidth=st.none() | st.floats(),
    file=st.integers(0, 10**12),
    parameters=st.one_of(st.none(), st.integers(0, 10**12)),
    active=st.one_of(st.none(), st.integers(0, 10**12)),
    context=st.integers(0, 10**9),
    backend=st.sampled_from(list(Backend)),
)
def test_no_input_makes_a_speed_that_is_no_number(
    gib: float,
    bandwidth: float | None,
    ram_bandwidth: float | None,
    file: int,
    parameters: int | None,
    active: int | None,
    context: int,
    backend: Backend,
) -> None:
    cards = (replace(card(gib, bandwidth), backend=backend),) if gib > 1 else ()
    here = machine(*cards, ram_bandwidth=ram_bandwidth)
    facts = Facts(file, parameters=parameters, active_parameters=active)
    placement = place(facts, context, SERVING, here)
    found = speed(placement, facts, here)
    for value in (found.tokens, found.low, found.high, found.prompt):
        assert value is None or (isfinite(value) and value >= 0)
    if found.tokens is not None:
        assert found.low is not None and found.high is not None
        assert found.low <= found.tokens <= found.high
        assert tokens_placed(rates_of(here), placement, facts) == pytest.approx(found.tokens)
    reads = placement.gpu_bytes_read + placement.ram_bytes_read > 0
    assert (found.tokens is not None) == (reads and placement.kind not in (FitKind.NO, FitKind.UNKNOWN))
