"""Carries one transfer: runs its stream and its checks, feeds the reducer, and saves what comes of it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, replace

from modeltui.domain.causes import Cause
from modeltui.domain.reducer import Effect, reduce
from modeltui.domain.transfers import (
    Announced,
    Checked,
    Closed,
    Event,
    Held,
    Limits,
    ServerError,
    State,
    Wanted,
)
from modeltui.errors import ModeltuiError, NotFound, StoreError
from modeltui.services.checking import check_pulled, look_after_cancel
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.text import clean_line

SAVE_MS = 500
_MOST_FAILURES = 20
_MANIFEST_S = 3.0


@dataclass(frozen=True, slots=True)
class Means:
    """What a runner lends to each of its carriers; `random` gives jitter, `wake` ends the runner's wait."""

    services: Services
    limits: Limits
    random: Callable[[], float]
    spawn: Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]
    wake: Callable[[], None]


class Carrier:
    """One transfer of the queue while a runner has it."""

    def __init__(self, row: QueuedTransfer, means: Means) -> None:
        self.number = row.number
        self.server_id = row.server_id
        self.position = row.position
        self.wishes = row.wishes
        self.transfer = row.transfer
        self.link: Link | None = None
        self._means = means
        self._queue = means.services.store.queue
        self._stream: asyncio.Task[None] | None = None
        self._manifest: asyncio.Task[None] | None = None
        self._check: asyncio.Task[None] | None = None
        self._probe: asyncio.Task[None] | None = None
        self._heard_at = 0
        self._saved = row.transfer
        self._saved_at = 0
        self._failures = 0

    @property
    def tasks(self) -> set["asyncio.Task[None]"]:
        """What runs for it now."""
        every = (self._stream, self._manifest, self._check, self._probe)
        return {task for task in every if task is not None and not task.done()}

    def is_due(self, now: int) -> bool:
        """Whether it may start (again) now."""
        transfer = self.transfer
        if transfer.wanted is not Wanted.RUN or self.tasks:
            return False
        if transfer.state is State.RETRYING:
            return transfer.retry_at is None or transfer.retry_at <= now
        return transfer.state is State.WAITING

    def apply(self, event: Event) -> None:
        """Feed one event to the reducer and do what follows; a new state is saved at once."""
        before = self.transfer
        self.transfer, effects = reduce(before, event, self._means.limits)
        for effect in effects:
            self._do(effect)
        if self.transfer.state is before.state:
            return
        services = self._means.services
        if self.transfer.state in (State.RETRYING, State.FAILED, State.BLOCKED):
            services.remember(lambda: self._queue.add_attempt(self.number, self.transfer))
        if self.transfer.is_final:
            done = self.transfer.state is State.INSTALLED
            error = None if done else self.transfer.detail or self.transfer.state
            services.log(self.link, "pull", self.transfer.name.short, error)
        self.save()
        self._means.wake()

    def probe_if_silent(self, now: int) -> None:
        """While it verifies a server says nothing, for minutes: is it there at all?"""
        stall_ms = self._means.limits.stall_ms
        if self.transfer.state is not State.VERIFYING or not stall_ms:
            self._heard_at = now
        elif now - self._heard_at >= stall_ms and (self._probe is None or self._probe.done()):
            self._heard_at = now
            self._probe = self._spawn(self._ask_for_life())

    def save_if_due(self, now: int) -> None:
        """Write progress, at most twice a second."""
        if self.transfer is not self._saved and now - self._saved_at >= SAVE_MS:
            self.save()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and the queue knows it."""
        return self.transfer.is_final and self.transfer is self._saved

    def save(self) -> None:
        """Write how it stands; a store that fails is tried again a few times, then raises StoreError."""
        services = self._means.services
        self._saved_at = services.clock()
        try:
            self._queue.save(self.number, self.transfer)
        except StoreError as error:
            self._failures += 1
            if self._failures >= _MOST_FAILURES:
                raise
            services.note(f"{error.message}; trying again")
        else:
            self._saved, self._failures = self.transfer, 0

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
            # With each try anew: the tag may have moved during a pause, or since the last try.
            if self._means.services.config.lookup:
                self._manifest = self._spawn(self._announce())
        elif effect is Effect.CLOSE:
            # A stream that has just reported its own end is over; cancelling another closes its connection.
            for task in (self._stream, self._manifest):
                if task is not None and task is not asyncio.current_task():
                    task.cancel()
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

    async def _follow(self) -> None:
        """One try: the server's stream, event by event."""
        assert self.link is not None
        name = self.transfer.name
        insecure = self._means.services.config.registry(name.host).insecure
        async with aclosing(self.link.api.pull(name, insecure=insecure)) as events:
            async for event in events:
                if isinstance(event, (ServerError, Closed)):
                    self.apply(replace(event, jitter=self._means.random()))
                else:
                    self.apply(event)
        self._means.wake()

    async def _announce(self) -> None:
        """Ask the registry for the exact size; one that cannot be asked from here is no failure."""
        from modeltui.registry.manifests import look_up

        services, name = self._means.services, self.transfer.name
        try:
            manifest = await look_up(name, services.config.registry(name.host).url(name.host))
        except NotFound:
            return  # the server will say so itself, in its own words
        except ModeltuiError as error:
            if self.transfer.manifest is None:
                services.note(f"{name.short}: its exact size is not known here ({error.message})")
            return
        self.apply(Announced(services.clock(), manifest))

    async def _ask_for_life(self) -> None:
        """End the try when the server answers nothing else either."""
        assert self.link is not None
        try:
            await self.link.api.version()
        except ModeltuiError as error:
            text = f"silent while it verified: {error.message}"
            self.apply(Closed(self._means.services.clock(), text, self._means.random()))

    async def _look(self) -> None:
        """After success, or after a cancel: what is really there?"""
        assert self.link is not None
        services, name = self._means.services, self.transfer.name
        if self._stream is not None:
            await asyncio.wait({self._stream})
        if self.transfer.wanted is Wanted.CANCEL:
            started = self.transfer.started or 0
            result, words = await look_after_cancel(self.link, name, self.transfer.manifest, started)
        else:
            if self._manifest is not None:
                await asyncio.wait({self._manifest}, timeout=_MANIFEST_S)
            result, words = await check_pulled(services, self.link, name, self.transfer.manifest)
        self.apply(Checked(services.clock(), result, words, self._means.random()))
        self._means.wake()
