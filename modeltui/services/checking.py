"""Looks at the server after a pull: `success` alone is no proof that a model is there and whole."""

import asyncio

from modeltui.domain.models import find
from modeltui.domain.names import ModelName
from modeltui.domain.transfers import CheckResult, Manifest
from modeltui.errors import NotFound, Refused, ServerError, Unsupported
from modeltui.services.library import Library
from modeltui.services.servers import Link
from modeltui.services.tree import Services

_AT_ONCE = 8
_LATE_LOOKS = 4
_LATE_S = 0.5

Finding = tuple[CheckResult, str]


async def check_pulled(services: Services, link: Link, name: ModelName, manifest: Manifest | None) -> Finding:
    """Is it listed with the announced digest, can it be opened, is every layer there? With words.

    A digest that differs is settled by the layers: servers before 0.19 write the manifest anew.
    """
    library = Library(services, link)
    try:
        model = find(await link.api.models(), name)
        if model is None:
            return CheckResult.MISSING, "the server says success and does not list it"
        try:
            details = await library.details(name, model.digest)
        except NotFound as error:
            return CheckResult.DAMAGED, f"the server cannot open it ({error.words})"
        digests = {blob.digest for blob in manifest.blobs} if manifest else {details.weights or ""} - {""}
        try:
            missing = await _missing(link, sorted(digests))
        except (Refused, Unsupported) as error:
            words = f"opened by the server; its layers cannot be looked for ({error.words})"
            return CheckResult.INSTALLED, words
    except ServerError as error:
        return CheckResult.UNKNOWN, f"not checked: {error.message}"
    if missing:
        words = f"{missing} of {len(digests)} layers are not on the server"
        library.mark_damaged(model.digest, words, layers=True)
        return CheckResult.DAMAGED, words
    library.mark_whole(model.digest)
    await library.relist()
    if manifest is None:
        return CheckResult.INSTALLED, "opened by the server; no manifest to compare it with"
    if model.digest == manifest.digest:
        return CheckResult.INSTALLED, "digest checked"
    return CheckResult.INSTALLED, "every layer checked; this server writes manifests of its own"


async def look_after_cancel(link: Link, name: ModelName, manifest: Manifest | None, started: int) -> Finding:
    """Did the server finish before it saw the cancel? Closing while it verifies cancels nothing."""
    for look in range(_LATE_LOOKS):
        if look:
            await asyncio.sleep(_LATE_S)
        try:
            model = find(await link.api.models(), name)
        except ServerError as error:
            return CheckResult.UNKNOWN, f"the server could not be asked what became of it: {error.message}"
        if model is None:
            continue
        if manifest is not None and model.digest == manifest.digest:
            return CheckResult.INSTALLED, ""
        if manifest is None and model.modified is not None and model.modified >= started:
            return CheckResult.INSTALLED, ""
    return CheckResult.MISSING, ""


async def _missing(link: Link, digests: list[str]) -> int:
    """How many of these layers the server does not have; a few requests at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def lacks(digest: str) -> bool:
        async with gate:
            return not await link.api.has_blob(digest)

    return sum(await asyncio.gather(*map(lacks, digests)))
