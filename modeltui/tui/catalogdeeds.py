"""What a person does with the catalog: pulls just what a row shows, and has the live library read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.names import parse
from modeltui.domain.preflight import Preflight, facts_words, words
from modeltui.services.offerwords import age_words
from modeltui.tui.offerfacts import fit_facts

if TYPE_CHECKING:
    from modeltui.services.refreshing import Progress, Refreshed
    from modeltui.tui.acts import Acts
    from modeltui.tui.app import ModelTuiApp
    from modeltui.tui.catalogview import CatalogRow
    from modeltui.tui.screens.dialogs import Dialog

MANY = 8  # facts of more pulls at once are summed up


async def pull_rows(app: "ModelTuiApp", acts: "Acts", rows: Sequence["CatalogRow"]) -> None:
    """Queue exactly these downloads, after a question with what is known of them now."""
    names = [parse(row.offer.tag.name) for row in rows]
    what = names[0].short if len(names) == 1 else f"{len(names)} models"
    app.tell(f"looking what a pull of {what} would bring")

    def confirm(plans: Sequence[Preflight]) -> "Dialog":
        return pull_question(app, rows, plans)

    await acts.enqueue(names, confirm=confirm)


def pull_question(app: "ModelTuiApp", rows: Sequence["CatalogRow"], plans: Sequence[Preflight]) -> "Dialog":
    """What a pull would bring, exactly where its registry says so."""
    from modeltui.tui.screens.dialogs import Answer, Question

    server = app.connection.server
    if len(plans) == 1:
        title = f"Pull {plans[0].name.short} to {server}?"
        facts = [*_size_facts(rows[0], plans[0]), *fit_facts(rows[0], app.advice)]
        if rows[0].offer.tag.is_apple_only:
            facts.append("note  only Ollama on macOS runs it: elsewhere the registry refuses it")
    else:
        title = f"Pull these {len(plans)} models to {server}?"
        facts = [words(plan) or plan.name.short for plan in plans[:MANY]]
        facts += [f"and {len(plans) - MANY} more"] if len(plans) > MANY else []
        needed = [plan.needed if plan.needed is not None else plan.total for plan in plans]
        if None not in needed:
            facts.append(f"together {units.size(sum(each or 0 for each in needed))}")
    return Question(title, facts=facts, answers=[Answer("p", "pull", "yes")], no="leave it")


def _size_facts(row: "CatalogRow", plan: Preflight) -> list[str]:
    """Exact bytes, what of them is there, what is free; else what the catalog says."""
    tag = row.offer.tag
    if plan.is_same:
        return [f"size  {units.size(plan.total)}, installed and up to date"]
    if plan.total is not None:
        facts = [f"size  {facts_words(replace(plan, fit=None))}"]  # the fit has a line of its own
        return [*facts, f"exactly  {plan.total} bytes"]
    known = "unknown" if tag.size is None else f"about {units.size(tag.size)} by the catalog"
    if tag.is_cloud:
        known = "a name only: it runs at ollama.com"
    gaps = f"; {', '.join(plan.gaps)}" if plan.gaps else ""
    free = f", {units.size(plan.free)} free" if plan.free is not None else ""
    return [f"size  {known}{free}{gaps}"]


async def refresh_catalog(app: "ModelTuiApp") -> None:
    """Read the live library, after asking, and show what it says."""
    from modeltui.services.meaning import catalog_of
    from modeltui.services.refreshing import refresh
    from modeltui.tui.screens.dialogs import Answer, Question

    known = app.catalog.as_of if app.catalog is not None else None
    question = Question(
        "Read the live library of ollama.com now?",
        facts=[
            f"known  the catalog of {age_words(known, app.now())}",
            "asks  one page for all models, then a page each for those that changed, slowly",
            "keeps  what is known, until all of it was read",
        ],
        answers=[Answer("r", "read it", "yes")],
        no="leave it",
    )
    if await app.push_screen_wait(question) is None:
        return

    def tell(progress: "Progress") -> None:
        if progress.of:
            app.tell(f"tags of {progress.of} models: {progress.read} read")

    app.tell("reading the list of models")
    done = await refresh(app.services, tell)
    app.catalog = await catalog_of(app.services)
    app.tell(refreshed_words(done), "attention" if done.unread else "good")


def refreshed_words(done: "Refreshed") -> str:
    """What a refresh found, in one line."""
    parts = [f"{done.models} models with {done.tags} tags"]
    for label, names in (("new", done.new), ("changed", done.changed), ("gone", done.retired)):
        parts += [f"{len(names)} {label}"] if names else []
    parts += [f"{len(done.unread)} not read, left as they were"] if done.unread else []
    return " · ".join(parts)
