"""Links: one client a server, and secrets that appear in no error."""

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from demo_stage import until  # type: ignore[import-not-found, unused-ignore]

from modeltui.config.settings import ServerConfig
from modeltui.demo.faults import Fault, Kind
from modeltui.demo.server import DemoServer
from modeltui.domain.endpoint import parse_endpoint
from modeltui.errors import ModeltuiError
from modeltui.services import servers
from modeltui.services.servers import Links, MissingSecret
from modeltui.store.store import Store

SECRET = "hush-hush-1234"


def links(tmp_path: Path, *configs: ServerConfig, environ: Mapping[str, str] | None = None) -> Links:
    store = Store.open(tmp_path / "state" / "modeltui.db")
    return Links(configs, store, environ=environ or {}, clock=lambda: 1, note=print)


def box(**more: object) -> ServerConfig:
    return ServerConfig("box", parse_endpoint("http://127.0.0.1:1"), **more)  # type: ignore[arg-type]


async def token(made: Links, config: ServerConfig) -> str:
    """What the server is sent as its token."""
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = [line.partition(": ") for line in head.split("\r\n")]
        seen.extend(value for name, _, value in fields if name.lower() == "authorization")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"version":"1"}')
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        link = await made.connect(replace(config, endpoint=parse_endpoint(f"http://127.0.0.1:{port}")))
        assert await link.api.version() == "1"
    return "|".join(seen)


async def test_one_client_a_server(tmp_path: Path) -> None:
    config = box()
    made = links(tmp_path, config)
    link = await made.connect(config)
    assert await made.connect(config) is link
    assert await made.connect_by_id(link.id) is link
    assert (link.name, link.local, made.id_of(config)) == ("box", None, link.id)
    await made.close()
    assert await made.connect(config) is not link
    await made.close()


async def test_two_who_ask_at_once_get_one_client(tmp_path: Path) -> None:
    config = box(token_command=f"echo {SECRET}")
    made = links(tmp_path, config)
    one, other = await asyncio.gather(made.connect(config), made.connect(config))
    assert one is other
    await made.close()


async def test_by_id(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state" / "modeltui.db")
    known = store.facts.server_id("http://127.0.0.1:1", "box")
    gone = store.facts.server_id("http://gone:1", "gone")
    address = store.facts.server_id("http://127.0.0.1:7", "http://127.0.0.1:7")
    broken = store.facts.server_id("ftp://x", "ftp://x")
    made = Links((box(),), store, environ={}, clock=lambda: 1, note=print)
    variable = store.facts.server_id("http://127.0.0.1:8", "local")  # OLLAMA_HOST of another day
    found = {key: await made.connect_by_id(key) for key in (known, gone, address, broken, variable, 99)}
    assert {key for key, link in found.items() if link is not None} == {known, address, variable}
    named = found[address]
    assert named is not None
    assert named.endpoint.url == "http://127.0.0.1:7"
    await made.close()


@pytest.mark.parametrize(
    ("config", "environ", "sent"),
    [
        ({}, {}, ""),
        ({"token_env": "T"}, {"T": f" {SECRET}\n"}, f"Bearer {SECRET}"),
        ({"token_command": ("printf", f"{SECRET}\\nsecond line")}, {}, f"Bearer {SECRET}"),
        ({"token_command": f"echo '  {SECRET} '"}, {}, f"Bearer {SECRET}"),
        ({"headers": {"Authorization": f"Basic {SECRET}"}}, {}, f"Basic {SECRET}"),
    ],
)
async def test_where_a_token_comes_from(
    tmp_path: Path, config: dict[str, object], environ: dict[str, str], sent: str
) -> None:
    made = links(tmp_path, environ=environ)
    assert await token(made, box(**config)) == sent
    await made.close()


@pytest.mark.parametrize(
    ("config", "environ", "words"),
    [
        ({"token_env": "T"}, {}, "T is not set"),
        ({"token_env": "T"}, {"T": "  "}, "T is not set"),
        ({"token_env": "T"}, {"T": f"{SECRET}\x1b[2J"}, "no header can carry"),
        ({"token_env": "T"}, {"T": f"{SECRET}ü"}, "no header can carry"),
        ({"token_command": f"echo {SECRET}; exit 3"}, {}, "gave no token (exit code 3)"),
        ({"token_command": f"echo {SECRET} >&2"}, {}, "gave no token (exit code 0)"),
        ({"token_command": (f"/nowhere/{SECRET}",)}, {}, "cannot be run: No such file or directory"),
        ({"token_command": ("printf", f"\\377{SECRET}")}, {}, "no header can carry"),
    ],
)
async def test_a_token_that_cannot_be_had(
    tmp_path: Path, config: dict[str, object], environ: dict[str, str], words: str
) -> None:
    made = links(tmp_path, environ=environ)
    with pytest.raises(MissingSecret) as caught:
        await made.connect(box(**config))
    assert words in caught.value.message
    assert caught.value.code == "no_secret"
    told = f"{caught.value!r} {caught.value.message} {caught.value.remedy}"
    assert SECRET not in told
    assert SECRET not in repr(box(**config))


@pytest.mark.parametrize("command", ["sleep 60", "sleep 60; true", "sleep 60 & echo x; wait"])
async def test_a_token_command_that_hangs(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_COMMAND_S", 0.3)
    made = links(tmp_path)
    began = time.monotonic()
    with pytest.raises(MissingSecret, match="did not end in"):
        await made.connect(box(token_command=command))
    assert time.monotonic() - began < 30


async def test_a_token_command_ends_with_who_asked(tmp_path: Path) -> None:
    made, pid = links(tmp_path), tmp_path / "pid"
    command = f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 60"
    task = asyncio.create_task(made.connect(box(token_command=command)))
    await until(pid.exists)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_a_secret_that_a_server_repeats_is_hidden(tmp_path: Path) -> None:
    async with DemoServer() as server:
        config = ServerConfig("demo", parse_endpoint(server.url), headers={"X-Key": SECRET})
        made = links(tmp_path, config)
        link = await made.connect(config)
        server.faults.add(Fault(Kind.STATUS, path="/api/tags", value=[401, f'{{"error":"no {SECRET}"}}']))
        with pytest.raises(ModeltuiError) as caught:
            await link.api.models()
        assert SECRET not in f"{caught.value!r} {caught.value.message} {caught.value.url}"
        await made.close()
