"""What X does where a disk is full: shows what lies on it for nothing, asks, and removes it."""

import errno
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.causes import Cause
from modeltui.domain.transfers import State
from modeltui.domain.words import age_words, remedy_of
from modeltui.errors import Refusal
from modeltui.store.queue import QueuedTransfer
from modeltui.text import clean_line

if TYPE_CHECKING:
    from modeltui.services.cleaning import Cleaned, Litter, Plan
    from modeltui.tui.screens.base import BaseScreen
    from modeltui.tui.screens.dialogs import Question

LARGEST = 5
SHORT = len("sha256-") + 12  # the beginning of a blob's file name, which tells it from the others


def lacks_room(queued: QueuedTransfer, server_id: int) -> bool:
    """Whether a transfer of that server stands still because its disk is full."""
    is_blocked = queued.transfer.state is State.BLOCKED and queued.server_id == server_id
    return is_blocked and queued.transfer.cause in (Cause.DISK, Cause.NO_ROOM)


def remedy_here(queued: QueuedTransfer, *, can_free: bool) -> str | None:
    """What mends a transfer, with the key where partial downloads were seen on the disk."""
    seen = "modeltui clean removes them" in (queued.transfer.detail or "")
    return "X removes them, then h resumes" if can_free and seen else remedy_of(queued.transfer)


async def free_disk(screen: "BaseScreen") -> None:
    """Look, ask, remove, and say what came back; raises Refusal while something is pulled, ServerError."""
    from modeltui.services.cleaning import Cleaning

    app = screen.tui
    link = await app.services.active()
    cleaning = Cleaning(app.services, link)
    app.tell(f"looking for what lies on the disk of {link.name} for nothing")
    plan = await cleaning.plan()
    if not plan.removable:
        app.tell(_nothing(plan), "attention")
        return
    if app.screen is not screen or app.is_typing:  # its keys must answer no question
        app.tell_in_turn("not done: a question was due, and you had gone on; press the key again")
        return
    if await app.push_screen_wait(_question(plan, app.now())) is None:
        return

    def wait(names: tuple[str, ...] | None) -> None:
        if names:
            app.tell_in_turn(f"removes them after the pull of {', '.join(names)}")

    done = await cleaning.clean(plan, wait)
    if done.left and not done.removed:
        raise _refused(done)
    app.tell(*_freed(done))


def _question(plan: "Plan", now: int) -> "Question":
    """What goes, the largest first, and what stays; enter keeps all."""
    from modeltui.tui.screens.dialogs import Answer, Question

    going = sorted(plan.removable, key=lambda each: each.pile.held, reverse=True)
    facts = [
        f"{each.kind}  {units.size(each.pile.held)}, {age_words(each.pile.modified, now)}, {_short(each)}"
        for each in going[:LARGEST]
    ]
    if more := going[LARGEST:]:
        facts.append(f"{len(more)} more  {units.size(_held(more))}")
    facts.append(f"from  {clean_line(str(plan.root))}")
    if why := _kept(plan):
        facts.append(f"kept  {why}")
    return Question(
        f"Remove {_counted(going)}, {units.size(_held(going))}?",
        facts=facts,
        answers=[Answer("X", "remove", "yes"), Answer("r", "remove", "yes")],
        no="keep",
        enter_is_no=True,
    )


def _held(litter: "Iterable[Litter]") -> int:
    return sum(each.pile.held for each in litter)


def _short(litter: "Litter") -> str:
    return litter.pile.digest.replace(":", "-")[:SHORT]


def _counted(litter: "list[Litter]") -> str:
    """`2 partial downloads and 1 orphan`."""
    from modeltui.services.cleaning import Kind

    words = []
    for kind, noun in ((Kind.PARTIAL, "partial download"), (Kind.ORPHAN, "orphan")):
        if count := sum(each.kind is kind for each in litter):
            words.append(f"{count} {noun}{'' if count == 1 else 's'}")
    return " and ".join(words)


def _kept(plan: "Plan") -> str:
    """What stays and why, in one line; empty where nothing does."""
    words = []
    if kept := plan.kept:
        more = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
        words.append(f"{_counted(list(kept))}, {units.size(_held(kept))}: {kept[0].kept}{more}")
    if plan.doubts:
        words.append(f"all that may be orphans: {plan.doubts}")
    return "; ".join(words)


def _nothing(plan: "Plan") -> str:
    why = _kept(plan)
    return f"nothing to remove lies in {clean_line(str(plan.root))}{f' · kept: {why}' if why else ''}"


def _freed(done: "Cleaned") -> tuple[str, str]:
    """One line, and its ink."""
    count = len({file.digest for file in done.removed})
    left = f" · {len(done.left)} files left: {done.left[0].why}" if done.left else ""
    words = f"removed {count}, freed {units.size(done.freed)}{left} · h resumes"
    return words, "attention" if left else "good"


def _refused(done: "Cleaned") -> Refusal:
    why = done.left[0].why or units.UNKNOWN
    is_forbidden = why == os.strerror(errno.EACCES)
    remedy = "modeltui clean, run as the user that the files belong to" if is_forbidden else None
    return Refusal(f"nothing was removed: {why}", remedy=remedy)
