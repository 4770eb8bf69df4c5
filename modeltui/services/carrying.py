"""Carries one transfer: runs its stream and its checks, feeds the reducer, and saves what comes of it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, replace

from modeltui.domain.causes import Cause
from modeltui.domain.events import (
    Announced,
    Asked,
    Checked,
    Closed,
    Event,
    Held,
    Layer,
    Noted,
    ServerError,
    Started,
)
from modeltui.domain.progress import has_long_to_go
from modeltui.domain.reducer import Effect, reduce
from modeltui.domain.survival import survival_words
from modeltui.domain.transfers import FINAL, Limits, Manifest, State, Wanted
from modeltui.domain.words import state_words
from modeltui.errors import ModeltuiError, TimedOut, Unreachable
from modeltui.services.announcing import PATIENCE_MS, Announcement
from modeltui.services.cancelling import what_cancel_did
from modeltui.services.checking import check_pulled
from modeltui.services.explaining import explained
from modeltui.services.preflight import why_not
from modeltui.services.presence import Presence
from modeltui.services.saving import Saving
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.text import clean_line

SAVE_MS = 500
_REPORTED = frozenset({State.STARTING, State.RETRYING, State.PAUSED, State.BLOCKED}) | FINAL
_MANIFEST_S = 3.0
_GATHER_S = 0.4
_AT_ONCE_S = 0.005


@dataclass(frozen=True, slots=True)
class Means:
    """What a runner lends to each of its carriers.

    `random` gives jitter, `wake` ends the runner's wait, `report` is told what happens, a line each.
    """

    services: Services
    limits: Limits
    random: Callable[[], float]
    spawn: Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]
    wake: Callable[[], None]
    report: Callable[[str], None]


class Carrier:
    """One transfer of the queue while a runner has it."""

    def __init__(self, row: QueuedTransfer, means: Means) -> None:
        self.number = row.number
        self.server_id = row.server_id
        self.position = row.position
        self.wishes = row.wishes
        self.transfer = row.transfer
        self.is_forced = row.is_forced
        self.link: Link | None = None
        self._means = means
        self._queue = means.services.store.queue
        self._stream: asyncio.Task[None] | None = None
        self._announcement = Announcement(self._spawn, self._hear)
        self._check: asyncio.Task[None] | None = None
        self._presence = Presence(self._spawn, self._lose, self._go_on)
        self._was_lost = False
        self._saving = Saving(row.number, row.transfer)

    @property
    def tasks(self) -> set["asyncio.Task[None]"]:
        """What runs for it now."""
        every = (self._stream, self._announcement.task, self._check, self._presence.task)
        return {task for task in every if task is not None and not task.done()}

    @property
    def is_at_server(self) -> bool:
        """Whether something runs for it on its server; its registry may be asked at any time."""
        return bool(self.tasks - {self._announcement.task})

    def is_due(self, now: int) -> bool:
        """Whether it may start (again) now."""
        transfer = self.transfer
        if transfer.wanted is not Wanted.RUN or self.is_at_server:
            return False
        if transfer.state is State.RETRYING:
            return transfer.retry_at is None or transfer.retry_at <= now
        return transfer.state is State.WAITING

    def look_ahead(self, now: int) -> None:
        """Ask its registry before it starts: what it shares with others counts."""
        if self.transfer.manifest is None:
            self._announcement.ask_ahead(self._means.services, self.transfer.name, now)

    def is_expecting(self, now: int) -> bool:
        """Whether its registry was asked just now, so that the answer is worth a short wait."""
        return self._announcement.is_expected(now)

    def start(self, now: int, link: Link) -> None:
        """Begin a try."""
        self.link, cause = link, self.transfer.cause
        self._was_lost = cause is Cause.NETWORK or (self._was_lost and cause is not Cause.DIGEST)
        self.apply(Started(now))

    def apply(self, event: Event) -> None:
        """Feed one event to the reducer and do what follows; a new state is saved at once."""
        before = self.transfer
        self.transfer, effects = reduce(before, event, self._means.limits)
        for effect in effects:
            self._do(effect)
        if self.transfer.state is before.state:
            return
        services, transfer, link = self._means.services, self.transfer, self.link
        if transfer.state in _REPORTED:
            self._report(state_words(transfer, services.clock(), services.config.retries))
        if transfer.state in (State.RETRYING, State.FAILED, State.BLOCKED):
            self._saving.add(lambda: self._queue.add_attempt(self.number, transfer))
        if transfer.is_final:
            error = None if transfer.state is State.INSTALLED else transfer.detail or transfer.state
            self._saving.add(lambda: services.log(link, "pull", transfer.sent.short, error))
        self.save()
        self._means.wake()

    def obey(self, row: QueuedTransfer) -> None:
        """Take over a person's wish and order."""
        self.position, self.wishes, self.is_forced = row.position, row.wishes, row.is_forced
        wanted = row.transfer.wanted
        if row.obeyed != row.wishes:
            self._report(f"wanted: {wanted}")
        self.apply(Asked(self._means.services.clock(), wanted))
        if not self._saving.knows(self.transfer):
            self.save()

    def lend(self, means: Means) -> None:
        """Work with other means from now on: the configuration was edited."""
        self._means = means

    def _report(self, words: str) -> None:
        self._means.report(f"{self.number} {self.transfer.name.short}: {words}")

    def probe_if_silent(self, now: int) -> None:
        """Ask its server whether it is there, while that matters and nothing else tells."""
        self._presence.ask_if_silent(self.link, self.transfer.state, self._means.limits.stall_ms, now)

    def _lose(self, words: str) -> None:
        """Its server is gone."""
        self.apply(Closed(self._means.services.clock(), words, self._means.random()))

    def _go_on(self) -> None:
        """Its server is back: no more waiting."""
        if self.transfer.state is State.RETRYING:
            self._was_lost = True
            self.apply(Asked(self._means.services.clock(), Wanted.RUN))

    def save_if_due(self, now: int) -> None:
        """Write progress, at most twice a second; at once when the clock was set back."""
        if not self._saving.knows(self.transfer) and self._saving.is_due(now, SAVE_MS):
            self.save()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and the queue knows it."""
        return self.transfer.is_final and self.rests

    @property
    def rests(self) -> bool:
        """Whether nothing happens to it until a person wants it, and the queue knows it."""
        return self.transfer.is_resting and self._saving.knows(self.transfer)

    def save(self) -> None:
        """Write how it stands; raises StoreError when that has failed too often."""
        self._saving.save(self._means.services, self.transfer, self.wishes)

    async def end(self) -> None:
        """End what still runs for it."""
        tasks = self.tasks
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _do(self, effect: Effect) -> None:
        if effect is Effect.CONNECT:
            self._stream = self._spawn(self._follow())
            self._announcement.ask_anew(self._means.services, self.transfer.name, self.transfer.at)
        elif effect is Effect.CLOSE:
            # A stream that has just reported its own end is over; cancelling another closes its connection.
            if self._stream is not None and self._stream is not asyncio.current_task():
                self._stream.cancel()
            self._announcement.drop()
        elif effect is Effect.CHECK and (self._check is None or self._check.done()):
            self._check = self._spawn(self._look())

    def _spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Run something for this transfer alone: what nobody foresaw stops it, and not the whole queue."""

        async def guarded() -> None:
            try:
                await work
            except ModeltuiError:
                raise
            except Exception as error:
                words = clean_line(f"a defect of modeltui: {type(error).__name__}: {error}")
                self.apply(Held(self._means.services.clock(), Cause.DEFECT, words))

        return self._means.spawn(guarded())

    def _hear(self, manifest: Manifest) -> None:
        """The registry has answered."""
        services = self._means.services
        self.apply(Announced(services.clock(), manifest))
        if self.transfer.manifest is manifest:
            digests = [blob.digest for blob in manifest.blobs]
            services.remember(lambda: self._queue.keep_blobs(self.number, digests))
        self._means.wake()

    async def _follow(self) -> None:
        """One try: the server's stream, event by event.

        A later one first asks whether the server is there at all, and says what it kept.
        """
        assert self.link is not None
        version, before = None, self.transfer.done if self.transfer.tries > 1 else 0
        if self.transfer.tries > 1:
            try:
                version = await self.link.api.version()
            except (TimedOut, Unreachable) as error:
                self._presence.is_away = True
                self._lose(error.words)
                return
            except ModeltuiError:
                pass  # it is there; what it thinks of the pull it will say itself
        name = self.transfer.sent
        if not self.is_forced and (held := await self._no_room()) is not None:
            self.apply(held)
            return
        insecure = self._means.services.config.registry(name.host).insecure
        loop = asyncio.get_running_loop()
        async with aclosing(self.link.api.pull(name, insecure=insecure)) as events:
            asked = loop.time()
            async for event in events:
                was_waited_for = loop.time() - asked > _AT_ONCE_S
                if isinstance(event, ServerError):
                    event = await explained(self._means.services, self.link, self.transfer, event)
                elif isinstance(event, Closed):
                    self._presence.is_away = None
                if isinstance(event, (ServerError, Closed)):
                    event = replace(event, jitter=self._means.random())
                self.apply(event)
                if before and isinstance(event, Layer) and event.completed < event.total:
                    kept = survival_words(before, self.transfer.seen, version if self._was_lost else None)
                    self.apply(Noted(event.at, kept))
                    before, self._was_lost = 0, False
                if was_waited_for and has_long_to_go(self.transfer):
                    await asyncio.sleep(_GATHER_S)
                asked = loop.time()
        self._means.wake()

    async def _no_room(self) -> Held | None:
        """Why its server's disk has no room for it, as far as that can be seen from here."""

        async def manifest() -> Manifest | None:
            await self._announcement.wait(PATIENCE_MS / 1000)
            return self.transfer.manifest

        assert self.link is not None
        return await why_not(self._means.services, self.link, self.transfer.sent, manifest)

    async def _look(self) -> None:
        """After success, or after a cancel: what is really there?"""
        assert self.link is not None
        services = self._means.services
        if self._stream is not None:
            await asyncio.wait({self._stream})
        if self.transfer.wanted is Wanted.CANCEL:
            result, words = await what_cancel_did(
                self.link, self.transfer, services.clock, lambda: self.transfer.wanted is Wanted.CANCEL
            )
        else:
            await self._announcement.wait(_MANIFEST_S)
            name, manifest = self.transfer.sent, self.transfer.manifest
            again = self.transfer.damages > 0
            result, words = await check_pulled(services, self.link, name, manifest, again=again)
        self.apply(Checked(services.clock(), result, words, self._means.random()))
        self._means.wake()
