"""The bare Textual app that the budgets are measured beside: Header, Footer and a table of 60 rows.

python tests/benchmarks/bare_app.py [ROWS]
"""

import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Header

ROWS = 60
COLUMNS = ("NAME", "QUANT", "SIZE", "STATE", "MODIFIED")


class BareApp(App[None]):
    """What anyone would write first."""

    TITLE = "bare"
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable(cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns(*COLUMNS)
        table.add_rows(
            (f"m{number:05}-bare:7b", "Q4_K_M", f"{number / 10 + 1:.1f} GB", "—", f"{number} d ago")
            for number in range(self._rows)
        )


if __name__ == "__main__":
    BareApp(int(sys.argv[1]) if sys.argv[1:] else ROWS).run()
