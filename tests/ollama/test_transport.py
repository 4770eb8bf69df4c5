"""A server that misbehaves, on a real socket: every failure is one error with URL, words and remedy."""

import asyncio
import contextlib
import gzip
import json
import ssl
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from replay import (  # type: ignore[import-not-found, unused-ignore]
    STREAM_END,
    TLS,
    Connection,
    Request,
    chunk,
    response,
    serving,
    stream_head,
)

from modeltui import errors
from modeltui.domain.events import Closed, Status
from modeltui.domain.names import parse
from modeltui.http import Access
from modeltui.ollama import calls, wire
from modeltui.ollama.calls import Call
from modeltui.ollama.client import OllamaServer
from modeltui.ollama.failures import HOST_REMEDY, SIGN_IN_REMEDY
from modeltui.ollama.transport import Transport

NAME = parse("tiny")
LIST = Call("list the models", "GET", "/api/tags", None, 5, 10)
Open = Callable[..., Transport]
Client = Callable[..., OllamaServer]


async def _free_port() -> int:
    """A port on which nothing listens (any more)."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


# --- no answer ---


async def test_connection_refused(connect: Client) -> None:
    url = f"http://127.0.0.1:{await _free_port()}"
    with pytest.raises(errors.Unreachable) as caught:
        await connect(url, ACCESS).models()
    error = caught.value
    assert (error.words, error.url, error.status) == ("connection refused", f"{url}/api/tags", None)
    assert error.retryable
    assert "ollama serve" in (error.remedy or "")
    assert error.message == "cannot list the models: connection refused"
    _assert_silent(_everything(error))
    assert [event async for event in connect(url).pull(NAME)] == [Closed(1_000, "connection refused")]


async def test_host_not_found(connect: Client) -> None:
    with pytest.raises(errors.Unreachable) as caught:
        await connect("http://modeltui-test.invalid:11434").models()
    assert caught.value.words != "connection refused"
    assert caught.value.url == "http://modeltui-test.invalid:11434/api/tags"


async def _says(said: bytes, then: str, connection: Connection) -> None:
    await connection.send(said)
    if then == "reset":
        connection.reset()


HALF = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
CHUNKED = stream_head() + chunk('{"status":"x"}\n')
HANG_UPS = [(said, then) for said in (b"", b"HTTP/1.1 200", HALF, CHUNKED) for then in ("close", "reset")]


@pytest.mark.parametrize(("said", "then"), HANG_UPS, ids=lambda value: repr(value)[-20:])
async def test_a_connection_that_breaks(said: bytes, then: str, connect: Client) -> None:
    async with serving(lambda _, connection: _says(said, then, connection)) as server:
        client = connect(server.url)
        with pytest.raises(errors.Unreachable) as caught:
            await client.models()
        assert caught.value.words in ("the server closed the connection", "the connection broke")
        events = [event async for event in client.pull(NAME)]
        assert isinstance(events[-1], Closed)
        assert events[:-1] == ([Status(1_000, "x")] if said is CHUNKED else [])


async def _hang(said: bytes, connection: Connection) -> None:
    await connection.send(said)
    await connection.gone()


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", HALF], ids=["at once", "in the head", "in the body"]
)
async def test_a_server_that_hangs(said: bytes, transport: Open) -> None:
    async with serving(lambda _, connection: _hang(said, connection)) as server:
        call = Call("list the models", "GET", "/api/tags", None, quiet_s=0.2, total_s=10)
        with pytest.raises(errors.TimedOut) as caught:
            await transport(server.url).ask(call)
        assert caught.value.retryable
        assert caught.value.words.startswith("no answer for")


async def test_a_slow_drip_ends_at_the_total(transport: Open) -> None:
    async def drip(request: Request, connection: Connection) -> None:
        await connection.send(HALF)
        while True:
            await connection.send(b" ")
            await asyncio.sleep(0.02)

    async with serving(drip) as server:
        call = Call("list the models", "GET", "/api/tags", None, quiet_s=5, total_s=0.3)
        with pytest.raises(errors.TimedOut, match="no complete answer in"):
            await transport(server.url).ask(call)
        async with asyncio.timeout(20):
            await server.hung_up.wait()


# --- too much ---


async def _endless(head: bytes, piece: bytes, connection: Connection) -> None:
    await connection.send(head)
    while True:
        await connection.send(piece)


async def test_an_endless_body(transport: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_BODY", 200_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    async with serving(lambda _, connection: _endless(head, b"x" * 9_000, connection)) as server:
        with pytest.raises(errors.Garbled, match="an answer of more than"):
            await transport(server.url).ask(LIST)
        async with asyncio.timeout(20):
            await server.hung_up.wait()


async def test_an_endless_error_keeps_its_status(transport: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_BODY", 200_000)
    head = b"HTTP/1.1 500 No\r\nContent-Type: text/plain\r\n\r\n"
    async with serving(lambda _, connection: _endless(head, b"oh no " * 900, connection)) as server:
        with pytest.raises(errors.ServerFailed, match="oh no oh no"):
            await transport(server.url).ask_json(LIST, wire.mapping)
        with pytest.raises(errors.ServerFailed, match="oh no oh no"):
            await anext(transport(server.url).lines(LIST))


async def test_an_endless_line(connect: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_LINE", 200_000)
    piece = chunk(b"x" * 9_000)
    async with serving(lambda _, connection: _endless(stream_head(), piece, connection)) as server:
        (last,) = [event async for event in connect(server.url).pull(NAME)]
        assert isinstance(last, Closed)
        assert "a line of more than" in last.text
        async with asyncio.timeout(20):
            await server.hung_up.wait()
    long = json.dumps({"status": "x" * 150_000})
    async with serving(response(long + '\n{"status":"success"}\n')) as server:
        assert len([event async for event in connect(server.url).pull(NAME)]) == 2


async def test_an_endless_head(transport: Open) -> None:
    async with serving(lambda _, c: _endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 999, c)) as server:
        with pytest.raises(errors.Garbled):
            await transport(server.url).ask(LIST)


BOMB = gzip.compress(gzip.compress(b"0" * 300_000_000, 1), 9)


@pytest.mark.parametrize("piece", ["<", "<title", "<title>", "<html>?key"])
async def test_a_hostile_page_costs_linear_time(piece: str, transport: Open) -> None:
    page = "<html>" + piece * (calls.MOST_ERROR // len(piece))
    async with serving(response(page, 502, "text/html")) as server, asyncio.timeout(20):
        began = time.process_time()
        with pytest.raises(errors.ServerFailed, match="a web page"):
            await transport(server.url).ask_json(LIST, wire.mapping)
        assert time.process_time() - began < 1


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip", "deflate", "br"])
async def test_what_is_compressed_though_nobody_asked_is_not_unpacked(
    encoding: str, status: int, transport: Open
) -> None:
    """1.3 kB that would be 300 MB in one step."""
    assert len(BOMB) < 10_000
    async with serving(response(BOMB, status, "application/json", f"Content-Encoding: {encoding}")) as server:
        with pytest.raises(errors.Garbled, match="compressed"):
            await transport(server.url).ask_json(LIST, wire.mapping)
        with pytest.raises(errors.Garbled, match="compressed"):
            await anext(transport(server.url).lines(LIST))


# --- no Ollama ---

LOGIN = "<!DOCTYPE html><html><head><title>Please log\n in</title></head><body>...</body></html>"
GARBAGE = [
    ("ssh", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not HTTP as it should be"),
    ("bytes", bytes(range(256)), "not HTTP as it should be"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "not HTTP"),
    ("a bad chunk", stream_head() + b"zz\r\n", "not HTTP"),
    ("a page", response(LOGIN, 200, "text/html"), "a web page: Please log  in"),
    ("text", response("Ollama is running", 200, "text/plain"), "Ollama is running"),
    ("nothing", response(""), "not the JSON of an Ollama server: nothing"),
    ("half of it", response('{"models": ['), "not the JSON"),
    ("too deep", response("[" * 200_000), "not the JSON"),
    ("too deep an object", response('{"a":' * 200_000), "not the JSON"),
    ("a number beyond reading", response('{"models": ' + "9" * 9_000 + "}"), "not the JSON"),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n", "unexpected HTTP status 204"),
    ("a redirect", response("", 302, None, "Location: /api/tags"), "redirected (HTTP 302), not followed"),
    ("a redirect away", response("", 307, None, "Location: http://127.0.0.1:1/"), "redirected (HTTP 307)"),
]


@pytest.mark.parametrize(("why", "said", "words"), GARBAGE, ids=[row[0] for row in GARBAGE])
async def test_what_is_no_ollama_server(why: str, said: bytes, words: str, connect: Client) -> None:
    async with serving(said) as server:
        with pytest.raises(errors.Garbled) as caught:
            await connect(server.url).models()
        assert words in caught.value.words
        assert not caught.value.retryable
        assert "proxy" in (caught.value.remedy or "")
        assert len(server.requests) == 1


async def test_strings_that_are_no_text(connect: Client) -> None:
    """Invalid UTF-8 and lone surrogates are shown as something harmless and never acted on."""
    rows = b'{"name":"a\xff\xfeb"},{"name":"\\ud800"},{"name":"ok","details":{"family":"\\udc00\\u0000"}}'
    async with serving(response(b'{"models":[' + rows + b"]}")) as server:
        first, second, third = await connect(server.url).models()
    assert (first.name, second.name, third.name) == (None, None, parse("ok"))
    assert (second.shown, third.family) == ("·", "··")
    for model in (first, second, third):
        model.shown.encode()


async def test_a_plain_server_asked_by_tls_and_the_other_way(connect: Client) -> None:
    async with serving(b"", greeting=response("{}")) as server:
        with pytest.raises(errors.Unreachable, match="TLS failed"):
            await connect(server.url.replace("http", "https")).models()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem")
    async with serving(response('{"models":[]}'), context) as server:
        with pytest.raises(errors.Unreachable, match="TLS failed") as caught:
            await connect(server.url).models()
        assert "ca_file" in (caught.value.remedy or "")
        with pytest.raises(errors.ServerError):
            await connect(server.url.replace("https", "http")).models()
        assert await connect(server.url, Access(ca_file=TLS / "ca.pem")).models() == ()


async def test_a_proxy_that_refuses(connect: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(response("", 407)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(errors.Unreachable, match="the proxy failed"):
            await connect("https://gpubox.invalid").models()


# --- refusals ---

PAGE = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
TEXT, JSON, HTML = "text/plain", "application/json; charset=utf-8", "text/html"
REFUSALS: list[tuple[int, str | None, str, type[errors.ServerError], str, str | None]] = [
    (404, JSON, '{"error":"model \'x\' not found"}', errors.NotFound, "model 'x' not found", None),
    (404, TEXT, "404 page not found", errors.Unsupported, "does not know GET /api/tags (HTTP 404)", None),
    (405, TEXT, "405 method not allowed", errors.Unsupported, "(HTTP 405)", None),
    (404, HTML, PAGE, errors.Unsupported, "(HTTP 404)", None),
    (501, None, "", errors.Unsupported, "(HTTP 501)", None),
    (
        400,
        JSON,
        '{"error":"\\"e\\" does not support generate"}',
        errors.Unsupported,
        "support generate",
        None,
    ),
    (403, None, "", errors.Refused, "HTTP 403", HOST_REMEDY),
    (403, JSON, '{"error":"ollama cloud is disabled"}', errors.Refused, "cloud is disabled", SIGN_IN_REMEDY),
    (401, TEXT, "", errors.Refused, "HTTP 401", SIGN_IN_REMEDY),
    (400, JSON, '{"error":"missing request body"}', errors.Refused, "missing request body", None),
    (418, TEXT, "", errors.Refused, "HTTP 418", None),
    (429, JSON, '{"error":"quota"}', errors.Busy, "quota", errors.Busy.usual_remedy),
    (503, JSON, '{"error":"server busy, please try again.  maximum"}', errors.Busy, "server busy", None),
    (503, JSON, '{"error":"account unavailable"}', errors.ServerFailed, "account unavailable", None),
    (502, HTML, PAGE, errors.ServerFailed, "a web page: 502 Bad Gateway", None),
    (
        500,
        HTML,
        "<html><body><p>it is <b>down</b></p></body></html>",
        errors.ServerFailed,
        "it is  down",
        None,
    ),
    (500, JSON, '{"error":{"message":"in an object"}}', errors.ServerFailed, "in an object", None),
    (500, JSON, '{"error": 5}', errors.ServerFailed, '{"error": 5}', None),
    (500, JSON, '{"error":"\\u001b[31mred\\nnext"}', errors.ServerFailed, "·[31mred next", None),
    (500, TEXT, "", errors.ServerFailed, "HTTP 500", errors.ServerFailed.usual_remedy),
    (499, JSON, '{"error":"request canceled"}', errors.ServerFailed, "request canceled", None),
]


@pytest.mark.parametrize(
    ("status", "kind", "body", "error", "words", "remedy"), REFUSALS, ids=[f"{r[0]} {r[4]}" for r in REFUSALS]
)
async def test_refusals(
    status: int,
    kind: str | None,
    body: str,
    error: type[errors.ServerError],
    words: str,
    remedy: str | None,
    transport: Open,
) -> None:
    async with serving(response(body, status, kind)) as server:
        with pytest.raises(errors.ServerError) as caught:
            await transport(server.url).ask_json(LIST, wire.mapping)
        assert type(caught.value) is error
        assert words in caught.value.words
        assert (caught.value.status, caught.value.url) == (status, server.url + "/api/tags")
        assert remedy is None or caught.value.remedy == remedy


# --- secrets ---

SECRET = 'sk-M4rk/+&<"-0123456789'
ACCESS = Access((("Authorization", f"Bearer {SECRET}"), ("X-Api-Key", "k3y-M4rk-of-mine")))
PAD = "x" * 500
ECHOES: dict[str, Callable[[str], bytes]] = {
    "json": lambda said: response(json.dumps({"error": said}), 400),
    "long json": lambda said: response(json.dumps({"error": PAD + said}), 400),
    "a little shorter": lambda said: response(json.dumps({"error": PAD[:-5] + said}), 400),
    "text": lambda said: response(said, 500, TEXT),
    "long text": lambda said: response(PAD + said, 500, TEXT),
    "title": lambda said: response(f"<html><title>{PAD}{said}</title>", 502, HTML),
    "page": lambda said: response(f"<html><body>{PAD[:180]}{said}", 502, HTML),
    "404": lambda said: response(json.dumps({"error": f"model '{said}' not found"}), 404),
    "not json": lambda said: response(f"hello {said}"),
    "nearly not json": lambda said: response(f"{PAD[:100]}{said}"),
    "redirect": lambda said: response("", 302, None, f"Location: http://127.0.0.1:1/{said}"),
    "no http": lambda said: f"{said}\r\n\r\n".encode(),
    "stream": lambda said: response(json.dumps({"error": said}) + "\n"),
    "line": lambda said: response(f"{said}\n"),
    "encoding": lambda said: response("{}", 200, None, f"Content-Encoding: {said}"),
}


def _everything(error: BaseException) -> str:
    """All that a log, a screen or a crash report could show of an error and what it came from."""
    said = [repr(error), str(error), *map(repr, error.args), *traceback.format_exception(error)]
    said += [f"{value!r} {value}" for value in vars(error).values()]
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return "\n".join(said)


@pytest.mark.parametrize("shape", ECHOES)
async def test_a_server_that_echoes_our_headers(shape: str, connect: Client) -> None:
    async def echo(request: Request, connection: Connection) -> None:
        await connection.send(ECHOES[shape](request.headers["authorization"] + request.headers["x-api-key"]))

    async with serving(echo) as server:
        client = connect(server.url, ACCESS)
        asks: list[Callable[[], Awaitable[Any]]] = [
            client.models,
            lambda: client.show(NAME),
            lambda: client.load(NAME),
            lambda: client.create(NAME, NAME, {}),
            lambda: anext(client.generate(NAME, "p")),
        ]
        for ask in asks:
            try:
                said = str(await ask())
            except errors.ServerError as error:
                said = _everything(error)
            _assert_silent(said)
        _assert_silent(str([event async for event in client.pull(NAME)]))


def _assert_silent(said: str) -> None:
    for secret in (SECRET, "k3y-M4rk-of-mine", json.dumps(SECRET)[1:-1]):
        for start in range(len(secret) - 8):
            assert secret[start : start + 8] not in said


async def test_a_secret_in_a_good_answer_does_not_come_in(connect: Client) -> None:
    async def echo(request: Request, connection: Connection) -> None:
        told = request.headers["x-api-key"]
        body = {"models": [{"name": told}], "version": told, "system": told, "model_info": {told: told}}
        await connection.send(response(json.dumps(body)))

    async with serving(echo) as server:
        client = connect(server.url, ACCESS)
        _assert_silent(str([await client.models(), await client.version(), await client.show(NAME)]))


# --- closing ---


async def test_ending_a_pull_closes_the_connection(connect: Client) -> None:
    """Closing is what cancels a pull on the server."""
    gone = asyncio.Event()

    async def pulling(request: Request, connection: Connection) -> None:
        await connection.send(stream_head() + chunk('{"status":"pulling manifest"}\n'))
        await connection.gone()
        gone.set()

    async with serving(pulling) as server:
        events = connect(server.url).pull(NAME)
        assert await anext(events) == Status(1_000, "pulling manifest")
        await events.aclose()
        async with asyncio.timeout(20):
            await gone.wait()


@pytest.mark.parametrize("what", ["pull", "load", "embed", "generate", "models"])
async def test_a_cancelled_task_closes_its_connection(what: str, connect: Client) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(request: Request, connection: Connection) -> None:
        asked.set()
        await connection.gone()
        gone.set()

    async with serving(silent) as server:
        client = connect(server.url)
        todo: dict[str, Callable[[], Awaitable[Any]]] = {
            "pull": lambda: anext(client.pull(NAME)),
            "load": lambda: client.load(NAME),
            "embed": lambda: client.embed(NAME, "x"),
            "generate": lambda: anext(client.generate(NAME, "p")),
            "models": client.models,
        }
        task = asyncio.ensure_future(todo[what]())
        async with asyncio.timeout(20):
            await asked.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        async with asyncio.timeout(20):
            await gone.wait()


async def test_many_at_once_do_not_wait_for_each_other(connect: Client) -> None:
    """A list is answered though sixty loads hang."""
    asked = asyncio.Semaphore(0)

    async def answer(request: Request, connection: Connection) -> None:
        if request.target == "/api/tags":
            await connection.send(response('{"models":[]}'))
        else:
            asked.release()
            await connection.gone()

    async with serving(answer) as server:
        client = connect(server.url)
        loads = [asyncio.ensure_future(client.load(NAME)) for _ in range(60)]
        async with asyncio.timeout(10):
            for _ in loads:
                await asked.acquire()
            assert await client.models() == ()
        for load in loads:
            load.cancel()
        await asyncio.gather(*loads, return_exceptions=True)


async def test_a_stream_is_handed_on_line_by_line(connect: Client) -> None:
    """However the bytes are cut: a line may come in pieces, or many lines at once."""
    step = asyncio.Event()
    text = '{"status":"one"}\n{"status":"zwei ü"}\n{"status":"success"}\n'.encode()
    cut = text.index(b"\xc3") + 1  # within a character

    async def pulling(request: Request, connection: Connection) -> None:
        await connection.send(stream_head() + chunk(text[:cut]))
        await step.wait()
        await connection.send(chunk(text[cut:]) + STREAM_END)

    async with serving(pulling) as server:
        events = connect(server.url).pull(NAME)
        assert await anext(events) == Status(1_000, "one")
        step.set()
        assert await anext(events) == Status(1_000, "zwei ü")
        assert len([event async for event in events]) == 1
