"""What a judgement of a fit rests on beside placement and speed, and what was found to mend it."""

from dataclasses import dataclass

from modeltui.domain.advice.tasks import Task


@dataclass(frozen=True, slots=True)
class Case:
    """What a judgement rests on beside placement and speed; unknown is None. Bytes, context in tokens.

    `held` is what this server's other models hold of the cards now, and would give back. `download` is None
    for what is installed already; `disk` is a directory on the disk of `disk_free`. `version` and `requires`
    are (major, minor, patch). `is_younger`: nothing says which server it needs, and it came out long after
    this one. `is_made_for` the task, by the use of its series. `least_speed` is the tokens a second that RAM
    alone would reach, where a card is slower than RAM: no card is a loss.
    """

    context: int
    trained: int | None = None
    task: Task | None = None
    capabilities: frozenset[str] | None = None
    requires: tuple[int, int, int] | None = None
    version: tuple[int, int, int] | None = None
    download: int | None = None
    disk_free: int | None = None
    disk: str | None = None
    ram_free: int | None = None
    held: int = 0
    least_speed: float | None = None
    is_younger: bool = False
    is_made_for: bool | None = None


@dataclass(frozen=True, slots=True)
class Mends:
    """What was found to help a model that does not lie wholly on the GPU.

    `smaller` names a tag of the same series that does, `shorter` is the largest context that does (tokens),
    `kv` the KV type that does. `unload` names those that would have to go for it. `others` is what other
    programs hold of the cards (bytes), where it would do without that.
    """

    smaller: str | None = None
    shorter: int | None = None
    kv: str | None = None
    unload: tuple[str, ...] = ()
    others: int | None = None
