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
3. **Neighbours.** Without scores of its own at the task: what scores say beyond the facts about other sizes
   of its series there and what they say about the model itself at other tasks are added, up to
   `NEIGHBOURS_MOST`; without either, what they say about the series that it succeeds. And it is at least as
   good as what it succeeds is at its size.
4. **Doubt.** Each missing step takes `DOUBT_COST`: one for only a maker's word, one for other sizes and other
   tasks, two for another series, three for facts alone. What nobody has measured is taken at the lower end
   of what it may be.

Benchmarks with short answers or at their ceiling (`SHORT_ANSWERS`) say nothing about models that think, what
a thinking build scores says nothing about a series that has none.

`python tests/validation/quality_order.py` leaves out what is known of each model in turn and prints how well
the rest tells its place.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean, median

from modeltui.domain.advice.priors import Priors, active_billions, billions, size_word, thinks
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import QualityRow, Series, Tag

# Judged. The eleven models that have both do not show it: a maker's table holds strong models only, and so
# its claims rank below independent runs by 0.9; but a maker chooses what it publishes.
MAKER_SHIFT = 0.5
# Fitted over the sizes and tasks with independent scores, each left out in turn (tests/validation/
# quality_order.py): what other sizes and other tasks say holds whole, singly and added, up to here; what is
# larger comes back to half. Other series of a line say nothing more than what a series succeeds.
NEIGHBOURS_MOST = 1.2
# The same: sizes within this many doublings agree (r 0.52 to 0.70), those beyond hardly (0.25).
_NEAR = 2.5
# Judged from the same: scores lie 1.5 doublings (standard deviation) around what facts say, 1.2 around what
# neighbours say, and 1.0 around other benchmarks' scores. Three steps are one deviation: the lower sixth.
DOUBT_COST = 0.5
LEAST_ROWS = 4  # fewer models than this do not make an order
LEAST_SERIES = 3  # nor do sizes of one series, or of two
SHORT_ANSWERS = ("Open LLM Leaderboard", "EvalPlus")
# `connections` is a word puzzle, `story_generation` scores obedience, not style.
_IGNORED = ("connections", "story_generation")


class Basis(StrEnum):
    """What a level rests on."""

    SCORES = "published scores"
    MAKER = "the maker's own scores"
    RELATIVES = "scores of relatives"
    TASKS = "its scores at other tasks"
    FACTS = "facts"


_MOST_STEPS = 3  # that can be missing: nothing but facts
_MOST_DOUBT = 3  # steps of the 0-10 scale: a wider band would say nothing
# Analysis has no benchmark that is not of another task, too.
_TELLING = tuple(task for task in Task if task not in (Task.EMBEDDING, Task.ANALYSIS))


@dataclass(frozen=True, slots=True)
class Level:
    """How good, in doublings; `doubt` in steps of the 0-10 scale; `sources` name what it rests on.

    `beyond` is what the sources say beyond the facts, before doubt.
    """

    value: float
    basis: Basis
    doubt: int
    sources: tuple[str, ...] = ()
    beyond: float = 0.0


Size = tuple[str, str]  # name of the series, word of the size


