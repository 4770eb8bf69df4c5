"""How a server runs models: by hand, by its own environment where that is readable, else by its version."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modeltui.config.settings import ServerConfig
from modeltui.domain.endpoint import parse_endpoint
from modeltui.domain.layout import cut
from modeltui.domain.memory.eras import default_parallel
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.models import LoadedModel
from modeltui.errors import UsageError
from modeltui.services.machines import REMOTE_MS, is_on_this_machine, remote_of, server_of
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.text import clean_line

_FIELDS = ("num_parallel", "kv_type", "flash_attention", "gpu_overhead", "default_context", "max_loaded")
_DEFAULT_PORT = 11434
_MOST_BYTES = 1 << 50
_VARIABLES = {
    "num_parallel": "OLLAMA_NUM_PARALLEL",
    "gpu_overhead": "OLLAMA_GPU_OVERHEAD",
    "default_context": "OLLAMA_CONTEXT_LENGTH",
    "max_loaded": "OLLAMA_MAX_LOADED_MODELS",
}
_DIGITS = 20  # a number of 64 bits has no more
_SHOWN = 24  # letters of a value that is no number
_FALSE = {"0", "f", "false"}  # as Go reads a truth value (strconv.ParseBool), without case


async def serving_of(
    services: Services,
    link: Link | None,
    version: str | None = None,
    loaded: Sequence[LoadedModel] | None = None,
) -> Serving:
    """How that server runs models, each value with its source in words.

    `version` in the server's own words, `loaded` what it lists as loaded, both if the caller knows. What is
    written by hand counts first, then the environment of its process or unit, then what is loaded, then the
    default of its version. Never raises; looks are off the event loop.
    """
    server = server_of(services, link)
    found = _Found()
    found.add_all(_by_hand(server), f"servers.{server.name} in the configuration")
    environment, source = await _environment(services, server, answers=link is not None)
    if environment is not None:
        found.add_all(read_environment(environment), source)
        found.odd = misread(environment)
    else:
        found.add("default_context", _seen_context(loaded or ()), "the context of what is loaded (/api/ps)")
    return found.serving(_version(version), source)


def read_environment(environment: Mapping[str, str]) -> Mapping[str, object]:
    """The fields of `Serving` that variables set, by the rules of Ollama's envconfig/config.go.

    Quotes and spaces around a value do not count; a number that is none, and 0 for "as the server decides",
    is the default; a truth value that is none is true; an unknown cache type is f16.
    """
    said = {key: _bare(value) for key, value in environment.items()}
    kv = said.get("OLLAMA_KV_CACHE_TYPE", "").casefold()
    flash = said.get("OLLAMA_FLASH_ATTENTION", "")
    return {
        "num_parallel": _number(said.get("OLLAMA_NUM_PARALLEL")),
        "kv_type": (KvType(kv) if kv in tuple(KvType) else KvType.F16) if kv else None,
        "flash_attention": flash.casefold() not in _FALSE if flash else None,
        "gpu_overhead": _number(said.get("OLLAMA_GPU_OVERHEAD"), _MOST_BYTES),
        "default_context": _number(said.get("OLLAMA_CONTEXT_LENGTH")),
        "max_loaded": _number(said.get("OLLAMA_MAX_LOADED_MODELS")),
    }


def misread(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The fields whose variables are set to what is no number: the server takes its default for them.

    Each as `OLLAMA_NUM_PARALLEL=banana`, cut and clean.
    """
    found = {}
    for name, variable in _VARIABLES.items():
        value = _bare(environment.get(variable, ""))
        if value and not (value.isascii() and value.isdigit() and len(value) < _DIGITS):
            found[name] = f"{variable}={cut(clean_line(value), _SHOWN)}"
    return found


def _bare(value: str) -> str:
    return value.strip().strip("\"'").strip()


