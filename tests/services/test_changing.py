"""Delete, copy, rename: what goes is told before, waits for what it must, and an error loses nothing."""

from dataclasses import replace

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    CHAT,
    CODER,
    EMBED,
    FRESH,
    WRITER,
    Opener,
    Place,
    lose_table,
)

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel, manifest_of
from modeltui.domain.server import Keep
from modeltui.errors import (
    Busy,
    InvalidName,
    ModeltuiError,
    NoSuchModel,
    NotFound,
    Refusal,
    ServerFailed,
    Unreachable,
)
from modeltui.services import loading
from modeltui.services.changing import Removal, Removed

ALIAS = replace(CHAT, name="alias")


async def plan(place: Place, *typed: str) -> tuple[Removal, ...]:
    removals: tuple[Removal, ...] = await place.changing.plan_removal(list(typed))
    return removals


async def remove(place: Place, *typed: str) -> tuple[Removed, ...]:
    removed: tuple[Removed, ...] = await place.changing.remove(await plan(place, *typed))
    return removed


def freed(removals: tuple[Removal, ...]) -> dict[str, int | None]:
    return {removal.model.shown: removal.freed for removal in removals}


def size(model: DemoModel) -> int:
    return manifest_of(model).size


def make_current(place: Place, name: str) -> None:
    entry = place.server.library.find(name)
    assert entry is not None
    place.services.store.facts.set_current(place.link.id, entry.name, entry.manifest.digest, 1)
    place.switching.write_state_file(entry.name)


# What a delete would free.


@pytest.mark.parametrize(
    ("typed", "expected", "shared"),
    [
        (["coder:7b"], {"coder:7b": size(CODER)}, ()),
        (["CODER:7B"], {"coder:7b": size(CODER)}, ()),
        (["alias"], {"alias:latest": 0}, ("chat:latest", "writer:latest")),
        (["writer"], {"writer:latest": None}, ("chat:latest", "alias:latest")),
        (["chat", "alias"], {"chat:latest": None, "alias:latest": 0}, ("writer:latest",)),
    ],
)
async def test_freed_bytes(
    open_place: Opener, typed: list[str], expected: dict[str, int | None], shared: tuple[str, ...]
) -> None:
    place = await open_place(installed=(CHAT, WRITER, ALIAS, CODER, EMBED))
    removals = await plan(place, *typed)
    assert freed(removals) == expected
    assert sorted(removals[0].shared_with) == sorted(shared)


async def test_an_alias_deleted_with_its_model_is_counted_once(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, ALIAS, CODER))
    removals = await plan(place, "alias", "chat", "chat:latest", "coder:7b")
    assert freed(removals) == {"alias:latest": size(CHAT), "chat:latest": 0, "coder:7b": size(CODER)}


async def test_siblings_deleted_together_count_their_weights_once(open_place: Opener) -> None:
    """Both go, so the weights come back, once: never more is promised than there was."""
    place = await open_place(installed=(CHAT, WRITER, CODER))
    library = place.server.library
    before = sum(library.blobs.values())
    removals = await plan(place, "chat", "writer", "coder:7b")
    promised = [removal.freed for removal in removals]
    await place.changing.remove(removals)
    assert sum(count or 0 for count in promised) <= before - sum(library.blobs.values())
    assert freed(removals)["coder:7b"] == size(CODER)


async def test_what_is_freed_is_what_was_said(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, ALIAS, CODER))
    library = place.server.library
    for name in ("alias", "coder:7b", "chat"):
        before = sum(library.blobs.values())
        (removal,) = await plan(place, name)
        await place.changing.remove((removal,))
        assert removal.freed == before - sum(library.blobs.values())


async def test_current_and_loaded_are_flagged(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, WRITER, ALIAS, CODER))
    make_current(place, "chat")
    await place.loading.load("chat")
    flags = {r.model.shown: (r.is_current, r.is_loaded) for r in await plan(place, *place.installed)}
    assert flags == {
        "chat:latest": (True, True),
        "alias:latest": (False, True),  # the same manifest
        "writer:latest": (False, False),  # its sibling's runner is not its own
        "coder:7b": (False, False),
    }


async def test_a_plan_with_an_unknown_name_touches_nothing(place: Place) -> None:
    with pytest.raises(NoSuchModel):
        await plan(place, "chat", "nowhere:1b")
    assert "chat:latest" in place.installed


# Deleting.


async def test_delete_unloads_first_and_waits(place: Place) -> None:
    await place.loading.load("chat", Keep.FOREVER)
    (removed,) = await remove(place, "chat")
    assert removed.error is None
    assert await place.ps() == []
    assert "chat:latest" not in place.installed
    assert place.activity[-1] == ("delete", "chat:latest", "done")
    assert place.told == []


