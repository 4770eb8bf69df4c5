"""Everything known about one model: the server's facts, its siblings, its file, and who is signed in."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.models import Model, ModelDetails
from modeltui.domain.names import from_typed
from modeltui.domain.units import size
from modeltui.errors import ModeltuiError, NoSuchModel, NotFound, Refusal, ServerError
from modeltui.services.installed import installed, near_names
from modeltui.services.kinds import kinds_of
from modeltui.services.library import Entry, Library
from modeltui.services.machines import is_on_this_machine, server_of
from modeltui.services.opening import Opening
from modeltui.services.servers import Link
from modeltui.services.serving import with_the_servers
from modeltui.services.tree import Services


@dataclass(frozen=True, slots=True)
class Facts:
    """One model whole. `path` is its manifest file where the server's files are visible here."""

    entry: Entry
    details: ModelDetails
    shares_weights_with: tuple[str, ...]
    path: str | None
    account: str | None
    purpose: Purpose | None = None


def _completed(model: Model, details: ModelDetails) -> Model:
    """What the list says of a model, with what its details say better."""
    told = details.capabilities
    return replace(
        model,
        capabilities=model.capabilities if told is None else told,
        parameter_size=details.parameter_size or model.parameter_size,
        quantization=details.quantization or model.quantization,
    )


class Inspecting:
    """Details of the models of one server."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._library = Library(services, link, keeps_list=False)
        self._opening = Opening(services, link)

    async def inspect(self, typed: str) -> Facts:
        """Raises NoSuchModel (with the size of a pull, where the registry has it), Refusal when damaged."""
        listing = await self._library.listing()
        try:
            model = installed(typed, listing.models)
        except NoSuchModel as error:
            model = await self._meant(error, typed, listing.models)
        if model.name is None:
            raise Refusal(f"“{model.shown}” is no valid name: nothing can be asked about it")
        try:
            details = await self._opening.details(model.name, model.digest)
        except NotFound as error:
            raise Refusal(
                f"{model.shown} is damaged: it is listed, and the server cannot open it ({error.words})",
                remedy=f"pull it again: modeltui pull {model.shown}",
                url=error.url,
            ) from None
        entry = next(entry for entry in listing.entries if entry.model.sent == model.sent)
        copies = [each for each in listing.models if each.digest == model.digest and each.sent != model.sent]
        kind, *_ = await asyncio.to_thread(kinds_of, self._services, [_completed(model, details), *copies])
        entry = replace(entry, type=kind.type, weights=details.weights)
        return Facts(
            entry=entry,
            details=details,
            shares_weights_with=self._siblings(entry, listing.entries),
            path=await self._path(model),
            account=await self._account() if model.is_cloud else None,
            purpose=kind.purpose,
        )

    def _siblings(self, entry: Entry, entries: tuple[Entry, ...]) -> tuple[str, ...]:
        """Other models on the same weights, as far as weights have been looked up."""
        return tuple(
            other.model.shown
            for other in entries
            if other.model.sent != entry.model.sent
            and (
                (entry.weights is not None and other.weights == entry.weights)
                or (entry.model.digest is not None and other.model.digest == entry.model.digest)
            )
        )

    async def _path(self, model: Model) -> str | None:
        """The manifest file, where the server is here and its file has the digest that it lists."""
        services, link = self._services, self._link
        if not (await is_on_this_machine(services, server_of(services, link), answers=True)).here:
            return None
        environ = await with_the_servers(services, link.endpoint.port)
        return await asyncio.to_thread(_manifest_file, model, environ)

    async def _account(self) -> str | None:
        try:
            account = await self._link.api.account()
        except ServerError:
            return None  # offline, or a server without cloud: who is signed in stays unknown
        return account.name if account else None

    async def _meant(self, missing: NoSuchModel, typed: str, models: tuple[Model, ...]) -> Model:
        """What else is installed and meant, and said; raises NoSuchModel with what else is known."""
        from modeltui.services.meaning import meant_here

        missing, is_there = await self._with_size(missing, typed, models)
        if is_there:
            raise missing  # the registry has it just as it was typed
        model, words = await meant_here(self._services, typed, models, missing)
        self._services.tell(f"{words}: {model.shown} is shown")
        return model

    async def _with_size(
        self, error: NoSuchModel, typed: str, models: tuple[Model, ...]
    ) -> tuple[NoSuchModel, bool]:
        """The error with what the registry says, and whether that has it."""
        from modeltui.registry.manifests import look_up

        if not self._services.config.lookup:
            return error, False
        name = from_typed(typed)
        try:
            manifest = await look_up(name, self._services.config.registry(name.host).url(name.host))
        except NotFound:
            near = near_names(name, models)
            remedy = "check the name and the tag: modeltui ls lists what is installed"
            if near:
                remedy = f"installed and near it: {', '.join(near)}"
            told = NoSuchModel(f"{error.message}, and its registry has no such tag", remedy=remedy)
            return told, False
        except ModeltuiError:
            return error, False  # the registry could not be asked: nothing is known beside the error
        remedy = f"pull it, {size(manifest.total)}: modeltui pull {name.short}"
        return NoSuchModel(error.message, remedy=remedy), True


def _manifest_file(model: Model, environ: Mapping[str, str]) -> str | None:
    from modeltui.hardware.here import holds_manifest, models_directories

    name = model.name
    if name is None or model.digest is None:
        return None
    for place in models_directories(environ, Path.home()):
        if holds_manifest(place, name.host, name.namespace, name.model, name.tag, model.digest):
            return str(place / "manifests" / name.host / name.namespace / name.model / name.tag)
    return None
