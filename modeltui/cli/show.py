"""`show`: everything that is known about one model."""

from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.models import state_words
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.table import cut
from modeltui.domain import units
from modeltui.domain.models import ModelDetails
from modeltui.services.inspecting import Facts, Inspecting

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
                    facts.entry, facts.details, facts.shares_weights_with, facts.path, facts.account
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
    for label, value in _lines(facts, now):
        line = f"{label:{_LABEL}}{value}"
        out.text(line if out.width is None else cut(line, out.width))
    for label in ("template", "system", "license"):
        text = _part(facts.details, label)
        if text:
            _print_text(label, text, out)


def _lines(facts: Facts, now: int) -> list[tuple[str, str]]:
    model, shown, runner = facts.entry.model, facts.details, facts.entry.loaded
    context = [units.context(shown.context or model.context)]
    if isinstance(shown.options.get("num_ctx"), int):
        context.append(f"set to {shown.options['num_ctx']}")
    if runner is not None and runner.context:
        context.append(f"loaded with {units.context(runner.context)}")
    capabilities = shown.capabilities if shown.capabilities is not None else model.capabilities
    lines = [
        ("name", model.shown + ("  (current)" if facts.entry.is_current else "")),
        ("state", _state(facts, now)),
        ("size", units.UNKNOWN if model.is_cloud else units.size(model.size)),
        ("parameters", shown.parameter_size or model.parameter_size or units.UNKNOWN),
        ("quantization", shown.quantization or model.quantization or units.UNKNOWN),
        ("architecture", shown.architecture or units.UNKNOWN),
        (
            "family, format",
            f"{shown.family or units.UNKNOWN}, {shown.format or model.format or units.UNKNOWN}",
        ),
        ("type", facts.entry.type or units.UNKNOWN),
        ("context", ", ".join(context)),
        ("capabilities", "  ".join(sorted(capabilities)) if capabilities is not None else units.UNKNOWN),
        ("digest", model.digest or units.UNKNOWN),
        ("weights", shown.weights or units.UNKNOWN),
        ("modified", units.iso(model.modified) or units.UNKNOWN),
    ]
    optional = [
        ("shares weights", ", ".join(facts.shares_weights_with)),
        ("based on", shown.base_model),
        ("adapters", ", ".join(shown.adapters)),
        ("projector", ", ".join(f"{key} {value}" for key, value in list(shown.projector.items())[:4])),
        ("needs Ollama", shown.requires),
        ("runs at", shown.remote_host or model.remote_host),
        ("signed in as", (facts.account or "nobody") if model.is_cloud else None),
        ("manifest file", facts.path),
    ]
    lines += [(label, value) for label, value in optional if value]
    lines += [(f"  {key}", str(value)) for key, value in shown.options.items()]
    return lines


def _state(facts: Facts, now: int) -> str:
    words = state_words(facts.entry, now)
    runner = facts.entry.loaded
    if runner is None:
        return "not loaded" if words == units.UNKNOWN else words
    return f"{words}  ({units.size(runner.vram)} VRAM, {units.size(runner.ram)} RAM by the server's account)"


def _print_text(label: str, text: str, out: Output) -> None:
    lines = text.strip().splitlines()
    out.text("")
    out.text(out.style(label, "strong"))
    for line in lines[:_TEXT_LINES]:
        shown = f"  {line}"
        out.text(shown if out.width is None else cut(shown, out.width))
    if len(lines) > _TEXT_LINES:
        out.text(out.style(f"  … {len(lines) - _TEXT_LINES} more lines: --{label} prints it whole", "dim"))
