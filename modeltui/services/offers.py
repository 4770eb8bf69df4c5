"""What could be pulled, as rows of one list: each download once, with what the filter finds in it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.merging import GONE_AFTER
from modeltui.domain.catalog.purposes import purpose_of, type_of
from modeltui.domain.catalog.series import Catalog, Series, Tag
from modeltui.domain.catalog.tags import size_word
from modeltui.domain.models import Model, ModelType
from modeltui.domain.query import Query, Standing, Subject, select
from modeltui.services.filtering import standing_of, subject_of_tag

if TYPE_CHECKING:
    from modeltui.services.advice import Numbers


class Order(StrEnum):
    """What a list of offers can be sorted by."""

    POPULARITY = "popularity"
    SIZE = "size"
    DATE = "date"
    FIT = "fit"


@dataclass(frozen=True, slots=True)
class Offer:
    """One download: a tag of a series, and under which other tags (`also`) the very same is to be had."""

    series: Series
    tag: Tag
    also: tuple[str, ...]
    type: ModelType | None
    purpose: Purpose | None

    @property
    def tags(self) -> tuple[str, ...]:
        """Every name of it in its series."""
        return (self.tag.tag, *self.also)

    @property
    def date(self) -> str | None:
        """The month in which the maker released the series, else when the library says that it changed."""
        return self.series.released or self.series.updated


@dataclass(frozen=True, slots=True)
class Offers:
    """Every download of a catalog, the most pulled series first, and a subject of the filter for each."""

    catalog: Catalog
    rows: tuple[Offer, ...]
    subjects: tuple[Subject, ...]

    def of_series(self, series: Series) -> tuple[Offer, ...]:
        return tuple(row for row in self.rows if row.series.name == series.name)

    def defaults(self) -> list[int]:
        """Places of one row a series: what its name alone stands for, or else the first that runs here."""
        found: dict[str, int] = {}
        for place, row in enumerate(self.rows):
            held = found.get(row.series.name)
            if held is None or _is_better(row, self.rows[held]):
                found[row.series.name] = place
        return list(found.values())


def offers_of(catalog: Catalog) -> Offers:
    """The rows of a catalog; a tenth of a second: make them off the event loop, and keep them.

    Series that the library has not listed for two refreshes are left out: there is nothing to pull.
    """
    rows = tuple(
        offer
        for series in catalog.series.values()
        if series.missed < GONE_AFTER
        for offer in offers_of_series(series)
    )
    return Offers(catalog, rows, tuple(map(subject_of_offer, rows)))


def offers_of_series(series: Series) -> tuple[Offer, ...]:
    """The downloads of one series, in the order of the first tag of each."""
    groups: dict[str, list[Tag]] = {}
    for tag in series.tags:
        groups.setdefault(tag.digest or tag.tag, []).append(tag)
    return tuple(_offer(series, tags) for tags in groups.values())


def subject_of_offer(offer: Offer) -> Subject:
    """A download as the filter sees it, found by each of its names."""
    return subject_of_tag(offer.series, offer.tag, also=offer.also, type=offer.type, purpose=offer.purpose)


def standings_of(
    offers: Offers, installed: Iterable[Model], numbers: "Callable[[Tag], Numbers] | None" = None
) -> tuple[Standing, ...]:
    """Which of the rows are installed, and how each would run; `numbers` None leaves the latter unknown."""
    is_there = installed_test(installed)
    found = []
    for row in offers.rows:
        fit = numbers(row.tag) if numbers is not None and not row.tag.is_cloud else None
        found.append(
            standing_of(
                is_installed=is_there(row),
                fit=fit.kind if fit else None,
                needs=fit.needs if fit else None,
            )
        )
    return tuple(found)


def matching(
    offers: Offers, query: Query, installed: Iterable[Model], numbers: "Callable[[Tag], Numbers]"
) -> list[int]:
    """Places of the rows that match; how a row would run is only asked for those that match otherwise."""
    places: Iterable[int] = range(len(offers.rows))
    standings = list(standings_of(offers, installed))
    if query.asks_for_fit:
        places = select(query.without_fit(), offers.subjects, places, standings)
        for place in places:
            row = offers.rows[place]
            if not row.tag.is_cloud:
                fit = numbers(row.tag)
                is_there = "installed" in standings[place].words
                standings[place] = standing_of(is_installed=is_there, fit=fit.kind, needs=fit.needs)
    return select(query, offers.subjects, places, standings)


def installed_test(installed: Iterable[Model]) -> Callable[[Offer], bool]:
    """Tells of a download whether it is installed: by its digest, or, as it once was, by a name."""
    models = tuple(installed)
    names = {model.name.short.casefold() for model in models if model.name is not None}
    digests = {model.digest[:12] for model in models if model.digest}

    def is_there(row: Offer) -> bool:
        if row.tag.digest in digests:
            return True
        return bool(names) and any(f"{row.series.name}:{tag}".casefold() in names for tag in row.tags)

    return is_there


def ordered(
    offers: Offers,
    places: Sequence[int],
    order: Order,
    numbers: "Callable[[Tag], Numbers] | None" = None,
) -> list[int]:
    """Those rows in an order, what is unknown last; equals stay as they were, the most pulled first.

    Sizes from the smallest, dates from the newest, fits from the best: those with the higher score.
    """
    rows = offers.rows
    if order is Order.SIZE:
        return sorted(places, key=lambda place: (rows[place].tag.size is None, rows[place].tag.size or 0))
    if order is Order.DATE:
        dated = sorted(places, key=lambda place: rows[place].date or "", reverse=True)
        return [place for place in dated if rows[place].date] + [p for p in dated if not rows[p].date]
    if order is Order.FIT and numbers is not None:
        return sorted(places, key=lambda place: -_score(numbers(rows[place].tag)))
    return sorted(places)


def _score(numbers: "Numbers") -> int:
    if numbers.score is None:
        return -2
    return -1 if numbers.kind == "no" else numbers.score


def _offer(series: Series, tags: list[Tag]) -> Offer:
    # A size says best what is pulled. Where none does, the default tag: it is the one that every registry has
    # which has the series at all, and no alias (`v1.5`) need be.
    tag = min(tags, key=lambda each: (_is_no_size(each.tag), each.tag != series.default_tag, len(each.tag)))
    also = tuple(each.tag for each in tags if each.tag != tag.tag)
    return Offer(series, tag, also, type_of(series, tag), purpose_of(series, tag))


def _is_no_size(tag: str) -> bool:
    """Whether a tag is more, or something else, than a size: `8b` says best what is pulled."""
    return size_word(tag) != tag.casefold()


def _is_better(row: Offer, held: Offer) -> bool:
    """Whether a row stands better for its series: the default, unless that only runs in the cloud."""
    if row.tag.is_cloud != held.tag.is_cloud:
        return held.tag.is_cloud
    return row.series.default_tag in row.tags and row.series.default_tag not in held.tags
