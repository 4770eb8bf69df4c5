"""The queue as a person uses it: ask for models, wish for them to pause or end, read how they stand."""

from dataclasses import dataclass, replace
from typing import Literal

from modeltui.domain.causes import Cause
from modeltui.domain.events import Asked, Interrupted
from modeltui.domain.names import ModelName, same
from modeltui.domain.reducer import reduce
from modeltui.domain.transfers import ACTIVE, State, Wanted
from modeltui.domain.units import counted
from modeltui.errors import Refusal, UsageError
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.facts import MOST_PER_SERVER
from modeltui.store.locks import FileLock
from modeltui.store.queue import QueuedTransfer

Place = int | Literal["first", "last", "up", "down"]
WISHED = "wish"
MOST = 2**31
_WORDS = {Wanted.RUN: "resume", Wanted.PAUSE: "pause", Wanted.CANCEL: "cancel"}


@dataclass(frozen=True, slots=True)
class AtOnce:
    """How many pulls run at once on a server: what is wished, where nothing is wished what is configured.

    `configured_by` is the source of the latter, as `modeltui config` says it.
    """

    wished: int | None
    configured: int
    configured_by: str

    @property
    def count(self) -> int:
        """What counts."""
        return self.configured if self.wished is None else self.wished

    @property
    def source(self) -> str:
        """Where that comes from: a wish, or the source of the setting."""
        return self.configured_by if self.wished is None else WISHED


