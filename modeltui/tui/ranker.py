"""Makes the ranking that Recommend shows: apart from the event loop, one at a time, kept between wishes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from modeltui.catalog.loading import load
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.scoring import Wish
from modeltui.domain.advice.suitability import Suitability
from modeltui.errors import ModeltuiError
from modeltui.services.advice import Advice, Circumstance
from modeltui.services.circumstances import circumstance_of, with_hardware
from modeltui.services.firststart import first_wish
from modeltui.services.recommending import Recommendation, Recommending, recommending_with
from modeltui.tui.suiting import quality_for

if TYPE_CHECKING:
    from modeltui.domain.catalog.series import Catalog
    from modeltui.services.servers import Link
    from modeltui.services.tree import Services
    from modeltui.tui.advising import Advised
    from modeltui.tui.app import ModelTuiApp

SHOWN = 20  # rows; words are made for these alone


@dataclass(frozen=True, slots=True)
class Asked:
    """What a ranking is made for. `hardware` is a "what if" as typed; `advised` the verdicts of the server
    as it is, None before there are any.

    Verdicts made anew on the same grounds are no other question, though the free memory may have moved by
    some megabytes; another catalog is.
    """

    wish: Wish
    hardware: str | None
    advised: "Advised | None" = field(compare=False)
    catalog: "Catalog | None" = field(default=None, compare=False)
    grounds: object = None

    @classmethod
    def now(cls, app: "ModelTuiApp", wish: Wish, hardware: str | None = None) -> Self:
        """A wish, under what the app knows at this moment."""
        advised, catalog = app.advice, app.catalog
        grounds = advised.grounds if advised is not None else None
        return cls(wish, hardware, advised, catalog, (advised is None, grounds, id(catalog)))


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A ranking, and how suitable its rows are for every task, by their names."""

    asked: Asked
    answer: Recommendation
    suits: Mapping[str, tuple[Suitability, ...]]


class Ranker:
    """Keeps what many wishes share: who calls it waits for one answer before asking for the next."""

    def __init__(self, app: "ModelTuiApp") -> None:
        self._app = app
        self._services = app.services
        self._recommending: Recommending | None = None
        self._made_for: object = None

    def is_of(self, services: "Services") -> bool:
        """Whether it answers for these services; another tree of them has another server."""
        return self._services is services

    async def read(self) -> None:
        """Have all of the catalog: a ranking is asked for under it."""
        app = self._app
        app.wants_catalog = True
        if app.catalog is None:
            found = await asyncio.to_thread(load, self._services.paths)
            app.catalog = app.catalog or found  # another screen may have been quicker

    async def rank(self, asked: Asked) -> Answered:
        """The rows for a wish; some 100 ms the first time, then 5 to 50, in a thread. Raises UsageError."""
        grounds = (asked.hardware, asked.grounds)
        if self._recommending is None or self._made_for != grounds:
            self._recommending = await self._prepare(asked)
            self._made_for = grounds
        return await asyncio.to_thread(_rank, self._recommending, asked)

    async def _prepare(self, asked: Asked) -> Recommending:
        app, services = self._app, self._services
        catalog = asked.catalog
        if catalog is None:
            catalog = await asyncio.to_thread(load, services.paths)
        link = await _link(services)
        circumstance: Circumstance
        if asked.advised is not None:
            circumstance = replace(asked.advised.circumstance, catalog=catalog)
        else:  # nothing has answered yet: by what is remembered of it
            installed = tuple(entry.model for entry in app.models.entries)
            circumstance = await circumstance_of(
                services, link, catalog=catalog, answers=(None, installed, (), ())
            )
        if asked.hardware is not None:
            circumstance = with_hardware(circumstance, asked.hardware)
        quality = await quality_for(app, catalog)
        return await recommending_with(services, link, Advice(circumstance), quality)


class Ranks:
    """Has the ranking made that is wanted, anew when that is another: one at a time, the last one wins.

    `changed` is called when one begins (with None, `is_busy`) and when none is to be made any more.
    """

    def __init__(
        self,
        app: "ModelTuiApp",
        wanted: Callable[[], Asked],
        changed: Callable[[Answered | None], None],
    ) -> None:
        self._app = app
        self._wanted = wanted
        self._changed = changed
        self._ranker: Ranker | None = None
        self._asked: Asked | None = None
        self.is_busy = False
        self.trouble = ""

    def look(self) -> None:
        """Begin, where what is wanted was not made yet."""
        if self.is_busy or (self._is_of_now and self._wanted() == self._asked):
            return
        self.is_busy = True
        self._changed(None)
        self._app.run_worker(
            self._make,  # type: ignore[arg-type]  # what it returns is not inferred from a function
            group="advice",
            exit_on_error=False,
            description="ranks what would run how well",
        )

    @property
    def _is_of_now(self) -> bool:
        """Whether what was made is of the servers that are shown now."""
        return self._ranker is not None and self._ranker.is_of(self._app.services)

    async def _make(self) -> None:
        answered = None
        try:
            while True:
                if self._ranker is None or not self._is_of_now:
                    self._ranker, self._asked = Ranker(self._app), None
                await self._ranker.read()
                if (asked := self._wanted()) == self._asked:
                    break
                self._asked = asked
                try:
                    answered, self.trouble = await self._ranker.rank(asked), ""
                except ModeltuiError as error:
                    self.trouble = error.message
        except asyncio.CancelledError:
            self._asked = None  # it was not answered: whoever comes next asks again
            raise
        finally:
            self.is_busy = False
            self._changed(answered)


async def offered(app: "ModelTuiApp", advised: "Advised") -> Ranked | None:
    """What a server without any model is offered; None where its machine is unknown or nothing fits."""
    ranker = Ranker(app)
    await ranker.read()
    asked = replace(Asked.now(app, first_wish(app.services)), advised=advised)
    answered = await ranker.rank(asked)
    return next(iter(answered.answer.rows), None)


def _rank(recommending: Recommending, asked: Asked) -> Answered:
    answer = recommending.recommend(asked.wish, SHOWN)
    suits = {row.name: recommending.suitabilities(row.candidate.tag) for row in answer.rows}
    return Answered(asked, answer, suits)


async def _link(services: "Services") -> "Link | None":
    """The active server, for what is remembered of it; None where its secret is missing."""
    try:
        return await services.active()
    except ModeltuiError:
        return None
