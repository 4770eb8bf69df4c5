"""Which rows of the catalog stand in the table, and in what order: series, and beneath them their tags."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from modeltui.domain.catalog.series import Catalog
from modeltui.services.offers import Offer, Offers, offers_of


@dataclass(frozen=True, slots=True, eq=False)
class CatalogRow:
    """A row of the table. `tags` is how many downloads its series has; only its lead says so, else 0."""

    place: int
    offer: Offer
    key: str
    group: int
    tags: int
    is_rule: bool = False

    @property
    def is_lead(self) -> bool:
        """Whether it stands for its series where that is closed."""
        return self.tags > 0


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """Every download as a row, series by series; `leads`, `starts` and `counts` are one a series.

    `by_name` holds the place of every name (case-folded), `by_digest` the places of the same download.
    """

    offers: Offers
    rows: tuple[CatalogRow, ...]
    leads: tuple[int, ...]
    starts: tuple[int, ...]
    counts: tuple[int, ...]
    by_name: Mapping[str, int]
    by_digest: Mapping[str, tuple[int, ...]]

    def view(self, matched: Sequence[int], ranks: Sequence[int], opened: Collection[int] = ()) -> list[int]:
        """The places that are shown of those that `matched` (ascending), by `ranks`, one a row.

        A series of which all downloads match is one row, unless it is `opened`: then the words say nothing
        about its tags. Of any other those that match stand together, at the place of the first of them.
        """
        rows = self.rows
        groups: list[tuple[int, list[int]]] = []
        for group, found in groupby(matched, key=lambda place: rows[place].group):
            places, lead = list(found), self.leads[group]
            if len(places) < self.counts[group]:
                places.sort(key=ranks.__getitem__)
            elif group in opened:
                places.sort(key=lambda place, lead=lead: (place != lead, ranks[place]))  # type: ignore[misc]
            else:
                places = [lead]
            groups.append((ranks[places[0]], places))
        groups.sort(key=lambda each: each[0])
        return [place for _, places in groups for place in places]

    def find(self, name: str) -> CatalogRow | None:
        """The row of a name (`llama3.1:8b`), by each of its tags and whatever its case."""
        place = self.by_name.get(name.casefold())
        return None if place is None else self.rows[place]

    def rows_of(self, group: int) -> tuple[CatalogRow, ...]:
        """The rows of one series, its lead first."""
        found = self.rows[self.starts[group] : self.starts[group] + self.counts[group]]
        return tuple(sorted(found, key=lambda row: not row.is_lead))


def shelf_of(catalog: Catalog) -> Shelf:
    """The rows of a catalog; a tenth of a second: make them off the event loop, and keep them."""
    offers = offers_of(catalog)
    leads = offers.defaults()
    counts: dict[str, int] = {}
    for offer in offers.rows:
        counts[offer.series.name] = counts.get(offer.series.name, 0) + 1
    groups = {name: group for group, name in enumerate(counts)}
    is_lead = set(leads)
    rows = tuple(
        CatalogRow(
            place,
            offer,
            offer.tag.name,
            groups[offer.series.name],
            counts[offer.series.name] if place in is_lead else 0,
        )
        for place, offer in enumerate(offers.rows)
    )
    by_series = {rows[place].offer.series.name: place for place in leads}
    digests: dict[str, tuple[int, ...]] = {}
    for row in rows:
        if row.offer.tag.digest:
            digests[row.offer.tag.digest] = (*digests.get(row.offer.tag.digest, ()), row.place)
    names = {f"{row.offer.series.name}:{tag}".casefold(): row.place for row in rows for tag in row.offer.tags}
    lead_places = tuple(by_series[name] for name in groups)
    starts = accumulate(counts.values(), initial=0)
    return Shelf(offers, rows, lead_places, tuple(starts)[:-1], tuple(counts.values()), names, digests)
