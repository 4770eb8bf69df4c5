"""Where values come from: config.toml, settings.toml, the environment and the chosen profile."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from modeltui.config.settings import Value
from modeltui.errors import ConfigError
from modeltui.paths import Paths
from modeltui.text import clean_line

Layer = tuple[str, Mapping[str, Value]]

PREFIX = "MODELTUI_"
OF_PROFILE = ", profile "
_NOT_SETTINGS = (
    *("MODELTUI_CONFIG_DIR", "MODELTUI_STATE_DIR", "MODELTUI_CACHE_DIR"),
    *("MODELTUI_CURRENT", "MODELTUI_PREVIOUS"),  # what a hook is told, and every modeltui that it runs
)


def read_layers(paths: Paths, environ: Mapping[str, str], profile: str | None) -> list[Layer]:
    """All sources, the strongest first; raises ConfigError for a file that is unreadable or no TOML."""
    files: list[Layer] = [(str(path), _read_toml(path)) for path in (paths.config_file, paths.settings_file)]
    layers: list[Layer] = [("environment", _environment(environ))]
    chosen = profile or _first(layers + files, "profile")
    if chosen is not None:
        layers.append(_profile(str(chosen), files))
    return layers + files


def _first(layers: list[Layer], key: str) -> Value:
    return next((content[key] for _, content in layers if key in content), None)


def _read_toml(path: Path) -> Mapping[str, Value]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="correct its rights") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"{path} is no TOML: {clean_line(str(error))}", remedy="correct that line"
        ) from None


def _environment(environ: Mapping[str, str]) -> dict[str, Value]:
    """`MODELTUI_DOWNLOADS__PER_SERVER=2` as {"downloads": {"per_server": 2}}; DEFAULT_MODEL counts, too."""
    tree: dict[str, Value] = {}
    if environ.get("DEFAULT_MODEL"):
        tree["default_model"] = environ["DEFAULT_MODEL"]
    for variable, written in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS or not written:
            continue
        *parents, last = variable.removeprefix(PREFIX).lower().split("__")
        place = tree
        for parent in parents:
            below = place.setdefault(parent, {})
            place = below if isinstance(below, dict) else {}
        place[last] = _toml_value(written)
    return tree


def _toml_value(written: str) -> Value:
    """A number, truth value or list as TOML writes it; anything else is the text itself."""
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return written
    return value if isinstance(value, (bool, int, float, list)) else written


def _profile(name: str, base: list[Layer]) -> Layer:
    for source, content in base:
        profiles = content.get("profiles")
        table = profiles.get(name) if isinstance(profiles, dict) else None
        if isinstance(table, dict):
            return f"{source}{OF_PROFILE}{name}", table
    raise ConfigError(
        f"there is no profile “{clean_line(name)}”", remedy=f"add a table [profiles.{clean_line(name)}]"
    )
