"""A table of any length on the Line API: cursor, marks, sort mark, columns that give way by worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from modeltui.domain.layout import pad, shortened
from modeltui.tui.render import Line, cut_line, strip, width_of
from modeltui.tui.widgets.lines import Inked, thumb

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `worth` 0 never goes, of the others the highest number goes first; `width` in cells.

    The column with `is_name` takes what room is left, and at least its `width`.
    """

    id: str
    title: str
    width: int
    worth: int = 0
    right: bool = False
    is_name: bool = False


class Keyed(Protocol):
    """A row: it keeps its place, its mark and the cursor by its key. A rule cannot be chosen."""

    @property
    def key(self) -> str: ...

    @property
    def is_rule(self) -> bool: ...


Item = TypeVar("Item", bound=Keyed)


def fitted(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that fit into `width` cells, in their order, with their widths."""
    kept = list(columns)

    def room() -> int:
        return width - sum(column.width for column in kept) - GAP * (len(kept) - 1)

    while room() < 0:
        droppable = [column for column in kept if column.worth]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda column: column.worth))
    left = room()
    return [(c, max(1, c.width + left) if c.is_name else c.width) for c in kept]


class Table(ScrollView, Inked, Generic[Item], can_focus=True, inherit_bindings=False):
    """Rows given as `items` and a `view` of their indices; `paint` makes a row's cells when it is seen.

    `paint(item)` maps column ids to lines; the name column may also be a plain text, which is shortened
    as model names are. A rule is painted as one line from the cell of the id "rule".
    """

    DEFAULT_CSS = """
    Table { height: 1fr; overflow: hidden; scrollbar-size: 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False, id="up"),
        Binding("down,j", "move(1)", "down", show=False, id="down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="page_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="page_down"),
        Binding("home", "first", "first", show=False, id="first"),
        Binding("end", "last", "last", show=False, id="last"),
    ]

    class Moved(Message):
        """The cursor stands on another row (or none)."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Table.Moved)

    class Chosen(Message):
        """A row was double-clicked."""

    class Sorted(Message):
        """A column's title was clicked."""

        def __init__(self, column: str) -> None:
            self.column = column
            super().__init__()

    sorted_by: var[str | None] = var(None)

    def __init__(
        self,
        columns: Sequence[Column],
        paint: Callable[[Item], Mapping[str, Line | str]],
        *,
        id: str | None = None,
        has_header: bool = True,
    ) -> None:
        super().__init__(id=id)
        self._head = 1 if has_header else 0
        self._columns = tuple(columns)
        self._paint = paint
        self._items: Sequence[Item] = ()
        self._view: Sequence[int] = ()
        self._cursor = 0
        self._painted: dict[int, Strip] = {}
        self._rows: dict[tuple[object, ...], Strip] = {}
        self._fits: tuple[int, list[tuple[Column, int]]] = (0, [])
        self.marked: frozenset[str] = frozenset()
        self.is_dim = False
        self.empty: Line = ()  # what stands in the place of no rows

    # What is shown

    def show(self, items: Sequence[Item], view: Sequence[int]) -> None:
        """Show these rows; the cursor stays on its row, or on its place when that is gone."""
        key = self.cursor_key
        if items is not self._items:
            self._rows = {}
        self._items, self._view = items, view
        if self.marked:
            self.marked &= {item.key for item in items}
        place = self._cursor
        if key is not None and not (place < len(view) and items[view[place]].key == key):
            place = next((at for at, index in enumerate(view) if items[index].key == key), place)
        self._cursor = self._selectable(min(place, len(view) - 1), 1)
        height = len(view) + self._head
        if self.virtual_size.height != height:
            # Nothing around it depends on how long it is: no layout for that.
            self.set_reactive(Table.virtual_size, Size(self.size.width, height))
        self._keep_cursor_seen()
        self.repaint()
        if self.cursor_key != key:
            self.post_message(self.Moved())

    def measure(self, columns: Sequence[Column]) -> None:
        """Have these columns from now on."""
        if self._columns != tuple(columns):
            self._columns, self._fits = tuple(columns), (0, [])
            self.refresh_rows()

    def forget_rows(self) -> None:
        """Let the texts of all rows be made anew when they are shown or painted next."""
        self._rows = {}

    def refresh_rows(self) -> None:
        """Make the texts of all rows anew, and send what looks other than it did."""
        self.forget_rows()
        self.repaint()

    def repaint(self) -> None:
        """Send what looks other than it did."""
        before, self._painted = self._painted, {}
        for y in range(self.size.height):
            line = self._strip(y, self.base)
            if y not in before or before[y] != line:
                self.refresh(Region(0, y, self.size.width, 1))
            self._painted[y] = line

    @property
    def item(self) -> Item | None:
        """The row under the cursor."""
        if 0 <= self._cursor < len(self._view):
            item = self._items[self._view[self._cursor]]
            return None if item.is_rule else item
        return None

    @property
    def cursor_key(self) -> str | None:
        item = self.item
        return item.key if item else None

    @property
    def chosen(self) -> list[Item]:
        """The marked rows in the order of the list, or else the one under the cursor."""
        if self.marked:
            return [item for item in self._items if item.key in self.marked]
        return [self.item] if self.item else []

    @property
    def hidden_marks(self) -> int:
        """How many marked rows are not shown now."""
        return len(self.marked - {self._items[at].key for at in self._view})

    @property
    def columns(self) -> list[Column]:
        """The columns that are seen."""
        return [column for column, _ in self._fitted]

    @property
    def count(self) -> int:
        return len(self._view)

    @property
    def name_width(self) -> int:
        """Cells of the column that takes what room is left."""
        return next((width for column, width in self._fitted if column.is_name), self.row_width)

    @property
    def first_seen(self) -> int:
        """The place in the view of the first row that is seen."""
        return round(self.scroll_y)

    def go_to(self, key: str | None) -> bool:
        """Put the cursor on the row of that key; False when it is not shown."""
        for place, index in enumerate(self._view):
            if self._items[index].key == key:
                self._move_to(place)
                return True
        return False

    def mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        if (key := self.cursor_key) is not None:
            self.marked ^= {key}
            self._refresh_row(self._cursor)
            self.action_move(1)
            self.post_message(self.Moved())

    def clear_marks(self) -> bool:
        """Take all marks away; False when there were none."""
        if not self.marked:
            return False
        self.marked = frozenset()
        self.repaint()
        self.post_message(self.Moved())
        return True

    # Painting

    def render_line(self, y: int) -> Strip:
        if y not in self._painted:
            self._painted[y] = self._strip(y, self.base)
        return self._painted[y]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painted, self._rows = {}, {}

    def _strip(self, y: int, base: Style) -> Strip:
        if y < self._head:
            return strip(self._header(), self.size.width, base, self.inks)
        place = y - self._head + self.scroll_offset.y
        if not self._view and place == 0:
            return strip(self.empty, self.size.width, base, self.inks)
        if place >= len(self._view):
            return Strip([Segment(" " * self.size.width, base)], self.size.width)
        item = self._items[self._view[place]]
        is_cursor = place == self._cursor
        key = (self._view[place], is_cursor, item.key in self.marked, self.is_dim, self.size.width)
        if (row := self._rows.get(key)) is None:
            row = self._rows[key] = self._row(place, base)
        return Strip.join([row, self._thumb(y, base)])

    def _thumb(self, y: int, base: Style) -> Strip:
        """The last cell of a line: a mark beside the part of the list that is seen, where it is longer."""
        span = thumb(y - self._head, round(self.scroll_y), self._page, len(self._view))
        return strip((span,), 1, base, self.inks)

    @property
    def row_width(self) -> int:
        """Cells of a row; the last of a line shows where in the list one is."""
        return max(1, self.size.width - 1)

    @property
    def _fitted(self) -> list[tuple[Column, int]]:
        """The columns that fit now, with their widths."""
        if self._fits[0] != self.row_width:
            self._fits = self.row_width, fitted(self._columns, self.row_width)
        return self._fits[1]

    def _header(self) -> Line:
        parts = []
        for column, width in self._fitted:
            title = f"{column.title}▼" if column.id == self.sorted_by and column.title else column.title
            parts.append(pad(title, width, right=column.right))
        return (((" " * GAP).join(parts), "dim"),)

    def _row(self, place: int, base: Style) -> Strip:
        item = self._items[self._view[place]]
        painted = self._paint(item)
        if item.is_rule:
            return strip(_as_line(painted["rule"]), self.row_width, base, self.inks)
        is_cursor = place == self._cursor
        line: list[tuple[str, str]] = []
        for at, (column, width) in enumerate(self._fitted):
            if at:
                line.append((" " * GAP, ""))
            line.extend(_placed(painted.get(column.id, ""), width, column))
        if self.is_dim:
            line = [(text, "dim") for text, _ in line]
        if is_cursor:
            base += self.inks["cursor"]
            line = [(text, "") for text, _ in line]
        return strip(tuple(line), self.row_width, base, self.inks)

    def _refresh_row(self, place: int) -> None:
        y = place + self._head - self.scroll_offset.y
        if self._head <= y < self.size.height:
            self._painted.pop(y, None)
            self.refresh(Region(0, y, self.row_width, 1))  # the mark beside it stays as it is

    # Moving

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self._painted = {}
        super().watch_scroll_y(old_value, new_value)

    def on_resize(self, event: events.Resize) -> None:
        self.set_reactive(Table.virtual_size, Size(self.size.width, len(self._view) + self._head))
        self._keep_cursor_seen()
        self.repaint()

    def watch_sorted_by(self) -> None:
        self._painted.pop(0, None)
        self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def _page(self) -> int:
        return max(1, self.size.height - self._head)

    def _selectable(self, place: int, step: int) -> int:
        """The nearest row from `place` on that is no rule, in the direction of `step`, else the other way."""
        for direction in (step, -step):
            at = place
            while 0 <= at < len(self._view):
                if not self._items[self._view[at]].is_rule:
                    return at
                at += direction
        return max(0, place)

    def _move_to(self, place: int, step: int = 1) -> None:
        place = self._selectable(max(0, min(place, len(self._view) - 1)), step)
        old, self._cursor = self._cursor, place
        if place == old:
            return
        self._keep_cursor_seen()
        self._refresh_row(old)
        self._refresh_row(place)
        self.post_message(self.Moved())

    def _keep_cursor_seen(self) -> None:
        top = round(self.scroll_y)
        if self._cursor < top or self._cursor <= 0:
            top = self._cursor
        elif self._cursor >= top + self._page:
            top = self._cursor - self._page + 1
        top = max(0, min(top, len(self._view) - self._page))
        if top != round(self.scroll_y):
            self.scroll_target_y = self.scroll_y = top

    def action_move(self, step: int) -> None:
        self._move_to(self._cursor + step, step)

    def action_page(self, direction: int) -> None:
        self._move_to(self._cursor + direction * self._page, direction)

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(len(self._view) - 1, -1)

    # The mouse

    def on_click(self, event: events.Click) -> None:
        if event.y < self._head:
            self._click_title(event.x)
            return
        place = event.y - self._head + self.scroll_offset.y
        if place < len(self._view):
            self._move_to(place)
            if event.chain == 2:
                self.post_message(self.Chosen())

    def _click_title(self, x: int) -> None:
        left = 0
        for column, width in self._fitted:
            if left <= x < left + width + GAP:
                self.post_message(self.Sorted(column.id))
                return
            left += width + GAP

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll_by(-3)

    def _scroll_by(self, rows: int) -> None:
        """Scroll, the cursor staying where it is in sight."""
        top = max(0, min(round(self.scroll_y) + rows, len(self._view) - self._page))
        self.scroll_y = top
        self._move_to(max(top, min(self._cursor, top + self._page - 1)))


def _as_line(cell: Line | str) -> Line:
    return ((cell, ""),) if isinstance(cell, str) else cell


def _placed(cell: Line | str, width: int, column: Column) -> Line:
    """A cell of exactly `width` cells."""
    if isinstance(cell, str):
        text = shortened(cell, width) if column.is_name else cell
        return ((pad(text, width, right=column.right), ""),)
    line = cut_line(cell, width)
    space = " " * (width - width_of(line))
    return ((space, ""), *line) if column.right else (*line, (space, ""))
