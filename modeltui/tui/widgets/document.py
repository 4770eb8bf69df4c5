"""Lines of any number that are read, not chosen: wrapped to the width and scrolled."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from modeltui.domain.layout import cells
from modeltui.tui.render import Line, Span, cut_line, strip, width_of
from modeltui.tui.widgets.lines import Inked, thumb

SLICE = 300  # rows that are wrapped at once; the event loop has its turn between two slices
PAUSE_S = 0.005
NARROWEST = 8  # cells beside a label; where there are fewer its text stands below it


class Document(ScrollView, Inked, can_focus=True):
    """Shows lines of spans; a line that is too wide goes on below, indented as its last span begins.

    The last span of a line may hold newlines: it may be a text of any length.
    """

    DEFAULT_CSS = "Document { height: 1fr; overflow: hidden; scrollbar-size: 0 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", "up", show=False, id="line_up"),
        Binding("down,j", "scroll_by(1)", "down", show=False, id="line_down"),
        Binding("pageup", "scroll_page(-1)", "page up", show=False, id="text_up"),
        Binding("pagedown,space", "scroll_page(1)", "page down", show=False, id="text_down"),
        Binding("home", "scroll_by(-1000000)", "top", show=False, id="text_top"),
        Binding("end", "scroll_by(1000000)", "bottom", show=False, id="text_end"),
    ]

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = lines
        self._rest: Sequence[Line] = ()
        self._head_rows: list[Line] = list(lines)
        self._rest_rows: list[Line] = []
        self._to_come: Iterator[Line] = iter(())
        self._going_on: Timer | None = None
        self._width = 0
        self._marks: list[Span] = []

    def show(self, lines: Sequence[Line], rest: Sequence[Line] = ()) -> None:
        """Show these lines, then `rest`, which may be long; what is read keeps its place."""
        is_rest_same = rest == self._rest
        if lines == self._lines and is_rest_same and self._width:
            return
        self._lines, self._rest = lines, rest
        if not self._width:
            return
        top, height, head_before = round(self.scroll_y), self.size.height, len(self._head_rows)
        before = [self._row(top + y) for y in range(height)]
        self._wrap_head()
        if not is_rest_same:
            self._begin_rest()
        self._settle_size()
        self._repaint_marks()
        if is_rest_same and head_before and top >= head_before:
            top += len(self._head_rows) - head_before
            self.scroll_y = top
        for y in range(height):
            if before[y] != self._row(top + y):
                self.refresh(Region(0, y, self.size.width, 1))

    # Wrapping

    def _row(self, at: int) -> Line:
        if at < len(self._head_rows):
            return self._head_rows[at]
        at -= len(self._head_rows)
        return self._rest_rows[at] if at < len(self._rest_rows) else ()

    @property
    def _room(self) -> int:
        """The cells of a row; the last of a line shows where in the text one is."""
        return self.size.width - 1

    def _wrap(self, width: int) -> None:
        self._width = width
        self._wrap_head()
        self._begin_rest()
        self._settle_size()

    def _wrap_head(self) -> None:
        self._head_rows = [row for line in self._lines for row in rows_of(line, self._width)]

    def _begin_rest(self) -> None:
        """Wrap what is seen first; a long rest follows in slices."""
        width = self._width
        self._to_come = chain.from_iterable(rows_of(line, width) for line in self._rest)
        self._rest_rows = []
        self._take_slice()

    def _take_slice(self) -> None:
        rows = list(islice(self._to_come, SLICE))
        self._rest_rows += rows
        if self._going_on is not None:
            self._going_on.stop()
        self._going_on = self.set_timer(PAUSE_S, self._go_on) if len(rows) == SLICE else None

    def _go_on(self) -> None:
        self._take_slice()
        if self._going_on is None:
            self._settle_size()
            self._repaint_marks()

    def _repaint_marks(self) -> None:
        """Send the last cells of the lines, where they look other than they did."""
        before, self._marks = self._marks, [self._mark(y) for y in range(self.size.height)]
        if before != self._marks:
            self.refresh(Region(self.size.width - 1, 0, 1, self.size.height))

    def _mark(self, y: int) -> Span:
        return thumb(y, round(self.scroll_y), self.size.height, self.virtual_size.height)

    def _settle_size(self) -> None:
        size = Size(self._width, len(self._head_rows) + len(self._rest_rows))
        if self.virtual_size != size:
            self.virtual_size = size

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if width - 1 != self._width:
            self._wrap(width - 1)
        return len(self._head_rows) + len(self._rest_rows)

    # Painting and moving

    def on_resize(self, event: events.Resize) -> None:
        if self._room != self._width:
            self._wrap(self._room)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._room != self._width:  # the first paint comes before the news of the size
            self._wrap(self._room)
        width = self.size.width
        line = cut_line(self._row(y + round(self.scroll_y)), width - 1)
        space = " " * (width - 1 - width_of(line))
        return strip((*line, (space, ""), self._mark(y)), width, self.base, self.inks)

    def action_scroll_by(self, rows: int) -> None:
        self.scroll_y = max(0, min(round(self.scroll_y) + rows, self.virtual_size.height - self.size.height))

    def action_scroll_page(self, direction: int) -> None:
        self.action_scroll_by(direction * max(1, self.size.height - 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll_by(-3)


def wrapped(line: Line, width: int) -> list[Line]:
    """A line as one or more rows of at most `width` cells; what goes on stands under its last span."""
    return list(rows_of(line, width))


def rows_of(line: Line, width: int) -> Iterator[Line]:
    """The rows of a line, one at a time, so that a long text need not be wrapped at once."""
    if not line:
        yield line
        return
    *head, (text, ink) = line
    indent = width_of(tuple(head))
    if "\t" in text:
        text = text.expandtabs(4)
    if "\n" not in text and len(text) <= width and indent + cells(text) <= width:
        yield (*head, (text, ink))
        return
    if head and indent > width - NARROWEST:
        yield tuple(head)
        head, indent = [("  ", "")], 2
    space = (" " * indent, "")
    for at, part in enumerate(broken(text, max(2, width - indent))):
        if at == 0:
            yield (*head, (part, ink))
        else:
            yield (space, (part, ink)) if part else ()


_SPACES = re.compile(" *")


def broken(text: str, width: int) -> Iterator[str]:
    """The rows of a text of at most `width` cells (2 and more): broken at newlines, spaces, else anywhere."""
    at, end = 0, len(text)
    while True:
        window = text[at : at + width + 1]
        room = width
        if not window.isascii():
            window = text[at : at + 4 * width]
            room = _fitting(window, width)
        newline = window.find("\n", 0, room + 1)
        if newline >= 0:
            yield window[:newline]
            at += newline + 1
        elif at + room >= end:
            yield window[:room]
            return
        else:
            space = window.rfind(" ", 0, room + 1)
            if space > 0 and (row := window[:space].rstrip()):
                yield row
                at = _SPACES.match(text, at + space).end()  # type: ignore[union-attr]  # matches anything
                at += text[at : at + 1] == "\n"
            else:
                yield window[:room]
                at += room
        if at >= end:
            return


_width_of = lru_cache(4096)(cells)  # of single characters


def _fitting(text: str, width: int) -> int:
    """How many characters of a text fit into `width` cells."""
    for count, character in enumerate(text):
        width -= _width_of(character)
        if width < 0:
            return count
    return len(text)
