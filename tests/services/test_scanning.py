"""Scans of a demonstration server's models: findings, quarantine, what it refuses, and its release."""

from dataclasses import replace
from pathlib import Path

import pytest
from demo_stage import CHAT, CLOUD, CODER, FRESH, Opener, Place
from ggufs import Made, said, tensor
from shelf import Shelf

from modeltui.demo.faults import Kind as Fault
from modeltui.demo.library import DemoModel
from modeltui.domain.findings import Kind
from modeltui.domain.models import Model, ModelState, find
from modeltui.domain.names import parse
from modeltui.domain.transfers import CheckResult
from modeltui.errors import NoSuchModel, Refusal
from modeltui.services.checking import check_pulled
from modeltui.services.holding import release
from modeltui.services.scanning import Scanned, Scanning
from modeltui.services.scanning import scan as scan_pulled

EVIL = DemoModel("evil:latest", "evil", template="{{ .Prompt }}\x1b]0;owned\x07", licence="MIT")
AWAY = DemoModel("away:latest", remote_host="https://evil.example", remote_model="x")
BAD_HEAD = Made(tensors=[tensor("t", (32,), offset=2**40)]).whole


async def model(place: Place, name: str) -> Model:
    found = find(await place.link.api.models(), parse(name))
    assert found is not None
    return found


async def scan(place: Place, name: str) -> Scanned:
    return await Scanning(place.services, place.link).scan(await model(place, name))


async def states(place: Place) -> dict[str, ModelState]:
    return {entry.model.shown: entry.state for entry in (await place.library.listing()).entries}


async def test_ordinary_models_have_no_findings(place: Place) -> None:
    done = await Scanning(place.services, place.link).scan_installed(())
    assert len(done) == 6
    assert [each.findings for each in done] == [()] * 6
    gaps = {each.model.shown: each.gaps for each in done}
    assert gaps["huge:120b-cloud"] == ()
    assert "cannot be looked at from here" in gaps["chat:latest"][0]
    assert len(gaps["broken:latest"]) == 2
    with pytest.raises(NoSuchModel):
        await Scanning(place.services, place.link).scan_installed(["nothing"])


async def test_a_serious_finding_keeps_a_model_from_load_and_switch(open_place: Opener) -> None:
    place = await open_place(installed=(EVIL, CODER))
    scanned = await scan(place, "evil")
    assert [(each.kind, each.is_serious) for each in scanned.findings] == [(Kind.CHARACTERS, True)]
    assert scanned.held is not None
    assert "U+0007, U+001B" in scanned.held
    assert place.activity == [("quarantine", "evil:latest", "failed")]
    entry = (await place.library.listing()).entry(parse("evil"))
    assert entry is not None
    assert (entry.state, entry.held) == (ModelState.QUARANTINED, scanned.held)
    for act in (place.loading.load, place.switching.facts):
        with pytest.raises(Refusal, match="evil:latest is quarantined: its template") as refused:
            await act("evil")
        assert "modeltui verify --release evil:latest" in (refused.value.remedy or "")
    assert await place.ps() == []
    adopted = await place.switching.adopt((await place.library.listing()).models)
    assert adopted == "coder:7b"

    freed, reason = await release(place.services, place.link, "evil")
    assert (freed.shown, reason) == ("evil:latest", scanned.held)
    assert (await states(place))["evil:latest"] is ModelState.NOT_LOADED
    assert (await place.loading.load("evil")).name.short == "evil:latest"
    again = await scan(place, "evil")
    assert again.findings
    assert again.is_released
    with pytest.raises(Refusal, match="is not quarantined"):
        await release(place.services, place.link, "evil")


async def test_one_that_was_switched_to_before_is_held_as_well(open_place: Opener) -> None:
    place = await open_place(installed=(EVIL, CODER))
    facts = await place.switching.facts("evil")
    await scan(place, "evil")
    with pytest.raises(Refusal, match="is quarantined"):
        await place.switching.switch(facts)
    assert place.state_file is None


async def test_remote_hosts(open_place: Opener) -> None:
    place = await open_place(installed=(AWAY, CLOUD))
    scanned = await scan(place, "away")
    assert [(each.kind, each.is_serious) for each in scanned.findings] == [(Kind.REMOTE_HOST, True)]
    with pytest.raises(Refusal, match=r"runs at https://evil\.example"):
        await place.switching.facts("away")
    assert (await scan(place, "huge:120b-cloud")).findings == ()