@pytest.mark.parametrize("loaded_then", [True, False])
async def test_what_is_loaded_is_looked_at_again_after_the_question(place: Place, loaded_then: bool) -> None:
    if not loaded_then:
        await place.loading.load("chat", Keep.FOREVER)
    removals = await plan(place, "chat")
    if loaded_then:
        await place.loading.load("chat", Keep.FOREVER)
    else:
        await place.loading.unload("chat")
    (removed,) = await place.changing.remove(removals)
    assert removed.error is None
    assert await place.ps() == []


async def test_deleting_a_sibling_leaves_the_runner(place: Place) -> None:
    await place.loading.load("chat")
    await remove(place, "writer")
    assert await place.ps() == ["chat:latest"]


async def test_a_request_under_way_keeps_the_model(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "GONE_S", 0.2)
    make_current(place, "chat")
    async with place.talking("chat"):
        (removed,) = await remove(place, "chat")
        assert isinstance(removed.error, Refusal)
        assert "still answers a request" in removed.error.message
        assert "chat:latest" in place.installed
    assert place.activity[-1] == ("delete", "chat:latest", "failed")
    assert place.state_file == "chat:latest\n"


async def test_not_found_on_a_retry_is_success(place: Place) -> None:
    removals = await plan(place, "chat")
    await place.outside("DELETE", "/api/delete", model="chat")
    (removed,) = await place.changing.remove(removals)
    assert removed.error is None


async def test_not_found_of_what_is_listed_is_none(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/delete", value=[404, '{"error":"model \'chat\' not found"}'])
    (removed,) = await remove(place, "chat")
    assert isinstance(removed.error, NotFound)
    assert "chat:latest" in place.installed


async def test_one_failure_does_not_keep_the_others(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/delete", name="chat:latest", value=500)
    removed = await remove(place, "coder:7b", "chat", "embed")
    assert [(each.removal.model.shown, each.error is None) for each in removed] == [
        ("coder:7b", True),
        ("chat:latest", False),
        ("embed:latest", True),
    ]
    assert [name for name in ("chat:latest", "coder:7b", "embed:latest") if name in place.installed] == [
        "chat:latest"
    ]


async def test_deleting_the_current_clears_the_record(place: Place) -> None:
    make_current(place, "chat")
    await remove(place, "chat")
    assert place.services.store.facts.current(place.link.id) is None
    assert place.state_file is None


async def test_deleting_damaged_and_cloud_models(place: Place) -> None:
    assert [each.error for each in await remove(place, "broken", "huge:120b-cloud")] == [None, None]


async def test_a_name_that_is_none_is_not_deleted(place: Place) -> None:
    (removal,) = await plan(place, "chat")
    strange = replace(removal, model=replace(removal.model, name=None, shown="a·b"))
    (removed,) = await place.changing.remove((strange,))
    assert isinstance(removed.error, Refusal)
    assert "chat:latest" in place.installed


async def test_a_record_that_cannot_be_cleared_is_told(place: Place) -> None:
    make_current(place, "chat")
    removals = await plan(place, "chat")
    lose_table(place.paths, "current")
    (removed,) = await place.changing.remove(removals)
    assert removed.error is None
    assert any("cannot be used" in notice for notice in place.services.notices)


async def test_without_locks_a_delete_says_so_and_goes_on(place: Place) -> None:
    (place.paths.state / "locks").write_text("no directory")
    (removed,) = await remove(place, "chat")
    assert removed.error is None
    assert any("no lock keeps a pull" in notice for notice in place.services.notices)


# Copying.


async def test_copy_gives_a_second_name(place: Place) -> None:
    name = await place.changing.copy("chat", "talker:v1")
    assert name.short == "talker:v1"
    assert "talker:v1" in place.installed
    assert place.activity == [("copy", "chat:latest -> talker:v1", "done")]
    assert place.services.notices == []


REFUSED = [
    ("CHAT", Refusal, "case does not count"),
    ("chat:latest", Refusal, "same name"),
    ("coder:7b", Refusal, "exists and would be overwritten"),
    ("mine:cloud", InvalidName, "cloud model"),
    ("mine:8b-cloud", InvalidName, "cloud model"),
    ("mine:local", InvalidName, "cloud model"),
    ("mine:8b:cloud", InvalidName, "cloud model"),
    ("not a name", InvalidName, "not allowed"),
    ("", InvalidName, "missing"),
]


@pytest.mark.parametrize(("destination", "error", "words"), REFUSED)
@pytest.mark.parametrize("verb", ["copy", "rename"])
async def test_refused_destinations(
    place: Place, verb: str, destination: str, error: type[ModeltuiError], words: str
) -> None:
    before = place.installed
    with pytest.raises(error, match=words):
        await getattr(place.changing, verb)("chat", destination)
    assert place.installed == before
    assert place.activity == []


@pytest.mark.parametrize("verb", ["copy", "rename", "check_copy"])
async def test_an_unknown_source(place: Place, verb: str) -> None:
    with pytest.raises(NoSuchModel):
        await getattr(place.changing, verb)("nowhere:1b", "x")


async def test_check_copy_stops_at_what_no_answer_changes(place: Place) -> None:
    await place.changing.check_copy("chat", "coder:7b")  # a taken name can be said yes to
    for destination, error, words in REFUSED:
        if destination != "coder:7b":
            with pytest.raises(error, match=words):
                await place.changing.check_copy("chat", destination)


async def test_copy_over_a_name_says_what_stays_on_the_disk(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, ALIAS, CODER, EMBED))
    await place.changing.copy("coder:7b", "alias", overwrite=True)
    assert place.services.notices == []  # chat still names the old layers
    await place.changing.copy("coder:7b", "embed", overwrite=True)
    (notice,) = place.services.notices
    assert "embed:latest named a model without another name" in notice