class Pulls:
    """Wishes and truth about the transfers of all servers; the runner carries them out."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._queue = services.store.queue

    def enqueue(self, link: Link, name: ModelName, *, forced: bool = False) -> tuple[QueuedTransfer, bool]:
        """Put a model into the queue; (row, False) when it stood there. A paused one is asked to go on.

        `forced`: it is started though the server's disk seems to have no room for it.
        """
        row, is_new = self._queue.enqueue(link.id, name, self._services.clock(), forced=forced)
        rests = row.transfer.state in (State.PAUSED, State.BLOCKED)
        if is_new:
            self._services.log(link, "queue", name.short)
        elif forced or rests or row.transfer.wanted is not Wanted.RUN:
            row = self.ask(row.number, Wanted.RUN)
        return row, is_new

    def all(self) -> tuple[QueuedTransfer, ...]:
        """The queue as it is: what no runner carries out is not shown as running."""
        rows = self._queue.all()
        if any(row.transfer.state in ACTIVE for row in rows) and not self.runner_lives():
            return tuple(self._interrupted(row) for row in rows)
        return rows

    def get(self, number: int) -> QueuedTransfer:
        """One row; raises UsageError for a number that is not in the queue."""
        row = self._queue.get(number) if 0 < number < 2**63 else None
        if row is None:
            raise UsageError(f"there is no transfer {number}", remedy="modeltui queue lists their numbers")
        return row

    def ask(self, number: int, wanted: Wanted) -> QueuedTransfer:
        """Wish something of a transfer. Without a runner it is carried out here and now."""
        row = self.get(number)
        state = row.transfer.state
        if state is State.INSTALLED or (row.transfer.is_final and wanted is not Wanted.RUN):
            name = row.transfer.name.short
            raise Refusal(f"{number} {name} is {state}: nothing is left to {_WORDS[wanted]}")
        if row.transfer.is_final:
            self._refuse_twin(row)
        beside = self._blocked_beside(row, wanted)
        # All at once: a runner that read half of them would find the disk full still.
        self._queue.want(number, wanted, [other.number for other in beside])
        for each in (row, *beside):
            self._log(each, _WORDS[wanted])
            self._obey(each, wanted)
        return self.get(number)

    def _obey(self, row: QueuedTransfer, wanted: Wanted) -> None:
        """Carry a wish out where nobody else does."""
        lock = FileLock(self._services.paths.runner_lock)
        if row.transfer.is_final or self._acquired(lock):
            try:
                row = self._interrupted(self.get(row.number))
                transfer, _ = reduce(row.transfer, Asked(self._services.clock(), wanted))
                self._queue.save(row.number, transfer, row.wishes)
            finally:
                lock.release()

    def _blocked_beside(self, row: QueuedTransfer, wanted: Wanted) -> list[QueuedTransfer]:
        """What else stands still for the same full disk: who lets one go on has seen to all of them."""
        if wanted is not Wanted.RUN or not _is_for_disk(row):
            return []
        return [
            other
            for other in self._queue.open()
            if other.server_id == row.server_id
            and other.number != row.number
            and _is_for_disk(other)
            and other.obeyed == other.wishes
        ]

    def _refuse_twin(self, row: QueuedTransfer) -> None:
        """A model is in the queue of its server once: an old row is not tried again beside a new one."""
        for other in self._queue.open():
            if other.server_id == row.server_id and same(other.transfer.name, row.transfer.name):
                raise Refusal(f"{row.transfer.name.short} is in the queue again, as {other.number}")

    def move(self, number: int, place: Place) -> None:
        """Put an open transfer at a place of the queue, 1 being the first, or one place up or down."""
        row = self.get(number)
        if row.transfer.is_final:
            raise Refusal(f"{number} {row.transfer.name.short} is {row.transfer.state}: it has no place")
        if place in ("up", "down"):
            self._queue.shift(number, -1 if place == "up" else 1)
        else:
            self._queue.move(number, place if isinstance(place, int) else 1 if place == "first" else MOST)
        self._log(row, "move")

    def per_server(self, server_id: int) -> AtOnce:
        """How many pulls run at once on a server, as far as this process is configured like the runner."""
        setting = next((s for s in self._services.config.settings if s.key == "downloads.per_server"), None)
        return AtOnce(
            self._services.store.facts.per_server().get(server_id),
            self._services.config.per_server,
            setting.source if setting is not None else "default",
        )

    def set_per_server(self, server_id: int, count: int | None) -> AtOnce:
        """Wish for so many at once on a server, None for as many as configured; the runner obeys it.

        More begin at once; of fewer than run already, these go on to their end. Raises UsageError.
        """
        if count is not None and not 1 <= count <= MOST_PER_SERVER:
            raise UsageError(
                f"{count} pulls at once: it must be 1 to {MOST_PER_SERVER}",
                remedy="modeltui queue per-server shows how many there may be now",
            )
        self._services.store.facts.set_per_server(server_id, count)
        found = self.per_server(server_id)
        words = f"{found.count} at once" if count is not None else f"as configured, {found.count} at once"
        self._log_at(server_id, "per-server", words)
        return found

    def clear(self, numbers: list[int]) -> int:
        """Forget these finished transfers, or all; how many there were."""
        for number in numbers:
            row = self.get(number)
            if not row.transfer.is_final:
                raise Refusal(
                    f"{number} {row.transfer.name.short} is {row.transfer.state}",
                    remedy=f"cancel it first: modeltui queue cancel {number}",
                )
        chosen = numbers or [row.number for row in self._queue.all() if row.transfer.is_final]
        removed = self._queue.remove(chosen)
        if removed:
            self._services.log(None, "clear", counted(removed, "finished transfer"))
        return removed

    def runner_lives(self) -> bool:
        """Whether a process holds the runner's lock now."""
        lock = FileLock(self._services.paths.runner_lock)
        if not self._services.paths.runner_lock.exists():
            return False
        free = self._acquired(lock)
        lock.release()
        return not free

    def _acquired(self, lock: FileLock) -> bool:
        try:
            return lock.acquire(wait=False)
        except OSError:
            return True  # no lock can be made here, so nobody else holds one either

    def _interrupted(self, row: QueuedTransfer) -> QueuedTransfer:
        """A row whose runner died, as it would be taken up again."""
        transfer, _ = reduce(row.transfer, Interrupted(row.transfer.at))
        return replace(row, transfer=transfer)

    def _log(self, row: QueuedTransfer, action: str) -> None:
        self._log_at(row.server_id, action, f"{row.number} {row.transfer.name.short}")

    def _log_at(self, server_id: int, action: str, subject: str) -> None:
        self._services.remember(
            lambda: self._services.store.journal.add(
                at=self._services.clock(),
                user=self._services.user,
                origin=self._services.origin,
                server_id=server_id,
                action=action,
                subject=subject,
            )
        )


def _is_for_disk(row: QueuedTransfer) -> bool:
    return row.transfer.state is State.BLOCKED and row.transfer.cause is Cause.DISK
