"""What one pull is and how far it has come, and what is wanted of it."""

from dataclasses import dataclass
from enum import StrEnum

from modeltui.domain.causes import Cause
from modeltui.domain.names import ModelName

QUIET_MS = 5_000  # from then on a stream without a byte is called silent


class State(StrEnum):
    """Where a transfer stands; stored, so never renamed."""

    WAITING = "waiting"
    STARTING = "starting"
    PULLING = "pulling"
    VERIFYING = "verifying"
    CHECKING = "checking"
    RETRYING = "retrying"
    PAUSED = "paused"
    BLOCKED = "blocked"
    INSTALLED = "installed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({State.INSTALLED, State.FAILED, State.CANCELLED})
CONNECTED = frozenset({State.STARTING, State.PULLING, State.VERIFYING})
ACTIVE = CONNECTED | {State.CHECKING}


class Wanted(StrEnum):
    """What a person wants of a transfer."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


class CheckResult(StrEnum):
    """What a look at the server after a pull (or after a cancel) found."""

    INSTALLED = "installed"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Blob:
    """One layer (or the config) of a manifest: `sha256:…` and bytes."""

    digest: str
    size: int
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a registry announces for a name; `digest` is 64 hex digits, as `/api/tags` gives it."""

    digest: str
    blobs: tuple[Blob, ...]

    @property
    def total(self) -> int:
        """Bytes of all distinct blobs."""
        return sum({blob.digest: blob.size for blob in self.blobs}.values())


@dataclass(frozen=True, slots=True)
class LayerState:
    """One layer as the server's stream shows it now, in bytes; `completed` may go back."""

    digest: str
    total: int
    completed: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient a transfer is (configuration: `downloads.retries`, `downloads.stall_s`)."""

    retries: int = 10
    stall_ms: int = 90_000


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What a layer had at its first event: `found` bytes, which were there, or came in the moment until then.

    `steps` events have come since, the most that one of them brought being `step` bytes.
    """

    found: int
    steps: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class Transfer:
    """One pull. Bytes and UTC milliseconds; `done` and `total` never go back, `seen` (what is there now) may.

    `attempts` counts tries without a new byte, `tries` all of them. `speed` is in bytes a second. `present`
    bytes were there before its first byte came, `moved` ones its streams brought in the `active_ms` that they
    were open; `first_look` counts as neither yet. `is_finishing`: only small last layers are missing.
    `pulled_as`: its registry's other name.
    """

    name: ModelName
    state: State = State.WAITING
    wanted: Wanted = Wanted.RUN
    cause: Cause | None = None
    detail: str = ""
    attempts: int = 0
    tries: int = 0
    total: int | None = None
    total_exact: bool = False
    done: int = 0
    seen: int = 0
    present: int | None = None
    moved: int = 0
    active_ms: int = 0
    is_finishing: bool = False
    pulled_as: ModelName | None = None
    layers: tuple[LayerState, ...] = ()
    manifest: Manifest | None = None
    retry_at: int | None = None
    speed: float | None = None
    ends_at: int | None = None
    grown_at: int | None = None
    sample_at: int | None = None
    sample_bytes: int | None = None
    first_look: FirstLook | None = None
    digest_failures: int = 0
    damages: int = 0
    started: int | None = None
    ended: int | None = None
    at: int = 0

    @property
    def sent(self) -> ModelName:
        """The name that the server is asked for, and under which the model is installed."""
        return self.pulled_as or self.name

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def is_resting(self) -> bool:
        """Whether nothing happens to it until a person wants it."""
        return self.is_final or self.state in (State.PAUSED, State.BLOCKED)

    @property
    def percent(self) -> int | None:
        """Whole percent over the whole model; 100 only when installed; None while the sum is unknown."""
        if self.state is State.INSTALLED:
            return 100
        if not self.total_exact or not self.total:
            return None
        return min(99, self.done * 100 // self.total)

    @property
    def again(self) -> int:
        """How often it has failed for its cause, where that is counted; else tries without a new byte."""
        if self.cause is Cause.DIGEST:
            return self.digest_failures
        return self.damages if self.cause is Cause.DAMAGED else self.attempts

    @property
    def average_speed(self) -> float | None:
        """Bytes a second over all of its streams; None where none brought anything."""
        return self.moved * 1000 / self.active_ms if self.moved and self.active_ms else None

    def speed_at(self, now: int) -> float | None:
        """Bytes a second; None while nothing comes, whatever came before."""
        moving = self.state is State.PULLING and self.quiet_ms(now) < QUIET_MS
        return self.speed if moving else None

    def remaining_ms(self, now: int) -> int | None:
        """Estimated time to the last byte, counting down; None while speed or size is unknown."""
        if self.ends_at is None or self.speed_at(now) is None:
            return None
        return max(0, self.ends_at - now)

    def quiet_ms(self, now: int) -> int:
        """How long no byte has come while the stream is open."""
        if self.state not in (State.STARTING, State.PULLING) or self.grown_at is None:
            return 0
        return max(0, now - self.grown_at)
