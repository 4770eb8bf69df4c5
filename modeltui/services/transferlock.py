"""Keeps deletes and pulls on one server apart: a delete of a shared layer breaks a pull that says success.

Files locked by the kernel, and so given back at any death. Pulls share one file a server; a delete that must
be alone holds it. A delete has a file of its own from when it begins to wait, which says what goes, so that
a runner can tell which pulls have nothing to fear from it.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from modeltui.domain.transfers import ACTIVE, State
from modeltui.paths import write_private
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.locks import FileLock

POLL_S = 0.1
_MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a delete takes away: the names, and the digests of the layers, None while they are not known.

    Without `may_stop` it waits for every pull; with it those whose layers are not known stop for it.
    """

    names: tuple[str, ...] = ()
    layers: frozenset[str] | None = None
    may_stop: bool = False

    def spares(self, digests: frozenset[str] | None) -> bool:
        """Whether a pull of these layers (None: not known) has surely nothing to fear."""
        if self.layers is None or (self.layers and digests is None):
            return False
        return not self.layers or self.layers.isdisjoint(digests or ())

    def stops(self, state: State, digests: frozenset[str] | None) -> bool:
        """Whether a pull under way makes room for it, since nobody can tell whether they share a layer.

        One that is verified cannot be stopped any more, and one known to share a layer is waited for.
        """
        known = self.layers is not None and digests is not None
        return self.may_stop and not known and state in (State.STARTING, State.PULLING)


Waiting = Callable[[tuple[str, ...] | None], None]
"""Told which pulls a delete waits for, each time they change, and None when it goes on."""


def lock_file(services: Services, server_id: int) -> Path:
    """Shared by pulls, held alone by a delete that must be alone."""
    return services.paths.state / "locks" / f"server-{server_id}.lock"


def share(services: Services, server_id: int) -> FileLock | None:
    """The lock of pulls on a server; None while a delete is alone there. Raises OSError."""
    lock = FileLock(lock_file(services, server_id), shared=True)
    return lock if lock.acquire(wait=False) else None


def deletions_on(services: Services, server_id: int) -> tuple[Deletion, ...]:
    """The deletes that wait or work on a server now; what killed ones left is swept away. Raises OSError."""
    found = []
    for path in sorted(lock_file(services, server_id).parent.glob(f"server-{server_id}.gate.*")):
        gate = FileLock(path, shared=True)
        if gate.acquire(wait=False):
            path.unlink(missing_ok=True)
            gate.release()
        else:
            found.append(_read(path))
    return tuple(found)


@asynccontextmanager
async def delete_lock(
    services: Services, link: Link, deletion: Deletion | None = None, waiting: Waiting | None = None
) -> AsyncIterator[None]:
    """Delete layers on a server only while no pull there can be broken by it; waits for that.

    A runner looks for deletes after it has marked a pull as started, and this looks for pulls after it has
    said what goes: at least one of the two sees the other. Says once where no lock can be made.
    """
    going = deletion or Deletion()
    gate, lock = None, FileLock(lock_file(services, link.id))
    told: tuple[str, ...] = ()
    try:
        try:
            gate = await _gate(services, link.id, going)
            while not lock.acquire(wait=False):
                names = _in_the_way(services, link, going)
                if names is None:
                    break
                if names and names != told:
                    told = names
                    (waiting or _teller(services))(names)
                await asyncio.sleep(POLL_S)
        except OSError as error:
            services.note(f"no lock keeps a pull beside this apart: {error.filename}: {error.strerror}")
        if told and waiting is not None:
            waiting(None)
        yield
    finally:
        lock.release()
        if gate is not None:
            gate.release()


class _Gate:
    """The file of one delete, held by it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path)

    def acquire(self) -> bool:
        """Hold it; False when somebody took it for one that a killed delete left, and swept it away."""
        return self._lock.acquire(wait=True) and self._path.exists() and self._path.stat().st_size > 0

    def release(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._lock.release()


async def _gate(services: Services, server_id: int, going: Deletion) -> _Gate:
    """Say what goes, in a file that stands whole before it is locked. Raises OSError."""
    while True:
        name = f"server-{server_id}.gate.{uuid.uuid4().hex}"  # never used twice: a path is one delete's alone
        path = lock_file(services, server_id).with_name(name)
        await asyncio.to_thread(write_private, path, json.dumps(_written(going)))
        gate = _Gate(path)
        if gate.acquire():
            return gate
        gate.release()


def _in_the_way(services: Services, link: Link, going: Deletion) -> tuple[str, ...] | None:
    """The pulls that have to end first; none named while they are not known or stop for it; None: go on."""
    queue = services.store.queue
    rows = [row for row in queue.open() if row.server_id == link.id and row.transfer.state in ACTIVE]
    pulls = [(row.transfer, queue.blobs(row.number)) for row in rows]
    feared = [(transfer, layers) for transfer, layers in pulls if not going.spares(layers)]
    if rows and not feared:
        return None
    return tuple(
        transfer.name.short for transfer, layers in feared if not going.stops(transfer.state, layers)
    )


def after_words(names: tuple[str, ...]) -> str:
    """What a waiting delete waits for."""
    return f"after the pull of {', '.join(names)}"


def _teller(services: Services) -> Waiting:
    def tell(names: tuple[str, ...] | None) -> None:
        if names:
            why = "could break on the layers that go"
            services.tell(f"deletes {after_words(names)}, which {why} (ctrl+c takes it back)")

    return tell


def _written(deletion: Deletion) -> dict[str, object]:
    layers = None if deletion.layers is None else sorted(deletion.layers)
    return {"names": deletion.names, "layers": layers, "may_stop": deletion.may_stop}


def _read(path: Path) -> Deletion:
    """What a delete wrote; what cannot be read is one that nothing is known about, and that stops nothing."""
    try:
        with path.open(encoding="utf-8") as file:
            found = json.loads(file.read(_MOST_BYTES))
        names, layers = tuple(map(str, found["names"])), found["layers"]
        return Deletion(names, None if layers is None else frozenset(layers), found["may_stop"] is True)
    except (OSError, ValueError, KeyError, TypeError):
        return Deletion()