BROKEN_COPIES = [
    (Kind.STATUS, {"value": 500}, ServerFailed),
    (Kind.STATUS, {"value": 503}, Busy),
    (Kind.RESET, {}, Unreachable),
    (Kind.STATUS, {"value": [200, ""]}, ServerFailed),  # says yes, does nothing
]


@pytest.mark.parametrize(("kind", "more", "error"), BROKEN_COPIES)
@pytest.mark.parametrize("verb", ["copy", "rename"])
async def test_a_copy_that_fails_leaves_the_original(
    place: Place, verb: str, kind: Kind, more: dict[str, object], error: type[ModeltuiError]
) -> None:
    make_current(place, "chat")
    before = place.installed
    place.trouble(kind, "/api/copy", **more)
    with pytest.raises(error):
        await getattr(place.changing, verb)("chat", "talker")
    assert set(before) <= set(place.installed)
    assert place.activity == [(verb, "chat:latest -> talker:latest", "failed")]
    record = place.services.store.facts.current(place.link.id)
    assert record is not None
    assert record.name.short == "chat:latest"
    assert place.state_file == "chat:latest\n"


async def test_a_copy_with_another_digest_is_none(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/copy", value=[200, ""])
    with pytest.raises(ServerFailed, match="not listed with the digest"):
        await place.changing.rename("chat", "coder:7b", overwrite=True)
    assert {"chat:latest", "coder:7b"} <= set(place.installed)


# Renaming.


async def test_rename_moves_the_name_and_the_record(place: Place) -> None:
    make_current(place, "chat")
    assert (await place.changing.rename("chat", "me/talker:v1")).short == "me/talker:v1"
    assert "chat:latest" not in place.installed
    assert "me/talker:v1" in place.installed
    record = place.services.store.facts.current(place.link.id)
    assert record is not None
    assert (record.name.short, record.since) == ("me/talker:v1", 1)
    assert place.state_file == "me/talker:v1\n"
    assert place.activity == [("rename", "chat:latest -> me/talker:v1", "done")]


async def test_rename_of_another_leaves_the_record(place: Place) -> None:
    make_current(place, "chat")
    await place.changing.rename("coder:7b", "programmer")
    assert place.state_file == "chat:latest\n"


async def test_rename_over_a_taken_name_when_said(place: Place) -> None:
    await place.changing.rename("chat", "embed", overwrite=True)
    assert "chat:latest" not in place.installed
    entry = place.server.library.find("embed")
    assert entry is not None
    assert entry.manifest.digest == manifest_of(CHAT).digest
    assert any("embed:latest named a model" in notice for notice in place.services.notices)


@pytest.mark.parametrize(("status", "error"), [(500, ServerFailed), (503, Busy)])
async def test_a_rename_whose_delete_fails_keeps_both(
    place: Place, status: int, error: type[ModeltuiError]
) -> None:
    make_current(place, "chat")
    place.trouble(Kind.STATUS, "/api/delete", value=status)
    with pytest.raises(error):
        await place.changing.rename("chat", "talker")
    assert {"chat:latest", "talker:latest"} <= set(place.installed)
    assert place.state_file == "chat:latest\n"
    assert place.activity[-1] == ("rename", "chat:latest -> talker:latest", "failed")


async def test_a_renamed_loaded_model_can_still_be_unloaded(place: Place) -> None:
    await place.loading.load("chat", Keep.FOREVER)
    await place.changing.rename("chat", "talker")
    assert (await place.loading.unload("talker")).status == "unloaded"
    assert await place.ps() == []


async def test_a_rename_record_that_cannot_be_written_is_told(place: Place) -> None:
    make_current(place, "chat")
    place.server.library.publish(FRESH)
    (place.paths.current / "demo").unlink()
    (place.paths.current / "demo").mkdir()
    await place.changing.rename("chat", "talker")
    assert any("state file" in notice for notice in place.services.notices)
