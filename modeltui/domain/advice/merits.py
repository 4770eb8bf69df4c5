"""What speaks for a recommended model that is not the strongest: its best point against those above it."""

from collections.abc import Sequence

from modeltui.domain.advice.alternatives import FASTER, SMALLER, fold
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.quality import Basis
from modeltui.domain.advice.scoring import Candidate
from modeltui.domain.advice.suitability import can_do
from modeltui.domain.advice.tasks import Task
from modeltui.domain.units import context as context_words

_LONGER = 2.0  # times the context is worth naming
_ROOMIER = 1.5  # times the room beside it is worth naming
_SURENESS = {Basis.FACTS: 0, Basis.RELATIVES: 1, Basis.TASKS: 1, Basis.MAKER: 2, Basis.SCORES: 3}
_PERMISSIVE = "yes"  # Series.commercial: any use, without conditions


def merit_of(mine: Candidate, above: Sequence[Candidate], task: Task, largest: int | None) -> str:
    """A few words, "" where nothing speaks for it; `above` begins with the first of the list, never empty.

    `largest` is the longest context that fits (tokens). True of all rows above where it says so, else of the
    first. No bytes: the sentence names them once, where the model lies.
    """
    first = above[0]
    if mine.is_installed and not any(each.is_installed for each in above):
        return "measured here" if mine.is_measured else "installed already"
    if mine.is_measured and not any(each.is_measured for each in above):
        return "measured here"
    faster, smaller = _times(mine.tokens, first.tokens), _times(mine.needs, first.needs)
    if faster >= FASTER and all(_times(mine.tokens, each.tokens) > 1 for each in above):
        return f"{fold(faster)} as fast"
    if 0 < smaller <= SMALLER and all(0 < _times(mine.needs, each.needs) < 1 for each in above):
        return f"{_part(smaller)} of its memory"
    return _abilities(mine, above, task, largest) or _against_first(faster, smaller) or _origin(mine, above)


def _abilities(mine: Candidate, above: Sequence[Candidate], task: Task, largest: int | None) -> str:
    """What none of those above has."""
    if task not in (Task.VISION, Task.EMBEDDING) and _sees(mine) and not any(map(_sees, above)):
        return "the first here that reads images"
    longest = [each.trained for each in above if each.trained]
    if largest and len(longest) == len(above) and largest >= _LONGER * max(longest):
        return f"room for the longest context yet ({context_words(largest // 1024 * 1024 or largest)})"
    if _is_free(mine) and not any(map(_is_free, above)):
        return "the first under a license for any use"
    if mine.kind is FitKind.GPU and all(_is_roomier(mine, each) for each in above):
        return "leaves the most room on the GPU yet"
    mine_month = mine.series.released if mine.series else None
    months = [each.series.released if each.series else None for each in above]
    if mine_month and all(each and each[:7] < mine_month[:7] for each in months):
        return f"the newest yet ({mine_month[:7]})"
    return ""


def _against_first(faster: float, smaller: float) -> str:
    if faster >= FASTER:
        return f"{fold(faster)} as fast"
    return f"{_part(smaller)} of its memory" if 0 < smaller <= SMALLER else ""


def _origin(mine: Candidate, above: Sequence[Candidate]) -> str:
    """What its quality rests on, or who made it, where that is new in the list."""
    if all(_SURENESS[mine.level.basis] > _SURENESS[each.level.basis] for each in above):
        return "known by better evidence than those above"
    maker = mine.series.publisher if mine.series else None
    if maker and all(each.series is None or each.series.publisher != maker for each in above):
        return f"the highest placed from {maker}"
    return ""


def _part(share: float) -> str:
    """A share of 1 in words, never less than it is."""
    for most, words in ((0.1, "a tenth"), (0.2, "a fifth"), (0.25, "a quarter"), (1 / 3, "a third")):
        if share <= most:
            return words
    return "half" if share <= 0.5 else "two thirds"


def _times(one: float | None, other: float | None) -> float:
    """How many times the other; 0 where one of them is unknown."""
    return one / other if one and other else 0.0


def _sees(candidate: Candidate) -> bool:
    return candidate.series is not None and can_do(candidate.series, candidate.tag, Task.VISION)


def _is_free(candidate: Candidate) -> bool:
    return candidate.series is not None and candidate.series.commercial == _PERMISSIVE


def _is_roomier(one: Candidate, other: Candidate) -> bool:
    if other.kind is not FitKind.GPU:
        return True
    return (one.headroom or 0) > _ROOMIER * max(0, other.headroom or 0)
