"""Deleting, copying and renaming: plans that can be shown first, and acts that lose nothing."""

import asyncio
from dataclasses import dataclass

from modeltui.domain.models import Model, find
from modeltui.domain.names import ModelName, from_typed, same
from modeltui.errors import InvalidName, ModeltuiError, NotFound, Refusal, ServerFailed
from modeltui.services.installed import installed
from modeltui.services.layers import layers_going
from modeltui.services.library import Entry, Library
from modeltui.services.loading import Loading
from modeltui.services.opening import Opening
from modeltui.services.servers import Link
from modeltui.services.switching import Switching
from modeltui.services.transferlock import Deletion, Waiting, delete_lock
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer


@dataclass(frozen=True, slots=True)
class Removal:
    """One model to be deleted. `freed` is in bytes, None where others share an unknown part of it."""

    model: Model
    freed: int | None
    shared_with: tuple[str, ...]
    is_current: bool
    is_loaded: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of one removal: `error` is None when it is gone."""

    removal: Removal
    error: ModeltuiError | None = None


class Changing:
    """Changes to what is installed on one server."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._library = Library(services, link, keeps_list=False)
        self._opening = Opening(services, link)
        self._loading = Loading(services, link)
        self._switching = Switching(services, link)

    async def plan_removal(self, typed: list[str]) -> tuple[Removal, ...]:
        """What deleting these would remove and free; raises NoSuchModel before anything is touched."""
        listing = await self._library.listing()
        chosen: list[Entry] = []
        for each in typed:
            model = installed(each, listing.models)
            entry = next(entry for entry in listing.entries if entry.model.sent == model.sent)
            if entry not in chosen:
                chosen.append(entry)
        going = {entry.model.sent for entry in chosen}
        stay = [model for model in listing.models if model.sent not in going]
        removals: list[Removal] = []
        for entry in chosen:
            model = entry.model
            shared = await self._sharing(model, stay)
            counted = await self._sharing(model, [removal.model for removal in removals])
            freed = _freed(model, (*shared, *counted))
            names = tuple(each.shown for each in shared)
            is_loaded = entry.loaded_by == "name" or (entry.loaded_by == "digest" and not shared)
            removals.append(Removal(model, freed, names, entry.is_current, is_loaded))
        return tuple(removals)

    async def remove(
        self, removals: tuple[Removal, ...], waiting: Waiting | None = None
    ) -> tuple[Removed, ...]:
        """Delete one after the other; a failure of one is kept and the next is tried.

        `waiting` is told which pulls it waits for; cancelling it then takes it back whole.
        """
        done = []
        deletion = await self._deletion(removals)
        async with delete_lock(self._services, self._link, deletion, waiting):
            for removal in removals:
                try:
                    await self._remove(removal)
                except ModeltuiError as error:
                    done.append(Removed(removal, error))
                else:
                    done.append(Removed(removal))
        await self._library.relist()
        return tuple(done)

    async def check_copy(self, source: str, destination: str) -> None:
        """Raise what stands against a copy whatever is answered: NoSuchModel, InvalidName, Refusal."""
        model = installed(source, await self._link.api.models())
        _different(model, _new_name(destination))

    async def copy(self, source: str, destination: str, *, overwrite: bool = False) -> ModelName:
        """Give a model a second name; raises Refusal when that name is taken and `overwrite` is not said."""
        models = await self._link.api.models()
        model = installed(source, models)
        name = _new_name(destination)
        _different(model, name)
        self._refuse_taken(name, models, overwrite)
        async with self._services.recorded(self._link, "copy", f"{model.shown} -> {name.short}"):
            if (taken := find(models, name)) is not None:
                await self._free(taken, models)
            await self._copied(model, name)
        await self._library.relist()
        self._note_orphans(name, models)
        return name

    async def rename(self, source: str, destination: str, *, overwrite: bool = False) -> ModelName:
        """Copy, check the digest, then delete the old name; on any error the original stays."""
        models = await self._link.api.models()
        model = installed(source, models)
        name = _new_name(destination)
        old = _different(model, name)
        self._refuse_taken(name, models, overwrite)
        async with (
            # Every layer stays, for the new name.
            delete_lock(self._services, self._link, Deletion((old.short,), frozenset())),
            self._services.recorded(self._link, "rename", f"{model.shown} -> {name.short}"),
        ):
            if (taken := find(models, name)) is not None:
                await self._free(taken, models)
            await self._copied(model, name)
            self._library.forget_listed(old)
            await self._link.api.delete(old)
        await self._library.relist()
        current = self._services.store.facts.current(self._link.id)
        if current is not None and same(current.name, old):
            self._tell(self._switching.moved(name))
        self._note_orphans(name, models)
        return name

    async def _deletion(self, removals: tuple[Removal, ...]) -> Deletion:
        """What goes, layer by layer where something is pulled beside it."""
        names = tuple(removal.model.shown for removal in removals)
        none: tuple[QueuedTransfer, ...] = ()
        rows = self._services.recall(self._services.store.queue.open, none)
        if all(row.server_id != self._link.id or row.is_resting for row in rows):
            return Deletion(names, may_stop=True)
        sent = {removal.model.sent for removal in removals}
        listed = await self._link.api.models()
        staying = [model for model in listed if model.sent not in sent]
        going = [removal.model for removal in removals]
        layers = await layers_going(self._services, self._link, going, staying)
        return Deletion(names, layers, may_stop=True)

    async def _remove(self, removal: Removal) -> None:
        """Unload first and wait for it: a deleted model that is loaded cannot be unloaded any more."""
        name = removal.model.name
        if name is None:
            raise Refusal(f"“{removal.model.shown}” is no valid name: nothing can be done with it")
        async with self._services.recorded(self._link, "delete", name.short):
            await self._free(removal.model, await self._link.api.models())
            try:
                self._library.forget_listed(name)
                await self._link.api.delete(name)
            except NotFound:
                if find(await self._link.api.models(), name) is not None:
                    raise
        if removal.is_current:
            self._tell(self._switching.gone())

    async def _free(self, model: Model, models: tuple[Model, ...]) -> None:
        """Unload what no name would reach any more: looked at now, since it may just have been loaded."""
        loaded = await self._library.loaded() or ()
        twins = [m for m in models if m.digest == model.digest and not same(m.name, model.name)]
        its_own = any(
            same(row.name, model.name) or (row.digest and row.digest == model.digest and not twins)
            for row in loaded
        )
        if model.name is None or model.is_cloud or not its_own:
            return
        if (await self._loading.unload_model(model.name, models)).status == "stopping":
            raise Refusal(
                f"{model.shown} still answers a request and cannot be unloaded: nothing was changed",
                remedy="wait for the request, or end it, then try again",
            )

    async def _copied(self, model: Model, name: ModelName) -> None:
        assert model.name is not None
        await self._link.api.copy(model.name, name)
        copy = find(await self._link.api.models(), name)
        if copy is None or (model.digest and copy.digest != model.digest):
            raise ServerFailed(
                f"cannot copy {model.shown} to {name.short}",
                url=self._link.endpoint.url,
                words="the copy is not listed with the digest of the original, which stays as it was",
                remedy="look at the server's log and its disk",
            )

    def _refuse_taken(self, name: ModelName, models: tuple[Model, ...], overwrite: bool) -> None:
        if find(models, name) is not None and not overwrite:
            raise Refusal(f"{name.short} exists and would be overwritten", remedy="say --yes to overwrite it")

    def _note_orphans(self, name: ModelName, before: tuple[Model, ...]) -> None:
        """Copying over a model whose digest has no other name leaves its layers until a restart."""
        old = find(before, name)
        if old is not None and all(m.digest != old.digest or same(m.name, name) for m in before):
            self._services.note(
                f"{name.short} named a model without another name: "
                "its layers stay on the disk until the server is restarted"
            )

    async def _sharing(self, model: Model, others: list[Model]) -> tuple[Model, ...]:
        """Those of `others` that share this one's weights: aliases, and those whose weights are the same.

        Weights cost a request each, so only models that look alike (parameters, quantization) are asked.
        """
        others = [m for m in others if not m.is_cloud]
        twins = [m for m in others if m.digest is not None and m.digest == model.digest]
        alike = [
            m
            for m in others
            if m not in twins and m.name is not None and _looks(m) == _looks(model) and not model.is_cloud
        ]
        siblings: list[Model] = []
        weights = await self._opening.weights(model.name, model.digest) if model.name and alike else None
        if weights is not None:
            found = await asyncio.gather(
                *(self._opening.weights(m.name, m.digest) for m in alike if m.name is not None)
            )
            siblings = [m for m, other in zip(alike, found, strict=True) if other == weights]
        return (*twins, *siblings)

    def _tell(self, note: str | None) -> None:
        if note:
            self._services.note(note)


