"""Only the cells that changed are sent, each part at its place, whatever it is made of."""

from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from modeltui.tui.painting import NarrowUpdate
from modeltui.tui.render import Line
from modeltui.tui.widgets.lines import parts_that_differ

CONSOLE = Console(color_system=None, width=20)
STRIP = Strip([Segment("0123456789"), Segment("abcdefghij")])


def update(*spans: tuple[int, int, int]) -> ChopsUpdate:
    """A screen of two lines: one widget, and two beside each other, of which the second is not painted."""
    chops: list[dict[int, Strip | None]] = [{0: STRIP}, {0: STRIP.crop(0, 10), 10: STRIP.crop(10, 20)}]
    return ChopsUpdate(chops, list(spans), [[20], [10, 20]])


def sent(*spans: tuple[int, int, int]) -> str:
    return str(NarrowUpdate.of(update(*spans)).render_segments(CONSOLE))


def test_a_part_begins_where_the_changed_cells_do() -> None:
    assert sent((0, 3, 6)) == "\x1b[1;4H345"
    assert sent((0, 8, 12)) == "\x1b[1;9H89ab"
    assert sent((0, 0, 20)) == "\x1b[1;1H0123456789abcdefghij"
    assert sent((0, 1, 2), (0, 5, 6), (1, 19, 20)) == "\x1b[1;2H1\x1b[1;6H5\x1b[2;20Hj"


def test_widgets_side_by_side_are_each_placed() -> None:
    assert sent((1, 8, 12)) == "\x1b[2;9H89\x1b[2;11Hab"
    assert sent((1, 10, 12)) == "\x1b[2;11Hab"
    assert sent((1, 2, 10)) == "\x1b[2;3H23456789"


def test_what_is_not_painted_and_what_is_no_part_stays() -> None:
    hidden = ChopsUpdate([{0: None}], [(0, 0, 5)], [[20]])
    assert NarrowUpdate.of(hidden).render_segments(CONSOLE) == ""
    whole = LayoutUpdate([], Region(0, 0, 20, 1))
    assert NarrowUpdate.of(whole) is whole
    assert NarrowUpdate.of(None) is None


def test_half_of_a_wide_character_does_not_move_what_stands_behind_it() -> None:
    wide = ChopsUpdate([{0: Strip([Segment("漢字ab")])}], [(0, 1, 5)], [[6]])
    assert NarrowUpdate.of(wide).render_segments(CONSOLE) == "\x1b[1;2H 字a"


def test_parts_of_a_line_that_differ() -> None:
    def line(load: str, heat: str) -> Line:
        return (("load ", "dim"), (load, ""), (" %  ", "dim"), (heat, ""), (" °C", "dim"))

    assert parts_that_differ(line("70", "60"), line("70", "60")) == []
    assert parts_that_differ(line("70", "60"), line("75", "63")) == [(6, 7), (12, 13)]
    assert parts_that_differ((("1 of 9", ""),), (("2 of 8", ""),)) == [(0, 6)]
    assert parts_that_differ((("1", ""),), (("22", ""),)) == [(0, 2)]
