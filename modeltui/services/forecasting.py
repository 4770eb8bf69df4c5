"""What a load would mean before it is done: where the model would lie, how fast, and what goes for it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.memory.eviction import Eviction, evicted
from modeltui.domain.models import Model
from modeltui.errors import ServerError
from modeltui.services.advice import Advice
from modeltui.services.circumstances import circumstance_of
from modeltui.services.servers import Link
from modeltui.services.tree import Services

LIMIT_S = 3.0
"""So long a person waits at most for what is good to know before a load."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The verdict on a model by our own estimate, and what the server would put out by its own rule."""

    verdict: Verdict
    eviction: Eviction


async def forecast_of(
    services: Services, link: Link, model: Model, others: Collection[str], catalog: Catalog | None = None
) -> Forecast | None:
    """What a load of an installed model would mean now; None where that is not known within LIMIT_S.

    `others` names what is loaded beside it. `catalog`: one that holds its series, if the caller has it.
    """
    if model.name is None:
        return None
    try:
        async with asyncio.timeout(LIMIT_S):
            circumstance = await circumstance_of(services, link, catalog=catalog)
            shown = await link.api.show(model.name)
    except (ServerError, TimeoutError):
        return None
    wanted = shown.options.get("num_ctx")
    advice = Advice(circumstance)
    return foreseen(advice, model, others, wanted if isinstance(wanted, int) and wanted > 0 else None)


def foreseen(advice: Advice, model: Model, others: Collection[str], context: int | None) -> Forecast | None:
    """The same under a known circumstance, no I/O; None where the machine or the model's size is unknown."""
    verdict, machine = advice.verdict_of_model(model, context), advice.machine
    if verdict.placement is None or verdict.facts is None or machine is None:
        return None
    loaded = [row for row in advice.circumstance.loaded if row.shown in others]
    return Forecast(verdict, evicted(verdict.facts, verdict.context, advice.serving, machine, loaded))
