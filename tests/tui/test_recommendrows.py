"""The rows of Recommend and what stands around them, at any width and for every kind of row."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked_values import ALSO, BARE, KNOWN, MACHINE, ROWS, RTX, UNKNOWN, WISH, answered, ranked
from still_values import CURRENT, INSTALLED, QUEUE

from modeltui.domain import units
from modeltui.domain.advice.alternatives import Also
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.layout import shortened
from modeltui.domain.machines.machine import KnownMachine
from modeltui.tui.onserver import OnServer
from modeltui.tui.render import Line, width_of
from modeltui.tui.screens.recommendpages import LABEL, compared_lines, score_lines, score_title
from modeltui.tui.screens.recommendrows import (
    CONTEXT,
    about,
    also_lines,
    beneath,
    cells_of,
    columns_of,
    context_cell,
    machine_words,
)
from modeltui.tui.screens.recommendwords import empty_lines, notes, pull_facts
from modeltui.tui.widgets.table import fitted
from modeltui.tui.widgets.wishline import Part, WishLine

WIDTHS = st.integers(20, 200)


def text(line: Line | str) -> str:
    return line if isinstance(line, str) else "".join(part for part, _ in line)


def cell(row: int, column: str, here: str = "") -> str:
    return text(cells_of(ROWS[row], here)[column])


def test_an_estimate_and_a_measurement_look_different() -> None:
    assert cell(0, "speed") == "~110"
    assert cell(1, "speed") == "38"
    assert cell(6, "speed") == "—"
    assert cell(5, "speed") == "~3.1"


def test_what_is_below_the_floor_is_marked() -> None:
    assert cells_of(ROWS[5], "")["speed"] == (("~3.1", "attention"),)
    assert cells_of(ROWS[4], "")["speed"] == (("~9.4", ""),)


@pytest.mark.parametrize(
    ("here", "glyph"), [("current", "●"), ("installed", "○"), ("in queue", "↓"), ("", " ")]
)
def test_how_it_stands_on_the_server_is_a_glyph_and_a_word(here: str, glyph: str) -> None:
    assert cell(0, "place", here) == f"{glyph}  1"
    assert cell(0, "here", here) == here


def test_a_mark_keeps_the_width() -> None:
    assert text(cells_of(ROWS[0], "", is_marked=True)["place"]) == " + 1"


def test_the_context_that_was_asked_and_what_would_fit() -> None:
    assert cell(0, "context") == "16k of 40k that fit"
    assert cell(4, "context") == "16k"
    assert text(context_cell(131_072, 1_048_576)) == "128k of 1024k"
    assert text(context_cell(16_384, 41_500)) == "16k of 40k that fit"


@given(st.integers(1, 1 << 30), st.none() | st.integers(0, 1 << 30))
def test_a_context_keeps_its_column(context: int, largest: int | None) -> None:
    shown = text(context_cell(context, largest))
    assert len(shown) <= CONTEXT or " that fit" not in shown


def test_memory_is_in_ram_where_there_is_no_gpu() -> None:
    row = ranked(1, "small:3b", ram=4.4, kind=FitKind.CPU)
    assert text(cells_of(row, "")["memory"]) == "4.4 GB"
    placed = row.verdict.placement
    assert placed is not None
    beside = replace(row, verdict=replace(row.verdict, placement=replace(placed, vram=0, by_card=(0,))))
    assert text(cells_of(beside, "")["memory"]) == "0 B", "of VRAM, beside a card that it does not fit"
    assert [c.title for c in columns_of(BARE.machine) if c.id == "memory"] == ["RAM"]
    assert [c.title for c in columns_of(MACHINE) if c.id == "memory"] == ["VRAM"]
    assert columns_of(None) == columns_of(MACHINE)


@given(st.floats(0.01, 5000, allow_nan=False))
def test_an_estimate_has_two_digits(tokens: float) -> None:
    shown = units.rate(tokens)
    assert len(shown.replace(".", "").strip("0")) <= 2
    assert abs(float(shown) - tokens) <= max(0.0501, tokens * 0.051)


@given(st.text(alphabet="abc ,:é中", max_size=200), WIDTHS)
def test_the_sentence_fits_beneath(why: str, width: int) -> None:
    assert width_of(beneath(why, width)) <= width


def test_the_sentence_loses_whole_facts_before_letters() -> None:
    why = "The first: all on the GPU with 21 GB, 33 tokens/s estimated, by published scores."
    assert text(beneath(why, 120)).strip() == why
    assert text(beneath(why, 75)).strip() == "The first: all on the GPU with 21 GB, 33 tokens/s estimated."
    assert text(beneath(why, 50)).strip() == "The first: all on the GPU with 21 GB."
    assert text(beneath(why, 20)).strip() == "The first."


@given(st.sampled_from(ROWS), WIDTHS)
def test_the_lines_about_a_row_keep_to_their_number(row: Ranked, width: int) -> None:
    for most in (3, 4):
        lines = about(row, width, most)
        assert len(lines) <= most
        assert all(width_of(line) <= width for line in lines)


def test_the_score_is_taken_apart_with_memory_beside_it_where_it_fits() -> None:
    wide, narrow, tiny = (about(ROWS[0], width, 4) for width in (140, 80, 50))
    assert "quality 60/60  speed 12/18  fit 14/14  context 4/4  history 2/4" in text(wide[0])
    assert "weights 20.3 + KV 1.0 + compute 0.4 GB, ±5 %" in text(wide[0])
    assert "weights" in text(narrow[1])
    assert "history" in text(tiny[1])
    assert "also: faster" in text(tiny[2])


def test_a_part_that_is_mostly_lost_is_marked_but_not_history() -> None:
    inks = dict(about(ranked(1, "x:1b", (58, 0, 4, 4, 0)), 120)[0])
    assert inks["0/18"] == inks["4/14"] == "attention"
    assert inks["0/4"] == inks["58/60"] == ""


def test_also_says_in_any_case_what_does_not_fit() -> None:
    row = replace(ROWS[0], also=ALSO)
    assert "(twice as fast)" in text(also_lines(row, 160, 1)[0])
    (short,) = map(text, also_lines(row, 100, 1))
    assert "twice" not in short
    assert "qwen3.5:122b-a10b (does not fit)" in short
    assert "nothing faster" in text(also_lines(replace(row, also=()), 80, 1)[0])
    slow = replace(row, also=(Also("better", "big:70b", "too slow here: 0.6 tokens/s", False),))
    assert "(too slow here)" in text(also_lines(slow, 30 + len("too slow here"), 1)[0])


def test_also_goes_on_below_before_one_of_the_three_is_cut() -> None:
    row = replace(ROWS[0], also=ALSO)
    assert [text(line) for line in about(row, 80, 4)][-2:] == [
        " also: faster gpt-oss:20b · better qwen3.5:122b-a10b (does not fit)",
        "       smaller made-up-coder:9b",
    ]
    assert [text(line) for line in about(row, 60, 4)][-2:] == [
        " also: faster gpt-oss:20b",
        "       better qwen3.5:122b-a10b (does not fit) · smaller ma…",
    ]


def test_columns_give_way_before_a_tag_does() -> None:
    """Of a long tag SIZE goes at 60 cells, not the end of the tag."""
    long = ranked(1, "ministral-3:3b-instruct-2512-q8_0", size=3.0, vram=4.0)
    seen = fitted(columns_of(MACHINE, (ROWS[0], long)), 59)
    widths = {column.id: width for column, width in seen}
    assert "size" not in widths
    assert shortened(long.name, widths["name"]).endswith(":3b-instruct-2512-q8_0")
    assert "size" in {column.id for column, _ in fitted(columns_of(MACHINE, ROWS[:1]), 59)}


def test_the_machine_in_one_line() -> None:
    assert machine_words(KNOWN, None) == (
        "RTX 4090 25.8 GB (23.5 free) + 68.7 GB RAM",
        "RTX 4090 25.8 GB (23.5 free)",
    )
    two = KnownMachine(replace(MACHINE, cards=(replace(RTX, free=RTX.total),) * 2), "x")
    assert machine_words(two, "2x24GB")[0] == "what if: 2 x RTX 4090 25.8 GB + 68.7 GB RAM"
    assert machine_words(BARE, None)[0] == "no GPU + 17.0 GB RAM"
    assert machine_words(UNKNOWN, None)[0] == "unknown hardware"
    mac = KnownMachine(replace(MACHINE, is_unified=True), "x")
    assert machine_words(mac, None)[0] == "RTX 4090 25.8 GB (23.5 free) of 68.7 GB RAM"


def test_what_this_servers_models_hold_counts_as_free() -> None:
    held = KnownMachine(replace(MACHINE, cards=(replace(RTX, free=5 * 10**9, held=round(20.6e9)),)), "x")
    assert machine_words(held, None)[0] == "RTX 4090 25.8 GB + 68.7 GB RAM"


def test_notes_and_empty_states() -> None:
    answer = answered().answer
    assert notes(answer, "", None) == []
    assert "Simulated: not the server's own machine" in text(notes(answer, "", "2x24GB")[0])
    slow = replace(answer, is_slow=True)
    assert "Nothing reaches 5 tokens/s here" in text(notes(slow, "", None)[0])
    assert text(notes(None, "no such thing", None)[0]) == " no such thing"
    assert text(empty_lines(None, "")[0]) == "Ranking what would run how well."
    assert empty_lines(None, "trouble") == []
    assert empty_lines(answer, "") == []
    unknown = empty_lines(answered((), known=UNKNOWN).answer, "")
    assert "local = false" in text(unknown[1])
    assert any("ranks for hardware that you type" in text(line) for line in unknown)
    nothing = empty_lines(answered(()).answer, "")
    assert text(nothing[0]) == "Nothing for coding fits with 16k of context."


def test_what_decides_about_a_pull() -> None:
    (fact,) = pull_facts(ROWS[:1])
    assert fact == "made-up-coder:30b-a3b  18.6 GB to pull, needs 21.2 GB: gpu; recommended with 92 of 100"
    assert "— to pull, needs —" in pull_facts(ROWS[6:])[0]


def test_the_whole_score_says_everything() -> None:
    row = replace(
        ROWS[0], is_near=True, parts=(replace(ROWS[0].parts[0], mend="take more"), *ROWS[0].parts[1:])
    )
    said = "\n".join(text(line) for line in score_lines(row, (row.suitability,)))
    for words in (
        *("why quality has so many", " 60/60", "take more", "ahead by less than anybody knows", "8 (7-9)"),
        *("18.6 GB to pull", "Apache-2.0", "2026-05", "gpt-oss:20b: twice as fast", "needs"),
    ):
        assert words in said
    assert "what if: 2x24GB" in text(score_title(row, WISH, "2x24GB"))


def test_a_whole_score_of_what_nobody_knows() -> None:
    said = "\n".join(text(line) for line in score_lines(ROWS[6], ()))
    assert "None" not in said
    assert "nan" not in said.casefold()


@given(st.lists(st.sampled_from(ROWS), min_size=1, max_size=7, unique_by=lambda row: row.place), WIDTHS)
def test_models_side_by_side_keep_to_the_width(rows: list[object], width: int) -> None:
    lines = compared_lines(rows, width)  # type: ignore[arg-type]
    facts = [line for line in lines if line and line[0][1] == "dim"]
    assert len(facts) > 10
    assert all(width_of(line) <= max(width, LABEL + 18) for line in facts)


def test_those_without_room_beside_others_are_named() -> None:
    said = [text(line) for line in compared_lines(ROWS, 60)]
    assert said[-1].startswith("no room for gemma4:12b, a-model")
    assert "no room" not in "\n".join(text(line) for line in compared_lines(ROWS[:2], 60))
    best = next(line for line in compared_lines(ROWS[:2], 80) if line[0][0].startswith("score"))
    assert "▸92" in text(best)
    assert ("good" in [ink for _, ink in best]) and text(best).count("▸") == 1


def test_rows_find_what_they_are_on_the_server() -> None:
    here = OnServer(INSTALLED.entries, QUEUE)
    assert here.words(ROWS[1]) == "current"
    assert here.entry_of(ROWS[1]) is CURRENT
    assert here.words(ranked(1, "gpt-oss:20b")) == "installed"
    assert here.words(ranked(1, "llama4:scout")) == "in queue"
    assert here.words(ranked(1, "llama3.3:405b")) == ""  # cancelled
    assert here.words(ranked(1, "never-heard-of:7b")) == ""
    by_digest = ranked(1, "another-name:27b")
    tag = by_digest.candidate.tag._replace(digest=(CURRENT.model.digest or "")[:12])
    by_digest = replace(by_digest, candidate=by_digest.candidate._replace(tag=tag))
    assert here.words(by_digest) == "current"


@given(
    st.lists(
        st.builds(
            Part, st.sampled_from("towx"), st.text(max_size=60), st.text(max_size=20), st.just("screen.x")
        ),
        max_size=6,
    ),
    st.integers(1, 150),
)
def test_the_line_of_the_wish_keeps_to_its_width(parts: list[Part], width: int) -> None:
    line = WishLine()
    line._parts = tuple(parts)
    (made,) = line.fit(width)
    assert width_of(made) <= width
    assert all(start < end <= width for start, end, _ in line._places)
