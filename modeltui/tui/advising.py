"""Keeps the verdicts on the models of the active server, made anew when what they rest on has changed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.worker import Worker

from modeltui.catalog.loading import load
from modeltui.services.advice import Advice, Circumstance, Numbers
from modeltui.services.circumstances import circumstance_of
from modeltui.services.kinds import Kind, kinds_in, series_of
from modeltui.tui.state import Phase

if TYPE_CHECKING:
    from modeltui.tui.stateful import StatefulApp


@dataclass(frozen=True, slots=True, eq=False)
class Advised:
    """Verdicts under one circumstance; `fits` and `kinds` are of what is installed, by the name that is sent.

    `advice` belongs to the event loop: one verdict at a time. Who wants thousands makes an Advice of its own
    of the circumstance, in a thread. Its catalog holds all series only when `StatefulApp.wants_catalog`.
    `grounds` are equal where nothing but the catalog, or what is free at the moment, is another.
    """

    advice: Advice
    fits: Mapping[str, Numbers]
    kinds: Mapping[str, Kind]
    grounds: object = None

    @property
    def circumstance(self) -> Circumstance:
        return self.advice.circumstance


class Advising:
    """Looks whether the verdicts still hold; making them takes a thread, and one at a time."""

    def __init__(self, app: "StatefulApp") -> None:
        self._app = app
        self._services = app.services
        self._models: object = None
        self._shown_details = 0
        self._made_for: object = None
        self._version: str | None = None  # the last that was heard: one that is away comes back the same
        self._worker: Worker[None] | None = None

    def look(self) -> None:
        """Have verdicts made: at first, and where the list, what is loaded or the server changed."""
        app = self._app
        if app.connection.phase is Phase.ASKING or (
            self._worker is not None and not self._worker.is_finished
        ):
            return
        is_same = app.models is self._models and app.shown_details == self._shown_details
        if is_same and app.advice is not None and self._has_catalog:
            return
        self._models, self._shown_details, before = app.models, app.shown_details, self._made_for
        self._made_for = self._grounds()
        if self._made_for != before or not self._has_catalog:
            self._worker = app.run_worker(
                self._make,
                group="advice",
                exit_on_error=False,
                description="judges what runs how well",
            )

    @property
    def _has_catalog(self) -> bool:
        app = self._app
        return not app.wants_catalog or (
            app.advice is not None and app.advice.circumstance.catalog is app.catalog
        )

    def _grounds(self) -> object:
        """What the verdicts rest on, as far as the screens see it."""
        models, connection = self._app.models, self._app.connection
        listed = tuple((entry.model.sent, entry.model.digest) for entry in models.entries)
        loaded = tuple((row.sent, row.digest, row.vram) for row in models.loaded or ())
        return connection.phase, connection.version, listed, loaded, self._app.shown_details

    async def _make(self) -> None:
        app, services, grounds = self._app, self._services, self._made_for
        installed = tuple(entry.model for entry in app.models.entries)
        if app.wants_catalog and app.catalog is None:
            whole = await asyncio.to_thread(load, services.paths)
            app.catalog = app.catalog or whole  # a screen may have been quicker
        catalog = app.catalog or await asyncio.to_thread(load, services.paths, series_of(installed))
        link = await services.active() if app.connection.is_online else None
        self._version = app.connection.version or self._version
        answers = (self._version, installed, app.models.loaded or (), ())
        circumstance = await circumstance_of(services, link, catalog=catalog, answers=answers)
        app.advice = await asyncio.to_thread(advised, circumstance, grounds)


def advised(circumstance: Circumstance, grounds: object = None) -> Advised:
    """The verdicts on what is installed, made at once; some 60 µs a model, so not on the event loop."""
    advice, catalog, models = Advice(circumstance), circumstance.catalog, circumstance.installed
    fits = {model.sent: advice.numbers_of_model(model) for model in models}
    kinds = dict(zip((model.sent for model in models), kinds_in(catalog, models), strict=True))
    return Advised(advice, fits, kinds, grounds)
