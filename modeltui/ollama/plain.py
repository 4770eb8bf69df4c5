"""Asks a server on this machine for what it has, over plain HTTP: lists and details, and nothing else.

What httpx is loaded and kept for costs a list its larger part: half of the time until the first one is seen,
and most of what polling a server that rests takes of a processor. So these requests go through h11 alone,
with which httpx itself reads HTTP/1.1, and which it brings along.
"""

import asyncio
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import h11

from modeltui import errors
from modeltui.domain.endpoint import Endpoint
from modeltui.http import USER_AGENT
from modeltui.ollama import calls
from modeltui.ollama.calls import Answer, Call
from modeltui.ollama.failures import BROKE, COMPRESSED, HUNG_UP, NAME_REMEDY, Failures

CONNECT_S = 5.0
MOST_HEAD = 2**18
MOST_KEPT = 4  # connections that rest
_PIECE = 2**18
_NAME = re.compile(r"[A-Za-z0-9-]+")
_OURS = frozenset(
    {"connection", "content-length", "content-type", "transfer-encoding", "expect", "upgrade", "te"}
)


def _client() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)


@dataclass(slots=True, eq=False)
class _Connection:
    """One connection; `was_heard` says whether a byte has come since the last request."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(default_factory=_client)
    was_heard: bool = False

    async def next(self, quiet_s: float | None) -> h11.Event:
        """The next part of the answer; raises TimeoutError, EOFError, OSError and h11.RemoteProtocolError."""
        has_ended = False
        while True:
            try:
                event = self.http.next_event()
            except h11.RemoteProtocolError:
                if has_ended:
                    raise EOFError from None
                raise
            if isinstance(event, h11.Event):
                return event
            async with asyncio.timeout(quiet_s):
                piece = await self.reader.read(_PIECE)
            self.http.receive_data(piece)
            has_ended = not piece
            self.was_heard |= not has_ended

    def end(self) -> None:
        """Use it no more; `close` waits until it is gone, too."""
        self.writer.close()

    @property
    def is_free(self) -> bool:
        """Whether another request can follow on it."""
        is_done = self.http.our_state is h11.DONE and self.http.their_state is h11.DONE
        return is_done and self.http.trailing_data == (b"", False)

    async def close(self) -> None:
        self.end()
        try:
            await self.writer.wait_closed()
        except OSError:
            return  # it was broken already


class Plain:
    """The connections that are kept to one server."""

    def __init__(self, endpoint: Endpoint, headers: Mapping[str, str], failures: Failures) -> None:
        """`headers` as `headers_for` gives them."""
        self._endpoint = endpoint
        self._failures = failures
        self._headers = list(headers.items())
        self._resting: list[_Connection] = []
        self._used: set[_Connection] = set()
        self._is_closed = False

    async def close(self) -> None:
        """End every connection, also one that an answer is still to come through."""
        self._is_closed = True
        ending = [*self._used, *self._resting]
        self._resting.clear()
        for connection in ending:  # each, before a signal can end the wait for one of them
            connection.end()
        for connection in ending:
            await connection.close()

    async def ask(self, call: Call) -> Answer:
        """Send a safe request and read its whole answer, whatever its status; raises ServerError."""
        try:
            while self._resting:
                connection = self._resting.pop()
                try:
                    return await self._talk(call, connection)
                except (ConnectionError, EOFError):
                    if connection.was_heard:
                        raise  # else it had ended while it rested
            return await self._talk(call, await self._connect(call))
        except TimeoutError:
            raise self._failures.silent(call) from None
        except h11.RemoteProtocolError as error:
            raise self._failures.no_http(call, self._failures.clean(str(error))) from None
        except OSError:
            raise self._failures.error(errors.Unreachable, call, BROKE) from None
        except EOFError:
            raise self._failures.error(errors.Unreachable, call, HUNG_UP) from None

    async def _connect(self, call: Call) -> _Connection:
        try:
            async with asyncio.timeout(CONNECT_S):
                return _Connection(
                    *await asyncio.open_connection(self._endpoint.host, self._endpoint.port, limit=_PIECE)
                )
        except TimeoutError:
            words, remedy = f"no connection within {CONNECT_S:.0f} s", None
        except socket.gaierror:
            words, remedy = "no such host", NAME_REMEDY
        except OSError as error:
            # Where several addresses were tried, what they said has no number; one refused, so all did.
            words = os.strerror(error.errno).casefold() if error.errno else "connection refused"
            remedy = None
        raise self._failures.error(errors.Unreachable, call, words, remedy=remedy) from None

    async def _talk(self, call: Call, connection: _Connection) -> Answer:
        """One request and its answer."""
        http, connection.was_heard = connection.http, False
        self._used.add(connection)
        try:
            for event in self._request(call):
                connection.writer.write(http.send(event) or b"")
            head = await connection.next(call.quiet_s)
            while isinstance(head, h11.InformationalResponse):
                head = await connection.next(call.quiet_s)
            assert isinstance(head, h11.Response)
            fields = {name: value.decode("latin-1") for name, value in head.headers}
            if fields.get(b"content-encoding", "identity").lower() != "identity":
                raise self._failures.garbled(call, COMPRESSED)
            body = await self._body(call, connection, head.status_code)
        except BaseException:
            connection.end()  # also when nobody waits for the answer any more
            raise
        finally:
            self._used.discard(connection)
        if connection.is_free and not self._is_closed and len(self._resting) < MOST_KEPT:
            http.start_next_cycle()
            self._resting.append(connection)
        else:
            await connection.close()
        return Answer(head.status_code, fields.get(b"content-type", ""), body)

    def _request(self, call: Call) -> Iterator[h11.Event]:
        target, body = self._endpoint.path + call.path, b""
        headers = self._headers
        if call.body is not None:
            body = json.dumps(call.body).encode()
            headers = [*headers, ("content-type", "application/json"), ("content-length", str(len(body)))]
        yield h11.Request(method=call.method, target=target, headers=headers)
        if body:
            yield h11.Data(data=body)
        yield h11.EndOfMessage()

    async def _body(self, call: Call, connection: _Connection, status: int) -> bytes:
        """The body; of an error that is too long only the beginning."""
        pieces: list[bytes] = []
        length = 0
        while isinstance(event := await connection.next(call.quiet_s), h11.Data):
            pieces.append(bytes(event.data))
            length += len(event.data)
            if length > calls.MOST_BODY:
                if status == 200:
                    raise self._failures.garbled(
                        call, f"an answer of more than {calls.MOST_BODY // 2**20} MiB"
                    )
                break
        return b"".join(pieces)


def headers_for(endpoint: Endpoint, more: tuple[tuple[str, str], ...]) -> Mapping[str, str] | None:
    """All headers of a request to that server, but for those of its body, with `more` of the configuration.

    None where it is to be asked another way: it is elsewhere or asks for TLS, or a header is unusual.
    """
    if endpoint.scheme != "http" or not endpoint.is_loopback or not endpoint.path.isascii():
        return None
    headers = {
        "host": endpoint.url.partition("://")[2].partition("/")[0],
        "user-agent": USER_AGENT,
        "accept": "*/*",
        "accept-encoding": "identity",
    }
    for name, value in more:
        is_usual = _NAME.fullmatch(name) and value.isascii() and value.isprintable()
        if not is_usual or name.lower() in _OURS:
            return None
        headers[name.lower()] = value
    return headers
