"""The keys of Downloads: which transfers each is about, whether it makes sense for them, and what it does."""

from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltui.domain.transfers import Wanted
from modeltui.store.queue import QueuedTransfer
from modeltui.tui.freeing import free_disk, lacks_room
from modeltui.tui.screens import downloaddeeds as deeds
from modeltui.tui.screens.downloadrows import ORDERS
from modeltui.tui.screens.listed import ListScreen


class QueueScreen(ListScreen):
    """A table of transfers and the wishes that a person has of them."""

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
    ]
    ORDERS = ORDERS
    HINT = "parts of names, states, causes and servers, <8gb"
    NOUN = "pull"
    KEYS_OF_MARKED = "x h t del + - f are about them"

    _server_id = 0  # of the server that the other screens show

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

    @property
    def chosen(self) -> list[QueuedTransfer]:
        """Those that are marked, in the order of the queue, or else the one under the cursor."""
        keys = {row.key for row in self._table.chosen} if self.is_mounted else ()
        return [row for row in self.tui.transfers if str(row.number) in keys]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("filter", "sort"):
            return bool(self.tui.transfers)
        if action == "hold_all":
            return any(deeds.can_hold_or_resume(row.transfer) for row in self._open)
        if action == "clean":
            return self._can_free(self._open)
        if action == "clear_finished":
            return any(row.transfer.is_final for row in self.tui.transfers)
        if action in ("details", "copy_name"):
            return self.queued is not None
        if action in ("move", "move_first"):
            step = parameters[0] if parameters else -1
            queue = [row.number for row in self._open]
            chosen = [row.number for row in self.chosen]
            return isinstance(step, int) and deeds.moved(queue, chosen, step) != queue
        if action in deeds.CAN:
            return bool(self._that_can(action))
        return super().check_action(action, parameters)

    @property
    def explained(self) -> Collection[str]:
        """The keys that say why they do nothing now: rows move in the order of the queue."""
        return ("move_up", "move_down", "move_first") if self.is_sorted else ()

    def _can_free(self, queue: Iterable[QueuedTransfer]) -> bool:
        """Whether one of these lacks room on the disk of the server that is shown and answers."""
        return self.tui.connection.is_online and any(lacks_room(row, self._server_id) for row in queue)

    def action_pull(self) -> None:
        self.tui.act(self.tui.acts.pull(""), "pull")

    def action_copy_name(self) -> None:
        if (queued := self.queued) is not None:
            self.app.copy_to_clipboard(queued.transfer.name.short)
            self.tui.tell(f"copied: {queued.transfer.name.short}")

    def action_clean(self) -> None:
        self.tui.act(free_disk(self), "free disk")

    def action_hold(self) -> None:
        self._hold(self.chosen, "hold")

    def action_hold_all(self) -> None:
        self._hold(self._open, "hold all")

    def _hold(self, queue: Sequence[QueuedTransfer], what: str) -> None:
        """Hold those that run; where none does, let all go on."""
        running = [row.number for row in queue if deeds.can_hold(row.transfer)]
        held = [row.number for row in queue if deeds.can_resume(row.transfer)]
        wanted = Wanted.PAUSE if running else Wanted.RUN
        self.tui.act(deeds.wish(self.tui, running or held, wanted), what)

    def _that_can(self, action: str) -> list[QueuedTransfer]:
        return [row for row in self.chosen if deeds.CAN[action](row.transfer)]

    def action_retry(self) -> None:
        numbers = [row.number for row in self._that_can("retry")]
        self.tui.act(deeds.wish(self.tui, numbers, Wanted.RUN), "try again")

    def action_cancel(self) -> None:
        self.tui.act(deeds.cancel(self.tui, self._that_can("cancel")), "cancel")

    def action_remove(self) -> None:
        if numbers := [row.number for row in self._that_can("remove")]:  # none would be all
            self.tui.act(deeds.clear(self.tui, *numbers), "remove")

    def action_move(self, step: int) -> None:
        if self.is_sorted:
            self.tui.tell(
                f"not moved: the list stands {ORDERS[self._order]}; o until it is the queue's order"
            )
        else:
            chosen = [row.number for row in self.chosen]
            self.tui.act(deeds.move(self.tui, chosen, step), "move")

    def action_move_first(self) -> None:
        self.action_move(-len(self._open))

    def action_per_server(self) -> None:
        self.tui.act(deeds.ask_per_server(self.tui), "how many at once")

    def action_clear_finished(self) -> None:
        self.tui.act(deeds.clear(self.tui), "clear what has ended")
