"""What is installed and how it stands: one truthful list of the server's models, and names resolved in it."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from modeltui.config.settings import ServerConfig
from modeltui.domain.models import (
    LoadedModel,
    Model,
    ModelDetails,
    ModelState,
    ModelType,
    find,
    loaded_as,
    model_type,
    parameter_count,
)
from modeltui.domain.names import ModelName, from_listed, from_typed, parse, same
from modeltui.errors import InvalidName, NoSuchModel, NotFound, ServerError, Unreachable, Unsupported
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.facts import CurrentModel, Known, Load, Newer
from modeltui.text import clean_line, is_clean_line

_LISTED = tuple(field.name for field in fields(Model) if field.name != "name")
_WORDS = ("digest", "format", "family", "parameter_size", "quantization", "remote_host", "remote_model")
_NUMBERS = ("size", "modified", "context")


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
        models, loaded = await asyncio.gather(self._link.api.models(), self._loaded_or_unknown())
        weights_of = await self.weights_of_loaded(loaded or ())
        facts, server_id, now = self._services.store.facts, self._link.id, self._services.clock()
        version = self._services.recall(self._services.store.version_of_data, None)
        # A state depends on the time, too: an expiry passes.
        states = [row.state(now) for row in loaded or ()]
        inputs = (models, loaded, weights_of, version, states)
        if version is not None and self._last is not None and self._last[0] == inputs:
            return replace(self._last[1], at=now)
        known = self._services.recall(lambda: facts.known(server_id), Known())
        listed, _ = self._services.recall(lambda: facts.last_list(server_id), None) or ([], 0)
        removed, replaced = _changed(listed, models)
        rows = [_as_json(model) for model in models]
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
            listed = [_as_json(model) for model in await self._link.api.models()]
            now, facts = self._services.clock(), self._services.store.facts
            self._services.remember(lambda: facts.set_last_list(self._link.id, listed, now))

    def forget_listed(self, name: ModelName) -> None:
        """Take a model out of the remembered list: that it goes is our own doing."""
        facts, server_id = self._services.store.facts, self._link.id
        last = self._services.recall(lambda: facts.last_list(server_id), None)
        if last is not None:
            left = [row for row in last[0] if not (isinstance(row, dict) and _is_row_of(row, name))]
            self._services.remember(lambda: facts.set_last_list(server_id, left, last[1]))

    async def loaded(self) -> tuple[LoadedModel, ...] | None:
        """What is loaded; None on a server that is too old to say."""
        try:
            return await self._link.api.loaded()
        except Unsupported:
            return None

    async def _loaded_or_unknown(self) -> tuple[LoadedModel, ...] | None:
        """What is loaded; None, and told, where that one question fails (`/api/ps` can block for long)."""
        try:
            return await self.loaded()
        except Unreachable:
            raise
        except ServerError as error:
            self._services.note(f"what is loaded is not known: {error.message}")
            return None

    async def weights_of_loaded(self, loaded: Iterable[LoadedModel]) -> dict[str, str]:
        """Manifest digest -> weights blob of what is loaded, looked up once a manifest."""
        found: dict[str, str] = {}
        for row in loaded:
            if row.digest and row.name:
                weights = await self.weights(row.name, row.digest)
                if weights:
                    found[row.digest] = weights
        return found

    async def weights(self, name: ModelName, digest: str | None) -> str | None:
        """The weights blob of a model, remembered by manifest digest; None where the server cannot say."""
        facts = self._services.store.facts
        known = self._services.recall(lambda: facts.details(digest), None) if digest else None
        if known and isinstance(known.get("weights"), str):
            return str(known["weights"])
        try:
            return (await self._shown(name, digest)).weights
        except ServerError:
            return None  # a loaded model that was deleted, or a damaged one: its weights stay unknown

    async def details(self, name: ModelName, digest: str | None) -> ModelDetails:
        """The facts of a model that is listed, as `_shown`; notes when it cannot be opened at all."""
        try:
            return await self._shown(name, digest)
        except NotFound as error:
            self.mark_damaged(digest, error.words)
            raise

    async def _shown(self, name: ModelName, digest: str | None) -> ModelDetails:
        """Ask for a model's facts and remember the short ones, and that it can be opened."""
        facts, server_id = self._services.store.facts, self._link.id
        now = self._services.clock()
        shown = await self._link.api.show(name)
        if digest:
            short = {
                "weights": shown.weights,
                "capabilities": sorted(shown.capabilities) if shown.capabilities is not None else None,
                "parameter_count": shown.parameter_count,
                "context": shown.context,
            }
            self._services.remember(lambda: facts.set_whole(server_id, digest))
            if short != facts.details(digest):
                self._services.remember(lambda: facts.set_details(digest, short, now))
            self._remember_shape(digest, shown, now)
        return shown

    def _remember_shape(self, digest: str, shown: ModelDetails, now: int) -> None:
        """Keep what estimates of memory and speed ask for, so that no model need be asked again for it."""
        from modeltui.store.measurements import shape_of

        measurements, shape = self._services.store.measurements, shape_of(shown)
        if shape and shape != self._services.recall(lambda: measurements.shape(digest), None):
            self._services.remember(lambda: measurements.set_shape(digest, shape, now))

    def mark_damaged(self, digest: str | None, words: str, *, layers: bool = False) -> None:
        """Remember that a manifest is listed here and cannot be opened, or lacks `layers`."""
        if digest:
            facts, server_id, now = self._services.store.facts, self._link.id, self._services.clock()
            self._services.remember(lambda: facts.set_damaged(server_id, digest, words, now, layers=layers))

    def mark_whole(self, digest: str | None) -> None:
        """Remember that a manifest can be opened here and lacks no layer."""
        if digest:
            facts, server_id = self._services.store.facts, self._link.id
            self._services.remember(lambda: facts.set_whole(server_id, digest, layers=True))

    async def installed(self, typed: str) -> Model:
        """The installed model that a person means; raises NoSuchModel with near names, InvalidName."""
        models = await self._link.api.models()
        return installed(typed, models)


