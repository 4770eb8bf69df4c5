"""Deletes beside pulls on one server: no pull is ever broken by one, and none waits without need."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    CHAT,
    CODER,
    EMBED,
    FRESH,
    MB,
    Opener,
    Place,
    open_services,
    until,
)
from queue_stage import (  # type: ignore[import-not-found, unused-ignore]
    put,
    reach,
    row,
    running,
    state,
    watched,
)
from shelf import Shelf  # type: ignore[import-not-found, unused-ignore]

from modeltui.demo.library import manifest_of
from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import State, Wanted
from modeltui.services.changing import Changing, Removed
from modeltui.services.transferlock import Deletion, delete_lock, deletions_on, lock_file
from modeltui.services.tree import Services

ENDLESS = MB / 100
SEEING = replace(CHAT, name="chat:seeing", projector=2 * MB)
"""On the weights of CHAT, which are there; its projector is still to come."""
NO_LOOKUP = "[registry]\nlookup = false\n"
INSTALLED = (CHAT, CODER, EMBED)
AVAILABLE = (FRESH, CHAT, CODER, EMBED, SEEING, replace(FRESH, name="twin:latest", system="A twin."))


@dataclass
class Somebody:
    """Another process of that user, which has nothing in common with the runner's but files."""

    services: Services
    told: list[str]

    async def remove(self, *names: str) -> tuple[Removed, ...]:
        changing = Changing(self.services, await self.services.active())
        return await changing.remove(await changing.plan_removal(list(names)))


@asynccontextmanager
async def somebody(place: Place) -> AsyncIterator[Somebody]:
    told: list[str] = []
    services = open_services(place.paths, told)
    try:
        yield Somebody(services, told)
    finally:
        await services.close()


async def pulling(place: Place) -> None:
    """Wait until the first transfer is pulled, and its manifest known to everybody."""
    await reach(place, State.PULLING)
    await until(lambda: place.services.store.queue.blobs(1) is not None)


def is_whole(place: Place, name: str) -> bool:
    found = place.server.library.installed.get(parse(name).key)
    return found is not None and not place.server.library.is_damaged(found)


def hurry(place: Place) -> None:
    """Let what is on its way arrive."""
    for transfer in place.server._transfers._running.values():
        transfer.rate = 1e9


