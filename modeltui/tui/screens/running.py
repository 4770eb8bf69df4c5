"""Running (5): what is in memory, where it really lies, and the hardware under it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from modeltui.domain import units
from modeltui.domain.models import LoadedModel, Model, ModelState
from modeltui.domain.query import Subject
from modeltui.domain.server import Keep
from modeltui.domain.words import age_words
from modeltui.services.library import Entry
from modeltui.services.monitoring import Running
from modeltui.services.predicting import Idleness, Outlook, outlook
from modeltui.tui import runners
from modeltui.tui.render import Line, flowed
from modeltui.tui.runners import RunningRow
from modeltui.tui.screens.base import ModelScreen
from modeltui.tui.screens.listed import ListScreen
from modeltui.tui.state import Phase
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.lines import Flowed, Lines
from modeltui.tui.widgets.meters import Meters
from modeltui.tui.widgets.runningtable import COLUMNS, WIDE, RunningTable
from modeltui.tui.widgets.welcome import welcome_lines

if TYPE_CHECKING:
    from modeltui.domain.machines.machine import Machine
    from modeltui.services.monitoring import RunningNow

STALE_MS = 10_000  # how old a look may be before its age is said
TOO_OLD = "This server cannot say what is loaded: Ollama can since 0.1.38."


class RunningScreen(ListScreen):
    """The meters, the table of what runs, and a line about the row under the cursor."""

    MODE = "running"
    AUTO_FOCUS = "RunningTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", id="details"),
    ]
    ORDERS = runners.ORDERS
    HINT = "parts of names, gpu, split, cpu, for ever, <8gb"
    NOUN = "loaded model"
    KEYS_OF_MARKED = "u n e d are about them"
    OF_SEVERAL = ModelScreen.OF_SEVERAL | {"pin", "keep_alive"}

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
        yield FilterLine()

    @property
    def _table(self) -> RunningTable:
        return self.query_one(RunningTable)

    # What is shown

    def show_state(self) -> None:
        now = self.tui.running_now
        self._rows = self._make_rows(now.rows if now else (), now.at if now else 0)
        self._look_ahead(now)
        self.query_one(Meters).show_hardware(now, self._machine)
        self.show_rows()
        self.set_class(not self._rows, "-empty")
        self.show_time()

    def show_rows(self) -> None:
        view = self.places(self._rows)
        self._table.show(self._rows, view)
        self.tally(len(view), len(self._rows))
        self._follow_rows()

    def subject_of(self, row: RunningRow) -> Subject:
        return runners.subject_of(row, self.tui.now())

    def rank_of(self, row: RunningRow) -> tuple[float, str]:
        return runners.rank_of(row, self._order)

    @property
    def _machine(self) -> "Machine | None":
        return self.tui.advice.advice.machine if self.tui.advice is not None else None

    def _look_ahead(self, now: "RunningNow | None") -> None:
        """Predict what runs, and find what would help; what was said stays as long as it is the same."""
        advised = self.tui.advice
        if (before := self._looked)[0] is now and before[1] is advised:
            return
        self._looked = now, advised
        idle = self._idleness.note(now) if now is not None else {}
        if now is None or advised is None:
            self._outlook = Outlook()
            return
        current = self.tui.models.current
        names = (current.name.short, current.digest or "") if current is not None else ()
        found, last = outlook(advised.advice, now, current=names, idle=idle), self._outlook
        if before[1] is advised and runners.alike(last.findings, found.findings):
            found = replace(found, findings=last.findings)  # free memory wobbles: the words need not
        self._outlook = found

    def show_time(self) -> None:
        age = self._stale_words()
        self.set_class(bool(age) and bool(self._rows), "-stale")
        self.query_one(".stale", Lines).show([((f" {age}", "attention"),)])
        self.query_one(".empty", Flowed).say(self._empty_lines())
        self._table.is_dim = bool(age)
        self._table.refresh_rows()
        self._follow_rows()

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
                self._served[known] = runners.served_by(runner, entries)
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
        return runners.gone_words(runner, models.entries)

    def _paint(self, row: RunningRow) -> Mapping[str, Line | str]:
        doing = self.tui.doing
        words = next((doing[sent] for sent in row.names if sent in doing), None)
        predicted = self._outlook.predictions.get(row.key)
        is_wide, is_marked = self._table.size.width >= WIDE, row.key in self._table.marked
        return runners.cells_of(row, self.tui.now(), words, predicted, is_wide=is_wide, is_marked=is_marked)

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
        if runners.is_too_old(app.connection.version):
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

    def follow(self) -> None:
        row, machine = self._table.item, self._machine
        line: Line = ()
        if row is not None:
            line = runners.about(
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
            lines.append(((words, "dim"), *runners.predicted_sum(cards)))
        room = max(2, self.app.size.height // 4)
        for each in self._outlook.findings if not self._stale_words() else ():
            rows = flowed(((" ▸ ", "accent"), (each.words, "")), max(20, self.size.width))
            if len(rows) <= room:
                lines += rows
                room -= len(rows)
        return lines

    # What the keys are about

    def chosen_models(self) -> list[Model]:
        """What is marked, or under the cursor; where nothing is loaded the current model, for `l`."""
        if not self.is_mounted:
            return []
        if self._rows:
            return [row.entry.model for row in self._table.chosen if row.entry]
        current = self._loadable_current()
        return [current] if current is not None else []

    @property
    def model(self) -> Model | None:
        row = self._table.item if self.is_mounted else None
        if row is None:
            return next(iter(self.chosen_models()), None) if not self._rows else None
        return row.entry.model if row.entry else None

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
        if action in ("filter", "sort"):
            return bool(self._rows)
        if row is None and action in ("switch", "copy", "rename"):
            return False
        if action in ("unload", "delete", "pin", "keep_alive") and not self._table.chosen:
            return False
        return super().check_action(action, parameters)

    def _makes_sense(self, action: str, chosen: list[Model]) -> bool:
        """Here the runner says what makes sense: the list may be older than it."""
        row, marked = self._table.item, self._table.chosen
        if action == "unload":
            return any(each.running.state is not ModelState.STOPPING for each in marked)
        if action == "pin":
            return any(not each.running.runner.is_kept_forever(self.tui.now()) for each in marked)
        if row is None and action not in ("delete", "keep_alive"):
            return action == "load" and self.tui.running_now is not None
        if action == "load":
            return False
        if action == "switch":
            return row is not None and row.entry is not None and not row.entry.is_current
        return super()._makes_sense(action, chosen)

    # Actions

    def on_table_chosen(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        row = self._table.item
        if row is not None and row.entry is not None:
            self.tui.show_details(row.entry.model.sent)

    def action_pin(self) -> None:
        self.tui.act(self.tui.acts.hold(self.chosen_models(), Keep.FOREVER), "pin")

    def action_keep_alive(self) -> None:
        if models := self.chosen_models():
            self.tui.act(self.tui.acts.keep(*models), "keep")

    def go_to(self, key: str) -> bool:
        """Put the cursor on the runner that serves a model."""
        row = next((row for row in self._rows if key in row.names), None)
        if row is not None and not self._table.go_to(row.key):
            self._filter.action_clear()
        return row is not None and self._table.go_to(row.key)
