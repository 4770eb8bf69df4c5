"""What a candidate's score is made of: five parts under one weighting, by task and priority.

100 points in all, by one weighting a list (`weights`):

- quality: advice/quality.py's level less what the quantization costs, on the scale of advice/suitability.py;
- speed: tokens a second on a logarithmic scale from 4 to what the priority calls fast (`_FAST`); a model that
  thinks counts half of them where thinking is what lifts its quality: its answers are several times longer;
- fit: the memory part of the fit's own score (advice/fit.py), scaled;
- context: the trained context over the wished one, full from four times on;
- history: how often it worked here; half while nothing is known.

A score rests on nothing but the tag, the machine, the wish and this server's history: no other candidate
changes it, so more VRAM of the same kind can lower a place, never a score.
"""

from dataclasses import dataclass
from functools import cache
from math import isfinite, log
from typing import NamedTuple

from modeltui.domain.advice.fit import MEMORY, FitKind
from modeltui.domain.advice.priors import thinks
from modeltui.domain.advice.quality import Level
from modeltui.domain.advice.suitability import share
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.catalog.series import Series, Tag

PARTS = ("quality", "speed", "fit", "context", "history")
CONTEXT_DEFAULT = 16 * 1024
LEAST_TOKENS = 5.0  # tokens a second: about the pace of reading

# Judged. Quality leads except where speed is asked for; what a person waits for while it thinks or writes
# code is read afterwards, so these tasks give a little of speed to quality.
_WEIGHTS: dict[Priority, tuple[int, int, int, int, int]] = {
    Priority.SPEED: (38, 40, 12, 4, 6),
    Priority.BALANCED: (60, 18, 14, 4, 4),
    Priority.QUALITY: (78, 6, 8, 3, 5),
}
_PATIENT = frozenset((Task.CODING, Task.REASONING, Task.ANALYSIS))
_PATIENCE = 3
_INDEXING = 10  # percent of quality that go to speed: embedding models read whole libraries
_SLOWEST = 4.0
# Judged: five times the pace of reading is enough for a balance; more counts for who asks for speed.
_FAST = {Priority.SPEED: 100.0, Priority.BALANCED: 25.0, Priority.QUALITY: 20.0}
_THINKING_TASKS = frozenset((Task.CODING, Task.REASONING, Task.ANALYSIS))
THINKING_COST = 2.0
_LEAST_USES = 3  # fewer say nothing
# Embedding models: the file's bytes stand for their speed, as they read all of it once a text. Judged: on a
# GPU whatever is below half a gigabyte reads a library as fast as anybody fetches it.
_EMBEDDING_ON_GPU, _EMBEDDING_IN_RAM = (0.5e9, 10e9), (0.03e9, 6e9)
_LABEL_SLACK = 1024  # the site rounds a context down to whole k


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: `context` in tokens must fit, `least_tokens` a second is the floor."""

    task: Task = Task.GENERAL
    priority: Priority = Priority.BALANCED
    context: int = CONTEXT_DEFAULT
    least_tokens: float = LEAST_TOKENS


class History(NamedTuple):
    """How often a model was used here, and how often that failed."""

    uses: int = 0
    failures: int = 0


class Candidate(NamedTuple):
    """One tag or installed model with the numbers that its score rests on. Sizes in bytes.

    `value` is its level less its quantization's loss, in doublings. `memory` are the points of
    advice/fit.py's memory part. `series` None: no catalog knows it. `needs` is what it takes as it lies: VRAM
    where it lies on the GPU, else VRAM and RAM. `is_too_new`: this server is too old for it, or by far older
    where nothing says which one it needs.
    """

    name: str
    series: Series | None
    tag: Tag
    level: Level
    value: float
    kind: FitKind
    needs: int | None
    headroom: int | None
    tokens: float | None
    is_measured: bool
    memory: int
    trained: int | None
    least: float | None = None
    is_installed: bool = False
    is_too_new: bool = False
    is_default: bool = False
    history: History = History()


class Scored(NamedTuple):
    """A candidate with the points of its parts, in the order of PARTS, and their sum."""

    candidate: Candidate
    points: tuple[int, ...]
    score: int


@cache
def weights(task: Task, priority: Priority) -> tuple[int, int, int, int, int]:
    """The most points of each part, in the order of PARTS; they sum to 100."""
    quality, speed, fit, context, history = _WEIGHTS[priority]
    if task in _PATIENT and priority is not Priority.SPEED:
        quality, speed = quality + _PATIENCE, speed - _PATIENCE
    if task is Task.EMBEDDING:
        context, quality = 0, quality + context
        moved = 0 if priority is Priority.QUALITY else quality * _INDEXING // 100
        speed, quality = speed + moved, quality - moved
    return quality, speed, fit, context, history


def points(candidate: Candidate, wish: Wish) -> tuple[int, ...]:
    """The points of each part, whole numbers: what is known allows no finer ones."""
    most = weights(wish.task, wish.priority)
    return (
        round(most[0] * share(candidate.value, wish.task)),
        round(most[1] * _speed(candidate, wish)),
        round(most[2] * min(1.0, candidate.memory / MEMORY)),
        round(most[3] * _context(candidate.trained, wish.context)),
        round(most[4] * _worked(candidate.history)),
    )


def pace(candidate: Candidate, task: Task) -> float | None:
    """Tokens a second as they are felt: half of them where the answer comes after thinking."""
    tokens = candidate.tokens
    if tokens is None or not isfinite(tokens):
        return None
    tokens = max(tokens, candidate.least or 0.0)
    is_thinking = candidate.series is not None and task in _THINKING_TASKS and thinks(candidate.series)
    return tokens / THINKING_COST if is_thinking else tokens


def reaches(candidate: Candidate, wish: Wish) -> bool:
    """Whether it was trained for the wished context; embedding models take what they take."""
    if wish.task is Task.EMBEDDING or candidate.trained is None:
        return True
    return candidate.trained + _LABEL_SLACK > wish.context


def is_slow(candidate: Candidate, wish: Wish) -> bool:
    """Whether it is below the floor; embedding models have none, an unknown speed passes."""
    if wish.task is Task.EMBEDDING or candidate.tokens is None:
        return False
    return candidate.tokens < wish.least_tokens


def _speed(candidate: Candidate, wish: Wish) -> float:
    if wish.task is Task.EMBEDDING:
        small, large = _EMBEDDING_ON_GPU if candidate.kind is FitKind.GPU else _EMBEDDING_IN_RAM
        size = max(1.0, float(candidate.tag.size or large))
        return _clamped(log(large / size) / log(large / small))
    felt = pace(candidate, wish.task)
    if felt is None:
        return 0.4  # unknown: as the fit's own score has it
    return _clamped(log(max(felt, 1e-6) / _SLOWEST) / log(_FAST[wish.priority] / _SLOWEST))


def _context(trained: int | None, wished: int) -> float:
    if trained is None:
        return 0.5
    return _clamped(0.5 + 0.25 * log(max(1, trained) / max(1, wished), 2))


def _worked(history: History) -> float:
    if history.uses < _LEAST_USES:
        return 0.5
    return _clamped(1 - history.failures / history.uses)


def _clamped(value: float) -> float:
    return min(1.0, max(0.0, value)) if isfinite(value) else 0.0
