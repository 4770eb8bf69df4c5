"""Demo servers in the state in which each recorded exchange was made."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from modeltui.demo.faults import Fault, Kind
from modeltui.demo.library import DemoModel, Library, manifest_of
from modeltui.demo.server import DemoServer
from modeltui.domain import names

Prepared = Callable[[str, str], AbstractAsyncContextManager[httpx.AsyncClient]]

_LICENCE = "MIT License\nCopyright (c) someone"
_PARAMS = {"stop": ["<|end|>", "<|user|>"], "temperature": 0.7}
_TEMPLATE = (
    "{{ if .System }}<|system|>{{ .System }}<|end|>{{ end }}{{ range .Messages }}<|{{ .Role }}|>"
    "{{ .Content }}<|end|>{{ end }}{{ if .Tools }}tools: {{ .Tools }}{{ end }}<|assistant|>"
)

# The models of the machine on which the recordings were made.
TINY = DemoModel("tiny", "tiny", 261_952, "llama", 125_248, "F16", 2048, 64, 2, 4, 2, vocabulary=400)
TINY = replace(TINY, system="You are tiny.", licence=_LICENCE, params=_PARAMS)
TOOLS = replace(TINY, name="tools", template=_TEMPLATE, system=None, licence=None, params=None)
TOOLS = replace(TOOLS, capabilities=("completion", "tools"))
SMALL = replace(TINY, name="small", weights="small", size=63_800_256, system="You are small.")
SMALL = replace(SMALL, parameters=31_793_664, context=32_768, embedding=512, blocks=8, heads=8, heads_kv=4)
MID = replace(SMALL, name="mid", weights="mid", size=402_502_368, system="You are mid.", context=131_072)
BIG = replace(MID, name="big", weights="big", size=1_386_796_064, system="You are big.")
EMBED = DemoModel("embed", "embed", 281_000, "bert", 104_896, "F16", 512, 64, 2, 4, 4)
EMBED = replace(EMBED, capabilities=("embedding",), vocabulary=77)
ALL = (BIG, EMBED, MID, SMALL, TINY, TOOLS)


def there(model: DemoModel) -> DemoModel:
    """Return the model under its name at the recorded registry."""
    return replace(model, name=f"127.0.0.1:5001/library/{model.name}")


@dataclass
class Stage:
    """A running server and what a preparation does to it."""

    server: DemoServer
    client: httpx.AsyncClient
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def post(self, path: str, **body: object) -> None:
        response = await self.client.post(path, json=body)
        assert response.status_code == 200, response.text

    async def load(self, *wanted: str, **more: object) -> None:
        for name in wanted:
            verb = "embed" if name == "embed" else "generate"
            await self.post(f"/api/{verb}", model=name, **more)

    def trouble(self, kind: Kind, **more: Any) -> None:
        self.server.faults.add(Fault(kind, **more))

    def keep_only(self, *models: DemoModel) -> None:
        """Leave these models installed, under their names at the registry, and nothing else."""
        library = self.server.library
        for key in list(library.installed):
            library.remove(key)
        for model in models:
            library.install(names.parse(there(model).name), there(model))

    async def lose_layers(self) -> None:
        """Pull `tools` while its sibling on the same weights is deleted: success, and damaged."""
        async with self.client.stream("POST", "/api/pull", json=_asks_for(TOOLS)) as response:
            last = ""
            async for line in response.aiter_lines():
                if "completed" in line and self.server.library.find(there(TINY).name):
                    await self.client.request("DELETE", "/api/delete", json={"model": there(TINY).name})
                last = line
        assert json.loads(last) == {"status": "success"}

    async def generate_in_background(self, name: str) -> None:
        """Begin a long generation and return when its first word is there."""
        begun = asyncio.Event()

        async def talk() -> None:
            body = {"model": name, "prompt": "x", "options": {"num_predict": 100_000}}
            async with self.client.stream("POST", "/api/generate", json=body) as response:
                async for _ in response.aiter_lines():
                    begun.set()

        self.tasks.append(asyncio.create_task(talk()))
        await begun.wait()


def _asks_for(model: DemoModel) -> dict[str, object]:
    return {"model": there(model).name, "insecure": True}


def _loads(*steps: str | tuple[str, object]) -> Callable[[Stage], Awaitable[None]]:
    """Return a preparation that loads, unloads (`-name`), copies (`a>b`) in this order."""

    async def prepare(stage: Stage) -> None:
        for step in steps:
            if isinstance(step, tuple):
                await stage.load(step[0], keep_alive=step[1])
            elif ">" in step:
                source, destination = step.split(">")
                await stage.post("/api/copy", source=source, destination=destination)
            elif step.startswith("-"):
                await stage.post("/api/generate", model=step[1:], keep_alive=0)
            else:
                await stage.load(step)

    return prepare


async def _stopping(stage: Stage) -> None:
    await _loads("tiny>current", "current")(stage)
    await stage.generate_in_background("mid")
    await stage.load("mid", keep_alive=0)


async def _generating(stage: Stage) -> None:
    await stage.generate_in_background("mid")


async def _deleted_while_loaded(stage: Stage) -> None:
    await _loads("tiny>current", "small>victim", "current", "victim")(stage)
    await stage.client.request("DELETE", "/api/delete", json={"model": "victim"})


async def _variant(stage: Stage) -> None:
    await stage.load("tiny")
    await stage.post("/api/create", **{"model": "tiny-16k", "from": "tiny", "parameters": {"num_ctx": 16384}})
    await stage.load("tiny-16k")


def _pull(*kept: DemoModel, partial: DemoModel | None = None) -> Callable[[Stage], Awaitable[None]]:
    """Return a preparation with these models pulled before, and the beginning of one more."""

    async def prepare(stage: Stage) -> None:
        stage.keep_only(*kept)
        if partial is not None:
            stage.server.library.partials[manifest_of(partial).weights] = partial.size // 2

    return prepare


def _pull_with(kind: Kind, *kept: DemoModel, **more: Any) -> Callable[[Stage], Awaitable[None]]:
    async def prepare(stage: Stage) -> None:
        stage.keep_only(*kept)
        stage.trouble(kind, **more)

    return prepare


async def _stalled(stage: Stage) -> None:
    stage.keep_only(MID)
    layers = manifest_of(BIG).all_layers[1:]
    stage.server.library.blobs |= {layer.digest: layer.size for layer in layers}
    stage.trouble(Kind.ROLLBACK, after_bytes=BIG.size // 2)


async def _all_layers_there(stage: Stage) -> None:
    stage.keep_only(BIG)


async def _missing_at_registry(stage: Stage) -> None:
    stage.server.library.available.pop(names.parse(there(TOOLS).name).key)


async def _updated(stage: Stage) -> None:
    stage.keep_only(SMALL)
    stage.server.library.publish(replace(there(SMALL), system="You are small, and now updated."))


async def _damaged(stage: Stage) -> None:
    stage.keep_only(TINY)
    await stage.lose_layers()


async def _sibling(stage: Stage) -> None:
    stage.keep_only(TINY)


async def _nothing(stage: Stage) -> None:
    stage.keep_only()


_EARLIER_412 = (
    '{"errors":[{"code":"MANIFEST_INVALID","message":"The model you are attempting to pull requires a newer '
    'version of Ollama."}]}'
)
_HTML = "pull model manifest: 500: <html>oops</html>"
_REALM = 'pull model manifest: realm host "" does not match original host "127.0.0.1:5001"'

PREPARE: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "tags_empty": _nothing,
    "v1_models_empty": _nothing,
    "tags_pulled": _pull(MID, SMALL),
    "tags_before_update": _pull(SMALL, TOOLS, MID),
    "tags_after_update": _pull(SMALL, TOOLS, MID),
    "delete_ok": _pull(BIG),
    "delete_loaded": _loads("small>victim", "victim"),
    "create_quantize": _pull(SMALL),
    "ps_tiny": _loads("tiny"),
    "ps_alias": _loads("tiny", "tiny>current", "current"),
    "ps_alias_first": _loads("tiny>current", "current"),
    "ps_keepalive": _loads(("tiny", "30m")),
    "ps_forever": _loads(("tiny", -1)),
    "ps_two": _loads(("tiny", -1), "embed"),
    "ps_many": _loads(("tiny", -1), "embed", "big"),
    "ps_after_unload": _loads(("tiny", -1), "embed", "big", "-tiny"),
    "ps_shared_weights": _loads("tiny", "tools"),
    "ps_variant_reloaded": _variant,
    "ps_stopping": _stopping,
    "ps_after_delete_of_loaded": _deleted_while_loaded,
    "load_alias": _loads("tiny>current"),
    "unload_tiny": _loads("tiny"),
    "unload_embed": _loads("embed"),
    "unload_while_generating": _generating,
    "load_with_missing_blob": _damaged,
    "show_with_missing_blob": _damaged,
    "pull_small": _nothing,
    "pull_small_again": _pull(SMALL),
    "pull_nostream_ok": _nothing,
    "pull_update": _updated,
    "pull_mid_cancelled": _nothing,
    "pull_mid_resumed_at_once": _pull(SMALL, partial=MID),
    "pull_mid_resumed": _pull(SMALL, partial=MID),
    "pull_shared_first": _nothing,
    "pull_shared_second": _nothing,
    "pull_after_restart": _pull(MID, partial=BIG),
    "pull_after_kill": _all_layers_there,
    "pull_resets_then_ok": _pull_with(Kind.GO_BACK, MID, after_bytes=BIG.size // 2),
    "pull_stalled_40s": _stalled,
    "pull_corrupt": _pull_with(Kind.DIGEST_MISMATCH, MID),
    "pull_max_retries": _pull_with(Kind.MAX_RETRIES, MID, after_bytes=BIG.size // 2),
    "pull_after_max_retries": _pull(MID, partial=BIG),
    "pull_unknown": _missing_at_registry,
    "pull_unknown_nostream": _pull_with(Kind.STREAM_ERROR, value=_HTML),
    "pull_500_html": _pull_with(Kind.STREAM_ERROR, value=_HTML),
    "pull_401": _pull_with(Kind.STREAM_ERROR, value=_REALM),
    "pull_412": _pull_with(Kind.STREAM_ERROR, value=f"pull model manifest: 412: {_EARLIER_412}"),
    "pull_while_sibling_deleted": _sibling,
}
"""What was done before an exchange; without an entry all models were there and nothing was loaded."""


LEFT_EARLY = (
    "pull_mid_cancelled",
    "pull_mid_resumed_at_once",
    "pull_shared_first",
    "pull_shared_second",
    "pull_after_restart",
    "pull_after_max_retries",
)
"""Pulls that the client left in the middle of the weights; they move slowly enough for that."""


@pytest.fixture
def prepared() -> Prepared:
    """Return what starts a server of a version, prepared for a recording, and gives a client to it."""

    @asynccontextmanager
    async def start(version: str, stem: str) -> AsyncIterator[httpx.AsyncClient]:
        library = Library(ALL, [there(model) for model in ALL])
        pulled = next((model for model in ALL if f"_{model.name}_" in f"{stem}_"), BIG)
        server = DemoServer(
            version=version,
            seed=library,
            rate=pulled.size / (2 if stem in LEFT_EARLY else 0.2),
            load_rate=1e12,
            gpu_memory=0,
            small_layer_time=None if version.startswith("0.33") else 0.1,
            verify_rate=1e11,
        )
        client = httpx.AsyncClient(trust_env=False, verify=False, timeout=60)
        async with server, client:
            client.base_url = httpx.URL(server.url)
            stage = Stage(server, client)
            await PREPARE.get(stem, _loads())(stage)
            yield client
            for task in stage.tasks:
                task.cancel()
            await asyncio.gather(*stage.tasks, return_exceptions=True)

    return start
