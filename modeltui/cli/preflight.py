"""Says before a pull is queued what it would bring, and asks where the disk has no room for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modeltui.cli.output import Output
from modeltui.cli.session import confirm
from modeltui.domain.names import ModelName, distinct
from modeltui.domain.preflight import Fitness, Preflight, shortage, words
from modeltui.domain.units import size
from modeltui.services.preflight import look
from modeltui.services.servers import Link
from modeltui.services.tree import Services


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of some pulls before they were queued, by the keys of their names.

    `forced`: those that a person wants though the disk has no room for them.
    """

    plans: Mapping[str, Preflight]
    forced: frozenset[str]

    def shape(self, name: ModelName) -> dict[str, Any] | None:
        """The JSON of one: null is unknown."""
        plan = self.plans.get(name.key)
        return None if plan is None else _shape(plan)


async def look_before(
    services: Services, link: Link, names: Sequence[ModelName], out: Output, *, yes: bool
) -> Known:
    """Say one line a model; raises NeedsYes or Declined for a disk that is too small, unless `yes`."""
    plans = await look(services, link, distinct(names))
    if not out.json:
        for line in filter(None, map(words, plans)):
            out.say(line)
    short = shortage(plans)
    if short is not None:
        it = "it" if len(short.names) == 1 else "them"
        wanting = size(short.needed - short.free)
        await confirm(
            f"{short.sentence}. Pull {it} all the same?",
            yes=yes,
            out=out,
            option=f"--yes, or free {wanting} there first",
        )
    forced = frozenset(name.key for name in short.names) if short is not None else frozenset()
    return Known({plan.name.key: plan for plan in plans}, forced)


def _shape(plan: Preflight) -> dict[str, Any]:
    return {
        "known_to_registry": plan.is_known,
        "total": plan.total,
        "present": plan.present,
        "needed": plan.needed,
        "free": plan.free,
        "directory": plan.directory,
        "installed": plan.is_installed,
        "up_to_date": plan.is_same,
        "fit": _fit_shape(plan.fit),
    }


def _fit_shape(fit: Fitness | None) -> dict[str, Any] | None:
    if fit is None:
        return None
    return {"kind": fit.kind, "score": fit.score, "needs": fit.needs, "context": fit.context}
