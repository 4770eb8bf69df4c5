"""Finds the models directory of a server on this machine, and proves that it is that server's own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modeltui.domain.models import Model
from modeltui.errors import Refusal
from modeltui.services.servers import Link
from modeltui.services.serving import with_the_servers
from modeltui.services.tree import Services
from modeltui.text import clean_line

if TYPE_CHECKING:
    from modeltui.hardware.here import Listener


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A models directory and what its server lists: `held` models have their manifests there, `absent` not.

    A model without a name or a digest is neither: it cannot be looked for.
    """

    root: Path
    models: tuple[Model, ...]
    held: int
    absent: tuple[Model, ...]


async def model_files(services: Services, link: Link) -> ModelFiles:
    """The directory that holds what the server lists; raises Refusal with the reason, ServerError."""
    seen: dict[int, Sequence[Listener]] = {}
    await asyncio.to_thread(_refuse_elsewhere, link, seen, answers=False)  # no request where that tells
    models = await link.api.models()
    await asyncio.to_thread(_refuse_elsewhere, link, seen, answers=True)
    environ = await with_the_servers(services, link.endpoint.port)
    return await asyncio.to_thread(_find, environ, link, models)


def _refuse_elsewhere(link: Link, seen: dict[int, "Sequence[Listener]"], *, answers: bool) -> None:
    """`seen` keeps who listens: to look through all sockets of a machine can take a tenth of a second."""
    from modeltui.hardware.here import is_here, listeners_on

    def listeners(port: int) -> "Sequence[Listener] | None":
        found = seen.get(port) or listeners_on(port)
        seen[port] = found or ()
        return found

    endpoint = link.endpoint
    here = is_here(endpoint.host, endpoint.port, configured=link.local, answers=answers, listeners=listeners)
    if not here.here:
        raise Refusal(
            f"the files of {link.name} cannot be looked at from here: {here.why}",
            remedy="run this on the server's machine; if this is it: local = true in its [servers.…]",
            url=link.endpoint.url,
        )


def _find(environ: Mapping[str, str], link: Link, models: tuple[Model, ...]) -> ModelFiles:
    from modeltui.hardware.here import models_directories

    # The same directory by two paths is one.
    places = list(dict.fromkeys(path.resolve() for path in models_directories(environ, Path.home())))
    if not places:
        raise _unknown(link, "no models directory can be read here")
    found = [_held(root, models) for root in places]
    proven = [files for files in found if files.held]
    is_named = bool(environ.get("OLLAMA_MODELS"))  # it is looked at first
    if not models and (is_named or len(places) == 1):
        # Nothing to compare: a directory without any manifest is what such a server has.
        proven = [files for files in found[:1] if _is_bare(files.root)]
    if not proven:
        words = "nothing is installed that would prove" if not models else "the manifests do not prove"
        raise _unknown(link, f"{words} that {_listed(places)} is what the server uses")
    most = max(files.held for files in proven)
    equal = [files for files in proven if files.held == most]
    if len(equal) > 1 and not (is_named and equal[0].root == places[0]):
        words = f"{_listed([files.root for files in equal])} hold the same models, and which one is used"
        raise _unknown(link, f"{words} is not known")
    return equal[0]


def _held(root: Path, models: tuple[Model, ...]) -> ModelFiles:
    from modeltui.hardware.here import holds_manifest

    held, absent = 0, []
    for model in models:
        name = model.name
        if name is None or model.digest is None:
            continue
        if holds_manifest(root, name.host, name.namespace, name.model, name.tag, model.digest):
            held += 1
        else:
            absent.append(model)
    return ModelFiles(root, models, held, tuple(absent))


def _is_bare(root: Path) -> bool:
    """Whether no manifest lies there."""
    try:
        return not any(path.is_file() for path in (root / "manifests").rglob("*"))
    except OSError:
        return False


def _listed(places: list[Path]) -> str:
    return ", ".join(clean_line(str(path)) for path in places)


def _unknown(link: Link, words: str) -> Refusal:
    return Refusal(
        f"the files of {link.name} cannot be found: {words}",
        remedy="set OLLAMA_MODELS to the server's models directory, and run this as a user who may read it",
        url=link.endpoint.url,
    )
