"""What the client sends: method, path and JSON of every request, and what it makes of old servers."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import respx

from modeltui import errors
from modeltui.domain.causes import Cause
from modeltui.domain.events import Closed, ServerError, Status, Success
from modeltui.domain.models import Account
from modeltui.domain.names import parse
from modeltui.domain.server import Capability, Keep
from modeltui.ollama.client import OllamaServer

URL = "http://gpubox:11434"
TINY, OTHER, REGISTRY = parse("tiny"), parse("Other:1b"), "127.0.0.1:5001/library/x:latest"
BOTH = {"model": "tiny:latest", "name": "tiny:latest"}
LOAD = {"model": "tiny:latest", "stream": False}
BLOB = "sha256:" + "0" * 64
PLAIN_404 = (404, "404 page not found", "text/plain")
Connect = Callable[..., OllamaServer]


def _answer(body: object, status: int = 200, kind: str = "application/json") -> httpx.Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return httpx.Response(status, text=text, headers={"Content-Type": kind})


def _serve(*answers: httpx.Response) -> respx.Route:
    """Give these answers to whatever is asked next; the last one again and again."""
    return respx.route().mock(side_effect=[*answers, *[answers[-1]] * 9])


async def _all(events: Any) -> list[Any]:
    return [event async for event in events]


LISTS = {"models": [], "version": "0.24.0", "name": "me"}
LINES = '{"status":"x"}\n{"response":"a"}\n{"done":true,"status":"success"}\n'
CALLS: list[tuple[Callable[[OllamaServer], Awaitable[object]], str, object, object]] = [
    (lambda s: s.version(), "GET /api/version", None, LISTS),
    (lambda s: s.models(), "GET /api/tags", None, LISTS),
    (lambda s: s.loaded(), "GET /api/ps", None, LISTS),
    (lambda s: s.show(TINY), "POST /api/show", BOTH, LISTS),
    (lambda s: s.load(TINY), "POST /api/generate", LOAD, LISTS),
    (
        lambda s: s.load(TINY, options={"num_ctx": 5}),
        "POST /api/generate",
        {**LOAD, "options": {"num_ctx": 5}},
        LISTS,
    ),
    (lambda s: s.unload(TINY), "POST /api/generate", {**LOAD, "keep_alive": 0}, LISTS),
    (
        lambda s: s.copy(TINY, OTHER),
        "POST /api/copy",
        {"source": "tiny:latest", "destination": "Other:1b"},
        "",
    ),
    (lambda s: s.delete(TINY), "DELETE /api/delete", BOTH, ""),
    (
        lambda s: s.create(TINY, OTHER, {"num_ctx": 5}),
        "POST /api/create",
        {**BOTH, "from": "Other:1b", "parameters": {"num_ctx": 5}},
        LINES,
    ),
    (lambda s: s.embed(TINY, "a b"), "POST /api/embed", {"model": "tiny:latest", "input": "a b"}, LISTS),
    (lambda s: s.has_blob(BLOB), f"HEAD /api/blobs/{BLOB}", None, ""),
    (lambda s: s.account(), "POST /api/me", {}, LISTS),
    (lambda s: _all(s.pull(TINY)), "POST /api/pull", {**BOTH, "stream": True}, LINES),
    (
        lambda s: _all(s.pull(parse(REGISTRY), insecure=True)),
        "POST /api/pull",
        {"model": REGISTRY, "name": REGISTRY, "stream": True, "insecure": True},
        LINES,
    ),
    (
        lambda s: _all(s.generate(TINY, "why?", {"seed": 5})),
        "POST /api/generate",
        {"model": "tiny:latest", "prompt": "why?", "options": {"seed": 5}},
        LINES,
    ),
]


@pytest.mark.parametrize(("ask", "line", "body", "answer"), CALLS, ids=[row[1] for row in CALLS])
@pytest.mark.parametrize("url", [URL, "http://gpubox:8080/ollama"])
@respx.mock
async def test_requests(
    url: str, ask: Any, line: str, body: object, answer: object, connect: Connect
) -> None:
    route = _serve(_answer(answer))
    client = connect(url + "/")
    await ask(client)
    (call,) = route.calls
    method, path = line.split()
    assert (call.request.method, str(call.request.url)) == (method, url + path)
    assert (json.loads(call.request.content) if call.request.content else None) == body
    assert call.request.headers.get("content-type") == (None if body is None else "application/json")
    assert (client.endpoint.url, client.capabilities) == (url, frozenset(Capability))


KEEP_ALIVES: list[tuple[timedelta | Keep, dict[str, int]]] = [
    (timedelta(minutes=30), {"keep_alive": 1800}),
    (timedelta(0), {"keep_alive": 0}),
    (timedelta(milliseconds=1), {"keep_alive": 1}),  # 0 would unload it
    (timedelta(days=999_999), {"keep_alive": -1}),  # more nanoseconds than 64 bits hold: unloaded at once
    (Keep.FOREVER, {"keep_alive": -1}),
    (Keep.SERVER_DEFAULT, {}),
]


@pytest.mark.parametrize(("keep", "sent"), KEEP_ALIVES)
@respx.mock
async def test_keep_alive_also_of_an_embedding_model(
    keep: timedelta | Keep, sent: dict[str, int], connect: Connect
) -> None:
    """An embedding model cannot generate: it is loaded by an empty embedding."""
    refused = _answer({"error": '"tiny" does not support generate'}, 400)
    route = _serve(refused, _answer({"embeddings": []}))
    await connect(URL).load(TINY, keep, {"num_ctx": 512})
    first, second = (json.loads(call.request.content) for call in route.calls)
    assert first == {**LOAD, **sent, "options": {"num_ctx": 512}}
    assert route.calls.last.request.url.path == "/api/embed"
    assert second == {"model": "tiny:latest", "input": "", **sent, "options": {"num_ctx": 512}}


@respx.mock
async def test_another_refusal_is_not_tried_by_embed(connect: Connect) -> None:
    route = _serve(_answer({"error": '"tiny" does not support thinking'}, 400))
    with pytest.raises(errors.Unsupported, match="thinking"):
        await connect(URL).load(TINY)
    assert len(route.calls) == 1


@respx.mock
async def test_old_servers(connect: Connect) -> None:
    """No /api/version before 0.1.14, no /api/ps before 0.1.38; rows with half of the fields."""
    row = {"name": "tiny:latest", "modified_at": "2024-04-01T10:00:00Z", "size": 5, "digest": "0" * 64}
    gone = _answer(PLAIN_404[1], 404, "text/plain")
    _serve(gone, gone, _answer({"models": [row]}), _answer({"models": None}))
    client = connect(URL)
    assert await client.version() is None
    with pytest.raises(errors.Unsupported, match="the server does not know GET /api/ps"):
        await client.loaded()
    (model,) = await client.models()
    assert (model.shown, model.name, model.size, model.family) == ("tiny:latest", TINY, 5, None)
    assert (model.capabilities, model.context) == (None, None)
    assert await client.models() == ()


@pytest.mark.parametrize("body", ["[]", "5", "null", '"models"', '{"other": 1}', "{}"])
@respx.mock
async def test_json_of_another_program_is_garbled(body: str, connect: Connect) -> None:
    """An empty list would say that nothing is installed."""
    _serve(_answer(body))
    client = connect(URL)
    asks: list[Callable[[], Awaitable[object]]] = [client.models, client.loaded]
    if not body.startswith("{"):
        asks += [client.version, lambda: client.show(TINY)]
    for ask in asks:
        with pytest.raises(errors.Garbled, match="JSON"):
            await ask()


@respx.mock
async def test_who_is_signed_in(connect: Connect) -> None:
    signed_out = _answer({"error": "unauthorized", "signin_url": "https://ollama.com/connect?key=x"}, 401)
    _serve(_answer({"name": "me", "plan": "pro"}), signed_out, _answer({"error": "unavailable"}, 503))
    client = connect(URL)
    assert await client.account() == Account("me", "pro")
    assert await client.account() is None
    with pytest.raises(errors.ServerFailed, match="unavailable"):
        await client.account()


@respx.mock
async def test_streams_that_end_without_their_last_line(connect: Connect) -> None:
    client = connect(URL)
    _serve(_answer('{"response":"a"}\n{"done":true}\n{"response":"after"}'), _answer('{"response":"a"}'))
    assert [chunk.text for chunk in await _all(client.generate(TINY, "p"))] == ["a", ""]
    with pytest.raises(errors.Garbled, match="repetition"):
        await _all(client.generate(TINY, "p"))
    _serve(_answer('{"status":"writing manifest"}\n'), _answer('{"error":"x"}'))
    with pytest.raises(errors.Garbled, match="without success"):
        await client.create(TINY, OTHER, {})
    with pytest.raises(errors.ServerFailed, match="ask tiny:latest: x"):
        await _all(client.generate(TINY, "p"))


PULLS: list[tuple[object, list[object]]] = [
    ('{"status":"a"}\n{"status":"success"}\n{"status":"b"}', [Status(1_000, "a"), Success(1_000)]),
    ('\n\n{"status":"success"}', [Success(1_000)]),
    ('{"error":"EOF"}\n{"status":"success"}\n', [ServerError(1_000, "EOF")]),
    ('{"status":"a"}', [Status(1_000, "a"), Closed(1_000, "the stream ended without success")]),
    ("", [Closed(1_000, "the stream ended without success")]),
    ("[1]\n", [Closed(1_000, "a line that is no JSON object", cause=Cause.GARBLED)]),
    (
        "<html>",
        [Closed(1_000, "not the JSON of an Ollama server: a web page:", cause=Cause.GARBLED)],
    ),
    ((400, '{"error":"invalid model name"}'), [ServerError(1_000, "invalid model name", 400)]),
    ((503, '{"error":"server busy."}'), [ServerError(1_000, "server busy.", 503)]),
    ((403, ""), [ServerError(1_000, "HTTP 403", 403)]),
    (PLAIN_404, [ServerError(1_000, "the server does not know POST /api/pull (HTTP 404)", 404)]),
]


@pytest.mark.parametrize(("said", "events"), PULLS)
@respx.mock
async def test_a_pull_ends_in_one_last_event(said: Any, events: list[object], connect: Connect) -> None:
    status, body, *kind = said if isinstance(said, tuple) else (200, said)
    _serve(_answer(body, status, *kind))
    assert await _all(connect(URL).pull(TINY)) == events
