"""Reads the manifest of a name from its registry: exact sizes and digests before a pull.

Asked from this machine, only for a pull or a details view. Protocol: GET /v2/<ns>/<model>/manifests/<tag>;
the digest that servers (>= 0.19.0) list is the sha256 of the manifest's raw bytes.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from modeltui import errors
from modeltui.domain.endpoint import parse_endpoint
from modeltui.domain.manifests import LARGEST_BYTES, decode
from modeltui.domain.names import ModelName
from modeltui.domain.transfers import Manifest
from modeltui.http import make_client

ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"
TOTAL_S = 10.0
_MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """What a registry answered with status 200; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes


async def look_up(name: ModelName, base_url: str) -> Manifest:
    """The manifest that the registry at `base_url` announces; raises ServerError (NotFound: no such tag)."""
    url = manifest_url(name, base_url)
    what = f"cannot look up {name.short} at its registry"
    reply = await ask(what, url)
    try:
        return decode(reply.body)
    except ValueError:
        raise errors.Garbled(what, url=url, words="its answer is no manifest", remedy="") from None


def manifest_url(name: ModelName, base_url: str) -> str:
    """Where a registry has the manifest of a name."""
    return f"{base_url.rstrip('/')}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"


async def ask(
    what: str,
    url: str,
    method: str = "GET",
    *,
    accept: str = ACCEPT,
    limit_s: float = TOTAL_S,
    largest: int = LARGEST_BYTES,
) -> Reply:
    """Ask a registry for one small thing, `what` being the words of an error; raises ServerError.

    `limit_s` is for all of it, `largest` the most bytes of an answer.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await _request(what, method, url, accept, largest)
    except TimeoutError:
        raise errors.TimedOut(what, url=url, words=f"no answer in {limit_s:.0f} s", remedy="") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        raise errors.Unreachable(what, url=url, words=_why(error), remedy="") from None
    except (ValueError, errors.UsageError):
        raise errors.Garbled(what, url=url, words="not an address that is asked", remedy="") from None


async def _request(what: str, method: str, url: str, accept: str, largest: int) -> Reply:
    """Follow few redirects, never to plain http on another machine."""
    for _ in range(_MOST_REDIRECTS):
        _refuse_plain(what, url)
        parts = urlsplit(url)
        loopback = parse_endpoint(f"{parts.scheme}://{parts.netloc}", strict=True).is_loopback
        # In a thread: the first one of a program reads the machine's certificates.
        made = await asyncio.to_thread(make_client, f"{parts.scheme}://{parts.netloc}", direct=loopback)
        async with (
            made as client,
            client.stream(method, url, headers={"Accept": accept}) as response,
        ):
            if response.is_redirect:
                url = urljoin(url, response.headers.get("location", ""))
                continue
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > largest:
                    raise errors.Garbled(what, url=url, words="its answer does not end", remedy="")
            if response.status_code != 200:
                raise _refusal(what, url, response.status_code)
            return Reply(dict(response.headers), bytes(body))
    raise errors.Garbled(what, url=url, words="too many redirects", remedy="")


def _why(error: Exception) -> str:
    """Why nothing was heard. A machine without a way out, whose server has one, says so in a word."""
    words = str(error) or type(error).__name__
    is_tls = "ssl" in words.casefold() or "certificate" in words.casefold()
    if isinstance(error, httpx.ConnectError) and not is_tls:
        return "not reachable from here"
    return words


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
    if status == 429:
        return errors.Busy(what, url=url, status=status, words="the registry wants to be asked less")
    kind = errors.ServerFailed if status >= 500 else errors.Refused
    return kind(what, url=url, status=status, words=f"HTTP {status}", remedy="")
