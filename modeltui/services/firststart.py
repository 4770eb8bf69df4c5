"""The first start: what an empty server is offered, and a server that does not run yet brought up."""

import asyncio

from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.scoring import Wish
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.units import size
from modeltui.errors import ServerError, Unreachable
from modeltui.services.recommending import recommending_of, wish_of
from modeltui.services.servers import Link
from modeltui.services.starting import Start, start
from modeltui.services.tree import Services

UP_S = 20.0
"""So long a server that was started may take until it answers."""

_LOOK_S = 0.25


async def offered(
    services: Services,
    link: Link | None,
    hardware: str | None = None,
    *,
    task: Task | None = None,
    priority: Priority | None = None,
    context: int | None = None,
) -> Ranked | None:
    """The model that an empty server is offered; None where its machine is unknown or nothing fits.

    Raises UsageError for `hardware` that cannot be read.
    """
    wish = first_wish(services, task=task, priority=priority, context=context)
    recommending = await recommending_of(services, link, hardware)
    rows = (await asyncio.to_thread(recommending.recommend, wish, 1)).rows
    return rows[0] if rows else None


def first_wish(
    services: Services,
    *,
    task: Task | None = None,
    priority: Priority | None = None,
    context: int | None = None,
) -> Wish:
    """What is said or configured, but never an embedding model: it could not become current."""
    wish = wish_of(services, task=task, priority=priority, context=context)
    if wish.task is Task.EMBEDDING:
        return wish_of(services, task=Task.GENERAL, priority=priority, context=context)
    return wish


def offer_words(row: Ranked) -> str:
    """An offer in one line: what comes down, and what it will need."""
    return f"{row.name}: {size(row.candidate.tag.size)} to pull, needs {size(row.needs)}. {row.why}"


async def bring_up(services: Services, link: Link, way: Start, *, up_s: float = UP_S) -> str | None:
    """Start the active server and wait until it answers; returns its version, raises ModeltuiError."""
    await start(services, services.config.active, way)
    deadline = asyncio.get_running_loop().time() + up_s
    while True:
        try:
            return await link.api.version()
        except ServerError as error:
            if asyncio.get_running_loop().time() >= deadline or not isinstance(error, Unreachable):
                raise
        await asyncio.sleep(_LOOK_S)
