"""Running (5): what is in memory, where it really lies, and the hardware under it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from modeltui.domain import units
from modeltui.domain.advice.runningfindings import Finding
from modeltui.domain.models import LoadedModel, Model, ModelState
from modeltui.domain.words import age_words
from modeltui.services.library import Entry
from modeltui.services.monitoring import Running
from modeltui.services.predicting import Idleness, Outlook, outlook
from modeltui.tui.render import Line, flowed
from modeltui.tui.runners import RunningRow, about, cells_of, gone_words, predicted_sum, served_by
from modeltui.tui.screens.base import ModelScreen
from modeltui.tui.state import Phase
from modeltui.tui.widgets.lines import Flowed, Lines
from modeltui.tui.widgets.meters import Meters
from modeltui.tui.widgets.table import Column, Table
from modeltui.tui.widgets.welcome import welcome_lines

if TYPE_CHECKING:
    from modeltui.domain.machines.machine import Machine
    from modeltui.services.monitoring import RunningNow

WIDE = 100
WHERE = Column("where", "WHERE", 15)
WIDE_WHERE = Column("where", "WHERE", 31)  # room for what the server says where it is not so
COLUMNS = (
    Column("mark", "", 1),
    Column("name", "MODEL", 16, is_name=True),
    WHERE,
    Column("vram", "VRAM", 8, right=True),
    Column("ram", "RAM", 8, worth=2, right=True),
    Column("context", "CONTEXT", 7, worth=3, right=True),
    Column("kept", "KEPT", 11, worth=1),
    Column("predicted", "PREDICTED", 15, worth=4),
)
STALE_MS = 10_000  # how old a look may be before its age is said
TOO_OLD = "This server cannot say what is loaded: Ollama can since 0.1.38."


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


class RunningScreen(ModelScreen):
    """The meters, the table of what runs, and a line about the row under the cursor."""

    MODE = "running"
    AUTO_FOCUS = "RunningTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", id="details"),
        Binding("escape", "clear", "clear", show=False, id="clear"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[RunningRow, ...] = ()
        self._entries: tuple[Entry, ...] = ()
        self._served: dict[tuple[str, str | None], tuple[Entry, ...]] = {}
        self._strangers: dict[str, int] = {}  # runners of no model, and when they were seen first
        self._idleness = Idleness()
        self._outlook = Outlook()
        self._looked: tuple[object, object] = (None, None)

    def body(self) -> Iterable[Widget]:
        yield Meters()
        yield Lines(classes="stale")
        yield Flowed(classes="empty")
        yield RunningTable(COLUMNS, self._paint, id="running")
        yield Lines(classes="about")
        yield Flowed(classes="findings")

    @property
    def _table(self) -> RunningTable:
        return self.query_one(RunningTable)

    # What is shown

    def show_state(self) -> None:
        now = self.tui.running_now
        self._rows = self._make_rows(now.rows if now else (), now.at if now else 0)
        self._look_ahead(now)
        self.query_one(Meters).show_hardware(now, self._machine)
        self._table.show(self._rows, range(len(self._rows)))
        self.set_class(not self._rows, "-empty")
        self.show_time()

    @property
    def _machine(self) -> "Machine | None":
        return self.tui.advice.advice.machine if self.tui.advice is not None else None

    def _look_ahead(self, now: "RunningNow | None") -> None:
        """Predict what runs, and find what would help; what was said stays as long as it is the same."""
        advised = self.tui.advice
        before = self._looked
        if before[0] is now and before[1] is advised:
            return
        self._looked = now, advised
        idle = self._idleness.note(now) if now is not None else {}
        if now is None or advised is None:
            self._outlook = Outlook()
            return
        current = self.tui.models.current
        names = (current.name.short, current.digest or "") if current is not None else ()
        found, last = outlook(advised.advice, now, current=names, idle=idle), self._outlook
        if before[1] is advised and alike(last.findings, found.findings):
            found = replace(found, findings=last.findings)  # free memory wobbles: the words need not
        self._outlook = found

    def show_time(self) -> None:
        age = self._stale_words()
        self.set_class(bool(age) and bool(self._rows), "-stale")
        self.query_one(".stale", Lines).show([((f" {age}", "attention"),)])
        self.query_one(".empty", Flowed).say(self._empty_lines())
        self._table.is_dim = bool(age)
        self._table.refresh_rows()
        self._show_about()

    def _make_rows(self, running: Sequence[Running], at: int) -> tuple[RunningRow, ...]:
        entries = self.tui.models.entries
        if entries is not self._entries:
            self._entries, self._served = entries, {}
        before, self._strangers = self._strangers, {}
        rows = []
        for each in running:
            runner = each.runner
            known = (runner.sent, runner.digest)
            if known not in self._served:
                self._served[known] = served_by(runner, entries)
            serves = self._served[known]
            if not serves:
                self._strangers[runner.sent] = before.get(runner.sent, at)
            rows.append(RunningRow(each, serves, "" if serves else self._gone(runner, at), runner.sent))
        return tuple(rows)

    def _gone(self, runner: LoadedModel, at: int) -> str:
        """What is said of a runner without a model. The list may be a moment older than the look: from the
        second look on."""
        models = self.tui.models
        if not models.is_live or at <= self._strangers[runner.sent]:
            return ""
        return gone_words(runner, models.entries)

    def _paint(self, row: RunningRow) -> Mapping[str, Line | str]:
        doing = self.tui.doing
        words = next((doing[sent] for sent in row.names if sent in doing), None)
        predicted = self._outlook.predictions.get(row.key)
        return cells_of(row, self.tui.now(), words, predicted, is_wide=self._table.size.width >= WIDE)

    def _stale_words(self) -> str:
        """Why what is shown is not what is; empty where it is."""
        now, connection = self.tui.running_now, self.tui.connection
        age = 0 if now is None else self.tui.now() - now.at
        interval_ms = round(self.tui.services.config.screens.running_s * 1000)
        if connection.is_online and age <= max(STALE_MS, 3 * interval_ms):
            return ""
        seen = "seen just now" if age < 60_000 else f"seen {age_words(0, age)}"
        why = connection.trouble.message if connection.trouble else "no newer answer"
        return f"{seen} · r asks again · {why}"

    def _empty_lines(self) -> list[Line]:
        """What stands in the place of the table: not to be known, not known, or nothing is loaded."""
        app = self.tui
        if _is_too_old(app.connection.version):
            return [((TOO_OLD, "attention"),), (), (("  1", "key"), ("  shows all models", ""))]
        if app.connection.phase is not Phase.ONLINE:
            return welcome_lines(app)
        if app.running_now is None:
            return [((f"Asking {app.connection.url} what is loaded.", ""),)]
        loading = [sent for sent, words in app.doing.items() if words == "loading"]
        if loading:
            return [((f"Loading {', '.join(loading)}.", "strong"),)]
        lines: list[Line] = [(("Nothing is loaded.", "strong"),), ()]
        if (current := self._loadable_current()) is not None:
            lines.append((("  l", "key"), ("  loads the current model ", ""), (current.shown, "strong")))
        return [*lines, (("  1", "key"), ("  shows all models", ""))]

    def _show_about(self) -> None:
        row, machine = self._table.item, self._machine
        line: Line = ()
        if row is not None:
            line = about(
                row,
                self.tui.now(),
                self._outlook.predictions.get(row.key),
                has_cards=machine is not None and bool(machine.cards),
                is_brief=self._table.tells_predictions,
            )
        self.query_one(".about", Lines).show([line])
        found = self._finding_lines()
        findings = self.query_one(".findings", Flowed)
        findings.display = bool(found)
        findings.say(found)

    def _finding_lines(self) -> list[Line]:
        """What Ollama really holds of the cards, and the findings, as many as there is room for."""
        lines: list[Line] = []
        if (cards := self._outlook.cards) is not None:
            words = f" Ollama holds {units.size(cards.actual)} of the cards by the driver, predicted "
            lines.append(((words, "dim"), *predicted_sum(cards)))
        room = max(2, self.app.size.height // 4)
        for each in self._outlook.findings if not self._stale_words() else ():
            rows = flowed(((" ▸ ", "accent"), (each.words, "")), max(20, self.size.width))
            if len(rows) <= room:
                lines += rows
                room -= len(rows)
        return lines

    def on_table_moved(self) -> None:
        self._show_about()
        self.refresh_bindings()

    # What the keys are about

    def chosen_models(self) -> list[Model]:
        """The model under the cursor; where nothing is loaded the current one, for `l`."""
        if not self.is_mounted:
            return []
        row = self._table.item
        if row is not None:
            return [row.entry.model] if row.entry else []
        current = self._loadable_current()
        return [current] if current is not None and not self._rows else []

    def _loadable_current(self) -> Model | None:
        entry = next((each for each in self.tui.models.entries if each.is_current), None)
        if entry is None or entry.damage or entry.model.is_cloud or entry.model.name is None:
            return None
        return entry.model

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return False
        row = self._table.item
        if action == "details":
            return row is not None and row.entry is not None
        if row is None and action in ("switch", "unload", "delete", "pin", "keep_alive", "copy", "rename"):
            return False
        return super().check_action(action, parameters)

    def _makes_sense(self, action: str, chosen: list[Model]) -> bool:
        """Here the runner says what makes sense: the list may be older than it."""
        row = self._table.item
        if row is None:
            return action == "load" and self.tui.running_now is not None
        if action == "load":
            return False
        if action == "unload":
            return row.running.state is not ModelState.STOPPING
        if action == "pin":
            return not row.running.runner.is_kept_forever(self.tui.now())
        if action == "switch":
            return row.entry is not None and not row.entry.is_current
        return super()._makes_sense(action, chosen)

    # Actions

    def on_table_chosen(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        row = self._table.item
        if row is not None and row.entry is not None:
            self.tui.show_details(row.entry.model.sent)

    def action_clear(self) -> None:
        self.tui.clear_notifications()

    def go_to(self, key: str) -> bool:
        """Put the cursor on the runner that serves a model."""
        row = next((row for row in self._rows if key in row.names), None)
        return row is not None and self._table.go_to(row.key)


def alike(before: Sequence[Finding], found: Sequence[Finding]) -> bool:
    """Whether they propose the same of the same models."""
    return [(each.mend, each.name) for each in before] == [(each.mend, each.name) for each in found]


def _is_too_old(version: str | None) -> bool:
    """Whether a server is of before 0.1.38, which brought `/api/ps`."""
    parts = (version or "").split("-")[0].split(".")
    return len(parts) == 3 and all(map(str.isdecimal, parts)) and tuple(map(int, parts)) < (0, 1, 38)
