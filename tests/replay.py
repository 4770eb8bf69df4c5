"""A real HTTP server on loopback that answers as a test wants, byte for byte; it shares no code with ours."""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "data" / "recorded"
VERSIONS = ("0.24.0", "0.33.0-rc2")
TLS = Path(__file__).parent / "data" / "tls"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """What a test's answer may do with its client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def gone(self) -> None:
        """Wait until the client hangs up."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(4096):
                pass

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Answer = Callable[[Request, Connection], Awaitable[None]]


@dataclass
class Served:
    """A running server: where it is, what it was asked, and whether a client hung up on it."""

    url: str
    port: int
    requests: list[Request] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0

    @property
    def last(self) -> Request:
        return self.requests[-1]


@asynccontextmanager
async def serving(
    answer: Answer | bytes, tls: ssl.SSLContext | None = None, *, greeting: bytes = b""
) -> AsyncIterator[Served]:
    """Serve on a free port: the same bytes for every request, or what `answer` does.

    A `greeting` is said before anything is asked, as no HTTP server does.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            writer.write(greeting)
            request = await _read(reader)
            if request is None:
                return
            served.requests.append(request)
            connection = Connection(reader, writer)
            if isinstance(answer, bytes):
                await connection.send(answer)
            else:
                await answer(request, connection)
        except (ConnectionError, ssl.SSLError):
            served.hung_up.set()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    scheme = "https" if tls else "http"
    served = Served(f"{scheme}://127.0.0.1:{port}", port)
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    first, *rest = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {key.lower(): value.strip() for key, _, value in (row.partition(":") for row in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


def response(
    body: bytes | str = b"", status: int = 200, kind: str | None = "application/json", *more: str
) -> bytes:
    """A whole answer; the connection closes after it."""
    raw = body.encode() if isinstance(body, str) else body
    rows = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(raw)}", "Connection: close", *more]
    if kind is not None:
        rows.append(f"Content-Type: {kind}")
    return "\r\n".join([*rows, "", ""]).encode() + raw


def stream_head(kind: str = "application/x-ndjson") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def chunk(data: bytes | str) -> bytes:
    raw = data.encode() if isinstance(data, str) else data
    return f"{len(raw):x}\r\n".encode() + raw + b"\r\n"


STREAM_END = b"0\r\n\r\n"


def recording(version: str, stem: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / version / f"{stem}.json").read_text("utf-8"))
    return found


def recorded_stems(prefix: str = "") -> list[tuple[str, str]]:
    """(version, stem) of every recording."""
    paths = sorted(RECORDED.glob("*/*.json"))
    return [(path.parent.name, path.stem) for path in paths if path.stem.startswith(prefix)]


def recorded_lines(recorded: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a stream, or the one object of an answer without a stream."""
    if "events" in recorded:
        return [line for _, line in recorded["events"]]
    if "json" in recorded:
        return [recorded["json"]]
    return [json.loads(row) for row in recorded["text"].splitlines()]


def replaying(recorded: dict[str, Any]) -> Answer:
    """Answer as the recorded server did; where the client hung up, stay silent until it does."""

    async def answer(request: Request, connection: Connection) -> None:
        kind = recorded["content_type"]
        if "events" not in recorded:
            body = _compact(recorded["json"]) if "json" in recorded else recorded["text"]
            await connection.send(response(body, recorded["status"], kind))
            return
        await connection.send(stream_head(kind))
        for line in recorded_lines(recorded):
            await connection.send(chunk(_compact(line) + "\n"))
        if "closed_by_client_at" in recorded:
            await connection.gone()
        else:
            await connection.send(STREAM_END)

    return answer


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
