"""Judges every download of the catalog, in slices beside the event loop, and keeps the numbers."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.query import Standing
from modeltui.services.advice import Advice, Circumstance, Numbers
from modeltui.services.browsing import numbers_of
from modeltui.services.filtering import standing_of
from modeltui.services.offers import Order, ordered
from modeltui.tui.catalogview import Shelf

SLICE = 80  # some 6 ms: no key waits longer for it than for a repaint
FIRST = 120  # what may be seen comes first


class Judged:
    """Numbers by place, None where there are none yet; `made_for` is the circumstance of all of them."""

    def __init__(self, shelf: Shelf) -> None:
        self.numbers: list[Numbers | None] = [None] * len(shelf.rows)
        self.standings: list[Standing] = [Standing()] * len(shelf.rows)
        self.made_for: Circumstance | None = None
        self._shelf = shelf
        self._installed: frozenset[int] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether every row has been judged, be it for circumstances that are no longer the last."""
        return self.made_for is not None

    @property
    def installed(self) -> frozenset[int]:
        """The places that are installed, as `hold` was told last."""
        return self._installed

    async def judge(self, circumstance: Circumstance, first: Iterable[int], told: Callable[[], None]) -> None:
        """Judge all rows, those at the places `first` before the others; `told` is called when those stand.

        Takes half a second of a thread in all; old numbers stay until the new ones take their places.
        """
        advice = Advice(circumstance)
        seen = list(first)[:FIRST]
        await asyncio.to_thread(self._take, advice, seen)
        told()
        rest = sorted(set(range(len(self.numbers))) - set(seen))
        for start in range(0, len(rest), SLICE):
            await asyncio.to_thread(self._take, advice, rest[start : start + SLICE])
        self.made_for = circumstance
        await asyncio.to_thread(self._stand)

    def hold(self, installed: frozenset[int]) -> None:
        """Say which places are installed."""
        changed, self._installed = installed ^ self._installed, installed
        for place in changed:
            self.standings[place] = self._standing(place)

    def ranks(self, order: Order) -> list[int]:
        """The rank of each place in an order of all rows; 8 ms at most."""
        found = ordered(self._shelf.offers, range(len(self.numbers)), order)
        if order is Order.FIT:
            found = sorted(found, key=lambda place: -_score(self.numbers[place]))
        ranks = [0] * len(found)
        for rank, place in enumerate(found):
            ranks[place] = rank
        return ranks

    def _take(self, advice: Advice, places: Sequence[int]) -> None:
        rows = self._shelf.rows
        for place in places:
            self.numbers[place] = numbers_of(advice, rows[place].offer.tag)

    def _stand(self) -> None:
        self.standings = [self._standing(place) for place in range(len(self.numbers))]

    def _standing(self, place: int) -> Standing:
        found = self.numbers[place]
        return standing_of(
            is_installed=place in self._installed,
            fit=found.kind if found is not None and found.kind is not FitKind.UNKNOWN else None,
            needs=found.needs if found is not None else None,
        )


def _score(numbers: Numbers | None) -> int:
    if numbers is None or numbers.score is None:
        return -2
    return -1 if numbers.kind is FitKind.NO else numbers.score
