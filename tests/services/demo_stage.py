"""A demonstration server on a socket, made-up models, and the services of a process that works on it."""

import asyncio
import inspect
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from modeltui.config.reader import load
from modeltui.demo.faults import Fault, Kind
from modeltui.demo.library import DemoModel
from modeltui.demo.server import DemoServer
from modeltui.domain.models import Model
from modeltui.paths import Paths, write_private
from modeltui.services.changing import Changing
from modeltui.services.installed import installed
from modeltui.services.library import Library
from modeltui.services.loading import Loading
from modeltui.services.opening import Opening
from modeltui.services.pulls import Pulls
from modeltui.services.servers import Link
from modeltui.services.switching import Switching
from modeltui.services.tree import Services, build
from modeltui.store.journal import Origin

MB = 1_000_000
CHAT = DemoModel("chat:latest", "chat", 2 * MB, template="{{ .Prompt }}", licence="MIT", hours=5)
WRITER = replace(CHAT, name="writer:latest", system="You write.", hours=4)
"""Another manifest on the weights of CHAT."""
CODER = DemoModel("coder:7b", "coder", 3 * MB, parameters=7_000_000, hours=3)
EMBED = DemoModel("embed:latest", "embed", MB, "bert", 500_000, "F16", capabilities=("embedding",), hours=6)
CLOUD = DemoModel("huge:120b-cloud", remote_host="https://ollama.com:443", remote_model="huge:120b", hours=7)
BROKEN = DemoModel("broken:latest", "broken", 4 * MB, hours=8)
INSTALLED = (CHAT, WRITER, CODER, EMBED, CLOUD, BROKEN)

FRESH = DemoModel("fresh:latest", "fresh", 2 * MB, template="{{ .Prompt }}", licence="MIT")
OTHER = DemoModel("other:1b", "other", MB, licence="Apache")
AVAILABLE = (FRESH, OTHER, CHAT, CODER, BROKEN)


@dataclass
class Place:
    """A server, the directories of a user, and the services of one process."""

    server: DemoServer
    paths: Paths
    services: Services
    link: Link
    told: list[str]
    http: httpx.AsyncClient = field(repr=False)

    @property
    def library(self) -> Library:
        return Library(self.services, self.link)

    async def meant(self, typed: str) -> Model:
        """The installed model that a person means."""
        return installed(typed, await self.link.api.models())

    @property
    def opening(self) -> Opening:
        return Opening(self.services, self.link)

    @property
    def loading(self) -> Loading:
        return Loading(self.services, self.link)

    @property
    def switching(self) -> Switching:
        return Switching(self.services, self.link)

    @property
    def changing(self) -> Changing:
        return Changing(self.services, self.link)

    @property
    def pulls(self) -> Pulls:
        return Pulls(self.services)

    @property
    def installed(self) -> list[str]:
        """What lies on the server's disk, without a request."""
        return sorted(self.server.library.installed_names)

    @property
    def activity(self) -> list[tuple[str, str, str]]:
        """(action, object, result), the oldest first."""
        rows = self.services.store.journal.latest(1000)
        return [(row.action, row.object, row.result) for row in reversed(rows)]

    @property
    def state_file(self) -> str | None:
        path = self.paths.current / self.link.name
        return path.read_text() if path.exists() else None

    def trouble(self, kind: Kind, path: str = "/api/pull", **more: Any) -> None:
        self.server.faults.add(Fault(kind, path=path, **more))

    async def ps(self) -> list[str]:
        answer = (await self.http.get("/api/ps")).json()
        return sorted(model["name"] for model in answer["models"])

    async def outside(self, method: str, path: str, **body: object) -> None:
        """What another client of that server does."""
        answer = await self.http.request(method, path, content=json.dumps(body))
        assert answer.status_code == 200, answer.text

    @asynccontextmanager
    async def talking(self, name: str) -> AsyncIterator[None]:
        """A long answer runs on a model meanwhile."""
        begun = asyncio.Event()

        async def talk() -> None:
            body = {"model": name, "prompt": "x", "options": {"num_predict": 100_000}}
            async with self.http.stream("POST", "/api/generate", json=body) as response:
                async for _ in response.aiter_lines():
                    begun.set()

        task = asyncio.create_task(talk())
        try:
            async with asyncio.timeout(60):
                await begun.wait()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


Opener = Callable[..., Awaitable[Place]]


def configure(
    paths: Paths,
    url: str,
    tables: str = "",
    *,
    registry: str | None = None,
    top: str = "",
    local: bool | None = False,
) -> None:
    """Write a config.toml whose active server and registries are a demonstration server."""
    base = url if registry is None else registry
    hosts = "".join(
        f'[registries."{host}"]\nbase_url = "{base}"\n' for host in ("registry.ollama.ai", "hf.co")
    )
    here = "" if local is None else f"local = {str(local).lower()}\n"
    demo = "" if "[servers.demo]" in tables else f'[servers.demo]\nurl = "{url}"\n{here}'
    write_private(paths.config_file, f'server = "demo"\n{top}{demo}{hosts}{tables}')


def open_services(paths: Paths, told: list[str], environ: dict[str, str] | None = None) -> Services:
    """The services of one more process of that user."""
    variables = environ or {}
    return build(
        load(paths, variables),
        paths,
        environ=variables,
        clock=now_ms,
        origin=Origin.COMMAND,
        tell=told.append,
    )


def lose_table(paths: Paths, *tables: str) -> None:
    """Break the database under its readers, as nothing but another program can."""
    with closing(sqlite3.connect(paths.database)) as connection:
        for table in tables:
            connection.execute(f"DROP TABLE {table}")
        connection.commit()


def now_ms() -> int:
    return time.time_ns() // MB


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait for a condition, not for a time; fails when it has not come after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = holds()
        if await found if inspect.isawaitable(found) else found:
            return
        assert time.monotonic() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.01)
