"""`demo`: a demonstration server in the foreground, for other terminals."""

import asyncio
import gc
import shlex
from argparse import Namespace
from pathlib import Path

from modeltui.cli.output import Output
from modeltui.errors import ModeltuiError, UsageError
from modeltui.paths import Paths, write_private


async def demo(arguments: Namespace, out: Output) -> int:
    """Run until a signal ends it; prints the URL first, alone on stdout."""
    from modeltui.demo.place import RATE, demo_directories
    from modeltui.demo.server import NEWER, OLDER, DemoServer

    if not 0 <= arguments.port <= 65535:
        raise UsageError("--port must be from 0 to 65535")
    gc.enable()
    version = OLDER if arguments.old else NEWER
    server = DemoServer(port=arguments.port, version=version, rate=RATE)
    try:
        await server.start()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModeltuiError(
            f"port {arguments.port} cannot be used: {reason}", remedy="choose another: --port N"
        ) from None
    try:
        with demo_directories(server) as paths:
            _tell(server.url, version, _write_environment(paths), out)
            await asyncio.Event().wait()
    finally:
        await server.stop()
    return 0


def _tell(url: str, version: str, environment: Path, out: Output) -> None:
    if out.json:
        out.answer_line({"url": url, "version": version, "environment": str(environment)})
    else:
        out.text(url)
        out.say(f"A demonstration server (made-up models, Ollama {version}) runs here until ctrl+c.")
        out.say("In another terminal, with a queue and a configuration of its own:")
        out.say(f"  . {environment}")
        out.say("  modeltui ls")
    out.flush()


def _write_environment(paths: Paths) -> Path:
    """A file for a shell to read: it leads modeltui to the demonstration's directories."""
    environment = paths.config.parent / "env"
    places = {"CONFIG": paths.config, "STATE": paths.state, "CACHE": paths.cache}
    lines = [f"export MODELTUI_{word}_DIR={shlex.quote(str(place))}\n" for word, place in places.items()]
    write_private(environment, "".join(lines))
    return environment
