"""`outdated` and `upgrade`: which installed models have a newer version, and the pulls of those."""

from argparse import Namespace
from typing import Any

from modeltui.cli.following import follow
from modeltui.cli.output import Output
from modeltui.cli.session import confirm, session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.models import Model
from modeltui.domain.updates import Verdict
from modeltui.domain.words import age_words
from modeltui.errors import UsageError
from modeltui.services.autoupdate import set_apart, why_not_now
from modeltui.services.tree import Services
from modeltui.services.updating import Finding, Updating, refusal
from modeltui.text import clean_line

FAILED, SOME = 1, 3
COLUMNS = [
    Column("MODEL", 0, is_name=True),
    Column("VERSION", 0),
    Column("PUSHED", 2, right=True),
    Column("SIZE", 3, right=True),
    Column("TO FETCH", 1, right=True),
    Column("WHY", 4, least=12),
]
_WORDS = {Verdict.UP_TO_DATE: "up to date"}
_ORDER = tuple(Verdict)


async def outdated(arguments: Namespace, out: Output) -> int:
    """Ask the registries; exit code 3 when something is newer, 1 when nothing at all could be told.

    As a table what is newer and what could not be told, or all that was named; as JSON all that was asked.
    """
    async with session(arguments, out) as services:
        findings = await _checked(services, arguments.models, out)
        if out.json:
            out.answer([_shape(finding) for finding in findings])
        else:
            _print(findings, services.clock(), out, is_named=bool(arguments.models))
    if any(finding.verdict is Verdict.NEWER for finding in findings):
        return SOME
    is_in_the_dark = findings and all(finding.verdict is Verdict.UNKNOWN for finding in findings)
    return FAILED if is_in_the_dark else 0


async def upgrade(arguments: Namespace, out: Output) -> int:
    """Pull what is newer and wait for it, as `pull` does; what a pull would overwrite is left, and said."""
    if arguments.auto and not (arguments.all or arguments.models):
        return await _upgrade_by_itself(arguments, out)
    if arguments.auto or arguments.all == bool(arguments.models):
        raise UsageError("name the models to upgrade, or say --all", remedy="modeltui outdated lists them")
    async with session(arguments, out) as services:
        findings = await _checked(services, arguments.models, out)
        code = _tell_left(findings, out, is_named=bool(arguments.models))
        due = [finding for finding in findings if finding.is_due]
        if not due:
            if arguments.all and not out.json:
                out.say("nothing to upgrade")
            return code
        if arguments.all:
            await confirm(_question(due), yes=arguments.yes, out=out)
        rows = Updating(services, await services.active()).enqueue(due)
        return await follow(services, [row.number for row, _ in rows], out) or code


async def _upgrade_by_itself(arguments: Namespace, out: Output) -> int:
    """What a timer runs: no question, nothing that is in use or held back, and only when it is its time."""
    async with session(arguments, out) as services:
        if (reason := why_not_now(services)) is not None:
            if not out.json:
                out.say(f"nothing was done: {reason}")
            return 0
        findings = await _checked(services, [], out)
        _tell_left(findings, out, is_named=False)
        due = [finding for finding in findings if finding.is_due]
        link = await services.active()
        if services.config.update_auto == "check":
            if out.json:
                out.answer([_shape(finding) for finding in findings])
            else:
                out.say(summary(findings))
            return 0
        free, busy = await set_apart(services, link, due)
        for finding, why in busy:
            if not out.json:
                out.note(f"{finding.model.shown} is not updated now: {why}")
        if not free:
            if not out.json:
                out.say("nothing to upgrade")
            return 0
        rows = Updating(services, link).enqueue(free)
        return await follow(services, [row.number for row, _ in rows], out)


async def _checked(services: Services, typed: list[str], out: Output) -> tuple[Finding, ...]:
    """Check the named models, or all; says how many on a terminal, since registries may take their time."""
    updating = Updating(services, await services.active())
    models: tuple[Model, ...] = await updating.chosen(typed)
    if out.talks_to_terminal and not out.json:
        out.say(f"checking {units.counted(len(models), 'model')}")
    return await updating.check(models)


def _tell_left(findings: tuple[Finding, ...], out: Output, *, is_named: bool) -> int:
    """Say which are not upgraded; of those that were named it is an error. Returns the exit code."""
    code = 0
    for finding in findings:
        left = refusal(finding)
        if is_named and left is not None:
            out.error(left)
            code = FAILED
        elif is_named and finding.verdict is Verdict.UP_TO_DATE and not out.json:
            out.say(f"{finding.model.shown} is up to date")
        elif left is not None and finding.verdict is not Verdict.LOCAL and not out.json:
            out.note(left.message)
    return code


def _question(due: list[Finding]) -> str:
    names = ", ".join(finding.model.shown for finding in due)
    known = [finding.missing for finding in due if finding.missing is not None]
    least = "" if len(known) == len(due) else "at least "
    return f"Upgrade {units.counted(len(due), 'model')} ({least}{units.size(sum(known))} to fetch): {names}?"


def _print(findings: tuple[Finding, ...], now: int, out: Output, *, is_named: bool) -> None:
    shown = [each for each in findings if is_named or each.verdict in (Verdict.NEWER, Verdict.UNKNOWN)]
    shown.sort(key=lambda finding: _ORDER.index(finding.verdict))
    if shown:
        columns = COLUMNS if any(finding.reason for finding in shown) else COLUMNS[:-1]
        out.table(columns, [_row(finding, now)[: len(columns)] for finding in shown])
    if out.is_terminal or not shown:
        out.say(summary(findings))


def _row(finding: Finding, now: int) -> list[str]:
    return [
        finding.model.shown,
        _WORDS.get(finding.verdict, finding.verdict),
        age_words(finding.pushed, now),
        units.size(finding.size),
        units.size(finding.missing),
        clean_line(finding.reason),
    ]


def summary(findings: tuple[Finding, ...]) -> str:
    """How many of each: `2 newer, 7 up to date, 2 local`."""
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    parts = [f"{count} {_WORDS.get(verdict, verdict)}" for verdict, count in counts.items() if count]
    return ", ".join(parts) or "no model to check"


def _shape(finding: Finding) -> dict[str, Any]:
    """One model of `outdated`; `own` is what it has of its own, which keeps `upgrade` from it."""
    return {
        "name": finding.model.shown,
        "verdict": finding.verdict,
        "reason": finding.reason or None,
        "digest": finding.model.digest,
        "newer_digest": finding.newer,
        "pushed": units.iso(finding.pushed),
        "size": finding.size,
        "missing": finding.missing,
        "own": list(finding.own),
    }
