"""`check`: whether and how a model would run, why, and what would mend it."""

import asyncio
import textwrap
from argparse import Namespace
from collections.abc import Iterable

from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.verdicts import machine_shape, serving_shape, suitability_shape, verdict_shape
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.suitability import Suitability
from modeltui.domain.advice.tasks import Task
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.advice.verdictwords import lines_of, machine_words
from modeltui.domain.catalog.resolving import Meaning, resolve
from modeltui.domain.catalog.series import Tag
from modeltui.domain.models import Model, find
from modeltui.domain.names import ModelName, from_typed, parse
from modeltui.domain.units import context as context_words
from modeltui.domain.units import parse_context
from modeltui.errors import InvalidName, NoSuchModel, NotFound, ServerError, UsageError
from modeltui.services.advice import Advice
from modeltui.services.circumstances import advice_of, asked_of, link_if_any
from modeltui.services.lookingup import facts_of, look_up_tag
from modeltui.services.meaning import LIMIT_S
from modeltui.services.recommending import Recommending
from modeltui.services.tree import Services
from modeltui.text import clean_line

_LOOK = 3  # answered, and the answer is "no" or "look at this"
_LABEL = 10


async def check(arguments: Namespace, out: Output) -> int:
    """Judge one model; exit code 3 when it does not fit or cannot be judged, 5 when there is no such one."""
    context, task = _context(arguments.context), Task(arguments.task) if arguments.task else None
    hardware = _hardware(arguments)
    async with session(arguments, out) as services:
        link = await link_if_any(services)
        advice = await advice_of(services, link, hardware)
        for note in advice.circumstance.notes:
            services.note(note)
        meant = _meant(advice, arguments.model, out)
        if isinstance(meant, Model):
            advice = await asked_of(services, link, advice, meant)
        if isinstance(meant, ModelName):
            verdict = await _judged_elsewhere(services, advice, meant, context, task)
        else:
            verdict = _judged(advice, meant, context, task)
        suits = _suits(advice, meant)
        known = advice.circumstance.machine
        if out.json:
            out.answer(
                {
                    **verdict_shape(verdict),
                    "asked": clean_line(arguments.model.strip()),
                    "suitability": [suitability_shape(suited) for suited in suits],
                    "machine": machine_shape(known),
                    "serving": serving_shape(advice.serving),
                }
            )
        else:
            _print(verdict, machine_words(known), [each for each in suits if each.task is task], out)
    return 0 if verdict.fit.kind in (FitKind.GPU, FitKind.SPLIT, FitKind.CPU) else _LOOK


def _context(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_context(text)
    except ValueError as error:
        raise UsageError(str(error), remedy="write --context 16k or --context 16384") from None


def _hardware(arguments: Namespace) -> str | None:
    if arguments.vram is not None and arguments.hardware is not None:
        raise UsageError("--vram and --hardware say the same thing", remedy="give one of them")
    return arguments.hardware if arguments.vram is None else str(arguments.vram)


def _meant(advice: Advice, typed: str, out: Output) -> Model | Tag | ModelName:
    """What a person means: what is installed, else in the catalog, else somewhere else."""
    installed = advice.circumstance.installed
    try:
        literal = find(installed, parse(typed.strip()))
    except InvalidName:
        literal = None
    if literal is not None:
        return literal
    catalog = advice.circumstance.catalog
    names = [model.name for model in installed if model.name is not None]
    meant = resolve(typed, catalog, names)
    if meant.name is None or meant.kind is Meaning.UNKNOWN:
        remedy = "modeltui catalog lists what there is"
        if meant.alternatives:
            remedy = f"near it: {', '.join(meant.alternatives)}"
        raise NoSuchModel(meant.words or f"there is no model {typed}", remedy=remedy)
    if meant.words and not out.json:
        out.say(meant.words)
    name = from_typed(meant.name)
    model, found = find(installed, name), catalog.find(name)
    return model or (found[1] if found is not None else name)


def _judged(advice: Advice, meant: Model | Tag, context: int | None, task: Task | None) -> Verdict:
    if isinstance(meant, Model):
        return advice.verdict_of_model(meant, context, task)
    return advice.verdict_of_tag(meant, context, task)


async def _judged_elsewhere(
    services: Services, advice: Advice, name: ModelName, context: int | None, task: Task | None
) -> Verdict:
    """What only a registry knows, by the size that it says; raises NoSuchModel where it has no such tag."""
    facts, why = None, "its size is unknown, and registry.lookup is off: no registry is asked"
    if services.config.lookup:
        why = f"its size is unknown; try: modeltui catalog show {name.short} --lookup"
        try:
            async with asyncio.timeout(LIMIT_S):
                facts = facts_of(await look_up_tag(services, name))
        except NotFound as error:
            raise NoSuchModel(
                f"there is no model {name.short}: its registry has no such tag",
                url=error.url,
                remedy="check the name and the tag; modeltui catalog lists what the library has",
            ) from None
        except ServerError as error:
            services.note(error.message)
        except TimeoutError:
            services.note(f"{name.host} did not answer within {LIMIT_S:.0f} s")
    return advice.verdict_of_facts(name.short, facts, context, task, unknown=why)


def _suits(advice: Advice, meant: Model | Tag | ModelName) -> tuple[Suitability, ...]:
    recommending = Recommending(advice)
    if isinstance(meant, Model):
        return recommending.suitabilities_of_model(meant)
    return recommending.suitabilities(meant) if isinstance(meant, Tag) else ()


def _print(verdict: Verdict, machine: str, suits: Iterable[Suitability], out: Output) -> None:
    title = verdict.name
    if verdict.context:
        title += f" at a context of {context_words(verdict.context)}"
        counted = verdict.placement.needs.context if verdict.placement else verdict.context
        if counted < verdict.context:
            title += f", which the server cuts to {context_words(counted)}"
    out.text(out.style(title, "strong"))
    suited = [("suited", f"{each.task} {each.words} of 10: {each.why}") for each in suits]
    for label, text in (("machine", machine), *lines_of(verdict), *suited):
        lines = [text] if out.width is None else textwrap.wrap(text, max(20, out.width - _LABEL - 1))
        for number, line in enumerate(lines):
            out.text(f"{label if not number else '':{_LABEL}}{line}")
