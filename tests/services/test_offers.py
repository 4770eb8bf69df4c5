"""Rows of what could be pulled: each download once, found by the words of the filter, in four orders."""

import time
from dataclasses import replace

import pytest

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.series import Catalog, Series, Tag, catalog_of
from modeltui.domain.models import Model
from modeltui.domain.names import parse as named
from modeltui.domain.query import parse, select
from modeltui.services.advice import Numbers
from modeltui.services.filtering import capabilities_of, standing_of, subject_of_tag
from modeltui.services.offers import Offers, Order, matching, offers_of, ordered, standings_of

GIB = 2**30
D1, D2, D3, D4 = ("46e0c10c039e", "711a9e8463af", "a80c4f17acd5", "365c0bd3c000")
SEER = Series(
    "seer3",
    (
        Tag("seer3", "latest", D1, 3_300_000_000, True, quantization="Q4_K_M", parameter_size="4B",
            parameters=4_000_000_000, context=131_072, inputs=frozenset({"text", "image"})),
        Tag("seer3", "4b", D1, 3_300_000_000, True, quantization="Q4_K_M", parameter_size="4B",
            parameters=4_000_000_000, inputs=frozenset({"text", "image"})),
        Tag("seer3", "1b", D2, 815_000_000, quantization="Q4_K_M", parameter_size="1B",
            parameters=1_000_000_000, inputs=frozenset({"text"})),
        Tag("seer3", "cloud", D3, None, is_cloud=True),
    ),
    publisher="Google",
    description="Multilingual models that read images.",
    capabilities=frozenset({"completion", "vision"}),
    license="Gemma Terms of Use",
    role="chat",
    released="2025-03",
)  # fmt: skip
CODER = Series(
    "writer",
    (Tag("writer", "32b", D4, 19_900_000_000, quantization="Q8_0", parameter_size="32B",
         parameters=32_000_000_000),),
    capabilities=frozenset({"completion", "tools"}),
    license="Apache-2.0",
    role="code",
    updated="2026-03",
)  # fmt: skip
GONE = replace(CODER, name="gone", tags=(Tag("gone", "latest", "0" * 12, 5),), missed=2)
CATALOG = catalog_of([SEER, CODER, GONE], "2026-08-21T22:59:52Z")


def numbers(tag: Tag) -> Numbers:
    """A machine on which 4 GB fit."""
    size = tag.size or 0
    kind = FitKind.GPU if size < 4_000_000_000 else FitKind.NO
    score = 90 - size // 10**8 if kind is FitKind.GPU else 0
    return Numbers(kind, score, size + GIB, 0, None, False, 4096, ())


@pytest.fixture(scope="module")
def offers() -> Offers:
    return offers_of(CATALOG)


def test_each_download_is_one_row_under_its_plainest_name(offers: Offers) -> None:
    assert [(row.tag.name, row.also) for row in offers.rows] == [
        ("seer3:4b", ("latest",)),
        ("seer3:1b", ()),
        ("seer3:cloud", ()),
        ("writer:32b", ()),
    ]
    assert [offers.rows[place].tag.name for place in offers.defaults()] == ["seer3:4b", "writer:32b"]
    assert [row.type for row in offers.rows] == ["general", "general", "general", "code"]
    assert [row.purpose for row in offers.rows] == ["speed", "speed", None, "quality"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("seer", "4b 1b cloud"),
        ("latest", "4b"),
        ("google", "4b 1b cloud"),
        ("multilingual", "4b 1b cloud"),
        ("vision", "4b cloud"),
        ("tools", "32b"),
        ("<1gb", "1b"),
        (">1b", "4b 32b"),
        ("q4", "4b 1b"),
        ("32b", "32b"),
        ("type:code", "32b"),
        ("purpose:speed", "4b 1b"),
        ("license:apache", "32b"),
        ("license:gemma 1b", "1b"),
        ("cloud", "cloud"),
        ("installed", "1b"),
        ("fits", "4b 1b"),
        ("fit:no", "32b"),
        ("vram<4", "1b"),
        ("vram<=4.1 vision fits", "4b"),
        ("fits installed q4 <1gb", "1b"),
        ("gone", ""),
    ],
)
def test_what_finds_a_row(offers: Offers, text: str, names: str) -> None:
    installed = [Model("seer3:1b", "seer3:1b", named("seer3:1b"), D2 + "0" * 52)]
    found = matching(offers, parse(text), installed, numbers)
    assert " ".join(offers.rows[place].tag.tag for place in found) == names
    standings = standings_of(offers, installed, numbers)
    assert select(parse(text), offers.subjects, range(len(offers.rows)), standings) == found


