"""Asks a server whether it is there while nothing else tells: a silent one, and one that was away."""

import asyncio
from collections.abc import Callable, Coroutine

from modeltui.domain.transfers import State
from modeltui.errors import ModeltuiError, TimedOut, Unreachable
from modeltui.services.servers import Link

_RETURN_MS = 2_000


class Presence:
    """That of one transfer's server. `lost` is told why it is taken for gone, `returned` that it is back."""

    def __init__(
        self,
        spawn: Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"],
        lost: Callable[[str], None],
        returned: Callable[[], None],
    ) -> None:
        self._spawn = spawn
        self._lost = lost
        self._returned = returned
        self._heard_at = 0
        self.is_away: bool | None = False  # None: it was lost, and not asked since
        self.task: asyncio.Task[None] | None = None

    def ask_if_silent(self, link: Link | None, state: State, stall_ms: int, now: int) -> None:
        """While it verifies a server says nothing, for minutes: is it there at all? And is one back?"""
        patience, question = 0, self._ask_for_life
        if state is State.VERIFYING:
            patience = stall_ms
        elif state is State.RETRYING and self.is_away is not False:
            patience, question = _RETURN_MS, self._ask_for_return
        if link is None or not patience or now < self._heard_at:
            self._heard_at = now
        elif now - self._heard_at >= patience and (self.task is None or self.task.done()):
            self._heard_at = now
            self.task = self._spawn(question(link))

    async def _ask_for_life(self, link: Link) -> None:
        """Give the try up when the server answers nothing else either."""
        try:
            await link.api.version()
        except ModeltuiError as error:
            self._lost(f"silent while it verified: {error.message}")

    async def _ask_for_return(self, link: Link) -> None:
        """Go on at once when a server that was away answers again."""
        try:
            await link.api.version()
        except (TimedOut, Unreachable):
            self.is_away = True
            return
        except ModeltuiError:
            pass  # it is there
        was_away, self.is_away = self.is_away, False
        if was_away:
            self._returned()
