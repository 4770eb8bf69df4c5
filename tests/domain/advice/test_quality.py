"""Levels of quality: ranks within one benchmark, a maker's claims, relatives, doubt."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.quality import (
    DOUBT_COST,
    LEAST_ROWS,
    NEIGHBOURS_MOST,
    Basis,
    Level,
    Quality,
)
from modeltui.domain.advice.suitability import suitability
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import QualityRow, Series, Tag


def model(name: str, *sizes: float, released: str = "2024-06", **more: object) -> Series:
    tags = tuple(
        Tag(
            series=name,
            tag=f"{size:g}b",
            size=int(size * 6e8),
            quantization="Q4_K_M",
            parameter_size=f"{size:g}B",
            parameters=int(size * 1e9),
        )
        for size in sizes or (8,)
    )
    given: dict[str, object] = {"role": "chat", **more}
    return Series(name=name, tags=tags, released=released, **given)  # type: ignore[arg-type]


def row(name: str, value: float, benchmark: str = "Exam 2024", size: str = "", **more: str) -> QualityRow:
    words = {"task": "general", "variant": "", "kind": "independent", **more}
    return QualityRow(
        series=name,
        size=size,
        benchmark=benchmark,
        value=value,
        scale="0-100",
        source="",
        date="",
        note="",
        **words,
    )


# Equal in all but what they score.
CLASS = [model(name) for name in ("a", "b", "c", "d", "e")]
# Twice as large each: facts give them five different values.
LADDER = [model(f"m{number}", 4 * 2**number) for number in range(5)]


def level(
    every: Iterable[Series], rows: Iterable[QualityRow], name: str, task: Task = Task.GENERAL, place: int = 0
) -> Level:
    known = {each.name: each for each in every}
    return Quality(known, rows).level(known[name], known[name].tags[place], task)


def test_a_benchmark_orders_the_models_that_it_contains() -> None:
    backwards = [row(each.name, 90 - 10 * place) for place, each in enumerate(LADDER)]
    best, worst = level(LADDER, backwards, "m0"), level(LADDER, backwards, "m4")
    assert best.basis is Basis.SCORES
    assert best.value > level(LADDER, (), "m0").value
    assert worst.value < level(LADDER, [], "m4").value + 3 * DOUBT_COST


def test_an_order_that_facts_expect_changes_nothing() -> None:
    rows = [row(each.name, 10 + place) for place, each in enumerate(LADDER)]
    for each in LADDER:
        assert level(LADDER, rows, each.name).value == pytest.approx(
            level(LADDER, (), each.name).value + 3 * DOUBT_COST
        )


@given(st.lists(st.integers(0, 100), min_size=5, max_size=5), st.floats(0.1, 50), st.floats(-100, 100))
def test_only_the_order_of_a_benchmark_counts(values: list[int], factor: float, offset: float) -> None:
    plain = [row(each.name, value) for each, value in zip(LADDER, values, strict=True)]
    scaled = [each._replace(value=each.value * factor + offset) for each in plain]
    for each in LADDER:
        assert level(LADDER, plain, each.name) == level(LADDER, scaled, each.name)


def test_texts_that_differ_are_scales_that_differ() -> None:
    """70 points in one release of a test are not more than 60 in the next."""
    rows = [row(each.name, 70, "Exam 2024") for each in CLASS[:4]]
    rows += [row("e", 60, "Exam 2025")]
    assert level(CLASS, rows, "e").basis is Basis.FACTS  # alone in its benchmark: no order


def test_fewer_models_than_make_an_order_are_no_evidence() -> None:
    few = [row(each.name, 10 * place) for place, each in enumerate(CLASS[: LEAST_ROWS - 1])]
    assert level(CLASS, few, "a").basis is Basis.FACTS


def test_a_makers_claim_counts_only_where_nothing_independent_exists_and_less() -> None:
    claims = [row(each.name, 10 * place, kind="maker") for place, each in enumerate(LADDER)]
    runs = [row(each.name, 10 * place, "Run 2024") for place, each in enumerate(LADDER)]
    claimed, run = level(LADDER, claims, "m4"), level(LADDER, runs, "m4")
    assert (claimed.basis, run.basis) == (Basis.MAKER, Basis.SCORES)
    assert claimed.value < run.value
    assert claimed.doubt > run.doubt
    assert level(LADDER, [*claims, *runs], "m4") == run


def test_an_old_leader_does_not_beat_a_new_model_for_its_many_rows() -> None:
    """New models must not lose to the days of Llama 2 because those have more rows."""
    old = [model(f"old{number}", 7, released="2023-07") for number in range(6)]
    new = model("new", 9, released="2026-02")
    rows = [row(each.name, 90 - place, f"Exam {exam}") for exam in range(9) for place, each in enumerate(old)]
    every = [*old, new]
    assert level(every, rows, "new").value > level(every, rows, "old0").value


def test_short_answers_say_nothing_about_models_that_think() -> None:
    thinker = model("t", capabilities=frozenset({"thinking"}))
    every = [*CLASS, thinker]
    rows = [row(each.name, 50 + place, "EvalPlus HumanEval+") for place, each in enumerate(every[:-1])]
    low = [*rows, row("t", 1, "EvalPlus HumanEval+")]
    assert level(every, low, "t") == level(every, rows, "t")


def test_a_base_model_scores_for_nobody() -> None:
    rows = [row(each.name, 50 + place, variant="base model; bfloat16") for place, each in enumerate(CLASS)]
    assert level(CLASS, rows, "a").basis is Basis.FACTS


def test_other_sizes_of_a_series_speak_for_a_size_without_rows() -> None:
    every = [*CLASS, model("f", 8, 4)]
    rows = [row(each.name, 50) for each in CLASS] + [row("f", 90, size="8b")]
    large = [row(each.name, 50) for each in CLASS] + [row("f", 10, size="8b")]
    praised, blamed = level(every, rows, "f", place=1), level(every, large, "f", place=1)
    assert praised.basis is Basis.RELATIVES
    assert praised.sources == ("f:8b",)
    assert praised.doubt == 2
    assert praised.value == pytest.approx(blamed.value)  # all equal by facts: an order has nothing to give

    ladder = [*LADDER, model("f", 8, 4)]
    rows = [row(each.name, 50 + place) for place, each in enumerate(LADDER)]
    praised = level(ladder, [*rows, row("f", 90, size="8b")], "f", place=1)
    blamed = level(ladder, [*rows, row("f", 10, size="8b")], "f", place=1)
    assert praised.value > blamed.value


def test_a_size_that_is_far_off_says_nothing() -> None:
    """log2(64 / 8) is three doublings, NEAR two and a half."""
    every = [*LADDER, model("f", 8, 64)]
    rows = [row(each.name, 50 + place) for place, each in enumerate(LADDER)]
    assert level(every, [*rows, row("f", 99, size="64b")], "f").basis is Basis.FACTS


def test_sizes_of_one_series_make_no_order() -> None:
    many = model("many", 2, 4, 8, 16, 32)
    rows = [row("many", 90 - size, size=f"{size}b") for size in (2, 4, 8, 16, 32)] + [row("a", 50)]
    assert level([*CLASS, many], rows, "many").basis is Basis.FACTS


def test_scores_at_other_tasks_speak_for_a_task_without() -> None:
    def coding(place: int, kind: str = "independent") -> Level:
        order = [each.name for each in LADDER if each.name != "m2"]
        order.insert(place, "m2")
        rows = [row(name, 10.0 + number, kind=kind) for number, name in enumerate(order)]
        return level(LADDER, rows, "m2", Task.CODING)

    low, mid, high = (coding(place) for place in (0, 2, 4))
    facts = level(LADDER, (), "m2", Task.CODING)
    assert (mid.basis, mid.sources, facts.basis) == (Basis.TASKS, ("general",), Basis.FACTS)
    assert low.value < mid.value < high.value
    assert mid.value == pytest.approx(facts.value + 2 * DOUBT_COST)
    assert coding(2, "maker").value < mid.value, "a maker's word leaves more doubt"


@given(st.permutations(range(5)))
def test_what_neighbours_say_has_an_end(order: list[int]) -> None:
    rows = [row(each.name, place) for each, place in zip(LADDER, order, strict=True)]
    for each in LADDER:
        guessed, facts = (level(LADDER, found, each.name, Task.CODING) for found in (rows, ()))
        told = guessed.value - (facts.value + 2 * DOUBT_COST)
        assert abs(told) <= NEIGHBOURS_MOST + 1e-9


def test_talk_says_nothing_about_embedding() -> None:
    rows = [row(each.name, 10 + place) for place, each in enumerate(LADDER)]
    assert level(LADDER, rows, "m4", Task.EMBEDDING).basis is Basis.FACTS


def test_what_nobody_measured_stands_below_an_equal_that_was() -> None:
    """And a maker's word between the two."""
    every = [*CLASS, model("claimed"), model("unknown")]
    rows = [row(each.name, 50) for each in CLASS]
    rows += [row(name, 50, "Claims", kind="maker") for name in ("claimed", "x", "y")]
    rows += [row(each.name, 50, "Claims", kind="maker") for each in CLASS]
    known, claimed, unknown = (level(every, rows, name) for name in ("a", "claimed", "unknown"))
    assert known.value > claimed.value > unknown.value
    assert known.doubt < claimed.doubt < unknown.doubt


