"""Before a pull: sizes, what is there, room on the disk; and the runner's own look before it starts."""

from dataclasses import replace
from pathlib import Path

import pytest
from demo_stage import (
    BROKEN,
    CHAT,
    FRESH,
    INSTALLED,
    MB,
    OTHER,
    Opener,
    Place,
    configure,
    open_services,
    until,
)
from queue_stage import (  # type: ignore[import-not-found, unused-ignore]
    carry_out,
    put,
    reach,
    row,
    running,
    state,
)
from shelf import Shelf

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel, manifest_of, weights_digest
from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.preflight import Preflight, words
from modeltui.domain.transfers import State, Wanted
from modeltui.services.preflight import look

HUGE = DemoModel("huge:900t", "huge", 900 * 10**12)
"""More than any disk that a test runs on."""
TWIN = replace(CHAT, name="twin:latest", system="You are another.")


async def looked(place: Place, *names: str, limit_s: float = 60) -> tuple[Preflight, ...]:
    return await look(place.services, place.link, [parse(name) for name in names], limit_s=limit_s)


# What the registry and the server say.


async def test_a_model_that_is_new(place: Place) -> None:
    (plan,) = await looked(place, "fresh")
    manifest = manifest_of(FRESH)
    shared = sum(layer.size for layer in manifest.layers[1:])  # the template and the licence, as of many
    assert (plan.total, plan.needed, plan.present) == (manifest.size, manifest.size - shared, shared)
    assert (plan.is_known, plan.is_installed, plan.is_same) == (True, False, None)
    assert (plan.free, plan.directory, plan.gaps) == (None, None, ())
    assert words(plan) == "fresh:latest: 2 MB"


async def test_layers_that_others_have_are_not_needed(open_place: Opener) -> None:
    place = await open_place(available=(TWIN,))
    (plan,) = await looked(place, "twin")
    assert plan.present is not None
    assert plan.present >= CHAT.size
    assert plan.needed == manifest_of(TWIN).size - plan.present
    assert words(plan) == "twin:latest: 2 MB, 2 MB of it there"


async def test_one_that_is_installed_and_the_same(place: Place) -> None:
    (plan,) = await looked(place, "chat")
    assert (plan.is_installed, plan.is_same, plan.needed) == (True, True, 0)
    assert words(plan) == "chat:latest is installed and up to date, 2 MB"


async def test_one_whose_tag_has_moved(open_place: Opener) -> None:
    place = await open_place(available=(replace(TWIN, name=CHAT.name),))
    (plan,) = await looked(place, "chat")
    assert (plan.is_installed, plan.is_same) == (True, False)


async def test_one_that_is_damaged_is_not_up_to_date(place: Place) -> None:
    (plan,) = await looked(place, "broken")
    assert (plan.is_installed, plan.is_same, plan.needed) == (True, False, BROKEN.size)
    digest = manifest_of(CHAT).digest  # nothing is missing, and yet it was found that it cannot be opened
    place.services.store.facts.set_damaged(place.link.id, digest, "not found", 1)
    (plan,) = await looked(place, "chat")
    assert (plan.is_installed, plan.is_same, plan.needed) == (True, False, 0)


async def test_several_at_once_in_their_order(place: Place) -> None:
    plans = await looked(place, "other:1b", "nowhere", "fresh")
    assert [plan.name.short for plan in plans] == ["other:1b", "nowhere:latest", "fresh:latest"]
    assert [plan.is_known for plan in plans] == [True, False, True]
    assert words(plans[1]) == "nowhere:latest: its registry knows no such model or tag"


# What does not answer.


async def test_what_is_silent_is_unknown_in_time_and_the_rest_is_said(place: Place) -> None:
    """So long that what answers does so on a machine that stands still, too; each alone takes longer."""
    for path in ("/v2/library/chat/*", f"/api/blobs/{weights_digest('fresh')}", "/api/tags"):
        place.trouble(Kind.HANG, path, times=None)
    chat, fresh, other = await looked(place, "chat", "fresh", "other:1b", limit_s=5)
    assert words(chat) == "chat:latest: size unknown (no answer in time)"
    assert words(fresh) == "fresh:latest: 2 MB, what of it is there is unknown (no answer in time)"
    assert words(other) == "other:1b: 1 MB"
    assert (fresh.needed, fresh.present, chat.is_known) == (None, None, None)
    assert {(plan.is_installed, plan.is_same) for plan in (chat, fresh, other)} == {(None, None)}


async def test_a_registry_that_is_not_there(open_place: Opener) -> None:
    place = await open_place(registry="http://127.0.0.1:1")
    (plan,) = await looked(place, "chat")
    assert (plan.total, plan.is_known, plan.is_installed) == (None, None, True)
    assert words(plan).startswith("chat:latest: size unknown (")


