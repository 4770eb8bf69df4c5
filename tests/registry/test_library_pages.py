"""Fetching the live library from a real socket: few at once, few tries, loud where a page says nothing."""

import asyncio

import pytest
from libsite import Site, SiteModel, SiteTag, serving

from modeltui import errors
from modeltui.domain.catalog.merging import Card, ListedTag
from modeltui.http import USER_AGENT
from modeltui.registry.library import AT_ONCE, TRIES, read_library, read_tags_of

NOW = 1_795_234_803_000
TAGS = [SiteTag("latest", "46e0c10c039e"), SiteTag("8b", "46e0c10c039e")]


def site(count: int = 2, **more: object) -> Site:
    return Site([SiteModel(f"m{number}", TAGS) for number in range(count)], **more)


async def tags_of(site: Site) -> dict[str, tuple[ListedTag, ...] | errors.ServerError]:
    cards = await read_library(site.url, NOW, pause_s=0)
    return {card.name: tags async for card, tags in read_tags_of(cards, site.url, pause_s=0)}


async def test_all_of_it() -> None:
    async with serving(site(9, delay_s=0.02)) as there:
        found = await tags_of(there)
    assert there.asked[0] == "/library"
    assert set(there.asked[1:]) == {f"/library/m{number}/tags" for number in range(9)}
    assert set(there.counts.values()) == {1}
    assert all(isinstance(tags, tuple) and len(tags) == 2 for tags in found.values()) and len(found) == 9
    assert there.agents == {USER_AGENT}
    assert 2 <= there.most_open <= AT_ONCE


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_what_may_pass_is_tried_again(status: int) -> None:
    paths = ("/library", "/library/m0/tags")
    async with serving(site(faults={path: [status] * (TRIES - 1) for path in paths})) as there:
        found = await tags_of(there)
    assert isinstance(found["m0"], tuple)
    assert [there.counts[path] for path in (*paths, "/library/m1/tags")] == [TRIES, TRIES, 1]


async def test_tries_end() -> None:
    async with serving(site(faults={"/library/m0/tags": [500] * TRIES, "/library/m1/tags": [404]})) as there:
        found = await tags_of(there)
    assert isinstance(found["m0"], errors.ServerFailed) and "tags of m0" in found["m0"].message
    assert isinstance(found["m1"], errors.NotFound)
    assert (there.counts["/library/m0/tags"], there.counts["/library/m1/tags"]) == (TRIES, 1)


async def test_a_library_without_links_is_told() -> None:
    async with serving(site(pages={"/library": "<html><body>Sign in, please</body></html>"})) as there:
        with pytest.raises(errors.Garbled, match="links to no model") as told:
            await read_library(there.url, NOW, pause_s=0)
    assert told.value.url == f"{there.url}/library"
    assert there.counts["/library"] == 1


@pytest.mark.parametrize(
    ("tags", "stated", "words"),
    [
        (TAGS, 3, "2 tags of 3"),
        ([], None, "no tag"),
        ([SiteTag("latest", None), SiteTag("8b", None)], None, "no digest"),
    ],
)
async def test_tags_that_are_not_all_there_are_told(
    tags: list[SiteTag], stated: int | None, words: str
) -> None:
    async with serving(Site([SiteModel("m0", tags, stated=stated)])) as there:
        found = await tags_of(there)
    assert isinstance(found["m0"], errors.Garbled) and words in found["m0"].message


async def test_more_tags_than_stated_are_no_harm() -> None:
    async with serving(Site([SiteModel("m0", TAGS, stated=1)])) as there:
        assert isinstance((await tags_of(there))["m0"], tuple)


async def test_a_site_that_is_away() -> None:
    with pytest.raises(errors.Unreachable):
        await read_library("http://127.0.0.1:1", NOW, pause_s=0)


async def test_plain_http_to_another_machine_is_refused() -> None:
    with pytest.raises(errors.Refused, match="plain http"):
        await read_library("http://ollama.example", NOW, pause_s=0)


async def test_who_stops_listening_ends_it() -> None:
    async with serving(site(30, delay_s=0.05)) as there:
        cards = [Card(f"m{number}") for number in range(30)]
        pages = read_tags_of(cards, there.url, pause_s=0)
        assert isinstance((await anext(pages))[1], tuple)
        before = asyncio.all_tasks()
        await pages.aclose()
        assert len(asyncio.all_tasks()) < len(before)
        assert sum(there.counts.values()) < 30
