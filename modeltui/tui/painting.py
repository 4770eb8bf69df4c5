"""When and what is sent to the terminal: a screen once it stands whole, of a line only what changed in it."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from rich.console import Console
from textual._compositor import ChopsUpdate
from textual.await_remove import AwaitRemove
from textual.dom import DOMNode
from textual.geometry import clamp
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import AwaitMount, Widget

from modeltui.tui.keyed import KeyedApp

RESET = "\x1b[0m"
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
PATIENCE_S = 1.0  # a screen that is busy for so long is painted as it stands


class NarrowUpdate(ChopsUpdate):
    """An update whose parts begin where the changed cells do. Over SSH each meter would be a whole line."""

    @classmethod
    def of(cls, update: Any) -> Any:
        """The same update, narrow; whatever else is to be displayed as it is."""
        return cls(update.chops, update.spans, update.chop_ends) if type(update) is ChopsUpdate else update

    def render_segments(self, console: Console) -> str:
        """The terminal sequences. Each part is placed by itself: no line ends are needed between them.

        A move leaves the colours as they are: two parts of the same ones need them once.
        """
        sequences = [""]
        colours = ""  # those of the last cell
        for y, first, last in self.spans:
            for end, (start, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or start >= last or end <= first:
                    continue
                x1, x2 = clamp(first, start, end), clamp(last, start, end)
                part: Strip = strip.crop(x1 - start, x2 - start)
                text = part.render(console)
                if colours and text.startswith(colours) and sequences[-1].endswith(RESET):
                    sequences[-1] = sequences[-1].removesuffix(RESET)
                    text = text.removeprefix(colours)
                colours = next((each for each in reversed(_COLOURS.findall(text)) if each != RESET), colours)
                sequences.append(f"\x1b[{y + 1};{x1 + 1}H{text}")
        return "".join(sequences)


class PaintedApp(KeyedApp):
    """Another screen is painted once, when it stands whole; of a line that changes, only what did is sent."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._unpainted: list[Callable[[], object]] = []

    async def show_mode(self, mode: str) -> None:
        """Show another mode, painted once: when its screen stands whole. Returns then."""
        if mode != self.current_mode:
            await self._paint_once(self.switch_mode(mode))  # holds the paints back

    async def show_over(self, screen: Screen[Any]) -> None:
        """Show a screen over the one that is seen, painted once. Returns then."""
        mounted = self.push_screen(screen)
        self._begin_batch()
        await self._paint_once(mounted)

    async def show_under(self) -> None:
        """Take the uppermost screen away; the one beneath is painted once. Returns then.

        Until it is gone is not waited for: it may be that which asks for this.
        """
        self.pop_screen()
        self._begin_batch()
        await self._paint_once(None)

    async def _paint_once(self, mounted: AwaitMount | None) -> None:
        """Let paints come again, one of all that is seen, when what a change of screens leads to stands."""
        screen, is_shown = self.screen, asyncio.Event()
        screen.call_later(is_shown.set)  # comes after the news that it is shown, and its answer to it
        try:
            async with asyncio.timeout(PATIENCE_S):
                if mounted is not None:
                    await mounted
                await is_shown.wait()
        except TimeoutError:
            pass
        finally:
            if mounted is not None:
                mounted._widgets = []  # Textual awaits it, too, and would lay out and paint all again
            self._end_batch()
            screen.refresh()
            screen._on_timer_update()  # now, not with the next of the frames that come 60 times a second
            waiting, self._unpainted = self._unpainted, []
            for callback in waiting:
                callback()

    def after_painting(self, callback: Callable[[], object]) -> None:
        """Call back when what stands now was painted.

        As long as paints are held back, until another screen stands, `call_after_refresh` waits for none.
        """
        if self._batch_count:
            self._unpainted.append(callback)
        else:
            self.screen.call_after_refresh(callback)

    def delay_update(self, delay: float = 0.05) -> None:
        """Paint nothing until `show_mode` does. Textual waits for 50 ms, however soon a screen stands."""
        self._begin_batch()

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """None under a page: Textual would paint that whole for what changes beneath it, and is not seen."""
        stack = self._screen_stack
        return [] if stack and stack[-1].styles.background.a == 1 else super()._background_screens

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        """Take nodes away. The screen beneath one that goes has been painted: Textual would once more."""
        removing = super()._prune(*nodes, parent=parent)
        if parent is self:
            removing._post_remove = None
        return removing

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send no more of a line than changed in it."""
        super()._display(screen, NarrowUpdate.of(renderable))
