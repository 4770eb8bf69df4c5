"""A runner that is started ahead of what is queued: it takes that up itself, or ends when nothing comes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apart import end_runners, is_running, log_of, runner_lives, runners
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    Opener,
    Place,
    open_services,
    until,
)

from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.errors import ModeltuiError
from modeltui.services import detaching, headless
from modeltui.services.detaching import Started, see_carried, start_ahead
from modeltui.services.headless import run_headless
from modeltui.services.runnerlog import ORDERLY

PATH = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"}


@contextmanager
def ended(place: Place) -> Iterator[None]:
    try:
        yield
    finally:
        end_runners(place.paths)


async def carried(place: Place, started: Started | None) -> list[str]:
    """Watch until all rests; what was told."""
    told: list[str] = []
    queue = place.services.store.queue

    def rests() -> bool:
        return all(row.is_resting for row in queue.open())

    await see_carried(place.services, random=lambda: 0.0, is_done=rests, tell=told.append, started=started)
    return told


async def test_what_is_queued_a_moment_later_is_its_work(open_place: Opener) -> None:
    place = await open_place(environ=PATH)
    with ended(place):
        started = start_ahead(place.services)
        assert started is not None
        assert not runner_lives(place.paths)  # nothing is its work yet
        place.pulls.enqueue(place.link, parse("fresh"))
        assert await carried(place, started) == []
        await until(lambda: not started.is_alive)
    assert place.pulls.get(1).transfer.state is State.INSTALLED
    assert runners(place.paths) == [started.pid]
    assert log_of(place.paths).rstrip().endswith(ORDERLY)


async def test_none_is_started_beside_one_that_lives(open_place: Opener) -> None:
    place = await open_place(environ=PATH, rate=1.0)
    with ended(place):
        place.pulls.enqueue(place.link, parse("fresh"))
        assert detaching.ensure_runner(place.services)
        await until(lambda: runner_lives(place.paths))
        assert start_ahead(place.services) is None


async def test_another_is_started_where_it_waited_too_long(open_place: Opener) -> None:
    place = await open_place(environ=PATH)
    with ended(place):
        started = start_ahead(place.services)
        assert started is not None
        os.kill(started.pid, 15)
        await until(lambda: not started.is_alive)
        place.pulls.enqueue(place.link, parse("fresh"))
        assert await carried(place, started) == []
    assert place.pulls.get(1).transfer.state is State.INSTALLED
    assert not is_running(started.pid)


async def test_it_ends_when_nothing_comes(open_place: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "AHEAD_S", 0.1)
    place = await open_place()
    runner = open_services(place.paths, [])
    try:
        assert await run_headless(runner, random=lambda: 0.0, is_ahead=True) == 0
    finally:
        await runner.close()
    assert runners(place.paths) == []
    assert log_of(place.paths).rstrip().endswith(ORDERLY)


async def test_one_that_cannot_be_started_is_told_of_when_it_is_needed(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await open_place(environ=PATH)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert start_ahead(place.services) is None
    place.pulls.enqueue(place.link, parse("fresh"))
    with pytest.raises(ModeltuiError, match="/nowhere/python"):
        await carried(place, None)


async def test_where_none_can_be_apart_none_is_started(open_place: Opener) -> None:
    place = await open_place("[downloads]\ndetached = false\n")
    assert start_ahead(place.services) is None
