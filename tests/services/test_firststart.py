"""What an empty server is offered, and a server that is brought up."""

import pytest
from demo_stage import Opener, Place  # type: ignore[import-not-found, unused-ignore]  # beside us

from modeltui.domain.advice.tasks import Task
from modeltui.errors import UsageError
from modeltui.services.firststart import offer_words, offered
from modeltui.services.recommending import histories_of, recommending_of, wish_of
from modeltui.store.journal import Origin

HARDWARE = '[servers.demo.hardware]\ngpus = ["8GB"]\nram = "16GB"\n'


async def test_an_offer_names_its_size_its_needs_and_why(place: Place) -> None:
    row = await offered(place.services, place.link, "8GB+16GB")
    assert row is not None
    words = offer_words(row)
    assert row.name in words and "to pull" in words and "needs" in words and row.why in words
    assert row.candidate.series is not None and row.candidate.series.role != "embedding"


async def test_what_is_asked_counts_before_what_is_configured(open_place: Opener) -> None:
    place = await open_place('[recommend]\ntask = "coding"\npriority = "quality"\ncontext = "4k"\n')
    wish = wish_of(place.services)
    assert (wish.task, wish.priority.value, wish.context, wish.least_tokens) == (
        Task.CODING,
        "quality",
        4096,
        5.0,
    )
    assert wish_of(place.services, task=Task.VISION, context=8192).context == 8192


async def test_an_offer_can_become_current_whatever_is_configured(open_place: Opener) -> None:
    place = await open_place('[recommend]\ntask = "embedding"\n')
    row = await offered(place.services, place.link, "8GB+16GB")
    assert row is not None and row.suitability.task is Task.GENERAL


async def test_nothing_fits_nothing_is_offered(place: Place) -> None:
    assert await offered(place.services, place.link, "none+0.1GB") is None


async def test_hardware_that_cannot_be_read_is_said(place: Place) -> None:
    with pytest.raises(UsageError):
        await offered(place.services, place.link, "a lot")


async def test_without_a_server_the_catalog_is_enough(place: Place) -> None:
    row = await offered(place.services, None, "24GB+64GB")
    assert row is not None


async def test_how_models_worked_here_is_read_from_the_activity(place: Place) -> None:
    services, link = place.services, place.link
    for error in (None, None, "out of memory"):
        services.store.journal.add(
            at=1, user="me", origin=Origin.COMMAND, server_id=link.id, action="load", subject="a", error=error
        )
    services.log(link, "copy", "a")
    found = histories_of(services, link)
    assert found["a"] == (3, 1)
    assert histories_of(services, None) == {}


async def test_scores_of_the_catalog_are_handed_on(place: Place) -> None:
    first = await recommending_of(place.services, place.link, "8GB+16GB")
    second = await recommending_of(place.services, place.link, "24GB", quality=first.quality)
    assert second.quality is first.quality
