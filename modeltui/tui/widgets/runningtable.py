"""The table of what runs: its columns, and the room that one of them has where the terminal is wide."""

from modeltui.tui.runners import RunningRow
from modeltui.tui.widgets.table import Column, Table

WIDE = 100
WHERE = Column("where", "WHERE", 15)
WIDE_WHERE = Column("where", "WHERE", 31)  # room for what the server says where it is not so
COLUMNS = (
    Column("mark", "", 2),
    Column("name", "MODEL", 15, is_name=True),
    WHERE,
    Column("vram", "VRAM", 8, right=True),
    Column("ram", "RAM", 8, worth=2, right=True),
    Column("context", "CONTEXT", 7, worth=3, right=True),
    Column("kept", "KEPT", 11, worth=1),
    Column("predicted", "PREDICTED", 15, worth=4),
)


class RunningTable(Table[RunningRow]):
    """WHERE has room for whole sentences where the terminal is wide."""

    @property
    def _fitted(self) -> list[tuple[Column, int]]:
        if self._fits[0] != self.row_width:
            where = WIDE_WHERE if self.size.width >= WIDE else WHERE
            self._columns = tuple(where if each.id == "where" else each for each in COLUMNS)
        return super()._fitted

    @property
    def tells_predictions(self) -> bool:
        """Whether there is room for their column."""
        return any(column.id == "predicted" for column, _ in self._fitted)
