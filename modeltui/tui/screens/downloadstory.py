"""What the store knows of one transfer beside its row: layers, failed tries, what was done with it."""

from dataclasses import dataclass

from modeltui.domain.transfers import LayerState
from modeltui.services.tree import Services
from modeltui.store.journal import Entry
from modeltui.store.queue import Attempt, QueuedTransfer

MOST_DEEDS = 12


@dataclass(frozen=True, slots=True)
class Story:
    """Layers the biggest first, tries the oldest first, deeds the latest first."""

    layers: tuple[LayerState, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    deeds: tuple[Entry, ...] = ()


class Stories:
    """Reads the story of the transfer that is looked at, and again only when somebody has written."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._read_at: tuple[int, tuple[int, int]] | None = None
        self._story = Story()

    def of(self, queued: QueuedTransfer) -> Story:
        """The story of a transfer; empty where the store cannot be read, which is told."""
        store = self._services.store
        version = self._services.recall(store.version_of_data, None)
        if version is None:
            return Story()
        if self._read_at != (queued.number, version):
            self._read_at = queued.number, version
            self._story = self._services.recall(lambda: self._read(queued), Story())
        return self._story

    def _read(self, queued: QueuedTransfer) -> Story:
        queue, number, name = self._services.store.queue, queued.number, queued.transfer.name.short
        return Story(
            queue.layers(number),
            queue.attempts(number),
            self._services.store.journal.about(
                (name, f"{number} {name}"), queued.server_id, queued.created, MOST_DEEDS
            ),
        )
