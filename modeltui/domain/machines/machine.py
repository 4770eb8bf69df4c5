"""The machine that models would run on, as the estimates see it: cards, RAM and their bandwidths."""

from dataclasses import dataclass
from enum import StrEnum

# What RAM moves where nobody has measured it: two channels of DDR4-3200 carry 51.2 GB/s, of which programs
# see some four fifths. One channel or eight are as common, so whoever uses it shows a band of 0.4 to 4 times.
ASSUMED_RAM_BANDWIDTH = 40e9


class Backend(StrEnum):
    """Through what a card computes; what it costs in memory differs."""

    CUDA = "cuda"
    ROCM = "rocm"
    METAL = "metal"
    OTHER = "other"


class Origin(StrEnum):
    """Where the facts about a machine come from."""

    MEASURED = "measured"
    CONFIGURED = "configured"
    SIMULATED = "simulated"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU. Memory in bytes, bandwidth in bytes a second; unknown is None.

    `free` is what nobody uses now; `held` what this server's own models use, which it would give back.
    `compute` is CUDA's compute capability as (major, minor). `is_bandwidth_assumed`: it is that of usual
    cards of this size.
    """

    name: str
    total: int
    free: int
    held: int = 0
    bandwidth: float | None = None
    backend: Backend = Backend.CUDA
    compute: tuple[int, int] | None = None
    is_bandwidth_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """What a server can run models with. No cards means that there is no GPU, known for certain.

    `is_unified`: the card's memory and RAM are one (Apple, GB10): the sum of both must fit `ram_total`.
    `ram_held` is what this server's own models use of RAM and would give back: it is not in `ram_free`.
    `ram_bandwidth` in bytes a second, None where nobody has measured it (see ASSUMED_RAM_BANDWIDTH).
    `disk_free` is what a pull may take, of the file system that holds the directory `disk`.
    `assumptions` says in words what was not known and is taken for granted all the same.
    """

    cards: tuple[Card, ...]
    ram_total: int
    ram_free: int
    ram_bandwidth: float | None = None
    cores: int | None = None
    cpu: str | None = None
    disk_free: int | None = None
    disk: str | None = None
    is_unified: bool = False
    origin: Origin = Origin.MEASURED
    assumptions: tuple[str, ...] = ()
    ram_held: int = 0

    @property
    def is_apple(self) -> bool:
        """Whether models run on Apple's own chips."""
        return any(card.backend is Backend.METAL for card in self.cards)

    @property
    def vram_total(self) -> int:
        return sum(card.total for card in self.cards)


@dataclass(frozen=True, slots=True)
class KnownMachine:
    """What is known of the machine that a server runs on.

    `words` say where that comes from ("this machine", "config.toml", "ssh me@gpubox"); `why` why `machine` is
    None, or what of it could not be seen, else empty.
    """

    machine: Machine | None
    words: str
    why: str = ""
