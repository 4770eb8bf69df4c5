"""How what the live library lists is merged into a catalog: what is new, what changed, what is gone.

Two steps: the list of all models, then the tags of those models alone that are new or may have changed since
they were read last. What is known about a digest stays true for it; what is known about a name does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from modeltui.domain.catalog.series import Series, Shape, Tag
from modeltui.domain.units import iso

GONE_AFTER = 2
"""So many refreshes in a row must not list a model before it is retired: one page may have failed."""


@dataclass(frozen=True, slots=True)
class Card:
    """One model on the page of all models; unknown is None.

    `updated`: the latest moment (UTC ms) at which it may have changed last; a page that says "3 weeks ago"
    leaves a week open, `is_dated` is one that says the minute. `tag_count`: how many tags it says there are.
    """

    name: str
    capabilities: frozenset[str] = frozenset()
    pulls: int | None = None
    tag_count: int | None = None
    updated: int | None = None
    is_dated: bool = False


@dataclass(frozen=True, slots=True)
class ListedTag:
    """One tag on the page of a model's tags. `digest` has 12 hex digits; size in bytes, of two digits."""

    tag: str
    digest: str | None = None
    size: int | None = None
    context: int | None = None
    inputs: frozenset[str] = frozenset()

    @property
    def is_cloud(self) -> bool:
        """Whether it runs at ollama.com: nothing of it can be pulled but a stub."""
        return self.tag == "cloud" or self.tag.endswith("-cloud")


def is_to_read(series: Series | None, card: Card, read_at: int | None) -> bool:
    """Whether a model's tags must be read: it is new, or may have changed since `read_at` (UTC ms)."""
    if series is None or not series.tags or read_at is None:
        return True
    if card.tag_count is not None and card.tag_count != len(series.tags):
        return True
    return card.updated is None or card.updated >= read_at


def merged_series(
    known: Series | None,
    card: Card,
    rank: int,
    tags: tuple[Tag, ...] | None,
    *,
    at: str,
    source: str,
) -> Series:
    """A model as the library lists it now; `tags` are its tags anew, None where they were not read.

    Descriptions, lineage and use cases of a known model are kept, a new one has none. `at` (ISO 8601) and
    `source` say when and where its tags were read.
    """
    if known is None:
        url = f"https://ollama.com/library/{card.name}"
        known = Series(card.name, (), capabilities=_capabilities(card), default_tag="", url=url)
    series = replace(
        known,
        capabilities=known.capabilities | card.capabilities,
        pulls=known.pulls if card.pulls is None else card.pulls,
        rank=rank,
        updated=iso(card.updated) if card.is_dated else known.updated,
        missed=0,
    )
    if tags is None:
        return series
    kept = {tag.digest for tag in known.tags} & {tag.digest for tag in tags} - {None}
    contexts = [tag.context for tag in tags if tag.context is not None]
    return replace(
        series,
        tags=tags,
        default_tag=_default_tag(known.default_tag, tags),
        context=max(contexts, default=known.context),
        license=series.license if kept or not known.tags else None,
        commercial=series.commercial if kept or not known.tags else None,
        shapes=_still_true(known, tags),
        as_of=at,
        source=source,
    )


def missed_series(known: Series) -> Series:
    """A model that the page of all models does not list: kept, and counted."""
    return replace(known, missed=known.missed + 1)


def merged_tags(
    known: Series | None, listed: Sequence[ListedTag], fresh: Mapping[str, Tag]
) -> tuple[Tag, ...]:
    """A model's tags by what the page lists: facts follow the digest, never the name alone.

    `fresh` are the listed tags by their names with what can be told from names and the page alone: they
    stand where the digest is new. A name without facts takes those of another name of the same digest.
    """
    by_name = {tag.tag: tag for tag in known.tags} if known else {}
    by_digest: dict[str, Tag] = {}
    for tag in (*by_name.values(), *fresh.values()):
        if tag.digest and (tag.digest not in by_digest or _facts(tag) > _facts(by_digest[tag.digest])):
            by_digest[tag.digest] = tag
    found: dict[str, Tag] = {}
    for row in listed:
        same_name = by_name.get(row.tag)
        if same_name is not None and same_name.digest == row.digest:
            found[row.tag] = same_name
        elif row.digest in by_digest:
            found[row.tag] = by_digest[row.digest]._replace(series=fresh[row.tag].series, tag=row.tag)
        else:
            found[row.tag] = fresh[row.tag]
    return tuple(found.values())


def _facts(tag: Tag) -> int:
    """How much is known of a tag."""
    return sum(fact is not None for fact in (tag.quantization, tag.parameters, tag.weights))


def _default_tag(before: str, tags: Sequence[Tag]) -> str:
    listed = [tag.tag for tag in tags]
    return next((tag for tag in ("latest", before, *listed) if tag in listed), before)


def _capabilities(card: Card) -> frozenset[str]:
    return frozenset() if "embedding" in card.capabilities else frozenset({"completion"})


def _still_true(known: Series, tags: Sequence[Tag]) -> tuple[Shape, ...]:
    """The shapes by size that hold on: those of a size of which some tag is what it was."""
    before = {tag.digest for tag in known.tags if tag.digest}
    sizes = {tag.parameter_size.casefold() for tag in tags if tag.digest in before and tag.parameter_size}
    return tuple(shape for shape in known.shapes if shape.size.casefold() in sizes)
