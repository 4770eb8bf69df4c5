"""Switching the current model: facts first, then load, proof, record, and what follows the record."""

import asyncio
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modeltui.domain.models import Model, can_generate, find
from modeltui.domain.names import ModelName, from_typed, same
from modeltui.domain.server import Keep, KeepAlive
from modeltui.errors import ModeltuiError, NoSuchModel, Refusal, StoreError
from modeltui.paths import write_private
from modeltui.services.aliasing import Alias
from modeltui.services.holding import refuse_held
from modeltui.services.hooking import run_hook
from modeltui.services.installed import installed
from modeltui.services.library import Library
from modeltui.services.loading import Loading, opened
from modeltui.services.opening import Opening
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.store.facts import CurrentModel, Load

if TYPE_CHECKING:
    from modeltui.domain.catalog.series import Catalog
    from modeltui.services.forecasting import Forecast

_LOOK_S = 3.0


@dataclass(frozen=True, slots=True)
class SwitchFacts:
    """What a switch means, before it is done. `may_unload` names what the server may put out for it.

    `sibling` is the loaded model on the same weights: other options make the server load them anew.
    `forecast` is where it would lie and what would go for it; None: not looked for, or not known.
    """

    model: Model
    previous: str | None
    is_loaded: bool
    sibling: str | None
    last_load: Load | None
    may_unload: tuple[str, ...]
    alias: str | None
    hook: bool
    forecast: "Forecast | None" = None

    @property
    def unloads(self) -> tuple[str, ...]:
        """What the server puts out for it by its own rule; where that is not known all that it may."""
        if self.forecast is None:
            return self.may_unload
        return tuple(row.shown for row in self.forecast.eviction.unloads)


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch did; `status` is loaded or recorded."""

    previous: str | None
    current: str
    status: str
    load_ms: int | None
    evicted: tuple[str, ...]
    released: str | None = None
    notes: tuple[str, ...] = ()


class Switching:
    """The current model of one server."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._library = Library(services, link)
        self._opening = Opening(services, link)
        self._loading = Loading(services, link)
        self._facts = services.store.facts
        self.alias = Alias(services, link, self._library)

    async def current(self) -> tuple[CurrentModel | None, bool | None]:
        """The record, and whether it is installed (None: the server cannot be asked within three seconds).

        Where nothing is recorded the configured default model becomes the record, if it can be one.
        """
        record = self._facts.current(self._link.id)
        default = self._services.config.default_model
        if record is None and default is None:
            return None, None
        try:
            async with asyncio.timeout(_LOOK_S):
                if record is None and default is not None:
                    facts = await self.facts(default)
                    await self.switch(facts, record_only=True)
                    self._services.note(
                        f"{facts.model.shown}, the configured default, is the current model now"
                    )
                    return self._facts.current(self._link.id), True
                models = await self._link.api.models()
        except TimeoutError:
            self._services.note("whether it is installed is not known: the server does not answer")
        except ModeltuiError as error:
            self._services.note(error.message)
        else:
            return record, record is not None and find(models, record.name) is not None
        return record, None

    async def adopt(self, models: tuple[Model, ...]) -> str | None:
        """Record a current model where there is none: the configured default, else the newest that can be.

        Returns its name; None when none of them generates text. Nothing is loaded, no hook is run.
        """
        newest = sorted(models, key=lambda model: model.modified or 0, reverse=True)
        names = [model.sent for model in newest if not model.is_cloud and can_generate(model.capabilities)]
        names += [model.sent for model in newest if model.sent not in names]
        if self._services.config.default_model is not None:
            names.insert(0, self._services.config.default_model)
        for name in names:
            try:
                model = installed(name, await self._link.api.models())
                await self._check(model)
            except ModeltuiError:
                continue  # not installed, damaged, an alias, or one that only embeds: the next
            assert model.name is not None
            self._facts.set_current(self._link.id, model.name, model.digest, self._services.clock())
            self._tell(self.write_state_file(model.name))
            self._services.log(self._link, "adopt", model.shown)
            return model.shown
        return None

    def restore(self, name: ModelName | None) -> None:
        """Take the last record back: `name` is the current model again, or none is."""
        if name is None:
            self._facts.clear_current(self._link.id)
        else:
            self._facts.set_current(self._link.id, name, None, self._services.clock())
        self._tell(self.write_state_file(name))
        self._services.log(self._link, "undo", name.short if name else "no current model")

    def _tell(self, note: str | None) -> None:
        if note:
            self._services.note(note)

    async def facts(self, typed: str) -> SwitchFacts:
        """Look before the switch; raises NoSuchModel, Refusal for what cannot generate, ServerError."""
        model = await self._meant(typed)
        await self._check(model)
        assert model.name is not None
        current = self._facts.current(self._link.id)
        loaded = await self._library.loaded() or ()
        runner = None if model.is_cloud else await self._loading.runner_of(model.name, model.digest, loaded)
        others = tuple(row.shown for row in loaded if row is not runner)
        itself = runner is not None and (same(runner.name, model.name) or runner.digest == model.digest)
        return SwitchFacts(
            model=model,
            previous=current.name.short if current else None,
            is_loaded=itself,
            sibling=runner.shown if runner is not None and not itself else None,
            last_load=self._facts.loads(self._link.id).get(model.digest or ""),
            may_unload=() if runner is not None or model.is_cloud else others,
            alias=self._services.config.alias,
            hook=self._services.config.hook is not None,
        )

    async def foreseen(self, facts: SwitchFacts, catalog: "Catalog | None" = None) -> SwitchFacts:
        """The facts with what the load would mean, where there will be one. Never raises; takes a moment."""
        if facts.is_loaded or facts.sibling or facts.model.is_cloud:
            return facts
        from modeltui.services.forecasting import forecast_of

        forecast = await forecast_of(self._services, self._link, facts.model, facts.may_unload, catalog)
        return replace(facts, forecast=forecast)

    async def switch(
        self,
        facts: SwitchFacts,
        *,
        record_only: bool = False,
        release: bool = False,
        keep_alive: KeepAlive = Keep.SERVER_DEFAULT,
        overwrite_alias: bool = False,
    ) -> Switched:
        """Load, see it loaded, record, re-point the alias, release, run the hook; raises ModeltuiError.

        If the load fails nothing is recorded. What fails after the record is told in `notes`.
        """
        model = facts.model
        assert model.name is not None
        if (trouble := self._services.store.trouble) is not None:
            raise StoreError(f"the switch cannot be recorded: {trouble.message}", remedy=trouble.remedy)
        async with self._services.recorded(self._link, "switch", model.shown):
            done = None
            if not record_only and not model.is_cloud:
                done = await self._loading.load_model(model, keep_alive)
            self._facts.set_current(self._link.id, model.name, model.digest, self._services.clock())
        notes = [self.write_state_file(model.name)]
        notes.append(await self.alias.point(model, overwrite=overwrite_alias))
        released = None
        if release and done is not None:
            released, note = await self._release(facts.previous, model)
            notes.append(note)
        notes.append(await run_hook(self._services, self._link, facts.previous, model.name))
        told = tuple(note for note in notes if note)
        return Switched(
            previous=facts.previous,
            current=model.name.short,
            status="loaded" if done else "recorded",
            load_ms=done.load_ms if done else None,
            evicted=done.evicted if done else (),
            released=released,
            notes=told,
        )

    async def _meant(self, typed: str) -> Model:
        """The installed model that a person means; one of another name is told before anything is done."""
        models = await self._link.api.models()
        try:
            return installed(typed, models)
        except NoSuchModel as error:
            from modeltui.services.meaning import meant_here

            model, words = await meant_here(self._services, typed, models, error)
        self._services.tell(f"{words}: {model.shown} is switched to")
        return model

    async def _check(self, model: Model) -> None:
        """Only a model that generates can be current; an alias pointing at one is no target itself."""
        if model.name is None:
            raise Refusal(f"“{model.shown}” is no valid name: nothing can be done with it")
        alias = self._services.config.alias
        if alias and same(model.name, from_typed(alias)):
            raise Refusal(f"{model.shown} is the alias of the current model: switch to a model itself")
        refuse_held(self._services, self._link, model)
        generates = can_generate(model.capabilities)
        if not model.is_cloud:
            await opened(self._opening, model)
            if generates is None:
                details = await self._opening.details(model.name, model.digest)
                generates = can_generate(details.capabilities)
        if generates is False:
            raise Refusal(f"{model.shown} does not generate text: it cannot be the current model")

    def write_state_file(self, name: ModelName | None) -> str | None:
        """One line with the current name, for programs that read a file; returns what went wrong."""
        path = self._services.paths.current / self._link.name.replace(os.sep, "_").replace("..", "_")
        try:
            if name is None:
                path.unlink(missing_ok=True)
            else:
                write_private(path, f"{name.short}\n")
        except (OSError, ValueError) as error:  # a label may hold what no file name can
            why = error.strerror if isinstance(error, OSError) else error
            return f"the state file {path} could not be written: {why}"
        return None

    async def _release(self, previous: str | None, model: Model) -> tuple[str | None, str | None]:
        """Unload the previous model, never when it stands on the same weights: one runner serves both."""
        if previous is None or same(from_typed(previous), model.name):
            return None, None
        try:
            models = await self._link.api.models()
            before = find(models, from_typed(previous))
            if before is None or before.name is None or before.is_cloud or model.name is None:
                return None, None
            old = await self._opening.weights(before.name, before.digest)
            new = await self._opening.weights(model.name, model.digest)
            if before.digest == model.digest or (old is not None and old == new):
                return None, f"{previous} stays: it stands on the same weights as {model.shown}"
            done = await self._loading.unload_model(before.name, models)
            self._services.log(self._link, "unload", previous)
        except ModeltuiError as error:
            return None, f"{previous} could not be released: {error.message}"
        return (previous, None) if done.status != "not_loaded" else (None, None)

    def replaced(self, model: Model) -> None:
        """The current model was updated outside: the record takes its new digest over."""
        assert model.name is not None
        self._facts.set_current(self._link.id, model.name, model.digest, self._services.clock())

    def moved(self, name: ModelName) -> str | None:
        """The current model has another name now."""
        try:
            self._facts.rename_current(self._link.id, name)
        except StoreError as error:
            return error.message
        return self.write_state_file(name)

    def gone(self) -> str | None:
        """The current model was deleted by us: there is none any more."""
        try:
            self._facts.clear_current(self._link.id)
        except StoreError as error:
            return error.message
        return self.write_state_file(None)
