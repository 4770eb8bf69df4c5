"""A few lines of styled text that repaint only where they changed."""

from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.containers import Horizontal
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widget import Widget

from modeltui.domain.layout import cells
from modeltui.tui.render import INKS, Line, Span, flowed, inks_of, strip

NEAR = 40  # cells of one ink between two parts cost less than to place and colour the second by itself
INK_CLASSES = {f"ink--{ink}" for ink in INKS}


class Row(Horizontal):
    """Widgets beside each other, which never scroll together."""

    # Textual lays all out and paints it once more when this is first known: what scrolls may need that.
    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)


class Inked(Widget):
    """A widget that paints lines of spans: resolves inks once a theme.

    They are component classes of its screen, not its own: each of those is styled again at every change of
    the tree.
    """

    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)  # as in a Row
    _inks: dict[str, Style] | None = None
    _base: Style | None = None

    @property
    def base(self) -> Style:
        """The style of plain text. It is worked out from every ancestor: once a theme, not once a line."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    @property
    def inks(self) -> dict[str, Style]:
        if self._inks is None:
            self._inks = inks_of(self.screen)
        return self._inks

    def notify_style_update(self) -> None:
        self._inks = self._base = None
        super().notify_style_update()


class Lines(Inked):
    """Lines that are set whole with `show`; what did not change costs no byte."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, *lines: Line, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = lines

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Paint these lines; of a line that differs only the part that does is sent to the terminal."""
        old, self._lines = self._lines, tuple(lines)
        if len(old) != len(self._lines) and self.styles.height is not None and self.styles.height.is_auto:
            self.refresh(layout=True)
            return
        for y in range(max(len(old), len(self._lines))):
            before, after = (each[y] if y < len(each) else () for each in (old, self._lines))
            for start, end in parts_that_differ(before, after):
                self.refresh(Region(start, y, end - start, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._lines))

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        return strip(line, self.size.width, self.base, self.inks)


class Fitted(Lines):
    """Lines that depend on the width: `fit` makes them anew when it changes."""

    _fitted = 0  # the width that they were made for; 0 before it is known

    def fit(self, width: int) -> Sequence[Line]:
        raise NotImplementedError

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self.fit(width)))

    def update(self) -> None:
        """Make the lines anew; nothing happens before the widget has a size."""
        if self.size.width:
            self._fitted = self.size.width
            self.show(self.fit(self._fitted))

    def render_line(self, y: int) -> Strip:
        if self._fitted != self.size.width:  # the first paint comes before the news of the size
            self._fitted = self.size.width
            self._lines = tuple(self.fit(self._fitted))
        return super().render_line(y)

    def on_resize(self, event: events.Resize) -> None:
        self.update()


class Flowed(Fitted):
    """Lines set with `say`; a line that is too wide goes on below instead of being cut."""

    def __init__(self, *lines: Line, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._said: tuple[Line, ...] = lines

    def say(self, lines: Sequence[Line]) -> None:
        self._said = tuple(lines)
        self.update()

    def fit(self, width: int) -> list[Line]:
        return [row for line in self._said for row in flowed(line, width)]


def thumb(y: int, top: int, shown: int, count: int) -> Span:
    """The last cell of the line `y` of a list from `top` on: a mark beside the part of it that is seen.

    Textual's own scrollbar has all laid out anew, and painted, when it comes.
    """
    first, last = top * shown // max(1, count), (top + shown) * shown // max(1, count)
    return ("▐", "dim") if count > shown and first <= y <= last else (" ", "")


def parts_that_differ(before: Line, after: Line) -> list[tuple[int, int]]:
    """First cell and the one after the last of each part that differs; near ones of one ink are one part."""
    whole = differing(before, after)
    if whole is None:
        return []
    old, new = _by_cell(before), _by_cell(after)
    if len(old) != len(new):
        return [whole]
    found = [whole[0], whole[0] + 1]
    parts = []
    for at in range(*whole):
        if old[at] == new[at]:
            continue
        between = {ink for _, ink in new[found[1] - 1 : at + 1]}
        if at - found[1] > NEAR or len(between) > 1:
            parts.append((found[0], found[1]))
            found[0] = at
        found[1] = at + 1
    return [*parts, (found[0], found[1])]


def differing(before: Line, after: Line) -> tuple[int, int] | None:
    """The first cell in which two lines differ and the one after the last; None where they are equal."""
    old, new = _by_cell(before), _by_cell(after)
    if old == new:
        return None
    if len(old) != len(new):
        return 0, max(len(old), len(new))
    places = [at for at, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    return places[0], places[-1] + 1


def _by_cell(line: Line) -> list[Span]:
    return [(each, ink) for text, ink in line for each in text for _ in range(cells(each))]
