"""`ls`: the installed models as a table or as JSON."""

from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.models import ModelState, disk_total
from modeltui.services.library import Entry, Library, Listing

COLUMNS = [
    Column("", 0),
    Column("NAME", 0, is_name=True),
    Column("PARAMS", 5, right=True),
    Column("QUANT", 4),
    Column("SIZE", 0, right=True),
    Column("CONTEXT", 6, right=True),
    Column("STATE", 0),
    Column("LOAD", 3, right=True),
    Column("TYPE", 7),
    Column("MODIFIED", 2, right=True),
]
_HALF_MINUTE = 30_000
_STATE_STYLES = {
    ModelState.GPU: "good",
    ModelState.SPLIT: "attention",
    ModelState.STOPPING: "attention",
    ModelState.DAMAGED: "broken",
}


async def ls(arguments: Namespace, out: Output) -> int:
    """List what is installed; exit code 0 also when nothing is."""
    async with session(arguments, out) as services:
        link = await services.active()
        listing = await Library(services, link).listing()
        if out.json:
            out.answer([shapes.entry(row) for row in listing.entries])
            return 0
        if listing.entries:
            out.table(COLUMNS, [_row(row, listing, out) for row in listing.entries])
        _summary(listing, link.name, out)
    return 0


def _row(row: Entry, listing: Listing, out: Output) -> list[str]:
    model = row.model
    name = f"{model.shown.removesuffix(':latest')} -> {row.alias_of}" if row.alias_of else model.shown
    return [
        "●" if row.is_current else "!" if row.damage else "",
        name,
        model.parameter_size or units.UNKNOWN,
        model.quantization or units.UNKNOWN,
        units.UNKNOWN if model.is_cloud else units.size(model.size),
        units.context(model.context),
        out.style(state_words(row, listing.at), _STATE_STYLES.get(row.state, "dim")),
        units.duration(row.last_load.load_ms) if row.last_load else units.UNKNOWN,
        row.type or units.UNKNOWN,
        _age(model.modified, listing.at),
    ]


def state_words(row: Entry, now: int) -> str:
    """The state, and what goes with it: how long it is kept, how much of it is in RAM."""
    runner = row.loaded
    if runner is None or row.state is ModelState.DAMAGED:
        return str(row.state)
    words = str(row.state)
    if row.state is ModelState.SPLIT and runner.gpu_share is not None:
        words += f" {round((1 - runner.gpu_share) * 100)} % cpu"
    return f"{words}  {kept_words(runner.expires_at, now)}".rstrip()


def kept_words(expires_at: int | None, now: int) -> str:
    """How long a loaded model stays."""
    if expires_at is None or expires_at < now:
        return ""
    if units.is_forever(expires_at, now):
        return "for ever"
    left = expires_at - now
    if left <= 2 * _HALF_MINUTE:
        return units.span(left)
    minutes = (left + _HALF_MINUTE) // 60_000
    return units.duration(minutes * 60_000)


def _age(modified: int | None, now: int) -> str:
    return units.UNKNOWN if modified is None else f"{units.span(now - modified)} ago"


def _summary(listing: Listing, server: str, out: Output) -> None:
    """The line below the table, where a person reads it."""
    if not out.is_terminal and listing.entries:
        return
    count = len(listing.entries)
    words = f"{count} model{'' if count == 1 else 's'}, {units.size(disk_total(listing.models))} on {server}"
    if listing.missing is not None:
        words += f" · the current model {listing.missing.name.short} is missing"
    elif listing.current is not None:
        words += f" · current {listing.current.name.short}"
    if not count:
        words += " · pull one: modeltui pull NAME"
    out.say(words)
