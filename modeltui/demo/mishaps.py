"""When the troubles of one pull strike: counted by the bytes that this pull has moved by itself."""

import math
from collections.abc import Callable

from modeltui.demo.faults import Kind, Trouble
from modeltui.demo.library import Layer
from modeltui.demo.refusals import Dropped, Refusal
from modeltui.demo.transfers import Transfer

BY_MOVED_BYTES = (
    Kind.RESET,
    Kind.CUT,
    Kind.STALL,
    Kind.STREAM_ERROR,
    Kind.GO_BACK,
    Kind.ROLLBACK,
    Kind.NO_SPACE,
    Kind.MAX_RETRIES,
    Kind.CONTEXT_CANCELED,
)
"""What strikes inside a pull; the other kinds belong to its answer as a whole."""

_PARTIAL = "/usr/share/ollama/.ollama/models/blobs/{}-partial"


class Job:
    """One pull under way: what it fetched and moved (bytes), and what is still to befall it."""

    def __init__(self, trouble: Trouble, clock: Callable[[], float]) -> None:
        self.trouble = trouble
        self.fetched: list[Layer] = []
        self.moved = 0
        self.removed_layers = False
        self.failure = ""
        self._clock = clock

    def bytes_until_next(self) -> float:
        """Return how many bytes can move before the next trouble strikes."""
        waiting = (self.trouble.get(kind) for kind in BY_MOVED_BYTES)
        ahead = (fault.after_bytes - self.moved for fault in waiting if fault is not None)
        return min((distance for distance in ahead if distance > 0), default=math.inf)

    def strike(self, transfer: Transfer | None = None) -> None:
        """Let what is due happen; raises Refusal or Dropped, or sets the transfer's counter."""
        due = self.trouble.due
        if due(Kind.RESET, self.moved) or due(Kind.CUT, self.moved):
            raise Dropped(reset=due(Kind.RESET, self.moved) is not None)
        if fault := due(Kind.STREAM_ERROR, self.moved):
            raise Refusal(500, str(fault.value or "something went wrong"))
        if due(Kind.CONTEXT_CANCELED, self.moved):
            raise Refusal(500, "context canceled")
        if transfer is not None:
            self._strike_transfer(transfer)

    def _strike_transfer(self, transfer: Transfer) -> None:
        due = self.trouble.due
        if due(Kind.NO_SPACE, self.moved):
            # Recorded: the disk is full to the last byte, so the offsets are lost with the error.
            transfer.put_back(0)
            path = _PARTIAL.format(transfer.layer.digest.replace(":", "-"))
            raise Refusal(500, f"write {path}: no space left on device")
        if due(Kind.MAX_RETRIES, self.moved):
            raise Refusal(500, "max retries exceeded: unexpected EOF")
        if fault := due(Kind.STALL, self.moved):
            seconds = fault.value if isinstance(fault.value, int | float) else math.inf
            transfer.stalled_until = self._clock() + seconds
            self.trouble.forget(Kind.STALL)
        if fault := due(Kind.GO_BACK, self.moved):
            step = fault.value if isinstance(fault.value, int | float) else transfer.layer.size / 4
            transfer.put_back(transfer.moved - step)
            self.trouble.forget(Kind.GO_BACK)
        if due(Kind.ROLLBACK, self.moved):
            transfer.put_back(0)
            self.trouble.forget(Kind.ROLLBACK)
