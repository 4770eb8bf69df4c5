"""Opens everything that the screens stand on: services for the person's own servers, or a demonstration."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modeltui.config.reader import load
from modeltui.paths import Paths, user_paths
from modeltui.services.tree import Services, build
from modeltui.store.journal import Origin


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Stage:
    """The services of the screens, and what must be taken down with them."""

    services: Services
    is_demo: bool
    stack: contextlib.AsyncExitStack

    async def close(self) -> None:
        """Close every connection and, in a demonstration, remove its server and directories."""
        await self.services.close()
        await self.stack.aclose()


def open_stage(
    environ: Mapping[str, str], *, server: str | None, profile: str | None, tell: Callable[[str], None]
) -> Stage:
    """The person's own servers; raises ConfigError, UsageError and NoSuchServer."""
    services = _services(user_paths(environ), environ, server, profile, tell)
    return Stage(services, False, contextlib.AsyncExitStack())


async def open_demonstration(environ: Mapping[str, str], *, tell: Callable[[str], None]) -> Stage:
    """A demonstration server with directories of its own."""
    from modeltui.demo.place import demonstration

    stack = contextlib.AsyncExitStack()
    paths, its_environ = await stack.enter_async_context(demonstration(environ))
    return Stage(_services(paths, its_environ, None, None, tell), True, stack)


def _services(
    paths: Paths,
    environ: Mapping[str, str],
    server: str | None,
    profile: str | None,
    tell: Callable[[str], None],
) -> Services:
    config = load(paths, environ, server=server, profile=profile)
    services = build(config, paths, environ=environ, clock=now_ms, origin=Origin.SCREEN, tell=tell)
    for problem in config.problems:
        services.note(problem)
    if config.unknown:
        services.note(f"unknown keys in the configuration: {', '.join(config.unknown)}")
    return services
