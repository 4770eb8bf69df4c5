"""A queue that is carried out in this process, and what another process sees of it meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise

from demo_stage import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    Place,
    until,
)

from modeltui.domain.names import parse
from modeltui.domain.transfers import CONNECTED, State
from modeltui.services.runner import Runner
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.store.store import Store


def put(place: Place, *names: str) -> list[int]:
    return [place.pulls.enqueue(place.link, parse(name))[0].number for name in names]


def row(services: Services, number: int = 1) -> QueuedTransfer:
    found = services.store.queue.get(number)
    assert found is not None
    return found


def state(place: Place, number: int = 1) -> State:
    return row(place.services, number).transfer.state


@asynccontextmanager
async def running(services: Services) -> AsyncIterator["asyncio.Task[None]"]:
    """A runner at work until the end of the block."""
    runner = Runner(services, random=lambda: 0.0)
    assert runner.acquire()
    task = asyncio.create_task(runner.run(lambda: False))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def carry_out(services: Services, seconds: float = 15) -> None:
    """Run until nothing in the queue moves any more."""
    runner = Runner(services, random=lambda: 0.0)
    assert runner.acquire()
    async with asyncio.timeout(seconds):
        await runner.run(lambda: all(each.is_resting for each in services.store.queue.all()))


async def reach(place: Place, *states: State, number: int = 1) -> None:
    await until(lambda: state(place, number) in states)


@dataclass
class Seen:
    """What another process sees of the rows, as often as they change."""

    rows: list[tuple[QueuedTransfer, ...]] = field(default_factory=list)

    def of(self, number: int = 1) -> list[QueuedTransfer]:
        return [each for rows in self.rows for each in rows if each.number == number]

    def states(self, number: int = 1) -> list[State]:
        found = [each.transfer.state for each in self.of(number)]
        return found[:1] + [b for a, b in pairwise(found) if a is not b]

    def at_once(self, server_id: int | None = None) -> int:
        """The most that were connected at one moment."""
        return max(
            sum(r.transfer.state in CONNECTED and server_id in (None, r.server_id) for r in rows)
            for rows in self.rows
        )


@asynccontextmanager
async def watched(place: Place) -> AsyncIterator[Seen]:
    seen, store = Seen(), Store.open(place.paths.database)

    async def look() -> None:
        version: object = None
        while True:
            if (now := store.version_of_data()) != version:
                version = now
                seen.rows.append(store.queue.all())
            await asyncio.sleep(0.005)

    task = asyncio.create_task(look())
    try:
        yield seen
    finally:
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()
