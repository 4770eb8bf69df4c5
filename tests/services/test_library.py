"""The list: how each model stands, told truthfully."""

from dataclasses import replace

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    CHAT,
    CODER,
    WRITER,
    Opener,
    Place,
    configure,
    open_services,
)

from modeltui.demo.faults import Kind
from modeltui.demo.speech import OLDER
from modeltui.domain.models import ModelState, ModelType
from modeltui.domain.names import parse
from modeltui.errors import InvalidName, NoSuchModel, NotFound, Refusal, ServerFailed, Unreachable
from modeltui.services.library import Entry

ALIAS = '[current]\nalias = "current"\n'


async def entry(place: Place, name: str) -> Entry:
    found: Entry | None = (await place.library.listing()).entry(parse(name))
    assert found is not None
    return found


async def load(place: Place, name: str, verb: str = "generate") -> None:
    await place.outside("POST", f"/api/{verb}", model=name)


@pytest.mark.parametrize(
    ("gpu_memory", "loads", "state"),
    [
        (24_000_000_000, False, ModelState.NOT_LOADED),
        (24_000_000_000, True, ModelState.GPU),
        (3_000_000, True, ModelState.SPLIT),
        (0, True, ModelState.CPU),
    ],
)
async def test_state_is_the_servers_account(
    open_place: Opener, gpu_memory: int, loads: bool, state: ModelState
) -> None:
    place = await open_place(gpu_memory=gpu_memory)
    if loads:
        await load(place, "coder:7b")
    assert (await entry(place, "coder:7b")).state is state


async def test_each_kind_of_model(place: Place) -> None:
    states = {e.model.shown: (e.state, e.type) for e in (await place.library.listing()).entries}
    assert states == {
        "chat:latest": (ModelState.NOT_LOADED, ModelType.GENERAL),
        "writer:latest": (ModelState.NOT_LOADED, ModelType.GENERAL),
        "coder:7b": (ModelState.NOT_LOADED, ModelType.CODE),
        "embed:latest": (ModelState.NOT_LOADED, ModelType.EMBEDDING),
        "huge:120b-cloud": (ModelState.CLOUD, ModelType.GENERAL),
        "broken:latest": (ModelState.NOT_LOADED, ModelType.GENERAL),  # nobody has tried to open it yet
    }


async def test_stopping_while_a_request_runs(place: Place) -> None:
    async with place.talking("chat"):
        await place.outside("POST", "/api/generate", model="chat", keep_alive=0)
        assert (await entry(place, "chat")).state is ModelState.STOPPING


async def test_current_is_marked(place: Place) -> None:
    listing = await place.library.listing()
    digest = next(m.digest for m in listing.models if m.shown == "chat:latest")
    place.services.store.facts.set_current(place.link.id, parse("CHAT"), digest, 1)
    listing = await place.library.listing()
    assert [e.model.shown for e in listing.entries if e.is_current] == ["chat:latest"]
    assert listing.missing is None


async def test_current_that_was_removed_outside_is_missing(place: Place) -> None:
    place.services.store.facts.set_current(place.link.id, parse("gone:1b"), "0" * 64, 1)
    listing = await place.library.listing()
    assert listing.missing is not None
    assert listing.missing.name.short == "gone:1b"
    assert not any(e.is_current for e in listing.entries)


async def test_damage_is_remembered_and_forgotten(place: Place) -> None:
    model = await place.meant("broken")
    assert model.name is not None
    with pytest.raises(NotFound):
        await place.opening.details(model.name, model.digest)
    found = await entry(place, "broken")
    assert found.state is ModelState.DAMAGED
    assert found.damage is not None
    assert "not found" in found.damage
    place.server.library.install(model.name, place.server.library.installed[model.name.key].model)
    await place.opening.details(model.name, model.digest)
    assert (await entry(place, "broken")).state is ModelState.NOT_LOADED


async def test_alias_is_a_pointer(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=(CHAT, replace(CHAT, name="current")))
    assert (await entry(place, "current")).alias_of == "chat:latest"
    assert (await entry(place, "chat")).alias_of is None


async def test_alias_says_what_was_last_written(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=(CHAT, replace(CHAT, name="a"), replace(CHAT, name="current")))
    digest = (await place.meant("a")).digest
    assert digest is not None
    place.services.store.facts.set_alias(place.link.id, parse("current"), parse("a"), digest, 1)
    assert (await entry(place, "current")).alias_of == "a:latest"


async def test_alias_that_stands_alone_points_nowhere(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=(CHAT, replace(CODER, name="current")))
    assert (await entry(place, "current")).alias_of is None


