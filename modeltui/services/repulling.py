"""Repulling: which models that lack a file a pull mends, and which it would replace by something else."""

import asyncio
from dataclasses import dataclass

from modeltui.domain.names import ModelName, from_listed, same
from modeltui.domain.transfers import Manifest
from modeltui.errors import ModeltuiError, NotFound, Refusal
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.services.verifying import Check, Verified


@dataclass(frozen=True, slots=True)
class Unpulled:
    """A model that a pull of its name may replace; `is_made` where it was surely made here."""

    name: ModelName
    is_made: bool
    why: str


@dataclass(frozen=True, slots=True)
class Mending:
    """What a pull mends, and what it is not offered for."""

    pulled: tuple[ModelName, ...]
    unpulled: tuple[Unpulled, ...]


class Repulling:
    """Sorts the models of one verification."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link

    async def sort(self, check: Check, found: Verified) -> Mending:
        """Sort what lacks a file now; asks registries about what none is known to have published."""
        names = [name for each in found.lacking_models if (name := from_listed(each)) is not None]
        reasons = await asyncio.gather(*(self._why_not(name, check) for name in names))
        return Mending(
            tuple(name for name, reason in zip(names, reasons, strict=True) if reason is None),
            tuple(reason for reason in reasons if reason is not None),
        )

    async def _why_not(self, name: ModelName, check: Check) -> Unpulled | None:
        """Why a pull may replace what was made here; None where it would not.

        A registry's answer for the name decides, unless the installed version is known to be published.
        """
        stored = next((each.manifest for each in check.contents.manifests if same(each.name, name)), None)
        listed = next((model.digest for model in check.files.models if same(model.name, name)), None)
        digest = stored.digest if stored else listed
        base = self._services.config.registry(name.host).url(name.host)
        why = f"{base} has something else under its name"
        try:
            announced = await self._announced(name, base)
            if announced.digest == digest or (stored and _parts(stored) == _parts(announced)):
                return None
        except NotFound:
            return Unpulled(name, True, f"{base} has no such tag")
        except ModeltuiError as error:
            why = error.message
        updates = self._services.store.updates
        if digest and self._services.recall(lambda: updates.is_published(digest), False):
            return None
        return Unpulled(name, False, why)

    async def _announced(self, name: ModelName, base: str) -> Manifest:
        from modeltui.registry.manifests import look_up

        if not self._services.config.lookup:
            raise Refusal("its registry is not asked: registry.lookup = false")
        return await look_up(name, base)


def says_unpulled(model: Unpulled) -> str:
    """One line: why it is not pulled, and what to do instead."""
    short = model.name.short
    if model.is_made:
        return f"{short} was made here ({model.why}): pull its base, then create it anew"
    words = f"{short} may have been made here ({model.why}): if so, pull its base, then create it anew;"
    return f"{words} if not: modeltui pull {short}"


def _parts(manifest: Manifest) -> frozenset[str]:
    """What a model is made of; an old server writes the manifest about it anew."""
    return frozenset(blob.digest.lower() for blob in manifest.blobs)
