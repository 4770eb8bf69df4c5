"""The table of the queue: what is open in columns, what has ended in lines of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rich.style import Style
from textual.strip import Strip

from modeltui.store.queue import QueuedTransfer
from modeltui.tui.render import Line
from modeltui.tui.widgets.table import GAP, Column, Table

WHEN = 12


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A row of the table: a transfer, or a rule with its words. `at` is when its progress was painted."""

    key: str
    queued: QueuedTransfer | None = None
    words: str = ""
    notes: tuple[str, ...] = ()
    percent: int | None = None
    at: int = 0
    cells: Mapping[str, Line | str] | None = None
    is_rule: bool = False

    @property
    def is_history(self) -> bool:
        return self.queued is not None and self.queued.transfer.is_final

    @property
    def said(self) -> str:
        """The state whole, with what stands beside it."""
        return " · ".join((self.words, *self.notes))


class QueueTable(Table[QueueRow]):
    """Under the rule of the history the columns behind the name are two: how it ended, and when."""

    DEFAULT_CSS = "QueueTable { height: 1fr; }"

    @property
    def _fitted(self) -> list[tuple[Column, int]]:
        """What they are sorted by is said beside the name where its own column has no room."""
        found = super()._fitted
        seen = {column.id for column, _ in found}
        lost = next((c.title for c in self._columns if c.id == self.sorted_by and c.id not in seen), "")
        if not lost:
            return found
        words = f", by {lost.lower()}"
        return [(replace(c, title=c.title + words) if c.is_name else c, width) for c, width in found]

    def widen(self, highest: int) -> None:
        """Give the first column the room that the highest number takes."""
        first, *others = self._columns
        width = max(2, 1 + len(str(highest)))  # and a mark
        if first.width != width:
            self._columns = (replace(first, width=width), *others)
            self._fits = (0, [])

    def room(self, row: QueueRow) -> int:
        """The cells that the words of a row have."""
        columns = self._history() if row.is_history else self._fitted
        return next((width for column, width in columns if column.id in ("state", "how")), 0)

    def _history(self) -> list[tuple[Column, int]]:
        """The first columns as they are, then how, then when; on a narrow terminal without when."""
        first = [each for each in self._fitted if each[0].id in ("number", "name")]
        left = self.row_width - sum(width + GAP for _, width in first)
        if left < 3 * WHEN:
            return [*first, (Column("how", "", left), left)]
        how = left - WHEN - GAP
        return [*first, (Column("how", "", how), how), (Column("when", "", WHEN, right=True), WHEN)]

    def _row(self, place: int, base: Style) -> Strip:
        if not self._items[self._view[place]].is_history:
            return super()._row(place, base)
        history, fits = self._history(), self._fits
        self._fits = (self.row_width, history)
        try:
            return super()._row(place, base)
        finally:
            self._fits = fits
