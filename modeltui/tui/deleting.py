"""Deletes models from a screen: asks what must be asked, says what a delete waits for, and takes it back."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeltui.domain.models import Model
from modeltui.domain.units import size
from modeltui.tui.doing import Doing, tell_of

if TYPE_CHECKING:
    from modeltui.services.changing import Changing, Removal
    from modeltui.tui.queueing import Ask
    from modeltui.tui.stateful import StatefulApp


async def delete(app: "StatefulApp", models: Sequence[Model], ask: "Ask") -> None:
    """Plan, ask (again for the current or a loaded one), delete, and say what was freed."""
    from modeltui.services.changing import Changing
    from modeltui.services.words import removal_words, why_dear
    from modeltui.tui.screens.dialogs import Answer, Question

    link = await app.services.active()
    changing = Changing(app.services, link)
    plan = await changing.plan_removal([model.sent for model in models])
    what = plan[0].model.shown if len(plan) == 1 else f"these {len(plan)} models"
    total = sum(removal.freed or 0 for removal in plan)
    facts = [removal_words(removal) for removal in plan]
    if len(plan) > 1:
        facts.insert(0, f"together at least {size(total)}")
    question = Question(
        f"Delete {what} from {link.name}?",
        facts=facts,
        answers=[Answer("d", "delete", "yes")],
        no="keep",
        enter_is_no=True,
    )
    if await ask(question) is None:
        return
    dear = [removal for removal in plan if removal.is_current or removal.is_loaded]
    if dear:
        again = Question(
            "Really? It is in use." if len(dear) == 1 else "Really? They are in use.",
            facts=[f"{removal.model.shown}: {why_dear(removal)}" for removal in dear],
            answers=[Answer("y", "yes, delete", "yes")],
            no="keep",
            enter_is_no=True,
        )
        if await ask(again) is None:
            return
    # On its own: it may wait for a pull, and others are deleted meanwhile.
    app.act(_remove(app, changing, plan), f"delete {what} of {link.name}")


def take_back(app: "StatefulApp", models: Sequence[Model]) -> bool:
    """Keep those whose delete still waits for a pull, with all that would go with them; False: none."""
    waiting = {model.sent: app.waiting_deletes.get(model.sent) for model in models}
    tasks = {task for task in waiting.values() if task is not None}
    for task in tasks:
        task.cancel()
    if tasks:
        app.tell("the delete is taken back: nothing was deleted")
    return bool(tasks)


async def _remove(app: "StatefulApp", changing: "Changing", plan: "tuple[Removal, ...]") -> None:
    """Delete what was agreed to, and say what it waits for meanwhile."""
    from modeltui.services.transferlock import after_words
    from modeltui.services.words import freed_words

    task, names = asyncio.current_task(), [removal.model.sent for removal in plan]

    def waits(pulls: tuple[str, ...] | None) -> None:
        for name in names:
            app.set_doing(name, after_words(pulls) if pulls else "deleting")
            if pulls and task is not None:
                app.waiting_deletes[name] = task
            else:
                app.waiting_deletes.pop(name, None)
        if pulls:
            app.tell(f"deleted {after_words(pulls)} · d takes it back")

    try:
        with Doing(app, [removal.model for removal in plan], "deleting"):
            done = await changing.remove(plan, waits)
    finally:
        for name in names:
            app.waiting_deletes.pop(name, None)
    gone = [each for each in done if each.error is None]
    for each in done:
        if each.error is not None:
            app.tell_error(each.error)
    if len(gone) == 1:
        removal = gone[0].removal
        tell_of(app, f"deleted {removal.model.shown} · {freed_words(removal)}", removal.model)
    elif gone:
        freed = sum(each.removal.freed or 0 for each in gone)
        app.tell(f"deleted {len(gone)} models · frees {size(freed)}")
