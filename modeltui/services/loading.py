"""Loading, pinning and unloading: done when `/api/ps` shows it, not when a request returns."""

import asyncio
from dataclasses import dataclass

from modeltui.domain.models import LoadedModel, Model, find, loaded_as
from modeltui.domain.names import ModelName, same
from modeltui.domain.server import Keep, KeepAlive
from modeltui.errors import ModeltuiError, NotFound, Refusal, ServerFailed, Unsupported
from modeltui.services.holding import refuse_held
from modeltui.services.installed import installed
from modeltui.services.library import Library, both
from modeltui.services.opening import Opening
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.facts import Load

POLL_S = 0.25
GONE_S = 15.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """A finished load. `load_ms` is None when its runner was there and only got another keep-alive."""

    name: ModelName
    load_ms: int | None
    runner: LoadedModel | None
    evicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unloaded:
    """`status` is unloaded, stopping (a request still runs on it) or not_loaded; `shared_with` names
    the other installed models that were served by the same runner and are out of memory, too."""

    name: ModelName
    status: str
    shared_with: tuple[str, ...] = ()


class Loading:
    """Loads and unloads on one server."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._library = Library(services, link)
        self._opening = Opening(services, link)

    async def load(self, typed: str, keep_alive: KeepAlive = Keep.SERVER_DEFAULT) -> Loaded:
        """Load an installed model and see it loaded; raises NoSuchModel, Refusal, ServerError."""
        model = installed(typed, await self._link.api.models())
        name = loadable(model)
        action = "pin" if keep_alive is Keep.FOREVER else "load"
        async with self._services.recorded(self._link, action, name.short):
            return await self.load_model(model, keep_alive)

    async def load_model(self, model: Model, keep_alive: KeepAlive = Keep.SERVER_DEFAULT) -> Loaded:
        """The load itself; what was in memory before and is not after was evicted for it."""
        name = loadable(model)
        refuse_held(self._services, self._link, model)
        before = await self._library.loaded()
        served_by = await self.runner_of(name, model.digest, before or ())
        began = self._services.clock()
        try:
            await self._link.api.load(name, keep_alive)
        except Unsupported:
            await opened(self._opening, model)  # what cannot be opened "does not support" anything
            raise
        load_ms = max(0, self._services.clock() - began)
        after = await self._library.loaded()
        if after is None:
            return Loaded(name, load_ms, None, ())
        runner = await self.runner_of(name, model.digest, after)
        if runner is None:
            raise ServerFailed(
                f"cannot load {name.short}",
                url=self._link.endpoint.url,
                words="it was loaded, and is not listed any more: put out again, perhaps for another model",
                remedy="modeltui ps shows what is loaded; the server's log says why",
            )
        # A sibling's runner is taken as it is when the options agree, else loaded anew under this name.
        if served_by is not None and served_by.sent == runner.sent:
            return Loaded(name, None, runner, ())
        if model.digest:
            digest = model.digest
            load = Load(began, load_ms, runner.size, runner.vram, runner.context)
            self._services.remember(lambda: self._remember(digest, name, load, runner.gpu_share))
        kept = {row.sent for row in after}
        gone = [row.shown for row in before or () if row.sent not in kept and row is not served_by]
        return Loaded(name, load_ms, runner, tuple(gone))

    def _remember(self, digest: str, name: ModelName, load: Load, share: float | None) -> None:
        """Keep the load as the last one, and as a measurement of this server."""
        from modeltui.store.measurements import Measurement

        store = self._services.store
        row = Measurement(
            *(load.at, digest, name.short, load.context), load_ms=load.load_ms, vram_share=share
        )
        with store.writing():
            store.facts.set_load(self._link.id, digest, load)
            store.measurements.add(self._link.id, row)

    async def unload(self, typed: str) -> Unloaded:
        """Unload and wait until it is gone; raises NoSuchModel, Refusal, ServerError."""
        models, loaded = await both(self._link.api.models(), self._library.loaded())
        name = self._unloadable(typed, models, loaded or ())
        async with self._services.recorded(self._link, "unload", name.short):
            return await self.unload_model(name, models)

    async def unload_model(self, name: ModelName, models: tuple[Model, ...]) -> Unloaded:
        """The unload itself. Unloading by one name unloads the runner of every model on its weights."""
        model = find(models, name)
        digest = model.digest if model else None
        loaded = await self._library.loaded()
        runner = await self.runner_of(name, digest, loaded or ())
        if runner is None and loaded is not None:
            return Unloaded(name, "not_loaded")
        sharing = await self._sharing(name, digest, models, loaded or ())
        await self._link.api.unload(name)
        status = "unloaded" if await self.wait_gone(name, digest) else "stopping"
        return Unloaded(name, status, sharing)

    async def wait_gone(self, name: ModelName, digest: str | None) -> bool:
        """Poll until no runner serves the model; False when a request still keeps it after 15 s."""
        weights = await self._opening.weights(name, digest)
        for _ in range(max(1, round(GONE_S / POLL_S))):
            loaded = await self._library.loaded()
            if loaded is None or await self._match(name, digest, weights, loaded) is None:
                return True
            await asyncio.sleep(POLL_S)
        return False

    async def runner_of(
        self, name: ModelName, digest: str | None, loaded: tuple[LoadedModel, ...]
    ) -> LoadedModel | None:
        """The runner that serves a model, by name, digest or weights."""
        weights = await self._opening.weights(name, digest) if loaded else None
        return await self._match(name, digest, weights, loaded)

    async def _match(
        self, name: ModelName, digest: str | None, weights: str | None, loaded: tuple[LoadedModel, ...]
    ) -> LoadedModel | None:
        weights_of = await self._opening.weights_of_loaded(loaded)
        return loaded_as(name, digest, weights, loaded, weights_of)

    async def _sharing(
        self,
        name: ModelName,
        digest: str | None,
        models: tuple[Model, ...],
        loaded: tuple[LoadedModel, ...],
    ) -> tuple[str, ...]:
        """Other names that the same runner serves, as far as is known: by digest, or as listed loaded."""
        runner = await self.runner_of(name, digest, loaded)
        known = self._services.store.facts.all_details()
        weights = known.get(digest or "", {}).get("weights")
        found = [runner.shown] if runner and not same(runner.name, name) else []
        for model in models:
            twin = model.digest is not None and model.digest == digest
            sibling = weights and known.get(model.digest or "", {}).get("weights") == weights
            if (twin or sibling) and not same(model.name, name) and model.shown not in found:
                found.append(model.shown)
        return tuple(found)

    def _unloadable(
        self, typed: str, models: tuple[Model, ...], loaded: tuple[LoadedModel, ...]
    ) -> ModelName:
        """The name to unload by: installed, since a deleted model cannot be unloaded any more."""
        try:
            model = installed(typed, models)
        except ModeltuiError as error:
            gone = next((row for row in loaded if row.shown in (typed, f"{typed}:latest")), None)
            if gone is None:
                raise
            raise Refusal(
                f"{gone.shown} was deleted while it was loaded: it can no longer be unloaded by its name",
                remedy="it leaves memory when its keep-alive ends, or when the server is restarted",
            ) from error
        return loadable(model)


def loadable(model: Model) -> ModelName:
    """The name to load or unload by; raises Refusal for what cannot be."""
    if model.name is None:
        raise Refusal(f"“{model.shown}” is no valid name: nothing can be done with it")
    if model.is_cloud:
        raise Refusal(f"{model.shown} runs in the cloud: there is nothing to load or unload")
    return model.name


async def opened(opening: Opening, model: Model) -> None:
    """Make sure that the server can open a model; raises Refusal when it is damaged."""
    assert model.name is not None
    try:
        await opening.details(model.name, model.digest)
    except NotFound as error:
        raise Refusal(
            f"{model.shown} is damaged: it is listed, and the server cannot open it ({error.words})",
            remedy=f"pull it again: modeltui pull {model.shown}",
            url=error.url,
        ) from None
