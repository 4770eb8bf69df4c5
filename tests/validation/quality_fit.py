"""Fits what the constants of advice/priors.py claim to be fitted, on the published scores that are shipped.

    python tests/validation/quality_fit.py

Least squares over the independent rows of text tasks, each benchmark standardised for itself (one constant
a benchmark): log2 of the effective size, what of it lies below four billion, months, thinking, made for code.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, pstdev

from modeltui.catalog.loading import load_base
from modeltui.catalog.quality import quality_rows
from modeltui.domain.advice.priors import SMALL, Priors, billions, effective_size, size_word, thinks
from modeltui.domain.advice.quality import Quality
from modeltui.domain.advice.tasks import Task

_TEXT = (Task.GENERAL, Task.CODING, Task.REASONING, Task.CREATIVE)


@dataclass(frozen=True, slots=True)
class Fit:
    """Months that bring what a doubling does; what a halving below SMALL costs more; others in doublings."""

    rows: int
    months_a_doubling: float
    small_cost: float
    thinking: float
    code: float
    spread: float


def fit() -> Fit:
    """The constants by least squares."""
    points = [point for points in _benchmarks() for point in _centred(points)]
    count = len(points[0]) - 1
    square = [[sum(p[i] * p[j] for p in points) for j in range(count)] for i in range(count)]
    right = [sum(p[i] * p[-1] for p in points) for i in range(count)]
    size, below, months, thinking, code = _solved(square, right)
    weights = (size, below, months, thinking, code)
    left = [p[-1] - sum(w * x for w, x in zip(weights, p[:-1], strict=True)) for p in points]
    return Fit(
        len(points),
        size / months,
        below / size,
        thinking / size,
        code / size,
        math.sqrt(fmean(e * e for e in left)),
    )


def _benchmarks() -> Iterator[list[list[float]]]:
    """Of each benchmark a row of numbers for each size of a series, the score last."""
    catalog = load_base()
    quality, priors = Quality(catalog.series, quality_rows()), Priors(catalog.series)
    seen = set()
    for task in _TEXT:
        for benchmark, scores in quality.benchmarks(task).items():
            if benchmark in seen:
                continue
            seen.add(benchmark)
            rows = []
            for (name, word), score in scores.items():
                series = catalog.series[name]
                tag = quality.sizes(series)[word]
                active = tag.active_parameters / 1e9 if tag.active_parameters else None
                size = math.log2(effective_size(billions(tag), active, size_word(tag)))
                is_coder = series.role == "code" and task is Task.CODING
                numbers = [size, min(0.0, size - math.log2(SMALL)), priors.month(series)]
                rows.append([*numbers, float(thinks(series)), float(is_coder), score])
            yield rows


def _centred(points: list[list[float]]) -> list[list[float]]:
    """Without the benchmark's own mean, its scores in its own spread."""
    means = [fmean(column) for column in zip(*points, strict=True)]
    spread = pstdev(point[-1] for point in points) or 1.0
    return [
        [*(x - mean for x, mean in zip(point[:-1], means, strict=False)), (point[-1] - means[-1]) / spread]
        for point in points
    ]


def _solved(square: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination."""
    rows = [[*line, value] for line, value in zip(square, right, strict=True)]
    for place in range(len(rows)):
        pivot = max(range(place, len(rows)), key=lambda at: abs(rows[at][place]))
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [x / rows[place][place] for x in rows[place]]
        for at, line in enumerate(rows):
            if at != place:
                rows[at] = [x - line[place] * y for x, y in zip(line, rows[place], strict=True)]
    return [line[-1] for line in rows]


if __name__ == "__main__":
    print(fit())  # noqa: T201
