"""Runners that are processes of their own: which they are, how they die, and that none outlives a test."""

import contextlib
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from modeltui.domain.transfers import State
from modeltui.paths import Paths
from modeltui.store.locks import FileLock
from modeltui.store.queue import QueuedTransfer
from modeltui.store.store import Store

BEGINS = re.compile(r"modeltui \S+ carries the queue out as process (\d+)")


def log_of(paths: Paths) -> str:
    """What runners of that state directory wrote, the older file first."""
    older = paths.runner_log.with_name(paths.runner_log.name + ".1")
    return "".join(path.read_text("utf-8") for path in (older, paths.runner_log) if path.exists())


def runners(paths: Paths) -> list[int]:
    """The processes that became the runner, in their order."""
    return [int(number) for number in BEGINS.findall(log_of(paths))]


def runner_lives(paths: Paths) -> bool:
    """Whether a process holds the lock."""
    if not paths.runner_lock.is_file():
        return False
    lock = FileLock(paths.runner_lock)
    is_free = lock.acquire(wait=False)
    lock.release()
    return not is_free


def kill_runner(paths: Paths) -> int | None:
    """SIGKILL the runner, if one lives, and wait until it is dead; returns which it was."""
    until(lambda: not runner_lives(paths) or _living(paths))  # it has the lock before it says so
    number = _living(paths)
    if number is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        until(lambda: not is_running(number))
    return number


def _living(paths: Paths) -> int | None:
    """The process that became the runner last, if it still is that."""
    number = next(reversed(runners(paths)), 0)
    if not number or not is_running(number):
        return None
    words = Path(f"/proc/{number}/cmdline")
    with contextlib.suppress(OSError):  # numbers are given again
        return number if b"--headless" in words.read_bytes() else None
    return None if words.parent.parent.is_dir() else number


def is_running(number: int) -> bool:
    """Whether there is a process of that number that has not ended (a zombie has)."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{number}/stat")
    with contextlib.suppress(OSError):
        return stat.read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    return not stat.parent.parent.is_dir()


def end_runners(paths: Paths) -> None:
    """See to it that no runner works on a state directory any more, not even one that just begins."""
    if not paths.database.exists():
        return

    def is_over() -> bool:
        with contextlib.closing(sqlite3.connect(paths.database, timeout=10)) as connection, connection:
            # Without work a runner that comes later ends by itself.
            final = "state IN ('installed', 'failed', 'cancelled')"
            connection.execute(f"UPDATE transfers SET state = 'cancelled' WHERE NOT {final}")
        return kill_runner(paths) is None

    until(is_over)


def rows(paths: Paths) -> list[QueuedTransfer]:
    """The queue as it lies in the store."""
    if not paths.database.exists():
        return []
    store = Store.open(paths.database)
    try:
        assert store.trouble is None, store.trouble
        return list(store.queue.all())
    finally:
        store.close()


def row_of(paths: Paths, name: str) -> QueuedTransfer | None:
    return next((row for row in rows(paths) if row.transfer.name.short == name), None)


def is_pulling(paths: Paths, name: str, least: int = 1) -> bool:
    """Whether bytes of a model are arriving and are saved."""
    row = row_of(paths, name)
    return row is not None and row.transfer.state is State.PULLING and row.transfer.done >= least


def is_installed(paths: Paths, name: str) -> bool:
    row = row_of(paths, name)
    return row is not None and row.transfer.state is State.INSTALLED


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
