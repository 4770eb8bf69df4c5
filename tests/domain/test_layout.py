"""Texts take the cells that a terminal gives them, and never more than they may."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from modeltui.domain.layout import cells, cut, pad, shortened

HF = "hf.co/unsloth/Qwen3-GGUF:Q4_K_M"
GREEN = "\x1b[32m{}\x1b[0m".format
# Characters whose width no terminal and no library disputes: one cell, two, and none.
CHARACTERS = string.printable[:95] + "äßéЖλ—…●▇模型中文한글かな🦙🚀ﾊ" + "\u0301\u0e31\u0e34\u0941"
TEXTS = st.text(st.sampled_from(CHARACTERS), max_size=40)
WIDTHS = st.integers(-2, 60)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("qwen3:8b", 8),
        ("模型", 4),
        ("🦙", 2),
        ("é", 1),
        ("e\u0301", 1),
        ("\u0e01\u0e31\u0e19", 2),  # Thai: a vowel above its consonant, of combining class 0
        ("ﾊ", 1),
        ("—", 1),
        (GREEN("gpu"), 3),
        (GREEN("模型"), 4),
    ],
)
def test_cells_of_a_text(text: str, count: int) -> None:
    assert cells(text) == count


@given(TEXTS)
def test_cells_are_what_the_screens_count(text: str) -> None:
    assert cells(text) == cell_len(text)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("qwen3", 5, "qwen3"),
        ("qwen3", 4, "qwe…"),
        ("qwen3", 1, "…"),
        ("qwen3", 0, ""),
        ("qwen3", -1, ""),
        ("模型中文", 5, "模型…"),
        ("模型中文", 4, "模…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        (GREEN("gpu  4 min"), 4, GREEN("gpu…")),
        (GREEN("模型中文"), 4, GREEN("模…")),
    ],
)
def test_a_text_is_cut_at_a_cell(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (31, HF),
        (30, "hf.co/…/Qwen3-GGUF:Q4_K_M"),
        (25, "hf.co/…/Qwen3-GGUF:Q4_K_M"),
        (24, "…/Qwen3-GGUF:Q4_K_M"),
        (18, "Qwen3-GGUF:Q4_K_M"),
        (16, "Qwen3-GG…:Q4_K_M"),
        (9, "Q…:Q4_K_M"),
        (8, "Qwen3-G…"),
    ],
)
def test_a_name_is_shortened_in_its_path_and_never_in_its_tag(width: int, shown: str) -> None:
    assert shortened(HF, width) == shown


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("someone/mymodel:7b", 14, "…/mymodel:7b"),
        ("someone/mymodel:7b", 9, "mymod…:7b"),
        ("code-reviewer-of-mine:latest", 20, "code-reviewer-of-mi…"),
        ("模型模型模型:q4", 10, "模型模…:q4"),
        ("no-tag-at-all-in-this-one", 10, "no-tag-at…"),
        ("x:" + "t" * 80, 10, "x:ttttttt…"),
    ],
)
def test_names_of_other_kinds(name: str, width: int, shown: str) -> None:
    assert shortened(name, width) == shown


@given(TEXTS, WIDTHS)
def test_a_shortened_name_fits(name: str, width: int) -> None:
    got = shortened(name, width)
    assert cell_len(got) <= max(0, width)
    assert got == name or cell_len(name) > width


@given(TEXTS, WIDTHS)
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, width: int) -> None:
    got = cut(text, width)
    assert cell_len(got) <= max(0, width)
    assert got == text or got.endswith("…") or width <= 0


@pytest.mark.parametrize(
    ("text", "width", "right", "shown"),
    [
        ("8B", 5, False, "8B   "),
        ("8B", 5, True, "   8B"),
        ("8B", 2, True, "8B"),
        ("27.8B", 3, True, "27…"),
        ("", 3, False, "   "),
        ("8B", 0, False, ""),
        ("8B", -1, False, ""),
        ("模型", 6, False, "模型  "),
        ("模型", 6, True, "  模型"),
        ("模型中", 4, False, "模… "),  # the second half of a wide character is a space
        ("e\u0301", 3, False, "e\u0301  "),
        (GREEN("gpu"), 5, False, GREEN("gpu") + "  "),
        (GREEN("gpu"), 5, True, "  " + GREEN("gpu")),
    ],
)
def test_a_text_is_filled_up_to_its_column(text: str, width: int, right: bool, shown: str) -> None:
    assert pad(text, width, right) == shown


@given(TEXTS, WIDTHS, st.booleans())
def test_a_filled_text_is_exactly_as_wide_as_asked(text: str, width: int, right: bool) -> None:
    got = pad(text, width, right)
    assert cell_len(got) == max(0, width)
    assert text.strip(" ") in got or "…" in got or width <= 0


@given(TEXTS, WIDTHS)
def test_a_name_in_a_column_keeps_what_fits(name: str, width: int) -> None:
    assert cell_len(pad(shortened(name, width), width)) == max(0, width)
