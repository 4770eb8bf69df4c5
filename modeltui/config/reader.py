"""Looks keys up through the sources, and notes where each came from and what is wrong with it."""

from collections.abc import Mapping

from modeltui.config.keys import HARDWARE_KEYS, KEYS, REGISTRY_KEYS, SERVER_KEYS, Key, is_known
from modeltui.config.settings import (
    COMMAND_LINE,
    Config,
    HardwareConfig,
    RecommendConfig,
    RegistryConfig,
    Screens,
    ServerConfig,
    Setting,
    Value,
    named_server,
)
from modeltui.config.sources import OF_PROFILE, Layer, read_layers
from modeltui.domain.endpoint import Endpoint, parse_endpoint
from modeltui.errors import HIDDEN, ConfigError, NoSuchServer, UsageError, strip_secrets
from modeltui.paths import Paths
from modeltui.text import clean_line, is_clean_line

_LONGEST = 2000  # characters of one thing that is told
_DEEPEST = 8  # tables in tables: no key lies deeper


def load(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    server: str | None = None,
    profile: str | None = None,
) -> Config:
    """Read and check everything; raises ConfigError, UsageError and NoSuchServer as the module says."""
    typed = {} if server is None else {"server": server}
    if profile:
        typed["profile"] = profile
    layers = [(COMMAND_LINE, typed), *read_layers(paths, environ, profile)]
    return _Reader(layers, environ, str(paths.config_file)).read(server)


