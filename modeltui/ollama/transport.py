"""Requests to one server with a timeout a call, a limit on every body, and failures told as errors."""

import asyncio
import json
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import httpx

from modeltui import errors
from modeltui.domain.endpoint import Endpoint
from modeltui.http import Access, make_client
from modeltui.ollama import wire
from modeltui.text import clean_line

Decoded = TypeVar("Decoded")

MOST_BODY = 64 * 2**20
MOST_LINE = 8 * 2**20  # the line buffer of Ollama's own client
MOST_ERROR = 64 * 2**10
_DECODE_APART = 256 * 2**10
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")

HOST_REMEDY = (
    "the server refuses this host name: name it by its address, start it with OLLAMA_HOST=0.0.0.0, "
    'or set headers = { Host = "localhost:11434" } for it in config.toml'
)
TLS_REMEDY = "set ca_file (or, where it asks for one, client_cert) for this server in config.toml"
NAME_REMEDY = "check the server's address, and whether names can be looked up here"
SIGN_IN_REMEDY = "sign in: run `ollama signin` on the server; behind a proxy set token_env or headers for it"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what it is for (words for an error), where to, and how long it may take in seconds.

    `quiet_s` bounds the wait for the next byte, `total_s` all of it; None is without limit.
    """

    what: str
    method: str
    path: str
    body: Mapping[str, object] | None = None
    quiet_s: float | None = 10.0
    total_s: float | None = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    content_type: str
    body: bytes


class Transport:
    """The connections to one server."""

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        self.endpoint = endpoint
        self.secrets = access.secrets
        self._client = make_client(endpoint.url, access=access, direct=endpoint.is_loopback)
        self._decoded: dict[str, tuple[bytes, object]] = {}

    async def close(self) -> None:
        await self._client.aclose()

    async def ask(self, call: Call) -> Answer:
        """Send a request and read its whole answer, whatever its status; raises ServerError."""
        try:
            async with asyncio.timeout(call.total_s), self._open(call) as response:
                body = b"" if call.method == "HEAD" else await self._read(call, response)
                return Answer(response.status_code, response.headers.get("content-type", ""), body)
        except TimeoutError:
            raise self._error(errors.TimedOut, call, f"no complete answer in {call.total_s:.0f} s") from None

    async def ask_json(self, call: Call, convert: Callable[[Any], Decoded]) -> Decoded:
        """Send a request and convert its JSON; raises ServerError, also for a status that is no success."""
        answer = await self.ask(call)
        if answer.status != 200:
            raise self.refusal(call, answer)
        return await self.decoded(call, answer, convert)

    async def ask_empty(self, call: Call) -> None:
        """Send a request whose success has no body; raises ServerError."""
        answer = await self.ask(call)
        if answer.status != 200:
            raise self.refusal(call, answer)

    async def lines(self, call: Call) -> AsyncGenerator[dict[str, Any], None]:
        """The JSON objects of a stream, one a line; raises ServerError, Garbled for what is no object."""
        async with self._open(call) as response:
            if response.status_code != 200:
                body = await self._read(call, response, MOST_ERROR)
                kind = response.headers.get("content-type", "")
                raise self.refusal(call, Answer(response.status_code, kind, body))
            async for row in self._rows(call, response):
                if row.strip():
                    yield self._object(call, row)

    def refusal(self, call: Call, answer: Answer) -> errors.ServerError:
        """The error that a status other than 200 stands for (reference: error shapes of the API)."""
        status = answer.status
        words = self._words(answer)
        is_json = "json" in answer.content_type
        lowered = words.casefold()
        if 300 <= status < 400:
            return self._error(errors.Garbled, call, f"redirected (HTTP {status}), not followed", status)
        if status == 404 and is_json:
            return self._error(errors.NotFound, call, words, status)
        if status in (404, 405, 501) or "does not support" in lowered:
            plain = f"the server does not know {call.method} {call.path} (HTTP {status})"
            unsupported = words if is_json and words else plain
            return self._error(errors.Unsupported, call, unsupported, status)
        if status == 403 and not answer.body:
            return self._error(errors.Refused, call, "HTTP 403", status, HOST_REMEDY)
        if status in (401, 402, 403, 407):
            return self._error(errors.Refused, call, words or f"HTTP {status}", status, SIGN_IN_REMEDY)
        if status == 429 or (status == 503 and "busy" in lowered):
            return self._error(errors.Busy, call, words, status)
        if status >= 500 or status == 499:
            return self._error(errors.ServerFailed, call, words or f"HTTP {status}", status)
        if status >= 400:
            return self._error(errors.Refused, call, words or f"HTTP {status}", status)
        return self._error(errors.Garbled, call, f"unexpected HTTP status {status}", status)

    def garbled(self, call: Call, words: str) -> errors.Garbled:
        error = self._error(errors.Garbled, call, words)
        assert isinstance(error, errors.Garbled)
        return error

    def failed_in_stream(self, call: Call, words: str) -> errors.ServerError:
        """An error line within a stream of status 200."""
        return self._error(errors.ServerFailed, call, words, 200)

    def clean(self, words: str) -> str:
        """Foreign words for a person: one line, without this server's secrets."""
        stripped = clean_line(errors.strip_secrets(words, self.secrets))  # before anything is cut off
        return errors.strip_secrets(stripped, self.secrets)

    @asynccontextmanager
    async def _open(self, call: Call) -> AsyncIterator[httpx.Response]:
        timeout = httpx.Timeout(call.quiet_s, connect=5.0, write=30.0, pool=None)
        try:
            async with self._client.stream(
                call.method, call.path, json=call.body, timeout=timeout
            ) as response:
                if response.headers.get("content-encoding", "identity").lower() != "identity":
                    # Unpacked in one step, a few kilobytes can be more than there is memory.
                    raise self.garbled(call, "an answer that is compressed, though nobody asked for that")
                yield response
        except httpx.ConnectTimeout:
            raise self._error(errors.Unreachable, call, "no connection within 5 s") from None
        except httpx.ConnectError as error:
            words, remedy = _connect_words(error)
            raise self._error(errors.Unreachable, call, words, remedy=remedy) from None
        except httpx.TimeoutException:
            raise self._error(errors.TimedOut, call, f"no answer for {call.quiet_s:.0f} s") from None
        except httpx.ProxyError as error:
            raise self._error(errors.Unreachable, call, f"the proxy failed: {error}") from None
        except httpx.RemoteProtocolError as error:
            if "disconnected" in str(error) or "closed connection" in str(error):
                raise self._error(errors.Unreachable, call, "the server closed the connection") from None
            raise self._error(errors.Garbled, call, f"not HTTP as it should be: {error}") from None
        except httpx.NetworkError:
            raise self._error(errors.Unreachable, call, "the connection broke") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._error(errors.Garbled, call, str(error) or type(error).__name__) from None

    async def _read(self, call: Call, response: httpx.Response, most: int = MOST_BODY) -> bytes:
        parts: list[bytes] = []
        length = 0
        async for part in response.aiter_bytes():
            parts.append(part)
            length += len(part)
            if length > most:
                if response.status_code != 200:
                    break
                raise self.garbled(call, f"an answer of more than {most // 2**20} MiB")
        return b"".join(parts)

    async def _rows(self, call: Call, response: httpx.Response) -> AsyncIterator[bytes]:
        rest = bytearray()
        async for part in response.aiter_bytes():
            rest += part
            if b"\n" in part:
                *rows, last = bytes(rest).split(b"\n")
                rest = bytearray(last)
                for row in rows:
                    yield row
            if len(rest) > MOST_LINE:
                raise self.garbled(call, f"a line of more than {MOST_LINE // 2**20} MiB")
        yield bytes(rest)

    def _object(self, call: Call, row: bytes) -> dict[str, Any]:
        value = self._json(call, row)
        if not isinstance(value, dict):
            raise self.garbled(call, "a line that is no JSON object")
        return value

    async def decoded(self, call: Call, answer: Answer, convert: Callable[[Any], Decoded]) -> Decoded:
        """Decode and convert, away from the event loop where it would be held up (`/api/show` sends every
        tensor). A GET that answers the same bytes again, as a list that is polled does, means the same."""
        is_polled = call.method == "GET"
        before = self._decoded.get(call.path)
        if is_polled and before is not None and before[0] == answer.body:
            return cast("Decoded", before[1])

        def work() -> Decoded:
            return convert(self._json(call, answer.body, answer.content_type))

        decoded = work() if len(answer.body) < _DECODE_APART else await asyncio.to_thread(work)
        if is_polled:
            self._decoded[call.path] = answer.body, decoded
        return decoded

    def _json(self, call: Call, body: bytes, content_type: str = "") -> Any:
        written = body.decode("utf-8", "replace")
        try:
            value = json.loads(written)
            # A server that echoes what it was sent: gone from the texts, while the structure stays.
            echoes = any(secret in written for secret in self.secrets)
            return self._without_secrets(value) if echoes else value
        except (ValueError, RecursionError):
            seen = self._words(Answer(200, content_type, body[:MOST_ERROR]))
            raise self.garbled(call, f"not the JSON of an Ollama server: {seen[:120] or 'nothing'}") from None

    def _without_secrets(self, value: Any) -> Any:
        if isinstance(value, str):
            return errors.strip_secrets(value, self.secrets)
        if isinstance(value, list):
            return [self._without_secrets(part) for part in value]
        if isinstance(value, dict):
            return {self._without_secrets(key): self._without_secrets(part) for key, part in value.items()}
        return value

    def _words(self, answer: Answer) -> str:
        """What an error body says: its JSON message, the title of a page, or the text itself."""
        written = answer.body[:MOST_ERROR].decode("utf-8", "replace").strip()
        if written.startswith("{"):
            try:
                said = wire.error_words(json.loads(written))
            except (ValueError, RecursionError):
                said = None
            if said:
                return self.clean(said)
        if "<html" in written[:1000].casefold() or "<!doctype" in written[:100].casefold():
            title = _TITLE.search(written)
            page = self.clean((title[1] if title else _TAG.sub(" ", written)).strip())
            return f"a web page: {page[:200]}".strip()
        return self.clean(written)

    def _error(
        self,
        kind: type[errors.ServerError],
        call: Call,
        words: str,
        status: int | None = None,
        remedy: str | None = None,
    ) -> errors.ServerError:
        return kind(
            f"cannot {call.what}",
            url=self.endpoint.url + call.path,
            status=status,
            words=words,
            remedy=remedy,
            secrets=self.secrets,
        )


_NO_NAME = ("name or service", "nodename nor servname", "name resolution", "no address associated")


def _connect_words(error: httpx.ConnectError) -> tuple[str, str | None]:
    """Why a connection could not be made, in the words of the system, and its remedy where it has one."""
    said = str(error)
    lowered = said.casefold()
    if "certificate" in lowered or "ssl" in lowered:
        return f"TLS failed ({said})", TLS_REMEDY
    if any(words in lowered for words in _NO_NAME):
        return "no such host", NAME_REMEDY
    if "all connection attempts failed" in lowered or "refused" in lowered or not said:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, OSError) and cause.errno:
                return (os.strerror(cause.errno).casefold() if cause.errno > 0 else said), None
            cause = cause.__cause__ or cause.__context__
        return "connection refused", None
    return said, None
