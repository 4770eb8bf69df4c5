"""Sends requests to a server through httpx, wherever it is: streams, TLS, proxies, any method."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from modeltui import errors
from modeltui.domain.endpoint import Endpoint
from modeltui.http import Access, make_client
from modeltui.ollama import calls
from modeltui.ollama.calls import Answer, Call
from modeltui.ollama.failures import BROKE, COMPRESSED, HUNG_UP, NAME_REMEDY, Failures

TLS_REMEDY = "set ca_file (or, where it asks for one, client_cert) for this server in config.toml"


class Web:
    """The connections of httpx to one server. Raises ConfigError for access that cannot be used."""

    def __init__(self, endpoint: Endpoint, access: Access, failures: Failures) -> None:
        self._failures = failures
        self._client = make_client(endpoint.url, access=access, direct=endpoint.is_loopback)

    async def close(self) -> None:
        await self._client.aclose()

    async def ask(self, call: Call) -> Answer:
        """Send a request and read its whole answer, whatever its status; raises ServerError."""
        async with self.open(call) as response:
            return await self.read(call, response)

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[httpx.Response]:
        """Send a request and read the head of its answer; raises ServerError, also for what comes later."""
        error = self._failures.error
        timeout = httpx.Timeout(call.quiet_s, connect=5.0, write=30.0, pool=None)
        try:
            async with self._client.stream(
                call.method, call.path, json=call.body, timeout=timeout
            ) as response:
                if response.headers.get("content-encoding", "identity").lower() != "identity":
                    # Unpacked in one step, a few kilobytes can be more than there is memory.
                    raise self._failures.garbled(call, COMPRESSED)
                yield response
        except httpx.ConnectTimeout:
            raise error(errors.Unreachable, call, "no connection within 5 s") from None
        except httpx.ConnectError as failed:
            words, remedy = _connect_words(failed)
            raise error(errors.Unreachable, call, words, remedy=remedy) from None
        except httpx.TimeoutException:
            raise self._failures.silent(call) from None
        except httpx.ProxyError as failed:
            raise error(errors.Unreachable, call, f"the proxy failed: {failed}") from None
        except httpx.RemoteProtocolError as failed:
            if "disconnected" in str(failed) or "closed connection" in str(failed):
                raise error(errors.Unreachable, call, HUNG_UP) from None
            raise self._failures.no_http(call, str(failed)) from None
        except httpx.NetworkError:
            raise error(errors.Unreachable, call, BROKE) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as failed:
            raise error(errors.Garbled, call, str(failed) or type(failed).__name__) from None

    async def read(self, call: Call, response: httpx.Response, most: int | None = None) -> Answer:
        """The rest of an answer, of one that is an error at most about `most` bytes."""
        status, most = response.status_code, calls.MOST_BODY if most is None else most
        parts: list[bytes] = []
        length = 0
        async for part in response.aiter_bytes():
            parts.append(part)
            length += len(part)
            if length > most:
                if status != 200:
                    break
                raise self._failures.garbled(call, f"an answer of more than {most // 2**20} MiB")
        return Answer(status, response.headers.get("content-type", ""), b"".join(parts))

    async def rows(self, call: Call, response: httpx.Response) -> AsyncIterator[bytes]:
        """The lines of a stream."""
        rest = bytearray()
        async for part in response.aiter_bytes():
            rest += part
            if b"\n" in part:
                *rows, last = bytes(rest).split(b"\n")
                rest = bytearray(last)
                for row in rows:
                    yield row
            if len(rest) > calls.MOST_LINE:
                raise self._failures.garbled(call, f"a line of more than {calls.MOST_LINE // 2**20} MiB")
        yield bytes(rest)


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
