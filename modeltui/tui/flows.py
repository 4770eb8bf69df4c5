"""What happens around a person's deeds: what a fresh list asks for, how a pull ends, how one leaves."""

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from modeltui.domain.names import from_listed, same
from modeltui.domain.transfers import ACTIVE, State, Transfer
from modeltui.domain.words import bytes_words
from modeltui.services.library import Listing
from modeltui.services.servers import Link
from modeltui.store.ends import End
from modeltui.tui.doing import brief
from modeltui.tui.state import Undo

if TYPE_CHECKING:
    from modeltui.tui.stateful import StatefulApp


def look_after(app: "StatefulApp", link: Link, listing: Listing) -> None:
    """What a fresh list asks for: say what changed outside; where no model is current, choose one."""
    changed = [f"{name} was removed outside" for name in listing.removed]
    changed += [f"{name} was replaced outside" for name in listing.replaced]
    if changed:
        app.tell_in_turn(" · ".join(changed))
    if listing.missing is not None:
        return
    if listing.current is None and listing.entries and not app.has_adopted:
        app.has_adopted = True
        app.act(_adopt(app, link, listing), "choose a current model")
    elif not app.has_synced:
        app.has_synced = True
        app.act(_sync(app, link, listing), "compare with what is remembered")


async def _adopt(app: "StatefulApp", link: Link, listing: Listing) -> None:
    from modeltui.services.switching import Switching

    switching = Switching(app.services, link)
    name = await switching.adopt(listing.models)
    if name is not None:
        app.undo_choice = Undo("no model is current", partial(switching.restore, None))
        app.tell_in_turn(f"{brief(name)} is current now · z undoes that")


async def _sync(app: "StatefulApp", link: Link, listing: Listing) -> None:
    from modeltui.services.sync import Sync

    findings = await Sync(app.services, link).run(listing)
    for finding in findings:
        remedy = f": {finding.remedy}" if finding.remedy else ""
        app.tell_in_turn(f"{finding.words}{remedy}")


def after_transfers(app: "StatefulApp", ends: Sequence[End]) -> None:
    """Pulls have ended: the list follows, and the switch if it was wished."""
    app.refresh_soon()
    for end in ends:
        if end.number == app.switch_when_done:
            app.switch_when_done = None
            if end.state is State.INSTALLED:
                app.act(app.acts.switch_to(end.name, is_wished=True), "switch")


async def ask_to_quit(app: "StatefulApp") -> None:
    """Leave; asked only while pulls run inside this program."""
    from modeltui.tui.screens.dialogs import Answer, Question

    rows = [row for row in app.transfers if row.transfer.state in ACTIVE] if app.holds_runner else []
    if rows:
        question = Question(
            f"Quit while {len(rows)} pull{'s run' if len(rows) > 1 else ' runs'} inside this program?",
            facts=[
                *(f"{row.transfer.name.short}: {_how_far(row.transfer)}" for row in rows[:5]),
                "They end with the demonstration; nothing of it is kept"
                if app.stage.is_demo
                else "They stop, and go on where they are at the next start, or with: modeltui queue run",
            ],
            answers=[Answer("q", "quit", "quit")],
            no="stay",
            enter_is_no=True,
        )
        if await app.push_screen_wait(question) is None:
            return
    app.call_later(app.leave, 0)


def _how_far(transfer: Transfer) -> str:
    """The percent; without one the bytes."""
    return bytes_words(transfer) if transfer.percent is None else f"{transfer.percent} %"


async def to_demonstration(app: "StatefulApp") -> None:
    """Show the demonstration server instead of one's own, until the program ends."""
    from modeltui.tui.stage import open_demonstration

    stage = await open_demonstration(os.environ, tell=app.tell_in_turn)
    await app.use(stage)
    app.tell("a demonstration server: made-up models, nothing here is real", "attention")


def places_of(app: "StatefulApp", sent: str) -> list[str]:
    """The screens on which a model stands: the list, what runs, the queue, the catalog."""
    entry, name = app.models.entry(sent), from_listed(sent)
    places = ["models"] if entry is not None else []
    if (entry is not None and entry.loaded) or any(row.sent == sent for row in app.models.loaded or ()):
        places.append("running")
    if name is not None and any(same(row.transfer.name, name) for row in app.transfers):
        places.append("downloads")
    known = app.catalog or (app.advice.circumstance.catalog if app.advice is not None else None)
    if name is not None and known is not None and known.find(name) is not None:
        places.append("catalog")
    return places


async def start_server(app: "StatefulApp") -> None:
    """Start the server on this machine, after asking."""
    from modeltui.services.starting import start
    from modeltui.tui.screens.dialogs import Answer, Question

    plan = app.connection.start
    if plan is None or not plan.may_run:
        return
    question = Question(
        f"Start the Ollama server of {app.connection.server}?",
        facts=[plan.typed, plan.why],
        answers=[Answer("s", "start it", "yes")],
        no="leave it",
    )
    if await app.push_screen_wait(question) is not None:
        await start(app.services, app.services.config.active, plan)
        app.tell("started; waiting for its answer")