async def test_a_change_of_licence_is_told_and_stays_told(open_place: Opener) -> None:
    place = await open_place(installed=(CHAT,))
    assert (await scan(place, "chat")).findings == ()
    place.server.library.install(parse("chat"), replace(CHAT, licence="Pay me"))
    for _ in range(2):
        scanned = await scan(place, "chat")
        assert [(each.kind, each.words) for each in scanned.findings] == [
            (Kind.LICENCE, "its licence changed from “MIT” to “Pay me”")
        ]
        assert scanned.held is None
    place.server.library.install(parse("chat"), replace(CHAT, licence="Pay me", system="x"))
    assert (await scan(place, "chat")).findings == ()


async def test_what_was_serious_is_not_forgotten_by_a_scan_that_sees_less(open_place: Opener) -> None:
    place = await open_place(installed=(EVIL,))
    await scan(place, "evil")
    entry = place.server.library.find("evil")
    assert entry is not None
    place.server.library.blobs.pop(entry.manifest.weights)
    scanned = await scan(place, "evil")
    assert len(scanned.gaps) == 2
    assert scanned.held is not None
    assert scanned.findings


async def test_an_updated_model_is_judged_anew(open_place: Opener) -> None:
    place = await open_place(installed=(EVIL,))
    await scan(place, "evil")
    place.server.library.install(parse("evil"), replace(EVIL, template="{{ .Prompt }}"))
    assert (await states(place))["evil:latest"] is ModelState.NOT_LOADED
    assert (await scan(place, "evil")).held is None


@pytest.fixture
async def here(open_place: Opener, tmp_path: Path) -> tuple[Place, Shelf]:
    shelf = Shelf(tmp_path / "models")
    place = await open_place(
        installed=(), available=(FRESH,), local=True, environ={"OLLAMA_MODELS": str(shelf.root)}
    )
    return place, shelf


async def test_headers_are_read_where_the_files_are_here(here: tuple[Place, Shelf]) -> None:
    place, shelf = here
    shelf.add(place.server.library, CODER, Made().whole)
    shelf.add(place.server.library, replace(CHAT, name="evil:latest"), BAD_HEAD)
    assert (await scan(place, "coder:7b")).findings == ()
    scanned = await scan(place, "evil")
    assert scanned.gaps == ()
    assert [(each.kind, each.is_serious) for each in scanned.findings] == [(Kind.TENSORS, True)]
    assert "“t” ends at" in (scanned.held or "")
    with pytest.raises(Refusal, match="is quarantined"):
        await place.loading.load("evil")


async def test_a_pull_is_scanned(here: tuple[Place, Shelf]) -> None:
    place, shelf = here
    shelf.add(place.server.library, FRESH, Made().whole)
    name = parse("fresh")
    assert await check_pulled(place.services, place.link, name, None) == (
        CheckResult.INSTALLED,
        "opened by the server; no manifest to compare it with",
    )
    shelf.add(place.server.library, FRESH, Made(entries=[said("general.name", "\x1b[2J")]).whole)
    result, words = await check_pulled(place.services, place.link, name, None)
    assert result is CheckResult.INSTALLED
    assert ", quarantined: the header entry general.name holds characters" in words
    assert (await states(place))["fresh:latest"] is ModelState.QUARANTINED


async def test_a_scan_that_cannot_be_made_changes_nothing_about_the_pull(here: tuple[Place, Shelf]) -> None:
    place, shelf = here
    shelf.add(None, CODER, b"of another server")
    place.server.library.install(parse("fresh"), FRESH)
    result, words = await check_pulled(place.services, place.link, parse("fresh"), None)
    assert (result, "scan" in words) == (CheckResult.INSTALLED, False)
    scanned = await scan(place, "fresh")
    assert "do not prove" in scanned.gaps[0]
    answers = await place.opening.details(parse("fresh"), None)
    model_of_it = await model(place, "fresh")
    place.trouble(Fault.STATUS, "/api/tags", value=500)
    words = await scan_pulled(place.services, place.link, model_of_it, answers, None)
    assert words.startswith("not scanned (")
