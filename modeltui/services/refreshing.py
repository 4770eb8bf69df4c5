"""Reads the live library when a person asks for it, and keeps what it says as the newer catalog.

Nothing is written before all of it was read: whatever fails or ends it leaves the catalog as it was.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from modeltui.domain.catalog.merging import (
    GONE_AFTER,
    Card,
    ListedTag,
    is_to_read,
    merged_series,
    merged_tags,
    missed_series,
)
from modeltui.domain.catalog.series import Catalog, Retired, Series, Tag, catalog_of
from modeltui.domain.catalog.tags import tag_of_listing, with_base_twins
from modeltui.domain.units import iso
from modeltui.errors import Garbled, ModeltuiError, Refusal, ServerError
from modeltui.services.tree import Services


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a refresh has come: pages of tags read, of so many; `name` is the model read last."""

    read: int
    of: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A model whose tags could not be read: what is known of it stays as it was."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found. `as_of` and `before` are when the catalog was read, now and before (ISO 8601).

    `changed` have other tags than before; `missing` are no longer listed, `retired` since two refreshes.
    """

    as_of: str
    before: str | None
    models: int
    tags: int
    pages: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    retired: tuple[str, ...]
    unread: tuple[Unread, ...]
    path: str


async def refresh(
    services: Services, progress: Callable[[Progress], None], *, pause_s: float | None = None
) -> Refreshed:
    """Read the library and keep it in the cache directory; raises ServerError, Refusal, ModeltuiError.

    One page for all models, then a page each for those that are new or may have changed. A model whose page
    cannot be read stays as it was; when half of the pages say nothing that can be understood, the site has
    changed, and so does nothing here. Cancelling it leaves everything as it was.
    """
    from modeltui.catalog.loading import load_base, save_refreshed
    from modeltui.registry.library import HOST, PAUSE_S, read_library, read_tags_of

    known = await asyncio.to_thread(load_base, services.paths.cache)
    base_url = services.config.registry(HOST).url(HOST)
    pause = PAUSE_S if pause_s is None else pause_s
    # A clock that stands before the catalog's own time must not make what is read now the older one.
    now = max(services.clock(), (_time(known.as_of) or 0) + 1000)
    cards = await read_library(base_url, now, pause_s=pause)
    wanted = [card for card in cards if is_to_read(_of(known, card), card, _read_at(_of(known, card)))]
    progress(Progress(0, len(wanted)))
    found: dict[str, tuple[ListedTag, ...]] = {}
    failed: dict[str, ServerError] = {}
    async with aclosing(read_tags_of(wanted, base_url, pause_s=pause)) as pages:
        async for card, tags in pages:
            if isinstance(tags, ServerError):
                failed[card.name] = tags
            else:
                found[card.name] = tags
            progress(Progress(len(found) + len(failed), len(wanted), card.name))
    _refuse_unreadable(failed, len(wanted))
    catalog = merged(known, cards, found, at=iso(now) or "", source=HOST)
    try:
        path = await asyncio.to_thread(
            save_refreshed,
            services.paths.cache,
            catalog.series.values(),
            catalog.as_of or "",
            catalog.retired,
        )
    except OSError as error:
        raise ModeltuiError(
            f"the catalog cannot be kept in {services.paths.cache}: {error.strerror}",
            remedy="free space there, or correct its rights; the old one stays",
        ) from None
    return _told(known, catalog, len(wanted), failed, str(path))


def merged(
    known: Catalog,
    cards: tuple[Card, ...],
    tags: Mapping[str, tuple[ListedTag, ...]],
    *,
    at: str,
    source: str,
) -> Catalog:
    """The catalog with what was read laid over it, in the order of the page; nothing known is dropped."""
    series: list[Series] = []
    for rank, card in enumerate(cards, 1):
        old = _of(known, card)
        listed = tags.get(card.name)
        if old is None and listed is None:
            continue  # new, and its page could not be read: the next refresh tries again
        rows = None if listed is None else _merged_tags(old, card, listed)
        series.append(merged_series(old, card, rank, rows, at=at, source=source))
    listed_names = {card.name.casefold() for card in cards}
    gone = [missed_series(old) for key, old in known.series.items() if key not in listed_names]
    retired = dict(known.retired)
    for each in gone:
        if each.missed >= GONE_AFTER:
            retired.setdefault(each.name, Retired(each.succeeded_by, _day(each.as_of)))
    for name in [name for name in retired if name.casefold() in listed_names]:
        del retired[name]
    return catalog_of([*series, *gone], at, retired)


def _merged_tags(old: Series | None, card: Card, listed: tuple[ListedTag, ...]) -> tuple[Tag, ...]:
    fresh = {
        row.tag: tag_of_listing(
            old.name if old else card.name,
            row.tag,
            digest=row.digest,
            size=row.size,
            context=row.context,
            inputs=row.inputs,
            is_cloud=row.is_cloud,
            capabilities=card.capabilities,
            siblings=old.tags if old else (),
        )
        for row in listed
    }
    return with_base_twins(merged_tags(old, listed, fresh))


def _of(catalog: Catalog, card: Card) -> Series | None:
    return catalog.series.get(card.name.casefold())


def _read_at(series: Series | None) -> int | None:
    return _time(series.as_of) if series is not None else None


def _time(written: str | None) -> int | None:
    """UTC milliseconds of a time in ISO 8601; None where it is none, or has no zone."""
    try:
        moment = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.timestamp() * 1000)


def _day(at: str | None) -> str | None:
    return at[:10] if at else None


def _refuse_unreadable(failed: Mapping[str, ServerError], pages: int) -> None:
    """Half of the pages not understood, or all of them not had, are no refresh."""
    garbled = [error for error in failed.values() if isinstance(error, Garbled)]
    if garbled and 2 * len(garbled) >= pages:
        raise Refusal(
            f"{len(garbled)} of {pages} pages of tags cannot be understood: {garbled[0].message}",
            remedy="the site may have changed: the catalog stays as it is; try a newer modeltui",
            url=garbled[0].url,
        )
    if failed and len(failed) == pages:
        raise next(iter(failed.values()))


def _told(
    known: Catalog, catalog: Catalog, pages: int, failed: Mapping[str, ServerError], path: str
) -> Refreshed:
    before = known.series
    changed = [
        series.name
        for key, series in catalog.series.items()
        if key in before and _digests(series) != _digests(before[key])
    ]
    gone = [series for series in catalog.series.values() if series.missed]
    return Refreshed(
        as_of=catalog.as_of or "",
        before=known.as_of,
        models=len(catalog.series) - len(gone),
        tags=sum(len(series.tags) for series in catalog.series.values() if not series.missed),
        pages=pages,
        new=tuple(series.name for key, series in catalog.series.items() if key not in before),
        changed=tuple(changed),
        missing=tuple(series.name for series in gone if series.missed < GONE_AFTER),
        retired=tuple(series.name for series in gone if series.missed == GONE_AFTER),
        unread=tuple(Unread(name, error.message) for name, error in failed.items()),
        path=path,
    )


def _digests(series: Series) -> dict[str, str | None]:
    return {tag.tag: tag.digest for tag in series.tags}
