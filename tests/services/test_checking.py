"""After a pull: what `success` does not prove, looked for, said, kept, marked and pulled once more."""

import json
from dataclasses import replace

import pytest
from demo_stage import CHAT, CLOUD, CODER, FRESH, MB, Opener, Place, until
from queue_stage import (  # type: ignore[import-not-found, unused-ignore]
    carry_out,
    put,
    reach,
    row,
    running,
    state,
)

from modeltui.demo.faults import Kind
from modeltui.demo.library import Manifest, manifest_of
from modeltui.domain.causes import Cause
from modeltui.domain.models import ModelState
from modeltui.domain.names import parse
from modeltui.domain.transfers import CONNECTED, State
from modeltui.store.queue import Attempt

ANNOUNCED = "/v2/library/fresh/manifests/latest"
REWRITTEN = manifest_of(FRESH).raw + b"\n"
"""The same layers, another digest."""


def announce(place: Place, raw: bytes, times: int | None = None) -> None:
    """Let the registry announce this to us, while the server itself pulls what is published."""
    place.trouble(Kind.STATUS, ANNOUNCED, value=[200, raw.decode()], times=times)


async def pulled(place: Place, name: str = "fresh") -> tuple[Attempt, ...]:
    """Pull it; the tries that failed."""
    put(place, name)
    await carry_out(place.services)
    tries: tuple[Attempt, ...] = place.services.store.queue.attempts(1)
    return tries


async def stands_as(place: Place, name: str = "fresh") -> ModelState:
    entry = (await place.library.listing()).entry(parse(name))
    assert entry is not None
    found: ModelState = entry.state
    return found


# The digest.


async def test_the_digest_is_the_announced_one(place: Place) -> None:
    assert await pulled(place) == ()
    assert (state(place), row(place.services).transfer.detail) == (State.INSTALLED, "digest checked")
    assert place.activity == [(action, "fresh:latest", "done") for action in ("queue", "check", "pull")]


async def test_a_tag_that_moved_during_the_pull_is_looked_up_again(place: Place) -> None:
    """What was announced first is not what was pulled, and by now the registry announces that."""
    announce(place, manifest_of(replace(FRESH, weights="before")).raw, times=1)
    assert await pulled(place) == ()
    assert row(place.services).transfer.detail == "digest checked"


async def test_another_manifest_than_announced_is_pulled_once_more(place: Place) -> None:
    announce(place, REWRITTEN, times=2)
    (attempt,) = await pulled(place)
    assert (attempt.cause, attempt.detail) == (
        Cause.DAMAGED,
        "its manifest is not the one that the registry announces",
    )
    assert row(place.services).transfer.detail == "digest checked"
    assert ("check", "fresh:latest", "failed") in place.activity
    assert await stands_as(place) is ModelState.NOT_LOADED


async def test_what_differs_in_its_manifest_alone_is_good_in_the_end(place: Place) -> None:
    """A registry may answer us otherwise than the server: what lies there is what counts."""
    announce(place, REWRITTEN)
    assert len(await pulled(place)) == 1
    words = "every layer checked; this server writes manifests of its own"
    assert (state(place), row(place.services).transfer.detail) == (State.INSTALLED, words)
    assert await stands_as(place) is ModelState.NOT_LOADED


async def test_servers_before_0_19_write_manifests_of_their_own(open_place: Opener) -> None:
    place = await open_place(version="0.18.3")
    announce(place, REWRITTEN)
    assert await pulled(place) == ()
    words = "every layer checked; this server writes manifests of its own"
    assert row(place.services).transfer.detail == words


async def test_other_weights_than_announced_are_damage(place: Place) -> None:
    """All that is announced lies there, under other names; and yet it is not what was pulled."""
    announce(place, manifest_of(replace(CODER, name="fresh")).raw)
    assert [attempt.detail for attempt in await pulled(place)] == [
        "its weights are not those that the registry announces"
    ] * 2
    assert (state(place), row(place.services).transfer.cause) == (State.FAILED, Cause.DAMAGED)
    assert await stands_as(place) is ModelState.DAMAGED


