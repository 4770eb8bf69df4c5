"""Asks the registry for the manifest of one transfer: ahead of its start, and with each try anew."""

import asyncio
from collections.abc import Callable, Coroutine

from modeltui.domain.names import ModelName
from modeltui.domain.transfers import Manifest
from modeltui.errors import ModeltuiError, NotFound
from modeltui.services.preflight import announced
from modeltui.services.tree import Services

PATIENCE_MS = 2_000
"""So long a start that depends on it is held back for the answer of a registry."""

_AHEAD_MS = 60_000


class Announcement:
    """One transfer's; `hear` gets what the registry says. A registry that cannot be asked is no failure."""

    def __init__(
        self,
        spawn: Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"],
        hear: Callable[[Manifest], None],
    ) -> None:
        self._spawn = spawn
        self._hear = hear
        self._has_heard = False
        self._ahead_at: int | None = None
        self._asked_at = 0
        self.task: asyncio.Task[None] | None = None

    def ask_ahead(self, services: Services, name: ModelName, now: int) -> None:
        """Ask before it starts, at most once a minute."""
        if self._ahead_at is None or now - self._ahead_at >= _AHEAD_MS:
            self._ahead_at = now
            self._ask(services, name)

    def ask_anew(self, services: Services, name: ModelName, now: int) -> None:
        """Ask as a try begins, unless that was done just now: the tag may have moved since the last."""
        if self._ahead_at is None or now - self._ahead_at >= _AHEAD_MS:
            self._ask(services, name)
        self._ahead_at = None

    def drop(self) -> None:
        """Nobody waits for the answer any more."""
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()
        self._ahead_at = None

    def is_expected(self, now: int) -> bool:
        """Whether the registry was asked just now, so that its answer is worth a short wait."""
        return self.task is not None and not self.task.done() and now - self._asked_at < PATIENCE_MS

    async def wait(self, seconds: float) -> None:
        """Wait for the answer, or no longer than that."""
        if self.task is not None:
            await asyncio.wait({self.task}, timeout=seconds)

    def _ask(self, services: Services, name: ModelName) -> None:
        is_asking = self.task is not None and not (self.task.done() or self.task.cancelling())
        if services.config.lookup and not is_asking:
            self._asked_at = services.clock()
            self.task = self._spawn(self._look_up(services, name))

    async def _look_up(self, services: Services, name: ModelName) -> None:
        try:
            manifest = await announced(services, name)
        except NotFound:
            return  # the server will say so itself, in its own words
        except ModeltuiError as error:
            if not self._has_heard:
                services.note(f"{name.short}: its exact size is not known here ({error.message})")
            return
        self._has_heard = True
        self._hear(manifest)
