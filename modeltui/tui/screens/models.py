"""Models (1): what is installed, how it stands, and what can be done with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from modeltui.domain import units
from modeltui.domain.models import Model, ModelState
from modeltui.domain.query import Query, Subject, narrows, parse, select
from modeltui.domain.words import kept_words
from modeltui.services.filtering import subject_of
from modeltui.services.library import Entry
from modeltui.tui.calm import calm_age
from modeltui.tui.render import Line, number
from modeltui.tui.screens.base import ModelScreen
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.pane import Pane
from modeltui.tui.widgets.table import Column, Table
from modeltui.tui.widgets.welcome import Welcome

COLUMNS = (
    Column("mark", "", 2),
    Column("name", "NAME", 26, is_name=True),
    Column("params", "PARAMS", 7, worth=5, right=True),
    Column("quant", "QUANT", 8, worth=3),
    Column("size", "SIZE", 8, right=True),
    Column("state", "STATE", 15),
    Column("context", "CTX", 5, worth=4, right=True),
    Column("type", "TYPE", 9, worth=6),
    Column("load", "LOAD", 8, worth=7, right=True),
    Column("modified", "MODIFIED", 10, worth=2, right=True),
)
ORDERS = ("modified", "name", "size", "state", "load")
ORDER_WORDS = {
    "modified": "newest first", "name": "by name", "size": "biggest first", "state": "loaded first",
    "load": "last loaded first",
}  # fmt: skip
INKS = {
    ModelState.GPU: "good",
    ModelState.SPLIT: "attention",
    ModelState.STOPPING: "attention",
    ModelState.DAMAGED: "broken",
    ModelState.QUARANTINED: "broken",
    ModelState.MISSING: "broken",
}
NO_QUERY = parse("")
FOLLOW_S = 0.08
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A row of the table."""

    entry: Entry
    key: str
    is_rule: bool = False


