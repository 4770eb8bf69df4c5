"""Every key that is read: what its value may be, its default, and the template that shows them all."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modeltui.config.settings import Value
from modeltui.domain.names import from_typed
from modeltui.errors import InvalidName

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
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
}
REGISTRY_KEYS: dict[str, Key] = {
    "insecure": Key(_truth, False, "true or false"),
    "base_url": Key(_address, None, "an address such as http://127.0.0.1:5000, without user-info"),
}
# Keys that later parts of modeltui read: they are no mistakes, and nothing is said about their values.
LATER = frozenset(
    [
        "current.auto_select",
        "recommend",
    ]
)
LATER_OF_SERVER = frozenset(
    ["ssh", "num_parallel", "kv_cache_type", "flash_attention", "max_loaded", "gpu_overhead", "hardware"]
)

TEMPLATE = """\
# modeltui reads this file and never writes it. Every line is a comment: take the # away to set a value.

# server = "local"              # the server that is used unless --server names another
# default_model = "llama3.2"    # becomes the current model when none is chosen
# glyphs = "auto"               # auto, unicode or ascii
# theme = "textual-dark"        # a theme of the screens; ctrl+p lists them
# animations = false            # smooth scrolling, which costs bytes on the line

# [servers.gpubox]
# url = "http://gpubox:11434"
# token_env = "GPUBOX_TOKEN"    # sent as `Authorization: Bearer …`; the secret itself stays out of files
# token_command = ["pass", "show", "gpubox"]
# headers = { Host = "localhost:11434" }
# ca_file = "~/ca.pem"
# client_cert = "~/me.pem"
# local = false                 # whether it runs on this machine, where that cannot be seen

# [current]
# alias = "current"             # a name on the server that always points to the current model
# hook = ["systemctl", "--user", "reload", "chatbot"]
# auto_pull = false             # switching to a model that is not installed pulls it first

# [downloads]
# per_server = 1                # pulls at once on one server, 1 to 4
# detached = true               # pulls go on in a program of their own when this one ends
# retries = 10                  # tries without a new byte before waiting five minutes between tries
# stall_s = 90                  # seconds without a byte before the pull is started again; 0 never

# [registry]
# lookup = true                 # ask the registry for a model's exact size before a pull

# [updates]
# auto = "off"                  # what `modeltui upgrade --auto`, run by a timer, does: off, check or pull
# window = "02:00-05:00"        # when it does that, in local time

# [poll]
# models_s = 5                  # how often the visible list is asked for
# running_s = 2                 # the same on the screen Running
# health_s = 30                 # how often a server is asked whether it still answers

# [keys]
# switch = "S"                  # any key binding, by its name in the help (?)

# [tui.columns]
# models = ["name", "size", "state", "context"]

# [registries."registry.lan:5000"]
# insecure = true               # plain http to this registry
# base_url = "http://127.0.0.1:5000"
"""


def is_known(path: tuple[str, ...]) -> bool:
    if path[0] == "profiles" and len(path) > 2:
        path = path[2:]
    key = ".".join(path)
    if key in KEYS or key in LATER or path[0] in LATER:
        return True
    if path[0] == "servers" and len(path) == 3:
        return path[2] in SERVER_KEYS or path[2] in LATER_OF_SERVER
    return path[0] == "registries" and len(path) == 3 and path[2] in REGISTRY_KEYS
