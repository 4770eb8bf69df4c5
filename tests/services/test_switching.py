"""Switching: each sentence of the flow, and that a failure leaves what was current."""

import asyncio
import json
import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    CHAT,
    CLOUD,
    CODER,
    EMBED,
    MB,
    WRITER,
    Opener,
    Place,
    lose_table,
    until,
)

from modeltui.demo.faults import Kind
from modeltui.demo.speech import OLDER
from modeltui.domain.names import parse
from modeltui.domain.server import Keep
from modeltui.errors import InvalidName, NoSuchModel, Refusal, ServerFailed, StoreError
from modeltui.services import hooking
from modeltui.services.switching import Switched
from modeltui.store.facts import CurrentModel

ALIAS = '[current]\nalias = "current"\n'
SMALL = (CHAT, WRITER, CODER, EMBED, CLOUD)


async def switch(place: Place, name: str, *, record_only: bool = False, release: bool = False) -> Switched:
    facts = await place.switching.facts(name)
    done: Switched = await place.switching.switch(facts, record_only=record_only, release=release)
    return done


def current(place: Place) -> CurrentModel | None:
    record: CurrentModel | None = place.services.store.facts.current(place.link.id)
    return record


def digest(place: Place, name: str) -> str:
    found = place.server.library.find(name)
    assert found is not None
    listed: str = found.manifest.digest
    return listed


def hooked(command: list[str] | str) -> str:
    return f"[current]\nhook = {json.dumps(command)}\n"


# Only to what is installed and generates.


@pytest.mark.parametrize(
    ("typed", "error", "words"),
    [
        ("nowhere:1b", NoSuchModel, "not installed"),
        ("embed", Refusal, "does not generate text"),
        ("broken", Refusal, "is damaged"),
        ("a b", InvalidName, "not allowed"),
    ],
)
async def test_what_cannot_be_current(place: Place, typed: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        await place.switching.facts(typed)
    assert current(place) is None


async def test_an_older_server_is_asked_whether_a_model_generates(open_place: Opener) -> None:
    place = await open_place(version=OLDER)
    with pytest.raises(Refusal, match="does not generate text"):
        await place.switching.facts("embed")
    assert (await place.switching.facts("chat")).model.shown == "chat:latest"


async def test_the_alias_itself_is_no_target(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=(CHAT, replace(CHAT, name="current")))
    with pytest.raises(Refusal, match="alias of the current model"):
        await place.switching.facts("Current")


async def test_a_name_that_is_none_is_no_target(place: Place) -> None:
    place.trouble(Kind.HOSTILE, "/api/tags", times=None)
    listing = await place.library.listing()
    foreign = next(e.model for e in listing.entries if e.model.name is None)
    with pytest.raises((NoSuchModel, InvalidName, Refusal)):
        await place.switching.facts(foreign.sent)


# Before: what it means.


async def test_facts_tell_what_a_switch_means(open_place: Opener) -> None:
    place = await open_place(ALIAS + 'hook = ["true"]\n', installed=SMALL)
    before = await place.switching.facts("chat")
    assert (before.previous, before.is_loaded, before.last_load, before.may_unload) == (None, False, None, ())
    assert (before.alias, before.hook) == ("current", True)
    await place.loading.load("chat")
    await place.loading.unload("chat")
    await place.loading.load("coder:7b")
    await switch(place, "coder:7b", record_only=True)
    known = await place.switching.facts("chat")
    assert (known.previous, known.is_loaded, known.may_unload) == ("coder:7b", False, ("coder:7b",))
    assert known.last_load is not None
    loaded = await place.switching.facts("coder:7b")
    assert (loaded.is_loaded, loaded.may_unload) == (True, ())
    cloud = await place.switching.facts("huge:120b-cloud")
    assert (cloud.is_loaded, cloud.may_unload) == (False, ())


async def test_facts_name_a_loaded_sibling_on_the_same_weights(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, WRITER, replace(CHAT, name="alias")))
    await place.loading.load("chat")
    writer = await place.switching.facts("writer")
    assert (writer.is_loaded, writer.sibling, writer.may_unload) == (False, "chat:latest", ())
    alias = await place.switching.facts("alias")
    assert (alias.is_loaded, alias.sibling, alias.may_unload) == (True, None, ())


# Then: load, see it, record with the time and the previous one.


