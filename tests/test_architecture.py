"""Who may import whom: the floors and rooms of the house, as tables that every module is held against."""

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import modeltui

PACKAGE = Path(modeltui.__file__).parent

# --- the tables -------------------------------------------------------------------------------------

LEAVES = frozenset({"text", "errors", "paths", "http"})
EDGES = frozenset({"ollama", "registry", "hardware", "store", "config", "catalog", "modeldir"})
BELOW_USES = LEAVES | EDGES | {"domain"}

# Room -> the rooms of ours that it may import beside itself. `__init__` is the package's own file, which
# holds the version. Rooms on one floor do not know each other.
OURS: dict[str, frozenset[str]] = {
    "__main__": frozenset({"__init__", "cli"}),
    "cli": BELOW_USES | {"__init__", "services", "demo", "tui"},
    "tui": BELOW_USES | {"__init__", "services", "demo"},
    "services": BELOW_USES | {"__init__"},
    "demo": LEAVES | {"domain"},
    **{edge: LEAVES | {"domain"} for edge in EDGES},
    "domain": frozenset({"text", "errors"}),
    "http": frozenset({"__init__", "text", "errors", "paths"}),
    "paths": frozenset(),
    "errors": frozenset({"text"}),
    "text": frozenset(),
    "__init__": frozenset(),
}
# What one room may import from another only inside functions: it is dear, and most commands need none of it.
LAZY = frozenset({("cli", "tui"), ("__main__", "cli")})

