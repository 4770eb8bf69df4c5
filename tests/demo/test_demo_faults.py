"""Each trouble of the demonstration server does what its table says, as often as it says."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import httpx
import pytest

from modeltui.demo.faults import Fault, Faults, Kind, fault_from_json
from modeltui.demo.library import DemoModel, Library, manifest_of
from modeltui.demo.server import DemoServer
from modeltui.demo.twist import HOSTILE_TEXTS

A = DemoModel("a", "a", 10_000_000)
B = DemoModel("b", "b", 1_000_000)
HALF = A.size // 2
WEIGHTS = manifest_of(A).weights
TALK = {"model": "b", "prompt": "x", "options": {"num_predict": 20}}


@asynccontextmanager
async def troubled(*faults: Fault, **more: Any) -> AsyncIterator[tuple[DemoServer, httpx.AsyncClient]]:
    more = {"rate": A.size / 0.3, "verify_rate": 1e12, "small_layer_time": 0.0, "load_rate": 1e12, **more}
    server = DemoServer(seed=Library([B], [A]), faults=Faults(*faults), token_rate=2000, **more)
    async with (
        server,
        httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=60) as client,
    ):
        yield server, client


async def pull(client: httpx.AsyncClient, name: str = "a") -> list[dict[str, Any]]:
    got = []
    async with client.stream("POST", "/api/pull", json={"model": name}) as response:
        async for line in response.aiter_lines():
            got.append(json.loads(line))
    return got


def counts(lines: list[dict[str, Any]]) -> list[int]:
    return [line.get("completed", 0) for line in lines if line.get("digest") == WEIGHTS]


class TestPull:
    @pytest.mark.parametrize(
        ("kind", "error"), [(Kind.CUT, httpx.RemoteProtocolError), (Kind.RESET, httpx.ReadError)]
    )
    async def test_the_line_is_cut_after_so_much_progress_and_the_rest_is_kept(
        self, kind: Kind, error: type[Exception]
    ) -> None:
        async with troubled(Fault(kind, after_bytes=HALF)) as (server, client):
            with pytest.raises(error):
                await pull(client)
            assert HALF <= server.library.partials[WEIGHTS] < A.size
            got = await pull(client)
            assert counts(got)[0] > HALF
            assert got[-1] == {"status": "success"}

    async def test_three_cuts_each_after_own_progress(self) -> None:
        third = A.size // 3
        async with troubled(Fault(Kind.CUT, after_bytes=third, times=3)) as (server, client):
            kept = []
            for _ in range(2):
                with pytest.raises(httpx.RemoteProtocolError):
                    await pull(client)
                kept.append(server.library.partials[WEIGHTS])
            assert kept[0] >= third
            assert kept[1] >= 2 * third

    async def test_a_stall_repeats_the_counter_then_goes_on(self) -> None:
        async with troubled(Fault(Kind.STALL, after_bytes=HALF, value=0.3)) as (_, client):
            started = time.monotonic()
            got = counts(await pull(client))
            assert time.monotonic() - started >= 0.55
            assert max(got.count(count) for count in got) >= 4

    async def test_a_stall_for_ever(self) -> None:
        async with troubled(Fault(Kind.STALL, after_bytes=1, times=None)) as (_, client):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.6):
                    await pull(client)

    @pytest.mark.parametrize("kind", [Kind.GO_BACK, Kind.ROLLBACK])
    async def test_the_counter_goes_back(self, kind: Kind) -> None:
        async with troubled(Fault(kind, after_bytes=HALF)) as (_, client):
            lines = await pull(client)
            got = counts(lines)
            assert got != sorted(got)
            assert lines[-1] == {"status": "success"}
            if kind is Kind.ROLLBACK:
                assert any(line.get("digest") == WEIGHTS and "completed" not in line for line in lines)

    async def test_go_back_by_a_number(self) -> None:
        async with troubled(Fault(Kind.GO_BACK, after_bytes=HALF, value=1_000_000)) as (_, client):
            got = counts(await pull(client))
            drops = [before - after for before, after in pairwise(got) if after < before]
            assert all(drop <= 1_000_000 for drop in drops)

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Fault(Kind.STREAM_ERROR, value="pull model manifest: 401: no"), "pull model manifest: 401: no"),
            (Fault(Kind.STREAM_ERROR, after_bytes=HALF), "something went wrong"),
            (Fault(Kind.CONTEXT_CANCELED), "context canceled"),
            (Fault(Kind.MAX_RETRIES, after_bytes=HALF), "max retries exceeded: unexpected EOF"),
            (Fault(Kind.NO_SPACE, after_bytes=HALF), "-partial: no space left on device"),
            (Fault(Kind.DIGEST_MISMATCH), f"digest mismatch, file must be downloaded again: want {WEIGHTS}"),
        ],
    )
    async def test_in_stream_errors(self, fault: Fault, error: str) -> None:
        async with troubled(fault) as (server, client):
            last = (await pull(client))[-1]
            assert error in last["error"]
            assert server.library.find("a") is None
            if fault.kind in (Kind.NO_SPACE, Kind.DIGEST_MISMATCH):
                assert WEIGHTS not in server.library.blobs
                assert server.library.partials.get(WEIGHTS, 0) < HALF
            assert (await pull(client))[-1] == {"status": "success"}

    async def test_an_error_without_a_stream_is_status_500(self) -> None:
        async with troubled(Fault(Kind.STREAM_ERROR, value="no")) as (_, client):
            response = await client.post("/api/pull", json={"model": "a", "stream": False})
            assert (response.status_code, response.json()) == (500, {"error": "no"})

    async def test_false_success_is_healed_by_the_next_pull(self) -> None:
        async with troubled(Fault(Kind.FALSE_SUCCESS)) as (_, client):
            assert (await pull(client))[-1] == {"status": "success"}
            listed = (await client.get("/api/tags")).json()["models"]
            assert {model["name"] for model in listed} == {"a:latest", "b:latest"}
            assert (await client.post("/api/show", json={"model": "a"})).status_code == 404
            generated = await client.post("/api/generate", json={"model": "a"})
            assert generated.json() == {"error": '"a" does not support generate'}
            await pull(client)
            assert (await client.post("/api/show", json={"model": "a"})).status_code == 200

    async def test_no_success(self) -> None:
        async with troubled(Fault(Kind.NO_SUCCESS)) as (_, client):
            assert (await pull(client))[-1] == {"status": "writing manifest"}

    async def test_malformed_line(self) -> None:
        async with troubled(Fault(Kind.MALFORMED)) as (_, client):
            lines = (await client.post("/api/pull", json={"model": "a"})).text.splitlines()
            assert lines[1] == '{"status":"pulling'
            assert json.loads(lines[-1]) == {"status": "success"}

    async def test_names_and_times(self) -> None:
        fault = Fault(Kind.CONTEXT_CANCELED, name="A:latest", times=2)
        async with troubled(fault, Fault(Kind.CONTEXT_CANCELED, name="other")) as (server, client):
            assert [(await pull(client))[-1].get("error") for _ in range(3)] == ["context canceled"] * 2 + [
                None
            ]
            assert [waiting.name for waiting in server.faults.waiting] == ["other"]
            server.faults.clear()
            assert server.faults.waiting == ()


class TestAnswers:
    async def test_delay(self) -> None:
        async with troubled(Fault(Kind.DELAY, path="/api/version", value=0.2)) as (_, client):
            started = time.monotonic()
            await client.get("/api/version")
            assert time.monotonic() - started >= 0.2

    async def test_hang(self) -> None:
        async with troubled(Fault(Kind.HANG, path="/api/version")) as (_, client):
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/api/version", timeout=0.2)

    @pytest.mark.parametrize(
        ("kind", "error"), [(Kind.CUT, httpx.RemoteProtocolError), (Kind.RESET, httpx.ReadError)]
    )
    async def test_cut_in_a_body(self, kind: Kind, error: type[Exception]) -> None:
        async with troubled(Fault(kind, path="/api/tags", after_bytes=10)) as (_, client):
            got = b""
            with pytest.raises(error):
                async with client.stream("GET", "/api/tags") as response:
                    async for part in response.aiter_raw():
                        got += part
            assert got == b'{"models":'

    @pytest.mark.parametrize("kind", [Kind.CUT, Kind.RESET])
    async def test_cut_in_a_stream(self, kind: Kind) -> None:
        async with troubled(Fault(kind, path="/api/generate", after_bytes=150)) as (_, client):
            got = b""
            with pytest.raises(httpx.TransportError):
                async with client.stream("POST", "/api/generate", json=TALK) as response:
                    async for part in response.aiter_raw():
                        got += part
            assert len(got) == 150

    async def test_stall_in_a_body_and_in_a_stream(self) -> None:
        faults = (
            Fault(Kind.STALL, path="/api/tags", after_bytes=5, value=0.1),
            Fault(Kind.STALL, path="/api/generate", after_bytes=50, value=0.1),
            Fault(Kind.STALL, path="/api/version"),
        )
        async with troubled(*faults) as (_, client):
            started = time.monotonic()
            assert (await client.get("/api/tags")).json()["models"]
            text = (await client.post("/api/generate", json=TALK)).text
            assert json.loads(text.splitlines()[-1])["done"] is True
            assert time.monotonic() - started >= 0.2
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/api/version", timeout=0.2)

    async def test_an_error_in_another_stream_and_in_an_answer(self) -> None:
        faults = [Fault(Kind.STREAM_ERROR, path=path, value="no") for path in ("/api/generate", "/api/tags")]
        async with troubled(*faults) as (_, client):
            lines = (await client.post("/api/generate", json=TALK)).text.splitlines()
            assert json.loads(lines[-1]) == {"error": "no"}
            response = await client.get("/api/tags")
            assert (response.status_code, response.json()) == (500, {"error": "no"})

    async def test_a_stream_without_its_end(self) -> None:
        async with troubled(Fault(Kind.NO_SUCCESS, path="/api/generate")) as (_, client):
            lines = (await client.post("/api/generate", json=TALK)).text.splitlines()
            assert json.loads(lines[-1])["done"] is False

    @pytest.mark.parametrize(
        ("value", "status", "body"),
        [
            (None, 500, "<html>"),
            (401, 401, '{"error":"unauthorized"}'),
            (403, 403, ""),
            (404, 404, "404 page not found"),
            ([502, "bad gateway"], 502, "bad gateway"),
            ([429, '{"error":"slow down"}'], 429, '{"error":"slow down"}'),
        ],
    )
    async def test_status(self, value: object, status: int, body: str) -> None:
        async with troubled(Fault(Kind.STATUS, path="/api/*", value=value)) as (_, client):
            response = await client.get("/api/tags")
            assert response.status_code == status
            assert response.text.startswith(body)

    async def test_a_redirect_to_itself(self) -> None:
        async with troubled(Fault(Kind.STATUS, path="/api/tags", value=302, times=None)) as (_, client):
            with pytest.raises(httpx.TooManyRedirects):
                await client.get("/api/tags", follow_redirects=True)

    async def test_malformed_bodies(self) -> None:
        html = Fault(Kind.MALFORMED, path="/api/tags", value="<html>")
        async with troubled(html, Fault(Kind.MALFORMED, path="/api/tags")) as (_, client):
            assert (await client.get("/api/tags")).text == "<html>"
            with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
                (await client.get("/api/tags")).json()

    @pytest.mark.parametrize("path", ["/api/tags", "/api/pull"])
    async def test_endless_at_a_bounded_speed(self, path: str) -> None:
        async with troubled(Fault(Kind.ENDLESS, path=path, value=200_000)) as (_, client):
            method, body = ("POST", {"model": "a"}) if path == "/api/pull" else ("GET", None)
            started, got = time.monotonic(), 0
            async with client.stream(method, path, json=body) as response:
                async for part in response.aiter_raw():
                    got += len(part)
                    if got > 50_000:
                        break
            assert time.monotonic() - started >= 0.15

    async def test_wrong_types_in_every_field(self) -> None:
        async with troubled() as (server, client):
            for path in ("/api/tags", "/api/version", "/api/ps", "/v1/models"):
                right = (await client.get(path)).json()
                server.faults.add(Fault(Kind.WRONG_TYPES, path=path))
                wrong = (await client.get(path)).json()
                assert wrong.keys() == right.keys()
                assert wrong != right
            server.faults.add(Fault(Kind.WRONG_TYPES, path="/api/tags"))
            model = (await client.get("/api/tags")).json()["models"][0]
            assert not isinstance(model["name"], str)
            assert not isinstance(model["size"], int)

    async def test_hostile_strings_everywhere(self) -> None:
        async with troubled(Fault(Kind.HOSTILE, path="*", times=None), rate=1e12) as (_, client):
            text = (await client.get("/api/tags")).text
            model = json.loads(text)["models"][0]
            assert model["name"] in HOSTILE_TEXTS
            assert model["details"]["family"] in HOSTILE_TEXTS
            shown = await client.post("/api/show", json={"model": "b"})
            assert "\\ud800" in shown.text
            assert all(line["status"] in HOSTILE_TEXTS for line in await pull(client))


class TestControl:
    async def test_faults_over_http(self) -> None:
        async with troubled() as (server, client):
            wish = {"kind": "STATUS", "path": "*", "value": [500, "no"], "times": None}
            added = (await client.post("/demo/faults", json=wish)).json()
            assert added["faults"][0]["kind"] == "status"
            assert (await client.get("/api/tags")).text == "no"
            assert len((await client.get("/demo/faults")).json()["faults"]) == 1
            await client.delete("/demo/faults")
            assert (await client.get("/api/tags")).status_code == 200
            assert server.faults.waiting == ()

    @pytest.mark.parametrize(
        "wish", [{}, {"kind": "x"}, {"kind": "cut", "times": 0}, {"kind": "cut", "after_bytes": "x"}]
    )
    async def test_wishes_that_make_no_sense(self, wish: dict[str, object]) -> None:
        async with troubled() as (_, client):
            assert (await client.post("/demo/faults", json=wish)).status_code == 400

    def test_defaults_of_a_wish(self) -> None:
        assert fault_from_json({"kind": "cut"}) == Fault(Kind.CUT)

    async def test_one_of_a_kind_for_each_request(self) -> None:
        two = Fault(Kind.STATUS, path="/", value=500), Fault(Kind.STATUS, path="/", value=503)
        async with troubled(*two) as (_, client):
            assert [(await client.get("/")).status_code for _ in range(3)] == [500, 503, 200]
