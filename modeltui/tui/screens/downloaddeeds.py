"""What a person does with transfers: wishes are written, and the queue is shown as it then is."""

from typing import TYPE_CHECKING

from modeltui.domain.transfers import State, Transfer, Wanted
from modeltui.domain.words import bytes_words
from modeltui.errors import ModeltuiError
from modeltui.services.pulls import Pulls
from modeltui.store.queue import QueuedTransfer

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp

_RESTS = frozenset({State.PAUSED, State.BLOCKED})
_COUNTS = ("one", "two", "three", "four")


def can_hold(transfer: Transfer) -> bool:
    """Whether it is on its way and can be held. What is being checked has arrived."""
    is_on_its_way = not transfer.is_final and transfer.state not in _RESTS
    return is_on_its_way and transfer.wanted is Wanted.RUN and transfer.state is not State.CHECKING


def can_resume(transfer: Transfer) -> bool:
    """Whether it stands still until a person wants it."""
    return not transfer.is_final and (transfer.state in _RESTS or transfer.wanted is Wanted.PAUSE)


def can_hold_or_resume(transfer: Transfer) -> bool:
    return can_hold(transfer) or can_resume(transfer)


def can_move(number: int, step: object, queue: list[int]) -> bool:
    """Whether there is a place for it `step` further down the queue (up where negative)."""
    if not isinstance(step, int) or number not in queue:
        return False
    return 0 <= queue.index(number) + step < len(queue)


def can_cancel(transfer: Transfer) -> bool:
    """Whether it has not ended, and nobody has wished so yet."""
    return not transfer.is_final and transfer.wanted is not Wanted.CANCEL


def can_remove(transfer: Transfer) -> bool:
    """Whether it has ended."""
    return transfer.is_final


def can_retry(transfer: Transfer) -> bool:
    """Whether a try now makes sense: it ended without a model, waits for a try, or stands still."""
    return transfer.state in (State.FAILED, State.CANCELLED, State.RETRYING, State.BLOCKED)


CAN = {"hold": can_hold_or_resume, "cancel": can_cancel, "retry": can_retry, "remove": can_remove}
"""Action -> whether it makes sense for a transfer."""


async def wish(app: "ModelTuiApp", numbers: list[int], wanted: Wanted) -> None:
    """Wish the same of some transfers; one that refuses stops no other, and the last that does is told."""
    pulls = Pulls(app.services)
    refused: ModeltuiError | None = None
    for number in numbers:
        try:
            pulls.ask(number, wanted)
        except ModeltuiError as error:
            refused = error
    app.transfers = pulls.all()
    if refused is not None:
        raise refused


async def cancel(app: "ModelTuiApp", queued: QueuedTransfer) -> None:
    """End a transfer; asked only when bytes have come."""
    from modeltui.tui.screens.dialogs import Answer, Question

    transfer = queued.transfer
    if transfer.done:
        facts = [f"{bytes_words(transfer)} have come; they stay on the server until it is restarted"]
        if transfer.state is State.VERIFYING:
            facts.append("all of it has come: the server may finish it all the same")
        question = Question(
            f"Cancel the pull of {transfer.name.short}?",
            facts=facts,
            answers=[Answer("x", "cancel it", "yes")],
            no="keep it",
            enter_is_no=True,
        )
        if await app.push_screen_wait(question) is None:
            return
    await wish(app, [queued.number], Wanted.CANCEL)


async def move(app: "ModelTuiApp", number: int, place: int) -> None:
    """Put a transfer at a place of the queue, 1 being the first."""
    pulls = Pulls(app.services)
    pulls.move(number, place)
    app.transfers = pulls.all()


async def ask_per_server(app: "ModelTuiApp") -> None:
    """Ask how many pulls are to run at once on the server that is shown, and wish for that."""
    from modeltui.tui.screens.dialogs import Answer, Question

    pulls, server = Pulls(app.services), app.services.config.active
    server_id = app.services.links.id_of(server)
    now = pulls.per_server(server_id)
    answers = [Answer(str(count), word, str(count)) for count, word in enumerate(_COUNTS, 1)]
    if now.wished is not None:
        answers.append(Answer("d", f"as configured, {now.configured}", "default"))
    question = Question(
        f"How many pulls at once on {server.name}?",
        facts=[
            f"now  {now.count}",
            "more  begin at once; one alone fills most lines and disks",
            "fewer  what is under way goes on to its end",
        ],
        answers=answers,
        no=f"leave it at {now.count}",
        enter_is_no=True,
    )
    answer = await app.push_screen_wait(question)
    if answer is None:
        return
    found = pulls.set_per_server(server_id, int(answer) if answer.isdigit() else None)
    app.per_server = found.count
    app.tell(f"{found.count} pull{'' if found.count == 1 else 's'} at once on {server.name}")


async def clear(app: "ModelTuiApp", *numbers: int) -> None:
    """Forget these that have ended, or all."""
    pulls = Pulls(app.services)
    count = pulls.clear([*numbers])
    app.transfers = pulls.all()
    app.tell(f"{count} finished transfer{'' if count == 1 else 's'} forgotten")
