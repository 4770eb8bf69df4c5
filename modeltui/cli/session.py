"""What every command stands on: the services, for the user's own servers or for a demonstration."""

import asyncio
import contextlib
import os
import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from modeltui.cli.output import Output
from modeltui.errors import Declined, ModeltuiError, NeedsYes
from modeltui.paths import Paths, user_paths
from modeltui.services.tree import Services, build
from modeltui.store.journal import Origin

_SEE_TO_IT = frozenset({"queue", "pull", "upgrade"})
"""Commands that have the queue carried out themselves, or are the ones that carry it out."""


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
            try:
                yield services
            except ModeltuiError:
                _take_up(services, arguments, out)
                raise
            _take_up(services, arguments, out)
        finally:
            await services.close()
            for notice in services.notices:
                out.note(notice)


def _take_up(services: Services, arguments: Namespace, out: Output) -> None:
    """Have a queue carried out that a dead runner left, as after a reboot, whatever command comes next."""
    if (
        arguments.demo
        or arguments.command in _SEE_TO_IT
        or not services.recall(services.store.has_work, False)
    ):
        return
    from modeltui.services.detaching import can_detach, ensure_runner

    try:
        if can_detach(services) and ensure_runner(services) and not out.json:
            out.say("nobody carried the queue out: a runner is started")
    except ModeltuiError as error:
        services.note(error.message)


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
    from modeltui.demo.place import demonstration

    async with demonstration(os.environ) as (paths, environ):
        if out.talks_to_terminal and not out.json:
            out.say("demonstration server: made-up models, nothing here is real")
        yield paths, environ


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
