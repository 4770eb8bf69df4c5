"""Another screen is painted once, when it stands whole, and before what is slow begins."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from live import Live, live
from still_app import keys, still_app
from textual._compositor import LayoutUpdate

import modeltui.tui.painting
import modeltui.tui.screens.catalog
from modeltui.services.meaning import catalog_of
from modeltui.tui.app import ModelTuiApp
from modeltui.tui.screens.recommend import RecommendScreen
from modeltui.tui.screens.running import RunningScreen

GPU = '[servers.demo.hardware]\ngpus = ["rtx 3060"]\nram = "64GB"\n'


def whole_frames(shown: Live, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The mode and the text of each frame that is sent whole from now on."""
    app, display, frames = shown.app, shown.app._display, list[str]()

    def record(screen: Any, update: Any) -> None:
        if isinstance(update, LayoutUpdate) and not app._batch_count:
            frames.append(f"{app.current_mode}\n{shown.text}")
        display(screen, update)

    monkeypatch.setattr(app, "_display", record)
    return frames


def updates(shown: Live, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kind of each update that is sent from now on."""
    app, display, sent = shown.app, shown.app._display, list[str]()

    def record(screen: Any, update: Any) -> None:
        if update is not None and not app._batch_count:
            sent.append(type(update).__name__)
        display(screen, update)

    monkeypatch.setattr(app, "_display", record)
    return sent


async def test_the_catalog_is_painted_once_and_read_after_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted_by_then = []

    async def read(services: Any) -> Any:
        painted_by_then.append(len(frames))
        return await catalog_of(services)

    monkeypatch.setattr(modeltui.tui.screens.catalog, "catalog_of", read)
    async with live(tmp_path, config=GPU) as shown:
        await shown.until(lambda: shown.app.advice is not None)
        frames = whole_frames(shown, monkeypatch)
        await shown.press("2")
        await shown.until(lambda: len(shown.app.screen.query_one("#catalog").item.key))
        assert painted_by_then == [1]
        assert len(frames) == 1
        assert frames[0].startswith("catalog\n")
        assert "Reading the catalog." in frames[0]
        assert "details" not in frames[0].splitlines()[-1]  # a key of a row, and there is none yet
        assert " p pull " in frames[0].splitlines()[-1]


async def test_a_ranking_is_begun_after_the_screen_was_painted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(tmp_path, config=GPU) as shown:
        await shown.until(lambda: shown.app.advice is not None)
        frames = whole_frames(shown, monkeypatch)
        await shown.press("3")
        screen = shown.app.screen
        assert isinstance(screen, RecommendScreen)
        await shown.until(lambda: screen.answered is not None)
        assert len(frames) == 1
        assert "w looking at its hardware" in frames[0]
        assert "Ranking what would run how well." in frames[0]


async def test_back_on_a_screen_its_state_of_now_is_painted_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(tmp_path) as shown:
        await shown.press("4")
        frames = whole_frames(shown, monkeypatch)
        shown.app.tell("said while another screen was seen")
        await shown.press("1")
        assert [frame.splitlines()[0] for frame in frames] == ["models"]
        assert "said while another screen was seen" in frames[0]
        await shown.press("backspace")
        assert [frame.splitlines()[0] for frame in frames] == ["models", "downloads"]


async def test_digits_in_one_burst_end_on_the_last_screen_with_paints_going_on(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.press(*"2345123451")
        assert shown.app.current_mode == "models"
        assert shown.app._batch_count == 0
        await asyncio.gather(*(shown.app.show_mode(mode) for mode in ("catalog", "running", "running")))
        assert shown.app._batch_count == 0
        await shown.sees(" 5 Running ")


async def test_a_screen_that_is_busy_is_painted_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modeltui.tui.painting, "PATIENCE_S", 0.05)
    async with live(tmp_path) as shown:
        await shown.press("4")
        busy, is_free = shown.app.screen, asyncio.Event()
        await shown.press("1")
        frames = whole_frames(shown, monkeypatch)
        busy.call_later(is_free.wait)
        await shown.app.show_mode("downloads")
        assert [frame.splitlines()[0] for frame in frames] == ["downloads"]
        assert shown.app._batch_count == 0
        is_free.set()
        await shown.press("1")
        await shown.sees(" 1 Models ")


def test_a_screen_shows_the_state_once_when_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    show_state = RunningScreen.show_state

    def counted(screen: RunningScreen) -> None:
        calls.append(screen)
        show_state(screen)

    async def visits(app: ModelTuiApp) -> None:
        async with app.run_test(size=(120, 35)) as pilot:
            for pressed, count in (("5", 1), ("question_mark", 1), ("escape", 2), ("1", 2), ("5", 3)):
                await keys(pressed)(pilot)
                assert (pressed, len(calls)) == (pressed, count)

    monkeypatch.setattr(RunningScreen, "show_state", counted)
    with still_app(tmp_path, monkeypatch) as app:
        asyncio.run(visits(app))


async def test_help_is_painted_once_and_so_is_what_lies_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that comes later, be it a change beneath it, has any of it painted again."""
    async with live(tmp_path) as shown:
        await shown.until(lambda: shown.app.advice is not None)
        await shown.until(lambda: not shown.app.notice[0])
        frames, sent = whole_frames(shown, monkeypatch), updates(shown, monkeypatch)
        await shown.press("question_mark")
        await shown.sees("UNDER THE CURSOR", "▐")
        shown.app.tell("a change beneath it")
        await shown.pilot.pause(0.3)
        assert (len(frames), sent) == (1, ["LayoutUpdate"])
        assert "UNDER THE CURSOR" in frames[0]
        await shown.press("question_mark")
        await shown.sees("a change beneath it")
        await shown.pilot.pause(0.3)
        assert (len(frames), sent) == (2, ["LayoutUpdate"] * 2)
        assert "NAME" in frames[1]
