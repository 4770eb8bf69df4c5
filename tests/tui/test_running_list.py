"""Running as a list: words that narrow it, marks that several deeds are about, and its orders."""

from pathlib import Path
from typing import Any

import pytest
from live import Live, live

from modeltui.domain.server import Keep, KeepAlive
from modeltui.services.loading import Loading
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.runningtable import RunningTable

SMALL, EMBED, EIGHT = "llama3.2:3b", "nomic-embed-text:latest", "qwen3:8b"


def table(shown: Live) -> RunningTable:
    found: RunningTable = shown.app.get_screen_stack("running")[0].query_one(RunningTable)
    return found


def names(shown: Live) -> list[str]:
    """What is listed, from above."""
    rows = table(shown)
    return [rows._items[at].key for at in rows._view]


def keys(shown: Live) -> str:
    return str(shown.text.splitlines()[-1])


async def load(shown: Live, *loaded: str, keep: KeepAlive = Keep.SERVER_DEFAULT) -> None:
    services = shown.app.services
    for name in loaded:
        await Loading(services, await services.active()).load(name, keep)


async def on_running(shown: Live) -> None:
    """Three models run, one of them for ever."""
    await load(shown, EMBED, keep=Keep.FOREVER)
    await load(shown, SMALL, EIGHT)
    shown.app.refresh_soon()
    await shown.press("5")
    await shown.until(lambda: set(names(shown)) == {EMBED, SMALL, EIGHT})


async def mark(shown: Live, *marked: str) -> None:
    for name in marked:
        await shown.until(lambda name=name: table(shown).go_to(name))
        await shown.press("space")
    assert table(shown).marked == set(marked)


async def looked_again(shown: Live) -> None:
    before = shown.app.running_now
    shown.app.refresh_soon()
    await shown.until(lambda: shown.app.running_now is not before)


@pytest.mark.parametrize(
    ("typed", "found"),
    [("gpu 8b", [EIGHT]), ("for ever", [EMBED]), ("bert", [EMBED]), ("<1gb", [EMBED]), ("no-such", [])],
)
async def test_words_narrow_what_runs_and_outlast_a_look(
    tmp_path: Path, typed: str, found: list[str]
) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await shown.press("slash")
        await shown.type(typed)
        await shown.until(lambda: names(shown) == found)
        await shown.sees(f"/ {typed}", f"{len(found)} of 3", *(found or ["No loaded model has these words."]))
        await looked_again(shown)
        assert names(shown) == found
        await shown.press("enter")
        assert table(shown).has_focus
        await shown.press("escape")
        await shown.until(lambda: len(names(shown)) == 3)


async def test_u_is_about_all_that_are_marked(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await mark(shown, EMBED, EIGHT)
        await shown.sees("2 marked: u n e d are about them, esc clears")
        await looked_again(shown)
        assert table(shown).marked == {EMBED, EIGHT}
        await shown.press("u")
        await shown.sees("2 models unloaded")
        await shown.until(lambda: names(shown) == [SMALL])
        assert not table(shown).marked


async def test_n_and_e_are_about_all_that_are_marked_and_e_asks_once(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await mark(shown, SMALL, EIGHT)
        await shown.press("n")
        await shown.sees("2 models are kept loaded")
        await shown.until(lambda: all("for ever" in shown.line(f"+  {name}") for name in (SMALL, EIGHT)))
        await shown.until(lambda: "n pin" not in keys(shown))
        await shown.press("e")
        await shown.sees("How long do these 2 models stay loaded after their last use?")
        await shown.press("enter")
        await shown.until(lambda: all("30 min" in shown.line(f"+  {name}") for name in (SMALL, EIGHT)))
        assert "for ever" in shown.line(EMBED)
        await shown.misses("How long")


async def test_what_is_marked_and_hidden_is_said_and_escape_clears_the_filter_first(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await mark(shown, EMBED)
        await shown.press("slash", *"qwen", "enter")
        await shown.sees("1 marked hidden, 1 of 3")
        await shown.until(lambda: "u unload" in keys(shown))
        await shown.press("escape")
        await shown.until(lambda: len(names(shown)) == 3)
        assert table(shown).marked == {EMBED}
        await shown.press("escape")
        assert not table(shown).marked
        await shown.sees("no marks any more")


async def test_o_goes_through_the_orders(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        own = names(shown)
        assert table(shown).go_to(SMALL)
        for title, words, expected in (
            ("MODEL▼", "by name", [SMALL, EMBED, EIGHT]),
            ("VRAM▼", "most VRAM first", [EIGHT, SMALL, EMBED]),
            ("KEPT▼", "what leaves first", [SMALL, EIGHT, EMBED]),
        ):
            await shown.press("o")
            await shown.until(lambda expected=expected: names(shown) == expected)
            await shown.sees(title, words)
            await looked_again(shown)
            assert names(shown) == expected
            assert table(shown).cursor_key == SMALL
        await shown.press("o")
        await shown.sees("as the server lists them")
        assert sorted(names(shown)) == sorted(own)


async def test_a_runner_that_a_filter_hides_is_gone_to(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await shown.press("slash", *"qwen", "enter")
        await shown.until(lambda: names(shown) == [EIGHT])
        assert shown.app.screen.go_to(EMBED)
        await shown.until(lambda: len(names(shown)) == 3)
        assert table(shown).cursor_key == EMBED


async def test_nothing_is_painted_that_did_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await mark(shown, EMBED)
        await shown.press("o", "slash", *"a", "enter")
        await shown.until(lambda: names(shown) == [SMALL, EMBED])
        await shown.app.stop_workers()
        await shown.pilot.pause(0.2)  # what follows the cursor has followed
        now = shown.app.now()
        monkeypatch.setattr(shown.app, "now", lambda: now)  # minutes that pass are a change
        screen: Any = shown.app.screen
        screen.show_time()
        painted: list[Any] = []
        for widget in (table(shown), screen.query_one(FilterLine)):
            monkeypatch.setattr(widget, "refresh", lambda *regions, **_: painted.append(regions))
        for _ in range(3):
            screen.show_time()
            screen.show_state()
        await shown.pilot.pause(0.2)
        assert painted == []
        table(shown).clear_marks()
        assert len(painted) == 1
