"""The runner as a process of its own: started, one at a time, killed, started again, and gone at the end."""

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apart import end_runners, is_running, kill_runner, log_of, runner_lives, runners
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    MB,
    OTHER,
    Opener,
    Place,
    open_services,
    until,
)

from modeltui.config.reader import load
from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import State, Wanted
from modeltui.errors import ModeltuiError
from modeltui.services import detaching, headless
from modeltui.services.detaching import can_detach, ensure_runner, see_carried, start_runner
from modeltui.services.headless import run_headless
from modeltui.services.runner import Runner
from modeltui.services.runnerlog import ORDERLY
from modeltui.services.unit import unit_text
from modeltui.store.locks import FileLock

ENDLESS = MB / 100
SLOW = MB
"""Bytes a second that make the pull of FRESH last two seconds."""

OpenApart = Callable[..., Awaitable[Place]]


@pytest.fixture
async def open_apart(open_place: Opener, tmp_path: Path) -> AsyncIterator[OpenApart]:
    """As `open_place`, for runners that are processes; none is left at the end."""
    kept = ("PATH", "COVERAGE_PROCESS_START")
    environ = {key: os.environ[key] for key in kept if key in os.environ}

    async def start(*arguments: Any, **more: Any) -> Place:
        variables = {**environ, "PYTHONWARNINGS": "error", **more.pop("environ", {})}
        place: Place = await open_place(*arguments, environ=variables, **more)
        opened.append(place)
        return place

    opened: list[Place] = []
    yield start
    for place in opened:
        await asyncio.to_thread(end_runners, place.paths)


def put(place: Place, *names: str) -> None:
    for name in names:
        place.pulls.enqueue(place.link, parse(name))


def state(place: Place, number: int = 1) -> State:
    found: State = place.pulls.get(number).transfer.state
    return found


async def reach(place: Place, wanted: State, number: int = 1) -> None:
    await until(lambda: state(place, number) is wanted)


@asynccontextmanager
async def kept_carried(place: Place) -> AsyncIterator[list[str]]:
    """Someone who watches until all rests; gives what is told."""
    told: list[str] = []
    queue = place.services.store.queue

    def rests() -> bool:
        return all(row.is_resting for row in queue.open())

    work = see_carried(place.services, random=lambda: 0.0, is_done=rests, tell=told.append)
    task = asyncio.create_task(work)
    try:
        yield told
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


# One life.


async def test_it_carries_the_queue_out_and_ends(open_apart: OpenApart) -> None:
    place = await open_apart()
    put(place, "fresh", "other:1b")
    started = start_runner(place.services)
    await until(lambda: not started.is_alive)
    assert [state(place, 1), state(place, 2)] == [State.INSTALLED, State.INSTALLED]
    assert not runner_lives(place.paths)
    assert not is_running(started.pid)
    with pytest.raises(ChildProcessError):  # nor is a zombie left of it
        os.waitpid(started.pid, os.WNOHANG)  # noqa: ASYNC222
    lines = [line.partition(" ")[2] for line in log_of(place.paths).splitlines()]
    assert lines[0].endswith(f"carries the queue out as process {started.pid}")
    for name in ("1 fresh:latest", "2 other:1b"):
        words = [line for line in lines if line.startswith(name)]
        assert words == [f"{name}: starting", f"{name}: installed (digest checked)"]
    assert (len(lines), lines[-1]) == (6, ORDERLY)
    assert place.paths.runner_log.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
async def test_it_holds_nothing_of_the_one_that_started_it(open_apart: OpenApart, tmp_path: Path) -> None:
    place = await open_apart(rate=ENDLESS)
    put(place, "fresh")
    ours = os.open(tmp_path / "ours", os.O_CREAT | os.O_RDWR)
    try:
        os.set_inheritable(ours, True)
        number = start_runner(place.services).pid
    finally:
        os.close(ours)
    await reach(place, State.PULLING)
    of_process = Path(f"/proc/{number}")
    files = {each.name: each.readlink() for each in (of_process / "fd").iterdir()}
    assert tmp_path / "ours" not in files.values()
    assert files["0"] == Path(os.devnull)
    assert files["1"] == files["2"] == place.paths.runner_log
    assert (of_process / "cwd").readlink() == Path("/")
    assert os.getsid(number) == number != os.getsid(0)


