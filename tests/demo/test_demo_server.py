"""The demonstration server behaves like a server: sharing, resuming, memory, restarts, clean ends."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from modeltui.demo.library import DemoModel, Library, manifest_of
from modeltui.demo.server import OLDER, DemoServer

A = DemoModel("a", "a", 10_000_000, system="You are a.")
A_TOO = replace(A, name="a-too", system="You are another.")
B = DemoModel("b", "b", 10_000_000)
C = DemoModel("c", "c", 10_000_000, params={"num_ctx": 2048})
EMBED = DemoModel("embed", "embed", 1_000_000, "bert", capabilities=("embedding",), embedding=64)
THINKER = replace(B, name="thinker", weights="thinker", capabilities=("completion", "thinking"))


@asynccontextmanager
async def served(*installed: DemoModel, available: Any = (A, A_TOO, B), **more: Any) -> AsyncIterator[Any]:
    """Run a server with these models and give it with a client."""
    more.setdefault("token_rate", 2000)
    more.setdefault("verify_rate", 1e12)
    more.setdefault("small_layer_time", 0.0)
    more.setdefault("load_rate", 1e12)
    server = DemoServer(seed=Library(installed, available), **more)
    async with (
        server,
        httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=60) as client,
    ):
        yield server, client


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something becomes true; fails after 5 s."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def pull(client: httpx.AsyncClient, name: str, *, lines: int | None = None) -> list[dict[str, Any]]:
    """Pull and return the lines, leaving after `lines` of them."""
    got: list[dict[str, Any]] = []
    async with client.stream("POST", "/api/pull", json={"model": name}) as response:
        async for line in response.aiter_lines():
            got.append(json.loads(line))
            if lines is not None and len(got) >= lines:
                break
    return got


async def loaded(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = (await client.get("/api/ps")).json()["models"]
    return models


async def load(client: httpx.AsyncClient, name: str, **more: Any) -> dict[str, Any]:
    response = await client.post("/api/generate", json={"model": name, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def weights(model: DemoModel) -> str:
    return manifest_of(model).weights


class TestPulls:
    async def test_a_pull_moves_at_the_rate_and_installs(self) -> None:
        async with served(rate=A.size / 0.3) as (server, client):
            started = time.monotonic()
            got = await pull(client, "a")
            assert time.monotonic() - started >= 0.29
            counts = [line.get("completed", 0) for line in got if line.get("digest") == weights(A)]
            assert counts == sorted(counts)
            assert 0 < counts[0] < counts[-1] < A.size  # no last event at 100 %
            assert server.library.installed_names == ["a:latest"]
            again = await pull(client, "a")
            events = [line for line in again if "digest" in line]
            assert [line["completed"] for line in events] == [line["total"] for line in events]

    async def test_one_leaving_does_not_stop_the_other(self) -> None:
        async with served(rate=A.size / 0.6) as (server, client):
            first = asyncio.create_task(pull(client, "a"))
            await pull(client, "a-too", lines=4)
            got = await first
            assert got[-1] == {"status": "success"}
            assert server.library.installed_names == ["a:latest"]

    async def test_two_names_share_one_transfer(self) -> None:
        async with served(rate=A.size / 0.4) as (server, client):
            both = asyncio.gather(pull(client, "a"), pull(client, "a-too"))
            running = server._transfers._running
            await until(lambda: [transfer.waiters for transfer in running.values()] == [2])
            await both
            assert server.library.installed_names == ["a-too:latest", "a:latest"]

    async def test_the_last_to_leave_keeps_the_partial_and_the_next_resumes(self) -> None:
        async with served(rate=A.size / 0.5) as (server, client):
            left = (await pull(client, "a", lines=4))[-1]["completed"]
            await until(lambda: weights(A) in server.library.partials)
            kept = server.library.partials[weights(A)]
            assert left <= kept < A.size
            first = (await pull(client, "a", lines=2))[-1]
            assert first["completed"] >= kept

    async def test_leaving_while_verifying_cancels_nothing(self) -> None:
        async with served(rate=1e12, verify_rate=A.size / 0.2) as (server, client):
            got = await pull(client, "a", lines=2)
            assert got[-1] == {"status": "verifying sha256 digest"}
            assert not server.library.installed
            await until(lambda: bool(server.library.installed))

    async def test_an_update_removes_unused_layers(self) -> None:
        async with served(A, rate=1e12) as (server, client):
            before = server.library.find("a").manifest
            server.library.publish(replace(A, system="You are new."))
            got = await pull(client, "a")
            assert [line["status"] for line in got][-2:] == ["removing unused layers", "success"]
            after = server.library.find("a").manifest
            assert after.digest != before.digest
            assert after.weights == before.weights
            assert before.layers[1].digest not in server.library.blobs

    async def test_a_deleted_sibling_damages_a_pull_that_says_success(self) -> None:
        async with served(A, available=[replace(A_TOO, projector=20_000_000)], rate=1e8) as (server, client):
            job = asyncio.create_task(pull(client, "a-too"))
            await until(lambda: bool(server._transfers._running))
            await client.request("DELETE", "/api/delete", json={"model": "a"})
            assert (await job)[-1] == {"status": "success"}
            assert server.library.is_damaged(server.library.find("a-too"))
            assert (await client.post("/api/show", json={"model": "a-too"})).status_code == 404
            await pull(client, "a-too")
            assert (await client.post("/api/show", json={"model": "a-too"})).status_code == 200

    async def test_the_older_repeats_the_last_event_of_small_layers(self) -> None:
        async with served(version=OLDER, small_layer_time=0.2, rate=1e12) as (_, client):
            got = await pull(client, "a")
            small = [line for line in got if line.get("total", A.size) < 1000]
            assert len(small) >= 4
            assert all(line["completed"] == line["total"] for line in small)

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("missing", "file does not exist"),
            ("hf.co/a/b", "file does not exist"),
            ("x:cloud", "no such host"),
            ("x:1b:cloud", "x/manifests/1b-cloud"),
            ("x:local", "file does not exist"),
        ],
    )
    async def test_names_that_are_not_there(self, name: str, error: str) -> None:
        async with served() as (_, client):
            assert error in (await pull(client, name))[-1]["error"]


class TestMemory:
    async def test_one_runner_for_each_weights_blob(self) -> None:
        async with served(A, A_TOO, B) as (_, client):
            await load(client, "a")
            await load(client, "a-too")
            (runner,) = await loaded(client)
            assert (runner["name"], runner["size_vram"]) == ("a:latest", runner["size"])
            await load(client, "a-too", keep_alive=0)
            assert await loaded(client) == []

    async def test_the_shortest_keep_alive_is_evicted(self) -> None:
        async with served(A, B, C, gpu_memory=90_000_000) as (_, client):
            await load(client, "a", keep_alive="1h")
            await load(client, "b", keep_alive="1m")
            await load(client, "c", keep_alive=-1)  # 45 MB, 45 MB and 28 MB with their caches
            assert [model["name"] for model in await loaded(client)] == ["c:latest", "a:latest"]

    async def test_at_most_three_are_loaded(self) -> None:
        async with served(A, B, C, THINKER, gpu_memory=0) as (_, client):
            for name in ("a", "b", "c", "thinker"):
                await load(client, name)
            assert [model["name"] for model in await loaded(client)] == [
                "thinker:latest",
                "c:latest",
                "b:latest",
            ]
            assert all(model["size_vram"] == 0 for model in await loaded(client))

    async def test_too_big_for_the_gpu_is_split(self) -> None:
        async with served(A, B, gpu_memory=8_000_000) as (_, client):
            await load(client, "b")
            await load(client, "a")
            (runner,) = await loaded(client)
            assert (runner["name"], runner["size_vram"]) == ("a:latest", 8_000_000)
            assert runner["size"] > 10_000_000

    async def test_a_busy_runner_is_waited_for(self) -> None:
        async with served(A, B, gpu_memory=15_000_000, token_rate=100) as (_, client):
            body = {"model": "a", "prompt": "x", "stream": False, "options": {"num_predict": 20}}
            talk = asyncio.create_task(client.post("/api/generate", json=body))
            while not await loaded(client):
                pass
            await load(client, "b")
            assert talk.done()
            assert [model["name"] for model in await loaded(client)] == ["b:latest"]

    @pytest.mark.parametrize(("memory", "context"), [(0, 4096), (24 << 30, 32_768), (48 << 30, 262_144)])
    async def test_the_context_follows_the_memory(self, memory: int, context: int) -> None:
        async with served(replace(A, context=300_000), C, gpu_memory=memory) as (_, client):
            await load(client, "a")
            assert (await loaded(client))[0]["context_length"] == context
            await load(client, "a", options={"num_ctx": 1024})
            assert (await loaded(client))[0]["context_length"] == 1024
            await load(client, "c", keep_alive="1h")
            assert (await loaded(client))[0]["context_length"] == 2048

    async def test_a_sliding_window_needs_less(self) -> None:
        short = replace(B, sliding_window=512, blocks=12)
        async with served(short, replace(short, name="long", weights="l", sliding_window=None)) as (
            _,
            client,
        ):
            await load(client, "b")
            await load(client, "long")
            long, narrow = (model["size"] for model in await loaded(client))
            a_token = 2 * 2 * 4 * 64
            assert long - narrow == 10 * a_token * (8192 - 512)

    async def test_expiry_and_unload_while_generating(self) -> None:
        async with served(A, B, token_rate=200) as (_, client):
            await load(client, "b", keep_alive=0.05)
            async with client.stream(
                "POST", "/api/generate", json={"model": "a", "prompt": "x", "options": {"num_predict": 60}}
            ) as response:
                lines = response.aiter_lines()
                await anext(lines)
                assert (await load(client, "a", keep_alive=0))["done_reason"] == "unload"
                stopping = next(model for model in await loaded(client) if model["name"] == "a:latest")
                assert stopping["expires_at"] < time.strftime("%Y-%m-%dT%H:%M:%S.999999999Z", time.gmtime())
                last = [line async for line in lines][-1]
            assert json.loads(last)["done"] is True
            async with asyncio.timeout(60):
                while await loaded(client):
                    pass

    async def test_a_client_that_leaves_aborts_its_load(self) -> None:
        async with served(A, B, load_rate=A.size / 0.4) as (server, client):
            leaving = asyncio.create_task(load(client, "a"))
            await until(lambda: server._scheduler._loading.locked())
            leaving.cancel()
            await until(lambda: not server._scheduler._loading.locked())
            assert await loaded(client) == []
            started = time.monotonic()
            loading = asyncio.create_task(load(client, "a"))
            await until(lambda: server._scheduler._loading.locked())
            assert await loaded(client) == []  # not listed until it is ready
            await loading
            assert time.monotonic() - started >= 0.39
            assert len(await loaded(client)) == 1

    async def test_deleted_while_loaded_stays_and_cannot_be_unloaded(self) -> None:
        async with served(A) as (_, client):
            await load(client, "a", keep_alive=-1)
            await client.request("DELETE", "/api/delete", json={"name": "a"})
            response = await client.post("/api/generate", json={"model": "a", "keep_alive": 0})
            assert response.status_code == 404
            (runner,) = await loaded(client)
            assert runner["expires_at"] > "2300"


class TestSpeaking:
    async def test_chat_streams_thinking_first(self) -> None:
        async with served(THINKER) as (_, client):
            body: dict[str, Any] = {"model": "thinker", "messages": [{"role": "user", "content": "why"}]}
            response = await client.post("/api/chat", json=body)
            lines = [json.loads(line) for line in response.text.splitlines()]
            assert lines[0]["message"]["thinking"]
            assert lines[-1]["done_reason"] == "stop"
            whole = (await client.post("/api/chat", json={**body, "stream": False})).json()
            assert whole["message"]["thinking"]
            assert whole["eval_count"] == 64
            quiet = (await client.post("/api/chat", json={**body, "stream": False, "think": False})).json()
            assert "thinking" not in quiet["message"]

    async def test_speed_follows_the_size_without_a_rate(self) -> None:
        async with served(A, token_rate=None, gpu_memory=0) as (_, client):
            body = {"model": "a", "prompt": "x", "stream": False, "raw": True, "options": {"num_predict": 3}}
            answer = (await client.post("/api/generate", json=body)).json()
            assert answer["eval_duration"] >= 3 * 2_000_000
            assert "context" not in answer

    async def test_embeddings_are_unit_vectors_of_the_text(self) -> None:
        async with served(EMBED) as (_, client):
            body = {"model": "embed", "input": ["one", "two", "one"]}
            answer = (await client.post("/api/embed", json=body)).json()
            one, two, again = answer["embeddings"]
            assert one == again != two
            assert sum(value * value for value in one) == pytest.approx(1)
            assert answer["prompt_eval_count"] == 9

    async def test_a_damaged_model_can_do_nothing(self) -> None:
        library = Library([EMBED], damaged=["embed"])
        async with (
            DemoServer(seed=library) as server,
            httpx.AsyncClient(trust_env=False, verify=False) as client,
        ):
            for verb in ("generate", "embed"):
                response = await client.post(
                    f"{server.url}/api/{verb}", json={"model": "embed", "input": "x"}
                )
                assert response.json() == {"error": f'"embed" does not support {verb}'}


class TestWriting:
    async def test_create_changes_and_prunes(self) -> None:
        async with served(A) as (server, client):
            body: dict[str, Any] = {"model": "v", "from": "a", "license": ["one", "two"], "stream": False}
            await client.post("/api/create", json={**body, "system": "first"})
            first = server.library.find("v").manifest
            assert server.library.find("v").model.licence == "one\ntwo"
            await client.post("/api/create", json={**body, "system": "second", "template": "{{ .Prompt }}!"})
            shown = (await client.post("/api/show", json={"model": "v", "verbose": True})).json()
            assert (shown["system"], shown["template"]) == ("second", "{{ .Prompt }}!")
            assert shown["model_info"]["tokenizer.ggml.tokens"]
            gone = {layer.digest for layer in first.layers} - set(server.library.blobs)
            assert len(gone) == 1

    async def test_create_pulls_a_missing_source(self) -> None:
        async with served(rate=1e12) as (server, client):
            response = await client.post("/api/create", json={"model": "v", "from": "a"})
            statuses = [json.loads(line)["status"] for line in response.text.splitlines()]
            assert statuses[0] == "pulling manifest"
            assert statuses.count("success") == 1
            assert sorted(server.library.installed_names) == ["a:latest", "v:latest"]

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"model": "a b", "from": "a"}, "invalid model name"),
            ({"model": "v", "from": "a b"}, "invalid model name"),
            ({"model": "v"}, "neither 'from' or 'files' was specified"),
            ({"model": 5}, "json: cannot unmarshal number into Go struct field .model of type string"),
            ([], "json: cannot unmarshal array into Go value of type api.Request"),
        ],
    )
    async def test_create_refuses(self, body: object, error: str) -> None:
        async with served(A) as (_, client):
            response = await client.post("/api/create", json=body)
            assert (response.status_code, response.json()) == (400, {"error": error})

    async def test_broken_json_in_the_words_of_go(self) -> None:
        async with served() as (_, client):
            for text, error in (
                ("{", "unexpected EOF"),
                ("[}", "invalid character '}' looking for beginning of value"),
            ):
                response = await client.post("/api/show", content=text)
                assert response.json()["error"] in (error, "unexpected EOF")

    async def test_copying_over_a_name_leaves_its_layers_until_a_restart(self) -> None:
        async with served(A, B) as (server, client):
            await client.post("/api/copy", json={"source": "a", "destination": "b"})
            assert server.library.find("b").manifest.digest == server.library.find("a").manifest.digest
            assert weights(B) in server.library.blobs
            await server.restart(prune=True)
            assert weights(B) not in server.library.blobs

    async def test_blobs_can_be_uploaded(self) -> None:
        async with served() as (_, client):
            digest = f"sha256:{hashlib.sha256(b'hello').hexdigest()}"
            path = f"/api/blobs/{digest}"

            async def body() -> AsyncIterator[bytes]:
                yield b"hel"
                yield b"lo"

            assert (await client.head(path)).status_code == 404
            assert (await client.post(path, content=b"other")).status_code == 400
            assert (await client.post(path, content=body())).status_code == 201
            assert (await client.post(path, content=b"hello")).status_code == 200
            assert (await client.head(path)).status_code == 200

    async def test_push_and_signout_are_refused(self) -> None:
        async with served(A) as (_, client):
            lines = (await client.post("/api/push", json={"model": "a"})).text.splitlines()
            assert "not authorized" in json.loads(lines[-1])["error"]
            assert (await client.post("/api/signout")).status_code == 401
            missing = await client.post("/api/push", json={"model": "missing"})
            assert missing.json() == {"error": "model 'missing' not found"}


class TestRegistry:
    async def test_the_manifest_has_the_digest_that_tags_lists(self) -> None:
        async with served(rate=1e12) as (_, client):
            response = await client.get("/v2/library/a/manifests/latest")
            assert response.headers["content-type"] == "application/vnd.docker.distribution.manifest.v2+json"
            await pull(client, "a")
            (listed,) = (await client.get("/api/tags")).json()["models"]
            assert hashlib.sha256(response.content).hexdigest() == listed["digest"]
            head = await client.head("/v2/library/a/manifests/latest")
            assert head.headers["ollama-content-digest"] == listed["digest"]
            assert abs(int(head.headers["ollama-push-time"]) - time.time()) < 60
            manifest = response.json()
            assert listed["size"] == sum(layer["size"] for layer in [manifest["config"], *manifest["layers"]])
            config = await client.get(f"/v2/library/a/blobs/{manifest['config']['digest']}")
            assert config.json()["model_type"] == "1M"

    @pytest.mark.parametrize(
        "path", ["library/x/manifests/latest", "a b/x/manifests/1", "library/a/blobs/sha256:0", "library/a"]
    )
    async def test_unknown_things_are_404(self, path: str) -> None:
        async with served() as (_, client):
            assert (await client.get(f"/v2/{path}")).status_code == 404

    async def test_other_hosts_are_found_on_the_same_port(self) -> None:
        async with served(available=[replace(A, name="hf.co/someone/A-GGUF:Q4_K_M")]) as (_, client):
            assert (await client.get("/v2/someone/A-GGUF/manifests/Q4_K_M")).status_code == 200


class TestLife:
    @pytest.mark.parametrize("prune", [False, True])
    async def test_a_restart_drops_connections_and_keeps_models(self, prune: bool) -> None:
        async with served(B, rate=A.size / 5) as (server, client):
            await load(client, "b")
            url = server.url
            job = asyncio.create_task(pull(client, "a"))
            await until(lambda: bool(server._transfers._running))
            await server.restart(prune=prune)
            with pytest.raises(httpx.TransportError):
                await job
            assert server.url == url
            assert (weights(A) in server.library.partials) is not prune
            async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as fresh:
                assert await loaded(fresh) == []
                assert len((await fresh.get("/api/tags")).json()["models"]) == 1

    async def test_a_restart_over_http(self) -> None:
        async with served(B) as (server, client):
            await load(client, "b")
            server.library.partials["sha256:0"] = 1
            assert (await client.post("/demo/restart", json={"prune": True})).status_code == 200
            await until(lambda: not server.library.partials)
            await until(lambda: server._server is not None)
            assert await loaded(client) == []

    async def test_stop_ends_everything_under_way(self) -> None:
        async with served(B, rate=1000) as (server, client):
            job = asyncio.create_task(pull(client, "a"))
            await until(lambda: bool(server._transfers._running))
            await server.stop()
            with pytest.raises(httpx.TransportError):
                await job
            with pytest.raises(httpx.ConnectError):
                await client.get("/")

    async def test_the_rate_can_be_changed(self) -> None:
        async with served(rate=1000) as (server, client):
            server.rate = 1e12
            assert server.rate == 1e12
            assert (await pull(client, "a"))[-1] == {"status": "success"}

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost", 200),
            ("127.0.0.1:11434", 200),
            ("[::1]:1", 200),
            ("10.1.2.3", 200),
            ("box.local", 200),
            ("evil.example", 403),
            ("8.8.8.8", 403),
        ],
    )
    async def test_allowed_hosts(self, host: str, status: int) -> None:
        async with served() as (_, client):
            assert (await client.get("/", headers={"Host": host})).status_code == status

    async def test_bound_to_every_address_any_host_is_allowed(self) -> None:
        async with DemoServer(host="0.0.0.0", seed=Library()) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            assert b"Ollama is running" in await reader.read()
            writer.close()
            await writer.wait_closed()


class TestHttp:
    @staticmethod
    async def talk(server: DemoServer, sent: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(sent)
        async with asyncio.timeout(60):
            got = await reader.read()
        writer.close()
        await writer.wait_closed()
        return got

    async def test_pipelined_requests_share_a_connection(self) -> None:
        async with served() as (server, _):
            one = b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
            got = await self.talk(server, one + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert got.count(b'{"version"') == 2

    async def test_expect_continue(self) -> None:
        async with served() as (server, _):
            head = b"POST /api/show HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
            got = await self.talk(server, head + b"Connection: close\r\n\r\n{}")
            assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400")

    @pytest.mark.parametrize(
        "sent",
        [
            b"nonsense\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
            b"x" * 70_000,
        ],
    )
    async def test_what_is_not_http_is_refused(self, sent: bytes) -> None:
        async with served() as (server, client):
            assert (await self.talk(server, sent)).startswith(b"HTTP/1.1 400")
            assert (await client.get("/")).status_code == 200

    async def test_a_client_that_leaves_in_its_body(self) -> None:
        async with served() as (server, client):
            _, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(b"POST /api/show HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
            writer.close()
            await writer.wait_closed()
            await until(lambda: len(server._connections) == 0)
            assert (await client.get("/")).status_code == 200
