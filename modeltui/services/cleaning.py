"""Cleaning: removes partial downloads and orphaned blobs that nobody writes or waits for."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from modeltui.domain import units
from modeltui.domain.causes import Cause
from modeltui.domain.transfers import ACTIVE
from modeltui.errors import Refusal
from modeltui.modeldir.changing import Done, remove
from modeltui.modeldir.reading import Contents, Pile, StoredFile, Unread, read
from modeltui.services.modelfiles import ModelFiles, model_files
from modeltui.services.pulls import Pulls
from modeltui.services.servers import Link
from modeltui.services.transferlock import Waiting, delete_lock
from modeltui.services.tree import Services
from modeltui.services.verifying import ORPHANED_MS, WRITTEN_MS
from modeltui.text import clean_line

LOOK_S = 1.0
"""How long partials are watched for growth."""


class Kind(StrEnum):
    PARTIAL = "partial"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Litter:
    """What lies there for nothing; `kept` says why it stays all the same."""

    kind: Kind
    pile: Pile
    kept: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What could be removed and what stays. `doubts` say why no blob is called an orphan."""

    root: Path
    litter: tuple[Litter, ...]
    unread: tuple[Unread, ...]
    doubts: str | None

    @property
    def removable(self) -> tuple[Litter, ...]:
        return tuple(each for each in self.litter if each.kept is None)

    @property
    def kept(self) -> tuple[Litter, ...]:
        return tuple(each for each in self.litter if each.kept is not None)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed, the bytes that came back, and what was left after all."""

    removed: tuple[StoredFile, ...]
    freed: int
    left: tuple[Done, ...]


class Cleaning:
    """Cleans the models directory of one server. `look_s`: how long partials are watched for growth."""

    def __init__(self, services: Services, link: Link, *, look_s: float = LOOK_S) -> None:
        self._services = services
        self._link = link
        self._look_s = look_s

    async def plan(self) -> Plan:
        """What lies there for nothing; raises Refusal while something is pulled, ServerError."""
        files = await model_files(self._services, self._link)
        self._refuse_own_pull()
        contents = await asyncio.to_thread(read, files.root)
        await self._refuse_foreign_pull(contents)
        doubts = _doubts(files, contents)
        orphans = () if doubts else contents.orphans(self._services.clock(), ORPHANED_MS)
        partials, blobs = self._owners()
        litter = (
            *(Litter(Kind.PARTIAL, pile, partials.get(pile.digest)) for pile in contents.downloads()),
            *(Litter(Kind.ORPHAN, pile, blobs.get(pile.digest)) for pile in orphans),
        )
        return Plan(files.root, litter, contents.unread, doubts)

    async def clean(self, plan: Plan, waiting: Waiting | None = None) -> Cleaned:
        """Remove what was planned and is as it was; raises Refusal while something is pulled, ServerError.

        No pull of ours starts meanwhile; what a manifest came to name since the plan stays. `waiting`: told
        which pulls it waits for, instead of a line on the terminal.
        """
        async with delete_lock(self._services, self._link, waiting=waiting):
            again = await self.plan()
            planned = {file for each in plan.removable for file in each.pile.files}
            files = [file for each in again.removable for file in each.pile.files if file in planned]
            try:
                done = await asyncio.to_thread(remove, plan.root, files)
            except OSError as error:
                why = clean_line(error.strerror or str(error))
                self._services.log(self._link, "clean", clean_line(str(plan.root)), why)
                raise Refusal(
                    f"nothing was removed from {clean_line(str(plan.root / 'blobs'))}: {why}",
                    remedy="run this as the user that the files belong to",
                ) from None
        removed = tuple(each.file for each in done if each.why is None)
        left = tuple(each for each in done if each.why is not None)
        freed = sum(file.held for file in removed)
        count = f"{len(removed)} files, {units.size(freed)}"
        self._services.log(self._link, "clean", count, f"{len(left)} left: {left[0].why}" if left else None)
        return Cleaned(removed, freed, left)

    def _refuse_own_pull(self) -> None:
        """A pull of our queue that runs writes partials, and is about to need blobs that look orphaned."""
        for row in Pulls(self._services).all():
            if row.server_id == self._link.id and row.transfer.state in ACTIVE:
                raise Refusal(
                    f"{row.transfer.name.short} is being pulled: nothing is removed meanwhile",
                    remedy=f"wait for it, or pause it first: modeltui queue pause {row.number}",
                )

    async def _refuse_foreign_pull(self, contents: Contents) -> None:
        """Another client of the server may be pulling: its partials are young, or grow while looked at."""
        young = max(contents.partials, key=lambda part: part.modified, default=None)
        if young is None:
            return
        age = self._services.clock() - young.modified
        if age < WRITTEN_MS:
            raise _in_use(young, f"was written {units.span(age)} ago")
        await asyncio.sleep(self._look_s)
        later = await asyncio.to_thread(read, contents.root)
        for part in later.partials:
            if part not in contents.partials:
                raise _in_use(part, "is being written")

    def _owners(self) -> tuple[dict[str, str], dict[str, str]]:
        """What unfinished transfers of the queue go on from: digest -> words, of partials and of blobs."""
        partials: dict[str, str] = {}
        blobs: dict[str, str] = {}
        queue = self._services.store.queue
        for row in queue.open():
            if row.server_id != self._link.id:
                continue
            words = f"transfer {row.number}, {row.transfer.name.short}, goes on from it"
            seen = (layer.digest for layer in queue.layers(row.number))
            needed = {digest.lower(): words for digest in (*seen, *(queue.blobs(row.number) or ()))}
            blobs |= needed
            # Where the disk is full the partial is what fills it: that pull may lose it.
            if row.transfer.cause is not Cause.DISK:
                partials |= needed
        return partials, blobs


def _doubts(files: ModelFiles, contents: Contents) -> str | None:
    """Why no blob may be called an orphan: some manifest is not known, or whose directory it is."""
    if not contents.is_whole:
        return f"a manifest cannot be read ({contents.unread[0].path}: {contents.unread[0].why})"
    if files.absent:
        return f"the server lists {files.absent[0].shown}, whose manifest is not there"
    if not files.held:
        return "the server lists nothing that would prove that this directory is its own"
    return None


def _in_use(part: StoredFile, words: str) -> Refusal:
    return Refusal(
        f"{part.name} {words}: another client of the server seems to be pulling, so nothing is removed",
        remedy="wait until it has ended, or for three minutes after it was cancelled",
    )
