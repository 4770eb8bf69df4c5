"""Keeps deletes and pulls on one server apart: a delete of a shared layer breaks a pull that says success.

A pull under way shares the server's lock file; a delete holds it alone, and waits for the pulls.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from modeltui.domain.transfers import CONNECTED
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.locks import FileLock

POLL_S = 0.25


def lock_file(services: Services, server_id: int) -> Path:
    return services.paths.state / "locks" / f"server-{server_id}.lock"


@asynccontextmanager
async def delete_lock(services: Services, link: Link) -> AsyncIterator[None]:
    """Hold a server alone while layers are deleted there; waits for its pulls, and says so once."""
    lock = FileLock(lock_file(services, link.id))
    told = False
    try:
        while not lock.acquire(wait=False):
            if not told:
                services.tell(_reason(services, link))
                told = True
            await asyncio.sleep(POLL_S)
    except OSError as error:
        services.note(f"no lock keeps a pull beside this apart: {error.filename}: {error.strerror}")
    try:
        yield
    finally:
        lock.release()


def _reason(services: Services, link: Link) -> str:
    pulls = [
        row.transfer.name.short
        for row in services.store.queue.open()
        if row.server_id == link.id and row.transfer.state in CONNECTED
    ]
    return (
        f"waiting for the pull of {', '.join(pulls) or 'another model'}, "
        "which could share layers with what goes (ctrl+c takes it back)"
    )
