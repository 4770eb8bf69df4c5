"""Looks at the server after a pull: `success` alone is no proof that a model is there and whole."""

import asyncio
import re
from contextlib import suppress

from modeltui.domain.models import ModelDetails, find
from modeltui.domain.names import ModelName
from modeltui.domain.transfers import CheckResult, Manifest
from modeltui.errors import ModeltuiError, NotFound, Refused, ServerError, ServerFailed, Unsupported
from modeltui.services.library import Library
from modeltui.services.opening import Opening
from modeltui.services.preflight import AT_ONCE, announced, missing_blobs
from modeltui.services.scanning import scan
from modeltui.services.servers import Link
from modeltui.services.tree import Services

_LATE_LOOKS = 4
_LATE_S = 0.5
_REGISTRY_S = 3.0
_WEIGHTS = ".image.model"
_KEEPS_MANIFESTS = (0, 19)

Finding = tuple[CheckResult, str]


async def check_pulled(
    services: Services, link: Link, name: ModelName, manifest: Manifest | None, *, again: bool = False
) -> Finding:
    """Is it listed with the announced digest, can it be opened, is every layer there? With words.

    What is not whole is kept and marked damaged. `again`: it was pulled once more because of that. Each check
    is one row of activity.
    """
    try:
        result, words = await _judged(services, link, name, manifest, again)
    except ServerError as error:
        result, words = CheckResult.UNKNOWN, f"not checked: {error.message}"
    services.log(link, "check", name.short, None if result is CheckResult.INSTALLED else words)
    return result, words


async def _judged(
    services: Services, link: Link, name: ModelName, manifest: Manifest | None, again: bool
) -> Finding:
    opening = Opening(services, link)
    model = find(await link.api.models(), name)
    if model is None:
        return CheckResult.MISSING, "the server says success and does not list it"
    if manifest is not None and model.digest != manifest.digest:
        manifest = await _announced_now(services, name) or manifest
    try:
        details = None if model.is_cloud else await opening.details(name, model.digest)
    except (NotFound, Refused, ServerFailed) as error:
        if error.status not in (400, 404, 500):
            raise  # of a proxy, or of a server that is busy: it tells nothing of the model
        words = f"the server cannot open it ({error.words})"
        opening.mark_damaged(model.digest, words)
        return CheckResult.DAMAGED, words
    damage, words = await _layers(link, details, manifest)
    if damage is None and manifest is not None and model.digest != manifest.digest:
        words = words or "every layer checked; this server writes manifests of its own"
        # Once more where it does not: that costs no byte, and settles whether it can be had otherwise.
        if not again and _keeps_manifests(await link.api.version()):
            damage = "its manifest is not the one that the registry announces"
    if damage is not None:
        opening.mark_damaged(model.digest, damage, layers=True)
        return CheckResult.DAMAGED, damage
    opening.mark_whole(model.digest)
    await Library(services, link).relist()
    scanned = await scan(services, link, model, details, manifest)
    return CheckResult.INSTALLED, ", ".join(filter(None, (words or "digest checked", scanned)))


async def _layers(
    link: Link, details: ModelDetails | None, manifest: Manifest | None
) -> tuple[str | None, str]:
    """What is wrong with the layers of a model that opens, or None; and what could not be checked."""
    if details is None:
        return None, "it runs elsewhere: nothing lies here to be checked"
    if manifest is not None and _stands_elsewhere(details, manifest):
        return "its weights are not those that the registry announces", ""
    digests = {blob.digest for blob in manifest.blobs} if manifest else {details.weights or ""} - {""}
    try:
        missing = await missing_blobs(link, sorted(digests), asyncio.Semaphore(AT_ONCE))
    except (Refused, Unsupported) as error:
        return None, f"opened by the server; its layers cannot be looked for ({error.words})"
    if missing:
        return f"{len(missing)} of {len(digests)} layers are not on the server", ""
    return None, "" if manifest else "opened by the server; no manifest to compare it with"


def _stands_elsewhere(details: ModelDetails, manifest: Manifest) -> bool:
    """Whether a model that opens has other weights than those announced, as far as both are known."""
    weights = {blob.digest for blob in manifest.blobs if blob.media_type.endswith(_WEIGHTS)}
    return bool(weights) and details.weights is not None and details.weights not in weights


def _keeps_manifests(version: str | None) -> bool:
    """Whether a server lists the digest that its registry announces (since 0.19); else it writes its own."""
    match = re.match(r"(\d{1,6})\.(\d{1,6})\.", version or "")
    return match is not None and (int(match[1]), int(match[2])) >= _KEEPS_MANIFESTS


async def _announced_now(services: Services, name: ModelName) -> Manifest | None:
    """What the registry announces by now: the tag may have moved while it was pulled."""
    if services.config.lookup:
        with suppress(ModeltuiError, TimeoutError):
            async with asyncio.timeout(_REGISTRY_S):
                return await announced(services, name)
    return None


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
