"""Downloads (4): the queue of all servers, what ended before, and the wishes that a person has of them."""

from collections.abc import Iterable, Mapping, Sequence

from textual.widget import Widget

from modeltui.domain.layout import cells, shortened
from modeltui.domain.models import Model
from modeltui.domain.names import from_listed, same
from modeltui.domain.query import Subject
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.tui.freeing import remedy_here
from modeltui.tui.render import Line
from modeltui.tui.screens.downloaddetails import TransferDetails, lines_of
from modeltui.tui.screens.downloadkeys import QueueScreen
from modeltui.tui.screens.downloadrows import (
    AT_ONCE,
    COLUMNS,
    Pace,
    alike,
    empty_lines,
    history_cells,
    history_words,
    numbers_line,
    rank_of,
    subject_of,
)
from modeltui.tui.screens.downloadstory import Stories
from modeltui.tui.widgets.document import wrapped
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.lines import Flowed, Lines, Row
from modeltui.tui.widgets.pane import SidePane
from modeltui.tui.widgets.queuetable import QueueRow, QueueTable


class DownloadsScreen(QueueScreen):
    """The table, and below it in full what is too long for a column."""

    MODE = "downloads"

    def __init__(self) -> None:
        super().__init__()
        self._services: Services | None = None
        self._servers: Mapping[int, str] = {}
        self._pace = Pace(0)
        self._seen: Sequence[QueuedTransfer] = ()
        self._stories: Stories | None = None
        self._history: list[QueueRow] = []

    def body(self) -> Iterable[Widget]:
        yield Flowed(id="empty")
        with Row(classes="body"):
            yield QueueTable(COLUMNS, self._paint, id="queue")
            yield SidePane(id="pane")
        yield Lines(id="told")
        yield FilterLine()

    @property
    def _table(self) -> QueueTable:
        return self.query_one(QueueTable)

    def chosen_models(self) -> list[Model]:
        """The models that the rows are about, where they are installed on the server that is shown."""
        return self._models_of(self.chosen)

    @property
    def model(self) -> Model | None:
        return next(iter(self._models_of([self.queued] if self.queued else [])), None)

    def _models_of(self, queue: Iterable[QueuedTransfer]) -> list[Model]:
        names = [row.transfer.sent for row in queue if row.server_id == self._server_id]
        models = [entry.model for entry in self.tui.models.entries]
        return [model for model in models if any(same(model.name, name) for name in names)]

    # What is shown

    def show_state(self) -> None:
        transfers = self.tui.transfers
        if self.tui.services is not self._services:
            self._settle(self.tui.services)
        if not alike(transfers, self._seen):
            self._history = [self._ended(row) for row in transfers if row.transfer.is_final]
            self.show_rows()
        self._seen = transfers

    def show_time(self) -> None:
        self.show_rows(at_once=AT_ONCE)

    def _settle(self, services: Services) -> None:
        """Know the servers by name, and which of them the other screens show."""
        self._services, self._pace, self._seen = services, Pace(services.config.retries), ()
        self._stories, self._history = Stories(services), []
        self._server_id = services.links.id_of(services.config.active)
        self._servers = {}
        self.query_one("#empty", Flowed).say(empty_lines(is_apart=services.config.detached))
        self._table.clear_marks()  # numbers of other transfers
        self.show_rows()

    def show_rows(self, *, at_once: int = 0) -> None:
        queue = self._open
        notes = {row.number: found for row in queue if (found := self._notes(row))}
        rows = self._pace.rows(queue, self.tui.now(), notes, at_once=at_once)
        view, past = self.places(rows), self.places(self._history)
        count = len(view) + len(past), len(rows) + len(self._history)
        if past:
            view += [len(rows), *(len(rows) + 1 + place for place in past)]
        words = "" if rows else "nothing is being pulled, p pulls a model"
        rows += [QueueRow("history", words=words, is_rule=True), *self._history]
        is_empty, had_focus = not (queue or self._history), self.focused is not None
        self.set_class(is_empty, "-empty")
        self._table.widen(max((row.number for row in queue), default=0))
        self._table.show(rows, view)
        self.tally(*count)
        if not is_empty and not had_focus:
            self._table.focus()
        self._follow_rows()

    def subject_of(self, row: QueueRow) -> Subject:
        return subject_of(row, self._server_of(row.queued) if row.queued is not None else "")

    def rank_of(self, row: QueueRow) -> tuple[int, str]:
        return rank_of(row, self._order)

    def _ended(self, queued: QueuedTransfer) -> QueueRow:
        return QueueRow(str(queued.number), queued, history_words(queued.transfer), self._notes(queued))

    def _notes(self, queued: QueuedTransfer) -> tuple[str, ...]:
        """What stands beside the state: the server where it is another one, and what comes after."""
        notes = []
        if queued.server_id != self._server_id:
            notes.append(self._server_of(queued))
        if queued.number == self.tui.switch_when_done:
            notes.append("then switch")
        return tuple(notes)

    def _server_of(self, queued: QueuedTransfer) -> str:
        if queued.server_id not in self._servers:
            services, nothing = self.tui.services, dict[int, tuple[str, str]]()
            known = services.recall(services.store.facts.servers, nothing)
            self._servers = {number: name for number, (_, name) in known.items()}
        return self._servers.get(queued.server_id, "another server")

    def _paint(self, row: QueueRow) -> Mapping[str, Line | str]:
        if row.is_rule:
            words = f"── {row.words}{' ── ' if row.words else ''}history "
            return {"rule": ((words + "─" * (self._table.row_width - cells(words)), "dim"),)}
        painted = row.cells if row.cells is not None else history_cells(row, self.tui.now())
        if row.key not in self._table.marked:
            return painted
        if self._table.columns[0].id != "number":  # where it has no room
            return {**painted, "name": f"+{painted['name']}"}
        return {**painted, "number": (("+", "accent"), *(painted["number"] or ((" ", ""),)))}

    def _show_told(self) -> None:
        """In full what the row under the cursor has no room for, and what mends it."""
        row = self._table.item
        lines: list[Line] = []
        if row is not None and row.queued is not None:
            can_free = self._can_free([row.queued])
            if (remedy := remedy_here(row.queued, can_free=can_free)) is not None:
                lines.append((("→ ", "dim"), (remedy, "attention")))
            width = max(20, self.size.width - 2)
            if cells(row.said) > self._table.room(row):
                lines[:0] = wrapped(((row.said, ""),), width)[: 2 - len(lines)]
            if remedy is None and not (row.is_history or "size" in {each.id for each in self._table.columns}):
                lines.append(numbers_line(row))
        self.query_one("#told", Lines).show([*lines, (), ()][:2])

    def _show_pane(self) -> None:
        """Everything about the row under the cursor, on a terminal that has room beside the table."""
        pane, queued = self.query_one(SidePane), self.queued
        if not pane.display or self._stories is None:
            return
        lines: list[Line] = []
        if queued is not None:
            story, server = self._stories.of(queued), self._server_of(queued)
            lines = lines_of(queued, server, story, self.tui.now(), self.tui.services.config.retries)
            lines[:0] = [((shortened(queued.transfer.name.short, pane.room), "strong"),), ()]
        pane.say([row for line in lines for row in wrapped(line, max(1, pane.room))])

    def follow(self) -> None:
        self._show_told()
        self._show_pane()

    def on_table_chosen(self) -> None:
        self.action_details()

    def on_screen_resume(self, _: object) -> None:
        if self._services is not None:  # the first time all of it is shown a moment later
            self.show_time()

    def help_words(self) -> list[str]:
        """The state under the cursor, and the columns."""
        queued = self.queued
        states = [str(queued.transfer.state)] if queued is not None else []
        return [*states, *(column.title for column in COLUMNS if column.title), "transfer", "runner"]

    def go_to(self, key: str) -> bool:
        """Put the cursor on the pull of a model."""
        name = from_listed(key)
        for row in self.tui.transfers:
            if row.server_id == self._server_id and same(row.transfer.sent, name):
                if not self._table.go_to(str(row.number)):
                    self._filter.action_clear()
                return self._table.go_to(str(row.number))
        return False

    def action_details(self) -> None:
        queued, model = self.queued, self.model
        if model is not None:
            self.tui.show_details(model.sent)
        elif queued is not None and self._stories is not None:
            self.app.push_screen(TransferDetails(queued, self._server_of(queued), self._stories))
