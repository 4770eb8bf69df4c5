"""What runs on a server and on what: the server's account beside what the hardware says, where it is seen."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modeltui.domain.machines.hardware import Host, RunnerUse, VramVerdict, vram_claim
from modeltui.domain.models import LoadedModel, ModelState
from modeltui.services.servers import Link
from modeltui.services.serving import with_the_servers
from modeltui.services.tree import Services

if TYPE_CHECKING:
    from modeltui.hardware.here import Here


@dataclass(frozen=True, slots=True)
class Running:
    """One loaded model; `state` is what is true as far as can be seen, `claim` the server's own word."""

    runner: LoadedModel
    state: ModelState
    claim: ModelState


@dataclass(frozen=True, slots=True)
class RunningNow:
    """What runs now. `host` is None where the server is not on this machine, `why` says why (not).

    `runners` are the processes in which models run, where they are here and can be seen.
    """

    at: int
    rows: tuple[Running, ...]
    verdict: VramVerdict
    host: Host | None
    why: str
    runners: RunnerUse | None = None


class Monitoring:
    """Loaded models of one server, and the hardware of this machine if it runs here."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link

    async def look(self) -> RunningNow:
        """One look; raises ServerError. Unsupported on servers before 0.1.38."""
        loaded = await self._link.api.loaded()
        here = await asyncio.to_thread(self._here)
        host, runners = None, None
        if here.here:
            host, runners = await self._hardware(is_loaded=bool(loaded))
        claimed = sum(row.vram or 0 for row in loaded)
        verdict = vram_claim(claimed, host.gpus if host else None)
        now = self._services.clock()
        rows = tuple(
            Running(row, self._true_state(row.state(now), verdict, host), row.state(now)) for row in loaded
        )
        return RunningNow(now, rows, verdict, host, here.why, runners)

    def _true_state(self, claim: ModelState, verdict: VramVerdict, host: Host | None) -> ModelState:
        """A claim of VRAM on a machine without a GPU is RAM; with a GPU that is too empty, unknown."""
        if verdict is not VramVerdict.CONTRADICTED or claim not in (ModelState.GPU, ModelState.SPLIT):
            return claim
        return ModelState.CPU if host and not host.gpus.cards else ModelState.UNKNOWN

    def _here(self) -> "Here":
        """Whether the server runs on this machine; blocking, so not for the event loop."""
        from modeltui.hardware.here import is_here

        endpoint = self._link.endpoint
        return is_here(endpoint.host, endpoint.port, configured=self._link.local, answers=True)

    async def _hardware(self, *, is_loaded: bool) -> tuple[Host, RunnerUse | None]:
        """Read this machine; its disk is that of the server's models, as its environment says for a while."""
        from modeltui.hardware.here import models_directories
        from modeltui.hardware.host import read_host
        from modeltui.hardware.runneruse import read_runners

        environ = await with_the_servers(self._services, self._link.endpoint.port)

        def read() -> tuple[Host, RunnerUse | None]:
            host = read_host(models_directories(environ, Path.home()))
            return host, read_runners() if is_loaded else None

        return await asyncio.to_thread(read)
