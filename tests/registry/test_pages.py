"""What is read of the live library's pages, written by hand as the site writes them."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libsite import SiteModel, SiteTag, library_page, tags_page

from modeltui.domain.catalog.merging import ListedTag
from modeltui.registry.pages import read_cards, read_tags
from modeltui.text import is_clean_line

NOW = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * 1000
DAY = 24 * 3_600_000
LLAMA = SiteModel(
    "llama3.1",
    [
        SiteTag("latest", "46e0c10c039e"),
        SiteTag("8b", "46e0c10c039e"),
        SiteTag("70b-instruct-q4_0-abcdef012345", "711a9e8463af", "43GB", "125K"),
        SiteTag("8b-128k", "a80c4f17acd5", "986MB", "0.5K", "Text, Image"),
        SiteTag("big", "365c0bd3c000", "1.1TB", "1M"),
        SiteTag("120b-cloud", "569662207105", "-", "128K"),
    ],
)


def test_a_card() -> None:
    card, other = read_cards(library_page([LLAMA, SiteModel("nomic", [], chips=("embedding", "cloud"))]), NOW)
    assert (card.name, card.capabilities, card.tag_count) == ("llama3.1", frozenset({"tools"}), 6)
    assert card.pulls == 118_700_000
    assert card.updated == int(datetime(2024, 7, 30, 1, 2, 59, tzinfo=UTC).timestamp()) * 1000 + 999
    assert (other.name, other.capabilities, other.tag_count) == ("nomic", frozenset({"embedding"}), 0)


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("3 weeks ago", 21),
        ("1 year ago", 365),
        ("an hour ago", 1 / 24),
        ("about 5 hours ago", 5 / 24),
        ("12 months ago", 360),
        ("yesterday", 0),
        ("one fine day", None),
        ("", None),
    ],
)
def test_when_it_may_have_changed_last(words: str, days: float | None) -> None:
    model = SiteModel("one", [], updated=words, updated_title=None, description="")
    (card,) = read_cards(library_page([model, SiteModel("next", [])]), NOW)[:1]
    assert card.updated == (None if days is None else NOW - round(days * DAY))


@pytest.mark.parametrize("title", ["Feb 30, 2024 1:02 AM UTC", "Foo 3, 2024 1:02 AM UTC"])
def test_a_date_that_is_none(title: str) -> None:
    model = SiteModel("one", [], updated="", updated_title=title, description="")
    assert read_cards(library_page([model, SiteModel("next", [])]), NOW)[0].updated is None


@pytest.mark.parametrize(("pulls", "count"), [("2.5K", 2500), ("1,234", 1234), ("77", 77), ("1B", 10**9)])
def test_pulls(pulls: str, count: int) -> None:
    assert (
        read_cards(library_page([SiteModel("one", [], pulls=pulls, description="")]), NOW)[0].pulls == count
    )


def test_rows_of_tags() -> None:
    text = frozenset({"text"})
    assert read_tags(tags_page(LLAMA), "llama3.1") == (
        ListedTag("latest", "46e0c10c039e", 4_900_000_000, 131_072, text),
        ListedTag("8b", "46e0c10c039e", 4_900_000_000, 131_072, text),
        ListedTag("70b-instruct-q4_0-abcdef012345", "711a9e8463af", 43_000_000_000, 128_000, text),
        ListedTag("8b-128k", "a80c4f17acd5", 986_000_000, 512, frozenset({"text", "image"})),
        ListedTag("big", "365c0bd3c000", 1_100_000_000_000, 1_048_576, text),
        ListedTag("120b-cloud", "569662207105", None, 131_072, text),
    )
    assert [row.is_cloud for row in read_tags(tags_page(LLAMA), "llama3.1")] == [False] * 5 + [True]


def test_another_model_s_rows_are_not_its_own() -> None:
    assert read_tags(tags_page(LLAMA), "llama3") == ()
    assert read_cards(tags_page(LLAMA), NOW)[0].name == "llama3.1"


@pytest.mark.parametrize(
    "link",
    [
        *("/library/", "/library/..", "/library/a b", "/library/x/blobs/46e0c10c039e", "/other/x", "//[x"),
        *("https://example.com/library/x", "/library/%1b[31m", "/library/" + "x" * 90, "library/x"),
    ],
)
def test_what_is_no_link_to_a_model(link: str) -> None:
    assert read_cards(f'<a href="{link}">x</a>', NOW) == ()


def test_a_whole_address_is_a_link_to_a_model() -> None:
    assert [card.name for card in read_cards('<a href="https://ollama.com/library/x">x</a>', NOW)] == ["x"]


def test_a_page_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    page = library_page([LLAMA, SiteModel("next", [])])
    for end in range(0, len(page), 97):
        assert len(read_cards(page[:end], NOW)) in (0, 1, 2)


def test_an_endless_page_ends() -> None:
    assert len(read_cards("".join(f'<a href="/library/m{n}">' for n in range(6000)), NOW)) == 5000
    assert len(read_tags("".join(f'<a href="/library/m:{n}">' for n in range(3000)), "m")) == 2000


@given(st.text())
def test_any_text_is_a_page(text: str) -> None:
    for page in (text, f'<a href="/library/x:y">{text}', f'<a href="/library/x" title="{text}">{text}</a>'):
        for card in read_cards(page, NOW):
            assert is_clean_line(card.name)
            assert card.pulls is None or card.pulls >= 0
        for tag in read_tags(page, "x"):
            assert is_clean_line(tag.tag) and (tag.size is None or tag.size >= 0)


@pytest.mark.parametrize(
    "piece",
    ["<", "<!--", "<!-- --", "<![", "<!", "</a ", "<a href='/library/", "<a x=", "<x y='", "<svg>", "</nav>"],
)
def test_hostile_pages_cost_linear_time(piece: str) -> None:
    """html.parser alone takes minutes for some, and raises for others."""
    page = f"<a href='/library/x'>{'<svg>' * 20_000}{piece * 20_000}"
    began = time.process_time()
    read_cards(page, NOW)
    read_tags(f"{page}>{'</nav>' * 20_000}", "x")
    assert time.process_time() - began < 5


def test_text_is_whole_wherever_a_long_page_is_read_in_pieces() -> None:
    models = [SiteModel(f"m{number}", [SiteTag("8b", "46e0c10c039e")]) for number in range(500)]
    page = library_page(models)
    assert len(page) > 3 * 65_536
    cards = read_cards(page, NOW)
    assert {(card.pulls, card.tag_count) for card in cards} == {(118_700_000, 1)}
    assert len(cards) == 500


def test_numbers_beyond_sense_are_unknown() -> None:
    many = "9" * 400
    model = SiteModel(
        "m", [], "", pulls=f"{many}M", updated=f"{many} years ago", updated_title=None, stated=10**9
    )
    (card,) = read_cards(library_page([model]), NOW)
    assert (card.pulls, card.tag_count, card.updated) == (None, None, None)
    (card,) = read_cards(library_page([SiteModel("m", [], "", pulls="9,999,999,999B")]), NOW)
    assert card.pulls is None
    (row,) = read_tags(
        tags_page(SiteModel("m", [SiteTag("x", "46e0c10c039e", f"{many}GB", f"{many}K")])), "m"
    )
    assert (row.size, row.context) == (None, None)
