"""Names people type: what is meant is said before anything happens, and what a registry has wins."""

import pytest
from demo_stage import AVAILABLE, CHAT, Opener, Place

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel
from modeltui.domain.names import parse
from modeltui.errors import InvalidName, NoSuchModel
from modeltui.services.inspecting import Inspecting
from modeltui.services.meaning import Meant, meant_to_pull, near_in_catalog

LLAMA = DemoModel("llama3.1:8b", "llama", 2_000_000)
ODD = DemoModel("llama3.1:13b", "odd", 2_000_000)


async def pulled(place: Place, *typed: str) -> list[Meant]:
    return list(await meant_to_pull(place.services, typed, place.link))


async def test_a_name_that_is_no_tag_becomes_the_one_that_is_meant(place: Place) -> None:
    (meant,) = await pulled(place, "llama3.1:8b-instruct")
    assert meant.name.short == "llama3.1:8b" and meant.is_other
    assert "llama3.1:8b-instruct is no tag" in meant.words and "llama3.1:8b" in meant.words


async def test_a_size_that_is_none_names_its_neighbours(place: Place) -> None:
    with pytest.raises(NoSuchModel) as told:
        await pulled(place, "chat", "llama3.1:13b")
    assert {"llama3.1:8b", "llama3.1:70b"} <= set(told.value.alternatives)
    assert "llama3.1:8b" in (told.value.remedy or "")


async def test_what_the_registry_has_is_pulled_as_typed(open_place: Opener) -> None:
    place = await open_place(available=(*AVAILABLE, ODD))
    (meant,) = await pulled(place, "llama3.1:13b")
    assert meant == Meant(parse("llama3.1:13b"))


async def test_where_no_registry_is_asked_the_catalog_s_word_counts(open_place: Opener) -> None:
    place = await open_place("[registry]\nlookup = false\n", available=(*AVAILABLE, ODD))
    (meant,) = await pulled(place, "llama3.1:8b-instruct")
    assert meant.name.short == "llama3.1:8b"
    with pytest.raises(NoSuchModel):
        await pulled(place, "llama3.1:13b")


async def test_a_registry_that_is_away_is_no_word_against_the_catalog(open_place: Opener) -> None:
    place = await open_place(registry="http://127.0.0.1:1")
    (meant,) = await pulled(place, "llama3.1:8b-instruct")
    assert meant.name.short == "llama3.1:8b"


async def test_what_nobody_knows_is_tried_as_typed(place: Place) -> None:
    typed = ("fresh", "someone/their-model:7b", "hf.co/a/b:Q4_K_M", "llama3.1:8b", "chat")
    found = await pulled(place, *typed)
    assert [meant.name.short for meant in found] == [
        *("fresh:latest", "someone/their-model:7b", "hf.co/a/b:Q4_K_M", "llama3.1:8b", "chat:latest")
    ]
    assert not any(meant.is_other for meant in found)


async def test_a_slip_is_tried_with_what_is_near(place: Place) -> None:
    (meant,) = await pulled(place, "lama3.1:8b")
    assert meant.name.short == "lama3.1:8b" and "llama3.1:8b" in meant.near
    assert "llama3.1:8b" in await near_in_catalog(place.services, parse("lama3.1:8b"))
    assert await near_in_catalog(place.services, parse("hf.co/a/lama3.1:8b")) == ()


async def test_what_is_installed_is_exact_whatever_the_catalog_says(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, ODD))
    (meant,) = await pulled(place, "llama3.1:13b")
    assert meant.name.short == "llama3.1:13b" and not meant.is_other


async def test_no_name_at_all_is_told(place: Place) -> None:
    with pytest.raises(InvalidName):
        await pulled(place, "chat", "a b")


async def test_a_server_that_cannot_list_does_not_hinder_it(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/tags", value=500, times=None)
    (meant,) = await pulled(place, "llama3.1:8b-instruct")
    assert meant.name.short == "llama3.1:8b"


async def test_show_and_switch_take_the_installed_one_that_is_meant(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, LLAMA))
    facts = await Inspecting(place.services, place.link).inspect("llama3.1:8b-instruct")
    assert facts.entry.model.shown == "llama3.1:8b"
    assert "llama3.1:8b-instruct is no tag" in place.told[-1]
    assert (await place.switching.facts("llama3.1:8b-instruct")).model.shown == "llama3.1:8b"
    assert "switched to" in place.told[-1]


@pytest.mark.parametrize(
    ("typed", "words", "near"),
    [
        ("llama3.1:8b-instruct", "llama3.1:8b", "llama3.1:8b"),
        ("llama3.1:13b", "has no 13b", "llama3.1:8b"),
        ("lama3.1:8b", "not installed", "llama3.1:8b"),
    ],
)
async def test_what_is_not_installed_names_what_would_be_pulled(
    place: Place, typed: str, words: str, near: str
) -> None:
    for work in (Inspecting(place.services, place.link).inspect, place.switching.facts):
        with pytest.raises(NoSuchModel, match=words) as told:
            await work(typed)
        assert near in told.value.alternatives and near in (told.value.remedy or "")


async def test_what_a_bare_name_stands_for_is_said_where_it_is_not_installed(place: Place) -> None:
    for work in (Inspecting(place.services, place.link).inspect, place.switching.facts):
        with pytest.raises(NoSuchModel, match=r"not installed.*; mixtral:latest is mixtral:8x7b \(8X7B, "):
            await work("mixtral")


async def test_what_neither_knows_is_told_as_ever(place: Place) -> None:
    with pytest.raises(NoSuchModel, match="nothing-like-it:latest is not installed"):
        await place.switching.facts("nothing-like-it")
