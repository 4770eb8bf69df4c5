"""Manifests of a registry on a socket: what is read of an honest one, and what of every other."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from modeltui.demo.library import DemoModel, Library, manifest_of
from modeltui.demo.server import DemoServer
from modeltui.domain.names import parse
from modeltui.errors import (
    Garbled,
    NotFound,
    Refused,
    ServerError,
    ServerFailed,
    TimedOut,
    Unreachable,
)
from modeltui.registry import manifests
from modeltui.registry.manifests import look_up

NAME = parse("chat:7b")
PATH = "/v2/library/chat/manifests/7b"
WEIGHTS, CONFIG = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def entry(digest: object = WEIGHTS, size: object = 5_000, **more: object) -> dict[str, object]:
    return {"digest": digest, "size": size, **more}


def body(*layers: object, config: object = None) -> bytes:
    written = {"layers": list(layers), "config": entry(CONFIG, 100) if config is None else config}
    return json.dumps(written).encode()


@dataclass
class Registry:
    """A server that answers every request with `answer`, and keeps the heads of requests."""

    url: str = ""
    answer: bytes | Callable[[asyncio.StreamWriter], Awaitable[None]] = b""
    heads: list[str] = field(default_factory=list)

    def says(self, status: str, content: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers]
        self.answer = "\r\n".join([*lines, "", ""]).encode() + content


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    made = Registry()
    work: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            made.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            if callable(made.answer):
                await made.answer(writer)
            else:
                writer.write(made.answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        work.add(task)
        task.add_done_callback(work.discard)

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def test_a_manifest_is_read_and_its_digest_is_of_the_raw_bytes(registry: Registry) -> None:
    raw = b"  " + body(entry(mediaType="application/x"), entry(CONFIG, 7)) + b"\n"
    registry.says("200 OK", raw)
    manifest = await look_up(NAME, registry.url + "/")
    assert manifest.digest == hashlib.sha256(raw).hexdigest()
    assert [(b.digest, b.size, b.media_type) for b in manifest.blobs] == [
        (WEIGHTS, 5_000, "application/x"),
        (CONFIG, 7, ""),
        (CONFIG, 100, ""),
    ]
    (head,) = registry.heads
    assert head.startswith(f"GET {PATH} HTTP/1.1\r\n")
    assert f"accept: {manifests.ACCEPT}" in head.lower()
    assert "authorization" not in head.lower()


async def test_what_the_demonstration_announces_is_what_it_installs() -> None:
    model = DemoModel("me/chat:7b", "w", 1_000_000, template="{{ .Prompt }}", licence="MIT")
    async with DemoServer(seed=Library([], [model])) as server:
        found = await look_up(parse("me/chat:7b"), server.url)
    assert (found.digest, found.total) == (manifest_of(model).digest, manifest_of(model).size)


async def test_a_layer_named_twice_is_counted_once(registry: Registry) -> None:
    registry.says("200 OK", body(entry(), entry()))
    assert (await look_up(NAME, registry.url)).total == 5_100


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", NotFound),
        ("401 Unauthorized", Refused),
        ("403 Forbidden", Refused),
        ("412 Precondition Failed", Refused),
        ("500 Internal Server Error", ServerFailed),
        ("503 Service Unavailable", ServerFailed),
        ("204 No Content", ServerError),
    ],
)
async def test_other_statuses(registry: Registry, status: str, error: type[ServerError]) -> None:
    registry.says(status, b"" if status.startswith("204") else b"<html>oops \x1b[31m</html>")
    with pytest.raises(error) as caught:
        await look_up(NAME, registry.url)
    assert "look up chat:7b at its registry" in caught.value.message
    assert "\x1b" not in caught.value.message
    assert caught.value.status == int(status[:3])


GARBLED = {
    "nothing": b"",
    "a page": b"<html>welcome</html>",
    "no UTF-8": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "no layers": b'{"config":{}}',
    "no config": b'{"layers":[]}',
    "layers a text": b'{"layers":"abc","config":{}}',
    "layers an object": b'{"layers":{"a":1},"config":{}}',
    "config null": b'{"layers":[],"config":null}',
    "a layer null": body(None),
    "a layer a text": body("sha256:abc"),
    "a layer a list": body(["digest", "size"]),
    "no digest": body({"size": 1}),
    "no size": body({"digest": WEIGHTS}),
    "size a text": body(entry(size="5000")),
    "size a truth": body(entry(size=True)),
    "size negative": body(entry(size=-1)),
    "size beyond any disk": body(entry(size=2**60)),
    "size a fraction": body(entry(size=1.5)),
    "size endless": b'{"layers":[{"digest":"%s","size":NaN}],"config":{}}' % WEIGHTS.encode(),
    "digest a number": body(entry(digest=7)),
    "digest too short": body(entry(digest="sha256:abc")),
    "digest no hex": body(entry(digest=f"sha256:{'g' * 64}")),
    "digest with a sign": body(entry(digest=f"sha256:+{'a' * 63}")),
    "digest with lines": body(entry(digest=f"sha256:{'a' * 62}_a")),
    "digest with spaces": body(entry(digest=f"sha256: {'a' * 62}\n")),
    "another digest": body(entry(digest=f"md5567:{'a' * 64}")),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("written", GARBLED.values(), ids=GARBLED.keys())
async def test_what_is_no_manifest(registry: Registry, written: bytes) -> None:
    registry.says("200 OK", written)
    with pytest.raises(Garbled, match="no manifest"):
        await look_up(NAME, registry.url)


async def test_a_strange_media_type_is_cleaned_or_left_out(registry: Registry) -> None:
    registry.says("200 OK", body(entry(mediaType="\x1b[2J"), entry(CONFIG, mediaType=7)))
    kinds = [blob.media_type for blob in (await look_up(NAME, registry.url)).blobs]
    assert "\x1b" not in kinds[0]
    assert kinds[1] == ""


async def test_an_endless_answer_is_left(registry: Registry) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 2**16)
            await writer.drain()

    registry.answer = endless
    with pytest.raises(Garbled, match="does not end"):
        await look_up(NAME, registry.url)


async def test_a_silent_registry_is_not_awaited(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "TOTAL_S", 0.2)

    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    registry.answer = silent
    with pytest.raises(TimedOut):
        await look_up(NAME, registry.url)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"SSH-2.0-OpenSSH\r\n"]
)
async def test_a_connection_that_breaks(registry: Registry, answer: bytes) -> None:
    registry.answer = answer
    with pytest.raises(Unreachable):
        await look_up(NAME, registry.url)


async def test_nobody_listens() -> None:
    with pytest.raises(Unreachable) as caught:
        await look_up(NAME, "http://127.0.0.1:1")
    assert caught.value.words == "not reachable from here"
    assert caught.value.remedy is None  # it is not a server that the person could start


# Redirects.


async def test_a_redirect_is_followed(registry: Registry) -> None:
    async with DemoServer(seed=Library([], [DemoModel("chat:7b")])) as server:
        registry.says("307 Temporary Redirect", b"", f"Location: {server.url}{PATH}")
        found = await look_up(NAME, registry.url)
    assert found.digest == manifest_of(DemoModel("chat:7b")).digest


@pytest.mark.parametrize("location", ["/elsewhere", "http:///elsewhere"])
async def test_a_redirect_without_a_host_stays_on_the_machine(registry: Registry, location: str) -> None:
    registry.says("302 Found", b"", f"Location: {location}")
    with pytest.raises(Garbled, match="too many redirects"):
        await look_up(NAME, registry.url)
    assert [head.split()[1] for head in registry.heads] == [PATH, "/elsewhere", "/elsewhere"]


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://registry.example/v2/x", Refused),  # plain http on another machine
        ("http://192.0.2.1/v2/x", Refused),
        ("http://user:password@127.0.0.1/x", Garbled),
        ("https://user@registry.example/x", Garbled),
        ("file:///etc/passwd", Garbled),
        ("ftp://127.0.0.1/x", Garbled),
        ("http://[::1", ServerError),
        ("http://[half]/x", ServerError),
        ("https://exa mple/x", Garbled),
        ("https://example:port/x", ServerError),
        ("https://127.0.0.1:1/x", Unreachable),  # allowed, and nobody is there
    ],
)
async def test_where_a_redirect_may_lead(registry: Registry, location: str, error: type[ServerError]) -> None:
    registry.says("302 Found", b"", f"Location: {location}")
    with pytest.raises(error) as caught:
        await look_up(NAME, registry.url)
    assert len(registry.heads) == 1
    assert "password" not in f"{caught.value.message} {caught.value.url}"


@pytest.mark.parametrize(
    ("base", "error"),
    [
        ("http://registry.example", Refused),
        ("http://10.0.0.1:5000", Refused),
        ("http://user:password@127.0.0.1:1", Garbled),
        ("ftp://registry.example", Garbled),
        ("registry.example", Garbled),
        ("http://[", Garbled),
        ("http://127.0.0.1:99999", Garbled),
        ("", Garbled),
    ],
)
async def test_where_is_never_asked(base: str, error: type[ServerError]) -> None:
    with pytest.raises(error) as caught:
        await look_up(NAME, base)
    assert "password" not in f"{caught.value.message} {caught.value.url}"


@pytest.mark.parametrize(
    "url", ["https://registry.example/x", "http://127.0.0.1:5000/x", "http://localhost/x", "http://[::1]:5/x"]
)
def test_what_may_be_asked(url: str) -> None:
    manifests._refuse_plain("look", url)


def test_from_https_to_http_is_a_refusal_like_any_plain_http() -> None:
    with pytest.raises(Refused, match="loopback only"):
        manifests._refuse_plain("look", "http://registry.example/x")
