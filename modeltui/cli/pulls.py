"""`pull` and `queue`: ask for models, and wish for pulls to pause, go on or end."""

import random
from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.batch import named_in
from modeltui.cli.following import follow
from modeltui.cli.output import Output
from modeltui.cli.preflight import look_before
from modeltui.cli.session import confirm, session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.names import from_typed
from modeltui.domain.transfers import ACTIVE, CONNECTED, State, Wanted
from modeltui.domain.words import bytes_words, state_words
from modeltui.errors import ModeltuiError, UsageError
from modeltui.services.detaching import can_detach, ensure_runner, start_ahead
from modeltui.services.meaning import meant_to_pull
from modeltui.services.pulls import Pulls
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.text import clean_line

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
    typed = arguments.models + (await named_in(arguments.file) if arguments.file else [])
    if not typed:
        raise UsageError("no model is named", remedy="modeltui pull NAME…, or modeltui pull --from FILE")
    async with session(arguments, out) as services:
        link = await services.active()
        return await pull_and_wait(services, link, typed, out, yes=arguments.yes)


async def pull_and_wait(
    services: Services, link: Link, typed: list[str], out: Output, *, yes: bool = False
) -> int:
    """The pull itself; returns the exit code. Nothing is queued when the server does not answer."""
    for each, name in zip(typed, [from_typed(each) for each in typed], strict=True):
        if not out.json and name.short.casefold() not in (each.casefold(), f"{each.casefold()}:latest"):
            out.say(f"{clean_line(each.strip())} means {name.short}")
    await link.api.version()
    started = start_ahead(services)  # it gets ready while is looked at what the pull would bring
    meant = await meant_to_pull(services, typed, link)
    for one in meant:
        if one.words and (one.is_other or not out.json):
            out.say(f"{one.words}; pulling {one.name.short}" if one.is_other else one.words)
    names = [one.name for one in meant]
    known = await look_before(services, link, names, out, yes=yes)
    for one in meant:
        plan = known.plans.get(one.name.key)
        if one.near and plan is not None and plan.is_known is False and not out.json:
            out.say(f"near {one.name.short} in the catalog: {', '.join(one.near)}")
    pulls = Pulls(services)
    numbers = {}
    for name in names:
        row, is_new = pulls.enqueue(link, name, forced=name.key in known.forced)
        if not is_new and not out.json:
            out.say(f"{name.short} was in the queue already, as {row.number}")
        numbers[row.number] = known.shape(name)
    before = [row for row in services.store.queue.open() if row.number not in numbers and not row.is_resting]
    if before and not out.json:
        out.say(f"also in the queue: {', '.join(row.transfer.name.short for row in before)}")
    return await follow(services, list(numbers), out, before=numbers, started=started)


async def queue(arguments: Namespace, out: Output) -> int:
    """The queue's own commands."""
    async with session(arguments, out) as services:
        if arguments.action == "unit":
            return _unit(services, out)
        if services.store.trouble is not None:
            services.notices.clear()  # the error says the same
            raise services.store.trouble
        pulls = Pulls(services)
        match arguments.action:
            case None | "ls" | "list":
                _list(services, pulls, out)
                return 0
            case "run":
                if arguments.headless:
                    return await _run_headless(services, is_ahead=arguments.ahead)
                return await _run(services, pulls, out)
            case "pause" | "resume":
                wanted = Wanted.PAUSE if arguments.action == "pause" else Wanted.RUN
                numbers = arguments.numbers or [row.number for row in services.store.queue.open()]
                return _wish(services, pulls, numbers, wanted, out)
            case "cancel":
                numbers = arguments.numbers
                if arguments.all:
                    numbers = [row.number for row in services.store.queue.open()]
                    sure = arguments.yes or not numbers
                    await confirm(f"Cancel {units.counted(len(numbers), 'transfer')}?", yes=sure, out=out)
                elif not numbers:
                    raise UsageError("name the transfers to cancel, or say --all", remedy="modeltui queue")
                return _wish(services, pulls, numbers, Wanted.CANCEL, out)
            case "retry":
                return _wish(services, pulls, arguments.numbers or _failed(pulls), Wanted.RUN, out)
            case "move":
                pulls.move(arguments.number, arguments.place)
                _list(services, pulls, out)
            case "per-server":
                _per_server(services, pulls, arguments.count, out)
            case "clear":
                removed = pulls.clear(arguments.numbers)
                if out.json:
                    out.answer({"removed": removed})
                else:
                    out.text(f"{units.counted(removed, 'finished transfer')} forgotten")
    return 0


