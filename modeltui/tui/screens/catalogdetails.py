"""A series of the catalog: its tags to pick from, and all that is known of the one under the cursor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from modeltui.domain.advice.suitability import Suitability
from modeltui.domain.layout import cut
from modeltui.services.browsing import numbers_of
from modeltui.tui.catalogview import CatalogRow, Shelf
from modeltui.tui.holdings import Holdings
from modeltui.tui.offerfacts import whole_lines
from modeltui.tui.offerrows import TAG_COLUMNS, by_machine, cells_of
from modeltui.tui.render import Line
from modeltui.tui.screens.offers import OfferScreen
from modeltui.tui.suiting import suits_of
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
        self._suits: dict[str, tuple[Suitability, ...]] = {}
        self._suiting = ""  # the row that this is being worked out for
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
            self._table.measure(by_machine(TAG_COLUMNS, self.machine))
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
            self.machine,
            name_width=self._table.name_width,
        )

    def follow(self) -> None:
        row, app = self.row, self.tui
        if row is not None:
            document = self.query_one(Document)
            if row.key != self._shown:  # another one is read from its beginning
                self._shown, document.scroll_y = row.key, 0
            suits = self._suits.get(row.key)
            document.show(whole_lines(row, app.advice, self.holdings, app.now(), suits or ()))
            if suits is None and row.key != self._suiting and app.catalog is not None:
                self._suiting = row.key
                self._suit(row)

    @work(exclusive=True, group="details", exit_on_error=False, description="asks what a tag is good for")
    async def _suit(self, row: CatalogRow) -> None:
        """What is known at once stands meanwhile."""
        self._suits[row.key] = await suits_of(self.tui, row.offer.tag)
        self.follow()

    def on_table_chosen(self) -> None:
        self.action_pull()

    def help_words(self) -> list[str]:
        """The columns."""
        return [*self.words_of_row(), *(column.title for column in self._table.columns if column.title)]
