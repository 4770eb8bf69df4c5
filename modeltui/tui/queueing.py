"""Queues what is to be pulled from a screen; asks first where that would fail as far as is known."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modeltui.domain.names import ModelName, distinct
from modeltui.domain.preflight import Preflight, Shortage, facts_words, shortage, words
from modeltui.domain.units import size

if TYPE_CHECKING:
    from modeltui.services.servers import Link
    from modeltui.services.tree import Services
    from modeltui.tui.app import ModelTuiApp
    from modeltui.tui.screens.dialogs import Dialog

Ask = Callable[["Dialog"], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model that is to be queued, `forced` though the disk has no room for it; `facts` are said with it."""

    name: ModelName
    facts: str
    forced: bool = False


async def enqueue(
    app: "ModelTuiApp", names: Sequence[ModelName], ask: Ask, *, switch: bool, facts: str
) -> None:
    """Look, ask what must be asked, queue, and say it; `facts` instead of what was found out."""
    from modeltui.services.detaching import can_detach, ensure_runner
    from modeltui.services.preflight import look

    services = app.services
    link = await services.active()
    wanted = distinct(names)
    try:
        plans = await look(services, link, wanted)
    except asyncio.CancelledError:  # who leaves meanwhile wants them, too; the runner looks for itself
        _put(services, link, [Chosen(name, "") for name in wanted])
        if can_detach(services):
            ensure_runner(services)
        raise
    chosen = await choose(plans, link, ask)
    if not chosen:
        return
    said, last = _put(services, link, chosen)
    if switch:
        app.switch_when_done = last
    if not app.is_carrying:  # at once: what quits now shall leave a runner behind
        app.carry_queue()
    told = [f"{words}: {each.facts}" if each.facts and not facts else words for words, each in said]
    told += [facts] if facts else []
    app.tell(" · ".join(told) + ("" if app.current_mode == "downloads" else " · 4 shows it"))


def _put(
    services: "Services", link: "Link", chosen: Sequence[Chosen]
) -> tuple[list[tuple[str, Chosen]], int | None]:
    """Put them into the queue; what is said of each, and the number of the last."""
    from modeltui.services.pulls import Pulls

    pulls, said, number = Pulls(services), [], None
    for each in chosen:
        row, is_new = pulls.enqueue(link, each.name, forced=each.forced)
        number = row.number
        said.append((f"{each.name.short} {'queued' if is_new else 'is in the queue'} as {number}", each))
    return said, number


async def choose(plans: Sequence[Preflight], link: "Link", ask: Ask) -> tuple[Chosen, ...]:
    """What of some pulls is to be queued; where all is well nothing is asked."""
    unknown = [plan for plan in plans if plan.is_known is False]
    if unknown and await ask(_unknown_question(unknown)) is None:
        plans = [plan for plan in plans if plan.is_known is not False]
    short = shortage(plans)
    forced: tuple[ModelName, ...] = ()
    if short is not None:
        if await ask(_shortage_question(short, plans, link)) is None:
            return ()
        forced = short.names
    return tuple(Chosen(plan.name, _brief(plan), plan.name in forced) for plan in plans)


def _brief(plan: Preflight) -> str:
    """Its size, and what of it is there."""
    return facts_words(replace(plan, free=None))


def _unknown_question(plans: Sequence[Preflight]) -> "Dialog":
    from modeltui.tui.screens.dialogs import Answer, Question

    one = len(plans) == 1
    names = ", ".join(plan.name.short for plan in plans)
    who = "Its registry does" if one else "Their registries do"
    return Question(
        f"{who} not know {names}. Pull all the same?",
        facts=[
            f"the registry answers that there is no such {'model or tag' if one else 'models or tags'}",
            "a private model is unknown to modeltui, and may be known to the server",
        ],
        answers=[Answer("p", "pull it all the same" if one else "pull them all the same", "yes")],
        no="leave it" if one else "leave them",
        enter_is_no=True,
    )


def _shortage_question(short: Shortage, plans: Sequence[Preflight], link: "Link") -> "Dialog":
    from modeltui.tui.screens.dialogs import Answer, Question

    one = len(short.names) == 1
    what = short.names[0].short if one else f"these {len(short.names)} models"
    facts = [f"needs  {size(short.needed)}", f"free  {size(short.free)}"]
    facts += [f"in  {short.directory}"] if short.directory else []
    if not one:
        facts = [*(words(replace(plan, free=None)) for plan in plans if plan.name in short.names), *facts]
    return Question(
        f"The disk of {link.name} has no room for {what}. Pull all the same?",
        facts=facts,
        answers=[Answer("p", "pull all the same", "yes")],
        no="leave it" if one else "leave them",
        enter_is_no=True,
    )