async def test_of_several_starters_one_becomes_the_runner(open_apart: OpenApart) -> None:
    place = await open_apart(rate=ENDLESS)
    put(place, "fresh")
    started = [start_runner(place.services) for _ in range(4)]
    await until(lambda: sum(each.is_alive for each in started) == 1)
    await reach(place, State.PULLING)
    (winner,) = (each.pid for each in started if each.is_alive)
    assert runners(place.paths) == [winner]
    assert not ensure_runner(place.services)
    assert ORDERLY not in log_of(place.paths)


@pytest.mark.parametrize("wish", [Wanted.PAUSE, Wanted.CANCEL])
async def test_a_wish_is_obeyed_by_a_runner_apart(open_apart: OpenApart, wish: Wanted) -> None:
    place = await open_apart(rate=ENDLESS)
    put(place, "fresh")
    started = start_runner(place.services)
    await reach(place, State.PULLING)
    place.pulls.ask(1, wish)
    await until(lambda: bool(place.server.library.partials))  # its connection is closed
    await until(lambda: not started.is_alive)  # nothing but a person moves it now
    assert state(place) is {Wanted.PAUSE: State.PAUSED, Wanted.CANCEL: State.CANCELLED}[wish]
    assert f"1 fresh:latest: wanted: {wish}" in log_of(place.paths)


async def test_how_many_at_once_is_obeyed_by_a_runner_apart(open_apart: OpenApart) -> None:
    place = await open_apart(rate=ENDLESS)
    put(place, "fresh", "other:1b")
    start_runner(place.services)
    await reach(place, State.PULLING)
    assert state(place, 2) is State.WAITING
    place.pulls.set_per_server(place.link.id, 2)
    await reach(place, State.PULLING, 2)
    assert state(place) is State.PULLING
    place.pulls.set_per_server(place.link.id, 1)
    place.pulls.ask(1, Wanted.PAUSE)
    put(place, "coder:7b")
    place.pulls.ask(1, Wanted.RUN)  # heard after the number: nothing begins beside what is under way
    await until(lambda: (row := place.pulls.get(1)).obeyed == row.wishes)
    assert (state(place, 2), state(place, 3)) == (State.PULLING, State.WAITING)


async def test_it_ends_in_order_by_a_signal(open_apart: OpenApart) -> None:
    place = await open_apart(rate=ENDLESS)
    put(place, "fresh")
    started = start_runner(place.services)
    await reach(place, State.PULLING)
    os.kill(started.pid, signal.SIGTERM)
    await until(lambda: not started.is_alive)
    assert (state(place), place.pulls.get(1).transfer.detail) == (State.WAITING, "interrupted")
    assert log_of(place.paths).endswith("ends by a signal; what is left waits\n")


async def test_it_ends_when_its_directory_is_taken_away(open_apart: OpenApart) -> None:
    """As that of a demonstration is, whose server goes with it."""
    place = await open_apart(rate=ENDLESS)
    put(place, "fresh")
    started = start_runner(place.services)
    await reach(place, State.PULLING)
    place.paths.state.rename(place.paths.state.with_name("elsewhere"))
    await until(lambda: not started.is_alive)
    place.paths.state.with_name("elsewhere").rename(place.paths.state)
    assert "its lock was taken away" in log_of(place.paths)


async def test_it_knows_the_profile_that_was_named(open_apart: OpenApart) -> None:
    place = await open_apart("[profiles.wide.downloads]\nper_server = 2\n", rate=ENDLESS)
    put(place, "fresh", "other:1b")
    config = load(place.paths, place.services.environ, profile="wide")
    start_runner(replace(place.services, config=config))
    await reach(place, State.PULLING, 1)
    await reach(place, State.PULLING, 2)


async def test_a_secret_that_its_environment_lacks_is_named(open_apart: OpenApart) -> None:
    place = await open_apart()
    url = place.server.url
    text = f'server = "demo"\n[servers.demo]\nurl = "{url}"\nlocal = false\ntoken_env = "BOX_TOKEN"\n'
    place.paths.config_file.write_text(text, "utf-8")
    put(place, "fresh")
    start_runner(place.services)
    await reach(place, State.BLOCKED)
    transfer = place.pulls.get(1).transfer
    assert (transfer.cause, "BOX_TOKEN is not set" in transfer.detail) == (Cause.NO_SECRET, True)
    await until(lambda: not runner_lives(place.paths))


# Its death.