def remembered(services: Services, server: ServerConfig) -> Listing | None:
    """The list as it was seen last, for the first frame, without a client: nothing is said to be loaded."""
    facts, server_id = services.store.facts, services.links.id_of(server)
    last = services.recall(lambda: facts.last_list(server_id), None)
    if last is None:
        return None
    listed, at = last
    known = services.recall(lambda: facts.known(server_id), Known())
    models = tuple(model for row in listed if (model := _from_json(row)) is not None)
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


def installed(typed: str, models: tuple[Model, ...]) -> Model:
    """Find what a person means among installed models; raises NoSuchModel, InvalidName.

    A name that is installed exactly as typed wins over any reading of it as an address.
    """
    try:
        literal = find(models, parse(typed.strip()))
    except InvalidName:
        literal = None
    if literal is not None:
        return literal
    name = from_typed(typed)
    model = find(models, name)
    if model is None:
        near = near_names(name, models)
        remedy = f"modeltui ls lists what is installed; modeltui pull {name.short} gets it"
        if near:
            remedy = f"installed and near it: {', '.join(near)}"
        raise NoSuchModel(f"{name.short} is not installed", remedy=remedy)
    return model


def near_names(name: ModelName, models: tuple[Model, ...]) -> list[str]:
    """Up to three installed names like this one."""
    from difflib import get_close_matches  # most names that are typed are installed

    names = [model.name for model in models if model.name]
    # Without the tag: what ends in :latest, too, is not near for that.
    others = dict.fromkeys(each.series for each in names if each.series != name.series)
    near = (name.series, *get_close_matches(name.series, others, 3))
    return [each.short for series in near for each in names if each.series == series][:3]


def _changed(before: list[Any], models: tuple[Model, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the remembered list that are gone, and those that have another digest now."""
    digests = {model.sent: model.digest for model in models}
    removed, replaced = [], []
    for row in before:
        sent = row.get("sent") if isinstance(row, dict) else None
        if not isinstance(sent, str):
            continue
        if sent not in digests:
            removed.append(clean_line(sent))
        elif row.get("digest") and row["digest"] != digests[sent]:
            replaced.append(clean_line(sent))
    return tuple(removed), tuple(replaced)


def _as_json(model: Model) -> dict[str, Any]:
    """A row of the list as it is remembered for the next start."""
    row = {field: getattr(model, field) for field in _LISTED}
    row["capabilities"] = None if model.capabilities is None else sorted(model.capabilities)
    return row


def _from_json(row: Any) -> Model | None:
    """The inverse of `_as_json`; None for what is no row of a list.

    Another version of modeltui may have written it, or a hand: a wrong type is unknown, as on the wire.
    """
    if not isinstance(row, dict) or not isinstance(row.get("sent"), str):
        return None
    sent, listed = row["sent"], row.get("capabilities")
    name = from_listed(sent) if is_clean_line(sent) else None
    known: dict[str, Any] = {
        field: clean_line(row[field]) for field in _WORDS if isinstance(row.get(field), str)
    }
    known |= {field: row[field] for field in _NUMBERS if type(row.get(field)) is int and row[field] >= 0}
    capabilities = None
    if isinstance(listed, list):
        capabilities = frozenset(clean_line(word, 64) for word in listed if isinstance(word, str))
    shown = name.short if name else clean_line(sent) or "(no name)"
    return Model(shown, sent, name, capabilities=capabilities, **known)


def _is_row_of(row: Mapping[str, Any], name: ModelName) -> bool:
    return isinstance(row.get("sent"), str) and same(from_listed(row["sent"]), name)


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
