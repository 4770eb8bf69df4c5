"""What the app does with what it was asked for: once at a time, and nothing of it after its end."""

import inspect
from pathlib import Path

from live import live


async def test_what_was_not_begun_when_the_program_ends_is_dropped(tmp_path: Path) -> None:
    begun = []

    async def deed() -> None:
        begun.append(True)

    asked = deed()
    async with live(tmp_path) as shown:
        await shown.until(lambda: shown.app.connection.is_online)
        shown.app.act(asked, "a deed")
        shown.app.workers.cancel_group(shown.app, "act")  # before its worker had a turn
    assert not begun
    assert inspect.getcoroutinestate(asked) == inspect.CORO_CLOSED


async def test_the_same_is_not_begun_twice_at_once(tmp_path: Path) -> None:
    begun = []

    async def deed() -> None:
        begun.append(True)

    async with live(tmp_path) as shown:
        for _ in range(3):
            shown.app.act(deed(), "a deed")
        await shown.until(lambda: begun == [True])
        await shown.until(lambda: not shown.app._acting)
        shown.app.act(deed(), "a deed")
        await shown.until(lambda: begun == [True, True])