async def test_who_watches_starts_another_and_says_what_the_log_said_last(open_apart: OpenApart) -> None:
    place = await open_apart(rate=SLOW)
    put(place, "fresh")
    async with kept_carried(place) as told:
        await until(lambda: place.pulls.get(1).transfer.done > 0)
        killed = await asyncio.to_thread(kill_runner, place.paths)
        await reach(place, State.INSTALLED)
    assert runners(place.paths)[0] == killed
    assert len(runners(place.paths)) == 2
    assert len(told) == 1
    assert told[0].startswith("the runner ended before the queue did, and is started again; the last line")
    assert told[0].endswith("1 fresh:latest: starting")
    assert place.pulls.get(1).transfer.tries == 2


async def test_the_end_of_a_queue_is_no_death(open_apart: OpenApart) -> None:
    place = await open_apart()
    put(place, "fresh")
    async with kept_carried(place) as told:
        await reach(place, State.INSTALLED)
    assert told == []


async def test_a_runner_that_dies_at_its_start_is_started_ever_more_seldom(open_apart: OpenApart) -> None:
    place = await open_apart(environ={"PYTHONHOME": "/nowhere"})
    put(place, "fresh")
    began = time.monotonic()

    def deaths() -> int:
        return str(log_of(place.paths)).count("Fatal Python error")

    async with kept_carried(place) as told:
        await until(lambda: deaths() >= 3)
    assert time.monotonic() - began >= 3  # after 0, 1 and 2 s more
    assert told and "the last line of its log: " in told[0]


async def test_one_that_cannot_be_started_is_an_error_with_its_reason(
    open_apart: OpenApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await open_apart()
    put(place, "fresh")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ModeltuiError, match="the runner cannot be started: /nowhere/python: No such file"):
        ensure_runner(place.services)


# No wish is lost.


