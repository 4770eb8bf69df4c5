"""Where a server is: the rules of OLLAMA_HOST, and the key under which everything of a server is stored.

Source: ollama envconfig/config.go, Host and ConnectableHost (v0.33).
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from modeltui.errors import UsageError
from modeltui.text import clean_line, is_clean_line

DEFAULT_PORT = 11434


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The connectable URL of a server, in parts."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """Without a trailing slash; this is also the key that identifies the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_plain_remote(self) -> bool:
        """Whether requests cross a network unencrypted."""
        return self.scheme == "http" and not self.is_loopback


def parse_endpoint(value: str, *, strict: bool = False) -> Endpoint:
    """Read `value` by the rules of OLLAMA_HOST; raises UsageError for what no server can be at.

    A bind address (0.0.0.0, ::, or none) becomes the loopback address; a bad port the default one, or,
    where it is typed for us (`strict`), an error.
    User-info is refused: it would be a secret in an address.
    """
    text = value.strip().strip("\"'").strip()
    if "@" in text:
        # Anywhere: a password may hold a slash, and it must not be taken for a path and stored.
        raise UsageError(
            "an address must not hold a user or a password",
            remedy="use `headers` or `token_env` of [servers.NAME] in config.toml",
        )
    scheme, has_scheme, rest = text.partition("://")
    if not has_scheme:
        scheme, rest = "http", text
    scheme = scheme.lower()
    default_port = {"http": 80, "https": 443}.get(scheme, DEFAULT_PORT) if has_scheme else DEFAULT_PORT
    if text == "ollama.com":
        scheme, default_port = "https", 443
    if scheme not in ("http", "https"):
        raise UsageError(
            f"cannot use the address “{_shown(value)}”: its scheme is neither http nor https",
            remedy="for example: http://gpubox:11434",
        )
    authority, _, path = rest.partition("/")
    host, port = _split_port(authority, default_port)
    if strict and port is None:
        raise UsageError(
            f"cannot use the address “{clean_line(value.strip())}”: its port is no number up to 65535",
            remedy="for example: http://gpubox:11434",
        )
    port = default_port if port is None else port
    host = _connectable(host.lower())
    endpoint = Endpoint(scheme, host, port, "/" + path.strip("/") if path.strip("/") else "")
    _refuse_nonsense(endpoint, value)
    return endpoint


def _split_port(authority: str, default: int) -> tuple[str, int | None]:
    """Split as Go's net.SplitHostPort does; the default port where there is none, None for a bad one."""
    bare = authority.removeprefix("[").removesuffix("]")
    if _is_address(bare):
        return bare, default
    host, colon, port = authority.rpartition(":")
    if not colon:
        return authority, default
    host = host.removeprefix("[").removesuffix("]")
    digits = port.removeprefix("+")
    if digits.isascii() and digits.isdigit() and (number := int(digits.lstrip("0")[:9] or 0)) <= 65535:
        return host, number
    return host, None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _connectable(host: str) -> str:
    if host in ("", "0.0.0.0"):
        return "127.0.0.1"
    if _is_address(host):
        address = ipaddress.ip_address(host)
        return "::1" if address.is_unspecified else address.compressed
    return host


def _refuse_nonsense(endpoint: Endpoint, value: str) -> None:
    try:
        host = urlsplit(endpoint.url).hostname
    except ValueError:
        host = None
    forbidden = set(" \"'<>\\^`{|}?#")
    if (
        not host
        or not is_clean_line(value.strip())
        or "%" in endpoint.host
        or forbidden & set(endpoint.host + endpoint.path)
    ):
        raise UsageError(
            f"cannot use the address “{_shown(value)}”: it is not a server's address",
            remedy="for example: 127.0.0.1:11434, gpubox, https://gpubox/ollama",
        )


def _shown(value: str) -> str:
    return clean_line(value.strip(), 120)
