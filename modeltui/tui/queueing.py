"""Queues what is to be pulled from a screen; asks first where that would fail as far as is known."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modeltui.domain.names import ModelName, distinct, from_typed
from modeltui.domain.preflight import Preflight, Shortage, facts_words, shortage, words
from modeltui.domain.units import size
from modeltui.errors import ModeltuiError

if TYPE_CHECKING:
    from modeltui.services.servers import Link
    from modeltui.services.tree import Services
    from modeltui.tui.screens.dialogs import Dialog
    from modeltui.tui.stateful import StatefulApp

Ask = Callable[["Dialog"], Awaitable[str | None]]
Confirm = Callable[[Sequence[Preflight]], "Dialog"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model that is to be queued, `forced` though the disk has no room for it; `facts` are said with it."""

    name: ModelName
    facts: str
    forced: bool = False


async def enqueue(
    app: "StatefulApp",
    names: Sequence[ModelName],
    ask: Ask,
    *,
    switch: bool,
    facts: str,
    typed: Sequence[str] = (),
    confirm: Confirm | None = None,
) -> None:
    """Look, ask what must be asked, queue, and say it; `facts` instead of what was found out.

    `typed` is what a person typed for `names`: where another model is meant, that is said and queued; raises
    NoSuchModel where several may be meant. `confirm` makes a question of what was found out, for what a
    person has not seen before.
    """
    from modeltui.services.detaching import can_detach, ensure_runner
    from modeltui.services.meaning import meant_to_pull
    from modeltui.services.preflight import look

    services = app.services
    link = await services.active()
    wanted, meant, near = distinct(names), list[str](), list[str]()
    try:
        if typed:
            found = await meant_to_pull(services, typed, link)
            wanted = distinct(each.name for each in found)
            meant = [each.words for each in found if each.is_other]
            near = [near for each in found for near in each.near]
        plans = await look(services, link, wanted, catalog=app.catalog)
    except asyncio.CancelledError:  # who leaves meanwhile wants them, too; the runner looks for itself
        if confirm is not None:
            raise
        _put(services, link, [Chosen(name, "") for name in wanted])
        if can_detach(services):
            ensure_runner(services, patience_s=0)  # who leaves is not held up
        raise
    if confirm is not None and is_clear(plans) and await ask(confirm(plans)) is None:
        return
    chosen = await choose(plans, link, ask, near)
    if not chosen:
        return
    said, last = _put(services, link, chosen)
    if switch:
        app.switch_when_done = last
    if not app.is_carrying:  # at once: what quits now shall leave a runner behind
        app.carry_queue()
    told = [f"{words}: {each.facts}" if each.facts and not facts else words for words, each in said]
    told = [*meant, *told, *([facts] if facts else [])]
    app.tell(" · ".join(told) + ("" if app.current_mode == "downloads" else " · 4 shows it"))


def fit_remark(app: "StatefulApp", typed: str) -> str:
    """What is known at once of the last name that is typed: its size by the catalog, and how it would run."""
    from modeltui.services.pullfit import fitness_of

    words = typed.split()
    if app.advice is None or not words:
        return ""
    try:
        name = from_typed(words[-1])
    except ModeltuiError:
        return ""
    found = app.advice.circumstance.catalog.find(name)
    if found is None:
        return ""
    tag, fit = found[1], fitness_of(app.advice.advice, name)
    known = [size(tag.size)] if tag.size and not tag.is_cloud else []
    return f"{tag.name}: {', '.join([*known, *([fit.words] if fit is not None else [])])}" if known else ""


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


def is_clear(plans: Sequence[Preflight]) -> bool:
    """Whether nothing speaks against these pulls, as far as is known."""
    return shortage(plans) is None and all(plan.is_known is not False for plan in plans)


async def choose(
    plans: Sequence[Preflight], link: "Link", ask: Ask, near: Sequence[str] = ()
) -> tuple[Chosen, ...]:
    """What of some pulls is to be queued; nothing is asked where all is well. `near`: like the unknown."""
    unknown = [plan for plan in plans if plan.is_known is False]
    if unknown and await ask(_unknown_question(unknown, near)) is None:
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


def _unknown_question(plans: Sequence[Preflight], near: Sequence[str]) -> "Dialog":
    from modeltui.tui.screens.dialogs import Answer, Question

    one = len(plans) == 1
    names = ", ".join(plan.name.short for plan in plans)
    who, what = ("Its registry does", names) if one else ("Their registries do", f"these {len(plans)} models")
    return Question(
        f"{who} not know {what}. Pull all the same?",
        facts=[
            *([] if one else [names]),
            f"{'it answers' if one else 'they answer'} that there is no such model or tag",
            "a private model is unknown to modeltui, and may be known to the server",
            *([f"in the catalog near it: {', '.join(near)}"] if near else []),
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
