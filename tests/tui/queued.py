"""The Downloads screen with a queue behind it, for its tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from live import Live, live

from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import State, Wanted
from modeltui.tui.screens.downloads import DownloadsScreen
from modeltui.tui.widgets.queuetable import QueueTable

SLOW = 50_000_000
BIG, OTHER, THIRD = "qwen3:32b", "gemma3:27b", "deepseek-r1:32b"
SMALL, INSTALLED = "tiny-demo:latest", "qwen3:8b"


def put(shown: Live, name: str, *, server: str | None = None, **state: Any) -> int:
    """A row of the queue, as it would stand after some past."""
    app, store = shown.app, shown.app.services.store
    link = app.services.links.id_of(app.services.config.active)
    if server is not None:
        link = store.facts.server_id(f"http://{server}:11434", server)
    row, _ = store.queue.enqueue(link, parse(name), app.now())
    if "wanted" in state:
        store.queue.want(row.number, state["wanted"])
    if state:
        heard = store.queue.get(row.number).wishes
        store.queue.save(row.number, replace(row.transfer, **{"at": app.now(), **state}), heard)
    number: int = row.number
    return number


def held(shown: Live, name: str, **state: Any) -> int:
    return put(shown, name, state=State.PAUSED, wanted=Wanted.PAUSE, cause=Cause.BY_YOU, **state)


def state(shown: Live, number: int) -> State | None:
    row = shown.app.services.store.queue.get(number)
    return row.transfer.state if row is not None else None


def screen(shown: Live) -> DownloadsScreen:
    found = shown.app.get_screen_stack("downloads")[0]
    assert isinstance(found, DownloadsScreen)
    return found


def cursor(shown: Live) -> str | None:
    return screen(shown).query_one(QueueTable).cursor_key


async def on_row(shown: Live, number: int) -> None:
    table = screen(shown).query_one(QueueTable)
    await shown.until(lambda: table.go_to(str(number)))
    await shown.pilot.pause()


@asynccontextmanager
async def downloads(root: Path, **knobs: Any) -> AsyncIterator[Live]:
    async with live(root, **{"rate": SLOW, **knobs}) as shown:
        await shown.press("4")
        yield shown


def done(shown: Live, number: int) -> int:
    """Bytes that the program knows to have come."""
    return next((row.transfer.done for row in shown.app.transfers if row.number == number), 0)
