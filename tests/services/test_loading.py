"""Loading and unloading: what `/api/ps` shows counts, not what a request answers."""

from dataclasses import replace

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
)

from modeltui.demo.faults import Kind
from modeltui.domain.names import parse
from modeltui.domain.server import Keep
from modeltui.errors import NoSuchModel, Refusal, ServerFailed, Unreachable, Unsupported
from modeltui.services import loading
from modeltui.services.library import Library
from modeltui.services.loading import opened
from modeltui.store.facts import Load


def last_load(place: Place, name: str) -> Load | None:
    digest = place.server.library.installed[parse(name).key].manifest.digest
    loads: dict[str, Load] = place.services.store.facts.loads(place.link.id)
    return loads.get(digest)


async def test_load_is_seen_in_ps_and_its_time_remembered(open_place: Opener) -> None:
    place = await open_place(load_rate=20 * MB)  # two megabytes in a tenth of a second
    done = await place.loading.load("chat")
    assert done.name.short == "chat:latest"
    assert done.runner is not None
    assert done.load_ms is not None
    assert 90 <= done.load_ms < 5_000
    remembered = last_load(place, "chat")
    assert remembered is not None
    assert (remembered.load_ms, remembered.size) == (done.load_ms, done.runner.size)
    assert remembered.context == done.runner.context == 8192
    assert await place.ps() == ["chat:latest"]
    assert place.activity == [("load", "chat:latest", "done")]


@pytest.mark.parametrize("again", ["chat", "alias", "writer"])  # by name, digest, weights
async def test_a_load_of_what_is_loaded_has_no_time(open_place: Opener, again: str) -> None:
    place = await open_place(installed=(CHAT, WRITER, replace(CHAT, name="alias")), load_rate=20 * MB)
    await place.loading.load("chat")
    before = last_load(place, "chat")
    done = await place.loading.load(again)
    assert done.load_ms is None
    assert done.runner is not None
    assert done.runner.shown == "chat:latest"
    assert last_load(place, "chat") == before
    assert (last_load(place, "writer") is None) and done.evicted == ()


async def test_other_options_make_a_sibling_load_anew(open_place: Opener) -> None:
    variant = replace(CHAT, name="variant", params={"num_ctx": 512})
    place = await open_place(installed=(CHAT, variant), load_rate=20 * MB)
    await place.loading.load("chat")
    done = await place.loading.load("variant")
    assert done.load_ms is not None
    assert done.evicted == ()  # the runner of the sibling itself is not pushed out by another
    assert await place.ps() == ["variant:latest"]
    assert last_load(place, "variant") is not None


async def test_what_was_evicted_is_named(open_place: Opener) -> None:
    place = await open_place(gpu_memory=5 * MB, installed=(CHAT, replace(CODER, context=64)))
    await place.loading.load("chat")
    done = await place.loading.load("coder:7b")
    assert done.evicted == ("chat:latest",)
    assert await place.ps() == ["coder:7b"]


async def test_pin_is_for_ever(place: Place) -> None:
    done = await place.loading.load("chat", Keep.FOREVER)
    assert done.runner is not None
    assert done.runner.is_kept_forever(place.services.clock())
    assert place.activity == [("pin", "chat:latest", "done")]


async def test_embedding_models_load_through_embed(place: Place) -> None:
    done = await place.loading.load("embed")
    assert done.runner is not None
    assert await place.ps() == ["embed:latest"]
    assert (await place.loading.unload("embed")).status == "unloaded"
    assert await place.ps() == []


@pytest.mark.parametrize("action", ["load", "unload"])
async def test_nothing_to_load_or_unload(place: Place, action: str) -> None:
    act = getattr(place.loading, action)
    with pytest.raises(Refusal, match="runs in the cloud"):
        await act("huge:120b-cloud")
    with pytest.raises(NoSuchModel):
        await act("nowhere:1b")
    assert place.activity == []