class Quality:
    """The levels of all models of a catalog; made once for a catalog, and filled in as it is asked."""

    def __init__(
        self, series: Mapping[str, Series], rows: Iterable[QualityRow], as_of: str | None = None
    ) -> None:
        """`as_of` is the day of the catalog (ISO): what claims to be newer counts as of that day."""
        self._series = series
        self._rows = rows
        self._priors = Priors(series, as_of)
        self._sizes: dict[str, dict[str, Tag]] = {}
        self._facts: dict[tuple[str, str, Task], float] = {}
        self._published: dict[Task, dict[Size, Level]] = {}
        self._levels: dict[tuple[str, str, Task], Level] = {}
        self._known = tuple(self._known_rows())

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
            found = {}
            for tag in series.tags:
                before = found.get(size_word(tag))
                if tag.parameters and (
                    before is None or (before.active_parameters is None and tag.active_parameters is not None)
                ):
                    found[size_word(tag)] = tag
            self._sizes[series.name] = found  # not before it is whole: other threads ask, too
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
        of_sizes, of_tasks = self._of_sizes(series, tag, task), self._of_tasks(series, tag, task)
        found = (*of_tasks.values(), *of_sizes.values())
        if found:
            beyond = sum(_mean(each.values()) for each in (of_sizes, of_tasks) if each)
            basis = Basis.TASKS if of_tasks else Basis.RELATIVES
            return _near(facts, beyond, found, (*of_tasks, *of_sizes), basis=basis)
        before = self._of_predecessors(series, task)
        if before:  # few of them are a weak hint
            beyond = len(before) / (len(before) + 1) * _mean(before.values())
            return _near(facts, beyond, before.values(), before, steps=2)
        return _level(facts, 0.0, _MOST_STEPS, Basis.FACTS, ())

    def _of_sizes(self, series: Series, tag: Tag, task: Task) -> dict[str, Level]:
        """What scores say of the other sizes of a series that are not far, by name."""
        return {
            f"{series.name}:{size}": level
            for size, each in self.sizes(series).items()
            if (level := self._scores(task).get((series.name, size))) is not None
            if abs(math.log2(billions(each) / billions(tag))) <= _NEAR
        }

    def _of_tasks(self, series: Series, tag: Tag, task: Task) -> dict[str, Level]:
        """What scores say of the same size at other tasks, by the task; nobody talks with what embeds."""
        size = (series.name, size_word(tag))
        return {
            other.value: level
            for other in _TELLING
            if task is not Task.EMBEDDING and other is not task
            if (level := self._scores(other).get(size)) is not None
        }

    def _of_predecessors(self, series: Series, task: Task) -> dict[str, Level]:
        """What scores say of each size of what a series succeeds, by name."""
        published = self._scores(task)
        return {
            f"{name}:{size}": published[name, size]
            for name in series.succeeds
            if name in self._series and name != series.name
            for size in self.sizes(self._series[name])
            if (name, size) in published
        }

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
        beyond = len(sources) / (len(sources) + 1) * (median(places.values()) - shift - facts)
        return _level(facts, beyond, 1 if basis is Basis.MAKER else 0, basis, sorted(places))

    def _places(self, task: Task, *, is_maker: bool) -> dict[Size, dict[str, float]]:
        """For each size that the benchmarks of the task contain, what its rank in each stands for."""
        found: dict[Size, dict[str, float]] = {}
        for benchmark, values in self.benchmarks(task, is_maker=is_maker).items():
            facts = sorted(self._by_facts(size, task) for size in values)
            order = sorted(values.values())
            for size, value in values.items():
                low, high = bisect_left(order, value), bisect_right(order, value)
                found.setdefault(size, {})[benchmark] = fmean(facts[low:high])
        return found

    def benchmarks(self, task: Task, *, is_maker: bool = False) -> dict[str, dict[Size, float]]:
        """By benchmark and size, the best of its variants (thinking or not, prompt, edit format).

        Of independent runs, or else of makers' claims; only where there are enough to make an order.
        """
        found: dict[str, dict[Size, float]] = {}
        for row, size in self._known:
            if (row.kind == "maker") is is_maker and speaks_for(row, task):
                values = found.setdefault(row.benchmark, {})
                values[size] = max(values.get(size, -math.inf), row.value)
        return {
            benchmark: values
            for benchmark, values in found.items()
            if len(values) >= LEAST_ROWS and len({name for name, _ in values}) >= LEAST_SERIES
        }

    def _known_rows(self) -> Iterator[tuple[QualityRow, Size]]:
        """The rows that speak of a size of the catalog, with that size."""
        for row in self._rows:
            series = self._series.get(row.series)
            if series is not None and "base model" not in row.variant and _speaks_of(row, series):
                sizes = self.sizes(series)
                word = row.size.casefold() if row.size else (next(iter(sizes)) if len(sizes) == 1 else "")
                if word in sizes:
                    yield row, (series.name, word)


def _mean(levels: Iterable[Level]) -> float:
    return fmean(each.beyond for each in levels)


def _near(
    facts: float,
    beyond: float,
    levels: Iterable[Level],
    sources: Iterable[str],
    *,
    basis: Basis = Basis.RELATIVES,
    steps: int = 1,
) -> Level:
    """What neighbours say; a step more of doubt where all that they have is a maker's word."""
    steps += all(each.basis is Basis.MAKER for each in levels)
    beyond = min(NEIGHBOURS_MOST, max(-NEIGHBOURS_MOST, beyond))
    return _level(facts, beyond, steps, basis, sources)


def _level(facts: float, beyond: float, steps: int, basis: Basis, sources: Iterable[str]) -> Level:
    value = facts + beyond - DOUBT_COST * steps
    return Level(value, basis, min(_MOST_DOUBT, 1 + steps), tuple(sources), beyond)


def _speaks_of(row: QualityRow, series: Series) -> bool:
    if thinks(series):
        return not row.benchmark.startswith(SHORT_ANSWERS)
    return series.role != "chat" or not row.variant.startswith("thinking")


def speaks_for(row: QualityRow, task: Task) -> bool:
    """Whether a row is about the task."""
    if row.benchmark.endswith(_IGNORED):
        return False
    if task is Task.ANALYSIS:  # reading and thinking, and no preference for a tone
        return row.task in ("general", "reasoning") and not row.benchmark.startswith("LMArena")
    if task is Task.CREATIVE:
        return row.task == "creative" or row.benchmark.startswith("LMArena text")
    return row.task == task.value
