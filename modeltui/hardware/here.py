"""Alone responsible for telling whether a server is on this machine, and where its models would lie."""

import hashlib
import os
import socket
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise
from pathlib import Path

from modeltui.text import clean_line

Address = IPv4Address | IPv6Address

_LOOPBACK: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))

# How the programs begin that listen here for a server that is elsewhere: tunnels, what publishes a
# container's or a virtual machine's port, and proxies in front of anything.
_FORWARDERS = (
    *("ssh", "autossh", "dropbear", "plink", "putty"),
    *("docker", "com.docker", "vpnkit", "containerd", "conmon", "podman", "rootlesskit", "rootlessport"),
    *("slirp4netns", "pasta", "passt", "gvproxy", "lima", "colima", "orbstack", "kubectl", "kube-proxy"),
    *("wslrelay", "wslhost", "svchost", "vbox", "vmnat", "qemu"),
    *("socat", "ncat", "systemd-socket", "frpc", "frps", "cloudflared", "tailscaled"),
    *("nginx", "caddy", "haproxy", "envoy", "traefik"),
)

_LARGEST_MANIFEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Here:
    """Whether a server is on this machine, and why we say so, in plain words."""

    here: bool
    why: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that waits for connections; `process` is None when its owner is hidden from us."""

    address: str
    process: str | None


def listeners_on(port: int) -> tuple[Listener, ...] | None:
    """Who listens on a TCP port of this machine; None when the system doesn't let us see sockets.

    Where only the owner is hidden (another user's process on Linux), the processes of all users are
    searched for a docker-proxy of this port, whose command line anyone may read.
    """
    import psutil

    try:
        found = [c for c in psutil.net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN]
    except (psutil.Error, OSError, RuntimeError, NotImplementedError):
        return None
    sockets = [(str(c.laddr.ip), c.pid) for c in found if c.laddr and c.laddr.port == port]
    names = [(address, _process_name(pid)) for address, pid in sockets]
    if any(name is None for _, name in names):
        publisher = _docker_proxy(port)
        names = [(address, name or publisher) for address, name in names]
    return tuple(Listener(address, name) for address, name in names)


def _process_name(pid: int | None) -> str | None:
    import psutil

    if pid is None:
        return None
    try:
        return clean_line(psutil.Process(pid).name()) or None
    except (psutil.Error, OSError):
        return None


def _docker_proxy(port: int) -> str | None:
    import psutil

    for process in psutil.process_iter(["name", "cmdline"]):
        published = ("-host-port", str(port)) in pairwise(process.info["cmdline"] or [])
        if published and process.info["name"] == "docker-proxy":
            return "docker-proxy"
    return None


def own_addresses() -> tuple[str, ...]:
    """Every IP address of this machine's interfaces."""
    import psutil

    try:
        interfaces = psutil.net_if_addrs()
    except (psutil.Error, OSError):
        return ()
    internet = (socket.AF_INET, socket.AF_INET6)
    return tuple(a.address for addresses in interfaces.values() for a in addresses if a.family in internet)


def resolve(name: str) -> tuple[str, ...]:
    """The addresses of a host name by the system's resolver (blocks); none when it has none."""
    try:
        return tuple(str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return ()


def is_here(
    endpoint_host: str,
    port: int,
    *,
    configured: bool | None,
    answers: bool = False,
    listeners: Callable[[int], Collection[Listener] | None] = listeners_on,
    addresses: Callable[[], Iterable[str]] = own_addresses,
    resolver: Callable[[str], Iterable[str]] = resolve,
) -> Here:
    """Decide whether the server of a URL's host and port is on this machine. Blocks; never raises.

    `configured` is `local` of the server's configuration and wins. Otherwise the host must be loopback or
    an address of this machine, and who listens there, where that can be seen, no tunnel and no proxy. With
    `answers` (the server has just answered) a port on which nothing listens is one that the kernel forwards
    elsewhere; without it, a server that is not running. For files `holds_manifest` must agree as well.
    """
    if configured is not None:
        return Here(configured, f"the configuration says local = {str(configured).lower()}")
    host = clean_line(endpoint_host)
    targets = _targets(endpoint_host, resolver)
    if not targets:
        return Here(False, f"{host} has no address that is known here")
    if not all(target.is_loopback for target in targets):
        own = {_address(text) for text in addresses()}
        if not all(target.is_loopback or target in own for target in targets):
            return Here(False, f"{host} is not an address of this machine")
    found = listeners(port)
    if found is None:
        return Here(True, f"{host} is this machine; who listens on port {port} can't be seen")
    return _judge(host, port, [one for target in targets for one in _serving(target, found)], answers)


def _judge(host: str, port: int, serving: Sequence[Listener], answers: bool) -> Here:
    for one in serving:
        if one.process is not None and _forwards(one.process):
            why = f"port {port} of this machine belongs to {clean_line(one.process)}, which leads elsewhere"
            return Here(False, why)
    if not serving and answers:
        return Here(False, f"nothing on this machine listens on port {port}: the answer comes from elsewhere")
    if not serving:
        return Here(True, f"{host} is this machine, and nothing listens on port {port}")
    names = sorted({clean_line(one.process) for one in serving if one.process is not None})
    if not names:
        return Here(True, f"{host} is this machine; another user's process listens on port {port}")
    return Here(True, f"{host} is this machine, and {', '.join(names)} listens on port {port}")


def _targets(host: str, resolver: Callable[[str], Iterable[str]]) -> tuple[Address, ...]:
    """The addresses that a connection to `host` could reach."""
    name = host.strip().strip("[]").rstrip(".").casefold()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return _LOOPBACK
    literal = _address(name)
    found = map(_address, resolver(name)) if literal is None else [literal]
    targets = [address for address in found if address is not None]
    # 0.0.0.0 and :: are where a server listens; who connects to them reaches this machine.
    return _LOOPBACK if any(address.is_unspecified for address in targets) else tuple(targets)


def _address(text: str) -> Address | None:
    """An IP address without its zone, an IPv4 address in IPv6 clothes as IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _serving(target: Address, listeners: Iterable[Listener]) -> list[Listener]:
    """Who gets a connection to `target`: the kernel prefers the exact address to "any address"."""
    known = [(one, _address(one.address)) for one in listeners]
    exact = [one for one, address in known if address == target]
    return exact or [one for one, address in known if address is not None and address.is_unspecified]


def _forwards(process: str) -> bool:
    return process.casefold().startswith(_FORWARDERS)


def models_directories(
    environment: Mapping[str, str], home: Path, *, root: Path = Path("/")
) -> tuple[Path, ...]:
    """Where a server on this machine may keep its models: the directories that exist and that we may read.

    OLLAMA_MODELS first (of our environment: the server's may differ), then those of the user, of Ollama's
    systemd unit, of distributions and of the snap. That a server really uses one is for `holds_manifest`.
    """
    named = environment.get("OLLAMA_MODELS", "").strip().strip("\"'").strip()
    usual = [
        home / ".ollama/models",
        root / "usr/share/ollama/.ollama/models",
        root / "var/lib/ollama/.ollama/models",
        root / "var/lib/ollama/models",
        root / "var/lib/ollama",
        root / "var/snap/ollama/common/models",
    ]
    found = [Path(named)] if named and Path(named).is_absolute() and _readable(Path(named)) else []
    for path in usual:
        if path not in found and _readable(path) and any(_readable(path / n) for n in ("manifests", "blobs")):
            found.append(path)
    return tuple(found)


def directory_to_be(environment: Mapping[str, str], home: Path, *, root: Path = Path("/")) -> Path:
    """Where there are no models yet: the nearest directory that exists above where a server would keep them.

    That is OLLAMA_MODELS, else the home of Ollama's own user where there is one, else that of this user.
    """
    named = environment.get("OLLAMA_MODELS", "").strip().strip("\"'").strip()
    service = root / "usr/share/ollama"
    wanted = home / ".ollama/models"
    if named and Path(named).is_absolute():
        wanted = Path(named)
    elif _is_directory(service):
        wanted = service
    return next((path for path in (wanted, *wanted.parents) if _is_directory(path)), Path(wanted.anchor))


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _readable(path: Path) -> bool:
    try:
        return path.is_dir() and os.access(path, os.R_OK | os.X_OK)
    except (OSError, ValueError):
        return False


def holds_manifest(
    models_dir: Path, host: str, namespace: str, model: str, tag: str, digest: str
) -> bool | None:
    """Whether `models_dir` holds the manifest of a model with the digest that the server lists for it.

    The digest is the SHA-256 of the file's bytes, with or without `sha256:`. Case does not matter in the
    names, as it does not to the server (`getExistingName`). None when something is there that can't be read.
    """
    wanted = digest.casefold().removeprefix("sha256:")
    try:
        found = [models_dir / "manifests"]
        for part in (host, namespace, model, tag):
            # Names come from a server: they are compared with what lies there, never made into a path.
            entries = [entry for directory in found for entry in _entries(directory)]
            found = [entry for entry in entries if entry.name.casefold() == part.casefold()]
        return any(_sha256(path) == wanted for path in found)
    except OSError:
        return None


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sha256(path: Path) -> str | None:
    """The digest of a regular file that is small enough to be a manifest."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None  # a link that leads nowhere
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_MANIFEST:
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()
