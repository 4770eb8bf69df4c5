"""Carries the queue out: whoever holds the runner's lock starts transfers and obeys wishes.

Screens and commands only write wishes and read progress; this class runs inside the program that asked,
behind the same lock and table that a process of its own would use.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from modeltui.domain.causes import Cause
from modeltui.domain.events import Asked, Held, Interrupted, Tick
from modeltui.domain.reducer import reduce
from modeltui.domain.transfers import Limits, State, Wanted
from modeltui.errors import ModeltuiError, StoreError
from modeltui.services.carrying import Carrier, Means
from modeltui.services.rereading import ConfigEdits
from modeltui.services.servers import MissingSecret
from modeltui.services.tree import Services
from modeltui.services.turns import Turns
from modeltui.services.ways import Ways
from modeltui.store.journal import Origin
from modeltui.store.locks import FileLock

STEP_S = 0.25
MENDED_BY_CONFIG = frozenset({Cause.NO_SECRET, Cause.NO_SERVER})
"""Of what is blocked for these only a runner can tell whether it still is."""


class Runner:
    """One runner. `random` gives the jitter of retries, from 0 to 1; `report` is told what happens."""

    def __init__(
        self,
        services: Services,
        *,
        random: Callable[[], float],
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._services = replace(services, origin=Origin.RUNNER)
        self._report = report
        self._edits = ConfigEdits(services)
        self._queue = services.store.queue
        self._random = random
        self._carriers: dict[int, Carrier] = {}
        self._turns = Turns(self._services)
        self._ways = Ways(services.links, services.clock)
        self._connecting: dict[int, asyncio.Task[None]] = {}
        self._seen: tuple[int, int] | None = None
        self._wake = asyncio.Event()
        self._lock = FileLock(services.paths.runner_lock)

    def acquire(self) -> bool:
        """Become the runner; False when another process is. Takes up what a dead one left.

        Raises StoreError when the queue cannot be read; then this is not the runner.
        """
        try:
            if not self._lock.acquire(wait=False):
                return False
        except OSError as error:
            self._services.note(f"no lock can be made ({error.strerror}): run only one modeltui here")
        try:
            self._take_up()
        except StoreError:
            self._lock.release()
            raise
        return True

    def _take_up(self) -> None:
        now = self._services.clock()
        for row in self._queue.open():
            transfer, _ = reduce(row.transfer, Interrupted(now))
            if row.transfer.state is State.BLOCKED and row.transfer.cause in MENDED_BY_CONFIG:
                transfer, _ = reduce(transfer, Asked(now, row.transfer.wanted))
            if transfer.state is not row.transfer.state:
                self._queue.save(row.number, transfer)

    def release(self) -> None:
        """Be the runner no longer, without having run."""
        self._lock.release()

    async def run(self, is_done: Callable[[], bool]) -> None:
        """Carry out until `is_done`, or nothing is left; on the way out everything is put back.

        Must follow an `acquire` that returned True; the lock is given back at the end. Raises StoreError
        when the queue cannot be read any more.
        """
        self._seen = None
        try:
            async with asyncio.TaskGroup() as group:
                services, wake = self._services, self._wake.set
                limits = _limits(services)
                means = Means(services, limits, self._random, group.create_task, wake, self._report)
                try:
                    await self._turn(means, is_done)
                finally:
                    try:
                        await self._put_back()
                    finally:
                        await self._ways.close()
                        await self._edits.close()
        except ExceptionGroup as failed:
            known = [error for error in failed.exceptions if isinstance(error, ModeltuiError)]
            if known:
                raise known[0] from None
            raise
        finally:
            self._turns.release()
            self._lock.release()

    async def _turn(self, means: Means, is_done: Callable[[], bool]) -> None:
        while True:
            means = await self._read_again(means)
            self._take_in(means)
            now = self._services.clock()
            await self._pass_time(now)
            await self._ways.close_unused([carrier.link for carrier in self._carriers.values()])
            self._turns.give_locks_back(self._carriers.values())
            self._start_due(means, now)
            if is_done() or not self._carriers:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STEP_S):
                    await self._wake.wait()
            self._wake.clear()

    async def _read_again(self, means: Means) -> Means:
        """Work by the configuration as it was edited; what lacked its server or secret is tried again."""
        news = await self._edits.look(self._report)
        if news is None:
            return means
        if news.links is not self._services.links:
            for task in self._connecting.values():
                task.cancel()
            self._connecting.clear()
            self._ways.lead_by(news.links)
        self._services = replace(self._services, config=news.config, links=news.links)
        self._turns.services = self._services
        means = replace(means, services=self._services, limits=_limits(self._services))
        for carrier in self._carriers.values():
            carrier.lend(means)
            if carrier.transfer.state is State.BLOCKED and carrier.transfer.cause in MENDED_BY_CONFIG:
                carrier.apply(Asked(self._services.clock(), carrier.transfer.wanted))
        return means

    def is_in_place(self) -> bool:
        """Whether the lock that it holds still is the one of its state directory."""
        return self._lock.is_in_place()

    def rests(self) -> bool:
        """Whether nothing that was read from the queue waits for anything but a person."""
        return all(carrier.rests for carrier in self._carriers.values())

    def _take_in(self, means: Means) -> None:
        """Read the rows if another process wrote; what a person wishes is an event like any other."""
        version = self._services.store.version_of_data()
        if version == self._seen:
            return
        self._seen = version
        self._turns.wished = self._services.store.facts.per_server()
        for row in self._queue.open():
            carrier = self._carriers.get(row.number)
            if carrier is None:
                carrier = self._carriers[row.number] = Carrier(row, means)
                is_wished = row.obeyed != row.wishes or row.transfer.wanted is not Wanted.RUN
                if is_wished or row.transfer.state is State.PAUSED:
                    carrier.obey(row)
            elif row.wishes != carrier.wishes:
                carrier.obey(row)
            carrier.position = row.position

    async def _pass_time(self, now: int) -> None:
        for number, carrier in list(self._carriers.items()):
            carrier.apply(Tick(now, self._random()))
            carrier.probe_if_silent(now)
            carrier.save_if_due(now)
            if carrier.is_over:
                await carrier.end()
                del self._carriers[number]

    def _start_due(self, means: Means, now: int) -> None:
        """Start those whose turn it is, where the way to their server is known."""
        self._turns.hold_back(self._carriers.values(), now)
        for carrier in self._turns.due(self._carriers.values(), now):
            link = self._ways.to(carrier.server_id)
            if link is not None:
                self._turns.start(carrier, link, now)
                if carrier.link is link:
                    self._ways.spend(carrier.server_id)
            elif carrier.server_id not in self._connecting:
                self._connecting[carrier.server_id] = means.spawn(self._connect(carrier))

    async def _connect(self, carrier: Carrier) -> None:
        """Find the way to a transfer's server, beside everything else: a token command may take long.

        Without a way the transfer is blocked and says why.
        """
        cause, words = Cause.NO_SERVER, "its server is no longer configured"
        try:
            is_found = await self._ways.find(carrier.server_id)
        except ModeltuiError as error:
            is_found, words = False, error.message
            cause = Cause.NO_SECRET if isinstance(error, MissingSecret) else Cause.NO_SERVER
        del self._connecting[carrier.server_id]
        if not is_found:
            carrier.apply(Held(self._services.clock(), cause, words))
        self._wake.set()

    async def _put_back(self) -> None:
        """Leave the queue as the next runner should find it."""
        for task in self._connecting.values():
            task.cancel()
        self._connecting.clear()
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


def _limits(services: Services) -> Limits:
    return Limits(services.config.retries, services.config.stall_s * 1000)
