"""Only the cells that changed are sent, each part at its place, whatever it is made of."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
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


COLOURED = Console(color_system="truecolor", width=20, force_terminal=True)
STYLES = [Style.parse(words) for words in ("", "red", "bold red", "white on blue", "dim")]
SEQUENCE = re.compile(r"\x1b\[(?P<words>[\d;]*)(?P<verb>[mH])|(?P<text>[^\x1b])")

strips = st.lists(st.sampled_from(STYLES), min_size=20, max_size=20).map(
    lambda styles: Strip([Segment(chr(97 + at), style) for at, style in enumerate(styles)])
)
spans = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 19), st.integers(1, 20)).filter(
        lambda span: span[1] < span[2]
    ),
    max_size=6,
)


def cells_of(sequences: str) -> dict[tuple[int, int], tuple[str, str]]:
    """What a terminal shows then: characters and their colours by place."""
    shown, y, x, colours = {}, 0, 0, "0"
    for found in SEQUENCE.finditer(sequences):
        if found["verb"] == "H":
            y, x = (int(word) - 1 for word in found["words"].split(";"))
        elif found["verb"] == "m":
            colours = found["words"]  # the console resets before it sets others
        else:
            shown[y, x] = (found["text"], colours)
            x += 1
    assert colours == "0", "nothing may be left set"
    return shown


@given(lines=st.tuples(strips, strips), spans=spans)
def test_colours_said_once_for_parts_of_the_same_ones_show_the_same(
    lines: tuple[Strip, Strip], spans: list[tuple[int, int, int]]
) -> None:
    chops: list[dict[int, Strip | None]] = [
        {0: lines[0]},
        {0: lines[1].crop(0, 10), 10: lines[1].crop(10, 20)},
    ]
    parts = [ChopsUpdate(chops, [span], [[20], [10, 20]]) for span in spans]
    each_alone = "".join(NarrowUpdate.of(part).render_segments(COLOURED) for part in parts)
    together = NarrowUpdate.of(ChopsUpdate(chops, spans, [[20], [10, 20]])).render_segments(COLOURED)
    assert cells_of(together) == cells_of(each_alone)
    assert len(together) <= len(each_alone)


def test_a_number_beside_a_number_costs_few_bytes() -> None:
    line = Strip([Segment("load 70 %  60 °C", STYLES[3])])
    update = ChopsUpdate([{0: line}], [(0, 5, 7), (0, 11, 13)], [[16]])
    sequences = NarrowUpdate.of(update).render_segments(COLOURED)
    assert sequences == "\x1b[1;6H\x1b[37;44m70\x1b[1;12H60\x1b[0m"


def test_parts_of_a_line_that_differ() -> None:
    def line(load: str, heat: str) -> Line:
        return (("load ", "dim"), (load, ""), (" %  ", "dim"), (heat, ""), (" °C", "dim"))

    assert parts_that_differ(line("70", "60"), line("70", "60")) == []
    assert parts_that_differ(line("70", "60"), line("75", "63")) == [(6, 7), (12, 13)]
    assert parts_that_differ((("1 of 9", ""),), (("2 of 8", ""),)) == [(0, 6)]
    assert parts_that_differ((("1", ""),), (("22", ""),)) == [(0, 2)]
