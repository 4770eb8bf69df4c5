"""The plots of the last two minutes: each mark a span that is over, gaps where nobody looked, width kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.tui.render import width_of
from modeltui.tui.widgets.history import STEPS, WIDTHS, WINDOW_MS, History, plots_line

AT = 1_000_000_000_000


def filled(*values: float | None, every: int = 5000) -> History:
    """A history whose last value was seen just before AT."""
    history = History()
    for place, value in enumerate(values):
        history.note(AT - (len(values) - place) * every, {"load": value})
    return history


def test_a_mark_is_the_mean_of_its_span() -> None:
    plot = filled(0, 25, 50, 75, 100).plot("load", AT, 24)
    assert plot == " " * 19 + "▁▃▅▇█"
    coarse = filled(0, 100, 0, 100).plot("load", AT, 12)
    assert coarse == " " * 10 + "▅▅"


def test_only_a_span_that_is_over_is_shown() -> None:
    history = filled(50, 50)
    before = history.plot("load", AT, 24)
    history.note(AT + 1000, {"load": 100.0})
    assert history.plot("load", AT + 4999, 24) == before
    assert history.plot("load", AT + 5000, 24) == before[1:] + "█"


def test_a_value_stands_for_a_while_where_nobody_looked_and_then_is_a_gap() -> None:
    history = filled(100)
    assert history.plot("load", AT + 40_000, 24).rstrip().endswith("████")
    assert history.plot("load", AT + 40_000, 24).endswith("    ")
    assert history.plot("load", AT + WINDOW_MS + 20_000, 24) == " " * 24
    assert filled(None, None).plot("load", AT, 24) == " " * 24
    assert filled(1).plot("other", AT, 24) == " " * 24


def test_a_clock_that_went_back_begins_anew() -> None:
    history = filled(100, 100)
    history.note(AT - WINDOW_MS, {"load": 0.0})
    assert "█" not in history.plot("load", AT - WINDOW_MS + 5000, 24)


@pytest.mark.parametrize(
    ("width", "labels", "cells"),
    [
        (120, ["load", "CPU"], 24),
        (80, ["load", "CPU"], 24),
        (60, ["load", "CPU"], 12),
        (44, ["load", "CPU"], 8),
        (40, ["load"], 12),
    ],
)
def test_plots_give_way_before_they_are_cut(width: int, labels: list[str], cells: int) -> None:
    line = plots_line(filled(*[60.0] * 40), AT, [("load", "load"), ("CPU", "load")], width)
    texts = [text for text, _ in line]
    assert [text.strip() for text in texts[1::3]] == labels
    assert all(len(text) == cells for text in texts[2::3])


@given(
    width=st.integers(1, 200),
    count=st.integers(0, 9),
    values=st.lists(st.none() | st.floats(-10, 200), max_size=60),
    every=st.integers(1, 20_000),
)
def test_whatever_was_seen_the_line_fits(
    width: int, count: int, values: list[float | None], every: int
) -> None:
    history = filled(*values, every=every)
    line = plots_line(history, AT, [(f"load {at}", "load") for at in range(count)], width)
    assert width_of(line) <= width
    for cells in WIDTHS:
        plot = history.plot("load", AT, cells)
        assert len(plot) == cells and set(plot) <= {*STEPS, " "}
