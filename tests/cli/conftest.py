"""Fixtures of the command line: a home, a demonstration server behind it, commands run in this process."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commandline import ROOT, Behind, Home, Ran, Stage, demo_stage, run_in_ascii, run_on_terminal

from modeltui.cli.main import run

Cli = Callable[..., Ran]


@pytest.fixture
def behind() -> Iterator[Behind]:
    """An event loop beside the test."""
    loop = Behind()
    yield loop
    loop.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Empty directories; the environment holds nothing else, here and for processes."""
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    kept = {key: os.environ[key] for key in ("PATH", "COVERAGE_PROCESS_START") if key in os.environ}
    home = Home(root)
    home.environ = {
        **kept,
        "MODELTUI_DOWNLOADS__DETACHED": "false",  # no process may outlive a test
        "HOME": str(root),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
        "MODELTUI_CONFIG_DIR": str(home.paths.config),
        "MODELTUI_STATE_DIR": str(home.paths.state),
        "MODELTUI_CACHE_DIR": str(home.paths.cache),
    }
    for key in list(os.environ):
        if key not in kept and not key.startswith("PYTEST"):
            monkeypatch.delenv(key)
    for key, value in home.environ.items():
        if not key.startswith("PYTHON"):
            monkeypatch.setenv(key, value)
    return home


@pytest.fixture
def stage(behind: Behind, home: Home) -> Iterator[Stage]:
    """A fast demonstration server that the home is configured for."""
    with demo_stage(behind) as stage:
        home.configure(stage.url)
        yield stage


@pytest.fixture
def cli(home: Home, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process: `cli("ls", "--json")`."""

    def ran(*words: str) -> Ran:
        capsys.readouterr()
        code = run(list(words))
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return ran


@pytest.fixture
def screen(home: Home, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process on a terminal: `screen("ls", columns=60, NO_COLOR="1")`."""

    def ran(*words: str, columns: int = 80, **environ: str) -> Ran:
        with monkeypatch.context() as patch:
            for key, value in {"TERM": "xterm-256color", **environ}.items():
                patch.setenv(key, value)
            return run_on_terminal(list(words), columns, run)

    return ran


@pytest.fixture
def ascii_cli(home: Home) -> Cli:
    """Run a command in this process whose streams hold nothing but ASCII."""
    return lambda *words: run_in_ascii(list(words), run)
