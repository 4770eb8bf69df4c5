"""The store is looked at and time goes on, also while the store cannot be read."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from live import live
from queued import put  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package

from modeltui.domain.transfers import State
from modeltui.errors import StoreError
from modeltui.services.runner import Runner
from modeltui.tui import pulse, queuewatch


async def test_a_store_that_fails_is_told_and_comes_back_while_time_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEATS_WITHOUT_STORE", 2)
    async with live(tmp_path) as shown:
        seconds: list[int] = []
        monkeypatch.setattr(shown.app.screen, "show_time", lambda: seconds.append(1))
        await shown.until(lambda: seconds)
        with closing(sqlite3.connect(shown.paths.database)) as other:
            other.execute("ALTER TABLE ends RENAME TO lost")
            other.commit()
            await shown.until(
                lambda: any("no such table: ends" in said.message for said in shown.app._notifications)
            )
            before = len(seconds)
            await shown.until(lambda: len(seconds) >= before + 2)
            other.execute("ALTER TABLE lost RENAME TO ends")
            other.commit()
        put(shown, "m:1b", state=State.INSTALLED, ended=shown.app.now())
        await shown.until(lambda: shown.app.is_telling("m:1b installed"))
        assert len([worker for worker in shown.app.workers if worker.group == "store"]) == 1


async def test_a_queue_that_could_not_be_seen_to_is_seen_to_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queuewatch, "AGAIN_S", 1.0)
    acquire, failures = Runner.acquire, 3

    def failing(runner: Runner) -> bool:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreError("the disk is away")
        return acquire(runner)

    monkeypatch.setattr(Runner, "acquire", failing)
    async with live(tmp_path) as shown:
        number = put(shown, "tiny-demo:latest")
        await shown.until(
            lambda: any("the disk is away" in said.message for said in shown.app._notifications)
        )
        queue = shown.app.services.store.queue
        await shown.until(lambda: (row := queue.get(number)) and row.transfer.state is State.INSTALLED)
