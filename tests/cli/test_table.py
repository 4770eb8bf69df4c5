"""Tables never exceed the terminal, give up columns by worth, and keep the tag of a name."""

import pytest
from commandline import OWN_SEQUENCES, cell_width
from hypothesis import given
from hypothesis import strategies as st

from modeltui.cli.table import Column, render
from modeltui.domain.layout import cells, cut

HF = "hf.co/unsloth/Qwen3-GGUF:Q4_K_M"
COLUMNS = [
    Column("", 0),
    Column("NAME", 0, is_name=True),
    Column("QUANT", 2),
    Column("SIZE", 0, right=True),
    Column("STATE", 0),
    Column("MODIFIED", 1, right=True),
]
ROWS = [
    ["●", "qwen3.5:27b", "Q4_K_M", "17.4 GB", "gpu  4 min", "3 d ago"],
    ["", HF, "MXFP4", "274 MB", "—", "12 d ago"],
    ["!", "模型/中文:7b", "—", "—", "damaged", "—"],
]
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=40)


def test_columns_are_aligned_by_cells() -> None:
    lines = render(COLUMNS, ROWS, None)
    assert lines == [
        "   NAME                             QUANT      SIZE  STATE       MODIFIED",
        "●  qwen3.5:27b                      Q4_K_M  17.4 GB  gpu  4 min   3 d ago",
        "   hf.co/unsloth/Qwen3-GGUF:Q4_K_M  MXFP4    274 MB  —           12 d ago",
        "!  模型/中文:7b                     —             —  damaged            —",
    ]


@pytest.mark.parametrize(
    ("width", "header"),
    [
        (80, ["NAME", "QUANT", "SIZE", "STATE", "MODIFIED"]),
        (62, ["NAME", "QUANT", "SIZE", "STATE", "MODIFIED"]),
        (60, ["NAME", "SIZE", "STATE", "MODIFIED"]),
        (44, ["NAME", "SIZE", "STATE"]),
    ],
)
def test_columns_go_by_worth_and_never_the_dear_ones(width: int, header: list[str]) -> None:
    lines = render(COLUMNS, ROWS, width)
    found = [title for title in lines[0].split() if title != "…"]
    assert set(header) >= set(found) >= {"NAME", "SIZE", "STATE"}
    assert max(map(cell_width, lines)) <= width


def test_colours_take_no_room_and_are_closed_where_a_text_is_cut() -> None:
    good, dim = "\x1b[32m{}\x1b[0m".format, "\x1b[2m{}\x1b[0m".format
    coloured = [[*row[:4], good(row[4]) if row[4].startswith("gpu") else dim(row[4]), row[5]] for row in ROWS]
    for width in (None, 120, 80, 60, 44, 20, 5):
        lines = render(COLUMNS, coloured, width)
        assert [OWN_SEQUENCES.sub("", line) for line in lines] == render(COLUMNS, ROWS, width)
    assert cut(good("gpu  4 min"), 4) == good("gpu…")
    assert cells(good("gpu")) == 3


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=5), st.integers(1, 130))
def test_no_line_is_ever_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    columns = [Column("A", 1), Column("NAME", 0, is_name=True), Column("C", 0, right=True)]
    assert max(map(cell_width, render(columns, [list(row) for row in rows], width))) <= width
