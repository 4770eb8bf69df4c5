"""`show`: everything that is known about one model."""

from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.domain.layout import cut
from modeltui.domain.models import ModelDetails
from modeltui.services.inspecting import Facts, Inspecting
from modeltui.services.words import detail_lines

_LABEL = 18
_TEXT_LINES = 6


async def show(arguments: Namespace, out: Output) -> int:
    """Show one model; exit code 5 when it is not installed."""
    async with session(arguments, out) as services:
        link = await services.active()
        facts = await Inspecting(services, link).inspect(arguments.model)
        if arguments.part:
            out.text(_part(facts.details, arguments.part))
        elif out.json:
            out.answer(
                shapes.details(
                    facts.entry,
                    facts.details,
                    facts.shares_weights_with,
                    facts.path,
                    facts.account,
                    facts.purpose,
                )
            )
        else:
            _print(facts, services.clock(), out)
    return 0


def _part(details: ModelDetails, part: str) -> str:
    if part == "parameters":
        return "\n".join(f"{key:30} {value}" for key, value in details.options.items())
    return str(getattr(details, part) or "")


def _print(facts: Facts, now: int, out: Output) -> None:
    """Label and value, line by line; long texts begin here and are had whole by their option."""
    for label, value in detail_lines(facts, now):
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
