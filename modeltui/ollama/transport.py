"""Requests to one server with a timeout a call, a limit on every body, and failures told as errors."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from modeltui import errors
from modeltui.domain.endpoint import Endpoint
from modeltui.http import Access
from modeltui.ollama.calls import MOST_ERROR, Answer, Call
from modeltui.ollama.failures import Failures
from modeltui.ollama.plain import Plain, headers_for

if TYPE_CHECKING:
    from modeltui.ollama.web import Web

Decoded = TypeVar("Decoded")

_DECODE_APART = 256 * 2**10


class Transport:
    """The connections to one server: through httpx, and beside that a lean way for what is polled here.

    Raises ConfigError for access that cannot be used.
    """

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        self.endpoint = endpoint
        self.secrets = access.secrets
        self._access = access
        self._failures = Failures(endpoint.url, access.secrets)
        headers = headers_for(endpoint, access.headers)
        self._plain = Plain(endpoint, headers, self._failures) if headers is not None else None
        self._decoded: dict[str, tuple[bytes, object]] = {}
        if self._plain is None:
            _ = self._web  # what is wrong with the access is to be known now

    @cached_property
    def _web(self) -> "Web":
        """Imported when first needed: a list of a server on this machine does without it."""
        from modeltui.ollama.web import Web

        return Web(self.endpoint, self._access, self._failures)

    async def close(self) -> None:
        if self._plain is not None:
            await self._plain.close()
        if "_web" in self.__dict__:
            await self._web.close()

    async def ask(self, call: Call) -> Answer:
        """Send a request and read its whole answer, whatever its status; raises ServerError."""
        way = self._plain if self._plain is not None and call.is_safe else self._web
        try:
            async with asyncio.timeout(call.total_s):
                return await way.ask(call)
        except TimeoutError:
            words = f"no complete answer in {call.total_s:.0f} s"
            raise self._failures.error(errors.TimedOut, call, words) from None

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
        async with self._web.open(call) as response:
            if response.status_code != 200:
                raise self.refusal(call, await self._web.read(call, response, MOST_ERROR))
            async for row in self._web.rows(call, response):
                if row.strip():
                    yield self._object(call, row)

    def refusal(self, call: Call, answer: Answer) -> errors.ServerError:
        """The error that a status other than 200 stands for."""
        return self._failures.refusal(call, answer)

    def garbled(self, call: Call, words: str) -> errors.Garbled:
        return self._failures.garbled(call, words)

    def failed_in_stream(self, call: Call, words: str) -> errors.ServerError:
        """An error line within a stream of status 200."""
        return self._failures.error(errors.ServerFailed, call, words, 200)

    def clean(self, words: str) -> str:
        """Foreign words for a person: one line, without this server's secrets."""
        return self._failures.clean(words)

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
            seen = self._failures.words(Answer(200, content_type, body[:MOST_ERROR]))
            raise self.garbled(call, f"not the JSON of an Ollama server: {seen[:120] or 'nothing'}") from None

    def _without_secrets(self, value: Any) -> Any:
        if isinstance(value, str):
            return errors.strip_secrets(value, self.secrets)
        if isinstance(value, list):
            return [self._without_secrets(part) for part in value]
        if isinstance(value, dict):
            return {self._without_secrets(key): self._without_secrets(part) for key, part in value.items()}
        return value
