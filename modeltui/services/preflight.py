"""Finds out before a pull what it would bring, what of it is there, and whether the disk has room for it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from modeltui.domain.causes import Cause
from modeltui.domain.events import Held
from modeltui.domain.models import Model, find
from modeltui.domain.names import ModelName
from modeltui.domain.preflight import Preflight, shortage
from modeltui.domain.transfers import Manifest
from modeltui.errors import ModeltuiError, NotFound, Refusal, ServerError
from modeltui.services.modelfiles import model_files
from modeltui.services.servers import Link
from modeltui.services.tree import Services

if TYPE_CHECKING:
    from modeltui.domain.catalog.series import Catalog

LIMIT_S = 3.0
"""So long a person waits at most for what is good to know before a pull."""

AT_ONCE = 8
_BLOCK = 512  # what st_blocks counts in, whatever the file system
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Room:
    """The disk of a server that is here: its models directory, and the bytes that are free there."""

    root: Path
    shown: str
    free: int


async def look(
    services: Services,
    link: Link,
    names: Sequence[ModelName],
    *,
    limit_s: float = LIMIT_S,
    catalog: "Catalog | None" = None,
) -> tuple[Preflight, ...]:
    """What is known of these pulls; what does not answer within `limit_s` seconds, all in all, is unknown.

    `catalog`: the whole one, if the caller has it.
    """
    from modeltui.services.pullfit import advice_now, with_fits

    deadline = asyncio.get_running_loop().time() + limit_s
    # Apart: a registry that is silent must not hold up what the server is asked.
    asks, heads = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)
    (room, models, advice), found = await asyncio.gather(
        asyncio.gather(
            _in_time(deadline, lambda: _room(services, link)),
            _in_time(deadline, link.api.models),
            _in_time(deadline, lambda: advice_now(services, link, catalog)),
        ),
        asyncio.gather(*(_announced(services, link, name, asks, heads, deadline) for name in names)),
    )
    damaged: Mapping[str, str] = services.recall(lambda: services.store.facts.damaged(link.id), {})
    plans = [await _completed(plan, manifest, room, models, damaged.keys()) for plan, manifest in found]
    return with_fits(plans, advice)


async def why_not(
    services: Services,
    link: Link,
    name: ModelName,
    manifest_of: Callable[[], Awaitable[Manifest | None]],
    *,
    limit_s: float = LIMIT_S,
) -> Held | None:
    """Why a transfer that waited must not start now: its server's disk, seen from here, has no room for it.

    None where that is not known after `limit_s` seconds. `manifest_of` is asked only where the disk is seen.
    """
    try:
        async with asyncio.timeout(limit_s):
            room = await _room(services, link)
            manifest = await manifest_of() if room is not None else None
            if room is None or manifest is None or manifest.total <= room.free:
                return None
            lacking = await _lacking(link, manifest, asyncio.Semaphore(AT_ONCE))
    except (ServerError, TimeoutError):
        return None  # the pull itself will meet what ails the server, and say it
    plan = Preflight(name, lacking=await _less_partials(lacking, room), free=room.free)
    short = shortage([plan])
    return None if short is None else Held(services.clock(), Cause.NO_ROOM, short.words)


async def missing_blobs(link: Link, digests: Iterable[str], gate: asyncio.Semaphore) -> frozenset[str]:
    """Which of these blobs the server does not have; raises ServerError. `gate` bounds requests at once."""

    async def lacks(digest: str) -> bool:
        async with gate:
            return not await link.api.has_blob(digest)

    wanted = tuple(dict.fromkeys(digests))
    tasks = [asyncio.create_task(lacks(digest)) for digest in wanted]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        for task in tasks:  # one failure says all: the rest need not be asked
            task.cancel()
    return frozenset(digest for digest, is_missing in zip(wanted, found, strict=True) if is_missing)


async def announced(services: Services, name: ModelName) -> Manifest:
    """The manifest that the registry of a name announces; raises ServerError (NotFound: no such tag)."""
    from modeltui.registry.manifests import look_up

    return await look_up(name, services.config.registry(name.host).url(name.host))


async def _announced(
    services: Services,
    link: Link,
    name: ModelName,
    asks: asyncio.Semaphore,
    heads: asyncio.Semaphore,
    deadline: float,
) -> tuple[Preflight, Manifest | None]:
    """What the registry says of one name, and what of it the server lacks."""
    plan = Preflight(name)
    if not services.config.lookup:
        return plan, None
    try:
        manifest = await _before(deadline, lambda: _through(asks, lambda: announced(services, name)))
    except NotFound:
        return replace(plan, is_known=False), None
    except (ModeltuiError, TimeoutError) as error:
        return replace(plan, gaps=(f"size unknown ({_why(error)})",)), None
    plan = replace(plan, is_known=True, total=manifest.total)
    try:
        lacking = await _before(deadline, lambda: _lacking(link, manifest, heads))
    except (ServerError, TimeoutError) as error:
        return replace(plan, gaps=(f"what of it is there is unknown ({_why(error)})",)), manifest
    return replace(plan, lacking=lacking), manifest


async def _lacking(link: Link, manifest: Manifest, gate: asyncio.Semaphore) -> Mapping[str, int]:
    sizes = {blob.digest: blob.size for blob in manifest.blobs}
    missing = await missing_blobs(link, sizes, gate)
    return {digest: size for digest, size in sizes.items() if digest in missing}


async def _completed(
    plan: Preflight,
    manifest: Manifest | None,
    room: _Room | None,
    models: tuple[Model, ...] | None,
    damaged: Collection[str],
) -> Preflight:
    """Add what the server lists, and its disk."""
    if models is not None:
        model = find(models, plan.name)
        plan = replace(plan, is_installed=model is not None)
        if model is not None and manifest is not None:
            is_whole = not plan.needed and model.digest not in damaged
            plan = replace(plan, is_same=model.digest == manifest.digest and is_whole)
    if room is None:
        return plan
    lacking = None if plan.lacking is None else await _less_partials(plan.lacking, room)
    return replace(plan, lacking=lacking, directory=room.shown, free=room.free)


async def _room(services: Services, link: Link) -> _Room | None:
    """The disk of the server's models; None where it cannot be seen from here. Raises ServerError."""
    with suppress(Refusal):  # it is elsewhere, or which directory is its own cannot be told
        root = (await model_files(services, link)).root
        from modeltui.hardware.host import read_disk

        disk = await asyncio.to_thread(read_disk, root)
        if disk.free is not None:
            return _Room(root, disk.path, disk.free)
    return None


