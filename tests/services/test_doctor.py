"""Doctor: every trouble is named with its remedy, and none of them ends the look."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    Opener,
    Place,
    configure,
    open_services,
)

from modeltui.demo.faults import Kind
from modeltui.domain.endpoint import parse_endpoint
from modeltui.domain.names import parse
from modeltui.errors import NotFound
from modeltui.hardware import rambandwidth
from modeltui.services.doctor import Check, Grade, _server, examine
from modeltui.services.tree import Services


async def checks(services: Services, subject: str, *, grade: Grade | None = None) -> list[Check]:
    found = await examine(services)
    return [c for c in found if c.subject == subject and grade in (None, c.grade)]


async def test_all_is_well(place: Place) -> None:
    found = await examine(place.services)
    assert {c.grade for c in found} == {Grade.OK}
    words = {c.subject: c.words for c in found}
    assert words["configuration"] == str(place.paths.config_file)
    assert words["database"] == str(place.paths.database)
    assert words["server"].startswith(f"demo at {place.server.url}: Ollama 0.33.0-rc2, ")
    assert words["models"] == "6 installed"
    assert "the server is not on this machine" in words["gpu"]


async def test_without_a_file_defaults_are_used(place: Place) -> None:
    place.paths.config_file.unlink()
    (check,) = await checks(place.services, "configuration")
    assert check.words == f"{place.paths.config_file} does not exist: defaults are used"


async def test_what_is_wrong_with_a_catalog_of_the_users_is_named(place: Place) -> None:
    own = place.paths.config / "catalog.d"
    own.mkdir(mode=0o700)
    (own / "mine.toml").write_text("series = 3\n")
    good, bad = await checks(place.services, "catalog")
    assert (good.grade, bad.grade) == (Grade.OK, Grade.WARNING)
    assert "235 series" in good.words
    assert str(own / "mine.toml") in bad.words


async def test_wide_rights_are_named_with_what_mends_them(place: Place) -> None:
    for path, wide, right in (
        (place.paths.config_file, 0o644, 0o600),
        (place.paths.state, 0o755, 0o700),
        (place.paths.database, 0o660, 0o600),
    ):
        path.chmod(wide)
        (check,) = await checks(place.services, "rights", grade=Grade.WARNING)
        assert check.words == f"{path} is open to others ({wide:04o})"
        assert check.remedy == f"chmod {right:o} {path}"
        path.chmod(right)
    (check,) = await checks(place.services, "rights")
    assert check.grade is Grade.OK


async def test_a_state_file_open_to_others_is_named(place: Place) -> None:
    await place.switching.switch(await place.switching.facts("chat"), record_only=True)
    path = place.paths.current / "demo"
    path.chmod(0o644)
    found = await checks(place.services, "rights", grade=Grade.WARNING)
    assert [c.remedy for c in found] == [f"chmod 600 {path}"]


async def test_stricter_rights_than_needed_are_fine(place: Place) -> None:
    place.paths.config_file.chmod(0o400)
    assert await checks(place.services, "rights", grade=Grade.WARNING) == []


async def test_unknown_keys_and_problems(open_place: Opener) -> None:
    place = await open_place("[downloads]\nper_server = 9\nspeed = 3\n", top='colour = "red"\n')
    found = await checks(place.services, "configuration", grade=Grade.WARNING)
    assert len(found) == 2
    assert "downloads.per_server must be a whole number from 1 to 4" in found[0].words
    assert found[1].words.startswith("unknown keys: ")
    assert "colour" in found[1].words
    assert "downloads.speed" in found[1].words


async def test_an_unreachable_server_is_an_error(place: Place) -> None:
    await place.server.stop()
    (check,) = await checks(place.services, "server")
    assert check.grade is Grade.ERROR
    assert place.server.url in check.words
    assert check.remedy is not None
    assert "ollama serve" in check.remedy


async def test_a_server_that_answers_nonsense_is_an_error(place: Place) -> None:
    place.trouble(Kind.MALFORMED, "/api/tags")
    (check,) = await checks(place.services, "server")
    assert check.grade is Grade.ERROR


async def test_a_very_old_server(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/version", value=404)
    (check,) = await checks(place.services, "server")
    assert (check.grade, "of unknown (old) version" in check.words) == (Grade.OK, True)


async def test_a_missing_secret_is_an_error(place: Place) -> None:
    configure(place.paths, "", f'[servers.demo]\nurl = "{place.server.url}"\ntoken_env = "BOX_TOKEN"\n')
    services = open_services(place.paths, [])
    try:
        (check,) = await checks(services, "server")
        assert check.grade is Grade.ERROR
        assert "BOX_TOKEN" in check.words
    finally:
        await services.close()


async def test_plain_http_to_another_machine_is_marked(place: Place) -> None:
    url = "http://192.0.2.1:11434"  # TEST-NET-1: nobody has it; the answers come from our own server
    away = replace(place.link, endpoint=parse_endpoint(url))
    found = {c.grade: c for c in await _server(place.services, away)}
    assert found[Grade.WARNING].words.startswith(f"{url} is plain http to another machine")
    assert found[Grade.WARNING].remedy == "tunnel it (ssh -L) or put TLS before it"


async def test_damaged_and_missing_models(place: Place) -> None:
    model = await place.meant("broken")
    assert model.name is not None
    with pytest.raises(NotFound):
        await place.opening.details(model.name, model.digest)
    place.services.store.facts.set_current(place.link.id, parse("gone:1b"), None, 1)
    found = await checks(place.services, "models", grade=Grade.WARNING)
    assert [(c.words, c.remedy) for c in found] == [
        ("broken:latest is damaged", "modeltui pull broken:latest"),
        ("the current model gone:1b is not installed", "modeltui pull gone:1b"),
    ]


async def test_a_database_of_a_newer_modeltui(place: Place) -> None:
    with closing(sqlite3.connect(place.paths.database)) as connection:
        connection.execute("PRAGMA user_version = 99")
    services = open_services(place.paths, [])
    try:
        (check,) = await checks(services, "database")
        assert check.grade is Grade.ERROR
        assert "newer modeltui" in check.words
        (server,) = await checks(services, "server")
        assert server.grade is Grade.OK  # the rest is looked at all the same
    finally:
        await services.close()


async def test_what_estimates_count_on_is_told(open_place: Opener) -> None:
    table = "[servers.demo.hardware]\ngpus = ['rtx 4090']\nram = '64GB'\nram_bandwidth = 51.2\n"
    place = await open_place(table)
    (check,) = await checks(place.services, "machine")
    assert check.words.startswith("estimates count on RTX 4090 25.8 GB, 68.7 GB of RAM 51.2 GB/s (")
    assert check.words.endswith(f"({place.paths.config_file})")


async def test_a_machine_that_is_not_known_says_what_to_do(place: Place) -> None:
    (check,) = await checks(place.services, "machine")
    assert (check.grade, "[servers.demo.hardware]" in check.words) == (Grade.OK, True)


async def test_ram_is_measured_on_request_only(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rambandwidth, "_BUFFER", 4 << 20)
    monkeypatch.setattr(rambandwidth, "_SMALLEST", 1 << 20)
    assert not await checks(place.services, "ram")
    found = await examine(place.services, measures_ram=True)
    (check,) = [check for check in found if check.subject == "ram"]
    assert check.grade is Grade.OK
    assert "B/s (measured, and remembered)" in check.words


async def test_ram_that_cannot_be_measured_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rambandwidth, "measure_ram_bandwidth", lambda: None)
    found = await examine(place.services, measures_ram=True)
    (check,) = [check for check in found if check.subject == "ram"]
    assert (check.grade, check.remedy) == (Grade.WARNING, "unload models, and try again")
