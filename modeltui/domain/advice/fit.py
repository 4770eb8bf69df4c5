"""Whether and how well a model would run on a machine, taken apart.

The score is a sum of six named parts, 100 in all:

- memory, 40: all on the GPU 24, 4 more when the high end of the estimate's band fits, too, up to 8 more for
  what stays free then (full at a fifth of what it takes), 4 more when nothing that is loaded has to go for
  it; split 4, up to 14 more for the share of its layers on the GPU; in RAM alone 4; both of these up to 6
  more for the RAM that stays free;
- speed, 25: logarithmic from 2 to 50 tokens a second (people read about 5, and nobody reads 50);
- context, 12: the trained context over the one that is asked for;
- server, 8: whether its version can run the model;
- task, 10: whether the model is made for what is asked;
- disk, 5: whether a pull finds room.

Memory weighs most since a model that spills is slow at everything; the rest decides among those that fit.
What does not fit gets 0, what is unknown no score. At the same task and context more VRAM of the same kind
never takes a point.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, log
from typing import TYPE_CHECKING

from modeltui.domain.advice import fitwords
from modeltui.domain.advice.cases import Case, Mends
from modeltui.domain.advice.tasks import Task
from modeltui.domain.units import context as context_words
from modeltui.domain.units import size

if TYPE_CHECKING:
    from modeltui.domain.advice.speed import Speed
    from modeltui.domain.memory.estimate import Placement

MEMORY, SPEED, CONTEXT, SERVER, TASK, DISK = 40, 25, 12, 8, 10, 5
MOST = (MEMORY, SPEED, CONTEXT, SERVER, TASK, DISK)
NAMES = ("memory", "speed", "context", "server", "task", "disk")

SLOWEST, FASTEST = 2.0, 50.0
"""Tokens a second that get no point and all of them."""

_ROOMY = 0.2  # of what it takes, free beside it, is as much as anybody needs


class FitKind(StrEnum):
    """The word of column FIT, of the filter and of JSON."""

    GPU = "gpu"
    SPLIT = "split"
    CPU = "cpu"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: so many points of how many, why, and what would mend it where points are lost."""

    name: str
    points: int
    most: int
    why: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model would run. `score` is 0-100, None for unknown; `parts` sum up to it."""

    kind: FitKind
    score: int | None
    parts: tuple[Part, ...] = ()

    @property
    def mends(self) -> tuple[str, ...]:
        """What would make it better, in words, the dearest part first."""
        lost = sorted((part for part in self.parts if part.mend), key=lambda part: part.points - part.most)
        return tuple(dict.fromkeys(part.mend for part in lost))


def memory_points(
    kind: FitKind,
    share: float,
    headroom: float,
    ram_headroom: float,
    *,
    doubt: float = 0.0,
    is_beside: bool = True,
) -> int:
    """`share` of the layers on the GPU, 0-1; headrooms over what the model takes in all (0.2: a fifth).

    `doubt` is how much more than that it may take, in the same measure.
    """
    if kind is FitKind.GPU:
        sure = _clamped(headroom / doubt) if doubt > 0 else 1.0
        return 24 + round(4 * sure) + round(8 * _clamped((headroom - doubt) / _ROOMY)) + 4 * is_beside
    if kind is FitKind.SPLIT or kind is FitKind.CPU:
        on_card = share if kind is FitKind.SPLIT else 0.0
        return 4 + round(14 * _clamped(on_card) + 6 * _clamped(ram_headroom / _ROOMY))
    return 0


def speed_points(tokens: float | None, *, is_embedding: bool = False) -> int:
    """Of tokens a second; an unknown speed gets two fifths, an embedding model all: it generates nothing."""
    if is_embedding:
        return SPEED
    if tokens is None or not isfinite(tokens):
        return 2 * SPEED // 5
    if tokens <= SLOWEST:
        return 0
    return round(SPEED * _clamped(log(tokens / SLOWEST) / _SPAN))


def context_points(context: int, trained: int | None) -> int:
    """An unknown trained context gets two thirds."""
    if trained is None:
        return 2 * CONTEXT // 3
    return round(CONTEXT * _clamped(trained / max(1, context)))


def server_points(
    requires: tuple[int, int, int] | None, version: tuple[int, int, int] | None, *, is_younger: bool = False
) -> int:
    """None where it is too old; what is unknown counts as new enough, half where the model is far younger."""
    if requires and version and version < requires:
        return 0
    return SERVER // 2 if is_younger else SERVER


def task_points(
    task: Task | None, capabilities: frozenset[str] | None, *, is_made_for: bool | None = None
) -> int:
    """Whether it can be asked at all; how good it is at it is the recommendation's business.

    `is_made_for` it, by the use of its series; None where no catalog knows that.
    """
    if task is None or capabilities is None:
        return TASK if task is None else TASK // 2
    if is_made_for is False:
        return 0
    return TASK if fitwords.needed(task) in capabilities else 0


def disk_points(download: int | None, free: int | None) -> int:
    """Of a pull; an unknown disk gets three."""
    if download is None:
        return DISK
    if free is None:
        return 3
    return DISK if download <= free else 0


def points(
    placement: "Placement", tokens: float | None, case: Case, *, is_embedding: bool = False
) -> tuple[int, ...]:
    """The six parts' points, numbers only, in the order of NAMES; all 0 for what does not fit."""
    if placement.kind is FitKind.NO or placement.kind is FitKind.UNKNOWN:
        return (0, 0, 0, 0, 0, 0)
    total = max(1, placement.needs.total)
    share = placement.layers_on_gpu / placement.layers if placement.layers else 0.0
    ram_left = placement.ram if case.ram_free is None else case.ram_free - placement.ram
    is_beside = placement.headroom >= case.held
    if case.least_speed is not None and tokens is not None:
        tokens = max(tokens, case.least_speed)
    return (
        memory_points(
            *(placement.kind, share, placement.headroom / total, ram_left / total),
            doubt=placement.needs.high / total - 1,
            is_beside=is_beside,
        ),
        speed_points(tokens, is_embedding=is_embedding),
        context_points(case.context, case.trained),
        server_points(case.requires, case.version, is_younger=case.is_younger),
        task_points(case.task, case.capabilities, is_made_for=case.is_made_for),
        disk_points(case.download, case.disk_free),
    )


