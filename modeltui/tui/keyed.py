"""How keys are obeyed, and how they are written."""

import asyncio
import contextlib

from textual import events
from textual.binding import Binding
from textual.keys import key_to_character
from textual.widgets import Input

from modeltui.tui.telling import TellingApp
from modeltui.tui.widgets.filterline import FilterLine

KEY_WORDS = {
    "escape": "esc", "space": "space", "pageup": "pgup", "pagedown": "pgdn", "up": "↑", "down": "↓",
    "enter": "enter", "backspace": "backspace", "slash": "/", "plus": "+", "minus": "-", "equals_sign": "=",
}  # fmt: skip


SETTLE_S = 0.2


class KeyedApp(TellingApp):
    """Keys in their order, and by names that people write."""

    def get_key_display(self, binding: Binding) -> str:
        """A key as people write it: `enter`, `esc`, `ctrl+p`, `D`."""
        key = binding.key
        return binding.key_display or KEY_WORDS.get(key) or key_to_character(key) or key

    async def on_event(self, event: events.Event) -> None:
        """Obey keys in their order: on a slow line several come at once, and `/q` must not quit.

        Textual hands a key to the focused widget and looks for its binding when it comes back, so that the
        next one overtakes it.
        """
        if not isinstance(event, events.Key) or event.is_forwarded or self._is_text(event):
            await super().on_event(event)
        elif self.is_typing:
            # What was typed before it is taken first, and what comes after it meets what it led to.
            await self._let_settle()
            await self._obey(event)
            await self._let_settle()
        else:
            await self._obey(event)

    async def _obey(self, event: events.Key) -> None:
        """Run the key's binding now; without one the focused widget has it."""
        if event.key == "escape":
            self.clear_notifications()
        if await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key):
            for _ in range(3):  # a deed that begins with a dialog has opened it after that
                await asyncio.sleep(0)
            return
        await super().on_event(event)

    async def _let_settle(self) -> None:
        """Wait until the focused widget and what stands around it have taken what was sent to them."""
        nodes = list(self.focused.ancestors_with_self) if self.focused is not None else [self.screen]
        for node in nodes:
            if node is self:
                return
            done = asyncio.Event()
            node.call_later(done.set)
            with contextlib.suppress(TimeoutError):  # it has just gone
                async with asyncio.timeout(SETTLE_S):
                    await done.wait()

    def _is_text(self, event: events.Key) -> bool:
        """Whether a key only writes: of the filter backspace, too, which elsewhere means back."""
        is_backspace = event.key == "backspace" and isinstance(self.focused, FilterLine)
        return is_backspace or (self.is_typing and event.is_printable)

    @property
    def is_typing(self) -> bool:
        """Whether keys are text now."""
        return isinstance(self.focused, FilterLine | Input) or getattr(self.screen, "TAKES_TEXT", False)