@dataclass(slots=True)
class _Found:
    """Values in order of trust: the first one of a name stays."""

    values: dict[str, object] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    odd: Mapping[str, str] = field(default_factory=dict)

    def add(self, name: str, value: object, source: str) -> None:
        if value is not None and name not in self.values:
            self.values[name], self.sources[name] = value, source

    def add_all(self, values: Mapping[str, object], source: str) -> None:
        for name, value in values.items():
            self.add(name, value, source)

    def serving(self, version: tuple[int, int, int] | None, seen: str) -> Serving:
        """The whole; what nobody said is the default, and its source says whether that is certain."""
        default = f"default of {'.'.join(map(str, version[:2]))}" if version else "the newest default"
        certain = f", not set in {seen}" if seen else ", as its environment can't be seen"
        for name, words in self.odd.items():
            self.sources.setdefault(name, f"{default}, as {words} in {seen} is not understood")
        if "num_parallel" not in self.values:
            self.values["num_parallel"] = default_parallel(version)
        for name in _FIELDS:
            self.sources.setdefault(name, default + certain)
        sources = tuple((name, self.sources[name]) for name in _FIELDS)
        return Serving(version=version, sources=sources, **self.values)  # type: ignore[arg-type]


def _by_hand(server: ServerConfig) -> Mapping[str, object]:
    return {
        "num_parallel": server.num_parallel,
        "kv_type": KvType(server.kv_cache_type) if server.kv_cache_type else None,
        "flash_attention": server.flash_attention,
        "gpu_overhead": server.gpu_overhead,
        "max_loaded": server.max_loaded or None,
    }


async def _environment(
    services: Services, server: ServerConfig, *, answers: bool
) -> tuple[Mapping[str, str] | None, str]:
    """The server's own variables and where they were read; None and no words where they can't be."""
    here = await is_on_this_machine(services, server, answers=answers)
    if here.here:
        return await environment_here(services, server.endpoint.port)
    if server.ssh is not None:
        remote = await remote_of(services, server.ssh)
        if remote.unit is not None and _is_on(remote.unit, server.endpoint.port):
            return remote.unit, f"the systemd unit ollama on {server.ssh}"
    return None, ""


async def environment_here(services: Services, port: int) -> tuple[Mapping[str, str] | None, str]:
    """The same of a server that listens on a port of this machine, as seen within some seconds."""
    from modeltui.hardware.processes import server_environment, unit_environment

    own = await services.looks.recent(f"env {port}", REMOTE_MS, lambda: server_environment(port))
    if own is not None:
        return own, "the environment of its process"
    unit = await services.looks.recent("unit", REMOTE_MS, unit_environment)
    return (unit, "the systemd unit ollama") if unit is not None and _is_on(unit, port) else (None, "")


async def with_the_servers(services: Services, port: int) -> Mapping[str, str]:
    """Our environment; where that names no models directory, with the one of a server on this machine."""
    named: str | None = services.environ.get("OLLAMA_MODELS")
    if not named:
        own, _ = await environment_here(services, port)
        named = _bare((own or {}).get("OLLAMA_MODELS", ""))
    return {**services.environ, "OLLAMA_MODELS": named} if named else services.environ


def _is_on(unit: Mapping[str, str], port: int) -> bool:
    """Whether a unit's server listens on that port: another server of the machine has another environment."""
    try:
        return parse_endpoint(unit.get("OLLAMA_HOST", ""), strict=False).port == port
    except UsageError:
        return port == _DEFAULT_PORT


def _seen_context(loaded: Sequence[LoadedModel]) -> int | None:
    """A context that two models share may be the server's default; one alone may have its own parameter."""
    contexts = [row.context for row in loaded if row.context]
    shared = {context for context in contexts if contexts.count(context) > 1}
    return shared.pop() if len(shared) == 1 else None


def _number(text: str | None, most: int = 1 << 24) -> int | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return int(text) if 0 < int(text) <= most else None


def _version(words: str | None) -> tuple[int, int, int] | None:
    """`0.33.0-rc2` as (0, 33, 0); None for what is none, and for 0.0.0, which is a build of one's own."""
    match = re.match(r"v?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,6}))?(?![0-9])", words or "")
    if match is None:
        return None
    found = (int(match[1]), int(match[2]), int(match[3] or 0))
    return found if any(found) else None