def judge(
    placement: "Placement | None",
    speed: "Speed",
    case: Case,
    mends: Mends | None = None,
    *,
    is_embedding: bool = False,
    unknown: str = "its size is unknown",
) -> Fit:
    """The fit with every part in words; unknown, without a score, where nothing could be placed."""
    if placement is None or placement.kind is FitKind.UNKNOWN:
        return Fit(FitKind.UNKNOWN, None, (Part("memory", 0, MEMORY, unknown),))
    mends = mends or Mends()
    got = points(placement, speed.tokens, case, is_embedding=is_embedding)
    if placement.kind is FitKind.NO:
        whys = [fitwords.no_words(placement), *["not counted: it does not fit"] * 5]
        helps = [fitwords.memory_mend(mends) or "take a smaller model", "", "", "", "", ""]
    else:
        whys = [
            fitwords.memory_words(placement, case),
            fitwords.speed_words(speed, is_embedding),
            fitwords.asked_words(case),
            fitwords.server_words(case),
            fitwords.task_words(case),
            fitwords.disk_words(case),
        ]
        helps = [
            fitwords.memory_mend(mends) if placement.kind is not FitKind.GPU or mends.unload else "",
            fitwords.memory_mend(mends) if got[1] < SPEED // 2 and placement.kind is not FitKind.GPU else "",
            f"ask for a context of {context_words(case.trained)}"
            if got[2] < CONTEXT and case.trained
            else "",
            f"upgrade the server to {fitwords.dotted(case.requires)}" if not got[3] and case.requires else "",
            fitwords.task_mend(case) if not got[4] else "",
            ""
            if got[5] or case.download is None
            else f"free {size(case.download - (case.disk_free or 0))} on its disk",
        ]
    parts = tuple(
        Part(name, count, most, why, mend if count < most else "")
        for name, count, most, why, mend in zip(NAMES, got, MOST, whys, helps, strict=True)
    )
    return Fit(placement.kind, sum(got), parts)


_SPAN = log(FASTEST / SLOWEST)


def _clamped(value: float) -> float:
    return min(1.0, max(0.0, value)) if isfinite(value) else 0.0
