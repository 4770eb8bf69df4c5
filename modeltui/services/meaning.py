"""What a typed name means, before anything is done with it: by what is installed, the catalog, a registry."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from modeltui.domain.catalog.resolving import Meaning, Resolution, resolve
from modeltui.domain.catalog.series import Catalog, is_library
from modeltui.domain.models import Model, find
from modeltui.domain.names import ModelName, from_typed, parse
from modeltui.errors import ModeltuiError, NoSuchModel, NotFound
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.text import clean_line

LIMIT_S = 3.0
"""So long a registry may take to say whether it has a tag that the catalog does not know."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The name that is acted on; `words` say what a person should know before, "" where that is nothing.

    `is_other`: it is not the one that was typed. `near` are names like it, should its registry not know it.
    """

    name: ModelName
    words: str = ""
    near: tuple[str, ...] = ()
    is_other: bool = False


async def catalog_of(services: Services) -> Catalog:
    """The catalog as this user has it, read off the event loop."""
    from modeltui.catalog.loading import load

    return await asyncio.to_thread(load, services.paths)


async def meant_to_pull(
    services: Services, typed: Sequence[str], link: Link | None = None
) -> tuple[Meant, ...]:
    """What is to be pulled, name by name; raises InvalidName, and NoSuchModel where several may be meant.

    A tag that the catalog does not know may be newer than it: its registry is asked first, and what that has
    is pulled as it was typed. What neither knows is tried as typed, too: the server may know more. What is
    installed on `link` is a name as it is.
    """
    names = [from_typed(each) for each in typed]
    if not any(map(is_library, names)):
        return tuple(Meant(name) for name in names)
    catalog, models = await asyncio.gather(catalog_of(services), _listed(link))
    here = [model.name for model in models if model.name is not None]
    found = [resolve(each, catalog, here) for each in typed]
    return tuple(
        await asyncio.gather(
            *(_to_pull(services, name, each) for name, each in zip(names, found, strict=True))
        )
    )


async def meant_here(
    services: Services, typed: str, models: tuple[Model, ...], missing: NoSuchModel
) -> tuple[Model, str]:
    """The installed model that a person means by a name that is not installed, and what to say before.

    Raises NoSuchModel: `missing`, or one that names what the catalog would pull for it, or what comes near.
    """
    here = [model.name for model in models if model.name is not None]
    found = resolve(typed, await catalog_of(services), here)
    if found.is_changed and found.name is not None:
        model = find(models, parse(found.name))
        if model is not None:
            return model, found.words
        raise NoSuchModel(
            f"{found.words}, and is not installed",
            remedy=f"pull it: modeltui pull {found.name}",
            alternatives=(found.name,),
        )
    if found.kind in (Meaning.SEVERAL, Meaning.RETIRED):
        raise no_such_model(found)
    if found.kind is Meaning.UNKNOWN and found.alternatives:
        near = ", ".join(found.alternatives)
        raise NoSuchModel(
            missing.message,
            remedy=f"{missing.remedy}; in the catalog near it: {near}",
            alternatives=found.alternatives,
        )
    if found.words and found.kind is not Meaning.UNKNOWN:
        raise NoSuchModel(
            f"{missing.message}; {found.words}", remedy=missing.remedy, alternatives=missing.alternatives
        )
    raise missing


async def near_in_catalog(services: Services, name: ModelName) -> tuple[str, ...]:
    """Names of the catalog like one that a registry does not know; none for another registry's."""
    if not is_library(name):
        return ()
    found = resolve(name.short, await catalog_of(services))
    return found.alternatives if found.name is None or not found.is_changed else (found.name,)


async def _listed(link: Link | None) -> tuple[Model, ...]:
    try:
        return () if link is None else await link.api.models()
    except ModeltuiError:
        return ()  # whoever needs the list will say what is wrong with it


async def _to_pull(services: Services, name: ModelName, found: Resolution) -> Meant:
    if found.kind is Meaning.UNKNOWN:
        return Meant(name, near=found.alternatives)
    if not found.is_changed and found.name is not None:
        return Meant(name, found.words, found.alternatives)
    if await _is_at_registry(services, name):
        note = found.words if found.kind is Meaning.RETIRED else ""
        return Meant(name, note and f"{note}; the registry still has it")
    if found.name is None:
        raise no_such_model(found)
    return Meant(parse(found.name), found.words, is_other=True)


async def _is_at_registry(services: Services, name: ModelName) -> bool:
    """Whether the registry of a name has it, for certain."""
    from modeltui.services.preflight import announced

    if not services.config.lookup:
        return False
    try:
        async with asyncio.timeout(LIMIT_S):
            await announced(services, name)
    except NotFound:
        return False
    except (ModeltuiError, TimeoutError):
        return False  # nobody can say: then the catalog's word counts
    return True


def no_such_model(found: Resolution) -> NoSuchModel:
    """The error of a name that stands for no one model, with those that it may mean."""
    near = ", ".join(found.alternatives)
    remedy = f"name one of these: {near}" if near else "modeltui catalog lists what there is"
    words = found.words or f"the catalog knows nothing of {clean_line(found.typed)}"
    return NoSuchModel(words, remedy=remedy, alternatives=found.alternatives)