def test_only_what_matches_otherwise_is_judged(offers: Offers) -> None:
    judged = []

    def watched(tag: Tag) -> Numbers:
        judged.append(tag.tag)
        return numbers(tag)

    matching(offers, parse("q4 1b fits"), (), watched)
    assert judged == ["1b"]
    matching(offers, parse("q4 1b"), (), watched)
    assert judged == ["1b"]


def test_a_name_alone_is_installed_too(offers: Offers) -> None:
    older = [Model("seer3:latest", "seer3:latest", named("seer3:latest"), "f" * 64)]
    assert [offers.rows[p].tag.tag for p in matching(offers, parse("installed"), older, numbers)] == ["4b"]
    same = [Model("mine:1", "mine:1", named("mine:1"), D4 + "0" * 52)]
    assert [offers.rows[p].tag.tag for p in matching(offers, parse("installed"), same, numbers)] == ["32b"]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (Order.POPULARITY, "4b 1b cloud 32b"),
        (Order.SIZE, "1b 4b 32b cloud"),
        (Order.DATE, "32b 4b 1b cloud"),
        (Order.FIT, "1b 4b 32b cloud"),
    ],
)
def test_orders(offers: Offers, order: Order, names: str) -> None:
    def known(tag: Tag) -> Numbers:
        return numbers(tag)._replace(kind=FitKind.UNKNOWN, score=None) if tag.is_cloud else numbers(tag)

    places = ordered(offers, [3, 2, 1, 0], order, known)
    expected = names.split()
    if order is Order.DATE:
        assert [offers.rows[place].tag.tag for place in ordered(offers, range(4), order, known)] == expected
    else:
        assert [offers.rows[place].tag.tag for place in places] == expected


def test_a_chip_is_no_fact_of_each_tag() -> None:
    catalog = load_base(None)
    found = catalog.find("gemma3:1b")
    assert found is not None and "vision" in found[0].capabilities
    assert "vision" not in capabilities_of(*found)
    assert not parse("vision").matches(subject_of_tag(*found))
    assert parse("fits").asks_for_fit and standing_of(is_installed=False).words == frozenset()


@pytest.fixture(scope="module")
def bundled() -> Catalog:
    return load_base(None)


def test_a_keystroke_over_the_whole_catalog_takes_little(bundled: Catalog) -> None:
    """Measured below 2.2 ms each over 7,312 tags; the bound leaves room for a machine that is busy."""
    offers = offers_of(bundled)
    assert len(offers.rows) > 6_000
    standings = standings_of(offers, (), numbers)
    everything = range(len(offers.rows))
    for text in ("llama", "q4", "vision", "<8gb", ">7b", "vram<8", "fits", "type:code", "license:apache"):
        query, taken = parse(text), []
        for _ in range(5):
            began = time.process_time()
            assert select(query, offers.subjects, everything, standings), text
            taken.append(time.process_time() - began)
        assert min(taken) < 0.015, text


def test_every_series_of_the_bundled_catalog_has_a_row(bundled: Catalog) -> None:
    offers = offers_of(bundled)
    assert {row.series.name for row in offers.rows} == {series.name for series in bundled.series.values()}
    assert len(offers.defaults()) == len(bundled.series)
    tags = sum(len(row.tags) for row in offers.rows)
    assert tags == sum(len(series.tags) for series in bundled.series.values())


def test_a_default_without_a_size_is_what_the_name_stands_for() -> None:
    """An alias such as `v1.5` may be unknown to another registry; a size is what people look for."""
    digest = "0a109f422b47"
    tags = [Tag("embedder", name, digest, 274 * 10**6) for name in ("v1.5", "137m-v1.5-fp16", "latest")]
    (row,) = offers_of(catalog_of([Series("embedder", tuple(tags))])).rows
    assert (row.tag.name, row.also) == ("embedder:latest", ("v1.5", "137m-v1.5-fp16"))
    own = Series("embedder", tuple(tags), default_tag="v1.5")
    assert offers_of(catalog_of([own])).rows[0].tag.tag == "v1.5"
    sized = Series("embedder", (*tags, Tag("embedder", "137m", digest, 274 * 10**6)))
    assert offers_of(catalog_of([sized])).rows[0].tag.tag == "137m"
