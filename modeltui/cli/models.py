"""`ls`: the installed models as a table or as JSON."""

from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.models import ModelState, disk_total
from modeltui.domain.words import age_words
from modeltui.services.library import Entry, Library, Listing
from modeltui.services.words import model_state_words

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
_STATE_STYLES = {
    ModelState.GPU: "good",
    ModelState.SPLIT: "attention",
    ModelState.STOPPING: "attention",
    ModelState.DAMAGED: "broken",
    ModelState.QUARANTINED: "broken",
}


async def ls(arguments: Namespace, out: Output) -> int:
    """List what is installed and matches the words; exit code 0 also when nothing does."""
    async with session(arguments, out) as services:
        link = await services.active()
        listing = await Library(services, link).listing()
        shown = _matching(listing.entries, " ".join(arguments.words))
        if out.json:
            out.answer([shapes.entry(row) for row in shown])
            return 0
        if shown:
            out.table(COLUMNS, [_row(row, listing, out) for row in shown])
        if out.is_terminal or not shown:
            out.say(_summary(listing, shown, link.name))
    return 0


def _matching(entries: tuple[Entry, ...], text: str) -> tuple[Entry, ...]:
    if not text:
        return entries
    from modeltui.domain.query import parse, select
    from modeltui.services.filtering import subject_of

    query = parse(text)
    subjects = [subject_of(entry) for entry in entries]
    return tuple(entries[place] for place in select(query, subjects, range(len(subjects))))


def _row(row: Entry, listing: Listing, out: Output) -> list[str]:
    model = row.model
    name = f"{model.shown.removesuffix(':latest')} -> {row.alias_of}" if row.alias_of else model.shown
    return [
        "●" if row.is_current else "!" if row.damage or row.held else "▲" if row.newer else "",
        name,
        model.parameter_size or units.UNKNOWN,
        model.quantization or units.UNKNOWN,
        units.UNKNOWN if model.is_cloud else units.size(model.size),
        units.context(model.context),
        out.style(model_state_words(row, listing.at), _STATE_STYLES.get(row.state, "dim")),
        units.duration(row.last_load.load_ms) if row.last_load else units.UNKNOWN,
        row.type or units.UNKNOWN,
        age_words(model.modified, listing.at),
    ]


def _summary(listing: Listing, shown: tuple[Entry, ...], server: str) -> str:
    """The line below the table, for a person."""
    count = len(listing.entries)
    words = f"{count} model{'' if count == 1 else 's'}"
    if len(shown) < count:
        words = f"{len(shown)} of {words}"
    words += f", {units.size(disk_total([row.model for row in shown]))} on {server}"
    if listing.missing is not None:
        words += f" · the current model {listing.missing.name.short} is missing"
    elif listing.current is not None:
        words += f" · current {listing.current.name.short}"
    if not count:
        words += " · pull one: modeltui pull NAME"
    return words
