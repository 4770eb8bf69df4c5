"""Writes settings that were chosen in the program to settings.toml, and never touches config.toml."""

import tomllib
from typing import Any

import tomli_w

from modeltui.config.settings import Config, Value
from modeltui.errors import ConfigError
from modeltui.paths import Paths, write_private


def choose(paths: Paths, key: str, value: Value) -> None:
    """Write one dotted key; raises ConfigError, and leaves the file as it was, when that cannot be done."""
    file = paths.settings_file
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        place = content
        *tables, last = key.split(".")
        for table in tables:
            place = place.setdefault(table, {})
        place[last] = value
        write_private(file, tomli_w.dumps(content))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{file}: {key} could not be written: {reason}", remedy=f"look at {file}") from None


def pinned_by(config: Config, paths: Paths, key: str) -> str | None:
    """Where a setting comes from that settings.toml cannot change; None where it can."""
    source = next((setting.source for setting in config.settings if setting.key == key), "default")
    return None if source in ("default", str(paths.settings_file)) else source
