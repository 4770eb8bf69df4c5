"""What the live library lists is merged by digest: facts stay with what they were found about."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.catalog.merging import (
    Card,
    ListedTag,
    is_to_read,
    merged_series,
    merged_tags,
    missed_series,
)
from modeltui.domain.catalog.series import Series, Shape, Tag

OLD = "46e0c10c039e"
NEW = "711a9e8463af"
EIGHT = Tag(
    "llama3.1",
    "8b-instruct-q4_K_M",
    OLD,
    4_920_753_328,
    True,
    4_920_738_944,
    quantization="Q4_K_M",
    parameter_size="8B",
    parameters=8_000_000_000,
)
BIG = Tag("llama3.1", "70b", "365c0bd3c000", 42_520_412_561, True, 42_520_398_176, parameter_size="70B")
KNOWN = Series(
    "llama3.1",
    (EIGHT, EIGHT._replace(tag="8b"), BIG),
    description="Our own words.",
    capabilities=frozenset({"completion", "tools"}),
    license="Llama 3.1",
    commercial="conditions",
    default_tag="8b",
    pulls=1,
    rank=9,
    as_of="2026-08-21T22:59:52Z",
    shapes=(Shape("8B", {"n_layers": 32}), Shape("70B", {"n_layers": 80})),
)
CARD = Card("llama3.1", frozenset({"tools", "vision"}), 118_700_000, 3, 1_000, is_dated=True)
AT = "2026-11-21T10:00:00.000Z"


def fresh(*rows: ListedTag) -> dict[str, Tag]:
    return {row.tag: Tag("llama3.1", row.tag, row.digest, row.size, context=row.context) for row in rows}


def merge(*rows: ListedTag, known: Series | None = KNOWN) -> Series:
    tags = merged_tags(known, rows, fresh(*rows))
    return merged_series(known, CARD, 1, tags, at=AT, source="ollama.com")


def test_the_same_digest_keeps_what_is_known_and_a_new_one_clears_it() -> None:
    series = merge(ListedTag("8b", NEW, 5_000_000_000), ListedTag("70b", BIG.digest, 43_000_000_000))
    assert series.tags == (Tag("llama3.1", "8b", NEW, 5_000_000_000), BIG)
    assert series.license == "Llama 3.1"  # the 70b is what it was
    assert [shape.size for shape in series.shapes] == ["70B"]
    assert (series.as_of, series.source) == (AT, "ollama.com")


def test_another_name_of_a_known_digest_is_the_same_model() -> None:
    series = merge(ListedTag("latest", OLD), ListedTag("8b-new", NEW), ListedTag("newest", NEW))
    assert series.tags[0] == EIGHT._replace(tag="latest")
    assert series.default_tag == "latest"


def test_a_short_name_takes_the_facts_of_a_full_one() -> None:
    rows = (ListedTag("new", NEW, 1), ListedTag("new-q8_0", NEW, 1))
    told = fresh(*rows) | {"new-q8_0": Tag("x", "new-q8_0", NEW, 1, quantization="Q8_0", parameter_size="8B")}
    assert [tag.quantization for tag in merged_tags(None, rows, told)] == ["Q8_0", "Q8_0"]
    assert [tag.tag for tag in merged_tags(None, rows, told)] == ["new", "new-q8_0"]


def test_where_nothing_is_left_of_it_the_licence_is_unknown() -> None:
    series = merge(ListedTag("8b", NEW))
    assert (series.license, series.commercial, series.shapes) == (None, None, ())
    assert series.description == "Our own words."


def test_tags_that_were_not_read_stay_and_counts_do_not() -> None:
    series = merged_series(replace(KNOWN, missed=1), CARD, 1, None, at=AT, source="ollama.com")
    assert series.tags == KNOWN.tags and series.as_of == KNOWN.as_of and series.shapes == KNOWN.shapes
    assert (series.pulls, series.rank, series.missed) == (118_700_000, 1, 0)
    assert series.capabilities == {"completion", "tools", "vision"}
    assert series.updated == "1970-01-01T00:00:01.000Z"


@pytest.mark.parametrize(
    ("chips", "capabilities"),
    [({"tools"}, {"tools", "completion"}), ({"embedding"}, {"embedding"}), (set(), {"completion"})],
)
def test_a_new_model_has_its_chips_and_no_prose(chips: set[str], capabilities: set[str]) -> None:
    rows = (ListedTag("1b", NEW, 5, 131_072), ListedTag("2b", OLD, 5, 4096))
    card = Card("fresh", frozenset(chips), None, 2)
    series = merged_series(None, card, 4, merged_tags(None, rows, fresh(*rows)), at=AT, source="x")
    assert (series.description, series.license, series.use_cases) == (None, None, frozenset())
    assert (series.default_tag, series.rank, series.pulls, series.context) == ("1b", 4, None, 131_072)
    assert series.capabilities == capabilities
    assert series.url == "https://ollama.com/library/fresh"


def test_missing_is_counted_and_forgiven() -> None:
    assert missed_series(missed_series(KNOWN)).missed == 2
    assert merged_series(missed_series(KNOWN), CARD, 1, None, at=AT, source="x").missed == 0


@pytest.mark.parametrize(
    ("series", "card", "read_at", "reads"),
    [
        (KNOWN, replace(CARD, updated=999), 1_000, False),
        (KNOWN, replace(CARD, updated=1_000), 1_000, True),
        (KNOWN, replace(CARD, updated=None), 1_000, True),
        (KNOWN, replace(CARD, updated=999, tag_count=4), 1_000, True),
        (KNOWN, replace(CARD, updated=999, tag_count=None), 1_000, False),
        (KNOWN, replace(CARD, updated=999), None, True),
        (replace(KNOWN, tags=()), replace(CARD, updated=999, tag_count=0), 1_000, True),
        (None, replace(CARD, updated=999), 1_000, True),
    ],
)
def test_which_tags_are_read(series: Series | None, card: Card, read_at: int | None, reads: bool) -> None:
    assert is_to_read(series, card, read_at) is reads


DIGESTS = st.none() | st.sampled_from([OLD, NEW, BIG.digest, "0" * 12])
NAMES = st.sampled_from(["latest", "8b", "70b", "8b-instruct-q4_K_M", "1b-cloud"])
ROWS = st.lists(st.builds(ListedTag, NAMES, DIGESTS), max_size=5, unique_by=lambda row: row.tag)


@given(ROWS, st.booleans())
def test_every_listed_tag_is_there_under_its_name_with_its_digest(
    rows: list[ListedTag], is_known: bool
) -> None:
    known = KNOWN if is_known else None
    tags = merged_tags(known, rows, fresh(*rows))
    assert [(tag.series, tag.tag, tag.digest) for tag in tags] == [
        ("llama3.1", row.tag, row.digest) for row in rows
    ]
    of_digest = {tag.digest: tag.weights for tag in KNOWN.tags} if is_known else {}
    for tag in tags:
        assert tag.weights is None or tag.weights == of_digest[tag.digest]
    series = merged_series(known, CARD, 1, tags, at=AT, source="x")
    again = merged_tags(series, rows, fresh(*rows))
    assert again == series.tags
