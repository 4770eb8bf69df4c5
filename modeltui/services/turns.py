"""Decides whose turn it is: which of the waiting transfers may start, and what the others wait for."""

from collections.abc import Collection, Iterator, Mapping

from modeltui.domain import units
from modeltui.domain.causes import Cause
from modeltui.domain.events import Held, Interrupted, Noted
from modeltui.domain.sharing import brought_by
from modeltui.domain.transfers import ACTIVE, CONNECTED, State, Transfer
from modeltui.services.carrying import Carrier
from modeltui.services.servers import Link
from modeltui.services.transferlock import Deletion, deletions_on, share
from modeltui.services.tree import Services
from modeltui.store.locks import FileLock


class Turns:
    """The order of one runner. It holds the locks that keep deletes away from the pulls under way.

    `wished`: how many at once a person wants on a server; elsewhere as many as are configured. Of fewer than
    run already none is stopped: no other begins until so many have ended.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self.wished: Mapping[int, int] = {}
        self._locks: dict[int, FileLock] = {}

    def hold_back(self, carriers: Collection[Carrier], now: int) -> None:
        """Block what would only fail on a full disk, and stop what a delete could break unseen."""
        full = {
            carrier.server_id
            for carrier in carriers
            if carrier.transfer.state is State.BLOCKED and carrier.transfer.cause is Cause.DISK
        }
        connected = {carrier.server_id for carrier in carriers if carrier.transfer.state in CONNECTED}
        deletions = {server_id: self._deletions(server_id) for server_id in connected}
        for carrier in carriers:
            transfer = carrier.transfer
            if carrier.server_id in full and transfer.state in (State.WAITING, State.RETRYING):
                # Another try before space is free only loses what has come (server/download.go).
                words = f"the disk of {self._name(carrier.server_id)} is full"
                carrier.apply(Held(now, Cause.DISK, words))
            elif transfer.state in CONNECTED and not carrier.is_expecting(now):
                for deletion in deletions[carrier.server_id]:
                    if deletion.stops(carrier.transfer.state, _digests(transfer)):
                        _stop_for(deletion, carrier, now)

    def due(self, carriers: Collection[Carrier], now: int) -> Iterator[Carrier]:
        """Those that may start now, in the order of the queue; who gets one starts it before the next.

        The next in line is looked up at its registry meanwhile, so that it is known what it shares.
        """
        connected: dict[int, list[Carrier]] = {}
        for carrier in carriers:
            if carrier.transfer.state in CONNECTED:
                connected.setdefault(carrier.server_id, []).append(carrier)
        taken: dict[int, int] = {}
        deletions: dict[int, tuple[Deletion, ...]] = {}
        due = [carrier for carrier in carriers if carrier.is_due(now)]
        for carrier in sorted(due, key=lambda each: (each.position, each.number)):
            server_id = carrier.server_id
            others = connected.setdefault(server_id, [])
            most = self.wished.get(server_id, self.services.config.per_server)
            room = most - len(others) - taken.get(server_id, 0)
            if server_id not in deletions:
                deletions[server_id] = self._deletions(server_id)
            if room <= 0:
                if room == 0:  # the first that has none
                    carrier.look_ahead(now)
                    taken[server_id] = taken.get(server_id, 0) + 1
                _note(carrier, Noted(now, ""))
            elif (others or deletions[server_id]) and _is_expecting(carrier, others, now):
                taken[server_id] = taken.get(server_id, 0) + 1
            elif (reason := _reason(carrier, others, deletions[server_id], now)) is not None:
                _note(carrier, reason)
            else:
                yield carrier
                if carrier.transfer.state in CONNECTED:
                    others.append(carrier)

    def start(self, carrier: Carrier, link: Link, now: int) -> None:
        """Begin a try of a transfer, unless a delete began just now."""
        try:
            lock = share(self.services, link.id)
        except OSError:
            pass  # a delete that cannot make the lock either says so
        else:
            if lock is None:
                return  # a delete is alone there: the next look names it
            if link.id in self._locks:
                lock.release()
            else:
                self._locks[link.id] = lock
        carrier.start(now, link)
        # A delete may have come between the look and the start: it sees this one now, and this one sees it.
        for deletion in self._deletions(link.id):
            if not deletion.spares(_digests(carrier.transfer)):
                _stop_for(deletion, carrier, now)
                return

    def give_locks_back(self, carriers: Collection[Carrier]) -> None:
        """Let deletes be alone on servers where nothing is pulled any more."""
        in_use = {c.server_id for c in carriers if c.transfer.state in ACTIVE or c.is_at_server}
        for server_id in set(self._locks) - in_use:
            self._locks.pop(server_id).release()

    def release(self) -> None:
        """Let go of everything."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()

    def _deletions(self, server_id: int) -> tuple[Deletion, ...]:
        try:
            return deletions_on(self.services, server_id)
        except OSError:
            return ()  # a delete that cannot make its file either says so

    def _name(self, server_id: int) -> str:
        nothing: dict[int, tuple[str, str]] = {}
        known = self.services.recall(self.services.store.facts.servers, nothing)
        return known[server_id][1] if server_id in known else "the server"


def _is_expecting(carrier: Carrier, others: list[Carrier], now: int) -> bool:
    """Whether a registry is about to tell what this one shares with what it would run beside."""
    carrier.look_ahead(now)
    return any(each.is_expecting(now) for each in (carrier, *others) if each.transfer.manifest is None)


def _reason(
    carrier: Carrier, others: list[Carrier], deletions: tuple[Deletion, ...], now: int
) -> Noted | None:
    """What stands against a start now."""
    found = brought_by(carrier.transfer, [other.transfer for other in others])
    if found is not None:
        other, size = found
        words = f"waits for {other.name.short}, which brings {units.size(size)} of it"
        return Noted(now, words, Cause.SHARED_LAYERS)
    digests = _digests(carrier.transfer)
    return next((_after_delete(each, now) for each in deletions if not each.spares(digests)), None)


def _note(carrier: Carrier, note: Noted) -> None:
    """Say what one waits for, once; nothing where it waits for its turn alone."""
    transfer = carrier.transfer
    is_news = (transfer.cause, transfer.detail) != (note.cause, note.text)
    had_one = transfer.cause in (Cause.SHARED_LAYERS, Cause.DELETE_IN_PROGRESS)
    if transfer.state is State.WAITING and is_news and (note.cause is not None or had_one):
        carrier.apply(note)


def _stop_for(deletion: Deletion, carrier: Carrier, now: int) -> None:
    carrier.apply(Interrupted(now))
    carrier.apply(_after_delete(deletion, now))
    carrier.save()


def _after_delete(deletion: Deletion, now: int) -> Noted:
    names = ", ".join(deletion.names) or "another model"
    return Noted(now, f"waits for the delete of {names}", Cause.DELETE_IN_PROGRESS)


def _digests(transfer: Transfer) -> frozenset[str] | None:
    return frozenset(blob.digest for blob in transfer.manifest.blobs) if transfer.manifest else None
