"""Completes the words of a failed pull with what the server leaves out: version, full disk, near names."""

import asyncio
from dataclasses import replace

from modeltui.domain import units
from modeltui.domain.causes import Cause, classify
from modeltui.domain.events import ServerError
from modeltui.domain.transfers import Transfer
from modeltui.errors import ModeltuiError
from modeltui.services.meaning import near_in_catalog
from modeltui.services.servers import Link
from modeltui.services.tree import Services

_LIMIT_S = 5.0


async def explained(services: Services, link: Link, transfer: Transfer, error: ServerError) -> ServerError:
    """The failure with more to say where more can be known; its own words stay in it."""
    cause = classify(error.text, error.status).cause
    try:
        if cause is Cause.NEEDS_NEWER_SERVER:
            version = await link.api.version() or "too old to say its version"
            return replace(error, text=f"needs a newer Ollama: this server is {version} ({error.text})")
        if cause is Cause.DISK:
            async with asyncio.timeout(_LIMIT_S):
                return replace(error, text=error.text + await _what_fills(services, link, transfer))
        if cause is Cause.UNKNOWN_MODEL:
            near = await near_in_catalog(services, transfer.name)
            return replace(error, text=f"{error.text}; near it: {', '.join(near)}") if near else error
    except (ModeltuiError, TimeoutError):
        pass  # elsewhere, or silent now: its own words must do
    return error


async def _what_fills(services: Services, link: Link, transfer: Transfer) -> str:
    """What of partial downloads lies on a server's disk that can be seen here; raises Refusal, ServerError.

    The one of this very pull comes first: it grew to the last free byte, and where it had come to could not
    be written down any more, so that it is fetched anew and is worth nothing (server/download.go).
    """
    from modeltui.modeldir.reading import read
    from modeltui.services.modelfiles import model_files

    root = (await model_files(services, link)).root
    downloads = (await asyncio.to_thread(read, root)).downloads()
    wanted = {layer.digest for layer in transfer.layers}
    wanted |= {blob.digest for blob in transfer.manifest.blobs} if transfer.manifest else set()
    own = sum(pile.held for pile in downloads if pile.digest in wanted)
    other = sum(pile.held for pile in downloads if pile.digest not in wanted)
    found = [f"its own partial download takes {units.size(own)}"] if own else []
    found += [f"{'others' if own else 'partial downloads'} take {units.size(other)}"] if other else []
    return f"; on that disk {', '.join(found)}: modeltui clean removes them" if found else ""
