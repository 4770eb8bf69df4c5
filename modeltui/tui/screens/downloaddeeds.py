"""What a person does with transfers: wishes are written, and the queue is shown as it then is."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from modeltui.domain.transfers import State, Transfer, Wanted
from modeltui.domain.words import bytes_words
from modeltui.errors import ModeltuiError
from modeltui.services.pulls import Pulls
from modeltui.store.queue import QueuedTransfer

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp

_RESTS = frozenset({State.PAUSED, State.BLOCKED})
NOTHING = "nothing has come"
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


def moved(queue: Sequence[int], chosen: Collection[int], step: int) -> list[int]:
    """The numbers of the queue, those that are chosen `step` places further down (up where negative).

    At the end of the queue they stay behind one another, in their order.
    """
    order = [number for number in queue if number not in chosen]
    spare = len(order)
    for before, number in enumerate([number for number in queue if number in chosen]):
        place = queue.index(number) + step
        order.insert(min(max(place, before), spare + before), number)
    return order


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


async def cancel(app: "ModelTuiApp", chosen: Sequence[QueuedTransfer]) -> None:
    """End transfers; asked once, and only when bytes have come."""
    from modeltui.tui.screens.dialogs import Answer, Question

    transfers = [row.transfer for row in chosen]
    if any(transfer.done for transfer in transfers):
        is_one = len(transfers) == 1
        what = f"the pull of {transfers[0].name.short}" if is_one else f"these {len(transfers)} pulls"
        if is_one:
            facts = [f"{bytes_words(transfers[0])} have come; they stay on the server until it is restarted"]
        else:
            facts = ["what has come stays on the server until it is restarted"]
            facts += [
                f"{each.name.short}: {bytes_words(each) if each.done else NOTHING}" for each in transfers
            ]
        if any(transfer.state is State.VERIFYING for transfer in transfers):
            whole = "all of it" if is_one else "all of one that is verified"
            facts.append(f"{whole} has come: the server may finish it all the same")
        question = Question(
            f"Cancel {what}?",
            facts=facts,
            answers=[Answer("x", "cancel it" if is_one else "cancel them", "yes")],
            no="keep it" if is_one else "keep them",
            enter_is_no=True,
        )
        if await app.push_screen_wait(question) is None:
            return
    await wish(app, [row.number for row in chosen], Wanted.CANCEL)


async def move(app: "ModelTuiApp", chosen: Collection[int], step: int) -> None:
    """Move transfers `step` places down the queue, up where negative, as `moved` says."""
    pulls = Pulls(app.services)
    queue = [row.number for row in pulls.all() if not row.transfer.is_final]
    order = moved(queue, chosen, step)
    # Those in front first where they go up, last where they go down: none pushes another from its place.
    for place, number in list(enumerate(order, 1))[:: -1 if step > 0 else 1]:
        if number in chosen and queue.index(number) + 1 != place:
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