# Modules that are not ours -> the rooms that may import them. A third-party one that is missing here is
# allowed nowhere, one of the standard library everywhere.
RESERVED: dict[str, frozenset[str]] = {
    "h11": frozenset({"ollama"}),
    "httpx": frozenset({"http", "ollama", "registry"}),
    "pynvml": frozenset({"hardware"}),
    "psutil": frozenset({"hardware"}),
    "platformdirs": frozenset({"paths"}),
    "tomli_w": frozenset({"config"}),
    "textual": frozenset({"tui"}),
    "rich": frozenset({"tui"}),
    "sqlite3": frozenset({"store"}),
    "tomllib": frozenset({"config", "catalog"}),
}
# Of the standard library the domain may import what neither does I/O nor looks at a clock, at chance or at
# the machine.
PURE = frozenset(
    {
        *("abc", "bisect", "collections", "collections.abc", "copy", "dataclasses", "datetime", "decimal"),
        *("difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "ipaddress"),
        *("itertools", "json", "math", "numbers", "operator", "re", "statistics", "string", "struct"),
        *("textwrap", "types", "typing", "unicodedata", "urllib.parse"),
    }
)
# And these calls look at a clock or do I/O without any import.
IMPURE_CALLS = frozenset({"open", "print", "input", "eval", "exec", "__import__"})
CLOCKS = frozenset({"now", "utcnow", "today"})


# --- the check --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, where it is imported, and whether only when a function runs (or for types)."""

    name: str
    line: int
    is_lazy: bool


def imports(module: str, source: str, *, is_package: bool = False) -> Iterator[Import]:
    """Everything that a source text imports: statements, and `import_module` with a name that can be read."""
    parents = module.split(".") if is_package else module.split(".")[:-1]
    pending: list[tuple[ast.AST, bool]] = [(ast.parse(source), False)]
    while pending:
        node, is_lazy = pending.pop()
        match node:
            case ast.Import(names=names):
                yield from (Import(alias.name, node.lineno, is_lazy) for alias in names)
            case ast.ImportFrom(module=of, names=names, level=level):
                above = parents[: len(parents) - level + 1] if level else []
                package = ".".join([*above, *([of] if of else [])])
                for alias in names:
                    name = f"{package}.{alias.name}" if _names_a_module(package, alias.name) else package
                    yield Import(name, node.lineno, is_lazy)
            case ast.Call(args=[name, *_]) if ast.unparse(node.func).split(".")[-1] in (
                "import_module",
                "__import__",
            ):
                yield Import(_constant(name), node.lineno, is_lazy)
        for below in ast.iter_child_nodes(node):
            pending.append((below, is_lazy or _is_later(node)))


def _names_a_module(package: str, name: str) -> bool:
    """Whether `from package import name` imports a module that the tables tell apart from its package."""
    return (package == "modeltui" and name in OURS) or f"{package}.{name}" in PURE


def _is_later(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def _constant(name: ast.expr) -> str:
    """The constant beginning of a computed name."""
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else name
    value = first.value if isinstance(first, ast.Constant) else None
    return value.rstrip(".") if isinstance(value, str) else "a computed name"


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """What a module of that name must not do, each as a line that says where and why."""
    room = _room(module)
    if room not in OURS:
        return [f"{module}: there is no room “{room}” in tests/test_architecture.py: add it with its floor"]
    found = [
        f"{module}:{each.line}: {room} imports {each.name}: {why}"
        for each in imports(module, source, is_package=is_package)
        if (why := _why_not(room, each))
    ]
    if room == "domain":
        found += [
            f"{module}:{line}: domain calls {call}(): {_PURITY}" for line, call in _impure_calls(source)
        ]
    return found


_PURITY = "it is pure; clock, chance, environment and files come in as parameters"


def _room(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def _why_not(room: str, imported: Import) -> str | None:
    top = imported.name.split(".")[0]
    if top == "modeltui":
        other = _room(imported.name)
        if other != room and other not in OURS[room]:
            return f"{room} may import {_listed(OURS[room])}"
        if (room, other) in LAZY and not imported.is_lazy:
            return "only inside a function"
        return None
    if top in RESERVED:
        return None if room in RESERVED[top] else f"only {_listed(RESERVED[top])} may"
    if top not in sys.stdlib_module_names:
        return "no room may"
    if room == "domain" and not {top, imported.name} & PURE:
        return _PURITY
    return None


def _listed(rooms: frozenset[str]) -> str:
    return ", ".join(sorted(rooms)) or "nothing of ours"


def _impure_calls(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield node.lineno, name
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in CLOCKS:
                if ast.unparse(value).split(".")[-1] in ("datetime", "date"):
                    yield node.lineno, ast.unparse(node.func)


def modules() -> dict[str, Path]:
    """Every module of the package: dotted name and file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["modeltui", *path.relative_to(PACKAGE).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


# --- the house --------------------------------------------------------------------------------------


def test_every_module_imports_what_it_may() -> None:
    wrong: list[str] = []
    for module, path in modules().items():
        source = path.read_text(encoding="utf-8")
        wrong += violations(module, source, is_package=path.name == "__init__.py")
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_room_is_looked_at() -> None:
    rooms = {_room(module) for module in modules()}
    assert rooms >= set(OURS)
    assert len(modules()) > 60


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("modeltui.text", "from modeltui.errors import HIDDEN"),
        ("modeltui.errors", "import modeltui.paths"),
        ("modeltui.errors", "from modeltui import http"),
        ("modeltui.paths", "from modeltui.text import clean_line"),
        ("modeltui.http", "from modeltui.domain.endpoint import Endpoint"),
        ("modeltui.domain.names", "from modeltui.paths import Paths"),
        ("modeltui.domain.names", "from modeltui.services.tree import Services"),
        (
            "modeltui.domain.names",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import modeltui.store",
        ),
        ("modeltui.domain.names", "import os"),
        ("modeltui.domain.names", "import os.path"),
        ("modeltui.domain.names", "from pathlib import Path"),
        ("modeltui.domain.names", "import socket, json"),
        ("modeltui.domain.names", "def f():\n    import time"),
        ("modeltui.domain.names", "import asyncio"),
        ("modeltui.domain.names", "import sqlite3"),
        ("modeltui.domain.names", "import subprocess"),
        ("modeltui.domain.names", "from random import random"),
        ("modeltui.domain.names", "from urllib import request"),
        ("modeltui.domain.names", "import urllib.request"),
        ("modeltui.domain.names", "import httpx"),
        ("modeltui.domain.names", "from datetime import datetime\nat = datetime.now()"),
        ("modeltui.domain.names", "import datetime\ndef f():\n    return datetime.date.today()"),
        ("modeltui.domain.names", "text = open('/etc/passwd').read()"),
        ("modeltui.store.queue", "from modeltui.config.settings import Config"),
        ("modeltui.store.queue", "from ..config import settings"),
        ("modeltui.store.queue", "from .. import config"),
        ("modeltui.config.reader", "import modeltui.store.store as store"),
        ("modeltui.config.reader", "from modeltui.services import tree"),
        ("modeltui.ollama.client", "from modeltui.registry.manifests import look_up"),
        ("modeltui.ollama.client", "def f():\n    from modeltui.demo.server import DemoServer"),
        (
            "modeltui.ollama.client",
            "from importlib import import_module\nimport_module('modeltui.store.queue')",
        ),
        ("modeltui.ollama.client", "import importlib\nimportlib.import_module(f'modeltui.cli.{name}')"),
        ("modeltui.ollama.client", "__import__('modeltui.' + name)"),
        ("modeltui.demo.server", "from modeltui.ollama import wire"),
        ("modeltui.demo.server", "from modeltui.services.tree import build"),
        ("modeltui.demo.server", "from modeltui.store.store import Store"),
        ("modeltui.demo.server", "import httpx"),
        ("modeltui.services.tree", "from modeltui.demo.server import DemoServer"),
        ("modeltui.services.tree", "from modeltui.cli.output import Output"),
        ("modeltui.services.tree", "def f():\n    from modeltui.tui.app import App"),
        ("modeltui.services.tree", "def f():\n    import httpx"),
        ("modeltui.services.tree", "import textual.app"),
        ("modeltui.services.tree", "from rich.text import Text"),
        ("modeltui.services.tree", "import sqlite3"),
        ("modeltui.services.tree", "import psutil"),
        ("modeltui.cli.main", "from modeltui.tui.app import App"),
        ("modeltui.cli.main", "class C:\n    from modeltui import tui"),
        ("modeltui.cli.main", "try:\n    import modeltui.tui\nexcept ImportError:\n    pass"),
        ("modeltui.cli.main", "import textual"),
        ("modeltui.cli.main", "import httpx"),
        ("modeltui.cli.main", "import pynvml"),
        ("modeltui.cli.main", "import tomllib"),
        ("modeltui.cli.main", "from platformdirs import PlatformDirs"),
        ("modeltui.cli.main", "import tomli_w"),
        ("modeltui.cli.main", "import requests"),
        ("modeltui.tui.app", "from modeltui.cli.main import run"),
        ("modeltui.tui.app", "import sqlite3"),
        ("modeltui", "from modeltui.errors import ModeltuiError"),
        ("modeltui.__main__", "from modeltui.cli.main import run"),
        ("modeltui.cellar.rack", "import json"),
    ],
)
def test_the_check_finds_what_is_wrong(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


def test_what_is_wrong_can_be_read() -> None:
    source = "import json\n\nfrom modeltui.config.settings import Config\n"
    assert violations("modeltui.store.queue", source) == [
        "modeltui.store.queue:3: store imports modeltui.config.settings: "
        "store may import domain, errors, http, paths, text"
    ]
    assert violations("modeltui.services.tree", "import httpx") == [
        "modeltui.services.tree:1: services imports httpx: only http, ollama, registry may"
    ]
    assert violations("modeltui.domain.units", "import time") == [
        "modeltui.domain.units:1: domain imports time: "
        "it is pure; clock, chance, environment and files come in as parameters"
    ]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("modeltui.domain.names", "import re\nfrom urllib.parse import urlsplit\nfrom urllib import parse"),
        (
            "modeltui.domain.names",
            "from modeltui.domain.units import iso\nfrom modeltui.errors import InvalidName",
        ),
        ("modeltui.domain.names", "from datetime import UTC, datetime\nat = datetime.fromtimestamp(0, UTC)"),
        ("modeltui.domain.names", "at = watch.now()"),
        ("modeltui.http", "import httpx\nfrom modeltui import __version__"),
        (
            "modeltui.store.queue",
            "import sqlite3, os, time\nfrom . import schema\nfrom ..domain import names",
        ),
        ("modeltui.services.tree", "import asyncio\nfrom modeltui.store.store import Store"),
        ("modeltui.services.tree", "def f():\n    from modeltui.ollama.client import OllamaServer"),
        ("modeltui.cli.main", "def f():\n    from modeltui.tui.app import App"),
        (
            "modeltui.cli.main",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import modeltui.tui.app",
        ),
        ("modeltui.cli.main", "from importlib import import_module\nimport_module(f'modeltui.cli.{name}')"),
        (
            "modeltui.tui.app",
            "import textual\nfrom rich.text import Text\nfrom modeltui.services import tree",
        ),
        ("modeltui.hardware.nvml", "import pynvml, psutil"),
        ("modeltui.config.reader", "import tomllib, tomli_w\nfrom modeltui.paths import Paths"),
    ],
)
def test_the_check_lets_pass_what_is_right(module: str, source: str) -> None:
    assert violations(module, source) == []


# --- what an import costs ---------------------------------------------------------------------------

HEAVY = frozenset({"textual", "rich", "httpx", "pynvml", "psutil"})
IMPORT_AND_LIST = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
print(*sys.modules)
"""


def run(source: str, *arguments: str, home: Path) -> str:
    """What a Python of its own prints, with an empty home that is also its working directory."""
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", source, *arguments]
    done = subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def of_cli() -> list[str]:
    return [module for module in modules() if module.startswith("modeltui.cli")]


@pytest.mark.parametrize(
    ("imported", "too_much"),
    [
        pytest.param(["modeltui.cli"], HEAVY | {"sqlite3", "asyncio"}, id="modeltui.cli"),
        pytest.param(
            ["modeltui.__main__"], HEAVY | {"sqlite3", "asyncio", "argparse"}, id="modeltui.__main__"
        ),
        pytest.param(["modeltui.cli.main"], HEAVY | {"sqlite3", "asyncio"}, id="modeltui.cli.main"),
        pytest.param(of_cli(), HEAVY, id="every command"),
    ],
)
def test_the_command_line_loads_little(tmp_path: Path, imported: list[str], too_much: frozenset[str]) -> None:
    loaded = run(IMPORT_AND_LIST, *imported, home=tmp_path).split()
    assert set(imported) <= set(loaded)
    assert too_much.isdisjoint(loaded)


IMPORT_AND_WATCH = """
import importlib, os, sys

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
DEEDS = (
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate",
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "sqlite3.connect",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "tempfile.mkstemp", "tempfile.mkdtemp",
)

def watch(event, arguments):
    if event in DEEDS or (event == "open" and arguments[2] & WRITING):
        print(module, event, *map(repr, arguments))

module = "before"
sys.addaudithook(watch)
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def test_importing_does_nothing(tmp_path: Path) -> None:
    """No module writes, connects or starts anything by being imported."""
    assert run(IMPORT_AND_WATCH, *modules(), home=tmp_path) == ""
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("deed", "event"),
    [
        ("open('file', 'w').close()", "open"),
        ("import os; os.mkdir('directory')", "os.mkdir"),
        ("import sqlite3; sqlite3.connect(':memory:').close()", "sqlite3.connect"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
    ],
)
def test_the_watch_sees_what_an_import_does(tmp_path: Path, deed: str, event: str) -> None:
    (tmp_path / "busy.py").write_text(deed)
    assert f"busy {event} " in run(IMPORT_AND_WATCH, "busy", home=tmp_path)


FIRST_PAINT = ["modeltui.cli.main", "modeltui.tui.start", "modeltui.tui.app", "modeltui.tui.screens.models"]


def test_little_is_loaded_before_the_first_paint(tmp_path: Path) -> None:
    """Each module of ours, and each dataclass in it, costs a part of the start."""
    loaded = run(IMPORT_AND_LIST, *FIRST_PAINT, home=tmp_path).split()
    ours = [module for module in loaded if module.startswith("modeltui.")]
    assert set(FIRST_PAINT) <= set(ours)
    assert len(ours) <= 62, sorted(ours)
    assert {"httpx", "pynvml", "psutil", "rich.markdown"}.isdisjoint(loaded)


def test_no_two_test_modules_share_a_name() -> None:
    """They lie in no package: the second one of a name would not be collected."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
