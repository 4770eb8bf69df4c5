"""Asks a registry for the version of a model by its head alone, and for the small parts of a version.

Protocol: HEAD /v2/<ns>/<model>/manifests/<tag> at ollama.com has the headers ollama-content-digest (hex)
and ollama-push-time (unix seconds), as the official app reads them (app/ui/ui.go checkModelUpstream); the
registry itself refuses HEAD with 405, other registries have neither header: there the manifest is read.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from modeltui import errors
from modeltui.domain.names import DEFAULT_HOST, ModelName
from modeltui.domain.transfers import Blob, Manifest
from modeltui.domain.updates import Parts
from modeltui.registry.manifests import ask, manifest_url
from modeltui.text import clean_line, clean_text

_SITE = "https://ollama.com"
_KIND = "application/vnd.ollama.image."
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_PUSHED = re.compile(r"[0-9]{1,11}")


@dataclass(frozen=True, slots=True)
class Head:
    """A registry's version: its digest (64 hex digits), and when it was pushed (UTC ms), None if unsaid."""

    digest: str
    pushed: int | None


def head_url(name: ModelName, base_url: str | None) -> str | None:
    """Where a HEAD tells the version, None if nowhere; `base_url` is the configured one."""
    if name.host.casefold() != DEFAULT_HOST:
        return None
    return base_url or _SITE


async def look_at_head(name: ModelName, base_url: str) -> Head | None:
    """What a HEAD says; None where it says no digest. Raises ServerError (NotFound: no such tag there)."""
    what = f"cannot ask for the version of {name.short}"
    headers = (await ask(what, manifest_url(name, base_url), "HEAD")).headers
    digest = _DIGEST.fullmatch(headers.get("ollama-content-digest", "").strip().lower())
    pushed = _PUSHED.fullmatch(headers.get("ollama-push-time", "").strip())
    return Head(digest[1], int(pushed[0]) * 1000 if pushed else None) if digest else None


async def read_parts(name: ModelName, manifest: Manifest, base_url: str) -> Parts:
    """What a version says beside its weights: reads its small layers; raises ServerError."""
    of_kind = {blob.media_type.removeprefix(_KIND): blob for blob in manifest.blobs}

    async def text(*kinds: str) -> str | None:
        blob = next((of_kind[kind] for kind in kinds if kind in of_kind), None)
        return None if blob is None else (await _read(name, blob, base_url)) or None

    return Parts(
        weights=frozenset(blob.digest for blob in manifest.blobs if blob.media_type == f"{_KIND}model"),
        parameters=_parameters(await text("params")),
        template=await text("template", "prompt"),
        system=await text("system"),
        has_messages="messages" in of_kind,
        has_adapter="adapter" in of_kind,
    )


async def read_config(name: ModelName, manifest: Manifest, base_url: str) -> dict[str, str]:
    """The words of a version's config (model_family, model_type, file_type ...); raises ServerError."""
    written = await _read(name, manifest.blobs[-1], base_url)
    words = {key: value for key, value in _parameters(written).items() if isinstance(value, str)}
    return {key: value for key, value in words.items() if value}


async def _read(name: ModelName, blob: Blob, base_url: str) -> str:
    """A small layer as text, cleaned as a server's answers are."""
    url = f"{base_url.rstrip('/')}/v2/{name.namespace}/{name.model}/blobs/{blob.digest}"
    what = f"cannot read a small layer of {name.short}"
    body = (await ask(what, url)).body
    if f"sha256:{hashlib.sha256(body).hexdigest()}" != blob.digest.lower():
        raise errors.Garbled(
            what, url=url, words="the registry sent something else than it announced", remedy=""
        )
    return clean_text(body.decode("utf-8", "replace"))


def _parameters(written: str | None) -> dict[str, object]:
    """The layer of parameters; what cannot be read is none, so that everything installed is its own."""
    try:
        found = json.loads(written or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {clean_line(key, 64): _value(value) for key, value in found.items()}


def _value(value: object) -> object:
    if isinstance(value, list):
        return [_value(each) for each in value if not isinstance(each, list | dict)]
    return clean_line(value) if isinstance(value, str) else value
