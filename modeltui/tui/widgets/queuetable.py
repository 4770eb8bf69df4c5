"""The table of the queue: what is open in columns, what has ended in lines of their own."""

from textual.strip import Strip

from modeltui.tui.screens.downloadrows import QueueRow
from modeltui.tui.widgets.table import GAP, Column, Table

WHEN = 12


class QueueTable(Table[QueueRow]):
    """Under the rule of the history the columns behind the name are two: how it ended, and when."""

    DEFAULT_CSS = "QueueTable { height: 1fr; }"

    @property
    def shown_columns(self) -> frozenset[str]:
        """The ids of the columns that have room."""
        return frozenset(column.id for column, _ in self._fitted)

    def room(self, row: QueueRow) -> int:
        """The cells that the words of a row have."""
        columns = self._history() if row.is_history else self._fitted
        return next((width for column, width in columns if column.id in ("state", "how")), 0)

    def _history(self) -> list[tuple[Column, int]]:
        """The first columns as they are, then how, then when; on a narrow terminal without when."""
        first = [each for each in self._fitted if each[0].id in ("number", "name")]
        left = self.size.width - sum(width + GAP for _, width in first)
        if left < 2 * WHEN + GAP:
            return [*first, (Column("how", "", left), left)]
        how = left - WHEN - GAP
        return [*first, (Column("how", "", how), how), (Column("when", "", WHEN, right=True), WHEN)]

    def _row(self, place: int) -> Strip:
        if not self._items[self._view[place]].is_history:
            return super()._row(place)
        columns, self._fitted = self._fitted, self._history()
        try:
            return super()._row(place)
        finally:
            self._fitted = columns
