"""Which troubles the demonstration server makes, for whom and how often.

A `Fault` names a kind, the path and perhaps the model it concerns (as the JSON body of the request has it;
a GET concerns no model). A request takes at most one fault of
each kind, in the order they were added; `times` counts the requests that took it.

`after_bytes` counts bytes of the response body; on a streaming `/api/pull` it counts the bytes that this
pull has moved by itself, so that a fault taken three times lets each try make some progress. An answer
without a body is broken off before its head.

| kind | value | what happens |
|---|---|---|
| DELAY | seconds (1) | the answer comes later |
| HANG | - | the request is accepted and never answered |
| RESET, CUT | - | the connection is reset (RST) or closed (FIN) after `after_bytes` |
| STALL | seconds (None: for ever) | a pull goes on sending the same counter; another stream falls silent |
| STREAM_ERROR | text | `{"error": text}` as a line of the stream; elsewhere status 500 with that error |
| STATUS | status, or [status, body] | that status; by default with the body real servers and proxies send |
| MALFORMED | text | a broken line in a stream, a broken body elsewhere |
| ENDLESS | bytes per second (1,000,000) | one line that never ends |
| WRONG_TYPES, HOSTILE | - | every field has a wrong type; every string is hostile |
| NO_SUCCESS | - | the stream ends well-formed, without `success` or `done` |
| GO_BACK | bytes (a quarter) | `completed` goes back by that much, then on |
| ROLLBACK | - | `completed` goes back to 0, then on |
| FALSE_SUCCESS | - | `success`, but the weights are not there |
| DIGEST_MISMATCH | - | the check fails after `verifying`, what was new is deleted |
| NO_SPACE, MAX_RETRIES, CONTEXT_CANCELED | - | the in-stream error of that name |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of trouble; see the table above."""

    DELAY = "delay"
    HANG = "hang"
    RESET = "reset"
    CUT = "cut"
    STALL = "stall"
    STREAM_ERROR = "stream_error"
    STATUS = "status"
    MALFORMED = "malformed"
    ENDLESS = "endless"
    WRONG_TYPES = "wrong_types"
    HOSTILE = "hostile"
    NO_SUCCESS = "no_success"
    GO_BACK = "go_back"
    ROLLBACK = "rollback"
    FALSE_SUCCESS = "false_success"
    DIGEST_MISMATCH = "digest_mismatch"
    NO_SPACE = "no_space"
    MAX_RETRIES = "max_retries"
    CONTEXT_CANCELED = "context_canceled"


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble: a `path` may end in "*", `name` None is every model, `times` None is for ever."""

    kind: Kind
    path: str = "/api/pull"
    name: str | None = None
    after_bytes: int = 0
    times: int | None = 1
    value: object = None

    def concerns(self, path: str, name: str) -> bool:
        """Whether a request to `path` for the model `name` meets it; a name may omit its tag."""
        start, star, _ = self.path.partition("*")
        if not (path.startswith(start) if star else path == self.path):
            return False
        wanted = None if self.name is None else self.name.casefold()
        got = name.casefold()
        return (
            wanted is None or got == wanted or got.removesuffix(":latest") == wanted.removesuffix(":latest")
        )


class Trouble:
    """The faults that one request took, at most one of a kind."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._of = {fault.kind: fault for fault in faults}

    def __bool__(self) -> bool:
        return bool(self._of)

    def get(self, *kinds: Kind) -> Fault | None:
        """Return the fault of the first of `kinds` that is there."""
        return next((self._of[kind] for kind in kinds if kind in self._of), None)

    def due(self, kind: Kind, moved: int) -> Fault | None:
        """Return the fault of that kind once `moved` bytes reached its `after_bytes`."""
        fault = self._of.get(kind)
        return fault if fault is not None and moved >= fault.after_bytes else None

    def without(self, kinds: Iterable[Kind]) -> "Trouble":
        """Return these faults without some kinds."""
        left_out = frozenset(kinds)
        return Trouble(fault for kind, fault in self._of.items() if kind not in left_out)

    def forget(self, kind: Kind) -> None:
        """Drop a fault that has happened."""
        self._of.pop(kind, None)


class Faults:
    """The troubles that wait, in order."""

    def __init__(self, *faults: Fault) -> None:
        self._waiting: list[tuple[Fault, int | None]] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Add troubles behind those that wait."""
        self._waiting += [(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        """Drop all that wait; a request under way keeps its own."""
        self._waiting.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """The troubles that can still happen."""
        return tuple(fault for fault, _ in self._waiting)

    def take(self, path: str, name: str) -> Trouble:
        """Take what concerns this request, at most one of each kind, and count it."""
        taken: dict[Kind, Fault] = {}
        left: list[tuple[Fault, int | None]] = []
        for fault, times in self._waiting:
            if fault.kind not in taken and fault.concerns(path, name):
                taken[fault.kind] = fault
                times = None if times is None else times - 1
            if times is None or times > 0:
                left.append((fault, times))
        self._waiting = left
        return Trouble(taken.values())


def fault_from_json(wish: Mapping[str, Any]) -> Fault:
    """Read a fault from the body of `POST /demo/faults`; raises ValueError for what makes no sense."""
    try:
        kind = Kind(str(wish["kind"]).lower())
    except (KeyError, ValueError):
        raise ValueError(f"kind must be one of {', '.join(Kind)}") from None
    times, name, after = wish.get("times", 1), wish.get("name"), wish.get("after_bytes", 0)
    if not (times is None or (isinstance(times, int) and times > 0)):
        raise ValueError("times must be a positive number, or null for ever")
    if not isinstance(after, int) or not isinstance(name, str | None):
        raise ValueError("after_bytes must be a number and name a text or null")
    path = str(wish.get("path", "/api/pull"))
    return Fault(kind, path=path, name=name, after_bytes=after, times=times, value=wish.get("value"))
