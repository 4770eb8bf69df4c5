"""What U does: asks the registries what is newer, or queues the pulls of what is known to be."""

from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.models import Model
from modeltui.domain.updates import Verdict
from modeltui.domain.words import age_words
from modeltui.services.updating import Finding, Updating, may_have_registry, refusal

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp


async def look(app: "ModelTuiApp", models: list[Model]) -> None:
    """Ask about these, and say how many are newer; their rows have a ▲ from then on."""
    asked = [model for model in models if may_have_registry(model)]
    if not asked:
        app.tell("no registry has a newer version of these: they are in the cloud")
        return
    app.tell(f"checking {asked[0].shown if len(asked) == 1 else f'{len(asked)} models'}")
    findings = await Updating(app.services, await app.services.active()).check(asked)
    app.tell(*_summary(findings))


def _summary(findings: tuple[Finding, ...]) -> tuple[str, str]:
    """One line, and its ink."""
    newer = [finding for finding in findings if finding.verdict is Verdict.NEWER]
    unknown = [finding for finding in findings if finding.verdict is Verdict.UNKNOWN]
    if len(findings) == 1 and not unknown:
        shown, reason = findings[0].model.shown, findings[0].reason
        if not newer:
            words = (
                "is up to date" if findings[0].verdict is Verdict.UP_TO_DATE else f"has no update: {reason}"
            )
            return f"{shown} {words}", ""
    words = (
        f"{len(newer)} newer: U on {'it' if len(newer) == 1 else 'them'} updates"
        if newer
        else "nothing newer"
    )
    if unknown:
        words += f" · {len(unknown)} of {len(findings)} cannot be told ({unknown[0].reason})"
    return words, "attention" if newer or unknown else ""


async def update(app: "ModelTuiApp", models: list[Model]) -> None:
    """Queue the newer versions of these, as they are now; what a pull would overwrite is left, and said."""
    findings = await Updating(app.services, await app.services.active()).check(models)
    for finding in findings:
        if (left := refusal(finding)) is not None:
            app.tell_error(left)
    due = [finding for finding in findings if finding.is_due]
    if due:
        names = [finding.model.name for finding in due if finding.model.name is not None]
        await app.acts.enqueue(names, facts=_facts(due, app.now()))
    elif fresh := [finding.model.shown for finding in findings if finding.verdict is Verdict.UP_TO_DATE]:
        app.tell(f"up to date: {', '.join(fresh)}")


def _facts(due: list[Finding], now: int) -> str:
    """What decides whether to wait for it: bytes to fetch, and how new it is."""
    known = [finding.missing for finding in due if finding.missing is not None]
    words = f"{units.size(sum(known))} to fetch" if len(known) == len(due) else "bytes to fetch unknown"
    if len(due) == 1 and due[0].pushed is not None:
        words += f", pushed {age_words(due[0].pushed, now)}"
    return words
