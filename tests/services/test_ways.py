"""The ways of a runner to its servers: tokens that expire, and a runner that is run once more."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    Opener,
    Place,
    configure,
    open_services,
    until,
)
from queue_stage import put, row, state  # type: ignore[import-not-found, unused-ignore]
from replay import Connection, Request, response, serving

from modeltui.demo.faults import Kind
from modeltui.demo.server import DemoServer
from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.ollama.client import OllamaServer
from modeltui.services.runner import Runner
from modeltui.services.servers import MissingSecret
from modeltui.services.tree import Services
from modeltui.services.ways import Ways

COUNTS = "echo >> {0}; wc -l < {0}"
"""Prints another token each time: how often it has run."""


@asynccontextmanager
async def guarded(server: DemoServer, refused: list[str]) -> AsyncIterator[str]:
    """A proxy before a server that lets each token begin one pull."""
    seen: set[str] = set()

    async def answer(request: Request, connection: Connection) -> None:
        token = request.headers.get("authorization", "")
        if request.target == "/api/pull":
            if not token or token in seen:
                refused.append(token)
                await connection.send(response('{"error": "token expired"}', 401))
                return
            seen.add(token)
        reader, writer = await asyncio.open_connection(server.host, server.port)
        address = f"{server.host}:{server.port}"
        head = f"{request.method} {request.target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n"
        length = f"Content-Length: {len(request.body)}\r\nContent-Type: application/json\r\n\r\n"
        writer.write((head + length).encode() + request.body)
        try:
            while data := await reader.read(65_536):
                await connection.send(data)
        finally:
            writer.close()

    async with serving(answer) as served:
        yield served.url


def with_command(place: Place, url: str, command: str, more: str = "") -> Services:
    """The services of a process whose server wants a token that a command gives."""
    table = f'[servers.demo]\nurl = "{url}"\nlocal = false\ntoken_command = {json.dumps(command)}\n'
    configure(place.paths, place.server.url, f"{table}{more}")
    services: Services = open_services(place.paths, [])
    return services


def server_id(services: Services) -> int:
    return services.links.id_of(services.config.active)


@pytest.mark.parametrize("per_server", [1, 2])
async def test_each_try_has_a_token_of_its_own(open_place: Opener, tmp_path: Path, per_server: int) -> None:
    place = await open_place()
    place.trouble(Kind.RESET, after_bytes=100_000)
    refused: list[str] = []
    async with guarded(place.server, refused) as url:
        limits = f"[downloads]\nper_server = {per_server}\n"
        services = with_command(place, url, COUNTS.format(tmp_path / "count"), limits)
        try:
            for name in ("fresh", "other:1b"):
                services.store.queue.enqueue(server_id(services), parse(name), 1)
            runner = Runner(services, random=lambda: 0.0)
            assert runner.acquire()
            async with asyncio.timeout(60):
                await runner.run(lambda: all(each.is_resting for each in services.store.queue.all()))
            rows = services.store.queue.all()
        finally:
            await services.close()
    assert [each.transfer.state for each in rows] == [State.INSTALLED] * 2
    assert sum(each.transfer.tries for each in rows) == 3
    assert refused == []


async def test_a_way_is_closed_when_nobody_uses_it(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, closed = OllamaServer.close, []

    async def noted(api: OllamaServer) -> None:
        closed.append(api)
        await close(api)

    monkeypatch.setattr(OllamaServer, "close", noted)
    services = with_command(place, place.server.url, COUNTS.format(tmp_path / "count"))
    ways, number = Ways(services.links, lambda: 1), server_id(services)
    try:
        assert await ways.find(number)
        first = ways.to(number)
        assert first is not None and ways.to(number) is first
        ways.spend(number)
        assert ways.to(number) is None
        assert await ways.find(number)
        second = ways.to(number)
        assert second is not None and second is not first
        await ways.close_unused([first])
        assert closed == []
        await ways.close_unused([None])
        assert closed == [first.api]
        await ways.close()
        assert closed == [first.api, second.api]
        assert ways.to(number) is None
    finally:
        await services.close()


async def test_a_token_that_lay_about_is_not_used(place: Place) -> None:
    services, now = with_command(place, place.server.url, "echo x"), 1
    ways, number = Ways(services.links, lambda: now), server_id(services)
    try:
        assert await ways.find(number)
        now += 59_000
        assert ways.to(number) is not None
        now += 2_000
        assert ways.to(number) is None
    finally:
        await ways.close()
        await services.close()


async def test_where_no_new_token_can_be_had_the_old_one_is_tried(place: Place, tmp_path: Path) -> None:
    services = with_command(place, place.server.url, f"test -e {tmp_path}/away && exit 1; echo x")
    ways, number = Ways(services.links, lambda: 1), server_id(services)
    try:
        assert await ways.find(number)
        first = ways.to(number)
        ways.spend(number)
        (tmp_path / "away").touch()
        assert await ways.find(number)
        assert ways.to(number) is first
        await ways.close()
        with pytest.raises(MissingSecret):
            await ways.find(number)
    finally:
        await services.close()


# A runner that is run once more, as one apart is when work came while it let go.


async def test_a_runner_run_again_has_open_connections(place: Place) -> None:
    said: list[str] = []
    runner = Runner(place.services, random=lambda: 0.0, report=said.append)
    put(place, "fresh")
    place.server.rate = 500_000  # long enough for the edit to be read meanwhile
    assert runner.acquire()
    task = asyncio.create_task(runner.run(lambda: False))
    table = f'[servers.demo]\nurl = "{place.server.url}"\nlocal = false\nheaders = {{ X-New = "1" }}\n'
    configure(place.paths, place.server.url, table)
    await until(lambda: any("read again" in line for line in said))
    put(place, "other:1b")
    async with asyncio.timeout(60):
        await task
    assert state(place, 2) is State.INSTALLED
    put(place, "fresh")
    assert runner.acquire()
    async with asyncio.timeout(60):
        await runner.run(lambda: row(place.services, 3).is_resting)
    assert state(place, 3) is State.INSTALLED


async def test_a_runner_run_again_connects_anew_where_it_was_interrupted(
    place: Place, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    command = f"test -e {begun} || {{ touch {begun}; exec sleep 600; }}; echo x"
    services = with_command(place, place.server.url, command)
    try:
        services.store.queue.enqueue(server_id(services), parse("fresh"), 1)
        runner = Runner(services, random=lambda: 0.0)
        assert runner.acquire()
        async with asyncio.timeout(60):
            await runner.run(begun.exists)
        assert runner.acquire()
        async with asyncio.timeout(60):
            await runner.run(lambda: row(services).is_resting)
        assert state(place) is State.INSTALLED
    finally:
        await services.close()
