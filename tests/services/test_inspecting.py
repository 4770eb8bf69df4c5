"""Details of one model: the server's facts, its siblings, its file, and what a pull of it would cost."""

from dataclasses import replace

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    CHAT,
    CODER,
    FRESH,
    WRITER,
    Opener,
    Place,
)

from modeltui.demo.faults import Kind
from modeltui.demo.library import manifest_of
from modeltui.demo.speech import OLDER
from modeltui.domain.models import ModelType
from modeltui.domain.units import size
from modeltui.errors import InvalidName, NoSuchModel, Refusal, ServerFailed
from modeltui.services.inspecting import Facts, Inspecting


async def inspect(place: Place, typed: str) -> Facts:
    return await Inspecting(place.services, place.link).inspect(typed)


async def test_facts_of_a_model(place: Place) -> None:
    facts = await inspect(place, "CHAT")
    assert facts.entry.model.shown == "chat:latest"
    assert facts.entry.type is ModelType.GENERAL
    assert facts.details.license == "MIT"
    assert facts.details.weights == facts.entry.weights == manifest_of(CHAT).weights
    assert (facts.path, facts.account) == (None, None)


async def test_siblings_as_far_as_weights_are_known(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT, WRITER, CODER, replace(CHAT, name="alias")))
    assert (await inspect(place, "chat")).shares_weights_with == ("alias:latest",)
    assert sorted((await inspect(place, "writer")).shares_weights_with) == ["alias:latest", "chat:latest"]
    assert sorted((await inspect(place, "chat")).shares_weights_with) == ["alias:latest", "writer:latest"]
    assert (await inspect(place, "coder:7b")).shares_weights_with == ()


async def test_an_older_servers_type_comes_from_show(open_place: Opener) -> None:
    place = await open_place(version=OLDER)
    assert (await inspect(place, "embed")).entry.type is ModelType.EMBEDDING


async def test_damaged(place: Place) -> None:
    with pytest.raises(Refusal, match="broken:latest is damaged") as caught:
        await inspect(place, "broken")
    assert caught.value.remedy == "pull it again: modeltui pull broken:latest"


@pytest.mark.parametrize(
    ("name", "account"),
    [
        (None, None),  # the demonstration is offline
        ('{"id":"1","name":"ada","plan":"free"}', "ada"),
        ("{}", None),
    ],
)
async def test_who_is_signed_in_for_a_cloud_model(
    place: Place, name: str | None, account: str | None
) -> None:
    if name is not None:
        place.trouble(Kind.STATUS, "/api/me", value=[200, name])
    assert (await inspect(place, "huge:120b-cloud")).account == account


async def test_nobody_is_signed_in(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/me", value=401)
    assert (await inspect(place, "huge:120b-cloud")).account is None


async def test_what_is_not_installed_has_the_size_of_its_pull(place: Place) -> None:
    with pytest.raises(NoSuchModel, match="fresh:latest is not installed") as caught:
        await inspect(place, "fresh")
    total = size(manifest_of(FRESH).size)
    assert caught.value.remedy == f"pull it, {total}: modeltui pull fresh:latest"


async def test_what_its_registry_does_not_have(place: Place) -> None:
    with pytest.raises(NoSuchModel, match="its registry has no such tag"):
        await inspect(place, "nowhere:1b")


@pytest.mark.parametrize("lookup", ["off", "closed port"])
async def test_a_registry_that_cannot_be_asked_adds_nothing(open_place: Opener, lookup: str) -> None:
    if lookup == "off":
        place = await open_place("[registry]\nlookup = false\n")
    else:
        place = await open_place(registry="http://127.0.0.1:1")
    with pytest.raises(NoSuchModel) as caught:
        await inspect(place, "fresh")
    assert caught.value.message == "fresh:latest is not installed"
    assert caught.value.remedy == (
        "modeltui ls lists what is installed; modeltui pull fresh:latest tries to get it"
    )


async def test_nonsense_and_failures(place: Place) -> None:
    with pytest.raises(InvalidName):
        await inspect(place, "a b")
    place.trouble(Kind.STATUS, "/api/show", value=500)
    with pytest.raises(ServerFailed):
        await inspect(place, "chat")


async def test_the_file_is_named_where_it_is_the_servers(open_place: Opener) -> None:
    place = await open_place(local=True)
    models = place.paths.cache / "models"
    folder = models / "manifests/registry.ollama.ai/library/chat"
    folder.mkdir(parents=True)
    (folder / "latest").write_bytes(manifest_of(CHAT).raw)
    environ = {"OLLAMA_MODELS": str(models)}
    place.services = replace(place.services, environ=environ)
    assert (await inspect(place, "chat")).path == str(folder / "latest")
    (folder / "latest").write_bytes(b"another server's")
    assert (await inspect(place, "chat")).path is None
