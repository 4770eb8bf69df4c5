"""Everything that could be recommended, with its numbers: tags of the catalog and installed models."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from modeltui.domain.advice.candidates import candidates
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.priors import Priors
from modeltui.domain.advice.quality import Basis, Level, Quality
from modeltui.domain.advice.quantization import bits_of, quantization_loss
from modeltui.domain.advice.recommendation import LEAST_SHARE
from modeltui.domain.advice.scoring import Candidate, History, Wish
from modeltui.domain.advice.suitability import can_do, share
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import Series, Tag, is_library
from modeltui.domain.machines.machine import Backend
from modeltui.domain.models import Model, can_generate, parameter_count
from modeltui.services.advice import Advice, Numbers

_SERVER_PART = 3  # of Numbers.points: whether this server's version can run it
_NO_EVIDENCE_DOUBT = 5
_NO_POINTS = (0, 0, 0, 0, 0, 0)


class _Pick(NamedTuple):
    """A tag of the catalog that may be recommended for a task, with its level at it."""

    series: Series
    tag: Tag
    level: Level


class Contenders:
    """Finds them, each once for a task and a context; no I/O, and tens of milliseconds the first time."""

    def __init__(self, advice: Advice, quality: Quality, histories: Mapping[str, History]) -> None:
        circumstance = advice.circumstance
        self._advice = advice
        self._catalog = circumstance.catalog
        self._quality = quality
        self._histories = histories
        self._installed_digests = frozenset(
            model.digest[:12] for model in circumstance.installed if model.digest and not model.is_cloud
        )
        self._candidates: dict[tuple[Task, int], tuple[Candidate, ...]] = {}
        self._picks: dict[Task, tuple[list[_Pick], list[_Pick]]] = {}
        self._unlooked: dict[Task, list[Series]] = {}
        self._late: dict[tuple[Task, int, str], tuple[Candidate, ...]] = {}

    def able(self, wish: Wish) -> tuple[Candidate, ...]:
        """What could be a row, with its numbers; equal digests once, the installed name first."""
        key = (wish.task, wish.context)
        found = self._candidates.get(key)
        if found is None:
            pullable = self._pullable(self._looked_at(wish.task)[0], wish)
            found = self._candidates[key] = (*self._installed(wish), *pullable)
        return found

    def retired(self, wish: Wish, ranked: Collection[str]) -> tuple[Candidate, ...]:
        """Those of retired series none of whose successors is among the `ranked` series."""
        found: list[Candidate] = []
        for series in self._catalog.series.values():
            if self._may_wait(series) and self._heirs(series).isdisjoint(ranked):
                key = (wish.task, wish.context, series.name)
                if key not in self._late:
                    picks = (pick for pick, is_weak in self._picked(series, wish.task) if not is_weak)
                    self._late[key] = tuple(self._pullable(picks, wish))
                found += self._late[key]
        return tuple(found)

    def _may_wait(self, series: Series) -> bool:
        """Whether a series is looked at only where none of its successors is ranked."""
        return series.is_retired and not self._heirs(series).isdisjoint(self._catalog.series)

    def _heirs(self, series: Series) -> frozenset[str]:
        """All that followed a series, however far, in this catalog or not."""
        seen: set[str] = set()
        waiting = list(series.succeeded_by)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                heir = self._catalog.series.get(name)
                waiting += heir.succeeded_by if heir is not None else ()
        return frozenset(seen - {series.name})

    def weak(self, wish: Wish) -> tuple[Candidate, ...]:
        """What is too weak for the task to be listed beside better ones."""
        task = wish.task
        _, weak = self._looked_at(task)
        for series in self._unlooked.pop(task, ()):
            weak += [each for each, _ in self._picked(series, task)]
        return tuple(self._pullable(weak, wish))

    def _pullable(self, picks: Iterable["_Pick"], wish: Wish) -> Iterable[Candidate]:
        machine = self._advice.machine
        room = machine.ram_total + machine.vram_total if machine is not None else 0
        for pick in picks:
            tag = pick.tag
            if tag.digest in self._installed_digests:
                continue
            if machine is not None and (tag.size or 0) > room:  # its file alone: nothing to work out
                numbers = Numbers(FitKind.NO, 0, tag.size, None, None, False, wish.context, _NO_POINTS, None)
            else:
                context = context_of(pick.series, tag, wish)
                numbers = self._advice.numbers_of_tag(tag, context, wish.task)
            yield self._candidate(tag.name, pick.series, tag, pick.level, numbers)

    def _looked_at(self, task: Task) -> tuple[list["_Pick"], list["_Pick"]]:
        """The catalog's candidates for a task, and apart those too weak for it.

        A series that is too weak in every size, and a retired one, is not even looked at before it is needed.
        """
        found = self._picks.get(task)
        if found is None:
            found = self._picks[task] = ([], [])
            unlooked = self._unlooked[task] = []
            for series in self._catalog.series.values():
                if self._may_wait(series):
                    continue
                sizes = self._quality.sizes(series).values()
                if sizes and all(
                    self._is_weak(self._quality.level(series, tag, task), task) for tag in sizes
                ):
                    unlooked.append(series)
                    continue
                for pick, is_weak in self._picked(series, task):
                    found[is_weak].append(pick)
        return found

    def _picked(self, series: Series, task: Task) -> Iterable[tuple["_Pick", bool]]:
        """The candidates of one series, and whether each is too weak."""
        machine = self._advice.machine
        is_apple = machine is not None and any(card.backend is Backend.METAL for card in machine.cards)
        for tag in candidates(series, task, is_apple=is_apple):
            level = self._quality.level(series, tag, task)
            yield _Pick(series, tag, level), self._is_weak(level, task)

    def _is_weak(self, level: Level, task: Task) -> bool:
        return share(level.value, task) < LEAST_SHARE

    def _installed(self, wish: Wish) -> Iterable[Candidate]:
        """Installed models, whatever their quantization; an unknown one by its size alone."""
        taken: set[str] = set()
        for model in sorted(self._advice.circumstance.installed, key=lambda each: each.shown):
            if model.name is None or model.is_cloud or not model.size or (model.digest or "") in taken:
                continue
            taken.add(model.digest or model.shown)
            series, tag = self.known(model)
            if series is None:
                if not _claims(model, wish.task):
                    continue
            elif not can_do(series, tag, wish.task) or tag.is_base:
                continue
            numbers = self._advice.numbers_of_model(model, context_of(series, tag, wish), wish.task)
            level = self._level(series, tag, wish.task)
            yield self._candidate(model.shown, series, tag, level, numbers, is_installed=True)

    def known(self, model: Model) -> tuple[Series | None, Tag]:
        """An installed model in the catalog's words: the very tag, else the one of its library name."""
        tag = self._advice.subjects.tag_of(model)
        if tag is not None:
            return self._catalog.series[tag.series.casefold()], tag
        found = self._catalog.find(model.name) if model.name is not None and is_library(model.name) else None
        if found is None:
            return None, _tag_of(model)
        series, tag = found  # an older or newer build of that name
        return series, tag._replace(digest=model.digest, size=model.size, quantization=model.quantization)

    def _candidate(
        self,
        name: str,
        series: Series | None,
        tag: Tag,
        level: Level,
        numbers: Numbers,
        *,
        is_installed: bool = False,
    ) -> Candidate:
        default = series.default if series is not None else None
        return Candidate(
            name=name,
            series=series,
            tag=tag,
            level=level,
            value=level.value - quantization_loss(tag.quantization, bits_of(tag)),
            kind=numbers.kind,
            needs=numbers.needs if numbers.used is None else numbers.used,
            headroom=numbers.headroom,
            tokens=numbers.tokens,
            is_measured=numbers.is_measured,
            least=None if numbers.is_measured else numbers.least,
            memory=numbers.points[0],
            trained=tag.context or (series.context if series is not None else None),
            is_installed=is_installed,
            is_too_new=numbers.is_younger or (any(numbers.points) and not numbers.points[_SERVER_PART]),
            is_default=default is not None and default.digest is not None and default.digest == tag.digest,
            history=self._histories.get(name, History()),
        )

    def _level(self, series: Series | None, tag: Tag, task: Task) -> Level:
        if series is not None:
            return self._quality.level(series, tag, task)
        nobody = Series(name="", tags=(tag,))
        return Level(Priors({}).value(nobody, tag, task) - 1.0, Basis.FACTS, _NO_EVIDENCE_DOUBT)


def context_of(series: Series | None, tag: Tag, wish: Wish) -> int:
    """The wished context; for an embedding model at most its own."""
    own = tag.context or (series.context if series is not None else None)
    return min(wish.context, own) if wish.task is Task.EMBEDDING and own else wish.context


def _claims(model: Model, task: Task) -> bool:
    """What an installed model that no catalog knows says of itself."""
    words = model.capabilities or frozenset()
    if task is Task.EMBEDDING:
        return "embedding" in words and "completion" not in words
    return can_generate(model.capabilities) is not False and (task is not Task.VISION or "vision" in words)


def _tag_of(model: Model) -> Tag:
    """An installed model as a tag of no catalog."""
    return Tag(
        series="",
        tag=model.shown,
        digest=model.digest,
        size=model.size,
        is_size_exact=True,
        quantization=model.quantization,
        parameter_size=model.parameter_size,
        parameters=parameter_count(model.parameter_size),
        context=model.context,
    )
