"""`ls`: the installed models as a table or as JSON."""

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.models import ModelState, disk_total
from modeltui.domain.words import age_words
from modeltui.services.kinds import Kind, kinds_of
from modeltui.services.library import Entry, Library, Listing
from modeltui.services.servers import Link
from modeltui.services.speeds import speeds_seen
from modeltui.services.tree import Services
from modeltui.services.words import model_state_words

if TYPE_CHECKING:
    from modeltui.services.advice import Advice, Numbers

JUDGED_S = 1.5  # so long a list waits at most for the verdicts
COLUMNS = [
    Column("", 0),
    Column("NAME", 0, is_name=True),
    Column("PARAMS", 5, right=True),
    Column("QUANT", 4),
    Column("SIZE", 0, right=True),
    Column("CONTEXT", 6, right=True),
    Column("STATE", 0),
    Column("TOK/S", 1, right=True),
    Column("FIT", 1),
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
        kinds = kinds_of(services, listing.models)
        places, advice = await _matching(services, link, listing, kinds, " ".join(arguments.words))
        shown = tuple(replace(listing.entries[place], type=kinds[place].type) for place in places)
        if out.json:
            seen = speeds_seen(services, link.id)
            purposes = [kinds[place].purpose for place in places]
            out.answer(
                [
                    shapes.entry(row, purpose, seen.get(row.model.digest or ""))
                    for row, purpose in zip(shown, purposes, strict=True)
                ]
            )
            return 0
        if shown:
            advice = advice or await _judged(services, link)
            out.table(COLUMNS, [_row(row, listing, advice, out) for row in shown])
        if out.is_terminal or not shown:
            out.say(_summary(listing, shown, link.name))
    return 0


async def _matching(
    services: Services, link: Link, listing: Listing, kinds: Sequence[Kind], text: str
) -> tuple[list[int], "Advice | None"]:
    """Places of the rows that match, and the verdicts where they had to be made.

    Fit is only looked up where the words ask for it.
    """
    entries, everything = listing.entries, range(len(listing.entries))
    if not text.strip():
        return list(everything), None
    from modeltui.domain.query import parse, select
    from modeltui.services.filtering import subject_of

    query = parse(text)
    subjects = [subject_of(entry, kind) for entry, kind in zip(entries, kinds, strict=True)]
    if not query.asks_for_fit:
        return select(query, subjects, everything), None
    from modeltui.services.circumstances import advice_of
    from modeltui.services.filtering import standings_of_models

    advice = await advice_of(services, link)
    for note in advice.circumstance.notes:
        services.note(note)
    return select(query, subjects, everything, standings_of_models(listing.models, advice)), advice


async def _judged(services: Services, link: Link) -> "Advice | None":
    """How models would run; None where that takes longer than a list may wait for it (ssh to the machine)."""
    from modeltui.services.circumstances import advice_of

    try:
        async with asyncio.timeout(JUDGED_S):
            return await advice_of(services, link)
    except TimeoutError:
        return None


def _fit_words(fit: "Numbers | None") -> str:
    if fit is None or fit.score is None:
        return units.UNKNOWN
    return "no" if fit.kind == "no" else f"{fit.kind:5}{fit.score:>4}"


def _row(row: Entry, listing: Listing, advice: "Advice | None", out: Output) -> list[str]:
    model = row.model
    fit = None if advice is None or row.damage else advice.numbers_of_model(model)
    name = f"{model.shown.removesuffix(':latest')} -> {row.alias_of}" if row.alias_of else model.shown
    return [
        "●" if row.is_current else "!" if row.damage or row.held else "▲" if row.newer else "",
        name,
        model.parameter_size or units.UNKNOWN,
        model.quantization or units.UNKNOWN,
        units.UNKNOWN if model.is_cloud else units.size(model.size),
        units.context(model.context),
        out.style(model_state_words(row, listing.at), _STATE_STYLES.get(row.state, "dim")),
        units.rate(fit.tokens if fit is not None and fit.is_measured else None),
        _fit_words(fit),
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
