"""Downloads (4): the queue of all servers, what ended before, and the wishes that a person has of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from modeltui.domain.layout import cells, shortened
from modeltui.domain.models import Model
from modeltui.domain.names import from_listed, same
from modeltui.domain.transfers import Wanted
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.tui.freeing import free_disk, lacks_room, remedy_here
from modeltui.tui.render import Line
from modeltui.tui.screens import downloaddeeds as deeds
from modeltui.tui.screens.base import ModelScreen
from modeltui.tui.screens.downloaddetails import TransferDetails, lines_of
from modeltui.tui.screens.downloadrows import (
    AT_ONCE,
    COLUMNS,
    Pace,
    alike,
    empty_lines,
    history_cells,
    history_words,
    numbers_line,
)
from modeltui.tui.screens.downloadstory import Stories
from modeltui.tui.widgets.document import wrapped
from modeltui.tui.widgets.lines import Flowed, Lines
from modeltui.tui.widgets.pane import SidePane
from modeltui.tui.widgets.queuetable import QueueRow, QueueTable


class DownloadsScreen(ModelScreen):
    """The table, and below it in full what is too long for a column."""

    MODE = "downloads"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", id="details"),
        Binding("h", "hold", "hold/resume", id="hold", tooltip="hold this pull, or let it go on"),
        Binding("X", "clean", "free disk", id="clean", tooltip="remove partial downloads and orphans"),
        Binding("x", "cancel", "cancel", id="cancel", tooltip="end this pull"),
        Binding("t", "retry", "try again", id="retry", tooltip="try now, also what failed or was cancelled"),
        Binding(
            "H", "hold_all", "hold/resume all", id="hold_all", tooltip="hold all that run, or let all go on"
        ),
        Binding("plus,equals_sign", "move(-1)", "up", key_display="+", id="move_up", tooltip="earlier"),
        Binding("minus", "move(1)", "down", key_display="-", id="move_down", tooltip="later"),
        Binding("f", "move_first", "first", id="move_first", tooltip="before all others"),
        Binding("a", "per_server", "at once", id="per_server", tooltip="how many pulls run at once"),
        Binding("C", "clear_finished", "clear", id="clear_finished", tooltip="forget what has ended"),
        Binding(
            "delete", "remove", "remove", key_display="del", id="remove", tooltip="forget this ended one"
        ),
        Binding("escape", "clear", "clear", show=False, id="clear"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._services: Services | None = None
        self._servers: Mapping[int, str] = {}
        self._server_id = 0
        self._pace = Pace(0)
        self._seen: Sequence[QueuedTransfer] = ()
        self._stories: Stories | None = None
        self._history: list[QueueRow] = []

    def body(self) -> Iterable[Widget]:
        yield Flowed(id="empty")
        with Horizontal(classes="body"):
            yield QueueTable(COLUMNS, self._paint, id="queue")
            yield SidePane(id="pane")
        yield Lines(id="told")

    @property
    def _table(self) -> QueueTable:
        return self.query_one(QueueTable)

    @property
    def queued(self) -> QueuedTransfer | None:
        """The transfer under the cursor as it is now."""
        row = self._table.item if self.is_mounted else None
        if row is None or row.queued is None:
            return None
        number = row.queued.number
        return next((each for each in self.tui.transfers if each.number == number), None)

    @property
    def _open(self) -> list[QueuedTransfer]:
        return [row for row in self.tui.transfers if not row.transfer.is_final]

    def chosen_models(self) -> list[Model]:
        """The model that the row is about, if it is installed on the server that is shown."""
        queued = self.queued
        if queued is None or queued.server_id != self._server_id:
            return []
        models = [entry.model for entry in self.tui.models.entries]
        return [model for model in models if same(model.name, queued.transfer.sent)][:1]

    # What is shown

    def show_state(self) -> None:
        transfers = self.tui.transfers
        if self.tui.services is not self._services:
            self._settle(self.tui.services)
        if not alike(transfers, self._seen):
            self._history = [self._ended(row) for row in transfers if row.transfer.is_final]
            self._show_rows(at_once=0)
        self._seen = transfers

    def show_time(self) -> None:
        self._show_rows(at_once=AT_ONCE)

    def _settle(self, services: Services) -> None:
        """Know the servers by name, and which of them the other screens show."""
        self._services, self._pace, self._seen = services, Pace(services.config.retries), ()
        self._stories, self._history = Stories(services), []
        self._server_id = services.links.id_of(services.config.active)
        self._servers = {}
        self.query_one("#empty", Flowed).say(empty_lines(is_apart=services.config.detached))
        self._show_rows(at_once=0)

    def _show_rows(self, *, at_once: int) -> None:
        queue = self._open
        notes = {row.number: found for row in queue if (found := self._notes(row))}
        rows = self._pace.rows(queue, self.tui.now(), notes, at_once=at_once)
        if self._history:
            words = "" if rows else "nothing is being pulled, p pulls a model"
            rows += [QueueRow("history", words=words, is_rule=True), *self._history]
        is_empty, had_focus = not rows, self.focused is not None
        self.set_class(is_empty, "-empty")
        self._table.widen(max((row.number for row in queue), default=0))
        self._table.show(rows, range(len(rows)))
        if not is_empty and not had_focus:
            self._table.focus()
        self._show_told()
        self._show_pane()

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
        return row.cells if row.cells is not None else history_cells(row, self.tui.now())

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
            elif not (lines or row.is_history or "size" in {each.id for each in self._table.columns}):
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

    def on_table_moved(self) -> None:
        self._show_told()
        self._show_pane()
        self.refresh_bindings()

    def on_table_chosen(self) -> None:
        self.action_details()

    def on_screen_resume(self) -> None:
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
                return self._table.go_to(str(row.number))
        return False

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "hold_all":
            return any(deeds.can_hold_or_resume(row.transfer) for row in self._open)
        if action == "clean":
            return self._can_free(self._open)
        if action == "clear_finished":
            return any(row.transfer.is_final for row in self.tui.transfers)
        if action not in ("details", "hold", "cancel", "retry", "move", "move_first", "copy_name", "remove"):
            return super().check_action(action, parameters)
        queued = self.queued
        if queued is None:
            return False
        if action in ("move", "move_first"):
            step = parameters[0] if parameters else -1
            return deeds.can_move(queued.number, step, [row.number for row in self._open])
        return action not in deeds.CAN or deeds.CAN[action](queued.transfer)

    def _can_free(self, queue: Iterable[QueuedTransfer]) -> bool:
        """Whether one of these lacks room on the disk of the server that is shown and answers."""
        return self.tui.connection.is_online and any(lacks_room(row, self._server_id) for row in queue)

    def action_pull(self) -> None:
        self.tui.act(self.tui.acts.pull(""), "pull")

    def action_copy_name(self) -> None:
        if (queued := self.queued) is not None:
            self.app.copy_to_clipboard(queued.transfer.name.short)
            self.tui.tell(f"copied: {queued.transfer.name.short}")

    def action_clear(self) -> None:
        self.tui.clear_notifications()

    def action_details(self) -> None:
        queued, model = self.queued, self.model
        if model is not None:
            self.tui.show_details(model.sent)
        elif queued is not None and self._stories is not None:
            self.app.push_screen(TransferDetails(queued, self._server_of(queued), self._stories))

    def action_clean(self) -> None:
        self.tui.act(free_disk(self), "free disk")

    def action_hold(self) -> None:
        if (queued := self.queued) is not None:
            wanted = Wanted.PAUSE if deeds.can_hold(queued.transfer) else Wanted.RUN
            self.tui.act(deeds.wish(self.tui, [queued.number], wanted), "hold")

    def action_hold_all(self) -> None:
        running = [row.number for row in self._open if deeds.can_hold(row.transfer)]
        held = [row.number for row in self._open if deeds.can_resume(row.transfer)]
        wanted = Wanted.PAUSE if running else Wanted.RUN
        self.tui.act(deeds.wish(self.tui, running or held, wanted), "hold all")

    def action_retry(self) -> None:
        if (queued := self.queued) is not None:
            self.tui.act(deeds.wish(self.tui, [queued.number], Wanted.RUN), "try again")

    def action_cancel(self) -> None:
        if (queued := self.queued) is not None:
            self.tui.act(deeds.cancel(self.tui, queued), "cancel")

    def action_move(self, step: int) -> None:
        if (queued := self.queued) is not None:
            numbers = [row.number for row in self._open]
            self.tui.act(deeds.move(self.tui, queued.number, numbers.index(queued.number) + step + 1), "move")

    def action_move_first(self) -> None:
        if (queued := self.queued) is not None:
            self.tui.act(deeds.move(self.tui, queued.number, 1), "move")

    def action_per_server(self) -> None:
        self.tui.act(deeds.ask_per_server(self.tui), "how many at once")

    def action_remove(self) -> None:
        if (queued := self.queued) is not None:
            self.tui.act(deeds.clear(self.tui, queued.number), "remove")

    def action_clear_finished(self) -> None:
        self.tui.act(deeds.clear(self.tui), "clear what has ended")
