"""Which downloads of the catalog are on the server already, or on their way to it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from modeltui.services.library import Entry

if TYPE_CHECKING:
    from modeltui.store.queue import QueuedTransfer
    from modeltui.tui.catalogview import CatalogRow, Shelf

DIGITS = 12  # of a digest, as the catalog holds them


class Holdings:
    """What is installed and what is in the queue, by the rows of the catalog; made anew when either changed.

    A row is installed by its digest, or by one of its names, be that of another version.
    """

    def __init__(
        self,
        shelf: "Shelf | None" = None,
        entries: Iterable[Entry] = (),
        transfers: "Iterable[QueuedTransfer]" = (),
    ) -> None:
        found: dict[int, tuple[int, Entry]] = {}
        for entry in entries if shelf is not None else ():
            named = _named(shelf, entry.model.name.short if entry.model.name is not None else None)
            same = shelf.by_digest.get((entry.model.digest or "")[:DIGITS], ()) if shelf is not None else ()
            for place in {*same, *named}:
                worth = 2 * (place in same) + (place in named)
                if worth > found.get(place, (0, entry))[0]:
                    found[place] = worth, entry
        self._entries: Mapping[int, Entry] = {place: entry for place, (_, entry) in found.items()}
        self._others = frozenset(place for place, (worth, _) in found.items() if worth == 1)
        pulled = [row.transfer.name.short for row in transfers if not row.transfer.is_resting]
        self._pulled = frozenset(place for name in pulled for place in _named(shelf, name))

    @property
    def places(self) -> frozenset[int]:
        """The places that are installed."""
        return frozenset(self._entries)

    def entry_of(self, row: "CatalogRow") -> Entry | None:
        """The installed model that a download is."""
        return self._entries.get(row.place)

    def is_other_version(self, row: "CatalogRow") -> bool:
        """Whether what is installed under its name has another digest than the catalog knows."""
        entry = self.entry_of(row)
        return row.place in self._others and bool(row.offer.tag.digest and entry and entry.model.digest)

    def is_pulled(self, row: "CatalogRow") -> bool:
        """Whether a pull of it is under way."""
        return row.place in self._pulled


def _named(shelf: "Shelf | None", name: str | None) -> tuple[int, ...]:
    row = shelf.find(name) if shelf is not None and name is not None else None
    return () if row is None else (row.place,)
