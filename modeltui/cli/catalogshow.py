"""`catalog show`: every known fact of one series or one tag, with its source and age."""

from argparse import Namespace
from collections.abc import Iterable, Iterator
from textwrap import wrap

from modeltui.cli import offers
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.verdicts import machine_shape, suitability_shape, verdict_shape
from modeltui.domain import units
from modeltui.domain.advice.verdictwords import lines_of, machine_words
from modeltui.domain.catalog.resolving import resolve
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.names import from_typed
from modeltui.services.browsing import Browsing, browse
from modeltui.services.lookingup import LookedUp, look_up_tag
from modeltui.services.meaning import no_such_model
from modeltui.services.offerwords import score_lines, scores_of, series_lines, tag_lines
from modeltui.services.recommending import Recommending
from modeltui.services.suiting import suit_lines
from modeltui.services.tree import Services
from modeltui.text import clean_line

_LABEL = 16
_WIDE = 120  # where the answer goes into a file


async def show(arguments: Namespace, typed: str, hardware: str | None, out: Output) -> int:
    """Show a series, or a tag where one is named or looked up; exit code 5 when nothing is known of it."""
    name = from_typed(typed)
    async with session(arguments, out) as services:
        browsing = await browse(services, hardware)
        series = browsing.catalog.series_of(name)
        if series is not None and ":" not in typed.rpartition("/")[2] and not arguments.lookup:
            _show_series(series, typed, browsing, services.clock(), out)
            return 0
        meant = resolve(typed, browsing.catalog)
        found = browsing.catalog.find(meant.name) if meant.name is not None else None
        looked_up = await look_up_tag(services, name) if arguments.lookup else None
        if looked_up is not None and meant.is_changed:
            found = None  # the registry has just what was typed
        elif found is None and looked_up is None:
            raise no_such_model(meant)
        elif meant.words and (meant.is_changed or not out.json):
            out.say(meant.words)
        _show_tag(found, looked_up, typed, browsing, services, out)
    return 0


def _show_series(series: Series, typed: str, browsing: Browsing, now: int, out: Output) -> None:
    rows = browsing.of_series(series)
    if out.json:
        out.answer({**offers.series_shape(series, rows), "asked": clean_line(typed.strip())})
        return
    out.text(out.style(series.name, "strong"))
    _print(series_lines(series, now), out)
    out.text("")
    out.table(offers.COLUMNS[:8], [offers.row_of(found, out)[:8] for found in rows])


def _show_tag(
    found: tuple[Series, Tag] | None,
    looked_up: LookedUp | None,
    typed: str,
    browsing: Browsing,
    services: Services,
    out: Output,
) -> None:
    lookup = offers.looked_up_shape(looked_up) if looked_up else None
    if found is None:
        assert looked_up is not None
        if out.json:
            out.answer({"name": looked_up.name.short, "asked": clean_line(typed.strip()), "lookup": lookup})
        else:
            out.text(out.style(looked_up.name.short, "strong"))
            _print(_lookup_lines(looked_up, None), out)
        return
    series, tag = found
    row = next(row for row in browsing.of_series(series) if tag.tag in row.offer.tags)
    verdict = browsing.advice.verdict_of_tag(tag)
    suits = Recommending(browsing.advice).suitabilities(tag)
    if out.json:
        facts = {**offers.offer_shape(row), "name": tag.name, "tag": tag.tag}
        facts["asked"] = clean_line(typed.strip())
        facts["also"] = [other for other in row.offer.tags if other != tag.tag]
        facts["scores"] = [
            {key: value for key, value in score._asdict().items() if key != "series"}
            for score in scores_of(tag)
        ]
        facts["suitability"] = [suitability_shape(suited) for suited in suits]
        machine = machine_shape(browsing.advice.circumstance.machine)
        out.answer({**facts, "verdict": verdict_shape(verdict), "machine": machine, "lookup": lookup})
        return
    out.text(out.style(tag.name, "strong"))
    lines = [*tag_lines(row.offer, tag, is_installed=row.is_installed, asks="--lookup")]
    lines += _lookup_lines(looked_up, tag) if looked_up else ()
    lines.append(("machine", machine_words(browsing.advice.circumstance.machine)))
    _print([*lines, *lines_of(verdict)], out)
    out.text("\nhow suitable it is, 0 to 10")
    _print(suit_lines(suits), out)
    if scores := list(score_lines(tag)):
        out.text("\npublished scores of its size")
        _print(scores, out)
    out.text("")
    _print(series_lines(series, services.clock()), out)


def _lookup_lines(found: LookedUp, tag: Tag | None) -> Iterator[tuple[str, str]]:
    is_other = tag is not None and tag.digest is not None and not found.digest.startswith(tag.digest)
    yield "registry", f"{found.url}, asked just now"
    yield "", f"{units.size(found.size)} ({found.size} bytes), digest {found.digest[:12]}"
    if is_other:
        yield "", "that is newer than the catalog: modeltui catalog refresh"
    yield "", ", ".join(f"{kind} {units.size(size)}" for kind, size in found.parts)
    words = (found.family, found.parameter_size, found.quantization)
    if any(words):
        yield "", ", ".join(word for word in words if word)


def _print(lines: Iterable[tuple[str, str]], out: Output) -> None:
    for label, text in lines:
        width = max(20, (out.width or _WIDE) - _LABEL)
        for number, line in enumerate(wrap(text, width, break_on_hyphens=False) or [""]):
            out.text(f"{label if not number else '':{_LABEL}}{line}")