async def settled(task: "asyncio.Task[object]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


# What the server itself does.


async def test_the_server_breaks_a_pull_whose_layers_are_deleted(open_place: Opener) -> None:
    """Why all of this is there: the demonstration server does what a real one was seen to do."""
    place = await open_place(installed=INSTALLED, available=AVAILABLE, rate=ENDLESS)
    line = ""
    async with place.http.stream("POST", "/api/pull", json={"model": SEEING.name}) as response:
        async for line in response.aiter_lines():
            if "chat:latest" in place.installed and "total" in line:
                await place.outside("DELETE", "/api/delete", model="chat")
                hurry(place)
    assert "success" in line
    assert SEEING.name in place.installed
    assert not is_whole(place, SEEING.name)


# Known layers.


async def test_disjoint_layers_go_at_once(open_place: Opener) -> None:
    place = await open_place(installed=INSTALLED, available=AVAILABLE, rate=ENDLESS)
    put(place, "fresh")
    async with somebody(place) as person, running(place.services):
        await pulling(place)
        (removed,) = await person.remove("coder:7b")
        assert removed.error is None
        assert "coder:7b" not in place.installed
        assert (state(place), row(place.services).transfer.tries) == (State.PULLING, 1)


async def test_a_shared_layer_is_waited_for(open_place: Opener) -> None:
    place = await open_place(installed=INSTALLED, available=AVAILABLE, rate=ENDLESS)
    put(place, SEEING.name)
    async with somebody(place) as person, running(place.services):
        await pulling(place)
        removing = asyncio.create_task(person.remove("chat"))
        await until(lambda: bool(deletions_on(place.services, place.link.id)))
        await until(lambda: bool(person.told))
        assert person.told == [
            "deletes after the pull of chat:seeing, which could break on the layers that go "
            "(ctrl+c takes it back)"
        ]
        # What would share a layer with it does not start meanwhile; the rest does.
        place.server.rate = 1e9
        assert "chat:latest" in place.installed
        assert (state(place), row(place.services).transfer.tries) == (State.PULLING, 1)
        place.pulls.ask(1, Wanted.PAUSE)
        done = await removing
        assert [each.error for each in done] == [None]
        place.pulls.ask(1, Wanted.RUN)
        await reach(place, State.INSTALLED)
    assert is_whole(place, SEEING.name)
    assert "chat:latest" not in place.installed


async def test_a_delete_waits_to_the_end_of_the_pull(open_place: Opener) -> None:
    place = await open_place(installed=INSTALLED, available=AVAILABLE, rate=ENDLESS)
    put(place, SEEING.name)
    async with somebody(place) as person, running(place.services):
        await pulling(place)
        removing = asyncio.create_task(person.remove("chat"))
        await until(lambda: bool(person.told))
        hurry(place)
        (removed,) = await removing
        assert removed.error is None
        await reach(place, State.INSTALLED)
    assert is_whole(place, SEEING.name)
    assert "chat:latest" not in place.installed
    assert row(place.services).transfer.tries == 1


async def test_a_name_that_keeps_its_layers_goes_at_once(open_place: Opener) -> None:
    alias = replace(CHAT, name="alias:latest")
    place = await open_place(
        available=AVAILABLE, installed=(CHAT, alias, CODER), rate=ENDLESS, tables=NO_LOOKUP
    )
    put(place, SEEING.name)
    async with somebody(place) as person, running(place.services):
        await reach(place, State.PULLING)
        (removed,) = await person.remove("alias")
        assert removed.error is None
        name = await place.changing.rename("chat", "talker")  # every layer stays for the new name
        assert name.short == "talker:latest"
        assert (state(place), row(place.services).transfer.tries) == (State.PULLING, 1)
    assert sorted(place.installed) == ["coder:7b", "talker:latest"]


async def test_layers_are_known_by_the_files_of_a_server_that_is_here(
    open_place: Opener, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "models")
    place = await open_place(
        installed=(CHAT,),
        available=(SEEING,),
        rate=ENDLESS,
        local=True,
        environ={"OLLAMA_MODELS": str(shelf.root)},
    )
    shelf.add(place.server.library, replace(CODER, name="private:latest"), b"private weights")
    put(place, SEEING.name)
    async with running(place.services):
        await pulling(place)
        (removed,) = await place.changing.remove(await place.changing.plan_removal(["private"]))
        assert removed.error is None
        assert "private:latest" not in place.installed
        assert (state(place), row(place.services).transfer.tries) == (State.PULLING, 1)


async def test_a_waiting_delete_is_taken_back(open_place: Opener) -> None:
    place = await open_place(installed=INSTALLED, available=AVAILABLE, rate=ENDLESS)
    put(place, SEEING.name)
    async with somebody(place) as person, running(place.services):
        await pulling(place)
        removing = asyncio.create_task(person.remove("chat"))
        await until(lambda: bool(person.told))
        await settled(removing)
        assert deletions_on(place.services, place.link.id) == ()
        # Nothing is left of it: a delete of something else is not held up.
        (removed,) = await person.remove("coder:7b")
        assert removed.error is None
    assert "chat:latest" in place.installed


async def test_one_that_waits_holds_no_other_up(open_place: Opener) -> None:
    place = await open_place(
        "[downloads]\nper_server = 3\n", installed=INSTALLED, available=AVAILABLE, rate=ENDLESS
    )
    put(place, SEEING.name)
    async with somebody(place) as person, running(place.services):
        await pulling(place)
        removing = asyncio.create_task(person.remove("chat"))
        await until(lambda: bool(person.told))
        (removed,) = await person.remove("embed")
        assert removed.error is None
        put(place, "coder:7b")  # is there: it shares nothing with what goes
        await reach(place, State.INSTALLED, number=2)
        put(place, CHAT.name)
        await until(lambda: row(place.services, 3).transfer.cause is Cause.DELETE_IN_PROGRESS)
        assert row(place.services, 3).transfer.detail == "waits for the delete of chat:latest"
        await settled(removing)
        await reach(place, State.INSTALLED, number=3)
        assert state(place) is State.PULLING


# Unknown layers.


@pytest.mark.parametrize("name", ["chat:latest", "coder:7b"])
async def test_unknown_layers_make_the_pull_stop_for_it(open_place: Opener, name: str) -> None:
    place = await open_place(NO_LOOKUP, installed=INSTALLED, available=AVAILABLE, rate=ENDLESS)
    put(place, SEEING.name)
    async with somebody(place) as person, watched(place) as seen, running(place.services):
        await reach(place, State.PULLING)
        place.server.rate = 1e9
        done = await person.remove(name)
        assert [each.error for each in done] == [None]
        await reach(place, State.INSTALLED)
    assert is_whole(place, SEEING.name)
    assert name not in place.installed
    words = {each.transfer.detail for each in seen.of() if each.transfer.state is State.WAITING}
    assert f"waits for the delete of {name}" in words
    assert not any(each.transfer.wanted is not Wanted.RUN for each in seen.of())


async def test_a_tag_that_moved_says_nothing_of_what_is_installed(
    open_place: Opener,
) -> None:
    newer = replace(CODER, system="Newer.", weights="newer")
    place = await open_place(installed=INSTALLED, available=(SEEING, newer), rate=ENDLESS)
    put(place, SEEING.name)
    async with somebody(place) as person, running(place.services):
        await pulling(place)
        tries = row(place.services).transfer.tries
        (removed,) = await person.remove("coder:7b")
        assert removed.error is None
        await until(lambda: row(place.services).transfer.tries > tries)


async def test_a_delete_that_died_lets_the_pull_go_on(open_place: Opener) -> None:
    place = await open_place(installed=INSTALLED, available=AVAILABLE)
    left = lock_file(place.services, place.link.id).with_name(f"server-{place.link.id}.gate.dead")
    left.parent.mkdir(parents=True)
    left.write_text('{"names": ["chat:latest"], "layers": null, "may_stop": true}')
    put(place, "fresh")
    async with running(place.services):
        await reach(place, State.INSTALLED)
    assert not left.exists()


async def test_what_must_be_alone_stops_nothing(open_place: Opener) -> None:
    """As who removes partial downloads does: it waits for the pull, and none starts meanwhile."""
    place = await open_place(installed=INSTALLED, available=AVAILABLE, rate=ENDLESS)
    put(place, "fresh", "coder:7b")
    inside = asyncio.Event()

    async def alone() -> None:
        async with delete_lock(place.services, place.link):
            inside.set()
            await asyncio.Event().wait()

    async with running(place.services):
        await reach(place, State.PULLING)
        task = asyncio.create_task(alone())
        await until(lambda: bool(place.told))
        assert (state(place), row(place.services).transfer.tries) == (State.PULLING, 1)
        place.pulls.ask(1, Wanted.PAUSE)
        await inside.wait()
        await until(lambda: row(place.services, 2).transfer.cause is Cause.DELETE_IN_PROGRESS)
        assert row(place.services, 2).transfer.detail == "waits for the delete of another model"
        await settled(task)
        await reach(place, State.INSTALLED, number=2)


async def test_the_loop_goes_on_while_a_delete_is_written_down(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_gone_on, fsync = threading.Event(), os.fsync

    def slow(handle: int) -> None:
        assert has_gone_on.wait(20)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    asyncio.get_running_loop().call_soon(has_gone_on.set)
    async with delete_lock(place.services, place.link):
        assert deletions_on(place.services, place.link.id)


def test_what_a_delete_spares() -> None:
    weights = manifest_of(CHAT).weights
    going = Deletion(("chat:latest",), frozenset({weights}), may_stop=True)
    assert going.spares(frozenset({"sha256:other"}))
    assert not going.spares(frozenset({weights, "sha256:other"}))
    assert not going.spares(None)
    assert Deletion((), frozenset()).spares(None)
    assert not Deletion((), None).spares(frozenset({"sha256:other"}))
    unknown = Deletion((), None, may_stop=True)
    assert unknown.stops(State.PULLING, None)
    assert unknown.stops(State.STARTING, frozenset({weights}))
    assert not unknown.stops(State.VERIFYING, None)  # closing it cancels nothing
    assert not going.stops(State.PULLING, frozenset({weights}))
    assert going.stops(State.PULLING, None)
    assert not Deletion().stops(State.PULLING, None)
