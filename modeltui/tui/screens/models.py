"""Models (1): what is installed, how it stands, and what can be done with it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from modeltui.domain.models import Model
from modeltui.domain.query import Query, Standing, Subject, narrows, parse, select
from modeltui.services.filtering import standing_of, subject_of
from modeltui.services.library import Entry
from modeltui.tui.modelrows import ORDER_WORDS, ORDERS, ModelRow, cells_of, columns_of, grouped, ordered
from modeltui.tui.render import Line
from modeltui.tui.screens.base import FilteredScreen
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.lines import Row
from modeltui.tui.widgets.pane import Pane
from modeltui.tui.widgets.table import Table
from modeltui.tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from modeltui.tui.advising import Advised

NO_QUERY = parse("")
SUBJECTS_S = 0.3
_MINUTE = 60_000


class ModelsScreen(FilteredScreen):
    """The table with its filter, and the pane that follows the cursor."""

    MODE = "models"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", id="details"),
        Binding("space", "mark", "mark", id="mark"),
        Binding("slash", "filter", "filter", key_display="/", id="filter"),
        Binding("o", "sort", "sort", id="sort"),
        Binding("G", "group", "group", id="group", tooltip="by type, or not"),
        Binding("escape", "clear", "clear", show=False, id="clear"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()
        self._rows: tuple[ModelRow, ...] = ()
        self._subjects: list[Subject] | None = None
        self._advice: Advised | None = None
        self._standings: list[Standing] | None = None
        self._order: list[int] = []
        self._query: Query = NO_QUERY
        self._view: list[int] = []
        self._sort = "modified"
        self._is_grouped = False
        self._tick = 0

    def body(self) -> Iterable[Widget]:
        chosen = self.tui.services.config.screens.columns.get("models")
        yield Welcome()
        with Row(classes="body"):
            yield Table[ModelRow](columns_of(chosen), self._paint, id="models")
            yield Pane()
        yield FilterLine()

    def on_mount(self) -> None:
        self._table.sorted_by = self._sort
        self._table.empty = (("   No model has these words. ", ""), ("esc", "key"), (" shows all.", ""))
        self.watch(self._filter, "text", self._filtered, init=False)

    @property
    def _table(self) -> Table[ModelRow]:
        return self.query_one("#models", Table)

    def chosen_models(self) -> list[Model]:
        return [row.entry.model for row in self._table.chosen] if self.is_mounted else []

    @property
    def model(self) -> Model | None:
        row = self._table.item if self.is_mounted else None
        return row.entry.model if row else None

    # What is shown

    def show_state(self) -> None:
        models, connection = self.tui.models, self.tui.connection
        is_welcome = self.query_one(Welcome).show_state(self.tui)
        self.query_one(Welcome).display = is_welcome
        self.query_one(".body").display = not is_welcome
        self._table.is_dim = not models.is_live and not connection.is_online
        entries, advice = models.entries, self.tui.advice
        if entries != self._entries or advice is not self._advice:
            self._entries, self._advice = entries, advice
            self._rows = tuple(_row(entry, advice) for entry in entries)
            self._subjects = self._standings = None
            self._order = ordered(self._rows, self._sort)
            self._view = self._selected(self._order)
        self._table.forget_rows()
        self._show_rows()

    def show_time(self) -> None:
        """Texts count minutes, the last one of a loaded model seconds."""
        now = self.tui.now()
        ends = [row.expires_at - now for row in self.tui.models.loaded or () if row.expires_at is not None]
        tick = now // (1000 if any(0 < left < 2 * _MINUTE for left in ends) else _MINUTE)
        if tick != self._tick:
            self._tick = tick
            self._table.refresh_rows()
            self.follow()

    def _selected(self, among: list[int]) -> list[int]:
        """What the filter leaves of the rows at these places.

        What it looks at is made when it is needed, or when the rows have been painted for a while.
        """
        if self._query == NO_QUERY:
            self.set_timer(SUBJECTS_S, self._make_subjects)
            return list(among)
        standings = self._make_standings() if self._query.asks_for_fit else None
        return select(self._query, self._make_subjects(), among, standings)

    def _make_standings(self) -> list[Standing]:
        if self._standings is None:
            fits = [row.fit for row in self._rows]
            self._standings = [
                standing_of(is_installed=True, fit=fit.kind, needs=fit.needs)
                if fit
                else standing_of(is_installed=True)
                for fit in fits
            ]
        return self._standings

    def _make_subjects(self) -> list[Subject]:
        if self._subjects is None:
            self._subjects = [subject_of(row.entry, row.kind) for row in self._rows]
        return self._subjects

    def _show_rows(self) -> None:
        if self._is_grouped:
            self._table.show(*grouped(self._rows, self._view))
        else:
            self._table.show(self._rows, self._view)
        text = self._filter.text
        self._filter.tally = f"{len(self._view)} of {len(self._rows)} " if text else ""
        self._follow_rows()

    def _paint(self, row: ModelRow) -> Mapping[str, Line | str]:
        is_marked = row.key in self._table.marked
        return cells_of(row, self.tui.now(), self.tui.doing.get(row.key), is_marked=is_marked)

    def follow(self) -> None:
        row = self._table.item
        self.query_one(Pane).show_model(self.tui, row.entry if row else None)

    # The filter, the order, the marks

    def _filtered(self, text: str) -> None:
        query = parse(text)
        among = self._view if narrows(query, self._query) else self._order
        self._query = query
        self._view = self._selected(among)
        self._show_rows()

    def action_sort(self) -> None:
        self._sort_by(ORDERS[(ORDERS.index(self._sort) + 1) % len(ORDERS)])

    def on_table_sorted(self, event: Table.Sorted) -> None:
        if event.column in ORDERS:
            self._sort_by(event.column)

    def _sort_by(self, order: str) -> None:
        self._sort = order
        self._order = ordered(self._rows, order)
        self._view = self._selected(self._order)
        self._table.sorted_by = order
        self._show_rows()
        self.tui.tell(ORDER_WORDS[order])

    def action_group(self) -> None:
        self._is_grouped = not self._is_grouped
        self._show_rows()
        self.tui.tell("grouped by type" if self._is_grouped else "not grouped")

    def action_mark(self) -> None:
        self._table.mark()
        count = len(self._table.marked)
        hidden = count - sum(self._rows[at].key in self._table.marked for at in self._view)
        words = f"{count} marked{f' ({hidden} hidden)' if hidden else ''}: u and d are about them, esc clears"
        self.tui.tell(words if count else "none marked")

    def action_update(self) -> None:
        """Update what is marked, or the row; where nothing newer is known, ask about the marked, or all."""
        chosen = self.chosen_models()
        self._update(chosen, chosen if self._table.marked else [row.entry.model for row in self._rows])

    def action_pull(self) -> None:
        """On an empty server what is offered to it."""
        offer = self.query_one(Welcome).offer if not self._rows else None
        if offer is None:
            super().action_pull()
            return
        from modeltui.tui.screens.recommendwords import pull_facts

        self.tui.act(self.tui.acts.pull(offer.name, pull_facts([offer])), "pull")

    def on_table_chosen(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        row = self._table.item
        if row is not None:
            self.tui.show_details(row.key)

    def help_words(self) -> list[str]:
        """The words on the row under the cursor, and the columns."""
        row = self._table.item
        states = [str(row.entry.state)] if row else []
        current = ["current model"] if row and row.entry.is_current else []
        newer = ["▲"] if row and row.entry.newer else []
        return [*states, *current, *newer, *(column.title for column in self._table.columns if column.title)]

    def go_to(self, key: str) -> bool:
        """Put the cursor on a model, without the filter where that hides it."""
        if self._table.go_to(key):
            return True
        self._filter.action_clear()
        return self._table.go_to(key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("details", "mark", "filter", "sort", "group") and not self._rows:
            return False
        if action == "update":  # from any row: it may be about all of them
            return self.tui.connection.is_online and bool(self._rows)
        return super().check_action(action, parameters)


def _row(entry: Entry, advice: "Advised | None") -> ModelRow:
    sent = entry.model.sent
    return (
        ModelRow(entry, sent, advice.fits.get(sent), advice.kinds.get(sent))
        if advice
        else ModelRow(entry, sent)
    )
