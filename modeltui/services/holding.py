"""Keeps models in which a scan found something serious from load and switch, until they are released."""

from modeltui.domain.models import Model
from modeltui.errors import Refusal
from modeltui.services.installed import installed
from modeltui.services.servers import Link
from modeltui.services.tree import Services


def refuse_held(services: Services, link: Link, model: Model) -> None:
    """Raise Refusal with the reason for a model that is held back."""
    digest = model.digest
    if digest is None:
        return
    reason = services.recall(lambda: services.store.findings.held(link.id, digest), None)
    if reason is not None:
        raise Refusal(
            f"{model.shown} is quarantined: {reason}",
            remedy=f"look at it: modeltui verify --scan {model.shown}; then, if you trust it: "
            f"modeltui verify --release {model.shown}",
        )


async def release(services: Services, link: Link, typed: str) -> tuple[Model, str]:
    """Let a model be loaded again, with the reason it was held for; raises NoSuchModel, Refusal."""
    model = installed(typed, await link.api.models())
    findings, digest = services.store.findings, model.digest or ""
    reason = findings.held(link.id, digest)
    if reason is None:
        raise Refusal(f"{model.shown} is not quarantined: there is nothing to release")
    async with services.recorded(link, "release", model.shown):
        findings.release(link.id, digest, services.clock())
    return model, reason
