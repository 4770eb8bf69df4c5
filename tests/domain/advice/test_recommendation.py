"""Scores and the order of a list, on candidates made by hand."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.alternatives import also
from modeltui.domain.advice.fit import MEMORY, FitKind
from modeltui.domain.advice.quality import Basis, Level
from modeltui.domain.advice.recommendation import SHOWN_WHEN_ALL_SLOW, by_quality, rank
from modeltui.domain.advice.scoring import PARTS, Candidate, History, Wish, pace, points, weights
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.catalog.series import Series, Tag

GB = 10**9


def series(name: str = "one", **more: Any) -> Series:
    return Series(name=name, tags=(), role="chat", **more)


def candidate(name: str = "one:8b", **more: Any) -> Candidate:
    family = more.pop("series", series(name.partition(":")[0]))
    size = more.pop("billions", 8)
    given = {
        "value": 10.0,
        "kind": FitKind.GPU,
        "needs": 7 * GB,
        "headroom": 2 * GB,
        "tokens": 40.0,
        "is_measured": False,
        "memory": MEMORY,
        "trained": 131_072,
        **more,
    }
    tag = Tag("one", name.partition(":")[2], size=5 * GB, parameters=int(size * GB))
    given.setdefault("level", Level(10.0, Basis.FACTS, 3))
    return Candidate(name=name, series=family, tag=tag, **given)


def names(*candidates: Candidate, wish: Wish | None = None) -> list[str]:
    return [row.candidate.name for row in rank(candidates, wish or Wish()).rows]


any_candidate = st.builds(
    candidate,
    name=st.sampled_from([f"s{one}:{two}b" for one in range(5) for two in (1, 4, 8)]),
    value=st.floats(-5, 20),
    kind=st.sampled_from(FitKind),
    tokens=st.none() | st.floats(0, 1e4),
    needs=st.none() | st.integers(0, 10**12),
    memory=st.integers(0, MEMORY),
    trained=st.none() | st.integers(0, 2**21),
    is_installed=st.booleans(),
    history=st.builds(History, st.integers(0, 9), st.integers(0, 3)),
)
any_wish = st.builds(
    Wish,
    task=st.sampled_from(Task),
    priority=st.sampled_from(Priority),
    context=st.integers(1, 2**21),
    least_tokens=st.floats(0, 100),
)


# --- the score


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("priority", Priority)
def test_the_parts_sum_to_a_hundred(task: Task, priority: Priority) -> None:
    most = weights(task, priority)
    assert len(most) == len(PARTS)
    assert sum(most) == 100
    assert all(part >= 0 for part in most)


def test_a_priority_weighs_what_it_says() -> None:
    speed, balanced, quality = (weights(Task.GENERAL, each) for each in Priority)
    assert speed[1] > balanced[1] > quality[1]
    assert speed[0] < balanced[0] < quality[0]


@given(any_candidate, any_wish)
def test_no_part_is_below_nothing_or_above_its_most(one: Candidate, wish: Wish) -> None:
    got = points(one, wish)
    for count, most in zip(got, weights(wish.task, wish.priority), strict=True):
        assert 0 <= count <= most


@given(any_candidate, any_wish, st.floats(0, 1e4), st.floats(0, 1e4))
def test_faster_and_better_never_cost_points(one: Candidate, wish: Wish, low: float, high: float) -> None:
    low, high = sorted((low, high))
    for field, less, more in (
        ("tokens", low, high),
        ("value", low, high),
        ("memory", min(MEMORY, int(low)), min(MEMORY, int(high))),
        ("trained", int(low), int(high)),
    ):
        lesser: dict[str, Any] = {field: less}
        greater: dict[str, Any] = {field: more}
        worse, better = one._replace(**lesser), one._replace(**greater)
        assert sum(points(worse, wish)) <= sum(points(better, wish)), field


def test_a_model_that_thinks_counts_half_of_its_pace_where_that_is_what_lifts_it() -> None:
    thinker = candidate(series=series(capabilities=frozenset({"thinking"})))
    assert pace(thinker, Task.REASONING) == 20
    assert pace(thinker, Task.CREATIVE) == 40
    assert pace(candidate(tokens=math.inf), Task.GENERAL) is None


def test_failures_here_cost_points_and_a_first_try_does_not() -> None:
    unknown, good, bad = (
        sum(points(candidate(history=each), Wish())) for each in (History(1, 1), History(9), History(9, 9))
    )
    assert bad < unknown < good


def test_a_card_slower_than_ram_takes_no_points() -> None:
    """More VRAM never lowers a score: what RAM alone would reach is the least that counts."""
    ram, card = candidate(tokens=20.0), candidate(tokens=10.0, least=20.0)
    assert points(ram, Wish())[1] == points(card, Wish())[1]


# --- the list


@given(st.lists(any_candidate, max_size=25), any_wish, st.randoms(use_true_random=False))
def test_the_same_in_any_order_gives_the_same_list(found: list[Candidate], wish: Wish, chance: Any) -> None:
    unique = list({each.name: each for each in found}.values())
    shuffled = list(unique)
    chance.shuffle(shuffled)
    assert names(*unique, wish=wish) == names(*shuffled, wish=wish)


@given(st.lists(any_candidate, max_size=25), any_wish)
def test_what_is_ranked_fits_once_a_series_and_fast_enough(found: list[Candidate], wish: Wish) -> None:
    ranking = rank(found, wish)
    rows = [row.candidate for row in ranking.rows]
    assert all(row.kind in (FitKind.GPU, FitKind.SPLIT, FitKind.CPU) for row in rows)
    assert len({row.series.name for row in rows if row.series}) == len(rows)
    assert [row.score for row in ranking.rows] == sorted((row.score for row in ranking.rows), reverse=True)
    for row in rows:
        if wish.task is not Task.EMBEDDING:
            assert row.trained is None or row.trained + 1024 > wish.context
            assert ranking.is_slow or row.tokens is None or row.tokens >= wish.least_tokens


def test_nothing_ranked_that_does_not_fit() -> None:
    assert names(candidate("a:8b", kind=FitKind.NO), candidate("b:8b", kind=FitKind.UNKNOWN)) == []


def test_nothing_ranked_that_this_server_is_too_old_for() -> None:
    assert names(candidate("a:8b", is_too_new=True), candidate("b:8b", value=4.0)) == ["b:8b"]


def test_the_context_that_is_wished_must_be_trained() -> None:
    short, unknown = candidate("a:8b", trained=8192), candidate("b:8b", trained=None)
    assert names(short, unknown) == ["b:8b"]
    assert names(short, unknown, wish=Wish(context=8192)) == ["a:8b", "b:8b"]


def test_a_label_that_the_site_rounds_down_is_enough() -> None:
    """125K is 128000 (catalog.md, field notes)."""
    assert names(candidate(trained=125 * 1024), wish=Wish(context=128_000)) == ["one:8b"]


def test_below_the_floor_nothing_is_listed_beside_what_is_fast_enough() -> None:
    slow, quick = candidate("a:70b", tokens=1.3, value=16.0), candidate("b:8b", tokens=30.0)
    assert names(slow, quick) == ["b:8b"]
    assert names(slow, quick, wish=Wish(least_tokens=1.0)) == ["a:70b", "b:8b"]


def test_where_all_are_slow_the_best_three_are_listed_and_marked() -> None:
    ranking = rank([candidate(f"s{number}:8b", tokens=1.0 + number / 10) for number in range(6)], Wish())
    assert ranking.is_slow
    assert len(ranking.rows) == SHOWN_WHEN_ALL_SLOW


def test_embedding_models_have_no_floor_and_no_speed_of_talk() -> None:
    one = candidate(tokens=None, trained=512)
    assert names(one, wish=Wish(task=Task.EMBEDDING)) == ["one:8b"]


def test_a_measured_slow_model_falls() -> None:
    twins = candidate("a:8b"), candidate("b:8b")
    assert names(*twins) == ["a:8b", "b:8b"]
    measured = twins[0]._replace(tokens=12.0, is_measured=True)
    assert names(measured, twins[1]) == ["b:8b", "a:8b"]
    assert names(measured._replace(tokens=2.0), twins[1]) == ["b:8b"]


def test_the_best_tag_of_a_series_stands_for_it() -> None:
    assert names(candidate("a:8b", value=9.0), candidate("a:27b", value=12.0)) == ["a:27b"]


def test_equal_in_all_the_default_then_the_smaller_then_the_name() -> None:
    one, two = candidate("a:8b"), candidate("b:8b", is_default=True)
    assert names(one, two) == ["b:8b", "a:8b"]
    assert names(one, candidate("b:8b", needs=6 * GB)) == ["b:8b", "a:8b"]
    assert names(candidate("b:8b"), one) == ["a:8b", "b:8b"]
    assert names(candidate("b:8b", is_installed=True), one) == ["b:8b", "a:8b"]


def test_of_equal_scores_what_is_better_known_goes_first() -> None:
    guessed = candidate("a:8b", level=Level(10.1, Basis.FACTS, 3), value=10.1)
    known = candidate("b:8b", level=Level(10.0, Basis.SCORES, 1))
    assert names(guessed, known) == ["b:8b", "a:8b"]


def test_more_speed_than_anybody_reads_counts_no_more_where_answers_are_waited_for() -> None:
    wish = Wish(Task.CODING)
    slow, quick, quicker = (sum(points(candidate(tokens=each), wish)) for each in (8.0, 30.0, 300.0))
    assert slow < quick == quicker


def test_an_embedding_model_that_is_small_enough_gains_nothing_on_a_gpu() -> None:
    def speed(size: int, kind: FitKind) -> int:
        one = candidate(kind=kind)
        return points(one._replace(tag=one.tag._replace(size=size)), Wish(Task.EMBEDDING))[1]

    assert speed(GB // 20, FitKind.GPU) == speed(GB // 2, FitKind.GPU)
    assert speed(GB // 20, FitKind.CPU) > speed(GB // 2, FitKind.CPU) > speed(4 * GB, FitKind.CPU)
    assert all(
        speed(size, FitKind.GPU) >= speed(size, FitKind.CPU) for size in range(GB // 50, 12 * GB, GB // 7)
    )


def lineage(*, is_retired: bool = False) -> tuple[Series, Series]:
    old = series("old", succeeded_by=("new",), is_retired=is_retired)
    return old, series("new", succeeds=("old",))


def test_a_retired_series_is_not_listed_beside_its_successor() -> None:
    old, new = lineage(is_retired=True)
    better = candidate("old:8b", series=old, value=14.0)
    heir = candidate("new:8b", series=new)
    assert names(better, heir) == ["new:8b"]
    assert names(better) == ["old:8b"]


def test_an_installed_retired_one_stands_below_its_successor() -> None:
    old, new = lineage(is_retired=True)
    mine = candidate("old:8b", series=old, value=14.0, is_installed=True)
    heir, other = candidate("new:8b", series=new, value=8.0), candidate("x:8b", value=12.0)
    assert names(mine, heir, other) == ["x:8b", "new:8b", "old:8b"]


def test_retired_over_several_generations() -> None:
    first = series("first", succeeded_by=("second",), is_retired=True)
    second = series("second", succeeded_by=("third",), is_retired=True)
    third = series("third")
    rows = [candidate(f"{each.name}:8b", series=each) for each in (first, second, third)]
    assert names(*rows) == ["third:8b"]


def test_a_size_that_a_successor_covers_gives_way_to_one_that_it_does_not() -> None:
    old, new = lineage()
    same, large = candidate("old:27b", series=old, billions=27), candidate("new:27b", series=new, billions=27)
    small = candidate("old:9b", series=old, billions=9, value=8.0)
    assert names(same, large, small) == ["new:27b", "old:9b"]
    quick = candidate("old:35b", series=old, billions=35, value=9.0)
    quick = quick._replace(tag=quick.tag._replace(active_parameters=3 * GB))
    assert names(quick, large) == ["new:27b", "old:35b"]  # a fast mixture followed by a dense model


def test_successors_in_a_circle_are_no_end_of_it() -> None:
    one = series("one", succeeded_by=("two",), is_retired=True)
    two = series("two", succeeded_by=("one",), is_retired=True)
    assert names(candidate("one:8b", series=one), candidate("two:8b", series=two)) == ["one:8b", "two:8b"]


def test_the_weak_are_listed_only_where_there_is_hardly_anything_else() -> None:
    weak = candidate("weak:1b", value=1.0, tokens=500.0)
    strong = [candidate(f"s{number}:8b") for number in range(3)]
    assert "weak:1b" not in names(weak, *strong, wish=Wish(priority=Priority.SPEED))
    assert "weak:1b" in names(weak, strong[0], wish=Wish(priority=Priority.SPEED))


def test_by_quality_where_no_machine_is_known() -> None:
    found = [candidate("a:8b", value=9.0, kind=FitKind.UNKNOWN), candidate("b:8b", kind=FitKind.UNKNOWN)]
    assert [row.candidate.name for row in by_quality(found, Wish()).rows] == ["b:8b", "a:8b"]


# --- what else there would be


def others(place: int, *found: Candidate) -> dict[str, tuple[str, bool]]:
    ranking = rank(found, Wish())
    return {each.kind: (each.name, each.fits) for each in also(ranking.rows[place], ranking, Wish())}


def test_alternatives_are_faster_better_and_smaller() -> None:
    first = candidate("a:8b", needs=9 * GB)
    found = others(
        0,
        first,
        candidate("quick:8b", tokens=200.0, value=8.0),
        candidate("tiny:3b", needs=3 * GB, value=7.5, tokens=35.0),
        candidate("slow:32b", value=11.0, tokens=6.0, memory=4),
    )
    assert found == {
        "faster": ("quick:8b", True),
        "better": ("slow:32b", True),
        "smaller": ("tiny:3b", True),
    }


def test_a_better_one_may_not_fit_and_says_so() -> None:
    huge = candidate("huge:70b", kind=FitKind.NO, value=14.0, needs=50 * GB)
    found = rank([candidate("a:8b"), huge], Wish())
    (only,) = also(found.rows[0], found, Wish())
    assert (only.name, only.fits) == ("huge:70b", False)
    assert "does not fit" in only.words and "50.0 GB" in only.words


def test_a_better_one_may_be_too_slow_or_need_a_newer_server() -> None:
    slow = candidate("slow:70b", value=14.0, tokens=1.4)
    found = rank([candidate("a:8b"), slow], Wish())
    assert "too slow" in also(found.rows[0], found, Wish())[0].words
    newer = candidate("new:8b", value=14.0, is_too_new=True)
    found = rank([candidate("a:8b"), newer], Wish())
    assert "too new for this server" in also(found.rows[0], found, Wish())[0].words
