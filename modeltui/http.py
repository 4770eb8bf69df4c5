"""Alone makes httpx clients: proxies, certificate authorities, client certificates, headers."""

import re
import sys
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from modeltui import __version__
from modeltui.errors import ConfigError

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_S = 5.0
USER_AGENT = f"modeltui/{__version__}"
_CREDENTIALS = re.compile("(?i)auth|cookie|key|token|secret|pass|sign")
_LONGEST_WORD = 16


@dataclass(frozen=True, slots=True)
class Access:
    """What a request to one server carries beside its address: all of it secret but the CA file."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca_file: Path | None = None
    client_cert: Path | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Header values as they must never appear anywhere: those of headers that carry credentials, with
        what follows the scheme, and any other that is too long for a plain word or number.
        """
        found: set[str] = set()
        for name, value in self.headers:
            if _CREDENTIALS.search(name):
                found |= {value, *value.split()[1:]}
            elif len(value) >= _LONGEST_WORD and name.lower() != "host":
                found.add(value)
        return tuple(found)


_NO_ACCESS = Access()


def make_client(
    base_url: str, *, access: Access = _NO_ACCESS, direct: bool = False, follow_redirects: bool = False
) -> "httpx.AsyncClient":
    """A client for `base_url`; `direct` keeps proxies of the environment out (loopback).

    No timeouts are set but the one to connect: each call chooses its own. Raises ConfigError for a CA
    file, a client certificate or a proxy of the environment that cannot be used.
    """
    import httpx  # a list of a server on this machine does without

    _search_once()
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    headers.update(access.headers)
    plain = base_url.startswith("http://") and not follow_redirects
    verify = False if plain else _context(access)
    try:
        return httpx.AsyncClient(
            base_url=base_url,
            headers=headers,
            verify=verify,
            trust_env=not direct,
            follow_redirects=follow_redirects,
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            # Longer than any poll: each would make its connections anew.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=60),
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        if direct:
            raise
        raise ConfigError(
            f"the proxy of the environment cannot be used: {error}",
            remedy="correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or set NO_PROXY=*",
        ) from None


@cache
def _search_once() -> None:
    """Let no request look for sniffio where it is not installed.

    httpcore imports it anew for each of its locks: a search of the disk that is half of what a request costs.
    """
    if find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]  # so an import says it is not there


def _context(access: Access) -> "ssl.SSLContext":
    """Verify certificates always; against `ca_file` where one is set."""
    import ssl

    key, path = "ca_file", access.ca_file
    try:
        if access.ca_file is None and access.client_cert is None:
            return _usual_context()
        context = ssl.create_default_context(cafile=path)
        if access.client_cert is not None:
            key, path = "client_cert", access.client_cert
            context.load_cert_chain(path, password="")  # never ask for one at the terminal
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{key} “{path}” cannot be used: {reason}", remedy=f"correct {key}") from None
    return context


@cache
def _usual_context() -> "ssl.SSLContext":
    """This machine's authorities, read once: each time it would take tens of milliseconds."""
    import ssl

    return ssl.create_default_context()
