"""What the catalog knows of a series and a tag, as words: on screens and in commands alike."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache

from modeltui.catalog.quality import quality_rows
from modeltui.domain import units
from modeltui.domain.catalog.merging import GONE_AFTER
from modeltui.domain.catalog.series import QualityRow, Series, Tag
from modeltui.services.filtering import capabilities_of
from modeltui.services.offers import Offer

_DAY_S = 86_400


def tag_lines(offer: Offer, tag: Tag, *, is_installed: bool, asks: str) -> Iterator[tuple[str, str]]:
    """Label and text of everything known about a tag, one of the `tags` of an offer.

    `asks` is what a person types to have its registry asked.
    """
    series = offer.series
    also = [other for other in offer.tags if other != tag.tag]
    yield "parameters", _parameters(tag)
    yield "quantization", tag.quantization or "unknown"
    yield "size", "runs at ollama.com" if tag.is_cloud else _size(tag, asks)
    yield "context", units.context(tag.context)
    yield "takes", ", ".join(sorted(tag.inputs)) or "unknown"
    yield "can", ", ".join(sorted(capabilities_of(series, tag))) or "unknown"
    yield "type", f"{offer.type or 'unknown'}, {offer.purpose or 'purpose unknown'}"
    yield "digest", tag.digest or "unknown"
    if also:
        yield "same as", ", ".join(f"{series.name}:{other}" for other in also)
    if tag.is_apple_only:
        yield "note", "only Ollama on macOS runs it: elsewhere the registry refuses it"
    if tag.is_base:
        yield "note", "a base model: it completes text, and does not follow instructions"
    if tag.note:
        yield "note", tag.note
    yield "installed", "yes" if is_installed else "no"


def _parameters(tag: Tag) -> str:
    if tag.parameters is None:
        return tag.parameter_size or "unknown"
    words = f"{tag.parameters / 10**9:.3g} billion"
    active = tag.active_parameters
    return f"{words}, {active / 10**9:.3g} active" if active and active < tag.parameters else words


def _size(tag: Tag, asks: str) -> str:
    if tag.size is None:
        return "unknown"
    exact = f" ({tag.size} bytes)" if tag.is_size_exact else f", rounded by the library; {asks} tells"
    return f"{units.size(tag.size)}{exact}"


def series_lines(series: Series, now: int) -> Iterator[tuple[str, str]]:
    """Label and text of everything known about a series, its source and age last; `now` in UTC ms."""
    facts = {
        "": series.description,
        "publisher": series.publisher,
        "released": series.released,
        "updated": series.updated,
        "line": series.line,
        "made from": series.base_model,
        "kind": ", ".join(part for part in (series.role, _build(series)) if part),
        "can": ", ".join(sorted(series.capabilities)),
        "good for": ", ".join(sorted(series.use_cases)),
        "license": series.license,
        "commercial use": series.commercial,
        "needs Ollama": series.requires,
        "follows": ", ".join(series.succeeds),
        "followed by": ", ".join(series.succeeded_by),
        "pulls": None if series.pulls is None else f"{count_words(series.pulls)}, rank {series.rank}",
        "default": series.tag(series.default_tag) and f"{series.name}:{series.default_tag}",
        "address": series.url,
    }
    yield from ((label, text) for label, text in facts.items() if text)
    yield from (("note", note) for note in series.notes)
    if series.is_retired:
        yield "note", "superseded: its own successors cover all of it"
    if series.missed:
        is_gone = series.missed >= GONE_AFTER
        yield "note", "no longer listed by the library" if is_gone else "missing from the library's last page"
    where = series.source or "the catalog"
    # A series of the user's own was read from a file of theirs, just now.
    read = f", read {age_words(series.as_of, now)}" if series.as_of else ""
    yield "source", f"{where}{read}"


def scores_of(tag: Tag) -> tuple[QualityRow, ...]:
    """Every published score of a tag's size; some 3 ms for the first tag of a series."""
    size = (tag.parameter_size or "").casefold()
    return tuple(row for row in _scores(tag.series.casefold()) if row.size.casefold() in ("", size))


def score_lines(tag: Tag) -> Iterator[tuple[str, str]]:
    """Label and text of these scores, each with who ran it, its day and its source."""
    for row in scores_of(tag):
        scale = " Elo" if row.scale == "Elo" else " of 100"
        how = f" ({row.variant})" if row.variant else ""
        by = "independent" if row.kind == "independent" else "said by a maker"
        yield row.task, f"{row.benchmark}: {row.value:g}{scale}{how}; {by}, {row.date}, {row.source}"


@lru_cache(maxsize=1)
def _scores(series: str) -> tuple[QualityRow, ...]:
    return quality_rows(series)


def _build(series: Series) -> str | None:
    """`dense`, `moe`, `hybrid`: of the default tag; said where other sizes are built otherwise."""
    is_mixed = series.kind == "dense" and any(tag.active_parameters for tag in series.tags)
    return "dense by default" if is_mixed else series.kind


def count_words(count: int | None) -> str:
    """A rounded counter as the library writes it: `118.7M`."""
    if count is None:
        return units.UNKNOWN
    for unit, factor in (("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f}".removesuffix(".0") + unit
    return str(count)


def age_words(at: str | None, now_ms: int) -> str:
    """A day as published, and how long ago that is: `2026-08-21, 92 days ago`."""
    if at is None:
        return "unknown"
    try:
        day = date.fromisoformat(at[:10])
    except ValueError:
        return at
    days = (datetime.fromtimestamp(now_ms / 1000, UTC).date() - day).days
    if days < 1:
        return f"{day}, today" if days == 0 else str(day)
    return f"{day}, {days} day{'' if days == 1 else 's'} ago"


def days_since(at: str | None, now_ms: int) -> float | None:
    """Days since a time in ISO 8601 with a zone; None where that is none."""
    try:
        moment = datetime.fromisoformat(at or "")
    except ValueError:
        return None
    return None if moment.tzinfo is None else (now_ms / 1000 - moment.timestamp()) / _DAY_S
