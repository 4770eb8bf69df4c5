"""HTTP/1.1 over an asyncio stream: reading requests, writing answers whole or in chunks, and no more."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

JSON = "application/json; charset=utf-8"
PLAIN_JSON = "application/json"
NDJSON = "application/x-ndjson"
TEXT = "text/plain"

_LONGEST_HEAD = 65_536
_LONGEST_BODY = 64 * 1024 * 1024
_READ = 65_536


class BadRequest(Exception):
    """The peer does not speak HTTP, or says too much."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request with its whole body; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer: `data` (JSON, when `has_data`) or `body`; no content type means no header."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Any = None
    has_data: bool = False

    def encoded(self) -> bytes:
        return encode(self.data) if self.has_data else self.body


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer of JSON lines; what it raises before the first becomes the status, after it a last line."""

    lines: AsyncGenerator[dict[str, Any], None]
    content_type: str = NDJSON


def data_answer(data: object, status: int = 200, content_type: str = JSON) -> Answer:
    """Return an answer of JSON."""
    return Answer(status, content_type=content_type, data=data, has_data=True)


def text_answer(text: str, status: int = 200, content_type: str = TEXT) -> Answer:
    """Return an answer of plain text."""
    return Answer(status, text.encode(), content_type)


def encode(data: object) -> bytes:
    """Write JSON as UTF-8; lone surrogates, which UTF-8 cannot hold, make it escape everything."""
    try:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(data, separators=(",", ":")).encode()


class Connection:
    """One client's connection: requests in, bytes out, and a watch for the client leaving."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._read = bytearray()

    async def request(self) -> Request | None:
        """Read the next request, None when the client left between two; raises BadRequest."""
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            if len(self._read) > _LONGEST_HEAD:
                raise BadRequest("head too long")
            if not await self._more():
                return None
        head = bytes(self._read[:end]).decode("latin-1")
        del self._read[: end + 4]
        first, *lines = head.split("\r\n")
        try:
            method, target, _ = first.split(" ")
            headers = {
                name.strip().lower(): value.strip() for name, value in (x.split(":", 1) for x in lines)
            }
        except ValueError:
            raise BadRequest("not HTTP") from None
        if headers.get("expect", "").lower() == "100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(method, unquote(urlsplit(target).path), headers, await self._body(headers))

    async def left(self) -> None:
        """Return when the client closes its side; what it sends meanwhile is kept for the next request."""
        with suppress(OSError):  # reset: gone, too
            while len(self._read) < _LONGEST_BODY and await self._more():
                pass

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send a status line and headers."""
        try:
            reason = HTTPStatus(status).phrase
        except ValueError:
            reason = "Unknown"
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send bytes, waiting while the client does not read."""
        self._writer.write(data)
        await self._writer.drain()

    async def chunk(self, data: bytes) -> None:
        """Send one chunk of a chunked body."""
        if data:
            await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def last_chunk(self) -> None:
        await self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """Make the close a reset: RST instead of FIN."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def abort(self) -> None:
        """Drop the connection at once, unsent bytes with it."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close after what is still to be sent; a cancel while the client does not read it drops it."""
        self._writer.close()
        try:
            with suppress(OSError):
                await self._writer.wait_closed()
        except asyncio.CancelledError:
            self.abort()
            raise

    async def _more(self) -> bool:
        data = await self._reader.read(_READ)
        self._read += data
        return bool(data)

    async def _take(self, size: int) -> bytes:
        while len(self._read) < size:
            if not await self._more():
                raise BadRequest("the body ended early")
        data = bytes(self._read[:size])
        del self._read[:size]
        return data

    async def _line(self) -> bytes:
        while (end := self._read.find(b"\r\n")) < 0:
            if len(self._read) > _LONGEST_HEAD or not await self._more():
                raise BadRequest("a chunk without its size")
        return (await self._take(end + 2))[:-2]

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        try:
            if "chunked" in headers.get("transfer-encoding", "").lower():
                parts = bytearray()
                while size := int((await self._line()).split(b";")[0], 16):
                    if len(parts) + size > _LONGEST_BODY:
                        raise BadRequest("body too long")
                    parts += await self._take(size)
                    await self._line()
                while await self._line():
                    pass
                return bytes(parts)
            length = int(headers.get("content-length", "0"))
        except ValueError:
            raise BadRequest("a length that is no number") from None
        if not 0 <= length <= _LONGEST_BODY:
            raise BadRequest("body too long")
        return await self._take(length)