async def test_loaded_by_name_digest_or_weights(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, WRITER, replace(CHAT, name="alias"), CODER))
    await load(place, "chat")
    assert await place.ps() == ["chat:latest"]
    assert (await entry(place, "chat")).loaded_by == "name"
    assert (await entry(place, "alias")).loaded_by == "digest"
    # Weights cost a request a model, so a sibling that nobody asked about is not known to be loaded.
    assert (await entry(place, "writer")).loaded_by is None
    model = await place.meant("writer")
    assert model.name is not None
    await place.opening.details(model.name, model.digest)
    sibling = await entry(place, "writer")
    assert sibling.loaded_by == "weights"
    assert sibling.loaded is not None
    assert sibling.loaded.shown == "chat:latest"
    assert sibling.state is ModelState.GPU
    assert (await entry(place, "coder:7b")).loaded is None


async def test_deleted_while_loaded_does_not_damage_its_alias(open_place: Opener) -> None:
    """`/api/ps` names what is gone; that it cannot be shown says nothing about its manifest."""
    place = await open_place(installed=(CHAT, replace(CHAT, name="alias")))
    await load(place, "chat")
    await place.outside("DELETE", "/api/delete", model="chat")
    assert await place.ps() == ["chat:latest"]
    found = await entry(place, "alias")
    assert (found.state, found.damage, found.loaded_by) == (ModelState.GPU, None, "digest")


async def test_server_without_ps_cannot_say_what_is_loaded(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/ps", value=404, times=None)
    listing = await place.library.listing()
    assert listing.loaded is None
    assert {e.state for e in listing.entries} == {ModelState.UNKNOWN, ModelState.CLOUD}


async def test_a_failing_ps_leaves_the_list_and_is_told(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/ps", value=500)
    listing = await place.library.listing()
    assert listing.loaded is None
    assert len(listing.entries) == 6
    (notice,) = place.services.notices
    assert notice.startswith("what is loaded is not known: ")


async def test_an_unreachable_server_has_no_list(place: Place) -> None:
    await place.server.stop()
    with pytest.raises(Unreachable):
        await place.library.listing()


async def test_older_server_lists_less_and_what_was_shown_is_remembered(open_place: Opener) -> None:
    place = await open_place(version=OLDER)
    before = await entry(place, "chat")
    assert (before.model.capabilities, before.model.context, before.type) == (None, None, None)
    assert before.parameter_count == 1_000_000
    await place.opening.details(parse("chat"), before.model.digest)
    after = await entry(place, "chat")
    assert after.model.capabilities == frozenset({"completion"})
    assert (after.model.context, after.type) == (8192, ModelType.GENERAL)
    assert after.parameter_count == 1_000_000
    assert after.weights is not None


async def test_last_list_is_remembered(place: Place) -> None:
    facts = place.services.store.facts
    assert facts.last_list(place.link.id) is None
    await place.library.listing()
    remembered = facts.last_list(place.link.id)
    assert remembered is not None
    rows, at = remembered
    assert [row["shown"] for row in rows] == [m.shown for m in (await place.library.listing()).models]
    assert facts.last_list(place.link.id) == (rows, at)  # the same list is not written again
    await place.outside("DELETE", "/api/delete", model="chat")
    await place.library.listing()
    newer = facts.last_list(place.link.id)
    assert newer is not None
    assert "chat:latest" not in [row["shown"] for row in newer[0]]


async def test_names_that_are_no_names_offer_no_action(place: Place) -> None:
    place.trouble(Kind.HOSTILE, "/api/tags", times=None)
    listing = await place.library.listing()
    foreign = [e for e in listing.entries if e.model.name is None]
    assert foreign
    assert {e.state for e in foreign} <= {ModelState.UNKNOWN, ModelState.CLOUD}
    assert not any(e.is_current or e.loaded or e.alias_of for e in foreign)
    for each in foreign:
        assert "\x1b" not in each.model.shown
        with pytest.raises((NoSuchModel, InvalidName, Refusal)):
            await place.loading.load(each.model.sent)
    assert await place.ps() == []


async def test_wrong_types_from_the_server_become_unknown(place: Place) -> None:
    place.trouble(Kind.WRONG_TYPES, "/api/tags")
    place.trouble(Kind.WRONG_TYPES, "/api/ps")
    listing = await place.library.listing()
    assert all(e.state in (ModelState.UNKNOWN, ModelState.CLOUD) for e in listing.entries)


async def test_a_failing_list_is_an_error(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/tags", value=500)
    with pytest.raises(ServerFailed):
        await place.library.listing()


async def test_two_processes_see_one_memory(place: Place) -> None:
    await place.opening.details(parse("chat"), (await place.meant("chat")).digest)
    configure(place.paths, place.server.url)
    other = open_services(place.paths, [])
    try:
        assert other.store.facts.last_list(place.link.id) == place.services.store.facts.last_list(
            place.link.id
        )
        assert other.store.facts.all_details() == place.services.store.facts.all_details() != {}
    finally:
        await other.close()
