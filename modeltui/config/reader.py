"""Looks keys up through the sources, and notes where each came from and what is wrong with it."""

from collections.abc import Mapping

from modeltui.config.keys import KEYS, REGISTRY_KEYS, SERVER_KEYS, Key, is_known
from modeltui.config.settings import Config, RegistryConfig, ServerConfig, Setting, Value, named_server
from modeltui.config.sources import Layer, read_layers
from modeltui.domain.endpoint import parse_endpoint
from modeltui.errors import HIDDEN, ConfigError, NoSuchServer, UsageError, strip_secrets
from modeltui.paths import Paths


def load(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    server: str | None = None,
    profile: str | None = None,
) -> Config:
    """Read and check everything; raises ConfigError, UsageError and NoSuchServer as the module says."""
    return _Reader(read_layers(paths, environ, profile), environ, str(paths.config_file)).read(server)


class _Reader:
    """Looks keys up through the layers, and notes sources, problems and unknown keys on the way."""

    def __init__(self, layers: list[Layer], environ: Mapping[str, str], config_file: str) -> None:
        self.layers = layers
        self.config_file = config_file
        self.environ = environ
        self.settings: list[Setting] = []
        self.problems: list[str] = []

    def read(self, server: str | None) -> Config:
        values = {key: self._value(tuple(key.split(".")), spec) for key, spec in KEYS.items()}
        servers = self._servers()
        return Config(
            servers=servers,
            active=self._active(server, values["server"], servers),
            default_model=values["default_model"],
            glyphs=values["glyphs"],
            alias=values["current.alias"],
            hook=values["current.hook"],
            auto_pull=values["current.auto_pull"],
            per_server=values["downloads.per_server"],
            retries=values["downloads.retries"],
            stall_s=values["downloads.stall_s"],
            lookup=values["registry.lookup"],
            registries=self._registries(),
            settings=tuple(self.settings),
            problems=tuple(self.problems),
            unknown=tuple(self._unknown()),
        )

    def _value(self, path: tuple[str, ...], spec: Key, *, fatal: bool = False) -> Value:
        """The first allowed value of a key; one that is not allowed is a problem (or, fatal, an error)."""
        key = ".".join(path)
        for source, content in self.layers:
            if path == ("current", "hook") and not source.startswith(self.config_file):
                continue  # a command to run comes from the file that only a person writes
            found = _at(content, path)
            if found is None:
                continue
            try:
                value = spec.check(found)
            except (ValueError, TypeError):
                problem = f"{source}: {key} must be {spec.allowed}"
                if fatal:
                    raise ConfigError(problem, remedy=f"correct {key}") from None
                self.problems.append(f"{problem}; its default is used")
                continue
            self.settings.append(Setting(key, _shown(path, value), source))
            return value
        self.settings.append(Setting(key, spec.default, "default"))
        return spec.default

    def _tables(self, name: str) -> list[str]:
        """The names of the tables below `name`, in the order in which they were written."""
        found: dict[str, None] = {}
        for source, content in reversed(self.layers):
            tables = content.get(name)
            if tables is not None and not isinstance(tables, dict):
                raise ConfigError(f"{source}: {name} must be a table", remedy=f"write [{name}.NAME]")
            for table, body in (tables or {}).items():
                if not isinstance(body, dict):
                    raise ConfigError(f"{source}: {name}.{table} must be a table")
                found[table] = None
        return list(found)

    def _servers(self) -> tuple[ServerConfig, ...]:
        servers: dict[str, ServerConfig] = {}
        for name in self._tables("servers"):
            values = {k: self._value(("servers", name, k), s, fatal=True) for k, s in SERVER_KEYS.items()}
            url = values.pop("url")
            if name == "local" and self._ollama_host():
                url = self._ollama_host()
                self.settings.append(Setting("servers.local.url", url, "OLLAMA_HOST"))
            if url is None:
                raise ConfigError(f"servers.{name} has no url", remedy=f"add url to [servers.{name}]")
            try:
                endpoint = parse_endpoint(url)
            except UsageError as error:
                raise ConfigError(f"servers.{name}.url: {error.message}", remedy=error.remedy) from None
            for other in servers.values():
                if other.endpoint.url == endpoint.url:
                    raise ConfigError(
                        f"servers.{other.name} and servers.{name} are the same server: {endpoint.url}",
                        remedy="remove one of them",
                    )
            servers[name] = ServerConfig(name, endpoint, **values)
        if "local" not in servers:
            host = self._ollama_host()
            local = ServerConfig("local", parse_endpoint(host or ""))
            if all(server.endpoint.url != local.endpoint.url for server in servers.values()):
                servers["local"] = local
                source = "OLLAMA_HOST" if host else "default"
                self.settings.append(Setting("servers.local.url", local.endpoint.url, source))
        return tuple(servers.values())

    def _ollama_host(self) -> str | None:
        for variable in ("OLLAMA_HOST", "OLLAMA_BASE_URL"):
            if self.environ.get(variable, "").strip():
                return self.environ[variable]
        return None

    def _active(
        self, asked: str | None, configured: Value, servers: tuple[ServerConfig, ...]
    ) -> ServerConfig:
        """`--server`, MODELTUI_SERVER, `server`, `local` if OLLAMA_HOST is set, the first, `local`."""
        if asked is not None:
            return named_server(asked, servers)
        if configured is not None:
            try:
                return named_server(str(configured), servers)
            except (NoSuchServer, UsageError) as error:
                raise ConfigError(f"server: {error.message}", remedy=error.remedy) from None
        host = self._ollama_host()
        if host:
            url = parse_endpoint(host).url
            return next(server for server in servers if server.endpoint.url == url)
        return servers[0]

    def _registries(self) -> dict[str, RegistryConfig]:
        found: dict[str, RegistryConfig] = {}
        for host in self._tables("registries"):
            values = {k: self._value(("registries", host, k), s) for k, s in REGISTRY_KEYS.items()}
            found[host.casefold()] = RegistryConfig(**values)
        return found

    def _unknown(self) -> list[str]:
        found: dict[str, None] = {}
        for source, content in self.layers:
            for path in _leaves(content):
                if not is_known(path):
                    found[f"{'.'.join(path)} ({source})"] = None
        return list(found)


def _shown(path: tuple[str, ...], value: Value) -> Value:
    """A value as it may be shown: header values and the words of token commands are secrets."""
    if path[-1] == "headers":
        return dict.fromkeys(value, HIDDEN)
    if path[-1] == "token_command":
        return HIDDEN
    return strip_secrets(value) if isinstance(value, str) else value


def _at(content: Mapping[str, Value], path: tuple[str, ...]) -> Value:
    place: Value = content
    for part in path:
        if not isinstance(place, dict) or part not in place:
            return None
        place = place[part]
    return place


def _leaves(content: Mapping[str, Value], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in content.items():
        path = (*above, key)
        if path[0] == "profiles" and len(path) < 3:
            found += _leaves(value, path) if isinstance(value, dict) else [path]
        elif isinstance(value, dict) and value and not is_known(path):
            found += _leaves(value, path)
        else:
            found.append(path)
    return found
