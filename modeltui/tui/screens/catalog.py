"""Catalog (2): what could be pulled, how each would run here, and just that pulled on a key."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from modeltui.services.meaning import catalog_of
from modeltui.services.offers import Order
from modeltui.tui.catalogsearch import Search
from modeltui.tui.catalogview import CatalogRow, shelf_of
from modeltui.tui.holdings import Holdings
from modeltui.tui.offerrows import COLUMNS, by_machine, cells_of
from modeltui.tui.render import Line
from modeltui.tui.screens.base import FilteredScreen
from modeltui.tui.screens.offers import OfferScreen
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.lines import Row
from modeltui.tui.widgets.pane import SidePane
from modeltui.tui.widgets.table import Table

if TYPE_CHECKING:
    from modeltui.domain.catalog.series import Catalog
    from modeltui.services.advice import Circumstance

ORDERS = (Order.POPULARITY, Order.SIZE, Order.DATE, Order.FIT)
ORDER_WORDS = {
    Order.POPULARITY: "most pulled first", Order.SIZE: "smallest first", Order.DATE: "newest first",
    Order.FIT: "best fit first",
}  # fmt: skip
SORTED_COLUMN = {Order.POPULARITY: "pulls", Order.SIZE: "size", Order.DATE: "date", Order.FIT: "fit"}
HINT = "names, makers, vision, q4, <8gb, vram<8, >7b, fits, installed, type:code, license:apache"
READING: Line = (("   Reading the catalog.", "dim"),)
NOTHING: Line = (
    ("   No download has these words. ", ""), ("esc", "key"), (" shows all, ", ""), ("p", "key"),
    (" pulls a name that you type.", ""),
)  # fmt: skip


class CatalogScreen(OfferScreen, FilteredScreen):
    """Series by series; words that say something about tags show those that they choose."""

    MODE = "catalog"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", id="details"),
        Binding(
            "right", "unfold(True)", "its tags", key_display="→", id="unfold", tooltip="list a series' tags"
        ),
        Binding(
            "left", "unfold(False)", "fold", key_display="←", id="fold", tooltip="one row for a series again"
        ),
        Binding("space", "mark", "mark", id="mark"),
        Binding("slash", "filter", "filter", key_display="/", id="filter"),
        Binding("o", "sort", "sort", id="sort"),
        Binding("escape", "clear", "clear", show=False, id="clear"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._search: Search | None = None
        self._read_from: Catalog | None = None
        self._is_reading = False
        self._judging_for: Circumstance | None = None
        self._held: tuple[object, object] = (None, None)
        self._wanted: str | None = None

    def body(self) -> Iterable[Widget]:
        with Row(classes="body"):
            yield Table[CatalogRow](COLUMNS, self._paint, id="catalog")
            yield SidePane()
        line = FilterLine()
        line.hint = HINT
        yield line

    def on_mount(self) -> None:
        self.tui.wants_catalog = True
        self._table.sorted_by = SORTED_COLUMN[Order.POPULARITY]
        self._table.empty = READING
        self.watch(self._filter, "text", self._filtered, init=False)
        self.watch(self.app, "catalog", self._changed, init=False)

    @property
    def _table(self) -> Table[CatalogRow]:
        return self.query_one("#catalog", Table)

    @property
    def row(self) -> CatalogRow | None:
        return self._table.item if self.is_mounted else None

    def chosen_rows(self) -> list[CatalogRow]:
        return self._table.chosen if self.is_mounted else []

    # What is shown

    def show_state(self) -> None:
        app, search = self.tui, self._search
        self._table.measure(by_machine(COLUMNS, self.machine))
        is_new = app.catalog is not None and app.catalog is not self._read_from
        if (search is None or is_new) and not self._is_reading:
            self._is_reading = True
            self.after_paint(self._read)
        if search is None:
            return
        if self._held[0] is not app.models.entries or self._held[1] is not app.transfers:
            if self._hold(search):
                self._show_rows()
            self._table.refresh_rows()
        advice = app.advice
        # Not of a part of the catalog alone: verdicts with all of it are on their way.
        is_whole = advice is not None and advice.circumstance.catalog is self._read_from
        if advice is not None and is_whole and advice.circumstance is not self._judging_for:
            self._judging_for = advice.circumstance
            self._judge(search, advice.circumstance)
        self._say_empty()
        self.follow()

    @work(exclusive=True, group="catalog", exit_on_error=False, description="reads the catalog")
    async def _read(self) -> None:
        """The rows stand as soon as they are made; how each would run follows."""
        app = self.tui
        try:
            if app.catalog is None:
                catalog = await catalog_of(app.services)
                app.catalog = app.catalog or catalog
            self._read_from = app.catalog
            shelf = await asyncio.to_thread(shelf_of, app.catalog)
        finally:
            self._is_reading = False
        for problem in self._read_from.notes:
            app.tell_in_turn(problem)
        order = self._search.order if self._search is not None else Order.POPULARITY
        self._search, self._judging_for = Search(shelf, self._filter.text, order), None
        self._hold(self._search)
        self._show_rows()
        self._changed()
        if self._wanted is not None:
            self.go_to(self._wanted)

    def _hold(self, search: Search) -> bool:
        """Follow what is installed and pulled; whether that changes which rows are shown."""
        app = self.tui
        self._held = (app.models.entries, app.transfers)
        self.holdings = Holdings(search.shelf, app.models.entries, app.transfers)
        return search.hold(self.holdings.places)

    @work(exclusive=True, group="judge", exit_on_error=False, description="judges the catalog")
    async def _judge(self, search: Search, circumstance: "Circumstance") -> None:
        first = self._table.first_seen
        seen = dict.fromkeys([*search.view[first:], *search.view[:first]])
        await search.judged.judge(circumstance, seen, self._table.refresh_rows)
        if search is self._search:
            if search.judged_anew():
                self._show_rows()
            self._table.refresh_rows()
            self._say_empty()

    def _show_rows(self) -> None:
        search = self._search
        if search is None:
            return
        self._say_empty()
        self._table.show(search.shelf.rows, search.view)
        count = f"{len(search.matched)} of {len(search.shelf.rows)} downloads "
        self._filter.tally = count if self._filter.text else ""
        self._follow_rows()

    def _say_empty(self) -> None:
        """What stands in the place of no rows: why there are none, and the next key."""
        search, advice = self._search, self.tui.advice
        if search is None:
            return
        line = NOTHING
        if search.query.asks_for_fit and not search.judged.is_whole:
            line = (("   Judging what would run here.", "dim"),)
        elif search.query.asks_for_fit and advice is not None and advice.advice.machine is None:
            why = advice.circumstance.machine.why or "nothing is known of it"
            line = (("   Nothing can be judged: ", ""), (f"the machine is unknown, {why}", "attention"))
        if line != self._table.empty:
            self._table.empty = line
            self._table.repaint()

    def _paint(self, row: CatalogRow) -> Mapping[str, Line | str]:
        table = self._table
        return cells_of(
            row,
            self._search.judged.numbers[row.place] if self._search is not None else None,
            self.holdings,
            self.machine,
            name_width=table.name_width,
            is_marked=row.key in table.marked,
        )

    def follow(self) -> None:
        pane = self.query_one(SidePane)
        if not pane.display:
            return
        from modeltui.tui.offerfacts import brief_lines

        row, app = self.row, self.tui
        pane.say(brief_lines(row, app.advice, self.holdings, app.now(), pane.room) if row is not None else [])

    # The filter, the order, the marks

    def _filtered(self, text: str) -> None:
        if self._search is not None:
            self._search.look_for(text)
            self._show_rows()

    def typed_words(self) -> str:
        return self._filter.text.strip()

    def action_sort(self) -> None:
        if self._search is not None:
            self._sort_by(ORDERS[(ORDERS.index(self._search.order) + 1) % len(ORDERS)])

    def on_table_sorted(self, event: Table.Sorted) -> None:
        order = next((order for order, column in SORTED_COLUMN.items() if column == event.column), None)
        if order is not None:
            self._sort_by(order)

    def _sort_by(self, order: Order) -> None:
        if self._search is not None:
            self._search.sort(order)
            self._table.sorted_by = SORTED_COLUMN[order]
            self._show_rows()
            self.tui.tell(ORDER_WORDS[order])

    def action_unfold(self, opens: bool) -> None:
        """List all tags of the series under the cursor, or its one row again."""
        row, search = self.row, self._search
        if row is not None and search is not None:
            search.unfold(row, opens)
            self._show_rows()
            if not opens:
                self._table.go_to(search.lead_of(row).key)
            self.refresh_bindings()

    def action_mark(self) -> None:
        self._table.mark()
        count = len(self._table.marked)
        self.tui.tell(
            f"{count} marked: p pulls {'it' if count == 1 else 'them'}, esc clears"
            if count
            else "none marked"
        )

    def action_clear(self) -> None:
        """As elsewhere; where there are neither words nor marks, fold what was unfolded."""
        row, search = self.row, self._search
        is_narrowed = bool(self._filter.text or self._table.marked)
        super().action_clear()
        if search is not None and search.has_opened and not is_narrowed:
            search.fold_all()
            self._show_rows()
            if row is not None:
                self._table.go_to(search.lead_of(row).key)

    def on_table_chosen(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        if self.row is not None and self._search is not None:
            from modeltui.tui.screens.catalogdetails import CatalogDetails

            self.app.push_screen(CatalogDetails(self._search.shelf, self.row))

    def help_words(self) -> list[str]:
        """The words on the row under the cursor, and the columns."""
        words = self.words_of_row()
        return [*words, *(column.title for column in self._table.columns if column.title), "catalog"]

    def go_to(self, key: str) -> bool:
        """Put the cursor on a download, its series unfolded where needed, without a filter that hides it."""
        search = self._search
        self._wanted = key if search is None else None
        row = search.shelf.find(key) if search is not None else None
        if search is None or row is None:
            if search is not None:
                self.tui.tell(f"{key} is not in the catalog")
            return False
        if not self._table.go_to(row.key):
            self._filter.action_clear()
            search.look_for("")
            search.unfold(row, not row.is_lead)
            self._show_rows()
        return self._table.go_to(row.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row, search = self.row, self._search
        if action in ("details", "mark"):
            return row is not None
        if action == "unfold":
            is_foldable = row is not None and search is not None and search.can_unfold(row)
            return is_foldable and search.is_open(row) != parameters[0]  # type: ignore[union-attr,arg-type]
        return super().check_action(action, parameters)
