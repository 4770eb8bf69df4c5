"""X on Downloads: offered where a disk is full, it shows what lies there for nothing, and removes it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from live import Live, live
from queued import on_row, put, state  # type: ignore[import-not-found, unused-ignore]  # beside us
from shelf import Shelf

from modeltui.demo.library import DemoModel, Library
from modeltui.domain.causes import Cause
from modeltui.domain.transfers import LayerState, State
from modeltui.services import cleaning
from modeltui.tui.screens.dialogs import Question

PART, OTHER = "a" * 64, "b" * 64
WRITTEN = "another client of the server seems to be pulling"
FULL = (
    "no space left on device; on that disk its own partial download takes 1 GB: modeltui clean removes them"
)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning.Cleaning.__init__, "__kwdefaults__", {"look_s": 0.0})


@asynccontextmanager
async def here(root: Path, *, size: tuple[int, int] = (120, 35)) -> AsyncIterator[tuple[Live, Shelf]]:
    """A server on this machine with one model, two old partials and an old orphan, and Downloads shown."""
    shelf, library = Shelf(root / "models"), Library()
    shelf.add(library, DemoModel("mine:1b"), b"weights")
    for digits, hours in ((PART, 2), (OTHER, 50)):
        shelf.file(f"sha256-{digits}-partial", b"x" * 10_000, hours=hours)
    shelf.put(b"orphan", hours=3)
    async with live(root / "home", models=shelf.root, seed=library, size=size) as shown:
        await shown.press("4")
        yield shown, shelf


def blocked(shown: Live, cause: Cause = Cause.DISK, *, name: str = "full:1b", digits: str = PART) -> int:
    layers = (LayerState(f"sha256:{digits}", 20_000, 10_000),)
    detail = FULL if cause is Cause.DISK else "needs 2 GB, 1 GB free"
    number: int = put(shown, name, state=State.BLOCKED, cause=cause, detail=detail, layers=layers)
    return number


def asks(shown: Live) -> bool:
    return isinstance(shown.app.screen, Question)


@pytest.mark.parametrize("key", ["X", "r"])
async def test_what_fills_the_disk_is_shown_and_goes_when_it_is_told_to(tmp_path: Path, key: str) -> None:
    async with here(tmp_path, size=(80, 24)) as (shown, shelf):
        number = blocked(shown)
        blocked(shown, Cause.NO_ROOM, name="later:1b", digits=OTHER)
        await on_row(shown, number)
        await shown.sees("X free disk", "→ X removes them, then h resumes")
        before = shelf.names()
        await shown.press("X")
        await shown.sees("Remove 1 partial download and 1 orphan, ", "partial  ", "2 h ago", "orphan ")
        await shown.sees("kept     1 partial download, ", "transfer 2, later:1b, goes on", "enter esc keep")
        await shown.press("enter")
        await shown.until(lambda: not asks(shown))
        assert shelf.names() == before
        await shown.press("X")
        await shown.until(lambda: asks(shown))
        await shown.press(key)
        await shown.until(lambda: shown.app.notice[0].startswith("removed 2, freed "))
        assert shown.app.notice[0].endswith(" · h resumes")
        assert len(shelf.names()) == len(before) - 2
        assert f"sha256-{OTHER}-partial" in shelf.names()
        assert state(shown, number) is State.BLOCKED


async def test_nothing_that_could_go_is_said(tmp_path: Path) -> None:
    async with here(tmp_path) as (shown, shelf):
        await shown.misses("X free disk")
        for digits in (PART, OTHER):
            blocked(shown, Cause.NO_ROOM, name=f"m{digits[0]}:1b", digits=digits)
        (orphan,) = (path for path in shelf.blobs.iterdir() if path.read_bytes() == b"orphan")
        orphan.unlink()
        await shown.sees("X free disk")
        await shown.press("X")
        await shown.until(lambda: shown.app.notice[0].startswith("nothing to remove lies in "))
        assert "kept: 2 partial downloads" in shown.app.notice[0]
        assert not asks(shown)


async def test_what_another_client_pulls_is_left_and_that_is_told(tmp_path: Path) -> None:
    async with here(tmp_path) as (shown, shelf):
        shelf.file(f"sha256-{'c' * 64}-partial", b"x")
        before = shelf.names()
        blocked(shown)
        await shown.sees("X free disk")
        await shown.press("X")
        await shown.until(lambda: any(WRITTEN in said.message for said in shown.app._notifications))
        assert not asks(shown)
        assert shelf.names() == before


async def test_the_key_is_there_only_where_the_server_that_is_shown_lacks_room(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.press("4")
        put(shown, "secret:1b", state=State.BLOCKED, cause=Cause.NO_SECRET)
        put(shown, "other:1b", server="gpubox", state=State.BLOCKED, cause=Cause.DISK, detail=FULL)
        await shown.sees("secret:1b", "other:1b")
        await shown.press("X")
        assert "free disk" not in shown.text
        blocked(shown)
        await shown.sees("X free disk")
        await shown.press("X")
        await shown.sees("cannot be looked at from here")
