"""The fit's score: six named parts that sum up, each explained; more VRAM never takes a point."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.cases import Case, Mends
from modeltui.domain.advice.fit import MOST, NAMES, Fit, FitKind, judge, memory_points, points, speed_points
from modeltui.domain.advice.rates import is_moe, rates_of, tokens_per_second
from modeltui.domain.advice.speed import speed, tokens_placed
from modeltui.domain.advice.tasks import Task
from modeltui.domain.machines.machine import Card, Machine
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.estimate import place
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.units import size

GIB = 1 << 30
SHAPE = Architecture("llama", 32, 4096, 32, (8,) * 32, 128, 128, 128256, 131072, has_output=True)
LLAMA = Facts(
    4_920_753_328, quantization="Q4_K_M", architecture=SHAPE, parameters=8_030_000_000, trained_context=131072
)
RANK = {FitKind.NO: 0, FitKind.CPU: 1, FitKind.SPLIT: 2, FitKind.GPU: 3}


def machine(gib: float, ram: float = 32, bandwidth: float = 900e9, ram_bandwidth: float = 50e9) -> Machine:
    cards = (
        (Card("card", int(gib * GIB), int(gib * GIB), bandwidth=bandwidth, compute=(8, 6)),) if gib else ()
    )
    return Machine(cards, int(ram * GIB), int(ram * GIB), ram_bandwidth)


def judged(here: Machine, case: Case, mends: Mends | None = None, facts: Facts = LLAMA) -> Fit:
    placement = place(facts, case.context, Serving((0, 32, 0)), here)
    return judge(placement, speed(placement, facts, here), case, mends)


def test_the_parts_are_named_explained_and_sum_up_to_the_score() -> None:
    fit = judged(machine(24), Case(8192, trained=131072))
    assert fit.kind is FitKind.GPU and fit.score is not None
    assert [part.name for part in fit.parts] == list(NAMES)
    assert sum(part.points for part in fit.parts) == fit.score <= sum(MOST) == 100
    assert all(part.why and 0 <= part.points <= part.most for part in fit.parts)
    assert not fit.mends


def test_where_it_lies_weighs_most() -> None:
    case = Case(8192, trained=131072, ram_free=32 * GIB)
    scores = [judged(machine(gib), case).score or 0 for gib in (24, 4, 0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 90 and scores[2] < 75


def test_what_does_not_fit_has_no_points_and_says_what_is_lacking() -> None:
    fit = judged(machine(2, ram=2), Case(8192), Mends(smaller="llama3.1:8b-instruct-q2_K"))
    assert (fit.kind, fit.score) == (FitKind.NO, 0)
    assert "more than there is" in fit.parts[0].why
    assert fit.mends == ("a smaller quantization: llama3.1:8b-instruct-q2_K",)
    assert judged(machine(2, ram=2), Case(8192)).mends == ("take a smaller model",)


def test_without_a_placement_nothing_is_scored() -> None:
    fit = judge(
        None, speed(place(LLAMA, 1, Serving(), machine(24)), LLAMA, machine(24)), Case(1), unknown="why not"
    )
    assert (fit.kind, fit.score, fit.parts[0].why) == (FitKind.UNKNOWN, None, "why not")


def test_each_failing_part_says_what_would_mend_it() -> None:
    case = Case(
        262144,
        trained=131072,
        task=Task.VISION,
        capabilities=frozenset({"completion"}),
        requires=(0, 40, 0),
        version=(0, 32, 1),
        download=5_000_000_000,
        disk_free=2_000_000_000,
    )
    mends = Mends(smaller="llama3.1:8b-instruct-q3_K_S", shorter=8192, kv=KvType.Q8_0.value)
    fit = judged(machine(8), case, mends)
    assert fit.kind is FitKind.SPLIT
    by_name = {part.name: part for part in fit.parts}
    assert "q8_0" in by_name["memory"].mend and "8k" in by_name["memory"].mend
    assert by_name["memory"].mend.endswith("llama3.1:8b-instruct-q3_K_S")
    assert by_name["context"].mend == "ask for a context of 128k"
    assert by_name["server"].mend == "upgrade the server to 0.40.0"
    assert "only 0.32.1" in by_name["server"].why
    assert by_name["task"].mend == "take a model with vision"
    assert by_name["disk"].mend == "free 3 GB on its disk"
    assert (by_name["server"].points, by_name["task"].points, by_name["disk"].points) == (0, 0, 0)


def test_what_is_loaded_must_go_for_it_and_is_named() -> None:
    free, full = Case(8192, trained=131072), Case(8192, trained=131072, held=22 * GIB)
    alone, beside = judged(machine(24), free), judged(machine(24), full, Mends(unload=("qwen3:14b",)))
    assert alone.score is not None and beside.score is not None and alone.score - beside.score == 4
    assert "unloaded what is loaded now" in beside.parts[0].why
    assert beside.mends == ("unload qwen3:14b",)


@pytest.mark.parametrize(
    ("tokens", "least", "most"),
    [(None, 10, 10), (1.0, 0, 0), (2.0, 0, 0), (5.0, 5, 9), (50.0, 25, 25), (900.0, 25, 25)],
)
def test_speed_is_scored_by_its_logarithm(tokens: float | None, least: int, most: int) -> None:
    assert least <= speed_points(tokens) <= most
    assert speed_points(tokens, is_embedding=True) == 25


def test_an_unfit_number_is_no_reason_for_a_wrong_one() -> None:
    assert speed_points(float("nan")) == speed_points(None)
    assert memory_points(FitKind.GPU, 1.0, float("nan"), float("inf")) == 32
    assert memory_points(FitKind.SPLIT, 9.0, 0, -5) == 18


def test_what_may_not_fit_after_all_has_fewer_points_and_says_so() -> None:
    known, unknown = LLAMA, replace(LLAMA, architecture=None)
    case = Case(8192, trained=131072)
    for gib, sure in ((24, True), (7, False)):
        alike, vague = judged(machine(gib), case), judged(machine(gib), case, facts=unknown)
        assert alike.kind is vague.kind is FitKind.GPU
        assert (vague.parts[0].points == alike.parts[0].points) is sure
        assert ("which would not fit" in vague.parts[0].why) is not sure
    needs = place(unknown, 8192, Serving((0, 32, 0)), machine(7)).needs
    assert size(needs.high) in judged(machine(7), case, facts=unknown).parts[0].why
    assert judged(machine(7), case, facts=known).parts[0].points >= 28


def test_what_is_made_for_something_else_has_no_points_for_the_task() -> None:
    chat = Case(8192, task=Task.GENERAL, capabilities=frozenset({"completion"}))
    guard = replace(chat, is_made_for=False)
    points_of = [judged(machine(24), case).parts[4].points for case in (chat, guard)]
    assert points_of == [10, 0]
    part = judged(machine(24), guard).parts[4]
    assert part.why == "general: it has completion, but is made for something else"
    assert part.mend == "take a model that is made for general"


def score(facts: Facts, here: Machine, context: int, ram: int) -> tuple[int, int]:
    """Rank and points as the ranking takes them."""
    placement = place(facts, context, Serving((0, 32, 0)), here)
    rates = rates_of(here)
    tokens = tokens_placed(rates, placement, facts)
    read = placement.gpu_bytes_read + placement.ram_bytes_read
    least = None
    if rates.card_byte > rates.ram_byte:
        least = tokens_per_second(rates, 0, read, 0, placement.layers, is_moe(facts))
    case = Case(context, trained=facts.trained_context, ram_free=ram, least_speed=least)
    return RANK[placement.kind], sum(points(placement, tokens, case))


@given(
    vram=st.floats(1, 100),
    more=st.floats(0, 60),
    ram=st.floats(1, 128),
    file=st.integers(10**8, 10**11),
    layers=st.integers(1, 120),
    context=st.integers(1, 300_000),
    bandwidth=st.floats(20e9, 4e12),
    ram_bandwidth=st.floats(10e9, 5e11),
    is_mixture=st.booleans(),
)
def test_more_vram_of_the_same_kind_never_lowers_score_or_fit(
    vram: float,
    more: float,
    ram: float,
    file: int,
    layers: int,
    context: int,
    bandwidth: float,
    ram_bandwidth: float,
    is_mixture: bool,
) -> None:
    shape = replace(SHAPE, layers=layers, kv_heads=(8,) * layers)
    total = int(file / 0.6)
    active = total // 10 if is_mixture else None
    facts = Facts(
        file, architecture=shape, parameters=total, active_parameters=active, trained_context=131072
    )
    less = score(facts, machine(vram, ram, bandwidth, ram_bandwidth), context, int(ram * GIB))
    grown = score(facts, machine(vram + more, ram, bandwidth, ram_bandwidth), context, int(ram * GIB))
    assert grown[0] >= less[0]
    assert grown[1] >= less[1]
