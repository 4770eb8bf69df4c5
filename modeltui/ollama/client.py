"""Fulfils the protocol of `domain.server` over Ollama's HTTP API.

Timeouts are chosen per call: a list may wait for a cold cache, a load for the weights, a pull for ever
(its runner watches the bytes). Protocol: ollama server/routes.go, api/types.go.
"""

import math
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from modeltui import errors
from modeltui.domain.endpoint import Endpoint
from modeltui.domain.models import Account, Chunk, LoadedModel, Model, ModelDetails
from modeltui.domain.names import ModelName
from modeltui.domain.server import Capability, Keep, KeepAlive
from modeltui.domain.units import FOREVER_MS
from modeltui.http import Access
from modeltui.ollama import wire
from modeltui.ollama.calls import Call
from modeltui.ollama.transport import Decoded, Transport

if TYPE_CHECKING:
    from modeltui.domain.events import PullEvent

_NO_ACCESS = Access()


class OllamaServer:
    """One Ollama server. `clock` gives UTC milliseconds and stamps the events of pulls."""

    capabilities = frozenset(Capability)

    def __init__(self, endpoint: Endpoint, *, clock: Callable[[], int], access: Access = _NO_ACCESS) -> None:
        self.endpoint = endpoint
        self._clock = clock
        self._transport = Transport(endpoint, access)

    async def close(self) -> None:
        await self._transport.close()

    async def version(self) -> str | None:
        call = Call("ask for the version", "GET", "/api/version", quiet_s=5, total_s=10)
        try:
            return await self._object(call, wire.version)
        except (errors.Unsupported, errors.NotFound):
            return None

    async def models(self) -> tuple[Model, ...]:
        # The first list after a start waits until the server has read all manifests.
        return await self._list(Call("list the models", "GET", "/api/tags", None, 30, 60), wire.models)

    async def loaded(self) -> tuple[LoadedModel, ...]:
        # It can block for seconds while a runner is unloaded.
        return await self._list(Call("list what is loaded", "GET", "/api/ps", None, 15, 30), wire.loaded)

    async def _object(self, call: Call, convert: Callable[[Mapping[str, Any]], Decoded]) -> Decoded:
        """Convert an answer that must be an object; raises Garbled for what is none."""

        def work(body: object) -> Decoded:
            if not isinstance(body, dict):
                raise self._transport.garbled(call, "its JSON is no object")
            return convert(body)

        return await self._transport.ask_json(call, work)

    async def _list(self, call: Call, convert: Callable[[Mapping[str, Any]], Decoded]) -> Decoded:
        """Convert a list of models; an object without one comes from something else than Ollama."""

        def work(body: Mapping[str, Any]) -> Decoded:
            if not isinstance(body.get("models", 0), (list, type(None))):
                raise self._transport.garbled(call, "its JSON is not a list of models")
            return convert(body)

        return await self._object(call, work)

    async def show(self, name: ModelName) -> ModelDetails:
        from modeltui.ollama.show import details

        call = Call(f"show {name.short}", "POST", "/api/show", _both(name), 30, 60)
        return await self._object(call, lambda body: details(body, name))

    async def load(
        self,
        name: ModelName,
        keep_alive: KeepAlive = Keep.SERVER_DEFAULT,
        options: Mapping[str, object] | None = None,
    ) -> None:
        body: dict[str, object] = {"model": name.short, "stream": False, **_keep_alive(keep_alive)}
        if options:
            body["options"] = dict(options)
        call = Call(f"load {name.short}", "POST", "/api/generate", body, None, None)
        try:
            await self._transport.ask_json(call, wire.mapping)
        except errors.Unsupported as error:
            if "does not support generate" not in error.words:
                raise
            del body["stream"]
            body["input"] = ""
            await self._transport.ask_json(replace(call, path="/api/embed"), wire.mapping)

    async def unload(self, name: ModelName) -> None:
        body = {"model": name.short, "keep_alive": 0, "stream": False}
        call = Call(f"unload {name.short}", "POST", "/api/generate", body, 60, 90)
        await self._transport.ask_json(call, wire.mapping)

    def pull(self, name: ModelName, *, insecure: bool = False) -> "AsyncGenerator[PullEvent, None]":
        from modeltui.ollama.pull import pull_events

        return pull_events(self._transport, name, insecure=insecure, clock=self._clock)

    async def copy(self, source: ModelName, destination: ModelName) -> None:
        body = {"source": source.short, "destination": destination.short}
        what = f"copy {source.short} to {destination.short}"
        await self._transport.ask_empty(Call(what, "POST", "/api/copy", body, 60, 90))

    async def delete(self, name: ModelName) -> None:
        call = Call(f"delete {name.short}", "DELETE", "/api/delete", _both(name), 120, 180)
        await self._transport.ask_empty(call)

    async def create(self, name: ModelName, source: ModelName, parameters: Mapping[str, object]) -> None:
        body = {**_both(name), "from": source.short, "parameters": dict(parameters)}
        call = Call(f"create {name.short}", "POST", "/api/create", body, 300, None)
        async with aclosing(self._transport.lines(call)) as lines:
            async for line in lines:
                if words := wire.error_words(line):
                    raise self._transport.failed_in_stream(call, words)
                if line.get("status") == "success":
                    return
        raise self._transport.garbled(call, "the stream ended without success")

    async def generate(
        self, name: ModelName, prompt: str, options: Mapping[str, object] | None = None
    ) -> AsyncGenerator[Chunk, None]:
        body: dict[str, object] = {"model": name.short, "prompt": prompt}
        if options:
            body["options"] = dict(options)
        call = Call(f"ask {name.short}", "POST", "/api/generate", body, None, None)
        async with aclosing(self._transport.lines(call)) as lines:
            async for line in lines:
                if words := wire.error_words(line):
                    raise self._transport.failed_in_stream(call, words)
                piece = wire.chunk(line)
                yield piece
                if piece.metrics is not None:
                    return
        # The server stops without a last line after 30 identical tokens in a row.
        raise self._transport.garbled(call, "the answer ended without its last line (repetition)")

    async def embed(self, name: ModelName, text: str) -> tuple[float, ...]:
        body = {"model": name.short, "input": text}
        call = Call(f"embed with {name.short}", "POST", "/api/embed", body, None, None)
        return await self._transport.ask_json(call, wire.embedding)

    async def has_blob(self, digest: str) -> bool:
        call = Call("look for a layer", "HEAD", f"/api/blobs/{digest}", None, 10, 20)
        answer = await self._transport.ask(call)
        if answer.status in (200, 404):
            return answer.status == 200
        raise self._transport.refusal(call, answer)

    async def account(self) -> Account | None:
        call = Call("ask who is signed in", "POST", "/api/me", {}, 10, 20)
        answer = await self._transport.ask(call)
        if answer.status == 401:
            return None
        if answer.status != 200:
            raise self._transport.refusal(call, answer)
        return await self._transport.decoded(call, answer, wire.account)


def _both(name: ModelName) -> dict[str, object]:
    """`model`, and `name` for servers before 0.1.21."""
    return {"model": name.short, "name": name.short}


def _keep_alive(keep_alive: KeepAlive) -> dict[str, object]:
    """A number is seconds for the server, a negative one for ever; left out, its own default counts."""
    if isinstance(keep_alive, timedelta):
        seconds = math.ceil(keep_alive.total_seconds())
        # Go counts nanoseconds in 64 bits, 292 years: what overflows would be unloaded at once.
        return {"keep_alive": seconds if seconds * 1000 < FOREVER_MS else -1}
    return {"keep_alive": -1} if keep_alive is Keep.FOREVER else {}
