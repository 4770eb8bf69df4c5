"""Which models are in memory: loading, one runner for each weights blob, eviction, expiry, unloading."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from modeltui.demo import architectures, gotime, shapes
from modeltui.demo.library import DemoModel, Installed
from modeltui.demo.speech import Speech

DEFAULT_KEEP_ALIVE = 300 * gotime.NANOSECOND
_GIB = 1 << 30
_TIERS = ((47 * _GIB, 262_144), (23 * _GIB, 32_768))
_GRAPH = 300_000_000


def kv_cache(model: DemoModel, context: int) -> int:
    """Return the bytes of an f16 key and value cache; a sliding window shortens five layers of six."""
    if "embedding" in model.capabilities:
        return 0
    a_token = 2 * 2 * model.heads_kv * architectures.head_length(model)
    if not model.sliding_window:
        return model.blocks * a_token * context
    whole = max(1, model.blocks // 6)
    window = min(model.sliding_window, context)
    return a_token * (whole * context + (model.blocks - whole) * window)


def footprint(model: DemoModel, context: int) -> int:
    """Return the bytes a runner needs: weights, projector, cache and working memory."""
    weights = model.size + model.projector
    return weights + kv_cache(model, context) + min(_GRAPH, weights // 10)


@dataclass(eq=False, slots=True)
class Runner:
    """A loaded weights blob under the name, and with the digest, of who loaded it first."""

    entry: Installed
    context: int
    asked_context: int | None
    size: int
    vram: int
    keep_alive: int
    expires: int
    users: int = 0
    stopping: bool = False
    used: int = 0
    timer: asyncio.TimerHandle | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def listed(self) -> dict[str, Any]:
        """Return the entry of `/api/ps`."""
        shown = self.entry.name.short
        return {
            "name": shown,
            "model": shown,
            "size": self.size,
            "digest": self.entry.manifest.digest,
            "details": shapes.details(self.entry.model, parent=False),
            "expires_at": gotime.rfc3339(self.expires),
            "size_vram": self.vram,
            "context_length": self.context,
        }


class Scheduler:
    """The server's memory; `gpu_memory` 0 means that everything runs on the CPU."""

    def __init__(self, speech: Speech, *, gpu_memory: int, load_rate: float, max_loaded: int = 3) -> None:
        self._speech = speech
        self._gpu_memory = gpu_memory
        self._load_rate = load_rate
        self._max_loaded = max_loaded
        self._runners: dict[str, Runner] = {}
        self._loading = asyncio.Lock()
        self._freed = asyncio.Event()
        self._uses = 0

    def listed(self) -> list[Runner]:
        """Return what `/api/ps` lists, the latest expiry first; what is being loaded is not there."""
        return sorted(self._runners.values(), key=lambda runner: -runner.expires)

    @asynccontextmanager
    async def use(
        self, entry: Installed, keep_alive: int | None, options: Mapping[str, Any]
    ) -> AsyncIterator[Runner]:
        """Load if need be and hold a runner for one request; a load ends when its waiter is cancelled."""
        runner = await self._hold(entry, options)
        try:
            yield runner
        finally:
            self._release(runner, keep_alive)

    def unload(self, entry: Installed) -> None:
        """Expire the runner of these weights now; one in use stays listed, in the past, until it is free."""
        runner = self._runners.get(entry.manifest.weights)
        if runner is None:
            return
        runner.expires, runner.keep_alive, runner.stopping = gotime.now(), 0, True
        if runner.users == 0:
            self._drop(runner)

    def drop_all(self) -> None:
        """Empty the memory, as the end of the server does."""
        for runner in list(self._runners.values()):
            self._drop(runner)

    def context_for(self, model: DemoModel, asked: int | None) -> int:
        """Return the context a runner gets: asked for, else by the memory's tier, at most the model's."""
        tier = next((context for least, context in _TIERS if self._gpu_memory >= least), 4096)
        return min(asked or tier, model.context)

    async def _hold(self, entry: Installed, options: Mapping[str, Any]) -> Runner:
        asked = options.get("num_ctx", (entry.model.params or {}).get("num_ctx"))
        asked = asked if isinstance(asked, int) and asked > 0 else None
        async with self._loading:
            runner = self._runners.get(entry.manifest.weights)
            while runner is not None and (runner.stopping or self._needs_reload(runner, entry.model, asked)):
                if runner.users == 0:
                    self._drop(runner)
                else:
                    await self._wait_for_room()
                runner = self._runners.get(entry.manifest.weights)
            if runner is None:
                runner = await self._load(entry, asked)
            runner.users += 1
            return runner

    def _needs_reload(self, runner: Runner, model: DemoModel, asked: int | None) -> bool:
        if self._speech.reloads_beyond_limit:
            # 0.24 compares what was asked for, before the model's own limit cuts it.
            return (asked or 0) != (runner.asked_context or 0)
        return self.context_for(model, asked) != runner.context

    async def _load(self, entry: Installed, asked: int | None) -> Runner:
        model = entry.model
        context = self.context_for(model, asked)
        size = footprint(model, context)
        vram = await self._make_room(size)
        await asyncio.sleep((model.size + model.projector) / self._load_rate)
        runner = Runner(
            entry, context, asked, size, vram, DEFAULT_KEEP_ALIVE, gotime.now() + DEFAULT_KEEP_ALIVE
        )
        self._runners[entry.manifest.weights] = runner
        return runner

    async def _make_room(self, size: int) -> int:
        """Evict idle runners, the shortest keep-alive first, until `size` fits; return what the GPU takes."""
        while True:
            free = self._gpu_memory - sum(runner.vram for runner in self._runners.values())
            fits = self._gpu_memory == 0 or size <= free
            if not self._runners or (fits and len(self._runners) < self._max_loaded):
                return min(size, max(free, 0))
            idle = [runner for runner in self._runners.values() if runner.users == 0]
            if idle:
                self._drop(min(idle, key=lambda runner: (runner.keep_alive, runner.used)))
            else:
                await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        self._freed.clear()
        await self._freed.wait()

    def _release(self, runner: Runner, keep_alive: int | None) -> None:
        runner.users -= 1
        self._uses += 1
        runner.used = self._uses
        self._freed.set()
        if self._runners.get(runner.entry.manifest.weights) is not runner:
            return
        if runner.stopping:
            if runner.users == 0:
                self._drop(runner)
            return
        runner.keep_alive = DEFAULT_KEEP_ALIVE if keep_alive is None else keep_alive
        runner.expires = gotime.now() + runner.keep_alive
        self._plan_expiry(runner)

    def _plan_expiry(self, runner: Runner) -> None:
        if runner.timer is not None:
            runner.timer.cancel()
        if runner.keep_alive < gotime.FOREVER:
            delay = runner.keep_alive / gotime.NANOSECOND
            runner.timer = asyncio.get_running_loop().call_later(delay, self._expire, runner)

    def _expire(self, runner: Runner) -> None:
        # One in use expires when its last request ends: _release plans anew.
        if runner.users == 0:
            self._drop(runner)

    def _drop(self, runner: Runner) -> None:
        if runner.timer is not None:
            runner.timer.cancel()
        if self._runners.get(runner.entry.manifest.weights) is runner:
            del self._runners[runner.entry.manifest.weights]
        self._freed.set()