async def test_switch_loads_proves_and_records(open_place: Opener) -> None:
    place = await open_place(load_rate=20 * MB, installed=SMALL)
    began = place.services.clock()
    done = await switch(place, "CHAT")
    assert (done.previous, done.current, done.status, done.evicted) == (None, "chat:latest", "loaded", ())
    assert done.load_ms is not None
    assert done.load_ms >= 90
    assert done.notes == ()
    assert await place.ps() == ["chat:latest"]
    record = current(place)
    assert record is not None
    assert (record.name.short, record.digest, record.previous) == ("chat:latest", digest(place, "chat"), None)
    assert began <= record.since <= place.services.clock()
    assert place.state_file == "chat:latest\n"
    assert place.activity == [("switch", "chat:latest", "done")]
    second = await switch(place, "coder:7b")
    assert (second.previous, second.status) == ("chat:latest", "loaded")
    record = current(place)
    assert record is not None
    assert (record.name.short, record.previous) == ("coder:7b", "chat:latest")
    assert place.state_file == "coder:7b\n"


async def test_what_is_evicted_is_told(open_place: Opener) -> None:
    place = await open_place(gpu_memory=5 * MB, installed=(CHAT, replace(CODER, context=64)))
    await switch(place, "chat")
    assert (await switch(place, "coder:7b")).evicted == ("chat:latest",)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Kind.STATUS, 500), (Kind.STATUS, [200, '{"model":"coder:7b","done":true,"done_reason":"load"}'])],
)
async def test_a_failing_load_keeps_the_previous(open_place: Opener, kind: Kind, value: object) -> None:
    place = await open_place(ALIAS, installed=SMALL)
    await switch(place, "chat")
    before = current(place)
    facts = await place.switching.facts("coder:7b")
    place.trouble(kind, "/api/generate", value=value)
    with pytest.raises(ServerFailed):
        await place.switching.switch(facts)
    assert current(place) == before
    assert place.state_file == "chat:latest\n"
    assert digest(place, "current") == digest(place, "chat")
    assert place.activity[-1] == ("switch", "coder:7b", "failed")


