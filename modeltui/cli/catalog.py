"""`catalog`: what could be pulled, as a list, and read anew from the live library."""

import asyncio
from argparse import Namespace
from collections.abc import Iterator

from modeltui.cli import offers
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.domain.advice.verdictwords import machine_words
from modeltui.domain.layout import cut
from modeltui.errors import UsageError
from modeltui.services.browsing import Browsing, browse
from modeltui.services.offers import Order
from modeltui.services.offerwords import age_words, days_since
from modeltui.services.refreshing import Progress, Refreshed, refresh

_SHOWN = 40
_OLD_DAYS = 30
_NAMED = 8
_EVERY = 20


async def catalog(arguments: Namespace, out: Output) -> int:
    """List, `show NAME` or `refresh`; exit code 5 for a name that nothing is known of."""
    words = list(arguments.words)
    if words == ["refresh"]:
        return await _refresh(arguments, out)
    if words[:1] == ["show"]:
        if len(words) != 2:
            raise UsageError("show wants one name", remedy="modeltui catalog show llama3.1")
        from modeltui.cli.catalogshow import show

        return await show(arguments, words[1], _hardware(arguments), out)
    if arguments.lookup:
        raise UsageError("--lookup goes with show", remedy="modeltui catalog show NAME:TAG --lookup")
    return await _list(arguments, " ".join(words), out)


# --- the list ---------------------------------------------------------------------------------------


async def _list(arguments: Namespace, text: str, out: Output) -> int:
    async with session(arguments, out) as services:
        browsing = await browse(services, _hardware(arguments))
        places = await asyncio.to_thread(browsing.places, text, Order(arguments.sort))
        limit = arguments.limit if arguments.limit is not None else 0 if out.json else _SHOWN
        shown = await asyncio.to_thread(browsing.found, places[:limit] if limit else places)
        if out.json:
            out.answer([offers.offer_shape(found) for found in shown])
            return 0
        if shown:
            out.table(offers.COLUMNS, [offers.row_of(found, out) for found in shown])
        if out.is_terminal or not shown or len(shown) < len(places):
            for line in _summary(
                browsing, len(shown), len(places), services.clock(), is_all=not text.strip()
            ):
                out.say(line)
    return 0


def _hardware(arguments: Namespace) -> str | None:
    if arguments.vram is not None and arguments.hardware is not None:
        raise UsageError("--vram and --hardware say the same thing", remedy="give one of them")
    return arguments.hardware if arguments.vram is None else str(arguments.vram)


def _summary(browsing: Browsing, shown: int, count: int, now: int, *, is_all: bool) -> Iterator[str]:
    """The lines below the table, for a person."""
    known = browsing.catalog
    what = "series" if is_all else f"download{'' if count == 1 else 's'}"
    words = [f"{count} {what}" if shown == count else f"{shown} of {count} {what}, --limit 0 shows all"]
    words.append(f"catalog of {age_words(known.as_of, now)}")
    days = days_since(known.as_of, now)
    if days is not None and days >= _OLD_DAYS:
        words.append("modeltui catalog refresh reads the live library")
    yield " · ".join(words)
    yield f"fit on {machine_words(browsing.advice.circumstance.machine)}"


# --- the live library -------------------------------------------------------------------------------


async def _refresh(arguments: Namespace, out: Output) -> int:
    """Read the live library; exit code 3 where some of it could not be read."""
    async with session(arguments, out) as services:
        teller = Teller(out)
        try:
            done = await refresh(services, teller.tell)
        finally:
            teller.end()
        if out.json:
            out.answer(_refreshed_shape(done))
        else:
            for line in _refreshed_lines(done):
                out.text(line)
    return 3 if done.unread else 0


class Teller:
    """Says how far it has come: on a terminal on one line that repaints itself, elsewhere now and then."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._is_open = False

    def tell(self, now: Progress) -> None:
        if not now.of:
            return
        words = f"tags of {now.of} models: {now.read} read"
        if self._out.talks_to_terminal:
            self._out.raw_talk(f"\r{cut(f'{words}, {now.name or str()}', self._out.talk_width - 1)}\x1b[K")
            self._is_open = True
        elif now.read % _EVERY == 0 or now.read == now.of:
            self._out.say(words)

    def end(self) -> None:
        """Take the line away."""
        if self._is_open:
            self._out.raw_talk("\r\x1b[K")


def _refreshed_lines(done: Refreshed) -> Iterator[str]:
    yield f"{done.models} models with {done.tags} tags, {done.pages} pages of tags read"
    for label, names in (
        ("new", done.new),
        ("changed", done.changed),
        ("not listed now", done.missing),
        ("no longer listed", done.retired),
    ):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield f"{label}: {', '.join(names[:_NAMED])}{more}"
    for each in done.unread:
        yield f"not read, and left as it was: {each.name} ({each.why})"


def _refreshed_shape(done: Refreshed) -> dict[str, object]:
    return {
        "as_of": done.as_of,
        "before": done.before,
        "models": done.models,
        "tags": done.tags,
        "pages": done.pages,
        "new": list(done.new),
        "changed": list(done.changed),
        "missing": list(done.missing),
        "retired": list(done.retired),
        "unread": [{"name": each.name, "why": each.why} for each in done.unread],
        "path": done.path,
    }
