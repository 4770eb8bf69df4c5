"""Asks registries whether installed models have a newer version, and queues the pulls of those that have."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar

from modeltui.config.settings import RegistryConfig
from modeltui.domain.models import Model
from modeltui.domain.names import ModelName, from_listed, same
from modeltui.domain.transfers import Manifest
from modeltui.domain.updates import Parts, Verdict, own_parts
from modeltui.errors import (
    ModeltuiError,
    NotFound,
    Refusal,
    Refused,
    ServerError,
    TimedOut,
    Unreachable,
    Unsupported,
)
from modeltui.services.installed import installed
from modeltui.services.opening import Opening
from modeltui.services.preflight import AT_ONCE, missing_blobs
from modeltui.services.pulls import Pulls
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.store.updates import Update

_MODELS_AT_ONCE = 4

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found about one model. Bytes and UTC milliseconds, unknown is None.

    `newer`, `size`, `missing` (bytes the server lacks of it) and `pushed` are of the registry's version.
    `reason` says why where the verdict alone does not. `own` is what the installed model has of its own: a
    pull of its name would overwrite that. `published`: the registry has the installed manifest itself.
    """

    model: Model
    verdict: Verdict
    reason: str = ""
    newer: str | None = None
    size: int | None = None
    missing: int | None = None
    pushed: int | None = None
    own: tuple[str, ...] = ()
    published: bool = False

    @property
    def is_due(self) -> bool:
        """Whether a pull would bring a newer version and overwrite nothing."""
        return self.verdict is Verdict.NEWER and not self.own


