"""What is judged of models without scores holds against the scores that were left out."""

import pytest
import quality_order

from modeltui.domain.advice.quality import DOUBT_COST
from modeltui.domain.advice.tasks import Task


@pytest.mark.parametrize("task", [Task.CODING, Task.CREATIVE])
def test_what_neighbours_say_is_nearer_to_what_was_left_out_than_facts(task: Task) -> None:
    facts, both = quality_order.lines([task], ["facts", "both"])
    assert both.pairs > 2000
    assert both.order > facts.order + 0.02
    assert both.order > 0.8
    assert both.spread < 0.9 * facts.spread
    assert both.share is not None and 0.8 < both.share < 1.5  # what is added is not more than holds
    assert facts.spread == pytest.approx(3 * DOUBT_COST, abs=0.3)  # facts alone: one deviation lower


def test_only_near_sizes_say_what_a_size_is_worth() -> None:
    *near, (_, _, far) = quality_order.distances()
    assert all(r > 0.45 for _, pairs, r in near if pairs > 20)
    assert far < 0.35


def test_code_series_are_ahead_at_coding_by_less_than_they_were() -> None:
    (_, early), (count, late) = (
        quality_order.code_series(*months) for months in (("2023", "2025"), ("2025", "2027"))
    )
    assert count > 10
    assert late < early
