"""Scanning: looks for what nobody should load unseen in a model, and holds it back where that is serious."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modeltui.domain.findings import Finding, Kind
from modeltui.domain.models import Model, ModelDetails
from modeltui.domain.names import same
from modeltui.domain.scan import judge_change, judge_details, judge_manifest, origin
from modeltui.domain.transfers import Manifest
from modeltui.errors import ModeltuiError, Refusal, ServerError
from modeltui.modeldir.headers import look_at_files
from modeltui.modeldir.reading import Contents, read
from modeltui.services.installed import installed
from modeltui.services.modelfiles import model_files
from modeltui.services.opening import Opening
from modeltui.services.servers import Link
from modeltui.services.tree import Services

PULLED_S = 4.0
"""So long a pull waits at most for its scan."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found in one model, and what was not looked at; `held` is why it is in quarantine now."""

    model: Model
    findings: tuple[Finding, ...]
    held: str | None
    gaps: tuple[str, ...] = ()

    @property
    def is_released(self) -> bool:
        """Whether a person trusts it in spite of something serious."""
        return self.held is None and any(each.is_serious for each in self.findings)


class Scanning:
    """Scans models of one server; its files, where they are here, are found once."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._opening = Opening(services, link)
        self._contents: Contents | None = None
        self._no_files: str | None = None

    async def scan_installed(self, typed: Sequence[str]) -> tuple[Scanned, ...]:
        """Scan these models, or all; raises NoSuchModel, ServerError."""
        models = await self._link.api.models()
        chosen = [installed(each, models) for each in typed] if typed else list(models)
        return tuple([await self.scan(model) for model in dict.fromkeys(chosen)])

    async def scan(
        self, model: Model, *, details: ModelDetails | None = None, manifest: Manifest | None = None
    ) -> Scanned:
        """Scan one model; `details` and `manifest` spare asking for what is known. Raises Unreachable."""
        gaps: list[str] = []
        if details is None and model.name is not None and not model.is_cloud:
            try:
                details = await self._opening.details(model.name, model.digest)
            except ServerError as error:
                gaps.append(f"the server could not be asked about it ({error.words})")
        found = [*judge_details(model, details or ModelDetails())]
        stored = await self._stored(model)
        if stored is not None:
            root, manifest = stored
            is_gguf = (details.format if details else model.format) in (None, "gguf")
            found += await asyncio.to_thread(look_at_files, root, manifest, is_gguf_model=is_gguf)
        elif self._no_files is not None and not model.is_cloud:
            gaps.append(self._no_files)
        if manifest is not None:
            found += judge_manifest(manifest)
        if details is not None:
            found += self._changes(model, details)
        if gaps:  # what an earlier scan saw there is not gone
            found += self._told(model)
        findings = tuple(dict.fromkeys(found))
        return Scanned(model, findings, self._remember(model, findings), tuple(gaps))

    async def _stored(self, model: Model) -> tuple[Path, Manifest] | None:
        """The models directory and a model's manifest there, where the server is on this machine."""
        if self._contents is None and self._no_files is None:
            try:
                files = await model_files(self._services, self._link)
                self._contents = await asyncio.to_thread(read, files.root)
            except Refusal as error:
                self._no_files = f"its files were not looked at ({error.message})"
        for stored in self._contents.manifests if self._contents else ():
            if same(stored.name, model.name) and stored.manifest.digest == model.digest:
                assert self._contents is not None
                return self._contents.root, stored.manifest
        return None

    def _changes(self, model: Model, details: ModelDetails) -> tuple[Finding, ...]:
        """What changed since another manifest stood under this name; it is remembered for the next one."""
        name, digest, findings = model.name, model.digest, self._services.store.findings
        if name is None or digest is None:
            return ()
        now = origin(details)
        before = self._services.recall(lambda: findings.origin(self._link.id, name), None)
        if before is not None and before[0] == digest:
            return tuple(each for each in self._told(model) if each.kind in (Kind.LICENCE, Kind.PUBLISHER))
        at = self._services.clock()
        self._services.remember(lambda: findings.set_origin(self._link.id, name, digest, now, at))
        return judge_change(before[1], now) if before is not None else ()

    def _told(self, model: Model) -> tuple[Finding, ...]:
        """What the last scan of this manifest found."""
        digest, nothing = model.digest, tuple[Finding, ...]()
        if digest is None:
            return nothing
        return self._services.recall(lambda: self._services.store.findings.of(self._link.id, digest), nothing)

    def _remember(self, model: Model, findings: tuple[Finding, ...]) -> str | None:
        """Write the findings down; why the model is held back now."""
        digest, store = model.digest, self._services.store.findings
        if digest is None:
            return None
        held = self._services.recall(lambda: store.held(self._link.id, digest), None)
        at = self._services.clock()
        self._services.remember(lambda: store.set_of(self._link.id, digest, findings, at))
        now = self._services.recall(lambda: store.held(self._link.id, digest), None)
        if now is not None and held is None:
            self._services.log(self._link, "quarantine", model.shown, now)
        return now


async def scan(
    services: Services, link: Link, model: Model, details: ModelDetails | None, manifest: Manifest | None
) -> str:
    """Scan what has just been pulled; words about what should be looked at, empty where there is nothing.

    Never raises ModeltuiError: a scan that cannot be made changes nothing about the pull.
    """
    try:
        async with asyncio.timeout(PULLED_S):
            scanned = await Scanning(services, link).scan(model, details=details, manifest=manifest)
    except ModeltuiError as error:
        return f"not scanned ({error.message})"
    except TimeoutError:
        return f"not scanned within {PULLED_S:.0f} s: modeltui verify --scan {model.shown}"
    if scanned.held is not None:
        return f"quarantined: {scanned.held}"
    if scanned.findings:
        return f"to be looked at: {scanned.findings[0].words}"
    return ""