class Updating:
    """The update check of one server's models."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._opening = Opening(services, link)
        self._silent: dict[str, ServerError] = {}

    async def chosen(self, typed: Iterable[str]) -> tuple[Model, ...]:
        """The installed models that a person means; all that have a registry when none is named.

        Raises NoSuchModel, InvalidName.
        """
        models = await self._link.api.models()
        named = {model.sent: model for model in (installed(each, models) for each in typed)}
        return tuple(named.values()) or tuple(model for model in models if may_have_registry(model))

    async def check(self, models: Sequence[Model]) -> tuple[Finding, ...]:
        """Ask the registries about these models, a few at a time; one that fails stops no other.

        They are taken as they are listed now, without what is gone. Raises ServerError only when the Ollama
        server itself does not list them, or answers no more. What is found is remembered, but for what could
        not be told: that takes nothing back.
        """
        self._silent.clear()
        await asyncio.to_thread(import_module, "modeltui.registry.updates")  # brings httpx with it
        listed = {model.sent: model for model in await self._link.api.models()}
        digests = {model.digest for model in listed.values()}
        gate = asyncio.Semaphore(_MODELS_AT_ONCE)

        async def judged(model: Model) -> Finding:
            async with gate:
                try:
                    finding = await self._judge(model, digests - {model.digest})
                except (Unreachable, TimedOut):
                    raise  # the server does not answer at all: the others would not get on either
                except ServerError as error:
                    finding = Finding(model, Verdict.UNKNOWN, error.message)
            self._remember(finding)
            return finding

        asked = [listed[model.sent] for model in models if model.sent in listed]
        tasks = [asyncio.create_task(judged(model)) for model in asked]
        try:
            return tuple(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def enqueue(self, findings: Iterable[Finding]) -> tuple[tuple[QueuedTransfer, bool], ...]:
        """Put those that are due into the queue; each with whether it is new there."""
        pulls = Pulls(self._services)
        return tuple(
            pulls.enqueue(self._link, finding.model.name)
            for finding in findings
            if finding.is_due and finding.model.name is not None
        )

    async def _judge(self, model: Model, others: set[str | None]) -> Finding:
        """`others` are the digests of the other models."""
        name = model.name
        if name is None or model.is_cloud or same(name, from_listed(self._services.config.alias or "")):
            return Finding(model, Verdict.LOCAL, "no registry has it")
        if model.digest is None:
            return Finding(model, Verdict.UNKNOWN, "the server lists no digest")
        registry = self._services.config.registry(name.host)
        base = registry.url(name.host)
        try:
            digest, pushed = await self._head(name, registry)
            if digest == model.digest:
                return Finding(model, Verdict.UP_TO_DATE, pushed=pushed, published=True)
            manifest = await self._look_up(name, base)
        except NotFound:
            return Finding(model, Verdict.LOCAL, f"{base} has no such tag")
        except ServerError as error:
            return Finding(model, Verdict.UNKNOWN, f"{base}: {error.words}")
        except ModeltuiError as error:
            return Finding(model, Verdict.UNKNOWN, error.message)
        if manifest.digest == model.digest:
            return Finding(model, Verdict.UP_TO_DATE, pushed=pushed, published=True)
        missing = await self._missing(manifest)
        # Servers before 0.19 write manifests anew. Where another tag is that very version its layers are
        # here for that one, and prove nothing.
        if missing == 0 and manifest.digest not in others:
            words = "every layer is here; this server writes manifests of its own"
            return Finding(model, Verdict.UP_TO_DATE, words, pushed=pushed)
        return await self._settled(model, name, manifest, missing, pushed)

    async def _settled(
        self, model: Model, name: ModelName, manifest: Manifest, missing: int | None, pushed: int | None
    ) -> Finding:
        """The verdict where the registry has something else: newer, unless the model was changed here."""
        own, has_its_weights = await self._own(model, name, manifest)
        if pushed is None or model.modified is None:
            is_changed_here = has_its_weights
        else:
            is_changed_here = pushed <= model.modified
        if own and is_changed_here:
            return Finding(model, Verdict.LOCAL, f"changed here: {', '.join(own)}", pushed=pushed)
        reason = f"has its own {', '.join(own)}" if own else ""
        return Finding(
            *(model, Verdict.NEWER, reason, manifest.digest, manifest.total, missing, pushed),
            own=own,
        )

    async def _own(self, model: Model, name: ModelName, manifest: Manifest) -> tuple[tuple[str, ...], bool]:
        """What the installed model has of its own, and whether it stands on the weights of that manifest.

        A server says of a model whether it was made from another one; what a registry once announced was
        not. Made here or by who pushed it: what its parts have else than the registry's decides. Parts that
        cannot be read are taken for other ones.
        """
        from modeltui.registry.updates import read_parts

        store, digest = self._services.store, model.digest
        if digest and self._services.recall(lambda: store.updates.is_published(digest), False):
            return (), False
        try:
            shown = await self._opening.details(name, digest)
        except NotFound:
            return (), False  # damaged: nothing of it can be used, and a pull mends it
        if not shown.is_made:
            return (), False
        try:
            parts = await read_parts(name, manifest, self._services.config.registry(name.host).url(name.host))
        except ModeltuiError:
            parts = Parts()
        return own_parts(shown, parts), shown.weights in {blob.digest for blob in manifest.blobs}

    async def _head(self, name: ModelName, registry: RegistryConfig) -> tuple[str | None, int | None]:
        """Digest and push time by a HEAD; nothing where that fails, however: the manifest tells."""
        from modeltui.registry.updates import head_url, look_at_head

        base = head_url(name, registry.base_url)
        if base is not None:
            with contextlib.suppress(ServerError):
                head = await self._asked(base, lambda: look_at_head(name, base))
                if head is not None:
                    return head.digest, head.pushed
        return None, None

    async def _look_up(self, name: ModelName, base: str) -> Manifest:
        from modeltui.registry.manifests import look_up

        return await self._asked(base, lambda: look_up(name, base))

    async def _asked(self, base: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask a registry, unless it left an earlier question of this check without an answer."""
        if base in self._silent:
            raise self._silent[base]
        try:
            return await ask()
        except (Unreachable, TimedOut) as error:
            self._silent[base] = error
            raise

    async def _missing(self, manifest: Manifest) -> int | None:
        """Bytes of a manifest that the server lacks; None where it does not tell of its layers."""
        sizes = {blob.digest: blob.size for blob in manifest.blobs}
        try:
            lacking = await missing_blobs(self._link, sizes, asyncio.Semaphore(AT_ONCE))
        except (Refused, Unsupported):
            return None
        return sum(sizes[digest] for digest in lacking)

    def _remember(self, finding: Finding) -> None:
        model = finding.model
        if finding.verdict is Verdict.UNKNOWN or model.name is None or model.digest is None:
            return
        update = Update(
            name_key=model.name.key,
            digest=model.digest,
            verdict=finding.verdict,
            at=self._services.clock(),
            newer=finding.newer,
            size=finding.size,
            pushed=finding.pushed,
            published=finding.published,
        )
        self._services.remember(lambda: self._services.store.updates.save(self._link.id, update))


def may_have_registry(model: Model) -> bool:
    """Whether a registry could have another version: not of what is no name, and of what runs elsewhere."""
    return model.name is not None and not model.is_cloud


def refusal(finding: Finding) -> Refusal | None:
    """Why a model is not updated though it was asked for; None where it is, or nothing is newer."""
    shown = finding.model.shown
    if finding.verdict is Verdict.NEWER and finding.own:
        return Refusal(
            f"{shown} is not updated: a pull would overwrite its own {', '.join(finding.own)}",
            remedy=f"keep it under another name, then pull: modeltui cp {shown} NAME; modeltui pull {shown};"
            f" ollama show --modelfile NAME prints what can be put back with ollama create",
        )
    if finding.verdict is Verdict.LOCAL:
        return Refusal(f"{shown} is not updated: {finding.reason}")
    if finding.verdict is Verdict.UNKNOWN:
        return Refusal(
            f"whether {shown} has a newer version cannot be told: {finding.reason}",
            remedy=f"modeltui pull {shown} brings the newest in any case",
        )
    return None
