"""Documents: how lines and long texts are wrapped, and that what is read keeps its place."""

import time
from itertools import islice
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from modeltui.domain.layout import cells
from modeltui.tui.render import Line
from modeltui.tui.widgets.document import SLICE, Document, broken, rows_of, wrapped
from modeltui.tui.widgets.lines import INK_CLASSES


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 5, [""]),
        ("abc", 3, ["abc"]),
        ("abc  def", 3, ["abc", "def"]),
        ("one two three", 8, ["one two", "three"]),
        ("  indented stays", 10, ["  indented", "stays"]),
        ("abcdef gh", 3, ["abc", "def", "gh"]),
        ("a\n\nb\n", 5, ["a", "", "b"]),
        ("abc \nd", 3, ["abc", "d"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("e\u0301e\u0301e\u0301", 3, ["e\u0301e\u0301e\u0301"]),
        ("     ", 3, ["   ", "  "]),
    ],
)
def test_texts_are_broken_at_newlines_and_spaces_else_anywhere(
    text: str, width: int, rows: list[str]
) -> None:
    assert list(broken(text, width)) == rows


def test_what_goes_on_stands_under_its_last_span() -> None:
    line: Line = (("label   ", "dim"), ("one two three\nfour", "good"))
    assert wrapped(line, 16) == [
        (("label   ", "dim"), ("one two", "good")),
        (("        ", ""), ("three", "good")),
        (("        ", ""), ("four", "good")),
    ]
    assert wrapped((), 16) == [()]
    assert wrapped((("fits", ""),), 16) == [(("fits", ""),)]
    assert wrapped((("a long label ", ""), ("text", "")), 16) == [
        (("a long label ", ""),),
        (("  ", ""), ("text", "")),
    ]
    assert wrapped((("a\tb", ""),), 16) == [(("a   b", ""),)]


def test_no_row_is_wider_than_it_may_be() -> None:
    for width in (8, 9, 30):
        for row in rows_of((("ab ", ""), ("wörter 漢字 und ein-sehr-langes-ohne-lücke " * 9, "")), width):
            assert sum(cells(text) for text, _ in row) <= width


@pytest.mark.parametrize(
    "text", ["word " * 200_000, "a" * 10**6, "\n" * 10**6, " " * 10**6, "漢字 " * 333_333]
)
def test_the_first_rows_of_a_million_characters_come_at_once(text: str) -> None:
    began = time.process_time()
    assert len(list(islice(rows_of((("  ", ""), (text, "")), 100), SLICE))) == SLICE
    assert time.process_time() - began < 0.1  # all of it takes a multiple


class Page(Screen[None]):
    COMPONENT_CLASSES: ClassVar[set[str]] = INK_CLASSES

    def compose(self) -> ComposeResult:
        yield Document()


class Reader(App[None]):
    def get_default_screen(self) -> Page:
        return Page()


LONG = "".join(f"row {number}\n" for number in range(5 * SLICE))


async def wrapped_whole(pilot: Pilot[None], document: Document, rows: int) -> None:
    for _ in range(500):
        await pilot.pause(0.01)
        if document.virtual_size.height == rows:
            return
    raise AssertionError(f"{document.virtual_size.height} rows instead of {rows}")


def top_row(document: Document) -> str:
    return document.render_line(0).text.strip(" ▐")


async def test_a_long_rest_keeps_its_place_while_the_lines_above_it_change() -> None:
    app = Reader()
    async with app.run_test(size=(40, 10)) as pilot:
        document = app.screen.query_one(Document)
        rest: list[Line] = [((LONG, ""),)]
        document.show([(("head", ""),)], rest)
        await wrapped_whole(pilot, document, 1 + 5 * SLICE)
        document.focus()
        await pilot.press("end")
        assert document.render_line(9).text.strip(" ▐") == f"row {5 * SLICE - 1}"
        await pilot.press("home", "pagedown", "pagedown")
        before = top_row(document)
        document.show([(("head", ""),), (("another", ""),), (("one more", ""),)], rest)
        await pilot.pause()
        assert top_row(document) == before
        document.show([], rest)
        await pilot.pause()
        assert top_row(document) == before
        assert document.virtual_size.height == 5 * SLICE


async def test_every_key_moves() -> None:
    app = Reader()
    async with app.run_test(size=(40, 10)) as pilot:
        document = app.screen.query_one(Document)
        document.show([((f"row {number}", ""),) for number in range(40)])
        document.focus()
        await pilot.pause()
        seen = []
        for key in ("down", "j", "up", "k", "pagedown", "space", "pageup", "end", "home"):
            await pilot.press(key)
            await pilot.pause()
            seen.append(top_row(document).removeprefix("row "))
        assert seen == ["1", "2", "1", "0", "9", "18", "9", "30", "0"]


async def test_a_new_width_wraps_anew() -> None:
    app = Reader()
    async with app.run_test(size=(40, 10)) as pilot:
        document = app.screen.query_one(Document)
        document.show([(("the quick brown fox jumps over the lazy dog", ""),)], [(("rest", ""),)])
        await pilot.pause()
        assert document.virtual_size.height == 3
        await pilot.resize_terminal(12, 10)
        await wrapped_whole(pilot, document, 6)
