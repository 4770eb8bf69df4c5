"""Recommends models for a wish: every tag and every installed model scored, the best rows put in words."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from modeltui.domain.advice.alternatives import also
from modeltui.domain.advice.quality import Quality
from modeltui.domain.advice.reasons import Ranked, is_near, parts_of, why
from modeltui.domain.advice.recommendation import SHOWN_WHEN_ALL_WEAK, Ranking, by_quality, rank
from modeltui.domain.advice.scoring import Candidate, History, Scored, Wish, is_slow
from modeltui.domain.advice.suitability import Suitability, suitabilities, suitability
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.catalog.series import Tag
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.models import Model
from modeltui.services.advice import Advice
from modeltui.services.circumstances import advice_of
from modeltui.services.contenders import Contenders, context_of
from modeltui.services.servers import Link
from modeltui.services.suiting import quality_of
from modeltui.services.tree import Services
from modeltui.store.journal import Entry

SHOWN = 10
_USES = frozenset(("load", "switch"))
_LOOKED_BACK = 500  # rows of activity that tell how a model worked here


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer to one wish: `rows` are shown, in their order, of `total` that there are.

    `is_slow`: nothing reaches the floor, and the rows are the best three all the same. `machine.machine`
    None: nothing can be ranked, `machine.why` says why.
    """

    wish: Wish
    machine: KnownMachine
    rows: tuple[Ranked, ...]
    total: int
    is_slow: bool = False
    notes: tuple[str, ...] = ()


class Recommending:
    """The recommendations under one circumstance; no I/O, so that a thread may do it.

    A ranking costs tens of milliseconds the first time: not on the event loop. Not for two threads at once.
    """

    def __init__(
        self,
        advice: Advice,
        quality: Quality | None = None,
        histories: Mapping[str, History] | None = None,
    ) -> None:
        """`quality` of the same catalog may be handed on from an earlier one; `histories` by shown name."""
        circumstance = advice.circumstance
        self.advice = advice
        self._catalog = circumstance.catalog
        self.quality = quality or quality_of(self._catalog)
        self._contenders = Contenders(advice, self.quality, histories or {})

    def recommend(self, wish: Wish, limit: int | None = SHOWN) -> Recommendation:
        """The best rows for a wish, in words; `limit` None for all of them."""
        ranking = self.ranking(wish)
        rows = tuple(
            self._in_words(place, row, ranking, wish)
            for place, row in enumerate(ranking.rows[:limit], start=1)
        )
        return Recommendation(
            wish=wish,
            machine=self.advice.circumstance.machine,
            rows=rows,
            total=len(ranking.rows),
            is_slow=ranking.is_slow,
            notes=self._notes(),
        )

    def ranking(self, wish: Wish) -> Ranking:
        """The same in numbers only.

        The retired are looked at where no successor of theirs is ranked, the weak where hardly anything is.
        """
        able = self._contenders.able(wish)
        found = rank(able, wish)
        ranked = {row.candidate.series.name for row in found.rows if row.candidate.series is not None}
        late = self._contenders.retired(wish, ranked)
        if late:
            found = rank((*able, *late), wish)
        if len(found.rows) < SHOWN_WHEN_ALL_WEAK or found.is_slow:
            return rank((*able, *late, *self._contenders.weak(wish)), wish)
        return found

    def best_installed(self, wish: Wish) -> Ranked | None:
        """The pick among what is installed; None when nothing that is installed does the task here.

        On a machine that nobody knows it is by quality alone.
        """
        installed = [each for each in self._contenders.able(wish) if each.is_installed]
        ranking = rank(installed, wish)
        if self.advice.machine is None:
            ranking = by_quality(installed, wish)
        return self._in_words(1, ranking.rows[0], ranking, wish) if ranking.rows else None

    def suitabilities(self, tag: Tag) -> tuple[Suitability, ...]:
        """How suitable a tag is for every task."""
        return suitabilities(self.quality, self._catalog.series.get(tag.series.casefold()), tag)

    def suitabilities_of_model(self, model: Model) -> tuple[Suitability, ...]:
        """The same of an installed model; one that no catalog knows has no evidence."""
        return suitabilities(self.quality, *self._contenders.known(model))

    def _in_words(self, place: int, row: Scored, ranking: Ranking, wish: Wish) -> Ranked:
        candidate = row.candidate
        verdict = self._verdict(candidate, wish)
        suited = suitability(self.quality, candidate.series, candidate.tag, wish.task)
        above = ranking.rows[place - 2] if place > 1 else None
        return Ranked(
            place=place,
            name=candidate.name,
            candidate=candidate,
            score=row.score,
            parts=parts_of(row, wish, suited, verdict),
            suitability=suited,
            verdict=verdict,
            why=why(place, row, ranking, wish, suited, verdict),
            also=also(row, ranking, wish),
            is_near=is_near(row, above),
            is_slow=is_slow(candidate, wish),
        )

    def _verdict(self, candidate: Candidate, wish: Wish) -> Verdict:
        context = context_of(candidate.series, candidate.tag, wish)
        if candidate.is_installed:
            for model in self.advice.circumstance.installed:
                if model.shown == candidate.name:
                    return self.advice.verdict_of_model(model, context, wish.task)
        return self.advice.verdict_of_tag(candidate.tag, context, wish.task)

    def _notes(self) -> tuple[str, ...]:
        machine = self.advice.machine
        return (*self._catalog.notes, *(machine.assumptions if machine is not None else ()))


def histories_of(services: Services, link: Link | None) -> dict[str, History]:
    """How often each model was loaded or switched to on a server, and how often that failed."""
    if link is None:
        return {}
    nothing: tuple[Entry, ...] = ()
    rows = services.recall(lambda: services.store.journal.latest(_LOOKED_BACK, link.id), nothing)
    found: dict[str, History] = {}
    for row in rows:
        if row.action in _USES:
            before = found.get(row.object, History())
            failed = row.result != "done"
            found[row.object] = History(before.uses + 1, before.failures + failed)
    return found


async def recommending_of(
    services: Services, link: Link | None, hardware: str | None = None, *, quality: Quality | None = None
) -> Recommending:
    """What recommends for a server's machine, or for `hardware` as typed; not long on the event loop.

    `quality` of an earlier one with the same catalog may be handed on. Raises UsageError for hardware that
    cannot be read.
    """
    return await recommending_with(services, link, await advice_of(services, link, hardware), quality)


async def recommending_with(
    services: Services, link: Link | None, advice: Advice, quality: Quality | None = None
) -> Recommending:
    """The same where the advice is there already."""
    histories = {} if advice.is_made_up else histories_of(services, link)
    return await asyncio.to_thread(Recommending, advice, quality, histories)


def wish_of(
    services: Services,
    *,
    task: Task | None = None,
    priority: Priority | None = None,
    context: int | None = None,
) -> Wish:
    """What was said, and for the rest what `[recommend]` configures."""
    configured = services.config.recommend
    return Wish(
        task=task or Task(configured.task),
        priority=priority or Priority(configured.priority),
        context=context or configured.context,
        least_tokens=configured.min_tokens_per_s,
    )
