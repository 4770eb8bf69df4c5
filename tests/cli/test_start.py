"""What a command loads before it works: no screen, and for `--version` next to nothing."""

import subprocess
import sys

import pytest
from commandline import Home, Stage, argv

from modeltui import __version__

SCREEN = ("textual", "rich", "pynvml", "psutil")
EDGES = ("httpx", "asyncio", "sqlite3")


def loaded(home: Home, *words: str) -> set[str]:
    """The top-level modules that a command imports."""
    command = argv(*words)
    ran = subprocess.run(
        [command[0], "-X", "importtime", *command[1:]],
        env=home.environ,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert ran.returncode in (0, 3), ran.stderr
    rows = [
        line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")
    ]
    return {row.partition(".")[0] for row in rows}


def test_importing_the_command_line_loads_no_screen_and_no_edge(home: Home) -> None:
    code = "import sys, modeltui.cli.main; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=home.environ, capture_output=True, encoding="utf-8", check=True
    )
    assert not {*SCREEN, *EDGES} & set(ran.stdout.split())


def test_version_loads_next_to_nothing(home: Home) -> None:
    found = loaded(home, "--version")
    assert not {*SCREEN, *EDGES, "argparse", "json", "typing", "re"} & found
    assert home.apart("--version").out == f"modeltui {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [("ls",), ("ls", "--json"), ("show", "qwen3:8b"), ("current",), ("queue",), ("config",)],
    ids=" ".join,
)
def test_a_command_loads_no_screen(home: Home, stage: Stage, words: tuple[str, ...]) -> None:
    found = loaded(home, *words)
    assert "modeltui" in found
    assert not {"textual", "rich", "pynvml"} & found


@pytest.mark.parametrize("words", [("queue",), ("config",), ("activity",)], ids=" ".join)
def test_what_asks_no_server_loads_no_http(home: Home, stage: Stage, words: tuple[str, ...]) -> None:
    assert "httpx" not in loaded(home, *words)
