"""The filter: one line of text above the key line that narrows a table with every key."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from modeltui.domain.layout import cells
from modeltui.text import clean_line
from modeltui.tui.render import Line, spread, strip
from modeltui.tui.widgets.lines import Inked


class FilterLine(Inked, can_focus=True):
    """Text that is typed; `text` is watched by the screen that filters. Hidden while it is empty and left.

    An `Input` would repaint in a frame of its own before the table does: this one repaints with it.
    """

    DEFAULT_CSS = "FilterLine { height: 1; width: 1fr; display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "done", "to the list", id="filter_done"),
        Binding("escape", "clear", "clear", show=True, id="filter_clear"),
    ]
    hint = "parts of names, loaded, vision, type:code, <8gb"
    text: var[str] = var("")
    tally: var[str] = var("")

    class Left(Message):
        """The keys go back to the list."""

    def open(self) -> None:
        """Show it and take the keys."""
        self.display = True
        self.screen.set_focus(self)

    def render_line(self, y: int) -> Strip:
        left: Line = ((" / ", "accent"), (self.text, ""))
        if self.has_focus:
            left = (*left, (" ", "cursor"))
        if not self.text:
            left = (*left, (f" {self.hint}", "dim"))
        return strip(
            spread(left, ((self.tally, "dim"),), self.size.width), self.size.width, self.rich_style, self.inks
        )

    def watch_text(self) -> None:
        self._repaint()

    def watch_tally(self) -> None:
        self._repaint()

    def _repaint(self) -> None:
        self.refresh(Region(0, 0, self.size.width, 1))

    def on_focus(self) -> None:
        self._repaint()

    def on_blur(self) -> None:
        if not self.text:
            self.display = False
        self._repaint()

    def on_key(self, event: events.Key) -> None:
        if event.key == "backspace":
            self.text = self.text[:-1]
        elif event.key == "ctrl+u":
            self.text = ""
        elif event.key == "ctrl+w":
            self.text = self.text.rstrip().rpartition(" ")[0]
        elif event.is_printable and event.character and cells(self.text) < 200:
            self.text += event.character
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.text = clean_line(self.text + event.text.strip(), 200)

    def on_click(self) -> None:
        self.open()

    def action_done(self) -> None:
        self.post_message(self.Left())

    def action_clear(self) -> None:
        self.text = ""
        self.display = False
        self.post_message(self.Left())