class ModelsScreen(ModelScreen):
    """The table with its filter, and the pane that follows the cursor."""

    MODE = "models"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", id="details"),
        Binding("space", "mark", "mark", id="mark"),
        Binding("slash", "filter", "filter", key_display="/", id="filter"),
        Binding("o", "sort", "sort", id="sort"),
        Binding("escape", "clear", "clear", show=False, id="clear"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()
        self._rows: tuple[ModelRow, ...] = ()
        self._subjects: list[Subject] | None = None
        self._order: list[int] = []
        self._query: Query = NO_QUERY
        self._view: list[int] = []
        self._sort = "modified"
        self._following: Timer | None = None
        self._tick = 0

    def body(self) -> Iterable[Widget]:
        chosen = self.tui.services.config.screens.columns.get("models")
        yield Welcome()
        with Horizontal(classes="body"):
            yield Table[ModelRow](_columns(chosen), self._paint, id="models")
            yield Pane()
        yield FilterLine()

    def on_mount(self) -> None:
        self._table.sorted_by = self._sort
        self._table.empty = (("   No model has these words. ", ""), ("esc", "key"), (" shows all.", ""))
        self.watch(self._filter, "text", self._filtered, init=False)
        super().on_mount()

    @property
    def _table(self) -> Table[ModelRow]:
        return self.query_one("#models", Table)

    @property
    def _filter(self) -> FilterLine:
        return self.query_one(FilterLine)

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
        entries = models.entries
        if entries != self._entries:
            self._entries = entries
            self._rows = tuple(ModelRow(entry, entry.model.sent) for entry in entries)
            self._subjects = None
            self._order = ordered(self._rows, self._sort)
            self._view = self._selected(self._order)
        self._table.refresh_rows()
        self._show_rows()

    def show_time(self) -> None:
        """Texts count minutes, the last one of a loaded model seconds."""
        now = self.tui.now()
        ends = [row.expires_at - now for row in self.tui.models.loaded or () if row.expires_at is not None]
        tick = now // (1000 if any(0 < left < 2 * _MINUTE for left in ends) else _MINUTE)
        if tick != self._tick:
            self._tick = tick
            self._table.refresh_rows()
            self._follow()

    def _selected(self, among: list[int]) -> list[int]:
        """What the filter leaves of the rows at these places.

        What it looks at is made when it is needed, or when the rows are painted: they come first.
        """
        if self._query == NO_QUERY:
            self.call_after_refresh(self._make_subjects)
            return list(among)
        return select(self._query, self._make_subjects(), among)

    def _make_subjects(self) -> list[Subject]:
        if self._subjects is None:
            self._subjects = [subject_of(entry) for entry in self._entries]
        return self._subjects

    def _show_rows(self) -> None:
        self._table.show(self._rows, self._view)
        text = self._filter.text
        self._filter.tally = f"{len(self._view)} of {len(self._rows)} " if text else ""
        if self._filter.has_focus:
            self.on_table_moved()
        else:
            self._follow()

    def _paint(self, row: ModelRow) -> Mapping[str, Line | str]:
        is_marked = row.key in self._table.marked
        return cells_of(row.entry, self.tui.now(), self.tui.doing.get(row.key), is_marked=is_marked)

    def _follow(self) -> None:
        """Let the pane follow the cursor."""
        row = self._table.item
        self.query_one(Pane).show_model(self.tui, row.entry if row else None)

    def on_table_moved(self) -> None:
        if self._following is not None:
            self._following.stop()
        self._following = self.set_timer(FOLLOW_S, self._settled)

    def _settled(self) -> None:
        self._follow()
        self.refresh_bindings()

    # The filter, the order, the marks

    def _filtered(self, text: str) -> None:
        query = parse(text)
        among = self._view if narrows(query, self._query) else self._order
        self._query = query
        self._view = self._selected(among)
        self._show_rows()

    def on_filter_line_left(self) -> None:
        self.set_focus(self._table)

    def action_filter(self) -> None:
        self._filter.open()

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

    def action_mark(self) -> None:
        self._table.mark()
        count = len(self._table.marked)
        hidden = count - sum(self._rows[at].key in self._table.marked for at in self._view)
        words = f"{count} marked{f' ({hidden} hidden)' if hidden else ''}: u and d are about them, esc clears"
        self.tui.tell(words if count else "none marked")

    def action_clear(self) -> None:
        """Take back the last thing: messages, then marks, then the filter."""
        self.tui.clear_notifications()
        if self._table.clear_marks():
            self.tui.tell("no marks any more")
        else:
            self._filter.action_clear()

    def action_update(self) -> None:
        """Update what is marked, or the row; where nothing newer is known, ask about the marked, or all."""
        chosen = self.chosen_models()
        self._update(chosen, chosen if self._table.marked else [row.entry.model for row in self._rows])

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
        if action in ("details", "mark", "filter", "sort") and not self._rows:
            return False
        if action == "update":  # from any row: it may be about all of them
            return self.tui.connection.is_online and bool(self._rows)
        return super().check_action(action, parameters)


def _columns(chosen: Sequence[str] | None) -> tuple[Column, ...]:
    """The configured columns in their order; all of them where nothing (or nothing known) is configured."""
    by_id = {column.id: column for column in COLUMNS}
    kept = tuple(by_id[name] for name in dict.fromkeys(chosen or ()) if name in by_id and name != "mark")
    if not any(column.is_name for column in kept):
        return COLUMNS
    return (by_id["mark"], *kept)


def cells_of(
    entry: Entry, now: int, doing: str | None, *, is_marked: bool = False
) -> Mapping[str, Line | str]:
    """The cells of one model."""
    model = entry.model
    return {
        "mark": (*(_mark(entry) or ((" ", ""),)), ("+" if is_marked else " ", "accent")),
        "name": _name(entry),
        "params": model.parameter_size or ((units.UNKNOWN, "dim"),),
        "quant": model.quantization or ((units.UNKNOWN, "dim"),),
        "size": number(units.UNKNOWN if model.is_cloud else units.size(model.size)),
        "state": state_cell(entry, now, doing),
        "context": number(units.context(model.context)),
        "type": ((entry.type or units.UNKNOWN, "dim"),),
        "load": number(units.duration(entry.last_load.load_ms) if entry.last_load else units.UNKNOWN),
        "modified": ((calm_age(model.modified, now), "dim"),),
    }


def _mark(entry: Entry) -> Line:
    if entry.is_current:
        return (("●", "accent"),)
    if entry.damage or entry.model.name is None:
        return (("!", "broken"),)
    return (("▲", "attention"),) if entry.newer is not None else ()


def _name(entry: Entry) -> Line | str:
    shown = entry.model.shown
    if entry.alias_of:
        return ((shown.removesuffix(":latest"), ""), (f" -> {entry.alias_of}", "dim"))
    if entry.newer is not None and entry.is_current:  # its mark says that it is current
        return ((shown, ""), (" ▲", "attention"))
    return shown


def state_cell(entry: Entry, now: int, doing: str | None) -> Line:
    """The state as a word, and beside it how long it is kept or how much of it is not on the GPU."""
    if doing:
        return ((doing, "accent"),)
    runner, state = entry.loaded, entry.state
    if runner is None or state in (ModelState.DAMAGED, ModelState.QUARANTINED):
        return ((str(state), INKS.get(state, "dim")),)
    word = f"{state:5} "
    if state is ModelState.SPLIT and runner.gpu_share is not None:
        return ((word, INKS[state]), (f"{round((1 - runner.gpu_share) * 100)} % cpu", "dim"))
    return ((word, INKS.get(state, "")), (kept_words(runner.expires_at, now), "dim"))


def ordered(rows: Sequence[ModelRow], order: str) -> list[int]:
    """The indices of rows in an order; the unknown comes last, equal ones stay as the server has them."""
    places = range(len(rows))
    match order:
        case "name":
            return sorted(places, key=lambda at: rows[at].entry.model.shown.casefold())
        case "size":
            return sorted(places, key=lambda at: -(rows[at].entry.model.size or 0))
        case "state":
            return sorted(places, key=lambda at: rows[at].entry.loaded is None)
        case "load":
            return sorted(places, key=lambda at: -(load.at if (load := rows[at].entry.last_load) else 0))
    return sorted(places, key=lambda at: -(rows[at].entry.model.modified or 0))
