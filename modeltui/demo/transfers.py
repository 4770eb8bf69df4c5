"""The movement of blobs from the registry to the disk: one transfer a digest, shared by all who wait.

There is no timer of its own: whoever waits moves it on to the present, so nothing runs in the background
and a transfer without waiters stands still. The last to leave keeps the bytes as a partial.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from modeltui.demo.library import Layer, Library
from modeltui.demo.speech import Speech


@dataclass(eq=False, slots=True)
class Transfer:
    """A blob on its way; `moved` in bytes, times in seconds of the server's clock."""

    layer: Layer
    moved: float
    rate: float
    started: float
    at: float
    waiters: int = 0
    stalled_until: float = 0.0
    filled_at: float | None = None

    @property
    def completed(self) -> int:
        return min(int(self.moved), self.layer.size)

    def advance(self, now: float) -> None:
        """Move on to `now`, standing still until `stalled_until`."""
        since = max(self.at, min(self.stalled_until, now))
        before = self.moved
        self.moved = min(before + (now - since) * self.rate, float(self.layer.size))
        self.at = now
        # Half a byte of float error must not cost another event.
        if self.filled_at is None and self.moved >= self.layer.size - 0.5:
            self.filled_at = since + (self.moved - before) / self.rate
            self.moved = float(self.layer.size)

    def put_back(self, completed: float) -> None:
        """Set the counter back, as a part that must be fetched again does."""
        self.moved = max(0.0, completed)
        self.filled_at = None

    def ends_at(self, speech: Speech) -> float:
        """Return when the server takes it for finished, if nothing stalls."""
        filled = self.filled_at
        if filled is None:
            filled = max(self.at, self.stalled_until) + (self.layer.size - self.moved) / self.rate
        least = speech.small_layer_time
        took = max(filled - self.started, least)
        if speech.rounds_up and least > 0:
            took = math.ceil(took / least - 1e-9) * least
        return self.started + took


class Transfers:
    """All blobs on their way, by digest; `rate` in bytes per second each."""

    def __init__(self, library: Library, speech: Speech, rate: float, clock: Callable[[], float]) -> None:
        self._library = library
        self._speech = speech
        self._clock = clock
        self._running: dict[str, Transfer] = {}
        self.rate = rate

    def join(self, layer: Layer) -> Transfer:
        """Wait for a blob with all others who do, or begin it where its partial ends."""
        transfer = self._running.get(layer.digest)
        if transfer is None:
            now = self._clock()
            kept = float(self._library.partials.get(layer.digest, 0))
            transfer = Transfer(layer, kept, self.rate, started=now, at=now)
            self._running[layer.digest] = transfer
        transfer.waiters += 1
        return transfer

    def leave(self, transfer: Transfer) -> None:
        """Stop waiting; the last one out cancels the transfer and keeps its bytes."""
        transfer.waiters -= 1
        digest = transfer.layer.digest
        if transfer.waiters > 0 or self._running.get(digest) is not transfer:
            return
        transfer.advance(self._clock())
        del self._running[digest]
        self._library.partials[digest] = transfer.completed

    def look(self, transfer: Transfer) -> bool:
        """Move a transfer on to the present; when it is finished the blob is there, and True returned."""
        now = self._clock()
        transfer.advance(now)
        if transfer.filled_at is None or now < transfer.ends_at(self._speech) - 1e-6:
            return False
        if self._running.pop(transfer.layer.digest, None) is not None:
            self._library.blobs[transfer.layer.digest] = transfer.layer.size
            self._library.partials.pop(transfer.layer.digest, None)
        return True

    def until_end(self, transfer: Transfer) -> float:
        """Return the seconds until a transfer ends, if nothing stalls."""
        return max(0.0, transfer.ends_at(self._speech) - self._clock())

    def stop_all(self) -> None:
        """Cancel everything, as the end of the server does; the bytes stay as partials."""
        for transfer in list(self._running.values()):
            transfer.waiters = 1
            self.leave(transfer)
