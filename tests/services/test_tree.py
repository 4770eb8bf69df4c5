"""The tree of services: a store that cannot be used is said, and everything still works."""

import getpass
import os

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    Place,
    lose_table,
    now_ms,
    open_services,
)

from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.errors import Refusal, StoreError
from modeltui.services.library import Library
from modeltui.services.loading import Loading
from modeltui.services.pulls import Pulls
from modeltui.services.runner import Runner
from modeltui.services.switching import Switching
from modeltui.services.tree import user_name


async def test_the_active_server_is_the_configured_one(place: Place) -> None:
    link = await place.services.active()
    assert link is place.link
    assert (link.name, link.endpoint.url, link.local) == ("demo", place.server.url, False)


async def test_what_is_done_is_recorded(place: Place) -> None:
    services, link = place.services, place.link
    async with services.recorded(link, "test", "well"):
        pass
    with pytest.raises(Refusal):
        async with services.recorded(link, "test", "refused"):
            raise Refusal("no")
    with pytest.raises(KeyboardInterrupt):
        async with services.recorded(None, "test", "interrupted"):
            raise KeyboardInterrupt
    rows = services.store.journal.latest(9)
    assert [(r.object, r.result, r.error, r.server) for r in reversed(rows)] == [
        ("well", "done", None, "demo"),
        ("refused", "failed", "no", "demo"),
        ("interrupted", "failed", "interrupted (KeyboardInterrupt)", None),
    ]
    assert {r.user for r in rows} == {user_name()}
    assert all(abs(r.at - now_ms()) < 60_000 for r in rows)


async def test_a_notice_is_said_once(place: Place) -> None:
    place.services.note("a")
    place.services.note("a")
    assert place.services.notices == ["a"]


async def test_a_store_that_breaks_meanwhile_stops_no_action(place: Place) -> None:
    lose_table(place.paths, "activity", "loads", "last_list")
    done = await place.loading.unload("chat")
    assert done.status == "not_loaded"
    assert all("will not be remembered" in notice for notice in place.services.notices)
    assert place.services.notices


@pytest.mark.parametrize("trouble", ["garbage", "directory", "state is a file"])
async def test_without_a_store_everything_still_works(place: Place, trouble: str) -> None:
    await place.services.close()
    for path in place.paths.state.glob("modeltui.db*"):
        path.unlink()
    if trouble == "garbage":
        place.paths.database.write_bytes(b"no database at all" * 1000)
        place.paths.database.chmod(0o600)
    elif trouble == "directory":
        place.paths.database.mkdir()
    else:
        for path in place.paths.state.iterdir():
            path.unlink()
        place.paths.state.rmdir()
        place.paths.state.write_text("")
    services = open_services(place.paths, [])
    try:
        assert services.store.trouble is not None
        (notice,) = services.notices
        assert "nothing will be remembered" in notice
        link = await services.active()
        assert len((await Library(services, link).listing()).entries) == 6
        assert (await Loading(services, link).load("chat")).runner is not None
        switching = Switching(services, link)
        with pytest.raises(StoreError, match="the switch cannot be recorded"):
            await switching.switch(await switching.facts("chat"))
        row, _ = Pulls(services).enqueue(link, parse("fresh"))
        runner = Runner(services, random=lambda: 0.0)
        assert runner.acquire()
        await runner.run(lambda: False)
        assert Pulls(services).get(row.number).transfer.state is State.INSTALLED
    finally:
        await services.close()


def test_the_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert user_name() == str(os.getuid())
