"""What stands around every screen: whose server it is, whole where there is room, and its VRAM."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live import live

from modeltui.tui.render import width_of
from modeltui.tui.state import Connection, Phase
from modeltui.tui.widgets.frame import TABS, Frame

CARD = '[servers.demo.hardware]\ngpus = ["rtx 3060"]\nram = "64GB"\n'
NO_CARD = '[servers.demo.hardware]\ngpus = []\nram = "64GB"\n'
URL = "http://127.0.0.1:46123"


def frame(width: int, server: str = URL, mode: str = "models", *, is_demo: bool = False) -> str:
    """The first line, at that width."""
    widget = Frame(mode)
    widget.show_connection(Connection(server, URL, Phase.ONLINE, version="0.33.0", is_demo=is_demo))
    return "".join(text for text, _ in widget.fit(width)[0])


@pytest.mark.parametrize("width", [44, 60, 72, 80, 100, 120])
def test_the_port_of_the_server_is_never_lost(width: int) -> None:
    line = frame(width, mode="recommend")
    assert "127.0.0.1:46123 " in line and "http" not in line
    assert "3 Recommend" in line and " 5 " in line
    assert ("0.33.0" in line) is (width >= 60)
    assert ("modeltui" in line) is (width >= 72)


def test_what_is_not_plain_keeps_its_scheme_and_a_name_is_a_name() -> None:
    assert "https://gpubox:11434 · 0.33.0" in frame(120, "https://gpubox:11434")
    assert "gpubox · 0.33.0" in frame(60, "gpubox")
    assert "made-up models" in frame(80, "demo", is_demo=True)


@given(st.integers(32, 200), st.text("abc.:/", min_size=1, max_size=80))
def test_a_name_of_any_length_leaves_the_tabs_alone(width: int, server: str) -> None:
    line = frame(width, server)
    assert len(line) <= width
    assert all(f" {key} " in line for key, *_ in TABS[1:])


@given(st.integers(44, 200), st.sampled_from([mode for _, mode, _ in TABS]))
def test_a_tab_ends_where_it_is_seen_to_end(width: int, mode: str) -> None:
    widget = Frame(mode)
    widget.show_connection(Connection("gpubox", URL, Phase.ONLINE, version="0.33.0"))
    line = widget.fit(width)[0]
    for (key, of, title), (end, named) in zip(TABS, widget._ends, strict=True):
        seen = "".join(text for text, _ in line)[:end]
        assert named == of
        assert seen.endswith((f" {key} ", f" {key} {title} "))
    assert width_of(line) <= width


async def test_the_vram_in_use_is_told_of_how_much(tmp_path: Path) -> None:
    async with live(tmp_path, config=CARD) as shown:
        await shown.sees("VRAM 0.0/12.9 GB")
        await shown.press("l")
        await shown.until(lambda: shown.app.models.vram)
        await shown.press("escape")
        used = shown.app.models.vram
        assert used is not None
        await shown.until(lambda: not shown.app.notice[0])
        await shown.sees(f"VRAM {used / 1e9:.1f}/12.9 GB")


@pytest.mark.parametrize("config", ["", NO_CARD])
async def test_what_is_not_known_of_cards_is_not_told(tmp_path: Path, config: str) -> None:
    async with live(tmp_path, config=config) as shown:
        await shown.until(lambda: shown.app.advice is not None and not shown.app.notice[0])
        assert "VRAM" not in shown.text.splitlines()[-2]


async def test_a_title_too_long_for_a_line_goes_on_below(tmp_path: Path) -> None:
    async with live(tmp_path, size=(44, 20)) as shown:
        await shown.press("down", "s")
        await shown.sees("Make code-reviewer:latest the current", "model?")
        await shown.press("escape", "e")
        await shown.sees("How long does code-reviewer:latest stay", "loaded after its last use?")


async def test_at_100_columns_the_pane_leaves_the_table_how_well_a_model_fits(tmp_path: Path) -> None:
    async with live(tmp_path, size=(100, 30), config=CARD) as shown:
        await shown.sees("NAME", "SIZE", "STATE", "FIT", "│")


async def test_what_lies_under_a_page_has_the_new_size_when_it_is_seen_again(tmp_path: Path) -> None:
    async with live(tmp_path, config=CARD) as shown:
        await shown.sees("│")
        await shown.press("question_mark")
        await shown.sees("UNDER THE CURSOR")
        await shown.pilot.resize_terminal(80, 24)
        await shown.press("question_mark")
        await shown.sees("STATE", "TOK/S", "FIT")
        await shown.misses("│")
        assert len(shown.text.splitlines()) == 24
