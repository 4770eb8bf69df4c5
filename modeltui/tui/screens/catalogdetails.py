"""A series of the catalog: its tags to pick from, and all that is known of the one under the cursor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from modeltui.domain.layout import cut
from modeltui.services.browsing import numbers_of
from modeltui.tui.catalogview import CatalogRow, Shelf
from modeltui.tui.holdings import Holdings
from modeltui.tui.offerfacts import whole_lines
from modeltui.tui.offerrows import TAG_COLUMNS, cells_of
from modeltui.tui.render import Line
from modeltui.tui.screens.offers import OfferScreen
from modeltui.tui.widgets.document import Document
from modeltui.tui.widgets.lines import Lines
from modeltui.tui.widgets.table import Table


class CatalogDetails(OfferScreen):
    """The tag picker and the facts; it lies over the screen that it was opened from."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pull", "pull", show=False, id="take"),
        Binding(
            "tab",
            "app.focus_next",
            "tags or facts",
            key_display="tab",
            id="other_part",
            tooltip="from the tags to the facts, and back",
        ),
        Binding("escape", "app.back", "back", id="close"),
    ]

    def __init__(self, shelf: Shelf, row: CatalogRow) -> None:
        super().__init__()
        self._shelf = shelf
        self._rows: Sequence[CatalogRow] = shelf.rows_of(row.group)
        self._key = row.key
        self._shown = ""
        self._held: tuple[object, ...] = ()

    def body(self) -> Iterable[Widget]:
        yield Lines(classes="title")
        with Container(classes="body"):
            yield Table[CatalogRow](TAG_COLUMNS, self._paint, id="tags")
            yield Document()

    def on_mount(self) -> None:
        self._table.show(self._rows, range(len(self._rows)))
        self._table.go_to(self._key)

    @property
    def _table(self) -> Table[CatalogRow]:
        return self.query_one("#tags", Table)

    @property
    def row(self) -> CatalogRow | None:
        return self._table.item if self.is_mounted else None

    def show_state(self) -> None:
        app = self.tui
        held = (app.models.entries, app.transfers, app.advice)
        if len(self._held) != len(held) or any(a is not b for a, b in zip(held, self._held, strict=True)):
            self._held = held
            self.holdings = Holdings(self._shelf, app.models.entries, app.transfers)
            self._table.refresh_rows()
        series = self._rows[0].offer.series
        words = " · ".join(part for part in (series.publisher, series.license) if part)
        title: Line = ((series.name, "strong"), (f"  {words}", "dim"))
        width = self.app.size.width - 2
        self.query_one(".title", Lines).show([((cut(series.name, width), "strong"), *title[1:])])
        self.follow()

    def _paint(self, row: CatalogRow) -> Mapping[str, Line | str]:
        advised = self.tui.advice
        return cells_of(
            row,
            numbers_of(advised.advice, row.offer.tag) if advised is not None else None,
            self.holdings,
            advised.advice.machine if advised is not None else None,
            name_width=self._table.name_width,
        )

    def follow(self) -> None:
        row, app = self.row, self.tui
        if row is not None:
            document = self.query_one(Document)
            if row.key != self._shown:  # another one is read from its beginning
                self._shown, document.scroll_y = row.key, 0
            document.show(whole_lines(row, app.advice, self.holdings, app.now()))

    def on_table_chosen(self) -> None:
        self.action_pull()

    def help_words(self) -> list[str]:
        """The columns."""
        return [*self.words_of_row(), *(column.title for column in self._table.columns if column.title)]
