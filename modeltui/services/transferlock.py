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
    """Shared by pulls, held alone by a delete."""
    return services.paths.state / "locks" / f"server-{server_id}.lock"


def gate_file(services: Services, server_id: int) -> Path:
    """Held by a delete from when it begins to wait: no other pull starts meanwhile."""
    return services.paths.state / "locks" / f"server-{server_id}.gate"


def share(services: Services, server_id: int) -> FileLock | None:
    """The lock of a pull that starts now; None while a delete waits or works. Raises OSError."""
    gate = FileLock(gate_file(services, server_id))
    lock = FileLock(lock_file(services, server_id), shared=True)
    try:
        return lock if gate.acquire(wait=False) and lock.acquire(wait=False) else None
    finally:
        gate.release()


@asynccontextmanager
async def delete_lock(services: Services, link: Link) -> AsyncIterator[None]:
    """Hold a server alone while layers are deleted there; waits for its pulls, and says so once."""
    gate, lock = FileLock(gate_file(services, link.id)), FileLock(lock_file(services, link.id))
    told = False
    try:
        try:
            while not (gate.acquire(wait=False) and lock.acquire(wait=False)):
                if not told:
                    services.tell(_reason(services, link))
                    told = True
                await asyncio.sleep(POLL_S)
        except OSError as error:
            services.note(f"no lock keeps a pull beside this apart: {error.filename}: {error.strerror}")
        yield
    finally:
        lock.release()
        gate.release()


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
