"""`show`: everything that is known about one model."""

from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.verdicts import verdict_shape
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.advice.verdictwords import split_lines
from modeltui.domain.layout import cut
from modeltui.domain.models import ModelDetails
from modeltui.services.inspecting import Facts, Inspecting
from modeltui.services.servers import Link
from modeltui.services.speeds import speeds_seen
from modeltui.services.tree import Services
from modeltui.services.words import detail_lines
from modeltui.text import clean_line

_LABEL = 18
_TEXT_LINES = 6


async def show(arguments: Namespace, out: Output) -> int:
    """Show one model; exit code 5 when it is not installed."""
    async with session(arguments, out) as services:
        link = await services.active()
        facts = await Inspecting(services, link).inspect(arguments.model)
        if arguments.part:
            out.text(_part(facts.details, arguments.part))
            return 0
        verdict = await _verdict(services, link, facts)
        if out.json:
            digest = facts.entry.model.digest or ""
            shape = shapes.details(
                facts.entry,
                facts.details,
                facts.shares_weights_with,
                facts.path,
                facts.account,
                facts.purpose,
                speeds_seen(services, link.id).get(digest),
            )
            fit = verdict_shape(verdict) if verdict is not None else None
            out.answer({**shape, "asked": clean_line(arguments.model.strip()), "fit": fit})
        else:
            _print(facts, verdict, services.clock(), out)
    return 0


async def _verdict(services: Services, link: Link, facts: Facts) -> Verdict | None:
    """How it runs on the server's machine, at its own context; None for what runs in the cloud."""
    from modeltui.services.circumstances import advice_of

    model, wanted = facts.entry.model, facts.details.options.get("num_ctx")
    if model.is_cloud:
        return None
    advice = await advice_of(services, link)
    return advice.verdict_of_model(model, wanted if isinstance(wanted, int) and wanted > 0 else None)


def _part(details: ModelDetails, part: str) -> str:
    if part == "parameters":
        return "\n".join(
            f"{key:30} {each}" for key, value in details.options.items() for each in _each(value)
        )
    return str(getattr(details, part) or "")


def _each(value: object) -> list[object]:
    """What one key says, a line each, as its PARAMETER lines do."""
    return value if isinstance(value, list) else [value]


def _print(facts: Facts, verdict: Verdict | None, now: int, out: Output) -> None:
    """Label and value, line by line; long texts begin here and are had whole by their option."""
    lines = detail_lines(facts, now)
    if verdict is not None:
        at = next(at for at, (label, _) in enumerate(lines, 1) if label == "state")
        lines[at:at] = split_lines(verdict)[0]
    for label, value in lines:
        line = f"{label:{_LABEL}}{value}"
        out.text(line if out.width is None else cut(line, out.width))
    for label in ("template", "system", "license"):
        text = _part(facts.details, label)
        if text:
            _print_text(label, text, out)


def _print_text(label: str, text: str, out: Output) -> None:
    lines = text.strip().splitlines()
    out.text("")
    out.text(out.style(label, "strong"))
    for line in lines[:_TEXT_LINES]:
        shown = f"  {line}"
        out.text(shown if out.width is None else cut(shown, out.width))
    if len(lines) > _TEXT_LINES:
        out.text(out.style(f"  … {len(lines) - _TEXT_LINES} more lines: --{label} prints it whole", "dim"))
