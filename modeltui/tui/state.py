"""The snapshots that screens watch: immutable, whole, and equal when nothing changed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from modeltui.domain.models import LoadedModel
from modeltui.errors import ModeltuiError, Unreachable
from modeltui.services.library import Entry, Listing
from modeltui.store.facts import CurrentModel

if TYPE_CHECKING:
    from modeltui.services.starting import Start


class Phase(Enum):
    """How the server stands."""

    ASKING = "asking"  # for the first time, no answer yet
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as it is shown: what failed, where, and what to do."""

    message: str
    url: str | None
    remedy: str | None
    is_unreachable: bool

    @classmethod
    def of(cls, error: ModeltuiError) -> "Trouble":
        return cls(error.message, error.url, error.remedy, isinstance(error, Unreachable))


@dataclass(frozen=True, slots=True)
class Connection:
    """The server and the way to it. Times in UTC milliseconds, `latency_ms` already put through its step."""

    server: str
    url: str
    phase: Phase = Phase.ASKING
    version: str | None = None
    latency_ms: int | None = None
    since: int | None = None
    trouble: Trouble | None = None
    retry_at: int | None = None
    is_demo: bool = False
    is_plain_remote: bool = False
    start: "Start | None" = None

    @property
    def is_online(self) -> bool:
        return self.phase is Phase.ONLINE

    @property
    def can_start(self) -> bool:
        """Whether this machine can start the server: it is here, it is away, and its program is found."""
        return self.phase is Phase.OFFLINE and self.start is not None and self.start.may_run


@dataclass(frozen=True, slots=True)
class Models:
    """What is installed. `at` is when it was seen; not `is_live`: remembered, or the server is away."""

    entries: tuple[Entry, ...] = ()
    at: int | None = field(default=None, compare=False)
    is_live: bool = False
    loaded: tuple[LoadedModel, ...] | None = None
    current: CurrentModel | None = None
    missing: CurrentModel | None = None

    @classmethod
    def of(cls, listing: Listing, *, is_live: bool) -> "Models":
        return cls(listing.entries, listing.at, is_live, listing.loaded, listing.current, listing.missing)

    @property
    def vram(self) -> int | None:
        """Bytes in VRAM by the server's account; None where it is not known."""
        return None if self.loaded is None else sum(row.vram or 0 for row in self.loaded)

    def entry(self, sent: str | None) -> Entry | None:
        return next((entry for entry in self.entries if entry.model.sent == sent), None)


@dataclass(frozen=True, slots=True)
class Undo:
    """How the last recorded choice is taken back, and what is said then."""

    words: str
    take_back: Callable[[], None]
