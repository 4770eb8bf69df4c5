"""Verifying: recomputes the digests of a server's files on this machine, and moves corrupt ones aside."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modeltui.domain.names import same
from modeltui.errors import Refusal
from modeltui.modeldir.changing import move_aside
from modeltui.modeldir.hashing import Outcome, Reading, Supply, hash_files
from modeltui.modeldir.reading import ASIDE, Contents, Pile, StoredFile, Unread, read
from modeltui.services.installed import installed
from modeltui.services.modelfiles import ModelFiles, model_files
from modeltui.services.opening import Opening
from modeltui.services.servers import Link
from modeltui.services.transferlock import delete_lock
from modeltui.services.tree import Services
from modeltui.text import clean_line

ORPHANED_MS = 3_600_000
"""A blob without a manifest is an orphan from then on: pulls and creates write it before the manifest."""
WRITTEN_MS = 180_000
"""A partial written since may be a pull's under way: a server waits at most 32 s between two tries."""
_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """A blob whose bytes are not what its name says, or that is not there; `models` need it.

    `size` is the file's, or, where it is missing, what the manifest says. `moved_to` is set in quarantine.
    """

    digest: str
    size: int | None
    models: tuple[str, ...]
    file: StoredFile | None = None
    moved_to: Path | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What is about to be verified; `reading` tells how far it is."""

    files: ModelFiles
    contents: Contents
    names: tuple[str, ...]
    blobs: tuple[StoredFile, ...]
    reading: Reading


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found. Orphans, partials and the rest are looked for when no model was named."""

    root: Path
    models: int
    blobs: int
    size: int
    took_ms: int
    corrupt: tuple[Fault, ...]
    missing: tuple[Fault, ...]
    orphans: tuple[Pile, ...]
    partials: tuple[Pile, ...]
    being_written: tuple[Pile, ...]
    strays: tuple[str, ...]
    aside: tuple[StoredFile, ...]
    unread: tuple[Unread, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing should be looked at. What a pull writes now and what lies aside is in order."""
        return not (self.corrupt or self.missing or self.orphans or self.partials or self.unread)

    @property
    def broken_models(self) -> tuple[str, ...]:
        """The models that need a blob that is corrupt or missing."""
        return tuple(sorted({name for fault in (*self.corrupt, *self.missing) for name in fault.models}))

    @property
    def lacking_models(self) -> tuple[str, ...]:
        """Those that a pull mends: a server takes a blob that is there for whole, corrupt as it may be."""
        lacking = (fault for fault in (*self.corrupt, *self.missing) if fault.file is None or fault.moved_to)
        kept = {name for fault in self.corrupt if not fault.moved_to for name in fault.models}
        return tuple(sorted({name for fault in lacking for name in fault.models} - kept))


class Verifying:
    """Verifies the files of one server."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._opening = Opening(services, link)

    async def plan(self, typed: Sequence[str]) -> Check:
        """What is to be read for these models, or for all; raises Refusal, NoSuchModel, ServerError."""
        files = await model_files(self._services, self._link)
        models = [installed(each, files.models) for each in typed]
        contents = await asyncio.to_thread(read, files.root)
        if typed:
            stored = [
                each for each in contents.manifests if any(same(each.name, model.name) for model in models)
            ]
            files = replace(files, absent=tuple(model for model in models if model in files.absent))
            contents = replace(contents, manifests=tuple(stored))
        blobs = [contents.blobs[digest] for digest in contents.users() if digest in contents.blobs]
        blobs.sort(key=lambda blob: blob.size, reverse=True)  # the longest first: all threads end together
        names = tuple(dict.fromkeys(model.shown for model in models))
        return Check(files, contents, names, tuple(blobs), Reading(sum(blob.size for blob in blobs)))

    async def verify(self, check: Check) -> Verified:
        """Read and compare everything that was planned; when cancelled, its threads end at once."""
        began = self._services.clock()
        outcomes = await self._hash(check)
        # Minutes have passed: what was deleted or written anew meanwhile is not judged.
        later = await asyncio.to_thread(read, check.files.root)
        found = _judged(check, outcomes, later, self._services.clock() - began)
        self._remember(check, later, found)
        error = None if not found.broken_models else f"broken: {', '.join(found.broken_models)}"
        self._services.log(self._link, "verify", ", ".join(check.names) or "all models", error)
        if not check.names:
            found = self._with_litter(found, later)
        return found

    async def _hash(self, check: Check) -> dict[str, Outcome]:
        """Blob name -> its outcome."""
        outcomes: dict[str, Outcome] = {}

        def found(path: Path, outcome: Outcome) -> None:
            outcomes[path.name] = outcome

        blobs = check.files.root / "blobs"
        supply = Supply(blobs / blob.name for blob in check.blobs)
        threads = min(_MOST_THREADS, os.cpu_count() or 1, len(check.blobs))
        spare = check.reading.total > _memory() // 2
        try:
            await asyncio.gather(
                *(
                    asyncio.to_thread(hash_files, supply, check.reading, found, spare=spare)
                    for _ in range(threads)
                )
            )
        finally:
            check.reading.stop()
        return outcomes

    def _remember(self, check: Check, later: Contents, found: Verified) -> None:
        """Mark the models that are broken as damaged, and take the mark from those that were read whole."""
        broken = {fault.digest for fault in (*found.corrupt, *found.missing)}
        read_whole = {blob.digest for blob in check.blobs}
        for stored in later.manifests:
            if not any(same(stored.name, each.name) for each in check.contents.manifests):
                continue
            digests = {blob.digest.lower() for blob in stored.manifest.blobs}
            if count := len(digests & broken):
                words = f"{count} of its {len(digests)} files corrupt or missing"
                self._opening.mark_damaged(stored.manifest.digest, words, layers=True)
            elif not found.unread and digests <= read_whole:
                self._opening.mark_whole(stored.manifest.digest)

    def _with_litter(self, found: Verified, later: Contents) -> Verified:
        now = self._services.clock()
        downloads = later.downloads()
        young = tuple(part for part in downloads if now - part.modified < WRITTEN_MS)
        return replace(
            found,
            orphans=later.orphans(now, ORPHANED_MS),
            partials=tuple(part for part in downloads if part not in young),
            being_written=young,
            strays=later.strays,
            aside=later.aside,
            unread=(*found.unread, *later.unread),
        )

    async def quarantine(self, found: Verified) -> Verified:
        """Move what is corrupt aside; raises Refusal where nothing can be. What stays is told in notes."""
        files = [fault.file for fault in found.corrupt if fault.file is not None]
        models = {fault.digest: ", ".join(fault.models) for fault in found.corrupt}
        async with delete_lock(self._services, self._link):
            try:
                done = await asyncio.to_thread(move_aside, found.root, files)
            except OSError as error:
                raise _may_not(found.root, clean_line(error.strerror or str(error))) from None
        for each in done:
            subject = f"{each.file.digest} of {models[each.file.digest]}"
            self._services.log(self._link, "quarantine", subject, each.why)
            if each.why is not None:
                self._services.note(f"{each.file.name} was not moved: {each.why}")
        moved = {each.file.digest for each in done if each.why is None}
        aside = found.root / ASIDE
        return replace(
            found,
            corrupt=tuple(
                replace(fault, moved_to=aside / fault.file.name)
                if fault.file is not None and fault.digest in moved
                else fault
                for fault in found.corrupt
            ),
        )


def _judged(check: Check, outcomes: dict[str, Outcome], later: Contents, took_ms: int) -> Verified:
    """Compare what was computed with the names, as far as it is still needed and the same file."""
    users = later.users()
    wanted = check.contents.users()
    corrupt, missing, unread = [], [], []
    for blob in check.blobs:
        outcome = outcomes.get(blob.name)
        if later.blobs.get(blob.digest) != blob:
            continue
        if isinstance(outcome, OSError):
            why = clean_line(outcome.strerror or type(outcome).__name__)
            unread.append(Unread(clean_line(str(check.files.root / "blobs" / blob.name)), why))
        elif outcome != blob.digest:
            models = users.get(blob.digest, wanted[blob.digest])[1]
            corrupt.append(Fault(blob.digest, blob.size, models, blob))
    hidden = {entry.path for entry in later.unread}
    for digest, (needed, _) in wanted.items():
        path = check.files.root / "blobs" / digest.replace(":", "-")
        if digest in users and digest not in later.blobs and clean_line(str(path)) not in hidden:
            missing.append(Fault(digest, needed.size, users[digest][1]))
    for model in check.files.absent:
        missing.append(Fault(f"sha256:{model.digest}", None, (model.shown,)))
    return Verified(
        root=check.files.root,
        models=len(check.contents.manifests),
        blobs=len(check.blobs),
        size=check.reading.total,
        took_ms=max(0, took_ms),
        corrupt=tuple(corrupt),
        missing=tuple(missing),
        orphans=(),
        partials=(),
        being_written=(),
        strays=(),
        aside=(),
        unread=tuple(unread),
    )


def _memory() -> int:
    """Bytes of memory of this machine; a lot where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**62


def _may_not(root: Path, why: str) -> Refusal:
    return Refusal(
        f"nothing was changed in {clean_line(str(root))}: {why}",
        remedy="run this as the user that the files belong to",
    )
