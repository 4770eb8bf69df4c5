"""Every key that is read: what its value may be, and its default."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modeltui.config.settings import Value
from modeltui.domain.names import from_typed
from modeltui.domain.units import parse_context
from modeltui.errors import InvalidName, UsageError

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
_SSH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:%\[\]-]{0,254}")  # nothing that ssh could take for an option
# As advice/tasks.py has them, which no start needs otherwise: a test holds them equal.
_TASKS = ("general", "coding", "reasoning", "analysis", "vision", "embedding", "creative")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2: token


@dataclass(frozen=True, slots=True)
class Key:
    """What one setting may be: a check that returns the value or raises ValueError, its default, words."""

    check: Callable[[Value], Value]
    default: Value
    allowed: str


def _text(value: Value) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _between(low: int, high: int) -> Callable[[Value], int]:
    def check(value: Value) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    return check


def _seconds(value: Value) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.5 <= value <= 3600:
        raise ValueError
    return float(value)


def _words(value: Value) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(word, str) and word for word in value.values()):
        raise ValueError
    return dict(value)


def _lists(value: Value) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ValueError
    for names in value.values():
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise ValueError
    return {table: tuple(names) for table, names in value.items()}


def _one_of(*words: str) -> Callable[[Value], str]:
    def check(value: Value) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return check


def _command(value: Value) -> tuple[str, ...] | str:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise ValueError


def _header_values(value: Value) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError
    for name, content in value.items():
        if not isinstance(content, str) or not content.isascii() or not content.isprintable():
            raise ValueError
        if _HEADER_NAME.fullmatch(name) is None:
            raise ValueError
    return dict(value)


def _address(value: Value) -> str:
    text = _text(value)
    if not text.startswith(("http://", "https://")) or "@" in text:
        raise ValueError
    return text


def _path(value: Value) -> Path:
    """A path that means the same for every program: the runner works in another directory."""
    try:
        path = Path(_text(value)).expanduser()
    except RuntimeError:  # the home of a user who does not exist
        raise ValueError from None
    if not path.is_absolute():
        raise ValueError
    return path


def _window(value: Value) -> str:
    """Two times of the day and a hyphen; the same twice would be either nothing or all day."""
    text = _text(value).replace(" ", "")
    if _WINDOW.fullmatch(text) is None or text[:5] == text[6:]:
        raise ValueError
    return text


def _alias(value: Value) -> str:
    """A name that copy can write; raises ValueError."""
    try:
        written = _text(value).strip()
        name = from_typed(written)
    except InvalidName as error:
        raise ValueError from error
    if name.is_cloud or written.casefold().endswith(":local"):
        raise ValueError
    return written


def _ssh(value: Value) -> str:
    text = _text(value).strip()
    if _SSH.fullmatch(text) is None:
        raise ValueError
    return text


def _cards(value: Value) -> tuple[str, ...]:
    """Words that `parse_cards` reads; an empty list is no GPU."""
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError
    _try_to_read("parse_cards", words or ["none"])
    return tuple(words) or ("none",)


def _read_by(parser: str) -> Callable[[Value], str]:
    """A check of a number or a text that a function of machines/typedhardware.py must be able to read."""

    def check(value: Value) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        _try_to_read(parser, str(value))
        return str(value)

    return check


def _try_to_read(parser: str, written: object) -> None:
    from modeltui.domain.machines import (
        typedhardware,  # which few configurations need, and every start would load
    )

    try:
        getattr(typedhardware, parser)(written)
    except UsageError as error:
        raise ValueError(error.message) from error


def _context(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError
    return parse_context(str(value))


def _rate(value: Value) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 10_000:
        raise ValueError
    return float(value)


KEYS: dict[str, Key] = {
    "server": Key(_text, None, "the name of a configured server, or an address"),
    "profile": Key(_text, None, "the name of a table [profiles.NAME]"),
    "default_model": Key(_text, None, "a model's name"),
    "glyphs": Key(_one_of("auto", "unicode", "ascii"), "auto", "auto, unicode or ascii"),
    "current.alias": Key(_alias, None, "a model's name, and none that means a cloud model"),
    "current.hook": Key(_command, None, "a command: a list of words, or a line for sh"),
    "current.auto_pull": Key(_truth, False, "true or false"),
    "downloads.per_server": Key(_between(1, 4), 1, "a whole number from 1 to 4"),
    "downloads.detached": Key(_truth, True, "true or false"),
    "downloads.retries": Key(_between(1, 1000), 10, "a whole number from 1 to 1000"),
    "downloads.stall_s": Key(_between(0, 86_400), 90, "seconds from 0 (never) to 86400"),
    "registry.lookup": Key(_truth, True, "true or false"),
    "updates.auto": Key(_one_of("off", "check", "pull"), "off", "off, check or pull"),
    "updates.window": Key(_window, None, "two times of the day such as 02:00-05:00"),
    "recommend.task": Key(_one_of(*_TASKS), "general", f"{', '.join(_TASKS[:-1])} or {_TASKS[-1]}"),
    "recommend.priority": Key(
        _one_of("speed", "balanced", "quality"), "balanced", "speed, balanced or quality"
    ),
    "recommend.context": Key(_context, 16 * 1024, "tokens such as 16k or 16384"),
    "recommend.min_tokens_per_s": Key(_rate, 5.0, "tokens a second from 0 to 10000"),
    "theme": Key(_text, None, "the name of a theme: the palette of the screens lists them"),
    "animations": Key(_truth, False, "true or false"),
    "poll.models_s": Key(_seconds, 5.0, "seconds from 0.5 to 3600"),
    "poll.running_s": Key(_seconds, 2.0, "seconds from 0.5 to 3600"),
    "poll.health_s": Key(_seconds, 30.0, "seconds from 0.5 to 3600"),
    "keys": Key(_words, {}, "a table of binding ids and keys"),
    "tui.columns": Key(_lists, {}, "a table of screens, each a list of column names"),
}
SERVER_KEYS: dict[str, Key] = {
    "url": Key(_text, None, "an address such as http://gpubox:11434"),
    "headers": Key(_header_values, {}, "a table of header names and printable ASCII values"),
    "token_env": Key(_text, None, "the name of an environment variable"),
    "token_command": Key(_command, None, "a command: a list of words, or a line for sh"),
    "ca_file": Key(_path, None, "an absolute path, or one below ~"),
    "client_cert": Key(_path, None, "an absolute path, or one below ~"),
    "local": Key(_truth, None, "true or false"),
    "ssh": Key(_ssh, None, "where ssh finds its machine, such as me@gpubox"),
    "num_parallel": Key(_between(1, 256), None, "a whole number from 1 to 256"),
    "kv_cache_type": Key(_one_of("f16", "q8_0", "q4_0"), None, "f16, q8_0 or q4_0"),
    "flash_attention": Key(_truth, None, "true or false"),
    "max_loaded": Key(_between(0, 256), None, "a whole number from 0 (as the server decides) to 256"),
    "gpu_overhead": Key(_read_by("parse_overhead"), None, "a size such as 0.5GB"),
}
HARDWARE_KEYS: dict[str, Key] = {
    "gpus": Key(_cards, None, 'a list such as ["2x24GB"] or ["rtx 4090"], empty for no GPU'),
    "ram": Key(_read_by("parse_ram"), None, "a size such as 64GB"),
    "ram_bandwidth": Key(_read_by("parse_bandwidth"), None, "a bandwidth such as 51.2GB/s"),
    "cores": Key(_between(1, 4096), None, "a whole number from 1 to 4096"),
    "unified": Key(_truth, None, "true or false"),
}
REGISTRY_KEYS: dict[str, Key] = {
    "insecure": Key(_truth, False, "true or false"),
    "base_url": Key(_address, None, "an address such as http://127.0.0.1:5000, without user-info"),
}
# Keys that later parts of modeltui read: they are no mistakes, and nothing is said about their values.
LATER = frozenset(
    [
        "current.auto_select",
    ]
)


def is_known(path: tuple[str, ...]) -> bool:
    if path[0] == "profiles" and len(path) > 2:
        path = path[2:]
    key = ".".join(path)
    if key in KEYS or key in LATER or path[0] in LATER:
        return True
    if path[0] == "servers" and len(path) == 3:
        return path[2] in SERVER_KEYS
    if path[0] == "servers" and len(path) == 4:
        return path[2] == "hardware" and path[3] in HARDWARE_KEYS
    return path[0] == "registries" and len(path) == 3 and path[2] in REGISTRY_KEYS