async def test_a_wish_that_comes_as_it_ends_is_taken_up(
    open_apart: OpenApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written while the lock is still held, the writer starts nobody: the one that ends looks again."""
    place = await open_apart()
    put(place, "fresh")
    run, wishes = Runner.run, ["other:1b"]

    async def run_and_be_late(self: Runner, is_done: Callable[[], bool]) -> None:
        def is_done_and_late() -> bool:
            if not is_done():
                return False
            while wishes:
                put(place, wishes.pop())
                assert not ensure_runner(place.services)  # the lock is held
            return True

        await run(self, is_done_and_late)

    monkeypatch.setattr(Runner, "run", run_and_be_late)
    runner = open_services(place.paths, [])
    try:
        assert await run_headless(runner, random=lambda: 0.0) == 0
    finally:
        await runner.close()
    assert [state(place, 1), state(place, 2)] == [State.INSTALLED, State.INSTALLED]
    assert not runner_lives(place.paths)


@pytest.mark.parametrize("wish", [Wanted.RUN, Wanted.CANCEL])
async def test_a_wish_for_one_that_rests_comes_as_it_ends(
    open_apart: OpenApart, monkeypatch: pytest.MonkeyPatch, wish: Wanted
) -> None:
    place = await open_apart()
    put(place, "fresh", "other:1b")
    place.pulls.ask(1, Wanted.PAUSE)
    run, wishes = Runner.run, [wish]

    async def run_and_be_late(self: Runner, is_done: Callable[[], bool]) -> None:
        def is_done_and_late() -> bool:
            if not is_done():
                return False
            while wishes:
                place.pulls.ask(1, wishes.pop())
            return True

        await run(self, is_done_and_late)

    monkeypatch.setattr(Runner, "run", run_and_be_late)
    runner = open_services(place.paths, [])
    try:
        assert await run_headless(runner, random=lambda: 0.0) == 0
    finally:
        await runner.close()
    assert state(place) is {Wanted.RUN: State.INSTALLED, Wanted.CANCEL: State.CANCELLED}[wish]


async def test_whoever_comes_when_it_has_ended_starts_the_next(open_apart: OpenApart) -> None:
    """Round after round a model is asked for at the very moment at which the runner sees its last one end."""
    names = [f"tiny-{number}:latest" for number in range(6)]
    place = await open_apart()
    for name in names:
        place.server.library.publish(replace(OTHER, name=name, weights=name))
    for number, name in enumerate(names, 1):
        put(place, name)
        ensure_runner(place.services)
        await reach(place, State.INSTALLED, number)
    assert 1 <= len(runners(place.paths)) <= len(names)


async def test_a_moment_of_somebody_elses_lock_does_not_end_a_starter(open_apart: OpenApart) -> None:
    place = await open_apart(rate=ENDLESS)
    put(place, "fresh")
    lock = FileLock(place.paths.runner_lock)
    assert lock.acquire(wait=False)
    runner = open_services(place.paths, [])
    task = asyncio.create_task(run_headless(runner, random=lambda: 0.0))
    await asyncio.sleep(headless.PATIENCE_S / 4)
    lock.release()
    try:
        await reach(place, State.PULLING)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await runner.close()


async def test_what_a_dead_runner_had_not_obeyed_yet_is_work(open_apart: OpenApart) -> None:
    place = await open_apart()
    put(place, "fresh")
    place.pulls.ask(1, Wanted.PAUSE)
    place.services.store.queue.want(1, Wanted.RUN)  # and then nobody lived to read it
    assert not place.pulls.get(1).is_resting
    assert ensure_runner(place.services)
    await reach(place, State.INSTALLED)


async def test_an_end_is_told_whole_or_not_at_all(open_apart: OpenApart) -> None:
    """Who dies between the row and its activity would leave a pull that the next runner does again."""
    place = await open_apart()
    put(place, "fresh")
    refuse = (
        "CREATE TRIGGER refuse BEFORE UPDATE ON transfers WHEN new.state = 'installed'"
        " BEGIN SELECT raise(ABORT, 'not now'); END"
    )
    with closing(sqlite3.connect(place.paths.database)) as database:
        database.execute(refuse)
        runner = open_services(place.paths, [])
        task = asyncio.create_task(run_headless(runner, random=lambda: 0.0))
        try:
            await until(lambda: "not now" in log_of(place.paths))
            assert "pull" not in [action for action, _, _ in place.activity]
            assert state(place) is State.CHECKING
            database.execute("DROP TRIGGER refuse")
            await until(task.done)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await runner.close()
    assert state(place) is State.INSTALLED
    assert [row for row in place.activity if row[0] == "pull"] == [("pull", "fresh:latest", "done")]


# Where it cannot be.


async def test_it_stays_inside_when_the_configuration_says_so(open_apart: OpenApart) -> None:
    place = await open_apart("[downloads]\ndetached = false\n")
    assert not can_detach(place.services)
    put(place, "fresh")
    async with kept_carried(place):
        await reach(place, State.INSTALLED)
    assert not place.paths.runner_log.exists()


async def test_without_fcntl_it_stays_inside_and_that_is_said_once(
    open_apart: OpenApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await open_apart()
    monkeypatch.setattr(detaching, "KEEPS_APART", False)
    assert not can_detach(place.services) and not can_detach(place.services)
    (notice,) = place.services.notices
    assert "without fcntl" in notice
    put(place, "fresh")
    async with kept_carried(place):
        await reach(place, State.INSTALLED)
    assert not place.paths.runner_log.exists()


async def test_without_a_lock_it_stays_inside(open_apart: OpenApart) -> None:
    place = await open_apart()
    place.paths.runner_lock.mkdir()
    assert not can_detach(place.services)


async def test_a_queue_that_is_not_stored_stays_inside(open_apart: OpenApart) -> None:
    place = await open_apart()
    blocked = place.paths.state.with_name("no-directory")
    blocked.write_text("")
    services = open_services(replace(place.paths, state=blocked), [])
    try:
        assert services.store.trouble is not None
        assert not can_detach(services)
    finally:
        await services.close()


# The unit of systemd.


async def test_the_unit_leads_to_this_interpreter_and_these_directories(open_apart: OpenApart) -> None:
    tables = '[servers.box]\nurl = "http://127.0.0.1:9"\ntoken_env = "BOX_TOKEN"\n'
    place = await open_apart(tables, environ={"BOX_TOKEN": "hush-hush"})
    text = unit_text(place.services)
    assert f"ExecStart={sys.executable} -m modeltui queue run --headless\n" in text
    assert f"Environment=MODELTUI_STATE_DIR={place.paths.state}\n" in text
    assert "Restart=on-failure" in text and "loginctl enable-linger" in text
    assert "# Environment=BOX_TOKEN=…    (the token of server box)" in text
    assert "hush-hush" not in text


async def test_the_unit_quotes_what_systemd_would_read_otherwise(
    open_apart: OpenApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await open_apart()
    monkeypatch.setattr(sys, "executable", '/opt/my "own"/100%/$python')
    line = next(line for line in unit_text(place.services).splitlines() if line.startswith("ExecStart="))
    assert line == r'ExecStart="/opt/my \"own\"/100%%/$$python" -m modeltui queue run --headless'
