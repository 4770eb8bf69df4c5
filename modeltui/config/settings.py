"""What is configured: the checked values that the rest of the program is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeltui.domain.endpoint import Endpoint, parse_endpoint
from modeltui.errors import NoSuchServer
from modeltui.text import clean_line

if TYPE_CHECKING:
    from modeltui.domain.machines.typedhardware import TypedCards

Value = Any
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class HardwareConfig:
    """A server's hardware as written by hand; None is "not written". Bytes, and bytes a second."""

    gpus: "TypedCards | None" = None
    ram: int | None = None
    ram_bandwidth: float | None = None
    cores: int | None = None
    unified: bool | None = None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One configured server; secrets are named, not held, except `headers` as the user wrote them.

    From `num_parallel` on it is what the server's environment says, by hand; `gpu_overhead` in bytes.
    """

    name: str
    endpoint: Endpoint
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_env: str | None = None
    token_command: tuple[str, ...] | str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    client_cert: Path | None = None
    local: bool | None = None
    ssh: str | None = None
    num_parallel: int | None = None
    kv_cache_type: str | None = None
    flash_attention: bool | None = None
    max_loaded: int | None = None
    gpu_overhead: int | None = None
    hardware: HardwareConfig | None = None


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """What is special about one registry: plain http for pulls, another base URL for look-ups."""

    insecure: bool = False
    base_url: str | None = None

    def url(self, host: str) -> str:
        """Where manifests of the registry at `host` are looked up."""
        return self.base_url or f"{'http' if self.insecure else 'https'}://{host}"


@dataclass(frozen=True, slots=True)
class RecommendConfig:
    """What is recommended where nothing else is asked: words of advice/tasks.py, tokens, tokens a second."""

    task: str = "general"
    priority: str = "balanced"
    context: int = 16 * 1024
    min_tokens_per_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Screens:
    """What concerns the screens only. `theme` None is the terminal's best; intervals in seconds.

    `keys` maps binding ids to keys, `columns` tables to the ids of their columns in order.
    """

    theme: str | None = None
    animations: bool = False
    models_s: float = 5.0
    running_s: float = 2.0
    health_s: float = 30.0
    keys: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it counts now: dotted key, value, and where it comes from."""

    key: str
    value: Value
    source: str


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that is used now. `problems` and `unknown` are for a person; nothing failed for them."""

    servers: tuple[ServerConfig, ...]
    active: ServerConfig
    default_model: str | None
    glyphs: str
    alias: str | None
    hook: tuple[str, ...] | str | None
    auto_pull: bool
    per_server: int
    detached: bool
    retries: int
    stall_s: int
    lookup: bool
    update_auto: str
    update_window: str | None
    registries: Mapping[str, RegistryConfig]
    recommend: RecommendConfig
    screens: Screens
    settings: tuple[Setting, ...]
    problems: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def typed_profile(self) -> str | None:
        """The profile that was named on the command line."""
        known = (s.value for s in self.settings if s.key == "profile" and s.source == COMMAND_LINE)
        return next(known, None)

    def registry(self, host: str) -> RegistryConfig:
        return self.registries.get(host.casefold(), RegistryConfig())


def named_server(text: str, servers: tuple[ServerConfig, ...]) -> ServerConfig:
    """The server of that name, else the one at that address; raises NoSuchServer and UsageError."""
    for server in servers:
        if server.name == text:
            return server
    if not any(mark in text for mark in ".:/") and text != "localhost":
        names = ", ".join(server.name for server in servers)
        raise NoSuchServer(
            f"there is no server named “{clean_line(text, 80)}”",
            remedy=f"configured: {names}; an address works, too: --server http://gpubox:11434",
        )
    endpoint = parse_endpoint(text, strict=True)
    known = next((server for server in servers if server.endpoint.url == endpoint.url), None)
    return known or ServerConfig(endpoint.url, endpoint)
