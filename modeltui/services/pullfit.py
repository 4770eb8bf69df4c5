"""Says of models that are to be pulled whether and how they would run on the server's machine."""

from collections.abc import Iterable
from dataclasses import replace

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.memorywords import fit_note
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.names import ModelName
from modeltui.domain.preflight import Fitness, Preflight
from modeltui.services.advice import Advice
from modeltui.services.circumstances import circumstance_of
from modeltui.services.servers import Link
from modeltui.services.tree import Services

_NEAR = 0.03  # a label of two digits is off by up to this: a registry that says otherwise has something else


async def advice_now(services: Services, link: Link, catalog: Catalog | None) -> Advice:
    """Verdicts on the server's machine as it is now; `catalog`: the whole one, if the caller has it."""
    return Advice(await circumstance_of(services, link, catalog=catalog))


def with_fits(plans: Iterable[Preflight], advice: Advice | None) -> tuple[Preflight, ...]:
    """The same pulls with their fit, where it is known."""
    if advice is None:
        return tuple(plans)
    return tuple(replace(plan, fit=fitness_of(advice, plan.name, plan.total)) for plan in plans)


def fitness_of(advice: Advice, name: ModelName, total: int | None = None) -> Fitness | None:
    """The fit of a name that may be pulled; `total` is what its registry announces, in bytes.

    What the catalog does not know, or knows with another size, is judged by its size alone, and that is said.
    """
    found = advice.circumstance.catalog.find(name)
    tag = found[1] if found is not None else None
    if tag is not None and (not total or not tag.size or abs(tag.size - total) <= _NEAR * total):
        return _fitness(advice.verdict_of_tag(tag), "")
    if not total:
        return None
    facts = Facts(file=total, source="its size alone")
    return _fitness(advice.verdict_of_facts(name.short, facts), " (by its size alone)")


def _fitness(verdict: Verdict, how: str) -> Fitness | None:
    fit, placement = verdict.fit, verdict.placement
    if fit.kind is FitKind.UNKNOWN or placement is None:
        return None
    return Fitness(fit.kind.value, fit.score, placement.needs.total, verdict.context, fit_note(verdict) + how)