async def _run(services: Services, pulls: Pulls, out: Output) -> int:
    """See carried out whatever is open; also what other programs add meanwhile is theirs to wait for."""
    from modeltui.services.runner import MENDED_BY_CONFIG

    for row in services.store.queue.open():
        if row.transfer.state is State.BLOCKED and row.transfer.cause in MENDED_BY_CONFIG:
            pulls.ask(row.number, Wanted.RUN)
    numbers = [row.number for row in services.store.queue.open() if not row.is_resting]
    if not numbers:
        if not out.json:
            out.say("nothing in the queue waits to be pulled")
        return 0
    return await follow(services, numbers, out)


async def _run_headless(services: Services, *, is_ahead: bool) -> int:
    """Be the runner, with a log in place of progress."""
    import gc

    from modeltui.services.headless import run_headless

    gc.enable()
    return await run_headless(services, random=random.random, streams=(1, 2), is_ahead=is_ahead)


def _unit(services: Services, out: Output) -> int:
    from modeltui.services.autoupdate import timer_units
    from modeltui.services.unit import PLACE, unit_text

    timer = None if services.config.update_auto == "off" else timer_units(services)
    if out.json:
        out.answer({"path": PLACE, "unit": unit_text(services), "timer": timer})
    else:
        out.text("\n".join(text.rstrip("\n") for text in (unit_text(services), timer) if text is not None))
    return 0


def _see_to_runner(services: Services, out: Output) -> None:
    """Work that nobody carries out is begun; where no runner can be apart, how to do it is said."""
    if can_detach(services):
        if ensure_runner(services) and not out.json:
            out.say("nobody carried the queue out: a runner is started")
        return
    is_work = any(not row.is_resting for row in services.store.queue.open())
    if is_work and not out.json and not Pulls(services).runner_lives():
        out.say("nobody carries the queue out now: modeltui queue run")


def _failed(pulls: Pulls) -> list[int]:
    """The models whose newest transfer failed: what was pulled since, or is under way, needs no retry."""
    newest: dict[tuple[int, str], QueuedTransfer] = {}
    for row in pulls.all():  # the open ones, then the finished, the latest first
        newest.setdefault((row.server_id, row.transfer.name.key), row)
    return [row.number for row in newest.values() if row.transfer.state is State.FAILED]


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
    _see_to_runner(services, out)
    if failed is not None:
        raise failed
    return 0


def _per_server(services: Services, pulls: Pulls, count: int | str | None, out: Output) -> None:
    """Say how many pulls run at once on the active server, after a wish if there is one."""
    server = services.config.active
    server_id = services.links.id_of(server)
    if count is None:
        found = pulls.per_server(server_id)
    else:
        found = pulls.set_per_server(server_id, count if isinstance(count, int) else None)
    if out.json:
        out.answer(shapes.per_server(found, server.name))
    else:
        instead = f", instead of {found.configured} ({found.configured_by})" if found.wished else ""
        out.text(f"{server.name}: {found.count} at once ({found.source}{instead})")
        running = sum(row.server_id == server_id and row.transfer.state in CONNECTED for row in pulls.all())
        if count is not None and running > found.count:
            out.say(f"{running} are under way, and go on to their end")
    if count is not None:
        _see_to_runner(services, out)


def _list(services: Services, pulls: Pulls, out: Output) -> None:
    rows, names = pulls.all(), _names(services)
    if out.json:
        out.answer([shapes.transfer(row, names.get(row.server_id), services.clock()) for row in rows])
    elif rows:
        now = services.clock()
        retries = services.config.retries
        out.table(COLUMNS, [_row(row, names.get(row.server_id, ""), now, retries) for row in rows])
    else:
        out.say("the queue is empty")
    _see_to_runner(services, out)


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
