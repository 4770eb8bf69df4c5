"""Opens demonstration servers and the services on them, and closes all of it at the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    AVAILABLE,
    INSTALLED,
    Opener,
    Place,
    configure,
    open_services,
)

from modeltui.demo.library import DemoModel, Library
from modeltui.demo.server import DemoServer
from modeltui.paths import paths_under
from modeltui.services.tree import Services


@pytest.fixture
async def open_place(tmp_path: Path) -> AsyncIterator[Opener]:
    """Return what starts a server and opens services on it; `tables` are added to config.toml."""
    async with AsyncExitStack() as stack:

        async def start(
            tables: str = "",
            *,
            top: str = "",
            installed: tuple[DemoModel, ...] = INSTALLED,
            available: tuple[DemoModel, ...] = AVAILABLE,
            registry: str | None = None,
            environ: dict[str, str] | None = None,
            local: bool | None = False,
            **knobs: Any,
        ) -> Place:
            damaged = [model.name for model in installed if model.name.startswith("broken")]
            seed = Library(installed, available, damaged=damaged)
            defaults = {"rate": 1e9, "load_rate": 1e12, "small_layer_time": 0.0, "verify_rate": 1e12}
            server = DemoServer(seed=seed, **(defaults | knobs))
            await stack.enter_async_context(server)
            paths = paths_under(tmp_path)
            configure(paths, server.url, tables, registry=registry, top=top, local=local)
            told: list[str] = []
            services = open_services(paths, told, environ)
            stack.push_async_callback(services.close)
            client = httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=60)
            http = await stack.enter_async_context(client)
            return Place(server, paths, services, await services.active(), told, http)

        yield start


@pytest.fixture
async def place(open_place: Opener) -> Place:
    """The usual server: models on the GPU, nothing loaded."""
    return await open_place()


@pytest.fixture
async def another(place: Place) -> AsyncIterator[Callable[..., Services]]:
    """Return what opens the services of one more process on the same directories."""
    opened: list[Services] = []

    def start(environ: dict[str, str] | None = None) -> Services:
        opened.append(open_services(place.paths, [], environ))
        return opened[-1]

    yield start
    for services in opened:
        await services.close()
