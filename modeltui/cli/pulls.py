"""`pull` and `queue`: ask for models, watch them arrive, and wish for pulls to pause, go on or end."""

import asyncio
import gc
import random
from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.progress import Progress
from modeltui.cli.session import confirm, session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.causes import Cause
from modeltui.domain.names import from_typed
from modeltui.domain.transfers import ACTIVE, State, Transfer, Wanted
from modeltui.domain.words import bytes_words, end_words, remedy_of, state_words
from modeltui.errors import ModeltuiError, UsageError
from modeltui.services.pulls import Pulls
from modeltui.services.runner import carry, is_resting
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.text import clean_line

WATCH_S = 0.25
JSON_MS = 500
COLUMNS = [
    Column("", 0, right=True),
    Column("MODEL", 0, is_name=True),
    Column("STATE", 0, least=14),
    Column("PERCENT", 2, right=True),
    Column("BYTES", 1, right=True),
    Column("SPEED", 3, right=True),
    Column("SERVER", 4),
    Column("ENDED", 5, right=True),
]


async def pull(arguments: Namespace, out: Output) -> int:
    """Queue models and wait until each is installed, failed, or waits for a person."""
    async with session(arguments, out) as services:
        link = await services.active()
        return await pull_and_wait(services, link, arguments.models, out)


async def pull_and_wait(services: Services, link: Link, typed: list[str], out: Output) -> int:
    """The pull itself; returns the exit code. Nothing is queued when the server does not answer."""
    names = [from_typed(each) for each in typed]
    for each, name in zip(typed, names, strict=True):
        if not out.json and name.short.casefold() not in (each.casefold(), f"{each.casefold()}:latest"):
            out.say(f"{clean_line(each.strip())} means {name.short}")
    await link.api.version()
    pulls = Pulls(services)
    numbers = []
    for name in names:
        row, is_new = pulls.enqueue(link, name)
        if not is_new and not out.json:
            out.say(f"{name.short} was in the queue already, as {row.number}")
        numbers.append(row.number)
    before = [row for row in services.store.queue.open() if row.number not in numbers and not is_resting(row)]
    if before and not out.json:
        out.say(f"also in the queue: {', '.join(row.transfer.name.short for row in before)}")
    return await follow(services, list(dict.fromkeys(numbers)), out)


async def follow(services: Services, numbers: list[int], out: Output) -> int:
    """Watch transfers until all rest; carry the queue out here as long as no other process does.

    Reads the store only, so that it shows the same whoever the runner is.
    """
    gc.enable()
    watch = _Watch(services, numbers, out)
    work = asyncio.create_task(carry(services, random=random.random, is_done=watch.is_done), name="carry")
    try:
        try:
            while not work.done():
                watch.look()
                await asyncio.wait({work}, timeout=WATCH_S)
            await work
            watch.look()
        finally:  # whatever ended the watching: a signal, or a reader that has gone
            work.cancel()
            await asyncio.wait({work})
    except asyncio.CancelledError:
        watch.interrupted()
        raise
    return watch.finished()


class _Watch:
    """What a person (or a script) sees of some transfers while they run."""

    def __init__(self, services: Services, numbers: list[int], out: Output) -> None:
        self._services = services
        self._numbers = numbers
        self._out = out
        self._progress = Progress(out, services.config.retries)
        self._servers = {key: name for key, (_, name) in services.store.facts.servers().items()}
        self._last: dict[int, tuple[QueuedTransfer, int]] = {}
        self._pulls = Pulls(services)

    def rows(self) -> list[QueuedTransfer]:
        return [self._pulls.get(number) for number in self._numbers]

    def is_done(self) -> bool:
        return all(map(is_resting, self.rows()))

    def look(self) -> list[QueuedTransfer]:
        """Read the transfers and show what changed."""
        rows, now = self.rows(), self._services.clock()
        if self._out.json:
            for row in rows:
                self._stream(row, now)
        else:
            self._progress.update(rows, now)
        return rows

    def _stream(self, row: QueuedTransfer, now: int) -> None:
        """One JSON line a change of state, and at most two a second in between."""
        before, at = self._last.get(row.number, (None, 0))
        if before == row:
            return
        if before is not None and before.transfer.state is row.transfer.state and now - at < JSON_MS:
            return
        self._last[row.number] = (row, now)
        self._out.answer_line(shapes.transfer(row, self._servers.get(row.server_id), now))

    def interrupted(self) -> None:
        """Say what stays in the queue and how to go on."""
        self._progress.clear()
        left = [row for row in self.rows() if not row.transfer.is_final]
        for row in left:
            self._out.say(f"{row.number} {row.transfer.name.short}: kept at {bytes_words(row.transfer)}")
        if self._services.store.trouble is not None:
            self._out.say("interrupted; nothing is kept, since the queue could not be stored")
        elif left:
            self._out.say("interrupted; go on with: modeltui queue run")

    def finished(self) -> int:
        """Say how each ended; the first that is not installed decides the exit code."""
        self._progress.clear()
        codes = []
        for row in self.rows():
            codes.append(_code(row))
            if row.transfer.state is not State.INSTALLED:
                self._out.error(Unfinished(row.transfer))
            elif not self._out.json:
                self._out.text(end_words(row.transfer))
        return next((code for code in codes if code), 0)


