"""Judges what a model says of itself: where it runs, its layers, its maker, its licence, and what changed."""

import hashlib
import re
from dataclasses import dataclass

from modeltui.domain.findings import Finding, Kind
from modeltui.domain.models import Model, ModelDetails
from modeltui.domain.transfers import Manifest
from modeltui.text import clean_line


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a model and under which licence, as far as it says; compared when its tag moves.

    `licence_digest` is of the whole text, so that a change below its first line is seen, too.
    """

    publisher: str | None
    licence: str | None
    licence_digest: str | None


_LAYER = "application/vnd.ollama.image."
# Source: ollama server/images.go, server/create.go, x/create (v0.33).
_KNOWN_LAYERS = frozenset(
    {
        *("model", "projector", "adapter", "template", "prompt", "system", "params", "messages", "license"),
        *("draft", "tensor", "json", "embed"),
    }
)
_CONFIGS = frozenset({"application/vnd.docker.container.image.v1+json", ""})
_PUBLISHERS = ("general.organization", "general.author", "general.quantized_by")


def judge_details(model: Model, details: ModelDetails) -> tuple[Finding, ...]:
    """What the server's own account of a model shows."""
    found = [*details.suspicious]
    host = details.remote_host or model.remote_host
    if host is not None:
        is_ollama = re.fullmatch(r"(?:https://)?(?:www\.)?ollama\.com(?::443)?/?", host) is not None
        if not is_ollama or model.name is None or not model.name.is_cloud:
            words = f"runs at {host}: what is asked of it leaves this machine"
            found.append(Finding(Kind.REMOTE_HOST, words, not is_ollama))
    if details.adapters:
        words = f"{len(details.adapters)} adapters change what its weights say"
        found.append(Finding(Kind.ADAPTER, words))
    return tuple(found)


def judge_manifest(manifest: Manifest) -> tuple[Finding, ...]:
    """Layers of a kind that no known server makes anything of."""
    kinds = {blob.media_type for blob in manifest.blobs if blob.media_type not in _CONFIGS}
    strange = sorted(kind for kind in kinds if kind.removeprefix(_LAYER) not in _KNOWN_LAYERS)
    return tuple(Finding(Kind.LAYERS, f"a layer of the unknown kind “{kind}”") for kind in strange)


def origin(details: ModelDetails) -> Origin:
    """Who made a model and under which licence, by the server's account."""
    info = details.model_info
    publisher = next((str(info[key]) for key in _PUBLISHERS if info.get(key)), None)
    text = (details.license or "").strip()
    first = next((line.strip() for line in text.splitlines() if line.strip()), None)
    named = info.get("general.license")
    return Origin(
        publisher=publisher,
        licence=clean_line(first, 80) if first else str(named) if named else None,
        licence_digest=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if text else None,
    )


def judge_change(before: Origin, now: Origin) -> tuple[Finding, ...]:
    """What changed since another manifest stood under the same name."""
    found = []
    if before.publisher != now.publisher:
        words = f"its publisher changed from {before.publisher or 'nobody'} to {now.publisher or 'nobody'}"
        found.append(Finding(Kind.PUBLISHER, words))
    if (before.licence, before.licence_digest) != (now.licence, now.licence_digest):
        words = f"its licence changed from “{before.licence or 'none'}” to “{now.licence or 'none'}”"
        if before.licence == now.licence:
            words = f"the text of its licence changed (“{now.licence or 'none'}”)"
        found.append(Finding(Kind.LICENCE, words))
    return tuple(found)
