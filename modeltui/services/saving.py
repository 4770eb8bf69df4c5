"""Writes the row of one carried transfer, with what is to be known together with it."""

from collections.abc import Callable

from modeltui.domain.transfers import Transfer
from modeltui.errors import StoreError
from modeltui.services.tree import Services

_MOST_FAILURES = 20


class Saving:
    """That of one transfer, which stands in the queue as `saved`."""

    def __init__(self, number: int, saved: Transfer) -> None:
        self._number = number
        self._saved = saved
        self._saved_at = 0
        self._failures = 0
        self._beside: list[Callable[[], None]] = []

    def knows(self, transfer: Transfer) -> bool:
        """Whether the queue has it as it stands."""
        return transfer is self._saved

    def is_due(self, now: int, every_ms: int) -> bool:
        """Whether the last write is that long ago, or the clock was set back since."""
        return not 0 <= now - self._saved_at < every_ms

    def add(self, write: Callable[[], None]) -> None:
        """Write this too with the next save."""
        self._beside.append(write)

    def save(self, services: Services, transfer: Transfer, wishes: int) -> None:
        """Write how it stands; a store that fails is tried again a few times, then raises StoreError."""
        self._saved_at = services.clock()
        try:
            with services.store.writing():  # all or nothing: who dies here has not told half of it
                for write in self._beside:
                    write()
                services.store.queue.save(self._number, transfer, wishes)
        except StoreError as error:
            self._failures += 1
            if self._failures >= _MOST_FAILURES:
                raise
            services.note(f"{error.message}; trying again")
        else:
            self._saved, self._failures = transfer, 0
            self._beside.clear()
