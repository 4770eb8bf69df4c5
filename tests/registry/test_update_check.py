"""The version of a model by a HEAD of its manifest, and what the small layers of a version say."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from modeltui.demo.faults import Fault, Faults, Kind
from modeltui.demo.library import DemoModel, Library, manifest_of
from modeltui.demo.server import DemoServer
from modeltui.domain.names import parse
from modeltui.domain.transfers import Blob, Manifest
from modeltui.domain.updates import Parts
from modeltui.errors import Garbled, NotFound, Refused
from modeltui.registry.manifests import look_up
from modeltui.registry.updates import Head, head_url, look_at_head, read_parts

NAME = parse("chat:7b")
DIGEST = "a" * 64


@asynccontextmanager
async def answering(*headers: str, body: bytes = b"") -> AsyncIterator[tuple[str, list[str]]]:
    """A registry's address, and the first lines of what it is asked; it answers everything with this."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        lines = ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
        writer.write("\r\n".join(lines).encode("latin-1") + (b"" if asked[-1].startswith("HEAD") else body))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize(
    ("headers", "head"),
    [
        ((f"ollama-content-digest: {DIGEST}", "ollama-push-time: 1795234803"), (DIGEST, 1_795_234_803_000)),
        ((f"Ollama-Content-Digest: sha256:{DIGEST}",), (DIGEST, None)),
        ((f"ollama-content-digest: {DIGEST.upper()}", "ollama-push-time: -5"), (DIGEST, None)),
        ((f"ollama-content-digest: {DIGEST}", "ollama-push-time: soon"), (DIGEST, None)),
        ((f"ollama-content-digest: {DIGEST}", "ollama-push-time: 1" + "0" * 40), (DIGEST, None)),
        (("ollama-content-digest: abc", "ollama-push-time: 1795234803"), None),
        (("ollama-content-digest:",), None),
        ((), None),
    ],
)
async def test_a_head(headers: tuple[str, ...], head: tuple[str, int | None] | None) -> None:
    async with answering(*headers) as (url, asked):
        assert await look_at_head(NAME, url) == (Head(*head) if head else None)
    assert asked == ["HEAD /v2/library/chat/manifests/7b HTTP/1.1"]


async def test_the_demonstration_tells_by_its_head_what_it_has() -> None:
    model = DemoModel("chat:7b", hours=5)
    async with DemoServer(seed=Library([], [model])) as server:
        head = await look_at_head(NAME, server.url)
        entry = server.library.available[NAME.key]
        assert head == Head(manifest_of(model).digest, entry.modified // 10**9 * 1000)
        with pytest.raises(NotFound):
            await look_at_head(parse("chat:8b"), server.url)


async def test_a_registry_that_refuses_a_head() -> None:
    faults = Faults(Fault(Kind.STATUS, path="/v2/*", value=405))
    async with DemoServer(seed=Library([], [DemoModel("chat:7b")]), faults=faults) as server:
        with pytest.raises(Refused):
            await look_at_head(NAME, server.url)


@pytest.mark.parametrize(
    ("name", "base", "url"),
    [
        ("chat", None, "https://ollama.com"),
        ("me/chat", None, "https://ollama.com"),
        ("REGISTRY.ollama.ai/library/chat", None, "https://ollama.com"),
        ("chat", "http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("hf.co/me/chat", None, None),
        ("registry.lan:5000/team/chat", "http://127.0.0.1:5000", None),
    ],
)
def test_who_is_asked_by_a_head(name: str, base: str | None, url: str | None) -> None:
    assert head_url(parse(name), base) == url


async def parts_of(model: DemoModel) -> Parts:
    async with DemoServer(seed=Library([], [model])) as server:
        return await read_parts(NAME, await look_up(NAME, server.url), server.url)


async def test_the_parts_of_a_version() -> None:
    model = DemoModel(
        *("chat:7b", "w"),
        template="{{ .Prompt }}",
        system="Be\x1b[31m brief.",
        licence="MIT",
        params={"stop": ["a\nb", "c"], "temperature": 0.5, "numa": True},
    )
    assert await parts_of(model) == Parts(
        weights=frozenset({manifest_of(model).weights}),
        parameters={"stop": ["a b", "c"], "temperature": 0.5, "numa": True},
        template="{{ .Prompt }}",
        system="Be·[31m brief.",
    )
    assert await parts_of(DemoModel("chat:7b", "w")) == Parts(frozenset({manifest_of(model).weights}))


def blob_of(kind: str, content: bytes) -> Blob:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Blob(digest, len(content), f"application/vnd.ollama.image.{kind}")


@pytest.mark.parametrize("written", [b"[]", b"7", b"{", b"\xff", b"[" * 100_000, b"null"])
async def test_parameters_that_cannot_be_read_are_none(written: bytes) -> None:
    async with answering(body=written) as (url, asked):
        parts = await read_parts(NAME, Manifest("", (blob_of("params", written),)), url)
    assert parts.parameters == {}
    assert asked[0].startswith("GET /v2/library/chat/blobs/sha256:")


async def test_messages_and_an_adapter_are_seen_and_not_read() -> None:
    blobs = (blob_of("messages", b"x"), blob_of("adapter", b"y"))
    parts = await read_parts(NAME, Manifest("", blobs), "http://127.0.0.1:1")
    assert (parts.has_messages, parts.has_adapter) == (True, True)


async def test_a_layer_that_is_something_else_than_announced() -> None:
    async with answering(body=b"Be evil.") as (url, _):
        with pytest.raises(Garbled, match="something else"):
            await read_parts(NAME, Manifest("", (blob_of("system", b"Be brief."),)), url)
