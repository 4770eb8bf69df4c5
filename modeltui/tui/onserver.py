"""What recommended models are on the active server: installed, current, or on their way to it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from modeltui.domain.names import from_listed
from modeltui.services.library import Entry

if TYPE_CHECKING:
    from modeltui.domain.advice.reasons import Ranked
    from modeltui.store.queue import QueuedTransfer

DIGITS = 12  # of a digest, as the catalog holds them


class OnServer:
    """Looks them up by name, else by digest: the ranking may be older than the list. Made anew when either
    changed."""

    def __init__(self, entries: Iterable[Entry] = (), transfers: "Iterable[QueuedTransfer]" = ()) -> None:
        self._by_name: dict[str, Entry] = {}
        self._by_digest: dict[str, Entry] = {}
        for entry in entries:
            self._by_name[_key(entry.model.shown)] = entry
            if entry.model.digest and not entry.model.is_cloud:
                self._by_digest.setdefault(entry.model.digest[:DIGITS], entry)
        self._pulled = frozenset(row.transfer.name.key for row in transfers if not row.transfer.is_resting)

    def entry_of(self, row: "Ranked") -> Entry | None:
        """The installed model that a row is about."""
        digest = row.candidate.tag.digest or ""
        return self._by_name.get(_key(row.name)) or self._by_digest.get(digest[:DIGITS])

    def words(self, row: "Ranked") -> str:
        """How it stands there, in one word or two; empty for what is not there."""
        entry = self.entry_of(row)
        if entry is not None:
            return "current" if entry.is_current else "installed"
        return "in queue" if _key(row.name) in self._pulled else ""


def _key(name: str) -> str:
    parsed = from_listed(name)
    return parsed.key if parsed is not None else name.casefold()
