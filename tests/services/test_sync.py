"""Sync: what changed outside is said once in plain words, and taken over."""

from dataclasses import replace

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    CHAT,
    CODER,
    Opener,
    Place,
    lose_table,
)

from modeltui.demo.faults import Kind
from modeltui.domain.names import parse
from modeltui.domain.server import Keep
from modeltui.errors import NotFound, ServerFailed
from modeltui.services.sync import Finding, Sync

ALIAS = '[current]\nalias = "current"\n'


async def sync(place: Place) -> dict[str, Finding]:
    return {finding.kind: finding for finding in await Sync(place.services, place.link).run()}


async def make_current(place: Place, name: str) -> None:
    await place.switching.switch(await place.switching.facts(name), record_only=True)


async def test_nothing_changed(place: Place) -> None:
    assert await sync(place) == {}
    await make_current(place, "chat")
    assert await sync(place) == {}
    assert place.activity[-1][0] == "switch"  # nothing was taken over, so nothing is written


async def test_what_someone_else_removed_or_replaced(place: Place) -> None:
    assert await sync(place) == {}
    await place.outside("DELETE", "/api/delete", model="coder:7b")
    await place.outside("POST", "/api/copy", source="chat", destination="writer")
    found = await sync(place)
    assert {kind: finding.subject for kind, finding in found.items()} == {
        "removed": "coder:7b",
        "replaced": "writer:latest",
    }
    assert await sync(place) == {}  # said once


async def test_what_we_changed_ourselves_is_no_news(place: Place) -> None:
    assert await sync(place) == {}
    await place.changing.rename("coder:7b", "helper")
    await place.changing.remove(await place.changing.plan_removal(["embed"]))
    assert await sync(place) == {}


async def test_a_current_model_that_is_gone(place: Place) -> None:
    await make_current(place, "chat")
    await place.outside("DELETE", "/api/delete", model="chat")
    found = await sync(place)
    assert list(found) == ["current_missing"]
    missing = found["current_missing"]
    assert missing.subject == "chat:latest"
    assert missing.words == "the current model chat:latest is no longer installed"
    assert missing.remedy == "modeltui pull chat:latest, or modeltui switch to another"
    record = place.services.store.facts.current(place.link.id)
    assert record is not None  # it is missing, not forgotten
    assert record.name.short == "chat:latest"


async def test_a_current_model_that_was_replaced(place: Place) -> None:
    await make_current(place, "chat")
    await place.outside("POST", "/api/copy", source="coder:7b", destination="chat")
    found = await sync(place)
    assert list(found) == ["current_replaced"]
    record = place.services.store.facts.current(place.link.id)
    entry = place.server.library.find("chat")
    assert record is not None
    assert entry is not None
    assert record.digest == entry.manifest.digest
    assert await sync(place) == {}  # said once


async def test_a_record_without_a_digest_is_completed_in_silence(place: Place) -> None:
    place.services.store.facts.set_current(place.link.id, parse("chat"), None, 1)
    assert await sync(place) == {}
    record = place.services.store.facts.current(place.link.id)
    assert record is not None
    assert record.digest is not None


async def test_a_lost_state_file_is_written_again(place: Place) -> None:
    await make_current(place, "chat")
    (place.paths.current / "demo").unlink()
    assert await sync(place) == {}
    assert place.state_file == "chat:latest\n"


async def test_a_state_file_that_cannot_be_written_is_a_finding(place: Place) -> None:
    await make_current(place, "chat")
    (place.paths.current / "demo").unlink()
    (place.paths.current / "demo").mkdir()
    assert "could not be written" in (await sync(place))["state_file"].words


@pytest.mark.parametrize(
    ("change", "kind"),
    [(None, None), ("delete", "alias_missing"), ("copy", "alias_elsewhere")],
)
async def test_the_alias(open_place: Opener, change: str | None, kind: str | None) -> None:
    place = await open_place(ALIAS, installed=(CHAT, CODER))
    assert await sync(place) == {}  # without a current model there is nothing to follow
    await make_current(place, "chat")
    if change == "delete":
        await place.outside("DELETE", "/api/delete", model="current")
    elif change == "copy":
        await place.outside("POST", "/api/copy", source="coder:7b", destination="current")
    found = await sync(place)
    assert list(found) == ([kind] if kind else [])
    if kind:  # an alias that someone else wrote is only written again by name
        ours, theirs = "switch --record-only chat:latest", "cp --yes chat:latest current:latest"
        assert found[kind].remedy == f"modeltui {ours if change == 'delete' else theirs}"


async def test_damage_is_looked_at_again(place: Place) -> None:
    model = await place.meant("broken")
    assert model.name is not None
    with pytest.raises(NotFound):
        await place.opening.details(model.name, model.digest)
    found = await sync(place)
    assert list(found) == ["damaged"]
    assert found["damaged"].remedy == "modeltui pull broken:latest"
    library = place.server.library
    library.install(model.name, library.installed[model.name.key].model)
    assert await sync(place) == {}
    assert place.services.store.facts.damaged(place.link.id) == {}


async def test_damage_of_what_is_gone_is_forgotten(place: Place) -> None:
    place.services.store.facts.set_damaged(place.link.id, "f" * 64, "not found", 1)
    assert await sync(place) == {}
    assert place.services.store.facts.damaged(place.link.id) == {}


async def test_deleted_while_loaded(place: Place) -> None:
    await place.loading.load("chat", Keep.FOREVER)
    await place.outside("DELETE", "/api/delete", model="chat")
    await place.outside("DELETE", "/api/delete", model="writer")
    found = await sync(place)
    assert list(found) == ["deleted_but_loaded"]
    assert found["deleted_but_loaded"].subject == "chat:latest"


async def test_deleted_while_loaded_under_an_alias_is_no_finding(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, replace(CHAT, name="alias")))
    await place.loading.load("chat")
    await place.outside("DELETE", "/api/delete", model="chat")
    assert await sync(place) == {}  # it can be unloaded by the other name


async def test_a_server_without_ps(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/ps", value=404, times=None)
    assert await sync(place) == {}


async def test_without_a_list_nothing_is_concluded(place: Place) -> None:
    await make_current(place, "chat")
    place.trouble(Kind.STATUS, "/api/tags", value=500)
    with pytest.raises(ServerFailed):
        await sync(place)


async def test_an_activity_that_cannot_be_written_is_told(place: Place) -> None:
    await make_current(place, "chat")
    await place.outside("DELETE", "/api/delete", model="chat")
    lose_table(place.paths, "activity")
    assert list(await sync(place)) == ["current_missing"]
    assert any("will not be remembered" in notice for notice in place.services.notices)
