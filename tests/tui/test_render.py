"""Lines that flow: broken at spaces, going on under their text, each span in its own ink."""

import pytest
from rich.style import Style

from modeltui.domain.layout import cells
from modeltui.tui.render import Line, flowed, strip
from modeltui.tui.screens.dialogs import labelled


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 10, [""]),
        ("short", 10, ["short"]),
        ("one two three", 9, ["one two", "three"]),
        ("  p  pulls one now", 14, ["  p  pulls one", "     now"]),
        ("  or here  sudo start it", 22, ["  or here  sudo start", "           it"]),
        ("a label far too  long", 12, ["a label far", "too  long"]),
        ("http://example.org/abc", 10, ["http://exa", "mple.org/a", "bc"]),
        ("模型模型 模型", 8, ["模型模型", "模型"]),
    ],
)
def test_a_line_that_is_too_wide_goes_on_below(text: str, width: int, rows: list[str]) -> None:
    found = [text_of(row) for row in flowed(((text, ""),), width)]
    assert found == rows
    assert all(cells(row) <= width for row in found)


def test_every_character_keeps_its_ink() -> None:
    first, second = flowed((("  p", "key"), ("  pulls ", ""), ("llama3.2", "strong")), 14)
    assert (first[2], text_of(first)) == (("p", "key"), "  p  pulls")
    assert text_of(second) == "     llama3.2"
    assert {ink for text, ink in second if text.strip()} == {"strong"}


def test_labels_of_facts_stand_in_one_column() -> None:
    facts = labelled(["needs   4 GB", "may unload  qwen3:8b", "no label"])
    assert [text_of(fact) for fact in facts] == ["needs       4 GB", "may unload  qwen3:8b", "no label"]


def test_a_blank_is_painted_with_its_neighbour_and_every_word_in_its_own_ink() -> None:
    inks = {"broken": Style(color="red"), "tab": Style(bgcolor="blue")}
    line: Line = (("a", "broken"), ("  ", ""), ("b", ""), (" ", "tab"), ("c", "tab"))
    painted = strip(line, 8, Style(), inks)
    assert [(segment.text, segment.style) for segment in painted] == [
        ("a  ", inks["broken"]),
        ("b", Style()),
        (" c", inks["tab"]),
        ("  ", Style()),
    ]