async def test_a_load_that_fails_is_recorded_and_remembers_nothing(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/generate", value=[500, '{"error":"model requires more system memory"}'])
    with pytest.raises(ServerFailed, match="more system memory"):
        await place.loading.load("chat")
    assert place.activity == [("load", "chat:latest", "failed")]
    assert last_load(place, "chat") is None


async def test_a_load_that_is_said_and_not_listed_is_no_load(place: Place) -> None:
    said = '{"model":"chat","response":"","done":true,"done_reason":"load"}'
    place.trouble(Kind.STATUS, "/api/generate", value=[200, said])
    with pytest.raises(ServerFailed, match="not listed any more"):
        await place.loading.load("chat")
    assert last_load(place, "chat") is None


async def test_a_server_that_cannot_say_what_is_loaded_is_believed(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/ps", value=404, times=None)
    done = await place.loading.load("chat")
    assert (done.runner, done.evicted) == (None, ())
    assert done.load_ms is not None
    assert (await place.loading.unload("chat")).status == "unloaded"


async def test_unload_waits_until_it_is_gone(place: Place) -> None:
    await place.loading.load("chat")
    done = await place.loading.unload("chat")
    assert (done.status, done.shared_with) == ("unloaded", ())
    assert await place.ps() == []
    assert (await place.loading.unload("chat")).status == "not_loaded"
    assert place.activity[-2:] == [("unload", "chat:latest", "done")] * 2


async def test_unload_names_who_shared_the_runner(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, WRITER, replace(CHAT, name="alias"), CODER))
    await place.loading.load("chat")
    for name in ("writer", "coder:7b"):
        model = await place.meant(name)
        await opened(place.opening, model)
    done = await place.loading.unload("writer")
    assert done.status == "unloaded"
    assert sorted(done.shared_with) == ["alias:latest", "chat:latest"]
    assert await place.ps() == []


async def test_stopping_while_a_request_runs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "GONE_S", 0.2)
    async with place.talking("chat"):
        done = await place.loading.unload("chat")
        assert done.status == "stopping"
        assert await place.ps() == ["chat:latest"]


async def test_deleted_while_loaded_is_told_truthfully(place: Place) -> None:
    await place.loading.load("chat", Keep.FOREVER)
    await place.outside("DELETE", "/api/delete", model="chat")
    for typed in ("chat", "chat:latest"):
        with pytest.raises(Refusal, match="was deleted while it was loaded") as caught:
            await place.loading.unload(typed)
        assert caught.value.remedy is not None
        assert "keep-alive" in caught.value.remedy


async def test_a_deleted_names_runner_is_unloaded_by_its_alias(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, replace(CHAT, name="alias")))
    await place.loading.load("chat", Keep.FOREVER)
    await place.outside("DELETE", "/api/delete", model="chat")
    done = await place.loading.unload("alias")
    assert (done.status, done.shared_with) == ("unloaded", ("chat:latest",))
    assert await place.ps() == []


async def test_damaged_is_told_with_its_remedy(place: Place) -> None:
    with pytest.raises(Refusal, match="broken:latest is damaged") as caught:
        await opened(place.opening, await place.meant("broken"))
    assert caught.value.remedy == "pull it again: modeltui pull broken:latest"
    with pytest.raises(Refusal, match="broken:latest is damaged"):
        await place.loading.load("broken")
    assert place.activity[-1] == ("load", "broken:latest", "failed")


async def test_what_opens_and_cannot_load_keeps_the_servers_words(place: Place) -> None:
    words = '{"error":"\\"chat\\" does not support thinking"}'
    place.trouble(Kind.STATUS, "/api/generate", value=[400, words])
    with pytest.raises(Unsupported, match="does not support thinking"):
        await place.loading.load("chat")


async def test_an_interrupted_load_is_recorded(place: Place) -> None:
    place.trouble(Kind.RESET, "/api/generate")
    with pytest.raises(Unreachable):
        await place.loading.load("chat")
    assert place.activity == [("load", "chat:latest", "failed")]


async def test_names_that_are_no_names_are_not_loaded(place: Place) -> None:
    models = await Library(place.services, place.link).listing()
    strange = replace(models.models[0], name=None, shown="a·b")
    with pytest.raises(Refusal, match="no valid name"):
        loading.loadable(strange)


async def test_cloud_and_embedding_beside_each_other(open_place: Opener) -> None:
    place = await open_place(installed=(CLOUD, EMBED))
    await place.loading.load("embed")
    listing = await place.library.listing()
    assert {e.model.shown: e.loaded is not None for e in listing.entries} == {
        "embed:latest": True,
        "huge:120b-cloud": False,
    }
