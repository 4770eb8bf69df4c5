"""Watches the store: what any program wrote shows at once, and a queue with work is carried out."""

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual.worker import Worker, WorkerState

from modeltui.domain.causes import Cause
from modeltui.domain.transfers import State
from modeltui.services.pulls import Pulls
from modeltui.store.ends import End
from modeltui.store.queue import QueuedTransfer
from modeltui.tui.endings import Endings
from modeltui.tui.flows import after_transfers

if TYPE_CHECKING:
    from modeltui.tui.stateful import StatefulApp

AGAIN_S = 5.0  # after a try to have the queue carried out that failed


class QueueWatch:
    """Looks at the version of the data; rows are read only when it changed."""

    def __init__(self, app: "StatefulApp") -> None:
        self._app = app
        self._services = app.services
        self._pulls = Pulls(app.services)
        self._server_id = app.services.links.id_of(app.services.config.active)
        self._endings = Endings(app)
        self._seen: tuple[int, int] | None = None
        self._last_end: int | None = None
        self._is_work = False
        self._carrying: Worker[None] | None = None
        self._began = 0.0
        self._newest = -1  # what was written between the first list and now must be asked for, too

    def look(self) -> None:
        """Show what was written since the last look; raises StoreError."""
        store = self._services.store
        version = store.version_of_data()
        if version == self._seen:
            self._see_to_queue()
            return
        self._seen = version
        self._app.per_server = self._pulls.per_server(self._server_id).count
        self._take(self._pulls.all())
        self._look_at_ends()
        before, self._newest = self._newest, store.journal.last_id()
        if self._newest != before:
            self._app.refresh_soon()

    def _look_at_ends(self) -> None:
        """Say what has ended, at first also what did while no screen was there."""
        ends = self._services.store.ends
        if self._last_end is None:
            self._last_end = ends.last_id()
            found = ends.untold()
        else:
            found = ends.newer(self._last_end)
        if found:
            self._last_end = max(self._last_end, found[-1].id)
            self._say(found)

    def _take(self, rows: tuple[QueuedTransfer, ...]) -> None:
        """Show the rows, and see to it that somebody carries them out."""
        before, self._app.transfers = self._app.transfers, rows
        self._endings.keep_true()
        if self._tells_otherwise(before, rows):
            self._app.refresh_soon()
        self._is_work = not all(row.is_resting for row in rows)
        self._see_to_queue()

    def _tells_otherwise(self, before: Sequence[QueuedTransfer], rows: Sequence[QueuedTransfer]) -> bool:
        """Whether a pull has just lost the server that is said to be online, or met one that is not."""
        met = State.RETRYING if self._app.connection.is_online else State.PULLING
        known = {(row.number, row.transfer.state, row.transfer.attempts) for row in before}
        return any(
            row.transfer.state is met
            and row.server_id == self._server_id
            and (met is State.PULLING or row.transfer.cause is Cause.NETWORK)
            and (row.number, met, row.transfer.attempts) not in known
            for row in rows
        )

    def _see_to_queue(self) -> None:
        """Have work carried out; when that fails, again and again, but not without a rest."""
        if not self._is_work or self._app.is_carrying:
            return
        has_failed = self._carrying is not None and self._carrying.state is WorkerState.ERROR
        if has_failed and monotonic() - self._began < AGAIN_S:
            return
        self._carrying, self._began = self._app.carry_queue(), monotonic()

    def _say(self, ends: Sequence[End]) -> None:
        """Say what ended. Each screen that is open says it; one that comes later does not again."""
        self._endings.tell(ends)
        after_transfers(self._app, ends)
        services = self._services
        services.remember(lambda: services.store.ends.mark_told(ends, services.clock()))