class _Reader:
    """Looks keys up through the layers, and notes sources, problems and unknown keys on the way."""

    def __init__(self, layers: list[Layer], environ: Mapping[str, str], config_file: str) -> None:
        self.layers = layers
        self.config_file = config_file
        self.environ = environ
        self.settings: dict[str, Setting] = {}
        self.problems: list[str] = []

    def read(self, server: str | None) -> Config:
        values = {k: self._value(tuple(k.split(".")), s, fatal=k == "server") for k, s in KEYS.items()}
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
            detached=values["downloads.detached"],
            retries=values["downloads.retries"],
            stall_s=values["downloads.stall_s"],
            lookup=values["registry.lookup"],
            update_auto=values["updates.auto"],
            update_window=values["updates.window"],
            registries=self._registries(),
            recommend=RecommendConfig(
                task=values["recommend.task"],
                priority=values["recommend.priority"],
                context=values["recommend.context"],
                min_tokens_per_s=values["recommend.min_tokens_per_s"],
            ),
            screens=Screens(
                theme=values["theme"],
                animations=values["animations"],
                models_s=values["poll.models_s"],
                running_s=values["poll.running_s"],
                health_s=values["poll.health_s"],
                keys=values["keys"],
                columns=values["tui.columns"],
            ),
            settings=tuple(self.settings.values()),
            problems=tuple(clean_line(problem, _LONGEST) for problem in self.problems),
            unknown=tuple(clean_line(key) for key in self._unknown()),
        )

    def _value(self, path: tuple[str, ...], spec: Key, *, fatal: bool = False) -> Value:
        """The first allowed value of a key; one that is not allowed is a problem (or, fatal, an error)."""
        key = ".".join(path)
        for source, content in self.layers:
            found = _at(content, path)
            if found is None:
                continue
            if _is_grave(path) and not source.startswith(self.config_file):
                self.problems.append(f"{source}: {key} counts only in {self.config_file}")
                continue
            try:
                value = spec.check(found)
            except (ValueError, TypeError) as error:
                why = f" ({error.__cause__.message})" if isinstance(error.__cause__, UsageError) else ""
                problem = f"{source}: {key} must be {spec.allowed}{why}"
                if fatal:
                    raise ConfigError(problem, remedy=f"correct {key}") from None
                self.problems.append(f"{problem}; it does not count")
                continue
            self.settings[key] = Setting(key, _shown(path, value), source)
            return value
        self.settings[key] = Setting(key, spec.default, "default")
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
                if not is_clean_line(table):
                    raise ConfigError(
                        f"{source}: {name}.{table} cannot be shown as it is", remedy="rename it"
                    )
                found[table] = None
        return list(found)

    def _servers(self) -> tuple[ServerConfig, ...]:
        servers: dict[str, ServerConfig] = {}
        host = self._ollama_host()
        for name in self._tables("servers"):
            values = {k: self._value(("servers", name, k), s, fatal=True) for k, s in SERVER_KEYS.items()}
            url = values.pop("url")
            source = key = f"servers.{name}.url"
            if name == "local" and host is not None:
                source, url = host
            if url is None:
                raise ConfigError(f"servers.{name} has no url", remedy=f"add url to [servers.{name}]")
            endpoint = _endpoint(source, url)
            if source != key:
                self.settings[key] = Setting(key, endpoint.url, source)
            for other in servers.values():
                if other.endpoint.url == endpoint.url:
                    raise ConfigError(
                        f"servers.{other.name} and servers.{name} are the same server: {endpoint.url}",
                        remedy="remove one of them",
                    )
            if values["gpu_overhead"] is not None:
                from modeltui.domain.machines.typedhardware import parse_overhead

                values["gpu_overhead"] = parse_overhead(values["gpu_overhead"])
            servers[name] = ServerConfig(name, endpoint, **values, hardware=self._hardware(name))
        if "local" not in servers:
            source, url = host or ("default", "")
            local = ServerConfig("local", _endpoint(source, url))
            if all(server.endpoint.url != local.endpoint.url for server in servers.values()):
                servers["local"] = local
                self.settings["servers.local.url"] = Setting("servers.local.url", local.endpoint.url, source)
        return tuple(servers.values())

    def _hardware(self, server: str) -> HardwareConfig | None:
        """What is written below `hardware` of a server; None where nothing is."""
        above = ("servers", server, "hardware")
        tables = [(source, _at(content, above)) for source, content in self.layers]
        written = [(source, table) for source, table in tables if table is not None]
        for source, table in written:
            if not isinstance(table, dict):
                name = ".".join(above)
                raise ConfigError(f"{source}: {name} must be a table", remedy=f"write [{name}]")
        if not written:
            return None
        from modeltui.domain.machines.typedhardware import parse_bandwidth, parse_cards, parse_ram

        values = {key: self._value((*above, key), spec, fatal=True) for key, spec in HARDWARE_KEYS.items()}
        gpus, ram, carried = values["gpus"], values["ram"], values["ram_bandwidth"]
        if values["unified"] and not (gpus and ram):
            raise ConfigError(
                f"{written[0][0]}: {'.'.join(above)}.unified needs gpus and ram beside it",
                remedy="add what is missing: the GPU's share and all of the RAM",
            )
        typed, whole = None if gpus is None else parse_cards(gpus), None if ram is None else parse_ram(ram)
        if values["unified"] and typed and whole and [card.total <= whole for card in typed.cards] != [True]:
            raise ConfigError(
                f"{written[0][0]}: {'.'.join(above)}.unified needs one GPU whose share is no more than ram",
                remedy="write the GPU's share of the RAM as gpus, and all of the RAM as ram",
            )
        return HardwareConfig(
            gpus=typed,
            ram=whole,
            ram_bandwidth=None if carried is None else parse_bandwidth(carried),
            cores=values["cores"],
            unified=values["unified"],
        )

    def _ollama_host(self) -> tuple[str, str] | None:
        """The variable that says where `local` is, and what it says."""
        for variable in ("OLLAMA_HOST", "OLLAMA_BASE_URL"):
            if self.environ.get(variable, "").strip():
                return variable, self.environ[variable]
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
        if host is not None:
            url = _endpoint(*host).url
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
            if OF_PROFILE in source:
                continue  # its file names them
            for path in _leaves(content):
                if not is_known(path):
                    found[f"{'.'.join(path)} ({source})"] = None
        return list(found)


def _is_grave(path: tuple[str, ...]) -> bool:
    """Whether a setting runs or trusts something: it comes from the file that only a person writes."""
    return path == ("current", "hook") or (path[0] == "registries" and path[-1] == "insecure")


# Ollama itself takes a bad port in its variable for the default one.
_LENIENT = ("OLLAMA_HOST", "OLLAMA_BASE_URL", "default")


def _endpoint(source: str, url: str) -> Endpoint:
    try:
        return parse_endpoint(url, strict=source not in _LENIENT)
    except UsageError as error:
        raise ConfigError(f"{source}: {error.message}", remedy=error.remedy) from None


def _shown(path: tuple[str, ...], value: Value) -> Value:
    """A value as it may be shown: header values and the words of token commands are secrets."""
    if path[-1] == "headers":
        return dict.fromkeys(value, HIDDEN)
    if path[-1] == "token_command":
        return HIDDEN
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, dict):
        return {_plain(key): _plain(part) for key, part in value.items()}
    return _plain(value)


def _plain(value: Value) -> Value:
    return clean_line(strip_secrets(value), _LONGEST) if isinstance(value, str) else value


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
        elif isinstance(value, dict) and not is_known(path) and len(path) < _DEEPEST:
            found += _leaves(value, path)
        else:
            found.append(path)
    return found
