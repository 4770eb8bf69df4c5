"""What a judgement of a fit rests on beside placement and speed, and what was found to mend it."""

from dataclasses import dataclass

from modeltui.domain.tasks import Task


@dataclass(frozen=True, slots=True)
class Case:
    """What a judgement rests on beside placement and speed; unknown is None. Bytes, context in tokens.

    `held` is what this server's other models hold of the cards now, and would give back. `download` is None
    for what is installed already. `version` and `requires` are (major, minor, patch). `least_speed` is the
    tokens a second that RAM alone would reach, where a card is slower than RAM: no card is a loss.
    """

    context: int
    trained: int | None = None
    task: Task | None = None
    capabilities: frozenset[str] | None = None
    requires: tuple[int, int, int] | None = None
    version: tuple[int, int, int] | None = None
    download: int | None = None
    disk_free: int | None = None
    ram_free: int | None = None
    held: int = 0
    least_speed: float | None = None


@dataclass(frozen=True, slots=True)
class Mends:
    """What was found to help a model that does not lie wholly on the GPU.

    `smaller` names a tag of the same series that does, `shorter` is the largest context that does (tokens),
    `kv` the KV type that does. `unload` names those that would have to go for it.
    """

    smaller: str | None = None
    shorter: int | None = None
    kv: str | None = None
    unload: tuple[str, ...] = ()
