"""`ps`, `load` and `unload`: what is in memory, and putting it there or taking it out."""

from argparse import Namespace
from datetime import timedelta

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.advice.memorywords import deviation_words
from modeltui.domain.machines.hardware import Host, RunnerUse, VramVerdict
from modeltui.domain.memory.predictions import Prediction
from modeltui.domain.models import ModelState
from modeltui.domain.server import KeepAlive, parse_keep_alive
from modeltui.domain.words import kept_words
from modeltui.errors import ModeltuiError, UsageError
from modeltui.services.loading import Loading, Unloaded
from modeltui.services.monitoring import Monitoring, Running, RunningNow
from modeltui.services.predicting import Outlook, outlook
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.services.words import loaded_words, unloaded_words, where_words

COLUMNS = [
    Column("MODEL", 0, is_name=True),
    Column("WHERE", 0),
    Column("VRAM", 0, right=True),
    Column("RAM", 0, right=True),
    Column("CONTEXT", 2, right=True),
    Column("KEPT", 1, right=True),
    Column("PREDICTED", 3, right=True),
]


async def ps(arguments: Namespace, out: Output) -> int:
    """What is loaded; what the server claims against the hardware is said."""
    async with session(arguments, out) as services:
        link = await services.active()
        now = await Monitoring(services, link).look()
        ahead = await _outlook(services, link, now) if now.rows else Outlook()
        if out.json:
            out.answer([shapes.running(row, now, ahead.predictions.get(row.runner.sent)) for row in now.rows])
            return 0
        if now.rows:
            rows = [_row(row, now, ahead.predictions.get(row.runner.sent)) for row in now.rows]
            out.table(COLUMNS, rows)
        else:
            out.say(f"nothing is loaded on {link.name}")
        if out.is_terminal:
            _hardware(now, out)
            for finding in ahead.findings:
                out.say(finding.words)
        if now.verdict is VramVerdict.CONTRADICTED:
            out.note("the server claims more VRAM than this machine's GPUs hold or have in use")
    return 0


async def _outlook(services: Services, link: Link, now: RunningNow) -> Outlook:
    """What was predicted of what runs, and what would help; the current model is to stay."""
    from modeltui.services.circumstances import advice_of

    advice = await advice_of(services, link)
    current = services.recall(lambda: services.store.facts.current(link.id), None)
    names = (current.name.short, current.digest or "") if current is not None else ()
    return outlook(advice, now, current=names)


def _predicted(predicted: Prediction | None) -> str:
    if predicted is None:
        return units.UNKNOWN
    words = deviation_words(predicted.deviation)
    return f"{units.size(predicted.printed)} ({words})" if words else units.size(predicted.printed)


def _row(row: Running, now: RunningNow, predicted: Prediction | None) -> list[str]:
    runner, contradicted = row.runner, row.state is not row.claim
    vram, ram = units.size(runner.vram or None), units.size(runner.ram or None)
    if contradicted:
        vram, ram = units.UNKNOWN, units.size(runner.size)
    return [
        runner.shown,
        where_words(row),
        vram,
        ram,
        units.context(runner.context),
        kept_words(runner.expires_at, now.at) or units.UNKNOWN,
        _predicted(predicted),
    ]


def _hardware(now: RunningNow, out: Output) -> None:
    """The machine below the table, if the server is on it."""
    if now.host is None:
        out.say(f"VRAM and RAM by the server's account: {now.why}")
        return
    out.say(" · ".join(_meters(now.host, now.runners)))


def _meters(host: Host, runners: RunnerUse | None) -> list[str]:
    words = []
    for gpu in host.gpus.cards:
        parts = [f"{gpu.name} VRAM {units.size(gpu.used)} of {units.size(gpu.total)}"]
        if gpu.utilisation is not None:
            parts.append(f"load {gpu.utilisation} %")
        if gpu.temperature is not None:
            parts.append(f"{gpu.temperature} °C")
        if gpu.power_mw is not None:
            parts.append(f"{round(gpu.power_mw / 1000)} W")
        words.append("  ".join(parts))
    if not host.gpus.cards:
        words.append(host.gpus.note or "no GPU")
    if host.memory is not None:
        used = host.memory.total - host.memory.available
        words.append(f"RAM {units.size(used)} of {units.size(host.memory.total)}")
    if host.cpu.percent is not None:
        words.append(f"CPU {round(host.cpu.percent)} %")
    if runners is not None:
        name = "runner" if runners.count == 1 else f"{runners.count} runners"
        words.append(f"{name} RAM {units.size(runners.ram)}")
    words += [f"disk {units.size(disk.free)} free" for disk in host.disks[:1]]
    return words


def staying(text: str) -> KeepAlive:
    """The keep-alive of a load; raises UsageError also for 0, which would unload it at once."""
    keep_alive = parse_keep_alive(text)
    if keep_alive == timedelta(0):
        raise UsageError("a keep-alive of 0 would unload the model at once", remedy="modeltui unload MODEL")
    return keep_alive


async def load(arguments: Namespace, out: Output) -> int:
    """Load one model and see it loaded."""
    keep_alive = staying(arguments.keep_alive)
    async with session(arguments, out) as services:
        link = await services.active()
        done = await Loading(services, link).load(arguments.model, keep_alive)
        now = services.clock()
        if out.json:
            out.answer(
                {
                    "name": done.name.short,
                    "load_time_ms": done.load_ms,
                    "state": done.runner.state(now) if done.runner else ModelState.UNKNOWN,
                    "loaded": shapes.loaded(done.runner, None) if done.runner else None,
                    "evicted": list(done.evicted),
                }
            )
            return 0
        out.text(loaded_words(done, now))
    return 0


async def unload(arguments: Namespace, out: Output) -> int:
    """Unload models; the first failure decides the exit code, the others are tried all the same."""
    if bool(arguments.models) == arguments.all:
        raise UsageError("name the models to unload, or say --all", remedy="modeltui ps lists what is loaded")
    async with session(arguments, out) as services:
        link = await services.active()
        loading = Loading(services, link)
        names = arguments.models or [row.sent for row in await link.api.loaded() if row.name is not None]
        done: list[Unloaded] = []
        failed: ModeltuiError | None = None
        for name in names:
            try:
                done.append(await loading.unload(name))
            except ModeltuiError as error:
                if failed is not None:
                    out.error(error)
                failed = failed or error
        if out.json:
            out.answer([_unloaded(each) for each in done])
        else:
            for each in done:
                out.text(unloaded_words(each))
        if failed is not None:
            raise failed
    return 0


def _unloaded(done: Unloaded) -> dict[str, object]:
    return {"name": done.name.short, "status": done.status, "shared_with": list(done.shared_with)}
