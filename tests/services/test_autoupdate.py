"""Updates without a person: their time, what is not touched then, and the timer that calls for them."""

import configparser
import sys
from dataclasses import replace
from datetime import datetime

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    CHAT,
    CODER,
    EMBED,
    Opener,
    Place,
    lose_table,
)

from modeltui.demo.faults import Kind
from modeltui.domain.updates import Verdict
from modeltui.errors import StoreError
from modeltui.services.autoupdate import set_apart, timer_units, why_not_now
from modeltui.services.updating import Finding, Updating

NEWER = tuple(replace(model, licence="Newer", hours=1) for model in (CHAT, CODER, EMBED))


@pytest.mark.parametrize(
    ("settings", "hour", "why"),
    [
        ("", 3, "updates.auto is off"),
        ('auto = "off"\nwindow = "02:00-05:00"', 3, "updates.auto is off"),
        ('auto = "check"', 13, None),
        ('auto = "pull"\nwindow = "02:00-05:00"', 3, None),
        ('auto = "pull"\nwindow = "02:00-05:00"', 13, "it is 13:30, and updates.window is 02:00-05:00"),
        ('auto = "check"\nwindow = "22:00 - 05:00"', 5, "it is 05:30, and updates.window is 22:00-05:00"),
    ],
)
async def test_its_time(open_place: Opener, settings: str, hour: int, why: str | None) -> None:
    place = await open_place(f"[updates]\n{settings}\n")
    here = datetime(2026, 1, 15, hour, 30).timestamp()
    assert why_not_now(replace(place.services, clock=lambda: round(here * 1000))) == why


async def due(place: Place) -> tuple[Finding, ...]:
    updating = Updating(place.services, place.link)
    found: tuple[Finding, ...] = await updating.check(await updating.chosen(["coder:7b", "chat", "embed"]))
    assert {finding.verdict for finding in found} == {Verdict.NEWER}
    return found


async def apart(place: Place) -> tuple[list[str], dict[str, str]]:
    free, busy = await set_apart(place.services, place.link, await due(place))
    return [each.model.shown for each in free], {each.model.shown: why for each, why in busy}


def quarantine(place: Place, name: str, *, released: bool = False) -> None:
    digest = place.server.library.find(name).manifest.digest
    with place.services.store._database.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO quarantine VALUES (?, ?, 'an unknown layer', 1, ?)",
            (place.link.id, digest, 2 if released else None),
        )


async def test_what_is_loaded_or_held_back_is_left(open_place: Opener) -> None:
    place = await open_place(available=NEWER)
    assert await apart(place) == (["coder:7b", "chat:latest", "embed:latest"], {})
    await place.loading.load("coder:7b")
    quarantine(place, "embed")
    assert await apart(place) == (
        ["chat:latest"],
        {"coder:7b": "it is loaded", "embed:latest": "it is quarantined"},
    )
    quarantine(place, "embed", released=True)
    assert (await apart(place))[0] == ["chat:latest", "embed:latest"]


async def test_a_model_whose_weights_are_loaded_under_another_name_is_left(open_place: Opener) -> None:
    place = await open_place(available=NEWER)
    await place.loading.load("writer")  # on the weights of chat
    await place.opening.details(*name_and_digest(place, "chat"))  # which is known of it
    assert (await apart(place))[1] == {"chat:latest": "it is loaded"}


def name_and_digest(place: Place, name: str) -> tuple[object, str]:
    entry = place.server.library.find(name)
    return entry.name, entry.manifest.digest


async def test_where_it_is_not_known_what_is_loaded_nothing_is_touched(open_place: Opener) -> None:
    place = await open_place(available=NEWER)
    place.trouble(Kind.STATUS, "/api/ps", value=500, times=None)
    free, busy = await apart(place)
    assert free == []
    assert set(busy.values()) == {"the server does not say what is loaded"}


async def test_where_it_is_not_known_what_is_held_back_nothing_is_touched(open_place: Opener) -> None:
    place = await open_place(available=NEWER)
    findings = await due(place)
    lose_table(place.paths, "quarantine")
    with pytest.raises(StoreError):
        await set_apart(place.services, place.link, findings)


async def test_what_is_gone_meanwhile_is_left(open_place: Opener) -> None:
    place = await open_place(available=NEWER)
    findings = await due(place)
    await place.outside("DELETE", "/api/delete", model="chat")
    _, busy = await set_apart(place.services, place.link, findings)
    assert [(each.model.shown, why) for each, why in busy] == [("chat:latest", "it is gone")]


async def test_the_timer(open_place: Opener) -> None:
    place = await open_place('[updates]\nauto = "pull"\nwindow = "22:30-05:00"\n')
    service, timer = timer_units(place.services).split("# ~/.config/systemd/user/modeltui-update.timer")
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.read_string(service)
    assert read["Service"]["ExecStart"] == f"{sys.executable} -m modeltui upgrade --auto"
    assert f"MODELTUI_STATE_DIR={place.paths.state}" in service
    read = configparser.ConfigParser(interpolation=None)
    read.read_string(f"#{timer}")
    assert read["Timer"]["OnCalendar"] == "*-*-* 22:30:00"
    assert read["Install"]["WantedBy"] == "timers.target"


async def test_the_timer_without_a_window(place: Place) -> None:
    assert "OnCalendar=*-*-* 03:00:00\n" in timer_units(place.services)
