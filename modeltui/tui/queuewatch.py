"""Watches the store: what any program wrote shows at once, and a queue with work is carried out."""

import asyncio
from typing import TYPE_CHECKING

from modeltui.domain.transfers import State
from modeltui.services.pulls import Pulls
from modeltui.store.queue import QueuedTransfer

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp

LOOK_S = 0.25


class QueueWatch:
    """One look every quarter of a second at the version of the data; rows are read only when it changed."""

    def __init__(self, app: "ModelTuiApp") -> None:
        self._app = app
        self._services = app.services
        self._pulls = Pulls(app.services)
        self._states: dict[int, State] | None = None

    async def run(self) -> None:
        """Watch until cancelled; raises StoreError when the store cannot be read any more."""
        store = self._services.store
        seen: tuple[int, int] | None = None
        newest = -1  # what was written between the first list and now must be asked for, too
        while True:
            version = store.version_of_data()
            if version != seen:
                seen = version
                self._take(self._pulls.all())
                before, newest = newest, store.journal.last_id()
                if newest != before:
                    self._app.refresh_soon()
            await asyncio.sleep(LOOK_S)

    def _take(self, rows: tuple[QueuedTransfer, ...]) -> None:
        """Show the rows, see to it that somebody carries them out, and say what ended."""
        app = self._app
        app.transfers = rows
        if not all(row.transfer.is_resting for row in rows) and not app.is_carrying:
            app.carry_queue()
        before, self._states = self._states, {row.number: row.transfer.state for row in rows}
        for row in rows:
            known = before.get(row.number) if before is not None else None
            if row.transfer.is_final and known not in (None, row.transfer.state):
                app.ended(row)
