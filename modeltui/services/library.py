"""What is installed and how it stands: one truthful list of the server's models."""

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from modeltui.config.settings import ServerConfig
from modeltui.domain.models import (
    LoadedModel,
    Model,
    ModelState,
    ModelType,
    find,
    loaded_as,
    model_type,
    parameter_count,
)
from modeltui.domain.names import ModelName, from_listed, same
from modeltui.errors import ServerError, Unreachable, Unsupported
from modeltui.services.lastlist import as_json, changed, from_json, is_row_of
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.facts import CurrentModel, Known, Load, Newer

First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the list, with everything known about how it stands now."""

    model: Model
    state: ModelState
    type: ModelType | None
    is_current: bool
    loaded: LoadedModel | None
    loaded_by: str | None
    last_load: Load | None
    alias_of: str | None
    damage: str | None
    parameter_count: int | None
    weights: str | None
    newer: Newer | None = None
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A server's models at one moment (UTC milliseconds).

    `loaded` is None when the server cannot say; `missing` is the current model when it is not installed.
    `removed` and `replaced` name what changed outside since the list was seen last.
    """

    at: int
    entries: tuple[Entry, ...]
    loaded: tuple[LoadedModel, ...] | None
    weights_of: Mapping[str, str]
    current: CurrentModel | None
    missing: CurrentModel | None
    removed: tuple[str, ...]
    replaced: tuple[str, ...]

    @property
    def models(self) -> tuple[Model, ...]:
        return tuple(entry.model for entry in self.entries)

    def entry(self, name: ModelName) -> Entry | None:
        return next((entry for entry in self.entries if same(entry.model.name, name)), None)


class Library:
    """The models of one server."""

    def __init__(self, services: Services, link: Link, *, keeps_list: bool = True) -> None:
        """`keeps_list` False leaves the remembered list to who tells of its changes."""
        self._services = services
        self._link = link
        self._keeps_list = keeps_list
        self._last: tuple[object, Listing] | None = None

    async def listing(self) -> Listing:
        """Ask the server what is installed and loaded, and put what is known beside it.

        As long as nothing changed it is the same again, but for its time: asked often it costs little.
        """
        from modeltui.services.opening import Opening  # the first frame is painted without

        models, (loaded, why) = await both(self._link.api.models(), self._loaded_or_why())
        if why:
            self._services.note(f"what is loaded is not known: {why}")
        weights_of = await Opening(self._services, self._link).weights_of_loaded(loaded or ())
        facts, server_id, now = self._services.store.facts, self._link.id, self._services.clock()
        version = self._services.recall(self._services.store.version_of_data, None)
        # A state depends on the time, too: an expiry passes.
        states = [row.state(now) for row in loaded or ()]
        inputs = (models, loaded, weights_of, version, states)
        if version is not None and self._last is not None and self._last[0] == inputs:
            return replace(self._last[1], at=now)
        known = self._services.recall(lambda: facts.known(server_id), Known())
        listed, _ = self._services.recall(lambda: facts.last_list(server_id), None) or ([], 0)
        removed, replaced = changed(listed, models)
        rows = [as_json(model) for model in models]
        if self._keeps_list and rows != listed:
            self._services.remember(lambda: facts.set_last_list(server_id, rows, now))
        entries = _entries(self._services, server_id, models, loaded, weights_of, known, now)
        gone = known.current is not None and find(models, known.current.name) is None
        missing = known.current if gone else None
        listing = Listing(now, entries, loaded, weights_of, known.current, missing, removed, replaced)
        self._last = inputs, replace(listing, removed=(), replaced=())
        return listing

    async def relist(self) -> None:
        """Remember the list anew after a change of our own, which is nothing to be told about later."""
        with contextlib.suppress(ServerError):  # then the next list tells of it once: no harm
            listed = [as_json(model) for model in await self._link.api.models()]
            now, facts = self._services.clock(), self._services.store.facts
            self._services.remember(lambda: facts.set_last_list(self._link.id, listed, now))

    def forget_listed(self, name: ModelName) -> None:
        """Take a model out of the remembered list: that it goes is our own doing."""
        facts, server_id = self._services.store.facts, self._link.id
        last = self._services.recall(lambda: facts.last_list(server_id), None)
        if last is not None:
            left = [row for row in last[0] if not is_row_of(row, name)]
            self._services.remember(lambda: facts.set_last_list(server_id, left, last[1]))

    async def loaded(self) -> tuple[LoadedModel, ...] | None:
        """What is loaded; None on a server that is too old to say."""
        try:
            return await self._link.api.loaded()
        except Unsupported:
            return None

    async def _loaded_or_why(self) -> tuple[tuple[LoadedModel, ...] | None, str]:
        """What is loaded; None, and why, where that one question fails (`/api/ps` can block for long)."""
        try:
            return await self.loaded(), ""
        except Unreachable:
            raise
        except ServerError as error:
            return None, error.message