async def _less_partials(lacking: Mapping[str, int], room: _Room) -> Mapping[str, int]:
    """What the disk must still take where part of a blob has come before.

    Source: server/download.go; the file `sha256-…-partial` has its full length at once and is sparse, so that
    its blocks tell what has come.
    """

    def work() -> dict[str, int]:
        return {
            digest: max(0, size - _blocks(room.root / "blobs" / f"{digest.replace(':', '-')}-partial"))
            for digest, size in lacking.items()
        }

    return await asyncio.to_thread(work)


def _blocks(path: Path) -> int:
    """Bytes that a file takes on the disk; 0 for none, or where the system does not tell."""
    try:
        blocks: int = getattr(path.stat(), "st_blocks", 0)
    except OSError:
        return 0
    return blocks * _BLOCK


async def _through(gate: asyncio.Semaphore, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    async with gate:
        return await ask()


async def _before(deadline: float, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until the deadline of the loop's clock; raises TimeoutError."""
    async with asyncio.timeout_at(deadline):
        return await ask()


async def _in_time(deadline: float, ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """What the server says in time; None when it does not."""
    try:
        return await _before(deadline, ask)
    except (ServerError, TimeoutError):
        return None


def _why(error: Exception) -> str:
    if isinstance(error, ServerError):
        return error.words or error.message
    return error.message if isinstance(error, ModeltuiError) else "no answer in time"
