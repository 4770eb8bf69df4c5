"""The program at a fixed moment, nothing running behind it: what it shows is put there by hand."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from still_values import NOW, ONLINE, URL
from textual.pilot import Pilot

from modeltui.paths import paths_under, write_private
from modeltui.services.tree import Services
from modeltui.store.facts import CurrentModel
from modeltui.tui.app import ModelTuiApp
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.stage import open_stage
from modeltui.tui.state import Models
from modeltui.tui.stateful import OURS

Step = Callable[[Pilot[object]], Awaitable[None]]
CONFIG = f'server = "gpubox"\n[servers.gpubox]\nurl = "{URL}"\nlocal = false\n[current]\nalias = "current"\n'


@contextmanager
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day as in Greenwich, wherever the test runs."""
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            monkeypatch.delenv("TZ")
        else:
            monkeypatch.setenv("TZ", before)
        time.tzset()


@contextmanager
def still_app(
    root: Path, monkeypatch: pytest.MonkeyPatch, *, colour: str = "full", glyphs: str = "unicode"
) -> Iterator[ModelTuiApp]:
    """The program with a clock that stands; nothing asks a server, reads the queue or asks for details."""
    paths = paths_under(root)
    write_private(paths.config_file, CONFIG)
    places = {
        f"MODELTUI_{word}_DIR": str(getattr(paths, word.lower())) for word in ("CONFIG", "STATE", "CACHE")
    }
    stage = open_stage({"PATH": "", **places}, server=None, profile=None, tell=print)
    stage = replace(stage, services=_stopped(stage.services))
    app = ModelTuiApp(stage, colour=colour, glyphs=glyphs, version="0")
    monkeypatch.setattr(app, "poll", lambda: None)
    monkeypatch.setattr(app, "watch_store", lambda: None)
    monkeypatch.setattr(DetailsScreen, "ask_again", lambda _: None)
    try:
        yield app
    finally:
        asyncio.run(stage.close())


def _stopped(services: Services) -> Services:
    return replace(services, clock=lambda: NOW)


def showing(step: Step | None = None, **snapshots: object) -> Step:
    """What `snap_compare` runs first: put these snapshots on the app (online unless told), then a step."""

    async def run(pilot: Pilot[object]) -> None:
        app = pilot.app
        assert isinstance(app, ModelTuiApp)
        assert not [worker for worker in app.workers if worker.group in OURS]
        for name, snapshot in {"connection": ONLINE, **snapshots}.items():
            if isinstance(snapshot, Models):
                app.list_seen_at = snapshot.at
            setattr(app, name, snapshot)
        await pilot.pause()
        if step is not None:
            await step(pilot)

    return run


def keys(*pressed: str) -> Step:
    """A step that presses keys, one after the other."""

    async def run(pilot: Pilot[object]) -> None:
        for key in pressed:
            await pilot.press(key)
            await pilot.pause()

    return run


def remember_current(app: ModelTuiApp, current: CurrentModel) -> None:
    """Let the store know the current model."""
    services = app.services
    link = services.links.id_of(services.config.active)
    services.store.facts.set_current(link, current.name, current.digest, current.since)