async def both(first: Awaitable[First], second: Awaitable[Second]) -> tuple[First, Second]:
    """Two questions at once; raises ServerError, that of the first where both fail, whichever came sooner."""
    asked = asyncio.ensure_future(first)
    try:
        return await asyncio.gather(asked, second)
    except ServerError:
        await asked
        raise


def remembered(services: Services, server: ServerConfig) -> Listing | None:
    """The list as it was seen last, for the first frame, without a client: nothing is said to be loaded."""
    facts, server_id = services.store.facts, services.links.id_of(server)
    last = services.recall(lambda: facts.last_list(server_id), None)
    if last is None:
        return None
    listed, at = last
    known = services.recall(lambda: facts.known(server_id), Known())
    models = tuple(model for row in listed if (model := from_json(row)) is not None)
    entries = _entries(services, server_id, models, None, {}, known, at)
    return Listing(at, entries, None, {}, known.current, None, (), ())


def _entries(
    services: Services,
    server_id: int,
    models: tuple[Model, ...],
    loaded: tuple[LoadedModel, ...] | None,
    weights_of: Mapping[str, str],
    known: Known,
    now: int,
) -> tuple[Entry, ...]:
    return tuple(
        _entry(model, loaded, weights_of, known, now, _alias_target(services, server_id, model, models))
        for model in models
    )


def _entry(
    model: Model,
    loaded: tuple[LoadedModel, ...] | None,
    weights_of: Mapping[str, str],
    known: Known,
    now: int,
    alias_of: str | None,
) -> Entry:
    digest = model.digest or ""
    facts = known.details.get(digest, {})
    weights = facts.get("weights") if isinstance(facts.get("weights"), str) else None
    model = _completed(model, facts)
    runner = None
    if model.name is not None and not model.is_cloud:
        runner = loaded_as(model.name, model.digest, weights, loaded or (), weights_of)
    if digest in known.damaged:
        state = ModelState.DAMAGED
    elif digest in known.held:
        state = ModelState.QUARANTINED
    elif model.is_cloud:
        state = ModelState.CLOUD
    elif loaded is None or model.name is None:
        state = ModelState.UNKNOWN
    else:
        state = runner.state(now) if runner else ModelState.NOT_LOADED
    return Entry(
        model=model,
        state=state,
        type=model_type(model.name, model.capabilities),
        is_current=known.current is not None and same(model.name, known.current.name),
        loaded=runner,
        loaded_by=_matched_by(model, runner),
        last_load=known.loads.get(digest),
        alias_of=alias_of,
        damage=known.damaged.get(digest),
        parameter_count=_count(model, facts),
        weights=weights,
        newer=_newer(model, known),
        held=known.held.get(digest),
    )


def _newer(model: Model, known: Known) -> Newer | None:
    """What is newer at the registry; what was found about another manifest of that name does not count."""
    found = known.newer.get(model.name.key) if model.name else None
    return found if found is not None and found.digest == model.digest else None


def _alias_target(services: Services, server_id: int, model: Model, models: tuple[Model, ...]) -> str | None:
    """What the configured alias stands for: it is shown as a pointer, not as a model."""
    alias = services.config.alias
    if alias is None or model.name is None or not same(model.name, from_listed(alias)):
        return None
    written = services.store.facts.alias(server_id, model.name)
    if written is not None and written.digest == model.digest:
        return written.target
    twin = next((m for m in models if m.digest == model.digest and not same(m.name, model.name)), None)
    return twin.shown if twin else None


def _completed(model: Model, facts: Mapping[str, Any]) -> Model:
    """Fill in what servers before 0.30 do not list, from what was looked up before."""
    capabilities, context = facts.get("capabilities"), facts.get("context")
    if model.capabilities is None and isinstance(capabilities, list):
        model = replace(model, capabilities=frozenset(map(str, capabilities)))
    if model.context is None and isinstance(context, int):
        model = replace(model, context=context)
    return model


def _matched_by(model: Model, runner: LoadedModel | None) -> str | None:
    if runner is None:
        return None
    if same(model.name, runner.name):
        return "name"
    return "digest" if model.digest == runner.digest else "weights"


def _count(model: Model, facts: Mapping[str, Any]) -> int | None:
    exact = facts.get("parameter_count")
    return exact if isinstance(exact, int) else parameter_count(model.parameter_size)
