"""Asks a registry for one tag that is being looked at: exact bytes, digest, and what its config says."""

from dataclasses import dataclass

from modeltui.domain.memory.architecture import Facts
from modeltui.domain.models import parameter_count
from modeltui.domain.names import ModelName
from modeltui.errors import Refusal, ServerError
from modeltui.services.preflight import announced
from modeltui.services.tree import Services

_KIND = "application/vnd.ollama.image."
_LOADED = frozenset({"model", "projector", "adapter"})  # of the kinds of layers


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a registry says of a tag now (`at`, UTC ms); sizes in bytes, unknown is None.

    `parts` are the kinds of its layers with their sizes: model, projector, template ...
    """

    name: ModelName
    at: int
    url: str
    digest: str
    size: int
    parts: tuple[tuple[str, int], ...]
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None


async def look_up_tag(services: Services, name: ModelName) -> LookedUp:
    """One manifest and one small blob; raises ServerError (NotFound: no such tag), Refusal if forbidden."""
    from modeltui.registry.updates import read_config

    if not services.config.lookup:
        raise Refusal("registry.lookup is off: no registry is asked", remedy="set [registry] lookup = true")
    base_url = services.config.registry(name.host).url(name.host)
    manifest = await announced(services, name)
    try:
        config = await read_config(name, manifest, base_url)
    except ServerError as error:
        services.note(error.message)  # the manifest says what matters most
        config = {}
    layers = [(blob.media_type.removeprefix(_KIND), blob.size) for blob in manifest.blobs[:-1]]
    return LookedUp(
        name=name,
        at=services.clock(),
        url=base_url,
        digest=manifest.digest,
        size=manifest.total,
        parts=tuple(layers),
        family=config.get("model_family"),
        parameter_size=config.get("model_type"),
        quantization=config.get("file_type"),
    )


def facts_of(found: LookedUp) -> Facts | None:
    """What an estimate can use of it: what is loaded, in bytes, and no shape. None for a cloud's."""
    file = sum(size for kind, size in found.parts if kind in _LOADED)
    if not file:
        return None
    return Facts(
        file=file,
        quantization=found.quantization,
        parameters=parameter_count(found.parameter_size),
        projector=sum(size for kind, size in found.parts if kind == "projector") or None,
        source="its size alone, as its registry says",
    )
