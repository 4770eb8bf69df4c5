"""What else there would be beside a recommended model: a faster, a better and a smaller one."""

from typing import NamedTuple

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.recommendation import Ranking
from modeltui.domain.advice.scoring import Scored, Wish, is_slow, pace
from modeltui.domain.units import rate, size

FASTER = 1.4  # times as fast is worth naming
SMALLER = 0.65  # of the memory is worth naming
BETTER = 0.5  # doublings above is worth naming
_WORST = 3.0  # an alternative this many doublings below is none


class Also(NamedTuple):
    """Another model beside a row: `kind` is faster, better or smaller; `fits` False says so in `words`."""

    kind: str
    name: str
    words: str
    fits: bool


def also(row: Scored, ranking: Ranking, wish: Wish) -> tuple[Also, ...]:
    """A faster, a better and a smaller one, where there are; the better one may not fit, and says so."""
    found = [_faster(row, ranking, wish), _better(row, ranking, wish), _smaller(row, ranking)]
    return tuple(each for each in found if each is not None)


def _faster(row: Scored, ranking: Ranking, wish: Wish) -> Also | None:
    mine = pace(row.candidate, wish.task)
    if mine is None:
        return None
    found = [
        other
        for other in _others(row, ranking)
        if (felt := pace(other.candidate, wish.task)) is not None
        and felt >= FASTER * mine
        and row.candidate.value - _WORST <= other.candidate.value
        and not is_slow(other.candidate, wish)
    ]
    best = max(found, key=lambda each: (each.candidate.value, -each.score), default=None)
    if best is None:
        return None
    times = (pace(best.candidate, wish.task) or mine) / mine
    return Also("faster", best.candidate.name, f"answers {fold(times)} as fast", True)


def _better(row: Scored, ranking: Ranking, wish: Wish) -> Also | None:
    least = row.candidate.value + BETTER
    found = [other.candidate for other in _others(row, ranking) if other.candidate.value >= least]
    found = [each for each in found if not is_slow(each, wish)]
    if found:
        best = max(found, key=lambda each: (each.value, each.name))
        pace_words = f" at {rate(best.tokens)} tokens/s" if best.tokens else ""
        return Also("better", best.name, f"stronger{pace_words}", True)
    larger = [each for each in ranking.beyond if each.value >= least and each.needs is not None]
    slow = [row.candidate for row in ranking.fitting if is_slow(row.candidate, wish)]
    larger += [each for each in slow if each.value >= least]
    if not larger:
        return None
    nearest = min(larger, key=lambda each: (each.is_too_new, each.needs or 0, each.name))
    if nearest.kind is FitKind.NO:
        return Also("better", nearest.name, f"does not fit: needs at least {size(nearest.needs)}", False)
    if nearest.is_too_new:
        return Also("better", nearest.name, "too new for this server", False)
    return Also("better", nearest.name, f"too slow here: {rate(nearest.tokens or 0.0)} tokens/s", False)


def _smaller(row: Scored, ranking: Ranking) -> Also | None:
    most = SMALLER * (row.candidate.needs or 0)
    found = [
        other
        for other in _others(row, ranking)
        if (other.candidate.needs or 0) <= most and other.candidate.value >= row.candidate.value - _WORST
    ]
    best = max(found, key=lambda each: (each.candidate.value, each.score), default=None)
    return Also("smaller", best.candidate.name, size(best.candidate.needs), True) if best else None


def _others(row: Scored, ranking: Ranking) -> list[Scored]:
    """What else fits and is worth taking: the rows, and other sizes of the row's own series."""
    mine = row.candidate.series
    rows = [other for other in ranking.rows if other is not row]
    return rows + [
        other
        for other in ranking.fitting
        if other is not row and mine is not None and other.candidate.series is mine
    ]


def fold(times: float) -> str:
    if 1.8 <= times < 2.3:
        return "twice"
    return f"{times:.1f} times" if times < 3 else f"{times:.0f} times"
