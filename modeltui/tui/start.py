"""Starts the screens: what the terminal can do is decided first, and everything is taken down at the end."""

import asyncio
import os
import sys
from collections.abc import Callable

from modeltui import __version__
from modeltui.errors import UsageError
from modeltui.tui.leaving import Leaving
from modeltui.tui.stage import open_demonstration, open_stage
from modeltui.tui.terminal import colour, drop_fixed_size, glyph_set, refusal


async def run(*, server: str | None, profile: str | None, demo: bool) -> int:
    """Show the screens until they end; returns the exit code. Raises UsageError where they cannot be."""
    words = refusal(os.environ, sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty())
    if words is not None:
        raise UsageError(words)
    drop_fixed_size(os.environ)
    told: list[Callable[[str], None]] = []

    def tell(text: str) -> None:
        for each in told:
            each(text)

    stage = (
        await open_demonstration(os.environ, tell=tell)
        if demo
        else open_stage(os.environ, server=server, profile=profile, tell=tell)
    )
    from modeltui.tui.app import ModelTuiApp

    glyphs = glyph_set(stage.services.config.glyphs, os.environ, sys.stdout.encoding)
    leaving = Leaving()
    app = ModelTuiApp(stage, colour=colour(os.environ), glyphs=glyphs, version=__version__, leaving=leaving)
    told.append(app.tell_in_turn)
    loop = asyncio.get_running_loop()

    def ask(code: int) -> None:
        loop.call_soon_threadsafe(lambda: app.call_next(app.leave, code))

    leaving.install(ask)
    try:
        await app.run_async()
    finally:
        await app.stage.close()
        leaving.uninstall()
    return leaving.code if leaving.code is not None else app.return_code or 0