def test_a_thinking_build_says_nothing_about_a_series_that_has_none() -> None:
    rows = [row(each.name, 50 + place) for place, each in enumerate(CLASS)]
    thinking = row("f", 99, variant="thinking")
    plain = [*CLASS, model("f")]
    able = [*CLASS, model("f", capabilities=frozenset({"thinking"}))]
    assert level(plain, [*rows, thinking], "f").basis is Basis.FACTS
    assert level(able, [*rows, thinking], "f").basis is Basis.SCORES


def test_a_successor_without_scores_is_no_worse_than_what_it_succeeds() -> None:
    first = model("first", 8, released="2026-01", succeeded_by=("second",))
    second = model("second", 8, released="2026-02", succeeds=("first",))
    every = [*LADDER, first, second]
    rows = [row(each.name, 10 + place) for place, each in enumerate(LADDER)] + [row("first", 99)]
    assert level(every, rows, "second").value >= level(every, rows, "first").value
    assert level(every, rows, "second").basis is Basis.RELATIVES


def test_successors_in_a_circle_end() -> None:
    one = model("one", succeeds=("two",))
    two = model("two", succeeds=("one", "nowhere"))
    assert level([one, two], (), "one").basis is Basis.FACTS


def test_rows_about_nobody_are_passed_over() -> None:
    rows = [row("nobody", 99), row("a", 5, size="70b"), row("a", 5, task="tools")]
    assert level(CLASS, rows, "a").basis is Basis.FACTS


