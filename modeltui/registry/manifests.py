"""Reads the manifest of a name from its registry: exact sizes and digests before a pull.

Asked from this machine, only for a pull or a details view. Protocol: GET /v2/<ns>/<model>/manifests/<tag>;
the digest that servers (>= 0.19.0) list is the sha256 of the manifest's raw bytes.
"""

import asyncio
import hashlib
import json
import re
from urllib.parse import urljoin, urlsplit

import httpx

from modeltui import errors
from modeltui.domain.endpoint import parse_endpoint
from modeltui.domain.names import ModelName
from modeltui.domain.transfers import Blob, Manifest
from modeltui.http import make_client
from modeltui.text import clean_line

ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"
TOTAL_S = 10.0
_MOST_BYTES = 4 * 2**20
_MOST_LAYERS = 20_000
_MOST_REDIRECTS = 3
_DIGEST = re.compile(r"sha256:[0-9a-fA-F]{64}")


async def look_up(name: ModelName, base_url: str) -> Manifest:
    """The manifest that the registry at `base_url` announces; raises ServerError (NotFound: no such tag)."""
    url = f"{base_url.rstrip('/')}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"
    what = f"look up {name.short} at its registry"
    try:
        async with asyncio.timeout(TOTAL_S):
            body = await _get(what, url)
    except TimeoutError:
        raise errors.TimedOut(what, url=url, words=f"no answer in {TOTAL_S:.0f} s", remedy="") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        words = str(error) or type(error).__name__
        raise errors.Unreachable(what, url=url, words=words, remedy="") from None
    except (ValueError, errors.UsageError):
        raise errors.Garbled(what, url=url, words="not an address that is asked", remedy="") from None
    return _decoded(what, url, body)


async def _get(what: str, url: str) -> bytes:
    """Follow few redirects, never to plain http on another machine."""
    for _ in range(_MOST_REDIRECTS):
        _refuse_plain(what, url)
        parts = urlsplit(url)
        loopback = parse_endpoint(f"{parts.scheme}://{parts.netloc}", strict=True).is_loopback
        async with (
            make_client(f"{parts.scheme}://{parts.netloc}", direct=loopback) as client,
            client.stream("GET", url, headers={"Accept": ACCEPT}) as response,
        ):
            if response.is_redirect:
                url = urljoin(url, response.headers.get("location", ""))
                continue
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise errors.Garbled(what, url=url, words="the manifest does not end", remedy="")
            if response.status_code != 200:
                raise _refusal(what, url, response.status_code)
            return bytes(body)
    raise errors.Garbled(what, url=url, words="too many redirects", remedy="")


def _refuse_plain(what: str, url: str) -> None:
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.scheme not in ("http", "https") or not parts.hostname:
        raise errors.Garbled(what, url=url, words="not an address that is asked", remedy="")
    if parts.scheme == "http" and not parse_endpoint(f"http://{parts.netloc}", strict=True).is_loopback:
        raise errors.Refused(what, url=url, words="plain http is asked on loopback only", remedy="")


def _refusal(what: str, url: str, status: int) -> errors.ServerError:
    if status == 404:
        return errors.NotFound(what, url=url, status=status, words="the registry knows no such model or tag")
    if status in (401, 403):
        return errors.Refused(what, url=url, status=status, words="the registry wants a sign-in", remedy="")
    kind = errors.ServerFailed if status >= 500 else errors.Refused
    return kind(what, url=url, status=status, words=f"HTTP {status}", remedy="")


def _decoded(what: str, url: str, body: bytes) -> Manifest:
    try:
        manifest = json.loads(body)
        listed = manifest["layers"][:_MOST_LAYERS]
        blobs = tuple(_blob(entry) for entry in [*listed, manifest["config"]])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise errors.Garbled(what, url=url, words="its answer is no manifest", remedy="") from None
    return Manifest(hashlib.sha256(body).hexdigest(), blobs)


def _blob(entry: dict[str, object]) -> Blob:
    """One layer; ValueError for one without a digest or a size."""
    digest, size, kind = entry["digest"], entry["size"], entry.get("mediaType")
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise ValueError
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**60:
        raise ValueError
    return Blob(digest, size, clean_line(kind) if isinstance(kind, str) else "")
