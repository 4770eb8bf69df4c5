"""Leaves out what is published of each model in turn and prints how well the rest tells its place.

    python tests/validation/quality_order.py

Over the independent scores that are shipped. For each size of a series and each task with scores its level is
judged anew by advice/quality.py without them: by facts alone, with other sizes of its series, with its own
scores at other tasks, with both (what a model without scores gets). "order": of all pairs of models of
different series within a benchmark, how many such levels put in the benchmark's own order. "spread": how far
(root mean square, in doublings) the level is from the one that its scores give, doubt set aside.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import log2, sqrt
from statistics import correlation, fmean

from modeltui.catalog.loading import load_base
from modeltui.catalog.quality import quality_rows
from modeltui.domain.advice.priors import billions
from modeltui.domain.advice.quality import MAKER_SHIFT, Level, Quality, speaks_for
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import QualityRow

TASKS = (Task.GENERAL, Task.CODING, Task.REASONING, Task.CREATIVE, Task.VISION)

Size = tuple[str, str]
_Keep = Callable[[QualityRow, Size, Task], bool]


def _is_of(row: QualityRow, size: Size) -> bool:
    """Whether a row is of the size; a row without a size is of the only one."""
    return row.series == size[0] and row.size.casefold() in ("", size[1])


# What stays when a size is judged at a task.
WAYS: dict[str, _Keep] = {
    "facts": lambda row, size, task: False,
    "sizes": lambda row, size, task: not _is_of(row, size),
    "tasks": lambda row, size, task: row.series != size[0] or not speaks_for(row, task),
    "both": lambda row, size, task: not (_is_of(row, size) and speaks_for(row, task)),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One task judged in one way; `share` is how much of what the rest says beyond the facts holds."""

    task: Task
    way: str
    pairs: int
    order: float
    spread: float
    share: float | None


def lines(tasks: Iterable[Task] = TASKS, ways: Iterable[str] = tuple(WAYS)) -> Iterator[Line]:
    """Each task in each way, in that order."""
    for task in tasks:
        tables = _whole().benchmarks(task)
        truth = _truths(task)
        for way in ways:
            levels = {size: _without(WAYS[way], size, task) for size in truth}
            right = [
                (levels[one].value > levels[other].value) is (table[one] > table[other])
                for table in tables.values()
                for one, other in combinations(table, 2)
                if one[0] != other[0] and table[one] != table[other]
            ]
            said = [(levels[size].beyond, truth[size]) for size in truth]
            yield Line(
                task,
                way,
                len(right),
                fmean(right),
                sqrt(fmean((was - told) ** 2 for told, was in said)),
                _slope([pair for pair in said if pair[0]]),
            )


def distances(bounds: Iterable[float] = (1.01, 1.6, 2.5, 20)) -> Iterator[tuple[float, int, float]]:
    """How two sizes of a series agree beyond the facts, by the doublings between them: (up to, pairs, r)."""
    series, low = load_base().series, 0.0
    for high in bounds:
        pairs = []
        for task in TASKS:
            truth = _truths(task)
            for one, other in combinations(truth, 2):
                if one[0] == other[0]:
                    tags = _whole().sizes(series[one[0]])
                    if low <= abs(log2(billions(tags[one[1]]) / billions(tags[other[1]]))) < high:
                        pairs += [(truth[one], truth[other]), (truth[other], truth[one])]
        yield high, len(pairs) // 2, correlation(*zip(*pairs, strict=True))
        low = high


def code_series(since: str, before: str) -> tuple[int, float]:
    """How far scores at coding put the code series of some months beyond the facts: how many, doublings."""
    series = load_base().series
    found = [
        beyond
        for kind in ("independent", "maker")
        for (name, _), beyond in _truths(Task.CODING, kind).items()
        if series[name].role == "code" and since <= (series[name].released or "") < before
    ]
    return len(found), fmean(found)


@cache
def _whole(kind: str = "") -> Quality:
    catalog = load_base()
    rows = (row for row in _rows() if kind in ("", row.kind))
    return Quality(catalog.series, rows, catalog.as_of)


@cache
def _truths(task: Task, kind: str = "") -> Mapping[Size, float]:
    """What the scores of each size say beyond the facts, in doublings, not drawn towards them."""
    quality = _whole(kind)
    found = {}
    for size in dict.fromkeys(
        size for table in quality.benchmarks(task, is_maker=kind == "maker").values() for size in table
    ):
        level = _level(quality, size, task)
        sources = len({source.split()[0] for source in level.sources})
        shift = MAKER_SHIFT if kind == "maker" else 0.0
        found[size] = level.beyond * (sources + 1) / sources + shift
    return found


def _level(quality: Quality, size: Size, task: Task) -> Level:
    series = load_base().series[size[0]]
    return quality.level(series, quality.sizes(series)[size[1]], task)


def _without(keeps: _Keep, size: Size, task: Task) -> Level:
    catalog = load_base()
    rows = [row for row in _rows() if keeps(row, size, task)]
    return _level(Quality(catalog.series, rows, catalog.as_of), size, task)


@cache
def _rows() -> tuple[QualityRow, ...]:
    return quality_rows()


def _slope(pairs: list[tuple[float, float]]) -> float | None:
    """Least squares through nothing said, nothing meant."""
    return sum(x * y for x, y in pairs) / sum(x * x for x, _ in pairs) if pairs else None


def main() -> None:
    print(f"{'task':12}{'left':8}{'pairs':>8}{'order':>8}{'spread':>8}{'share':>8}")  # noqa: T201
    for line in lines():
        share = "" if line.share is None else f"{line.share:8.2f}"
        print(  # noqa: T201
            f"{line.task:12}{line.way:8}{line.pairs:8}{line.order:8.1%}{line.spread:8.2f}{share}"
        )
    for up_to, pairs, r in distances():
        print(f"sizes of one series up to {up_to} doublings apart: r {r:.2f} ({pairs} pairs)")  # noqa: T201
    for since, before in (("2023", "2025"), ("2025", "2027")):
        count, beyond = code_series(since, before)
        print(f"{count} code series of {since} to {before}: {beyond:+.1f} doublings at coding")  # noqa: T201


if __name__ == "__main__":
    main()
