"""Carries the queue out: whoever holds the runner's lock starts transfers and obeys wishes.

Screens and commands only write wishes and read progress; this class runs inside the program that asked,
behind the same lock and table that a process of its own would use.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from modeltui.domain.causes import Cause
from modeltui.domain.reducer import reduce
from modeltui.domain.transfers import (
    ACTIVE,
    CONNECTED,
    Asked,
    Held,
    Interrupted,
    Limits,
    Started,
    State,
    Tick,
    Wanted,
)
from modeltui.errors import ModeltuiError
from modeltui.services.carrying import Carrier, Means
from modeltui.services.servers import Link, MissingSecret
from modeltui.services.transferlock import share
from modeltui.services.tree import Services
from modeltui.store.journal import Origin
from modeltui.store.locks import FileLock
from modeltui.store.queue import QueuedTransfer

STEP_S = 0.25


class Runner:
    """One runner. `random` gives the jitter of retries, from 0 to 1."""

    def __init__(self, services: Services, *, random: Callable[[], float]) -> None:
        self._services = replace(services, origin=Origin.RUNNER)
        self._queue = services.store.queue
        self._random = random
        self._carriers: dict[int, Carrier] = {}
        self._server_locks: dict[int, FileLock] = {}
        self._links: dict[int, Link] = {}
        self._connecting: dict[int, asyncio.Task[None]] = {}
        self._seen: tuple[int, int] | None = None
        self._wake = asyncio.Event()
        self._lock = FileLock(services.paths.runner_lock)

    def acquire(self) -> bool:
        """Become the runner; False when another process is. Takes up what a dead one left."""
        try:
            if not self._lock.acquire(wait=False):
                return False
        except OSError as error:
            self._services.note(f"no lock can be made ({error.strerror}): run only one modeltui here")
        now = self._services.clock()
        for row in self._queue.open():
            transfer, _ = reduce(row.transfer, Interrupted(now))
            if row.transfer.state is State.BLOCKED and row.transfer.cause in (
                Cause.NO_SECRET,
                Cause.NO_SERVER,
            ):
                transfer, _ = reduce(transfer, Asked(now, row.transfer.wanted))
            if transfer.state is not row.transfer.state:
                self._queue.save(row.number, transfer)
        return True

    async def run(self, is_done: Callable[[], bool]) -> None:
        """Carry out until `is_done`, or nothing is left; on the way out everything is put back.

        Must follow an `acquire` that returned True; the lock is given back at the end. Raises StoreError
        when the queue cannot be read any more.
        """
        config = self._services.config
        limits = Limits(config.retries, config.stall_s * 1000)
        self._seen = None
        try:
            async with asyncio.TaskGroup() as group:
                means = Means(self._services, limits, self._random, group.create_task, self._wake.set)
                try:
                    await self._turn(means, is_done)
                finally:
                    await self._put_back()
        except ExceptionGroup as failed:
            known = [error for error in failed.exceptions if isinstance(error, ModeltuiError)]
            if known:
                raise known[0] from None
            raise
        finally:
            for lock in self._server_locks.values():
                lock.release()
            self._server_locks.clear()
            self._lock.release()

    async def _turn(self, means: Means, is_done: Callable[[], bool]) -> None:
        while True:
            self._take_in(means)
            now = self._services.clock()
            await self._pass_time(now)
            self._give_locks_back()
            self._start_due(means, now)
            if is_done() or not self._carriers:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STEP_S):
                    await self._wake.wait()
            self._wake.clear()

    def _take_in(self, means: Means) -> None:
        """Read the rows if another process wrote; what a person wishes is an event like any other."""
        version = self._services.store.version_of_data()
        if version == self._seen:
            return
        self._seen = version
        for row in self._queue.open():
            carrier = self._carriers.get(row.number)
            if carrier is None:
                carrier = self._carriers[row.number] = Carrier(row, means)
                if row.transfer.wanted is not Wanted.RUN or row.transfer.state is State.PAUSED:
                    carrier.apply(Asked(self._services.clock(), row.transfer.wanted))
            elif row.wishes != carrier.wishes:
                carrier.apply(Asked(self._services.clock(), row.transfer.wanted))
            carrier.position, carrier.wishes = row.position, row.wishes

    async def _pass_time(self, now: int) -> None:
        for number, carrier in list(self._carriers.items()):
            carrier.apply(Tick(now, self._random()))
            carrier.probe_if_silent(now)
            carrier.save_if_due(now)
            if carrier.is_over:
                await carrier.end()
                del self._carriers[number]

    def _start_due(self, means: Means, now: int) -> None:
        """Start what is due, in the order of the queue, while its server has room."""
        busy: dict[int, int] = {}
        for carrier in self._carriers.values():
            busy[carrier.server_id] = busy.get(carrier.server_id, 0) + (carrier.transfer.state in CONNECTED)
        due = [carrier for carrier in self._carriers.values() if carrier.is_due(now)]
        for carrier in sorted(due, key=lambda each: (each.position, each.number)):
            if busy[carrier.server_id] >= self._services.config.per_server:
                continue
            link = self._links.get(carrier.server_id)
            if link is None:
                if carrier.server_id not in self._connecting:
                    self._connecting[carrier.server_id] = means.spawn(self._connect(carrier))
            elif self._may_pull(link):
                busy[carrier.server_id] += 1
                carrier.link = link
                carrier.apply(Started(now))

    async def _connect(self, carrier: Carrier) -> None:
        """Find the way to a transfer's server, beside everything else: a token command may take long.

        Without a way the transfer is blocked and says why.
        """
        cause, words = Cause.NO_SERVER, "its server is no longer configured"
        try:
            link = await self._services.links.connect_by_id(carrier.server_id)
        except ModeltuiError as error:
            link, words = None, error.message
            cause = Cause.NO_SECRET if isinstance(error, MissingSecret) else Cause.NO_SERVER
        del self._connecting[carrier.server_id]
        if link is None:
            carrier.apply(Held(self._services.clock(), cause, words))
        else:
            self._links[carrier.server_id] = link
        self._wake.set()

    def _may_pull(self, link: Link) -> bool:
        """Share the server's lock with other pulls; not while a delete holds it alone."""
        try:
            lock = share(self._services, link.id)
        except OSError:
            return True  # a delete that cannot make the lock either says so
        if lock is None:
            return False
        if link.id in self._server_locks:
            lock.release()
        else:
            self._server_locks[link.id] = lock
        return True

    def _give_locks_back(self) -> None:
        in_use = {c.server_id for c in self._carriers.values() if c.transfer.state in ACTIVE or c.tasks}
        for server_id in set(self._server_locks) - in_use:
            self._server_locks.pop(server_id).release()

    async def _put_back(self) -> None:
        """Leave the queue as the next runner should find it, and let go of every connection."""
        for task in self._connecting.values():
            task.cancel()
        for carrier in self._carriers.values():
            carrier.apply(Interrupted(self._services.clock()))
            await carrier.end()
        self._carriers.clear()


async def carry(
    services: Services,
    *,
    random: Callable[[], float],
    is_done: Callable[[], bool],
    holding: Callable[[bool], None] = lambda holds: None,
) -> None:
    """See the queue carried out until `is_done`: be the runner whenever no other process is.

    `holding` is told when this process becomes the runner, and when it no longer is.
    """
    while not is_done():
        runner = Runner(services, random=random)
        if runner.acquire():
            holding(True)
            try:
                await runner.run(is_done)
            finally:
                holding(False)
            if is_done():
                return
        await asyncio.sleep(STEP_S)


def is_resting(row: QueuedTransfer) -> bool:
    """Whether nothing happens to a transfer until a person wants it."""
    return row.transfer.is_resting
