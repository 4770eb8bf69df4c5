"""How keys are obeyed, and how they are written."""

import asyncio

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
        if isinstance(event, events.Key) and not event.is_forwarded and not self.is_typing:
            key = event.key
            if await self._check_bindings(key, priority=True) or await self._check_bindings(key):
                for _ in range(3):  # a deed that begins with a dialog has opened it after that
                    await asyncio.sleep(0)
                return
        await super().on_event(event)

    @property
    def is_typing(self) -> bool:
        """Whether keys are text now."""
        from modeltui.tui.screens.dialogs import TextDialog

        return isinstance(self.focused, FilterLine | Input) or isinstance(self.screen, TextDialog)
