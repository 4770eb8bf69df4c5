"""The lean way to ask a server on this machine: what it sends, how it reads, which connections it keeps."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from replay import (  # type: ignore[import-not-found, unused-ignore]
    STREAM_END,
    chunk,
    response,
    serving,
    stream_head,
)

from modeltui import __version__, errors
from modeltui.domain.endpoint import parse_endpoint
from modeltui.http import Access
from modeltui.ollama.calls import Answer, Call
from modeltui.ollama.plain import headers_for
from modeltui.ollama.transport import Transport

LIST = Call("list the models", "GET", "/api/tags", None, 5, 10)
KEPT = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
OK = Answer(200, "text/plain", b"ok")
Says = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


@asynccontextmanager
async def kept(says: Says) -> AsyncIterator[tuple[Transport, list[bytes]]]:
    """A transport to a server that `says` something for each request of a connection; and every head.

    `says` is told how many requests came before on that connection; it ends one by closing the writer.
    """
    heads: list[bytes] = []
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        count = 0
        try:
            while not writer.is_closing():
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                await says(reader, writer, count)
                count += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = Transport(parse_endpoint(f"http://127.0.0.1:{port}"), Access())
    try:
        yield transport, heads
    finally:
        await transport.close()
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def one(said: bytes) -> Answer:
    """The answer that these bytes are, after which the connection ends."""
    async with serving(said) as server:
        transport = Transport(parse_endpoint(server.url), Access())
        try:
            return await transport.ask(LIST)
        finally:
            await transport.close()


async def test_what_is_sent_whole() -> None:
    async with serving(response("{}")) as server:
        access = Access((("X-Api-Key", "k"), ("Host", "gpubox"), ("User-Agent", "mine")))
        transport = Transport(parse_endpoint(f"{server.url}/a/b"), access)
        await transport.ask(LIST)
        await transport.close()
        assert (server.last.method, server.last.target) == ("GET", "/a/b/api/tags")
        assert server.last.headers == {
            "host": "gpubox", "user-agent": "mine", "accept": "*/*", "accept-encoding": "identity",
            "x-api-key": "k",
        }  # fmt: skip


def test_a_client_is_made_without_httpx() -> None:
    code = "import sys, modeltui.ollama.client; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_safe_request_to_this_machine_does_without_httpx() -> None:
    async with serving(response("{}")) as server:
        transport = Transport(parse_endpoint(server.url), Access())
        await transport.ask(LIST)
        await transport.ask(Call("show it", "POST", "/api/show", {"model": "ü"}, 5, 10))
        assert (server.last.method, server.last.target) == ("POST", "/api/show")
        assert server.last.headers["content-type"] == "application/json"
        assert json.loads(server.last.body) == {"model": "ü"}
        assert "_web" not in vars(transport)
        await transport.ask(Call("x", "HEAD", "/"))
        assert "_web" in vars(transport)
        await transport.close()


def test_who_is_asked_this_way() -> None:
    headers = headers_for(parse_endpoint("http://localhost:80/x"), ())
    assert headers is not None
    assert headers["host"] == "localhost:80"
    assert headers["user-agent"] == f"modeltui/{__version__}"
    six = headers_for(parse_endpoint("http://[::1]:11434"), ())
    assert six is not None
    assert six["host"] == "[::1]:11434"
    for elsewhere in ("https://127.0.0.1:1", "http://gpubox:11434", "http://192.168.0.9:11434"):
        assert headers_for(parse_endpoint(elsewhere), ()) is None
    here = parse_endpoint("http://127.0.0.1:1")
    unusual = (("X", "a\r\nB: c"), ("X", "ä"), ("X y", "a"), ("Connection", "close"), ("", "a"))
    for header in unusual:
        assert headers_for(here, (header,)) is None


@pytest.mark.parametrize(
    "said",
    [
        response("ok", 200, "text/plain"),
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nok",
        b"HTTP/1.1 200\r\ncontent-TYPE:text/plain\t\r\nContent-Length: 02\r\nContent-Length: 02\r\n\r\nok",
        b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 Go on\r\n\r\n" + KEPT,
        stream_head("text/plain") + chunk("o") + chunk("k") + STREAM_END,
        stream_head("text/plain") + b"1;a=b\r\no\r\n1 \r\nk\r\n00\r\nX-Sum: 1\r\n\r\n",
    ],
    ids=["length", "until it ends", "odd spelling", "interim", "chunks", "extensions and trailers"],
)
async def test_every_form_of_an_answer(said: bytes) -> None:
    assert await one(said) == OK


async def test_no_body() -> None:
    assert await one(b"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n") == Answer(204, "", b"")


NOT_HTTP = [
    b"HTTP/2 200\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    b"HTTP/1.1 200 O\x00K\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
    "HTTP/1.1 200 OK\r\nContent-Length: ²\r\n\r\n00".encode("latin-1"),
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 01\r\n\r\no",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    stream_head() + b"-1\r\no\r\n",
    stream_head() + b"1_0\r\no\r\n",
    stream_head() + b"\r\n",
    stream_head() + b"1\r\noh\r\n",
    stream_head() + b"f" * 21 + b"\r\n",
    stream_head() + b"0\r\n" + b"A: b\r\n" * 50_000,
    stream_head() + b"1" * 300_000,
    b"HTTP/1.1 200 OK\r\nA: " + b"b" * 300_000,
    b"\x16\x03\x01",
]


@pytest.mark.parametrize("said", NOT_HTTP, ids=lambda said: repr(said[-30:]))
async def test_what_is_not_http(said: bytes) -> None:
    with pytest.raises(errors.Garbled, match="not HTTP as it should be"):
        await one(said)


@pytest.mark.parametrize("said", [stream_head() + b"5\r\nab", stream_head() + b"5", b"HTT", stream_head()])
async def test_what_ends_too_early(said: bytes) -> None:
    with pytest.raises(errors.Unreachable, match="the server closed the connection"):
        await one(said)


# --- connections that are kept ---


async def test_one_after_another_goes_through_one_connection() -> None:
    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
        writer.write(KEPT if count % 2 else stream_head("text/plain") + chunk("ok") + STREAM_END)
        seen.add(writer.get_extra_info("peername"))

    seen: set[object] = set()
    async with kept(says) as (transport, heads):
        for _ in range(4):
            assert await transport.ask(LIST) == OK
        assert (len(heads), len(seen)) == (4, 1)
        assert await asyncio.gather(*(transport.ask(LIST) for _ in range(9))) == [OK] * 9
        assert transport._plain is not None
        assert len(transport._plain._resting) == 4


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_kept_connection_that_the_server_ended_is_no_failure(how: str) -> None:
    """Whether the end is noticed before the next request, or only by it."""

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
        if count == 0:
            writer.write(KEPT)
        elif how == "close":
            writer.close()
        else:
            writer.transport.abort()

    async with kept(says) as (transport, heads):
        for _ in range(3):
            assert await transport.ask(LIST) == OK
        assert len(heads) == 5


async def test_a_server_that_came_back_is_asked_anew() -> None:
    async with serving(KEPT) as server:  # it ends each connection though it did not say so
        transport = Transport(parse_endpoint(server.url), Access())
        assert await transport.ask(LIST) == OK
        assert transport._plain is not None
        reader = transport._plain._resting[0].reader
        async with asyncio.timeout(10):
            assert await reader.read() == b""  # its end was noticed
        assert await transport.ask(LIST) == OK
        assert (server.connections, len(server.requests)) == (2, 2)
        await transport.close()


async def test_an_end_in_the_middle_is_not_asked_again() -> None:
    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
        writer.write(KEPT if count == 0 else KEPT[:30])
        if count:
            writer.close()

    async with kept(says) as (transport, heads):
        await transport.ask(LIST)
        with pytest.raises(errors.Unreachable):
            await transport.ask(LIST)
        assert len(heads) == 2


async def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next() -> None:
    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
        if len(heads) == 1:
            asked.set()
            await go_on.wait()
            writer.write(KEPT.replace(b"ok", b"no"))
        else:
            writer.write(KEPT)

    asked, go_on = asyncio.Event(), asyncio.Event()
    async with kept(says) as (transport, heads):
        task = asyncio.create_task(transport.ask(LIST))
        async with asyncio.timeout(10):
            await asked.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        go_on.set()
        assert await transport.ask(LIST) == OK


async def test_closing_ends_what_is_still_asked() -> None:
    """Of two that are asked together one fails, and the program ends while the other waits."""
    asked = asyncio.Event()

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
        asked.set()
        await reader.read()
        hung_up.set()
        writer.close()

    hung_up = asyncio.Event()
    async with kept(says) as (transport, _):
        task = asyncio.create_task(transport.ask(LIST))
        async with asyncio.timeout(10):
            await asked.wait()
            await transport.close()
            await hung_up.wait()
            with pytest.raises(errors.Unreachable):
                await task
        assert transport._plain is not None
        assert (transport._plain._resting, transport._plain._used) == ([], set())


async def test_a_signal_while_it_closes_leaves_no_connection_open() -> None:
    """The wait for one that rests is ended by it: the others must have been let go before."""

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
        writer.write(KEPT)

    async with kept(says) as (transport, _):
        await asyncio.gather(*(transport.ask(LIST) for _ in range(3)))
        assert transport._plain is not None
        writers = [connection.writer for connection in transport._plain._resting]
        assert len(writers) == 3
        closing = asyncio.create_task(transport.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        assert [writer.is_closing() for writer in writers] == [True] * 3
