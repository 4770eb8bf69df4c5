"""Everything that can happen to a transfer; what follows from it is decided in `domain.reducer` alone."""

from dataclasses import dataclass

from modeltui.domain.causes import Cause
from modeltui.domain.transfers import CheckResult, Manifest, Wanted


@dataclass(frozen=True, slots=True)
class Status:
    """The server says a phase in words."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Layer:
    """The server says how far one layer is; `in_order`: it works through them one after another."""

    at: int
    digest: str
    total: int
    completed: int
    in_order: bool = True


@dataclass(frozen=True, slots=True)
class Success:
    """The literal success line."""

    at: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server refused (with an HTTP status) or failed within the stream."""

    at: int
    text: str
    status: int | None = None
    jitter: float = 1.0


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection ended, or never came to be, without the success line."""

    at: int
    text: str = ""
    jitter: float = 1.0
    cause: Cause = Cause.NETWORK


PullEvent = Status | Layer | Success | ServerError | Closed


@dataclass(frozen=True, slots=True)
class Started:
    """The runner begins a try."""

    at: int


@dataclass(frozen=True, slots=True)
class Announced:
    """The registry's manifest was read."""

    at: int
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Asked:
    """A person wants something of it."""

    at: int
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Held:
    """The runner cannot begin: a secret, a server or the way is missing."""

    at: int
    cause: Cause
    text: str


@dataclass(frozen=True, slots=True)
class Noted:
    """The runner says what a waiting transfer waits for (with its cause), or what came of a connected one."""

    at: int
    text: str
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The runner itself ends (or died) while the transfer was under way."""

    at: int


@dataclass(frozen=True, slots=True)
class Checked:
    """The look at the server after the pull."""

    at: int
    result: CheckResult
    text: str = ""
    jitter: float = 1.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""

    at: int
    jitter: float = 1.0


Event = PullEvent | Started | Announced | Asked | Held | Noted | Interrupted | Checked | Tick