# Opened by the server.


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "the server cannot open it (model 'fresh:latest' not found)"),
        (500, "the server cannot open it (invalid file magic)"),
        (400, "the server cannot open it (invalid file magic)"),
    ],
)
async def test_what_cannot_be_opened_is_kept_marked_and_pulled_once_more(
    place: Place, status: int, words: str
) -> None:
    said = "model 'fresh:latest' not found" if status == 404 else "invalid file magic"
    answer = [status, json.dumps({"error": said})]
    place.trouble(Kind.STATUS, "/api/show", name="fresh", value=answer, times=None)
    assert [attempt.detail for attempt in await pulled(place)] == [words] * 2
    assert (state(place), row(place.services).transfer.cause) == (State.FAILED, Cause.DAMAGED)
    assert "fresh:latest" in place.installed
    assert await stands_as(place) is ModelState.DAMAGED
    assert [action for action, _, result in place.activity if result == "failed"] == [
        "check",
        "check",
        "pull",
    ]
    place.server.faults.clear()
    place.pulls.enqueue(place.link, parse("fresh"))
    await carry_out(place.services)
    assert state(place, 2) is State.INSTALLED
    assert await stands_as(place) is ModelState.NOT_LOADED


@pytest.mark.parametrize("status", [502, 503, 401])
async def test_a_proxy_that_fails_says_nothing_of_the_model(place: Place, status: int) -> None:
    place.trouble(Kind.STATUS, "/api/show", value=status)
    (attempt,) = await pulled(place)
    assert attempt.detail.startswith("not checked: cannot show fresh:latest")
    assert attempt.cause is not Cause.DAMAGED
    assert row(place.services).transfer.detail == "digest checked"


async def test_a_cloud_model_has_nothing_to_be_opened_here(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT,), available=(CLOUD,))
    place.trouble(Kind.STATUS, "/api/show", value=502, times=None)
    assert await pulled(place, "huge:120b-cloud") == ()
    assert state(place) is State.INSTALLED


# Every layer.


async def test_a_layer_that_is_not_there_is_damage_and_mended(place: Place) -> None:
    missing = manifest_of(FRESH).layers[1].digest
    place.trouble(Kind.STATUS, f"/api/blobs/{missing}", value=404)
    (attempt,) = await pulled(place)
    assert (attempt.cause, attempt.detail) == (Cause.DAMAGED, "1 of 4 layers are not on the server")
    assert row(place.services).transfer.detail == "digest checked"
    assert await stands_as(place) is ModelState.NOT_LOADED


async def test_layers_that_cannot_be_looked_for_are_said(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/blobs/*", value=403, times=None)
    assert await pulled(place) == ()
    transfer = row(place.services).transfer
    assert transfer.state is State.INSTALLED
    assert transfer.detail.startswith("opened by the server; its layers cannot be looked for (")


async def test_each_layer_is_looked_for_once(open_place: Opener) -> None:
    """Two layers of one digest are one blob."""
    made = manifest_of(FRESH)
    twice = made.raw.replace(b'"layers":[', b'"layers":[%s,' % _entry(made))
    place = await open_place()
    announce(place, twice)
    place.trouble(Kind.STATUS, f"/api/blobs/{made.layers[0].digest}", value=404)
    (attempt, *_) = await pulled(place)
    assert attempt.detail == "1 of 4 layers are not on the server"


def _entry(manifest: Manifest) -> bytes:
    """The first layer, as it is written in the manifest."""
    start = manifest.raw.index(b'"layers":[') + len(b'"layers":[')
    return manifest.raw[start : manifest.raw.index(b"}", start) + 1]


# Beside the next one.


async def test_the_next_pull_runs_while_one_is_checked(open_place: Opener) -> None:
    place = await open_place(rate=2 * MB)
    place.trouble(Kind.HANG, f"/api/blobs/{manifest_of(FRESH).layers[0].digest}")
    put(place, "fresh", "other:1b")
    async with running(place.services):
        await reach(place, State.CHECKING)
        await until(lambda: state(place, 2) in {*CONNECTED, State.CHECKING, State.INSTALLED})
        assert row(place.services, 1).transfer.state is State.CHECKING