def _freed(model: Model, shared: tuple[Model, ...]) -> int | None:
    """Bytes that come back: all, none (an alias has them, too), or unknown (only the weights are shared)."""
    if not shared:
        return model.size
    return 0 if any(m.digest is not None and m.digest == model.digest for m in shared) else None


def _looks(model: Model) -> tuple[str | None, str | None, str | None]:
    return (model.family, model.parameter_size, model.quantization)


def _different(model: Model, name: ModelName) -> ModelName:
    """The name of a model that can be copied to `name`; raises Refusal."""
    if model.name is None:
        raise Refusal(f"“{model.shown}” is no valid name: nothing can be done with it")
    if same(model.name, name):
        raise Refusal(
            f"{model.shown} and {name.short} are the same name to the server: case does not count",
            remedy="to change the case of a name, rename it to another name first",
        )
    return model.name


def _new_name(typed: str) -> ModelName:
    """A name for a copy; raises InvalidName for one that a server would take for a cloud model.

    Copy does not read the suffixes :cloud and :local as every other request does.
    """
    name = from_typed(typed)
    if name.is_cloud or typed.strip().casefold().endswith(":local"):
        raise InvalidName(
            f"{name.short} cannot be a local name: its tag means a cloud model to the server",
            remedy="choose another tag",
        )
    return name
