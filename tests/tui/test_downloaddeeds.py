"""Moving several transfers of the queue at once."""

from hypothesis import given
from hypothesis import strategies as st

from modeltui.tui.screens.downloaddeeds import moved

QUEUES = st.lists(st.integers(1, 99), unique=True, max_size=9)


@given(QUEUES, st.sets(st.integers(1, 99)), st.integers(-12, 12))
def test_nobody_is_lost_and_neither_part_changes_its_own_order(
    queue: list[int], chosen: set[int], step: int
) -> None:
    after = moved(queue, chosen, step)
    assert sorted(after) == sorted(queue)
    assert [n for n in after if n in chosen] == [n for n in queue if n in chosen]
    assert [n for n in after if n not in chosen] == [n for n in queue if n not in chosen]


@given(QUEUES, st.sets(st.integers(1, 99)), st.integers(-12, 12))
def test_each_goes_so_far_as_those_before_it_leave_room(
    queue: list[int], chosen: set[int], step: int
) -> None:
    after = moved(queue, chosen, step)
    those = [number for number in queue if number in chosen]
    for before, number in enumerate(those):
        behind = len(those) - before - 1
        wished = queue.index(number) + step
        assert after.index(number) == sorted((before, wished, len(queue) - 1 - behind))[1]


def test_at_an_end_they_stay_behind_one_another() -> None:
    assert moved([1, 2, 3, 4], {2, 4}, -1) == [2, 1, 4, 3]
    assert moved([2, 1, 4, 3], {2, 4}, -1) == [2, 4, 1, 3]
    assert moved([2, 4, 1, 3], {2, 4}, -1) == [2, 4, 1, 3]
    assert moved([1, 2, 3, 4], {3, 4}, -4) == [3, 4, 1, 2]
    assert moved([1, 2, 3, 4], {1, 3}, 1) == [2, 1, 4, 3]