async def test_an_interrupted_load_keeps_the_previous(open_place: Opener) -> None:
    place = await open_place(load_rate=MB, installed=SMALL)
    await switch(place, "chat", record_only=True)
    task = asyncio.create_task(switch(place, "coder:7b"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await task
    assert place.state_file == "chat:latest\n"
    record = current(place)
    assert record is not None
    assert record.name.short == "chat:latest"
    assert place.activity[-1] == ("switch", "coder:7b", "failed")
    assert await place.ps() == []


async def test_record_only_is_quick_and_loads_nothing(place: Place) -> None:
    facts = await place.switching.facts("chat")
    began = time.monotonic()
    done = await place.switching.switch(facts, record_only=True)
    assert time.monotonic() - began < 0.5  # the budget is 0.1; this machine may be busy
    assert (done.status, done.load_ms) == ("recorded", None)
    assert await place.ps() == []
    assert place.state_file == "chat:latest\n"


@pytest.mark.parametrize("name", ["chat", "writer"])  # loaded itself, or through its sibling
async def test_switching_to_what_is_loaded_is_proven_within_a_second(place: Place, name: str) -> None:
    await place.loading.load("chat")
    began = time.monotonic()
    done = await switch(place, name)
    assert time.monotonic() - began < 5  # the budget is 1; this machine may be busy
    assert (done.status, done.load_ms, done.evicted) == ("loaded", None, ())


async def test_keep_alive_is_passed_on(place: Place) -> None:
    facts = await place.switching.facts("chat")
    await place.switching.switch(facts, keep_alive=Keep.FOREVER)
    loaded = await place.library.loaded()
    assert loaded is not None
    assert loaded[0].is_kept_forever(place.services.clock())


async def test_cloud_is_recorded_only(place: Place) -> None:
    done = await switch(place, "huge:120b-cloud")
    assert (done.status, done.load_ms) == ("recorded", None)
    assert place.state_file == "huge:120b-cloud\n"


# The alias follows.


async def test_alias_is_written_when_absent_and_follows(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=SMALL)
    assert (await switch(place, "chat", record_only=True)).notes == ()
    assert digest(place, "current") == digest(place, "chat")
    written = place.services.store.facts.alias(place.link.id, parse("current"))
    assert written is not None
    assert (written.target, written.digest) == ("chat:latest", digest(place, "chat"))
    assert (await switch(place, "coder:7b", record_only=True)).notes == ()  # it was ours: re-pointed
    assert digest(place, "current") == digest(place, "coder:7b")
    assert ("alias", "current:latest -> coder:7b", "done") in place.activity


async def test_an_alias_of_someone_else_is_left_and_said(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=(CHAT, CODER, replace(CODER, name="current")))
    facts = await place.switching.facts("chat")
    assert await place.switching.alias.stranger(facts.model) == "current:latest"
    done = await place.switching.switch(facts, record_only=True)
    assert len(done.notes) == 1
    assert "left as it is" in done.notes[0]
    assert digest(place, "current") == digest(place, "coder:7b")
    record = current(place)
    assert record is not None
    assert record.name.short == "chat:latest"
    assert (await place.switching.switch(facts, record_only=True, overwrite_alias=True)).notes == ()
    assert digest(place, "current") == digest(place, "chat")
    assert await place.switching.alias.stranger((await place.switching.facts("coder:7b")).model) is None


async def test_an_alias_moved_outside_after_us_is_left(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=SMALL)
    await switch(place, "chat", record_only=True)
    await place.outside("POST", "/api/copy", source="coder:7b", destination="current")
    done = await switch(place, "writer", record_only=True)
    assert "left as it is" in done.notes[0]
    assert digest(place, "current") == digest(place, "coder:7b")


async def test_an_alias_that_points_there_already_becomes_ours(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=(CHAT, CODER, replace(CHAT, name="current")))
    assert (await switch(place, "chat", record_only=True)).notes == ()
    assert (await switch(place, "coder:7b", record_only=True)).notes == ()
    assert digest(place, "current") == digest(place, "coder:7b")


async def test_an_orphaned_target_of_the_alias_is_warned_about(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=SMALL)
    await switch(place, "chat", record_only=True)
    await place.outside("DELETE", "/api/delete", model="chat")
    done = await switch(place, "coder:7b", record_only=True)
    assert len(done.notes) == 1
    assert "layers stay until a restart" in done.notes[0]


async def test_an_alias_that_cannot_be_pointed_is_told(open_place: Opener) -> None:
    place = await open_place(ALIAS, installed=SMALL)
    place.trouble(Kind.STATUS, "/api/copy", value=500)
    done = await switch(place, "chat", record_only=True)
    assert "the alias could not be pointed" in done.notes[0]
    assert place.state_file == "chat:latest\n"
    assert ("alias", "chat:latest", "failed") in place.activity


async def test_without_an_alias_none_is_strange(place: Place) -> None:
    assert await place.switching.alias.stranger((await place.switching.facts("chat")).model) is None


# Releasing the previous one.


async def test_release_unloads_the_previous(place: Place) -> None:
    await switch(place, "chat")
    done = await switch(place, "coder:7b", release=True)
    assert (done.released, done.notes) == ("chat:latest", ())
    assert await place.ps() == ["coder:7b"]
    assert ("unload", "chat:latest", "done") in place.activity


@pytest.mark.parametrize("sibling", ["writer", "alias"])  # the same weights, the same manifest
async def test_never_released_on_shared_weights(open_place: Opener, sibling: str) -> None:
    place = await open_place(installed=(CHAT, WRITER, replace(CHAT, name="alias")))
    await switch(place, "chat")
    done = await switch(place, sibling, release=True)
    assert done.released is None
    assert done.notes == (f"chat:latest stays: it stands on the same weights as {sibling}:latest",)
    assert await place.ps() == ["chat:latest"]


async def test_nothing_to_release(place: Place) -> None:
    assert (await switch(place, "chat", release=True)).released is None  # there was none
    assert (await switch(place, "chat", release=True)).released is None  # it is the same
    await switch(place, "huge:120b-cloud")
    assert (await switch(place, "coder:7b", release=True)).released is None  # it runs elsewhere
    await place.loading.unload("coder:7b")
    assert (await switch(place, "chat", release=True)).released is None  # it was not loaded
    await place.outside("DELETE", "/api/delete", model="chat")
    assert (await switch(place, "coder:7b", release=True)).released is None  # it is gone


async def test_a_release_that_fails_is_told(place: Place) -> None:
    await switch(place, "chat")
    facts = await place.switching.facts("coder:7b")
    place.trouble(Kind.STATUS, "/api/generate", name="chat:latest", value=500)
    done = await place.switching.switch(facts, release=True)
    assert (done.status, done.released) == ("loaded", None)
    assert "chat:latest could not be released" in done.notes[0]


# The hook.


async def test_hook_is_told_what_changed(open_place: Opener, tmp_path: Path) -> None:
    told = tmp_path / "told"
    words = f'printf "%s|" "$MODELTUI_CURRENT" "$MODELTUI_PREVIOUS" "$MODELTUI_SERVER" "$MINE" > {told}'
    place = await open_place(hooked(words), environ={"MINE": "kept"})
    assert (await switch(place, "chat", record_only=True)).notes == ()
    assert told.read_text() == f"chat:latest||{place.server.url}|kept|"
    await switch(place, "coder:7b", record_only=True)
    assert told.read_text() == f"coder:7b|chat:latest|{place.server.url}|kept|"
    assert place.activity[-1] == ("hook", "coder:7b", "done")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["sh", "-c", "exit 3"], "exit code 3"),
        ("exit 4", "exit code 4"),
        (["/nowhere/at/all"], "No such file or directory"),
    ],
)
async def test_a_failing_hook_is_reported_and_changes_nothing(
    open_place: Opener, command: list[str] | str, why: str
) -> None:
    place = await open_place(hooked(command))
    done = await switch(place, "chat", record_only=True)
    assert len(done.notes) == 1
    assert done.notes[0].startswith("the hook failed: ")
    assert why in done.notes[0]
    assert place.state_file == "chat:latest\n"
    assert place.activity[-1] == ("hook", "chat:latest", "failed")


