"""Finds out which layers would go with installed models, as far as that can be known."""

import asyncio
from collections.abc import Iterable

from modeltui.domain.models import Model
from modeltui.domain.names import same
from modeltui.domain.transfers import Manifest
from modeltui.errors import ModeltuiError, Refusal
from modeltui.services.modelfiles import model_files
from modeltui.services.servers import Link
from modeltui.services.tree import Services

_LIMIT_S = 3.0


async def layers_going(
    services: Services, link: Link, going: Iterable[Model], staying: Iterable[Model]
) -> frozenset[str] | None:
    """The digests of the layers that may go when these models are deleted; None where one is not known.

    No layer of a model goes while another name has the same manifest. A server says only which weights a
    model has: the rest is in its manifest, on this machine or, unchanged since, at its registry. Raises
    ServerError.
    """
    kept = {model.digest for model in staying if model.digest is not None}
    gone = [m for m in going if m.name is not None and not m.is_cloud and m.digest not in kept]
    on_disk = await _on_disk(services, link) if gone else {}
    layers: set[str] = set()
    for model in gone:
        manifest = on_disk.get(model.digest or "") or await _announced(services, model)
        if manifest is None:
            return None
        layers |= {blob.digest for blob in manifest.blobs}
    # What is being pulled under its name takes its place meanwhile.
    for row in services.store.queue.open():
        if row.server_id == link.id and any(same(row.transfer.sent, model.name) for model in gone):
            layers |= services.store.queue.blobs(row.number) or frozenset()
    return frozenset(layers)


async def _on_disk(services: Services, link: Link) -> dict[str, Manifest]:
    """The manifests of a server that is here, by digest; none of one that is elsewhere."""
    from modeltui.modeldir.reading import read

    try:
        root = (await model_files(services, link)).root
    except Refusal:
        return {}
    contents = await asyncio.to_thread(read, root)
    return {stored.manifest.digest: stored.manifest for stored in contents.manifests}


async def _announced(services: Services, model: Model) -> Manifest | None:
    """What its registry announces, if that is what is installed."""
    from modeltui.registry.manifests import look_up

    if model.name is None or model.digest is None or not services.config.lookup:
        return None
    registry = services.config.registry(model.name.host)
    try:
        async with asyncio.timeout(_LIMIT_S):
            manifest = await look_up(model.name, registry.url(model.name.host))
    except (ModeltuiError, TimeoutError):
        return None
    return manifest if manifest.digest == model.digest else None