@pytest.mark.parametrize(
    ("benchmark", "task", "asked", "counts"),
    [
        ("LiveBench 2024-07-26 connections", "general", Task.GENERAL, False),
        ("LiveBench 2024-07-26 story_generation", "creative", Task.CREATIVE, False),
        ("LMArena text (no style control)", "general", Task.CREATIVE, True),
        ("LMArena text (no style control)", "general", Task.ANALYSIS, False),
        ("LiveBench zebra_puzzle", "reasoning", Task.ANALYSIS, True),
        ("LiveBench zebra_puzzle", "reasoning", Task.CODING, False),
    ],
)
def test_which_rows_speak_for_a_task(benchmark: str, task: str, asked: Task, counts: bool) -> None:
    rows = [row(each.name, 10 * place, benchmark, task=task) for place, each in enumerate(CLASS)]
    assert (level(CLASS, rows, "a", asked).basis is Basis.SCORES) is counts


def test_a_size_that_no_catalog_names_is_judged_by_its_file() -> None:
    known = {"a": CLASS[0]}
    found = Quality(known, ()).level(known["a"], Tag("a", "odd", size=60 * 10**9), Task.GENERAL)
    assert found.basis is Basis.FACTS
    assert found.value > Quality(known, ()).level(known["a"], CLASS[0].tags[0], Task.GENERAL).value


# --- the coarse face


def test_suitability_is_whole_within_its_band_and_names_its_source() -> None:
    known = {each.name: each for each in LADDER}
    rows = [row(each.name, 10 + place) for place, each in enumerate(LADDER)]
    quality = Quality(known, rows)
    for each in LADDER:
        for task in Task:
            found = suitability(quality, each, each.tags[0], task)
            assert found.value is not None
            assert 0 <= found.low <= found.value <= found.high <= 10
            assert "." not in found.words
    assert suitability(quality, LADDER[0], LADDER[0].tags[0], Task.GENERAL).source == "published scores"
    assert suitability(quality, LADDER[0], LADDER[0].tags[0], Task.EMBEDDING).value == 0
    coding = suitability(quality, LADDER[0], LADDER[0].tags[0], Task.CODING)
    assert coding.source == "its scores at other tasks"
    assert coding.why.endswith("no score for this, but for others and of its relatives (general)")


def test_doubt_widens_the_band() -> None:
    known = {each.name: each for each in LADDER}
    quality = Quality(known, [row(each.name, 10 + place) for place, each in enumerate(LADDER)])
    tag = LADDER[3].tags[0]
    scored = suitability(quality, LADDER[3], tag, Task.GENERAL)
    guessed = suitability(quality, LADDER[3], tag, Task.CODING)
    coarse = suitability(quality, LADDER[3], tag._replace(quantization="Q3_K_S"), Task.GENERAL)
    assert scored.high - scored.low < guessed.high - guessed.low
    assert scored.high - scored.low < coarse.high - coarse.low


def test_a_model_that_no_catalog_knows_has_no_evidence() -> None:
    found = suitability(Quality({}, ()), None, Tag("", "mine"), Task.GENERAL)
    assert (found.value, found.source, found.words) == (None, "no evidence", "—")


@pytest.mark.parametrize("role", ["safety", "ocr", "translation", "function-calling", "base", "other"])
def test_what_is_made_for_one_other_thing_suits_no_task(role: str) -> None:
    one = model("one", role=role)
    quality = Quality({"one": one}, ())
    assert [suitability(quality, one, one.tags[0], task).value for task in Task] == [0] * len(Task)
