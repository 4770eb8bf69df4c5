"""How good a model probably is at a task: published scores by rank, else size, age and lineage.

The scale is in *doublings*: one step is what twice the parameters bring within one generation. It orders
models and is never shown; advice/suitability.py turns it into a coarse 0-10. The rule, in its order:

1. **Facts** (advice/priors.py): `log2(effective size) + months since 2023 / 5`, moved by what the series is
   made for and by whether it thinks.
2. **Published scores.** Only rows of one benchmark are on one scale, so a benchmark orders the models that it
   contains and nothing else: its k-th best takes the k-th highest value that facts give to these same
   models. That keeps a benchmark of 2024 from lifting its winners over models that it never saw. The median
   over the task's independent benchmarks is mixed with the facts by n / (n + 1), n being the independent
   sources. A maker's claims are taken only where nothing independent is there, and then `MAKER_SHIFT` lower.
3. **Relatives.** Of what scores say beyond the facts about other sizes of the series, else about what it
   succeeds, else about other series of its line, `RELATIVE` holds.
   Without scores of its own a model is at least as good as what it succeeds is at its size.
4. **Doubt.** Each missing step (only the maker's word, only relatives, only facts) takes `DOUBT_COST`: what
   nobody has measured is taken at the lower end of what it may be.

Benchmarks with short answers or at their ceiling (`SHORT_ANSWERS`) say nothing about models that think.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean, median

from modeltui.domain.advice.priors import Priors, active_billions, billions, size_word, thinks
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import QualityRow, Series, Tag

MAKER_SHIFT = 0.5
RELATIVE = 0.6
DOUBT_COST = 0.45
LEAST_ROWS = 5  # fewer models than this do not make an order
SHORT_ANSWERS = ("Open LLM Leaderboard", "EvalPlus")
# `connections` is a word puzzle, `story_generation` scores obedience, not style.
_IGNORED = ("connections", "story_generation")
_NEAR = 1.5  # doublings between two sizes that say most about each other


class Basis(StrEnum):
    """What a level rests on."""

    SCORES = "published scores"
    MAKER = "the maker's own scores"
    RELATIVES = "scores of relatives"
    FACTS = "facts"


_DOUBT = {Basis.SCORES: 1, Basis.MAKER: 2, Basis.RELATIVES: 2, Basis.FACTS: 3}


@dataclass(frozen=True, slots=True)
class Level:
    """How good, in doublings; `doubt` in steps of the 0-10 scale; `sources` name what it rests on."""

    value: float
    basis: Basis
    doubt: int
    sources: tuple[str, ...] = ()


Size = tuple[str, str]  # name of the series, word of the size


class Quality:
    """The levels of all models of a catalog; made once for a catalog, and filled in as it is asked."""

    def __init__(
        self, series: Mapping[str, Series], rows: Iterable[QualityRow], as_of: str | None = None
    ) -> None:
        """`as_of` is the day of the catalog (ISO): what claims to be newer counts as of that day."""
        self._series = series
        self._rows = tuple(rows)
        self._priors = Priors(series, as_of)
        self._sizes: dict[str, dict[str, Tag]] = {}
        self._facts: dict[tuple[str, str, Task], float] = {}
        self._published: dict[Task, dict[Size, Level]] = {}
        self._lines: dict[Task, dict[str, dict[str, None]]] = {}
        self._levels: dict[tuple[str, str, Task], Level] = {}

    def level(self, series: Series, tag: Tag, task: Task) -> Level:
        """How good this size of the series is at the task, before its quantization."""
        if size_word(tag) not in self.sizes(series):  # a size nobody names: by its file, and not kept
            return self._judged(series, "", self._priors.value(series, tag, task), tag, task)
        key = (series.name, size_word(tag), task)
        found = self._levels.get(key)
        if found is None:
            found = self._judged(series, key[1], self._by_facts((key[0], key[1]), task), tag, task)
            self._levels[key] = found
        return found

    def sizes(self, series: Series) -> dict[str, Tag]:
        """The sizes of a series, each with a tag that knows its parameters."""
        found = self._sizes.get(series.name)
        if found is None:
            found = self._sizes[series.name] = {}
            for tag in series.tags:
                before = found.get(size_word(tag))
                if tag.parameters and (
                    before is None or (before.active_parameters is None and tag.active_parameters is not None)
                ):
                    found[size_word(tag)] = tag
        return found

    def _judged(self, series: Series, word: str, facts: float, tag: Tag, task: Task) -> Level:
        published = self._scores(task)
        own = published.get((series.name, word))
        if own is not None:
            return own
        found = self._unscored(series, facts, tag, task)
        before = self._before(series, tag, task)
        return found if before is None or before.value <= found.value else replace(found, value=before.value)

    def _before(self, series: Series, tag: Tag, task: Task) -> Level | None:
        """The best level that scores give to what a series succeeds, in its size or below."""
        published = self._scores(task)
        levels = [
            level
            for name in series.succeeds
            if name in self._series
            for word, each in self.sizes(self._series[name]).items()
            if billions(each) <= billions(tag) and active_billions(each) <= active_billions(tag)
            if (level := published.get((name, word))) is not None
        ]
        return max(levels, key=lambda each: each.value, default=None)

    def _unscored(self, series: Series, facts: float, tag: Tag, task: Task) -> Level:
        published = self._scores(task)
        other = {
            size: abs(math.log2(billions(each) / billions(tag)))
            for size, each in self.sizes(series).items()
            if (series.name, size) in published
        }
        if other:
            close = [size for size, distance in other.items() if distance <= min(other.values()) + _NEAR]
            mean = fmean(self._beyond(series.name, size, task) for size in close)
            return self._relative(facts, mean, 2, tuple(f"{series.name}:{size}" for size in close))
        of_line = self._of_line(task)
        for names, doubt in ((series.succeeds, 2), (of_line.get(series.line or "", {}), 3)):
            beyond = [each for name in names if name != series.name for each in self._of_series(name, task)]
            if beyond:  # few of them are a weak hint
                weight = len(beyond) / (len(beyond) + 1)
                return self._relative(facts, weight * fmean(beyond), doubt, tuple(names))
        return Level(facts - DOUBT_COST * 2, Basis.FACTS, 3)

    def _relative(self, facts: float, beyond: float, doubt: int, sources: tuple[str, ...]) -> Level:
        value = facts + RELATIVE * beyond - DOUBT_COST * (doubt - 1)
        return Level(value, Basis.RELATIVES, doubt, sources)

    def _beyond(self, name: str, word: str, task: Task) -> float:
        return self._scores(task)[name, word].value - self._by_facts((name, word), task)

    def _of_series(self, name: str, task: Task) -> list[float]:
        """What scores say of each size of a series beyond the facts."""
        series, published = self._series.get(name), self._scores(task)
        sizes = self.sizes(series) if series is not None else {}
        return [self._beyond(name, word, task) for word in sizes if (name, word) in published]

    def _of_line(self, task: Task) -> dict[str, dict[str, None]]:
        """The series with scores by their line."""
        found = self._lines.get(task)
        if found is None:
            found = self._lines[task] = {}
            for name, _ in self._scores(task):
                line = self._series[name].line
                if line:
                    found.setdefault(line, {})[name] = None
        return found

    def _by_facts(self, size: Size, task: Task) -> float:
        key = (*size, task)
        value = self._facts.get(key)
        if value is None:
            series = self._series[size[0]]
            value = self._facts[key] = self._priors.value(series, self.sizes(series)[size[1]], task)
        return value

    def _scores(self, task: Task) -> dict[Size, Level]:
        """The levels of all sizes that have published scores for the task."""
        found = self._published.get(task)
        if found is None:
            places = self._places(task, is_maker=True)
            found = {size: self._mixed(size, claims, task, Basis.MAKER) for size, claims in places.items()}
            places = self._places(task, is_maker=False)
            found |= {size: self._mixed(size, own, task, Basis.SCORES) for size, own in places.items()}
            self._published[task] = found
        return found

    def _mixed(self, size: Size, places: dict[str, float], task: Task, basis: Basis) -> Level:
        facts = self._by_facts(size, task)
        sources = {benchmark.split()[0] for benchmark in places}  # columns of one leaderboard are one source
        shift = MAKER_SHIFT if basis is Basis.MAKER else 0.0
        value = facts + len(sources) / (len(sources) + 1) * (median(places.values()) - shift - facts)
        doubt = _DOUBT[basis]
        return Level(value - DOUBT_COST * (doubt - 1), basis, doubt, tuple(sorted(places)))

    def _places(self, task: Task, *, is_maker: bool) -> dict[Size, dict[str, float]]:
        """For each size that the benchmarks of the task contain, what its rank in each stands for."""
        found: dict[Size, dict[str, float]] = {}
        for benchmark, values in self._best(task, is_maker=is_maker).items():
            if len(values) >= LEAST_ROWS:
                facts = sorted(self._by_facts(size, task) for size in values)
                order = sorted(values.values())
                for size, value in values.items():
                    low, high = bisect_left(order, value), bisect_right(order, value)
                    found.setdefault(size, {})[benchmark] = fmean(facts[low:high])
        return found

    def _best(self, task: Task, *, is_maker: bool) -> dict[str, dict[Size, float]]:
        """By benchmark and size, the best of its variants (thinking or not, prompt, edit format)."""
        found: dict[str, dict[Size, float]] = {}
        for row in self._rows:
            series = self._series.get(row.series)
            if series is None or (row.kind == "maker") is not is_maker or not _speaks_for(row, task):
                continue
            if "base model" in row.variant or (row.benchmark.startswith(SHORT_ANSWERS) and thinks(series)):
                continue
            sizes = self.sizes(series)
            word = row.size.casefold() if row.size else (next(iter(sizes)) if len(sizes) == 1 else "")
            if word in sizes:
                values = found.setdefault(row.benchmark, {})
                values[series.name, word] = max(values.get((series.name, word), -math.inf), row.value)
        return found


def _speaks_for(row: QualityRow, task: Task) -> bool:
    if row.benchmark.endswith(_IGNORED):
        return False
    if task is Task.ANALYSIS:  # reading and thinking, and no preference for a tone
        return row.task in ("general", "reasoning") and not row.benchmark.startswith("LMArena")
    if task is Task.CREATIVE:
        return row.task == "creative" or row.benchmark.startswith("LMArena text")
    return row.task == task.value
