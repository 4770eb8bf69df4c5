"""What every command stands on: the services, for the user's own servers or for a demonstration."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modeltui.cli.output import Output
from modeltui.errors import Declined, NeedsYes
from modeltui.paths import Paths, paths_under, user_paths, write_private
from modeltui.services.tree import Services, build
from modeltui.store.journal import Origin

if TYPE_CHECKING:
    from modeltui.demo.server import DemoServer

DEMO_RATE = 200_000_000
_DEMO_KEEPS = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "COLUMNS", "NO_COLOR")


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def session(arguments: Namespace, out: Output) -> AsyncIterator[Services]:
    """The services of one command; what should be told beside the answer is told at the end."""
    async with contextlib.AsyncExitStack() as stack:
        environ: Mapping[str, str] = os.environ
        if arguments.demo:
            paths, environ = await stack.enter_async_context(_demonstration(out))
        else:
            paths = user_paths(environ)
        services = _services(arguments, paths, environ, out)
        try:
            yield services
        finally:
            await services.close()
            for notice in services.notices:
                out.note(notice)


def _services(arguments: Namespace, paths: Paths, environ: Mapping[str, str], out: Output) -> Services:
    from modeltui.config.reader import load

    config = load(
        paths,
        environ,
        server=None if arguments.demo else arguments.server,
        profile=None if arguments.demo else arguments.profile,
    )
    out.choose_glyphs(config.glyphs)
    for problem in config.problems:
        out.note(problem)
    if config.unknown:
        out.note(f"unknown keys in the configuration: {', '.join(config.unknown)}")
    if config.active.endpoint.is_plain_remote and out.talks_to_terminal:
        out.note(f"{config.active.endpoint.url} is plain http to another machine")
    return build(config, paths, environ=environ, clock=now_ms, origin=Origin.COMMAND, tell=out.note)


@asynccontextmanager
async def _demonstration(out: Output) -> AsyncIterator[tuple[Paths, Mapping[str, str]]]:
    """A demonstration server and directories of its own, gone at the end."""
    from modeltui.demo.server import DemoServer

    async with DemoServer(rate=DEMO_RATE) as server:
        with demo_directories(server) as paths:
            if out.talks_to_terminal and not out.json:
                out.say("demonstration server: made-up models, nothing here is real")
            yield paths, {key: os.environ[key] for key in _DEMO_KEEPS if key in os.environ}


@contextlib.contextmanager
def demo_directories(server: "DemoServer") -> Iterator[Paths]:
    """Directories whose configuration leads to a demonstration server, and to it as the registries."""
    registries = "".join(
        f'[registries."{host}"]\nbase_url = "{server.url}"\n' for host in ("registry.ollama.ai", "hf.co")
    )
    with tempfile.TemporaryDirectory(prefix="modeltui-demo-") as root:
        paths = paths_under(Path(root))
        # Its GPU is made up, so what this machine's hardware says of it must not count.
        here = f'server = "demo"\n[servers.demo]\nurl = "{server.url}"\nlocal = false\n'
        write_private(paths.config_file, here + registries)
        yield paths


async def confirm(question: str, *, yes: bool, out: Output, option: str = "--yes") -> None:
    """Ask on the terminal, no being the answer to Enter; raises NeedsYes and Declined."""
    if yes:
        return
    if not sys.stdin.isatty() or out.json:
        raise NeedsYes(f"{question} Nothing was done: a yes is needed", remedy=f"say {option}")
    out.raw_talk(f"{question} [y/N] ")
    try:
        answer = await _line()
    except asyncio.CancelledError:
        out.say("")
        raise
    if not answer.endswith("\n"):
        out.say("")
    if answer.strip().casefold() not in ("y", "yes"):
        raise Declined("not done: the answer was no")


async def _line() -> str:
    """A line from the terminal, waited for so that a signal ends the wait."""
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(sys.stdin, typed.set)
    except NotImplementedError:  # on Windows
        typed.set()
    try:
        await typed.wait()
    finally:
        with contextlib.suppress(NotImplementedError):
            loop.remove_reader(sys.stdin)
    return sys.stdin.readline()
