"""What is said of one download: in brief beside the table, and whole on its page."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.memorywords import fit_words, lies_words, needs_words, speed_words
from modeltui.domain.advice.verdictwords import lines_of, machine_words
from modeltui.domain.layout import shortened
from modeltui.services.browsing import is_apple, numbers_of
from modeltui.services.filtering import capabilities_of
from modeltui.services.offerwords import count_words, score_lines, series_lines, tag_lines
from modeltui.services.suiting import suit_lines
from modeltui.tui.holdings import Holdings
from modeltui.tui.offerrows import state_words
from modeltui.tui.render import Line, flowed, joined, number
from modeltui.tui.screens.details import labelled

if TYPE_CHECKING:
    from modeltui.domain.advice.suitability import Suitability
    from modeltui.domain.advice.verdict import Verdict
    from modeltui.tui.advising import Advised
    from modeltui.tui.catalogview import CatalogRow

PROSE = 4  # lines of a description beside the table
_INKS = {FitKind.SPLIT: "attention", FitKind.NO: "attention", FitKind.UNKNOWN: "dim"}


def brief_lines(
    row: "CatalogRow", advised: "Advised | None", holdings: Holdings, now: int, width: int
) -> list[Line]:
    """A download in lines of `width` cells; what has as many lines for each comes first, so that it stays."""
    series, tag = row.offer.series, row.offer.tag
    lines: list[Line] = [((shortened(tag.name, width), "strong"),)]
    pulls = f"{count_words(series.pulls)} pulls" if series.pulls is not None else ""
    known = (series.publisher, row.offer.date and row.offer.date[:7], pulls)
    lines.append(joined([((word, "dim"),) for word in known if word]))
    facts: list[Line] = [((word, ""),) for word in (tag.parameter_size, tag.quantization) if word]
    facts.append((("runs at ollama.com", "dim"),) if tag.is_cloud else number(units.size(tag.size)))
    can = "  ".join(sorted(capabilities_of(series, tag) - {"completion"}))
    lines += [(), joined(facts), ((f"context {units.context(tag.context)}  ", ""), (can, "dim")), ()]
    lines += _fit_lines(row, advised, width)
    lines.append(())
    if words := state_words(row, holdings):
        lines += flowed(((" · ".join(words), "accent"),), width)
    for warning in _warnings(row):
        lines += flowed(((warning, "attention"),), width)
    if series.license:
        lines.append(((series.license, "dim"),))
    if row.tags > 1:
        lines.append(((f"{row.tags} downloads: ", "dim"), ("→", "key"), (" lists them", "dim")))
    prose = flowed(((series.description, "dim"),), width) if series.description else []
    cut = [*prose[: PROSE - 1], (*prose[PROSE - 1], (" …", "dim"))] if len(prose) > PROSE else prose
    return [*lines, (), *cut]


def whole_lines(
    row: "CatalogRow",
    advised: "Advised | None",
    holdings: Holdings,
    now: int,
    suits: Sequence["Suitability"] = (),
) -> list[Line]:
    """Everything that is known of a download: how it would run, the tag, its series, with source and age.

    `suits`: what it is good for; none while that is being worked out.
    """
    tag = row.offer.tag
    states = state_words(row, holdings)
    lines: list[Line] = [((tag.name, "strong"),)]
    if states:
        lines.append(((", ".join(states), "accent"),))
    lines.append(())
    if advised is None:
        lines.append(labelled("fit", "not judged yet", "dim"))
    elif tag.is_apple_only and not is_apple(advised.advice.machine):
        lines.append(labelled("fit", "only Ollama on macOS runs it; no pull elsewhere", "attention"))
    elif tag.is_cloud:
        lines.append(labelled("fit", "it runs at ollama.com: nothing of it comes here"))
    else:
        verdict = advised.advice.verdict_of_tag(tag)
        if verdict.placement is None:
            lines += [*(labelled(*line) for line in _unknown_lines(row, advised, verdict))]
            return [*lines, *_tag_and_series(row, holdings, now, suits)]
        lines += [labelled(label, text, _ink(label, verdict)) for label, text in lines_of(verdict)]
        lines.append(labelled("machine", machine_words(advised.circumstance.machine)))
    return [*lines, *_tag_and_series(row, holdings, now, suits)]


def _tag_and_series(
    row: "CatalogRow", holdings: Holdings, now: int, suits: Sequence["Suitability"]
) -> list[Line]:
    """What the catalog knows, whatever the machine."""
    entry = holdings.entry_of(row)
    lines: list[Line] = [(), (("this tag", "strong"),)]
    said = tag_lines(row.offer, row.offer.tag, is_installed=entry is not None, asks="p")
    lines += [labelled(label, text) for label, text in said]
    if suits:
        lines += [(), (("how suitable it is, 0 to 10", "strong"),)]
        lines += [labelled(label, text) for label, text in suit_lines(suits)]
    if scores := [labelled(label, text) for label, text in score_lines(row.offer.tag)]:
        lines += [(), (("published scores of its size", "strong"),), *scores]
    lines += [(), ((f"the series {row.offer.series.name}", "strong"),)]
    lines += [labelled(label, text) for label, text in series_lines(row.offer.series, now)]
    return lines


def fit_facts(row: "CatalogRow", advised: "Advised | None") -> list[str]:
    """How a download would run, as facts of a question: label, two spaces, text."""
    if advised is None or row.offer.tag.is_cloud:
        return []
    verdict = advised.advice.verdict_of_tag(row.offer.tag)
    facts = [f"fit  {fit_words(verdict.fit.kind, verdict.fit.score)}"]
    if verdict.placement is None and verdict.fit.parts:
        facts[0] += f": {verdict.fit.parts[0].why}"
    needs = needs_words(verdict)
    facts += [f"needs  {needs}"] if needs else []
    if verdict.fit.kind in (FitKind.SPLIT, FitKind.NO) and verdict.fit.mends:
        facts.append(f"mend  {verdict.fit.mends[0]}")
    return facts


def _fit_lines(row: "CatalogRow", advised: "Advised | None", width: int) -> list[Line]:
    tag = row.offer.tag
    if tag.is_cloud:
        return []
    if advised is None:
        return [(("fit not judged yet", "dim"),)]
    verdict = advised.advice.verdict_of_tag(tag)
    fit, placement = verdict.fit, verdict.placement
    if placement is None:
        return [*_need_line(row, advised), *flowed(((_why_unknown(verdict), "dim"),), width)]
    if tag.is_apple_only and not is_apple(advised.advice.machine):
        return [(("mac only", "attention"),)]
    needs = f"needs {units.size(placement.needs.total)} at {units.context(verdict.context)}"
    ink = _INKS.get(fit.kind, "")
    lines: list[Line] = [((needs, ""),), ((str(fit.kind), ink), (f"  {fit.score} of 100", ""))]
    lines += flowed(((lies_words(placement), ""),), width)
    if fit.kind is not FitKind.NO:
        lines.append(((speed_words(verdict.speed), ""),))
    if fit.mends and fit.kind is not FitKind.GPU:
        lines += flowed(((f"mends it: {fit.mends[0]}", "dim"),), width)
    return lines


def _why_unknown(verdict: "Verdict") -> str:
    return f"fit unknown: {verdict.fit.parts[0].why}" if verdict.fit.parts else "fit unknown"


def _unknown_lines(row: "CatalogRow", advised: "Advised", verdict: "Verdict") -> Iterator[tuple[str, str]]:
    """Why no fit can be told, and what is known all the same."""
    yield "fit", _why_unknown(verdict).removeprefix("fit ")
    found = numbers_of(advised.advice, row.offer.tag)
    if found.needs is not None:
        yield "needs", f"{units.size(found.needs)} at {units.context(found.context)}"
    if verdict.facts is not None and verdict.facts.source:
        yield "assumed", f"its shape: {verdict.facts.source}"


def _need_line(row: "CatalogRow", advised: "Advised") -> list[Line]:
    found = numbers_of(advised.advice, row.offer.tag)
    if found.needs is None:
        return []
    return [((f"needs {units.size(found.needs)} at {units.context(found.context)}", ""),)]


def _warnings(row: "CatalogRow") -> list[str]:
    tag, series = row.offer.tag, row.offer.series
    words = ["only Ollama on macOS runs it"] if tag.is_apple_only else []
    words += ["a base model: it follows no instructions"] if tag.is_base else []
    words += [f"followed by {', '.join(series.succeeded_by)}"] if series.is_retired else []
    return [*words, *([tag.note] if tag.note else [])]


def _ink(label: str, verdict: "Verdict") -> str:
    return _INKS.get(verdict.fit.kind, "good") if label == "fit" else ""
