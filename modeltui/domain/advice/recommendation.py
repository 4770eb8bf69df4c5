"""Which models to run, in order: one row a series, nothing that does not fit, no series above its heirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.priors import active_billions, billions
from modeltui.domain.advice.scoring import Candidate, Scored, Wish, is_slow, points, reaches
from modeltui.domain.advice.suitability import share
from modeltui.domain.catalog.series import Tag

SHOWN_WHEN_ALL_SLOW = 3
# Below this share of the quality scale a model fails at most of what the task asks, however fast it is:
# listed only where a small machine has hardly anything else.
LEAST_SHARE = 0.15
SHOWN_WHEN_ALL_WEAK = 3

_SAME_SIZE = 1.45  # how much larger a successor may be that covers a size, as the catalog's `retired` has it


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rows in their order, one a series; everything that was scored; what is larger than the machine.

    `is_slow`: nothing reaches the floor, and the rows are the best three all the same.
    """

    rows: tuple[Scored, ...]
    fitting: tuple[Scored, ...]
    beyond: tuple[Candidate, ...]
    is_slow: bool = False


def rank(candidates: Iterable[Candidate], wish: Wish) -> Ranking:
    """The list: nothing that does not fit, one row a series, a floor on speed, no series above its heirs."""
    fitting: list[Scored] = []
    beyond: list[Candidate] = []
    for candidate in candidates:
        if not reaches(candidate, wish):
            continue
        if candidate.kind in (FitKind.NO, FitKind.UNKNOWN) or candidate.is_too_new:
            if candidate.kind is not FitKind.UNKNOWN:
                beyond.append(candidate)
            continue
        got = points(candidate, wish)
        fitting.append(Scored(candidate, got, sum(got)))
    fitting.sort(key=_order)
    quick = [row for row in fitting if not is_slow(row.candidate, wish)]
    able = [row for row in quick if share(row.candidate.value, wish.task) >= LEAST_SHARE]
    rows = _rows(able)
    if len(rows) < SHOWN_WHEN_ALL_WEAK:
        rows = _rows(quick)
    if not rows and fitting:
        return Ranking(tuple(_rows(fitting)[:SHOWN_WHEN_ALL_SLOW]), tuple(fitting), tuple(beyond), True)
    return Ranking(tuple(rows), tuple(fitting), tuple(beyond))


def by_quality(candidates: Iterable[Candidate], wish: Wish) -> Ranking:
    """The order where no machine is known: nothing but quality counts, and what was trained long enough."""
    rows = [Scored(each, got := points(each, wish), sum(got)) for each in candidates if reaches(each, wish)]
    rows.sort(key=lambda row: (-row.candidate.value, row.candidate.name))
    return Ranking(tuple(rows), tuple(rows), ())


def _order(row: Scored) -> tuple[int, int, float, bool, bool, int, str]:
    """Best first; of equal scores what is better known."""
    candidate = row.candidate
    return (
        *(-row.score, candidate.level.doubt, -candidate.value),
        *(not candidate.is_installed, not candidate.is_default),
        *(candidate.needs or 0, candidate.name),
    )


def _rows(ordered: list[Scored]) -> list[Scored]:
    """One a series, the best that no successor covers; what is installed may stand below its successor."""
    by_series: dict[str, list[Scored]] = {}
    for row in ordered:
        if row.candidate.series is not None:
            by_series.setdefault(row.candidate.series.name, []).append(row)
    heirs = _heirs(by_series)
    rows: list[Scored] = []
    taken: set[str] = set()
    waiting: list[Scored] = []
    for row in ordered:
        series = row.candidate.series
        name = _series_name(row)
        if name in taken:
            continue
        if series is not None and heirs.get(name):
            if series.is_retired and row.candidate.is_installed:
                if not taken & set(heirs[name]):  # never above its successors, however well it scores
                    taken.add(name)
                    waiting.append(row)
                    continue
            elif _is_covered(row, heirs[name], by_series):
                continue
        taken.add(name)
        rows.append(row)
        due = [old for old in waiting if name in heirs[_series_name(old)]]
        rows += due
        waiting = [old for old in waiting if old not in due]
    return rows + waiting


def _series_name(row: Scored) -> str:
    series = row.candidate.series
    return series.name if series is not None else row.candidate.name


def _heirs(by_series: Mapping[str, list[Scored]]) -> dict[str, tuple[str, ...]]:
    """Of each series that is ranked, all that followed it and are ranked, too, however far."""
    successors = {
        name: rows[0].candidate.series.succeeded_by
        for name, rows in by_series.items()
        if rows[0].candidate.series is not None
    }
    found = {}
    for name in by_series:
        seen: dict[str, None] = {}
        waiting = list(successors[name])
        while waiting:
            heir = waiting.pop()
            if heir not in seen and heir in by_series:
                seen[heir] = None
                waiting += successors[heir]
        seen.pop(name, None)
        found[name] = tuple(seen)
    # A catalog by hand may have a circle: then neither follows the other.
    return {name: tuple(heir for heir in each if name not in found[heir]) for name, each in found.items()}


def _is_covered(row: Scored, heirs: tuple[str, ...], by_series: Mapping[str, list[Scored]]) -> bool:
    """Whether a successor is the one to take: of any size for a retired series, else of about the same."""
    series = row.candidate.series
    if series is not None and series.is_retired:
        return True
    if row.candidate.is_installed:
        return False
    return any(
        other.score >= row.score and _is_about_as_large(other.candidate.tag, row.candidate.tag)
        for heir in heirs
        for other in by_series[heir]
    )


def _is_about_as_large(heir: Tag, tag: Tag) -> bool:
    """Neither more to hold nor more to read than a little."""
    is_small = billions(heir) <= _SAME_SIZE * billions(tag)
    return is_small and active_billions(heir) <= _SAME_SIZE * active_billions(tag)
