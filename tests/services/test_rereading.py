"""A runner at work follows an edit of its configuration; a broken edit leaves the old one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from demo_stage import MB, Opener, Place, configure, until  # type: ignore[import-not-found, unused-ignore]

from modeltui.config.writer import choose
from modeltui.demo.faults import Kind
from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import CONNECTED, State, Wanted
from modeltui.services.runner import Runner

ENDLESS = MB / 100


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[list[str]]:
    """A runner at work; gives what it reports."""
    said: list[str] = []
    runner = Runner(place.services, random=lambda: 0.0, report=said.append)
    assert runner.acquire()
    task = asyncio.create_task(runner.run(lambda: False))
    try:
        yield said
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def connected(place: Place) -> int:
    return sum(row.transfer.state in CONNECTED for row in place.services.store.queue.open())


def put(place: Place, *names: str) -> None:
    for name in names:
        place.pulls.enqueue(place.link, parse(name))


async def test_how_many_at_once_is_obeyed_while_it_works(open_place: Opener) -> None:
    place = await open_place(rate=ENDLESS)
    put(place, "fresh", "other:1b")
    async with running(place) as said:
        await until(lambda: connected(place) == 1)
        configure(place.paths, place.server.url, "[downloads]\nper_server = 2\n")
        await until(lambda: connected(place) == 2)
        assert "the configuration was edited, and read again" in said


async def test_what_was_chosen_in_the_program_counts_too(open_place: Opener) -> None:
    place = await open_place(rate=ENDLESS)
    put(place, "fresh", "other:1b")
    async with running(place):
        await until(lambda: connected(place) == 1)
        choose(place.paths, "downloads.per_server", 2)
        await until(lambda: connected(place) == 2)


async def test_patience_is_obeyed_while_it_waits(open_place: Opener) -> None:
    place = await open_place(rate=4 * MB)
    place.trouble(Kind.STALL, after_bytes=MB)
    put(place, "fresh")
    async with running(place):
        await until(lambda: place.pulls.get(1).transfer.done > 0)
        configure(place.paths, place.server.url, "[downloads]\nstall_s = 1\n")
        await until(lambda: place.pulls.get(1).transfer.state is State.INSTALLED)
    (attempt,) = place.services.store.queue.attempts(1)
    assert attempt.cause is Cause.NETWORK


async def test_a_broken_edit_leaves_the_old_one_and_is_reported(open_place: Opener) -> None:
    place = await open_place(rate=ENDLESS)
    put(place, "fresh", "other:1b")
    async with running(place) as said:
        await until(lambda: connected(place) == 1)
        place.paths.config_file.write_text("per_server = [", "utf-8")
        await until(lambda: any("the old one counts" in line and "is no TOML" in line for line in said))
        configure(place.paths, place.server.url, "[downloads]\nper_server = 9\n")
        await until(lambda: any("downloads.per_server must be" in line for line in said))
        assert connected(place) == 1
        configure(place.paths, place.server.url, "[downloads]\nper_server = 2\n")
        await until(lambda: connected(place) == 2)


async def test_a_server_that_comes_back_into_the_configuration(open_place: Opener) -> None:
    place = await open_place(rate=ENDLESS)
    put(place, "other:1b")
    async with running(place) as said:
        configure(place.paths, "http://127.0.0.1:9")
        await until(lambda: any("read again" in line for line in said))
        put(place, "fresh")
        place.pulls.ask(1, Wanted.PAUSE)
        await until(lambda: place.pulls.get(2).transfer.state is State.BLOCKED)
        assert place.pulls.get(2).transfer.cause is Cause.NO_SERVER
        place.server.rate = 1e9
        configure(place.paths, place.server.url)
        await until(lambda: place.pulls.get(2).transfer.state is State.INSTALLED)