class Unfinished(ModeltuiError):
    """A transfer that did not end as installed, told as any other error."""

    def __init__(self, transfer: Transfer) -> None:
        super().__init__(end_words(transfer), remedy=remedy_of(transfer))


def _code(row: QueuedTransfer) -> int:
    if row.transfer.state is State.INSTALLED:
        return 0
    return {Cause.UNKNOWN_MODEL: 5, Cause.INVALID_NAME: 2}.get(row.transfer.cause or Cause.BY_YOU, 1)


async def queue(arguments: Namespace, out: Output) -> int:
    """The queue's own commands."""
    async with session(arguments, out) as services:
        if services.store.trouble is not None:
            services.notices.clear()  # the error says the same
            raise services.store.trouble
        pulls = Pulls(services)
        match arguments.action:
            case None | "ls" | "list":
                _list(services, pulls, out)
                return 0
            case "run":
                return await _run(services, out)
            case "pause" | "resume":
                wanted = Wanted.PAUSE if arguments.action == "pause" else Wanted.RUN
                numbers = arguments.numbers or [row.number for row in services.store.queue.open()]
                return _wish(services, pulls, numbers, wanted, out)
            case "cancel":
                numbers = arguments.numbers
                if arguments.all:
                    numbers = [row.number for row in services.store.queue.open()]
                    sure = arguments.yes or not numbers
                    await confirm(f"Cancel {len(numbers)} transfers?", yes=sure, out=out)
                elif not numbers:
                    raise UsageError("name the transfers to cancel, or say --all", remedy="modeltui queue")
                return _wish(services, pulls, numbers, Wanted.CANCEL, out)
            case "retry":
                failed = [row.number for row in pulls.all() if row.transfer.state is State.FAILED]
                return _wish(services, pulls, arguments.numbers or failed, Wanted.RUN, out)
            case "move":
                pulls.move(arguments.number, arguments.place)
                _list(services, pulls, out)
            case "clear":
                removed = pulls.clear(arguments.numbers)
                if out.json:
                    out.answer({"removed": removed})
                else:
                    out.text(f"{removed} finished transfers forgotten")
    return 0


async def _run(services: Services, out: Output) -> int:
    """Carry out whatever is open; also what other programs add meanwhile is theirs to wait for."""
    mended = (Cause.NO_SECRET, Cause.NO_SERVER)  # perhaps: only the runner can tell
    numbers = [
        row.number
        for row in services.store.queue.open()
        if not is_resting(row) or row.transfer.cause in mended
    ]
    if not numbers:
        if not out.json:
            out.say("nothing in the queue waits to be pulled")
        return 0
    return await follow(services, numbers, out)


def _wish(services: Services, pulls: Pulls, numbers: list[int], wanted: Wanted, out: Output) -> int:
    """Wish the same of several transfers."""
    if not numbers and not out.json:
        out.say("there is no such transfer in the queue")
    rows, failed = [], None
    for number in numbers:
        try:
            rows.append(pulls.ask(number, wanted))
        except ModeltuiError as error:
            if failed is not None:
                out.error(failed)
            failed = error
    names = _names(services)
    if out.json:
        out.answer([shapes.transfer(row, names.get(row.server_id), services.clock()) for row in rows])
    else:
        lives = pulls.runner_lives()
        for row in rows:
            told = {Wanted.PAUSE: "pausing", Wanted.CANCEL: "cancelling", Wanted.RUN: "going on"}[wanted]
            words = told if lives and row.transfer.state in ACTIVE else state_words(row.transfer, None, 10)
            out.text(f"{row.number} {row.transfer.name.short}: {words}")
        if wanted is Wanted.RUN and rows and not lives:
            out.say("start it with: modeltui queue run")
    if failed is not None:
        raise failed
    return 0


def _list(services: Services, pulls: Pulls, out: Output) -> None:
    rows, names = pulls.all(), _names(services)
    if out.json:
        out.answer([shapes.transfer(row, names.get(row.server_id), services.clock()) for row in rows])
    elif rows:
        now = services.clock()
        retries = services.config.retries
        out.table(COLUMNS, [_row(row, names.get(row.server_id, ""), now, retries) for row in rows])
        if any(not is_resting(row) for row in rows) and not pulls.runner_lives():
            out.say("nobody carries the queue out now: modeltui queue run")
    else:
        out.say("the queue is empty")


def _row(row: QueuedTransfer, server: str, now: int, retries: int) -> list[str]:
    transfer = row.transfer
    return [
        str(row.number),
        transfer.name.short,
        state_words(transfer, now, retries),
        units.UNKNOWN if transfer.percent is None else f"{transfer.percent} %",
        bytes_words(transfer) if transfer.total else units.UNKNOWN,
        units.speed(transfer.speed_at(now)),
        server,
        f"{units.span(now - transfer.ended)} ago" if transfer.ended else "",
    ]


def _names(services: Services) -> dict[int, str]:
    return {key: name for key, (_, name) in services.store.facts.servers().items()}