async def test_a_hanging_hook_ends_with_all_that_it_started(
    open_place: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooking, "HOOK_S", 0.5)
    child = tmp_path / "child"
    place = await open_place(hooked(f"sleep 60 & echo $! > {child}; wait"))
    began = time.monotonic()
    done = await switch(place, "chat", record_only=True)
    assert time.monotonic() - began < 30
    assert "not ended after" in done.notes[0]
    await until(lambda: is_gone(int(child.read_text())))


async def test_a_switch_taken_back_ends_the_hook(open_place: Opener, tmp_path: Path) -> None:
    child = tmp_path / "child"
    place = await open_place(hooked(f"echo $$ > {child}.new; mv {child}.new {child}; exec sleep 60"))
    task = asyncio.create_task(switch(place, "chat", record_only=True))
    await until(child.exists)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await until(lambda: is_gone(int(child.read_text())))


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text() if Path("/proc").is_dir() else False


# The state file and the record.


async def test_the_state_file_is_replaced_in_one_step_and_private(place: Place) -> None:
    await switch(place, "chat", record_only=True)
    path = place.paths.current / "demo"
    with path.open() as open_before:
        await switch(place, "coder:7b", record_only=True)
        assert open_before.read() == "chat:latest\n"  # who reads it meanwhile sees a whole line
    assert path.read_text() == "coder:7b\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["demo"]


async def test_a_state_file_that_cannot_be_written_is_told(place: Place) -> None:
    place.paths.current.mkdir(parents=True)
    (place.paths.current / "demo").mkdir()
    done = await switch(place, "chat", record_only=True)
    assert len(done.notes) == 1
    assert "could not be written" in done.notes[0]
    record = current(place)
    assert record is not None
    assert record.name.short == "chat:latest"


async def test_a_server_named_by_its_address_has_a_file_inside_the_directory(open_place: Opener) -> None:
    place = await open_place()
    place.link = replace(place.link, name="../../http://box:1/x")
    await switch(place, "chat", record_only=True)
    (file,) = place.paths.current.iterdir()
    assert file.read_text() == "chat:latest\n"


async def test_moved_replaced_and_gone(place: Place) -> None:
    await switch(place, "chat", record_only=True)
    before = current(place)
    assert before is not None
    assert place.switching.moved(parse("speaker")) is None
    assert place.state_file == "speaker:latest\n"
    moved = current(place)
    assert moved is not None
    assert (moved.name.short, moved.since) == ("speaker:latest", before.since)
    place.switching.replaced(await place.meant("coder:7b"))
    assert current(place) is not None
    assert place.switching.gone() is None
    assert current(place) is None
    assert place.state_file is None
    assert place.switching.gone() is None  # once more is no error


async def test_a_store_that_fails_stops_the_switch(place: Place) -> None:
    facts = await place.switching.facts("chat")
    lose_table(place.paths, "current")
    with pytest.raises(StoreError):
        await place.switching.switch(facts, record_only=True)
    assert place.state_file is None
    assert place.switching.moved(parse("chat")) is not None
    assert place.switching.gone() is not None
