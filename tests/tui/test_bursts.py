"""Keys that come at once, as a slow line delivers them, and questions that come late."""

from pathlib import Path

import pytest
from live import Live, live
from textual import events
from textual.widgets import Input

from modeltui.demo.faults import Fault, Kind
from modeltui.errors import StoreError
from modeltui.tui.screens.dialogs import Question, TextDialog
from modeltui.tui.screens.models import ModelsScreen
from modeltui.tui.state import Undo


async def burst(shown: Live, *keys: str) -> None:
    """Several keys in one packet."""
    for key in keys:
        shown.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await shown.pilot.pause(0.1)


async def ask_to_delete(shown: Live, name: str) -> None:
    assert isinstance(shown.app.screen, ModelsScreen)
    assert shown.app.screen.go_to(name)
    await shown.press("d")
    await shown.sees(f"Delete {name} from demo?")


@pytest.mark.parametrize("keys", [("escape", "escape"), ("enter", "enter"), ("escape", "enter", "escape")])
async def test_a_question_ends_once(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with live(tmp_path) as shown:
        await ask_to_delete(shown, "gpt-oss:20b")
        await burst(shown, *keys)
        await shown.until(lambda: not isinstance(shown.app.screen, Question))
        assert shown.app.is_running
        assert shown.app.models.entry("gpt-oss:20b") is not None


async def test_a_yes_that_is_pressed_twice_is_one(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await ask_to_delete(shown, "gpt-oss:20b")
        await burst(shown, "d", "d")
        await shown.sees("deleted gpt-oss:20b")
        assert shown.app.is_running


@pytest.mark.parametrize("keys", [("escape", "escape"), ("escape", "escape", "escape")])
async def test_a_text_dialog_ends_once(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with live(tmp_path) as shown:
        await shown.press("p")
        await shown.sees("Pull which model?")
        await burst(shown, *keys)
        await shown.until(lambda: not isinstance(shown.app.screen, TextDialog))
        assert shown.app.is_running


async def test_a_name_can_be_asked_for_before_the_server_was_heard(tmp_path: Path) -> None:
    """The queue holds it; and the q of a name typed ahead must not quit."""
    async with live(tmp_path, url="http://127.0.0.1:9", wait=False) as shown:
        await burst(shown, *"pqwen")
        await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
        await shown.until(lambda: shown.app.screen.query_one(Input).value == "qwen")
        assert shown.app.is_running


async def test_what_is_typed_ahead_replaces_the_suggestion(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await burst(shown, "p", "k", "j", "q")
        await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
        await shown.until(lambda: shown.app.screen.query_one(Input).value == "kjq")


async def test_what_follows_enter_meets_what_it_led_to(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await burst(shown, *"p", *"tiny-demo", "enter", "4")
        await shown.until(lambda: shown.app.current_mode == "downloads")
        await shown.until(
            lambda: [row.transfer.name.short for row in shown.app.transfers] == ["tiny-demo:latest"]
        )
        await burst(shown, "1", "slash", *"qwen2", "enter", "enter")
        await shown.sees("qwen2.5-coder:7b", "architecture")


async def test_the_same_is_not_asked_twice(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.DELAY, "/api/tags", value=0.4, times=None))
        await burst(shown, "d", "d", "d")
        await shown.sees("Delete assistant:latest from demo?")
        await shown.pilot.pause(1)
        assert sum(isinstance(screen, Question) for screen in shown.app.screen_stack) == 1


async def test_a_question_that_comes_late_takes_no_keys(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.DELAY, "/api/tags", value=0.5, times=None))
        assert isinstance(shown.app.screen, ModelsScreen)
        shown.app.screen.go_to("qwen3:8b")
        await burst(shown, "s", "slash", "n")
        await shown.sees("you had gone on", "/ n")
        assert not isinstance(shown.app.screen, Question)


async def test_an_undo_that_fails_says_so_and_can_be_tried_again(tmp_path: Path) -> None:
    def fail() -> None:
        raise StoreError("the database is locked", remedy="try again")

    async with live(tmp_path) as shown:
        choice = Undo("never", fail)
        shown.app.undo_choice = choice
        await shown.press("z")
        await shown.sees("the database is locked")
        assert shown.app.undo_choice is choice


async def test_a_mark_is_about_u_and_d_only(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        screen = shown.app.screen
        assert isinstance(screen, ModelsScreen)
        assert screen.go_to("qwen3:8b")
        await shown.press("space")
        await shown.sees("1 marked")
        await shown.press("y")
        await shown.sees("copied: phi4-mini:3.8b")
        await shown.press("d")
        await shown.sees("Delete qwen3:8b from demo?")


async def test_our_own_deletions_are_not_told_as_somebody_else_s(tmp_path: Path) -> None:
    async with live(tmp_path, config="[poll]\nmodels_s = 0.5\n") as shown:
        told = []
        shown.app.watch(shown.app, "notice", lambda notice: told.append(notice[0]), init=False)
        for name in ("gpt-oss:20b", "gemma3:12b"):
            assert isinstance(shown.app.screen, ModelsScreen)
            shown.app.screen.go_to(name)
            await shown.press("space")
        await shown.press("d")
        await shown.sees("Delete these 2 models")
        await shown.press("d")
        await shown.sees("deleted 2 models")
        seen = shown.app.list_seen_at
        await shown.until(lambda: shown.app.list_seen_at != seen)
        assert not [text for text in told if "outside" in text]


async def test_every_key_of_the_help_can_be_clicked(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.press("question_mark")
        await shown.sees("UNDER THE CURSOR")
        lines = shown.text.splitlines()
        await shown.pilot.click(offset=(lines[-1].index("search"), len(lines) - 1))
        await shown.sees(" / ")
        await shown.press("escape")
        lines = shown.text.splitlines()
        await shown.pilot.click(offset=(lines[-1].index("back"), len(lines) - 1))
        await shown.until(lambda: len(shown.app.screen_stack) == 1)
