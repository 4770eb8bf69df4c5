"""Which rows of the catalog stand in the table: series, their tags, words, orders, and what is installed."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from catalogs import shipped
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.series import Series, Tag, catalog_of
from modeltui.domain.layout import cells
from modeltui.domain.machines.machine import KnownMachine, Machine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.models import Model, ModelState
from modeltui.domain.names import parse as named
from modeltui.domain.transfers import Transfer
from modeltui.services.advice import Advice, Circumstance
from modeltui.services.browsing import numbers_of
from modeltui.services.library import Entry
from modeltui.services.offers import Order
from modeltui.store.queue import QueuedTransfer
from modeltui.tui.catalogsearch import Search
from modeltui.tui.catalogview import Shelf, shelf_of
from modeltui.tui.holdings import Holdings
from modeltui.tui.offerrows import cells_of, fit_of, name_line, state_words

D = [f"{number:012x}" for number in range(1, 9)]
GB = 10**9
ALPHA = Series(
    "alpha",
    (
        Tag("alpha", "latest", D[0], 5 * GB, parameters=8 * GB, parameter_size="8B", quantization="Q4_K_M"),
        Tag("alpha", "8b", D[0], 5 * GB, parameters=8 * GB, parameter_size="8B", quantization="Q4_K_M"),
        Tag("alpha", "8b-q8_0", D[1], 9 * GB, parameters=8 * GB, parameter_size="8B", quantization="Q8_0"),
        Tag("alpha", "70b", D[2], 42 * GB, parameters=70 * GB, parameter_size="70B", quantization="Q4_K_M"),
    ),
    license="Apache-2.0",
    capabilities=frozenset({"completion", "tools"}),
    pulls=1000,
    released="2025-01",
)
BETA = Series(
    "beta",
    (
        Tag("beta", "1b", D[3], 1 * GB, parameters=GB, parameter_size="1B", quantization="Q4_K_M"),
        Tag("beta", "1b-mlx", D[4], 2 * GB, parameters=GB, parameter_size="1B", is_apple_only=True),
    ),
    default_tag="1b",
    pulls=10,
    released="2026-01",
)
GAMMA = Series("gamma", (Tag("gamma", "cloud", D[5], None, is_cloud=True),), default_tag="cloud", pulls=1)
CATALOG = catalog_of([ALPHA, BETA, GAMMA], "2026-08-21T00:00:00Z")
MACHINE = parse_hardware("24GB+64GB")


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return shelf_of(CATALOG)


def circumstance(machine: Machine | None = MACHINE) -> Circumstance:
    return Circumstance(KnownMachine(machine, "here", "" if machine else "nobody knows"), catalog=CATALOG)


def judged(search: Search, machine: Machine | None = MACHINE) -> None:
    """Judge all rows for real."""
    told: list[None] = []
    asyncio.run(search.judged.judge(circumstance(machine), search.view, lambda: told.append(None)))
    assert told == [None]
    search.judged_anew()


def names(search: Search) -> list[str]:
    return [search.shelf.rows[place].key for place in search.view]


def entry(name: str, digest: str, **facts: object) -> Entry:
    model = Model(name, name, named(name), digest=digest + "0" * 52)
    found = Entry(model, ModelState.NOT_LOADED, None, False, None, None, None, None, None, None, None)
    return replace(found, **facts)  # type: ignore[arg-type]


# --- series and tags --------------------------------------------------------------------------------


def test_without_words_each_series_is_one_row_named_by_its_default(shelf: Shelf) -> None:
    assert names(Search(shelf)) == ["alpha:8b", "beta:1b", "gamma:cloud"]
    lead = shelf.rows[Search(shelf).view[0]]
    assert (lead.tags, lead.is_lead, lead.offer.also) == (3, True, ("latest",))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("alpha", ["alpha:8b"]),  # all of it: the words say nothing about its tags
        ("q4", ["alpha:8b", "alpha:70b", "beta:1b"]),
        ("q8_0", ["alpha:8b-q8_0"]),
        (">50b", ["alpha:70b"]),
        ("<6gb", ["alpha:8b", "beta:1b"]),  # both tags of beta are smaller: one row
        ("license:apache tools", ["alpha:8b"]),
        ("cloud", ["gamma:cloud"]),
        ("latest", ["alpha:8b"]),  # found by its other names
        ("nothing-like-it", []),
    ],
)
def test_words_that_choose_tags_show_them_beneath_their_series(
    shelf: Shelf, words: str, shown: list[str]
) -> None:
    search = Search(shelf)
    search.look_for(words)
    assert names(search) == shown


def test_a_series_is_unfolded_lead_first_and_folded_again(shelf: Shelf) -> None:
    search = Search(shelf)
    lead = shelf.rows[search.view[0]]
    assert search.can_unfold(lead)
    search.unfold(lead, True)
    assert names(search) == ["alpha:8b", "alpha:8b-q8_0", "alpha:70b", "beta:1b", "gamma:cloud"]
    search.sort(Order.SIZE)
    assert names(search)[0] == "beta:1b"
    assert names(search)[1:4] == ["alpha:8b", "alpha:8b-q8_0", "alpha:70b"]
    search.unfold(lead, False)
    assert names(search) == ["beta:1b", "alpha:8b", "gamma:cloud"]
    assert not search.has_opened


def test_only_a_whole_series_of_several_can_be_unfolded(shelf: Shelf) -> None:
    search = Search(shelf)
    search.look_for("q4")
    assert not search.can_unfold(shelf.rows[search.view[0]])
    search.look_for("")
    assert not search.can_unfold(shelf.rows[search.view[2]])  # gamma has one download


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (Order.POPULARITY, "alpha:8b"),
        (Order.SIZE, "beta:1b"),
        (Order.DATE, "beta:1b"),
        (Order.FIT, "beta:1b"),
    ],
)
def test_orders(shelf: Shelf, order: Order, first: str) -> None:
    search = Search(shelf)
    judged(search, parse_hardware("4GB+64GB"))  # alpha is split there
    search.sort(order)
    assert names(search)[0] == first
    assert names(search)[-1] == "gamma:cloud"  # its size, date and fit are unknown, its pulls the fewest


def test_in_any_order_the_rows_of_a_series_stand_together() -> None:
    search = Search(shelf_of(shipped()))
    search.look_for("q8_0 <9gb")
    for order in Order:
        search.sort(order)
        groups = [search.shelf.rows[place].group for place in search.view]
        changes = sum(one != other for one, other in pairwise(groups))
        assert changes == len(set(groups)) - 1
        assert sorted(search.view) == search.matched


WORDS = st.lists(
    st.sampled_from(["q4", "8b", "alpha", "bet", "<6gb", ">2b", "tools", "cloud", "a", "license:apache"]),
    max_size=3,
).map(" ".join)


@given(typed=WORDS, order=st.sampled_from(Order), opened=st.sets(st.integers(0, 2)))
def test_every_series_that_matches_is_seen_and_nothing_else(
    typed: str, order: Order, opened: set[int]
) -> None:
    shelf = shelf_of(CATALOG)
    search, step = Search(shelf), Search(shelf, order=order)
    for group in opened:
        step.unfold(shelf.rows[shelf.leads[group]], True)
    for end in range(len(typed) + 1):  # letter by letter must find what the whole does
        step.look_for(typed[:end])
    search.look_for(typed)
    assert step.matched == search.matched
    assert set(step.view) <= set(step.matched)
    assert len(set(step.view)) == len(step.view)
    assert {shelf.rows[p].group for p in step.view} == {shelf.rows[p].group for p in step.matched}


# --- how each would run -----------------------------------------------------------------------------


def test_fit_words_find_rows_once_they_are_judged(shelf: Shelf) -> None:
    search = Search(shelf)
    search.look_for("fits")
    assert names(search) == []
    assert not search.judged.is_whole
    judged(search)
    assert search.judged.is_whole
    assert names(search) == ["alpha:8b", "beta:1b"]  # cloud runs elsewhere
    found = search.judged.numbers[0]
    assert found is not None and found.needs is not None
    gib = found.needs / 2**30
    search.look_for(f"vram<{gib - 0.1:.1f}")
    assert names(search) == ["beta:1b"]
    search.look_for(f"vram<{gib + 0.1:.1f}")
    assert names(search) == ["alpha:8b", "beta:1b"]
    search.look_for("fit:gpu >50b")
    assert names(search) == []


def test_numbers_are_those_of_the_advice(shelf: Shelf) -> None:
    search, advice = Search(shelf), Advice(circumstance())
    judged(search)
    for row in shelf.rows:
        assert search.judged.numbers[row.place] == numbers_of(advice, row.offer.tag)


def test_without_a_machine_the_need_is_known_and_no_fit(shelf: Shelf) -> None:
    search = Search(shelf)
    judged(search, None)
    found = search.judged.numbers[0]
    assert found is not None
    assert (found.kind, found.score) == (FitKind.UNKNOWN, None)
    assert found.needs is not None and found.needs > 4 * GB
    search.look_for("fits")
    assert names(search) == []
    search.look_for("vram<80")
    assert "alpha:70b" in names(search) or "alpha:8b" in names(search)


# --- what is installed ------------------------------------------------------------------------------


def transfer(name: str) -> QueuedTransfer:
    return QueuedTransfer(1, 1, 1, 0, 0, None, Transfer(named(name)))


def test_installed_by_digest_by_name_and_in_another_version(shelf: Shelf) -> None:
    rows = {row.key: row for row in shelf.rows}
    held = Holdings(
        shelf, [entry("copy:latest", D[2]), entry("alpha:latest", D[0]), entry("beta:1b", "f" * 12)]
    )
    assert held.places == {rows["alpha:70b"].place, rows["alpha:8b"].place, rows["beta:1b"].place}
    assert held.entry_of(rows["alpha:70b"]).model.sent == "copy:latest"  # type: ignore[union-attr]
    assert not held.is_other_version(rows["alpha:8b"])
    assert held.is_other_version(rows["beta:1b"])
    assert state_words(rows["beta:1b"], held) == ["installed", "in another version than the catalog's"]


def test_of_several_with_one_digest_the_one_of_its_name_counts(shelf: Shelf) -> None:
    row = shelf.find("ALPHA:8B")
    assert row is not None
    for entries in (
        [entry("copy:1", D[0]), entry("alpha:8b", D[0])],
        [entry("alpha:8b", D[0]), entry("copy:1", D[0])],
    ):
        found = Holdings(shelf, entries).entry_of(row)
        assert found is not None and found.model.sent == "alpha:8b"


def test_the_word_installed_follows_what_is_installed(shelf: Shelf) -> None:
    search = Search(shelf)
    search.look_for("installed")
    assert names(search) == []
    assert search.hold(Holdings(shelf, [entry("beta:1b", D[3])]).places)
    assert names(search) == ["beta:1b"]
    assert search.hold(frozenset())
    assert names(search) == []
    search.look_for("")
    assert not search.hold(frozenset({0}))  # no row moves for it


def test_marks(shelf: Shelf) -> None:
    row = shelf.find("alpha:8b")
    assert row is not None

    def mark(*entries: Entry, pulls: tuple[QueuedTransfer, ...] = ()) -> str:
        cell = cells_of(row, None, Holdings(shelf, entries, pulls), None, name_width=20)["mark"]
        return str(cell[0][0]).strip()

    assert mark() == ""
    assert mark(entry("alpha:8b", D[0])) == "○"
    assert mark(entry("alpha:8b", D[0], is_current=True)) == "●"
    assert mark(entry("alpha:8b", D[0], newer=object())) == "▲"
    assert mark(pulls=(transfer("alpha:8b"),)) == "↓"


# --- cells ------------------------------------------------------------------------------------------


def test_a_format_for_macs_has_no_fit_elsewhere() -> None:
    tag = BETA.tags[1]
    advice = Advice(circumstance())
    assert fit_of(tag, numbers_of(advice, tag), MACHINE) == (("mac only", "dim"),)
    mac = parse_hardware("m2 max 64GB")
    there = Advice(circumstance(mac))
    assert numbers_of(advice, tag).kind is FitKind.NO
    assert numbers_of(there, tag).kind is not FitKind.NO
    assert fit_of(tag, numbers_of(there, tag), mac)[0][0].strip() in ("gpu", "unknown", "—")


@given(width=st.integers(8, 50))
def test_a_name_never_loses_its_tag_before_its_series(width: int) -> None:
    tag = Tag("a-series-with-a-long-name", "8b-instruct-q4_K_M")
    line = name_line(tag, width, is_lead=False)
    text = "".join(part for part, _ in line)
    assert cells(text) <= width
    if width >= len(tag.tag) + 3:
        assert text.endswith(":" + tag.tag)


def test_the_shipped_catalog_has_a_row_for_every_tag() -> None:
    shelf = shelf_of(shipped())
    for series in shipped().series.values():
        for tag in series.tags:
            row = shelf.find(tag.name)
            assert row is not None and tag.tag in row.offer.tags
    assert sum(shelf.counts) == len(shelf.rows)
    assert {shelf.rows[lead].tags for lead in shelf.leads} >= {1}