async def test_a_server_that_fails_for_layers(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/blobs/*", value=500, times=None)
    (plan,) = await looked(place, "fresh")
    assert words(plan).startswith("fresh:latest: 2 MB, what of it is there is unknown (")


async def test_nobody_is_asked_when_look_ups_are_off(open_place: Opener) -> None:
    place = await open_place("[registry]\nlookup = false\n", registry="http://127.0.0.1:1")
    (plan,) = await looked(place, "chat")
    assert (plan, words(plan)) == (Preflight(parse("chat"), is_installed=True), "")


# The disk of a server on this machine.


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
async def here(open_place: Opener, shelf: Shelf) -> Place:
    """A server whose models directory is seen from here; what it moves comes at once."""
    place = await open_place(
        installed=(),
        available=(FRESH, OTHER, HUGE),
        local=True,
        environ={"OLLAMA_MODELS": str(shelf.root)},
        rate=1e18,
        verify_rate=1e18,
    )
    shelf.add(place.server.library, CHAT, b"chat" * 1000)
    return place


async def test_free_bytes_where_the_models_lie(here: Place, shelf: Shelf) -> None:
    (plan,) = await looked(here, "fresh")
    assert plan.directory == str(shelf.root.resolve())
    assert plan.free is not None
    assert plan.free > 0
    assert words(plan).startswith("fresh:latest: 2 MB, ")
    assert plan.fit is not None  # on this machine, whatever it is
    assert words(plan).endswith(f" free, {plan.fit.words}")


async def test_a_directory_of_another_server_is_not_this_one_s_disk(here: Place, shelf: Shelf) -> None:
    shelf.manifest_path("chat").write_bytes(b"{}")
    (plan,) = await looked(here, "fresh")
    assert (plan.free, plan.directory) == (None, None)


async def test_what_came_before_takes_no_more_room(here: Place, shelf: Shelf) -> None:
    """A partial file has its whole length at once; its blocks are what came."""
    (before,) = await looked(here, "fresh")
    partial = shelf.file(f"sha256-{weights_digest('fresh').removeprefix('sha256:')}-partial", b"x" * MB)
    with partial.open("r+b") as file:
        file.truncate(FRESH.size)
    blocks = partial.stat().st_blocks * 512
    assert blocks < FRESH.size
    (plan,) = await looked(here, "fresh")
    assert plan.needed == (before.needed or 0) - blocks
    assert plan.present == (before.present or 0) + blocks


# The runner's own look.


async def test_a_disk_without_room_blocks_before_anything_is_moved(here: Place) -> None:
    put(here, "huge:900t", "fresh")
    await carry_out(here.services)
    transfer = row(here.services).transfer
    assert (transfer.state, transfer.cause) == (State.BLOCKED, Cause.NO_ROOM)
    assert transfer.detail.startswith("needs 900 TB, ")
    assert transfer.detail.endswith(" free")
    assert "huge:900t" not in [name for name, _ in here.server.pulls_asked]


async def test_whoever_wants_it_all_the_same_gets_it(here: Place) -> None:
    put(here, "huge:900t")
    async with running(here.services):
        await reach(here, State.BLOCKED)
        again, is_new = here.pulls.enqueue(here.link, parse("huge:900t"), forced=True)
        assert (again.number, is_new) == (1, False)
        await reach(here, State.INSTALLED)
    assert row(here.services).is_forced
    number, is_new = here.pulls.enqueue(here.link, parse("huge:900t"))
    assert is_new and not number.is_forced  # once, and not for ever


async def test_with_room_again_it_goes_on(here: Place) -> None:
    put(here, "huge:900t")
    async with running(here.services):
        await reach(here, State.BLOCKED)
        here.pulls.ask(1, Wanted.RUN)  # nothing has changed
        await until(lambda: row(here.services).obeyed == row(here.services).wishes > 0)
        await reach(here, State.BLOCKED)
        here.server.library.publish(replace(HUGE, size=2 * MB))
        here.pulls.ask(1, Wanted.RUN)
        await reach(here, State.INSTALLED)


@pytest.mark.parametrize("silent", ["/v2/*", "/api/tags", "/api/blobs/*"])
async def test_what_cannot_be_known_blocks_nothing(here: Place, silent: str) -> None:
    here.trouble(Kind.STATUS, silent, value=500)
    put(here, "fresh")
    await carry_out(here.services)
    assert state(here) is State.INSTALLED


# Plain http only where the configuration says so.


async def test_insecure_is_asked_of_marked_registries_only(open_place: Opener) -> None:
    names = ["127.0.0.1:5001/library/fresh:latest", "127.0.0.1:5002/library/fresh:latest"]
    available = tuple(replace(FRESH, name=name) for name in (*names, "fresh", "hf.co/someone/fresh:Q4"))
    place = await open_place(available=available, installed=INSTALLED)
    tables = '[registries."127.0.0.1:5001"]\ninsecure = true\n[registries."127.0.0.1:5002"]\n'
    configure(place.paths, place.server.url, f'{tables}base_url = "{place.server.url}"\n')
    services = open_services(place.paths, [])
    try:
        put(place, *names, "fresh", "hf.co/someone/fresh:Q4")
        await carry_out(services)
        assert dict(place.server.pulls_asked) == {
            names[0]: True,
            names[1]: False,
            "fresh:latest": False,
            "hf.co/someone/fresh:Q4": False,
        }
        assert row(services, 1).transfer.state is State.INSTALLED
        second = row(services, 2).transfer
        assert (second.state, second.cause) == (State.FAILED, Cause.PLAIN_HTTP_REGISTRY)
    finally:
        await services.close()
