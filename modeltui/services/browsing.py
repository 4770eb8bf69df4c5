"""The catalog as a person asks for it: which rows match and in what order, and how each would run here."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.series import Catalog, Series, Tag
from modeltui.domain.machines.machine import Backend, Machine
from modeltui.domain.memory.estimate import needs
from modeltui.domain.models import Model
from modeltui.domain.query import parse
from modeltui.services.advice import Advice, Numbers
from modeltui.services.circumstances import advice_of, link_if_any
from modeltui.services.offers import (
    Offer,
    Offers,
    Order,
    installed_test,
    matching,
    offers_of,
    offers_of_series,
    ordered,
)
from modeltui.services.tree import Services


@dataclass(frozen=True, slots=True)
class Found:
    """One row that was asked for; `numbers` are for the context that the server would take."""

    offer: Offer
    is_installed: bool
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Browsing:
    """The catalog with the advice for one server, at one moment; for as many questions as there are."""

    offers: Offers
    advice: Advice

    @property
    def catalog(self) -> Catalog:
        return self.offers.catalog

    @property
    def installed(self) -> tuple[Model, ...]:
        return self.advice.circumstance.installed

    def places(self, text: str, order: Order) -> list[int]:
        """Places of the rows that match the words of the filter, in an order; without words one a series.

        Half a second at worst, where the fit of every row is asked for: run it off the event loop.
        """
        if text.strip():
            found = matching(self.offers, parse(text), self.installed, self.numbers)
        else:
            found = self.offers.defaults()
        return ordered(self.offers, found, order, self.numbers)

    def found(self, places: Iterable[int]) -> list[Found]:
        """The rows at these places, with what is known of each here."""
        is_there, rows = installed_test(self.installed), self.offers.rows
        return [Found(rows[place], is_there(rows[place]), self.numbers(rows[place].tag)) for place in places]

    def of_series(self, series: Series) -> list[Found]:
        """Every download of one series, those too that are no longer listed."""
        is_there = installed_test(self.installed)
        return [Found(row, is_there(row), self.numbers(row.tag)) for row in offers_of_series(series)]

    def numbers(self, tag: Tag) -> Numbers:
        return numbers_of(self.advice, tag)


def numbers_of(advice: Advice, tag: Tag) -> Numbers:
    """How a tag would run; what it needs is known without a machine, too.

    One in a format of Apple's does not, elsewhere: the registry refuses the pull.
    """
    found = advice.numbers_of_tag(tag)
    if tag.is_apple_only and advice.machine is not None and not is_apple(advice.machine):
        return found._replace(kind=FitKind.NO, score=0, tokens=None)
    if found.needs is not None or advice.machine is not None:
        return found
    facts = advice.subjects.facts_of_tag(tag)
    if facts is None:
        return found
    context = advice.context_of(facts)
    return found._replace(needs=needs(facts, context, advice.serving).total, context=context)


def is_apple(machine: Machine | None) -> bool:
    """Whether the models run on a Mac."""
    return machine is not None and any(card.backend is Backend.METAL for card in machine.cards)


async def browse(services: Services, hardware: str | None = None) -> Browsing:
    """Read the catalog, and what verdicts rest on; a server that does not answer is no hindrance.

    `hardware` is a "what if"; raises UsageError for what describes none.
    """
    advice = await advice_of(services, await link_if_any(services), hardware)
    for note in advice.circumstance.notes:
        services.note(note)
    return Browsing(await asyncio.to_thread(offers_of, advice.circumstance.catalog), advice)
