"""The program itself on a real terminal: how it ends, and what it leaves behind."""

import json
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from ptys import Pty, environ_for

MODELTUI = [sys.executable, "-m", "modeltui"]


@dataclass(frozen=True)
class Demo:
    """A demonstration server in a process of its own, and the environment that leads to it."""

    url: str
    environ: dict[str, str]

    def stall_pulls(self) -> None:
        """From now on a pull comes to 50 MB and no further."""
        fault = {"kind": "stall", "path": "/api/pull", "after_bytes": 50_000_000, "times": None}
        request = urllib.request.Request(f"{self.url}/demo/faults", json.dumps(fault).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def states(self) -> list[tuple[str, int]]:
        """State and bytes of every transfer, as the database has them."""
        database = Path(self.environ["MODELTUI_STATE_DIR"]) / "modeltui.db"
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT state, done_high FROM transfers").fetchall()
        finally:
            connection.close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """For one test that changes something."""
    with demonstration(tmp_path) as demo:
        yield demo


@pytest.fixture(scope="module")
def quiet_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """For all tests that only look and leave."""
    with demonstration(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@contextmanager
def demonstration(home: Path) -> Iterator[Demo]:
    environ = environ_for(home)
    process = subprocess.Popen([*MODELTUI, "demo", "--json"], stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    places = dict(
        line.removeprefix("export ").split("=", 1)
        for line in Path(told["environment"]).read_text(encoding="utf-8").splitlines()
    )
    try:
        yield Demo(told["url"], {**environ, **{key: shlex.split(value)[0] for key, value in places.items()}})
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


EVERY_SCREEN = ["1", "2", "3", "4", "5", "\r", "?", "\x10", "p"]  # details, help, palette and a dialog, too


def pulling(terminal: Pty, demo: Demo) -> None:
    """Ask for a model on the screen, and wait until bytes of it have come."""
    demo.stall_pulls()
    terminal.send("p")
    terminal.read_until(b"Pull which model?")
    terminal.send("qwen3:1.7b\r")
    deadline = time.monotonic() + 20
    while not any(done for _, done in demo.states()):
        assert time.monotonic() < deadline, demo.states()
        time.sleep(0.05)


@pytest.mark.parametrize("screen", EVERY_SCREEN, ids=repr)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=str
)
def test_a_signal_leaves_the_terminal_sane(
    quiet_demo: Demo, screen: str, number: signal.Signals, code: int
) -> None:
    with Pty(80, 24) as terminal:
        terminal.spawn(MODELTUI, quiet_demo.environ)
        terminal.read_until(b"qwen3:8b")
        terminal.send(screen)
        terminal.drain()
        terminal.kill(number)
        assert terminal.wait() == code
        assert terminal.left_on() == []


@pytest.mark.parametrize("screen", EVERY_SCREEN, ids=repr)
def test_ctrl_c_ends_every_screen(quiet_demo: Demo, screen: str) -> None:
    with Pty(80, 24) as terminal:
        terminal.spawn(MODELTUI, quiet_demo.environ)
        terminal.read_until(b"qwen3:8b")
        terminal.send(screen)
        terminal.drain()
        terminal.send("\x03")
        assert terminal.wait() == 130
        assert terminal.left_on() == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=str
)
def test_a_signal_while_a_model_is_pulled_keeps_the_queue(
    demo: Demo, number: signal.Signals, code: int
) -> None:
    with Pty(80, 24) as terminal:
        terminal.spawn(MODELTUI, demo.environ)
        terminal.read_until(b"qwen3:8b")
        pulling(terminal, demo)
        terminal.kill(number)
        assert terminal.wait() == code
        assert terminal.left_on() == []
    ((state, done),) = demo.states()
    assert state == "waiting"
    assert done > 0


def test_a_terminal_that_vanishes_ends_it_though_sighup_is_ignored(demo: Demo) -> None:
    with Pty(80, 24) as terminal:
        terminal.spawn(MODELTUI, demo.environ, ignoring=signal.SIGHUP)
        terminal.read_until(b"qwen3:8b")
        pulling(terminal, demo)
        began = time.monotonic()
        terminal.hang_up()
        assert terminal.wait() == 129
        assert time.monotonic() - began < 10
        assert terminal.cpu_s is not None
        assert terminal.cpu_s < 5
    assert demo.states()[0][0] == "waiting"


def test_sigterm_while_nothing_reads_the_terminal(demo: Demo) -> None:
    with Pty(120, 35) as terminal:
        terminal.spawn(MODELTUI, demo.environ)
        terminal.read_until(b"qwen3:8b")
        terminal.stall()
        for _ in range(400):  # far more than the terminal and Textual's writer hold
            terminal.send("45")
        began = time.monotonic()
        terminal.kill(signal.SIGTERM)
        assert terminal.wait() == 143
        assert time.monotonic() - began < 10


def test_a_dumb_terminal_is_refused_with_what_to_use_instead(quiet_demo: Demo) -> None:
    with Pty(80, 24) as terminal:
        terminal.spawn(MODELTUI, {**quiet_demo.environ, "TERM": "dumb"})
        assert terminal.wait() == 2
        assert b"modeltui ls" in terminal.received
        assert b"\x1b" not in terminal.received


@pytest.mark.parametrize(
    "environ",
    [{"TERM": "linux"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}],
    ids=["console", "no utf-8"],
)
def test_a_poor_terminal_gets_ascii(quiet_demo: Demo, environ: dict[str, str]) -> None:
    with Pty(80, 24) as terminal:
        terminal.spawn(MODELTUI, {**quiet_demo.environ, **environ})
        terminal.read_until(b"qwen3:8b")
        for key in ("4", "5", "?", "\x1b", "1"):
            terminal.send(key)
            terminal.drain()
        terminal.send("q")
        assert terminal.wait() == 0
        assert terminal.received.isascii()


def test_no_colour_means_none_and_the_cursor_is_reverse(quiet_demo: Demo) -> None:
    with Pty(80, 24) as terminal:
        terminal.spawn(MODELTUI, {**quiet_demo.environ, "NO_COLOR": "1"})
        terminal.read_until(b"qwen3:8b")
        terminal.drain()
        terminal.send("q")
        assert terminal.wait() == 0
        assert b"\x1b[38;" not in terminal.received
        assert b"\x1b[48;" not in terminal.received
        assert re.search(rb"\x1b\[7[;m]", terminal.received)


@pytest.mark.parametrize(
    ("typed", "seen"),
    [("/qwen3:8b", b"1 of 12"), ("pqwen", b"qwen"), ("4pqd", b"qd"), ("?/quit", b"/ ")],
)
def test_keys_that_come_at_once_are_obeyed_in_their_order(quiet_demo: Demo, typed: str, seen: bytes) -> None:
    """On a slow line a burst of keys is one packet: what follows a key that opens a field is text."""
    with Pty(120, 35) as terminal:
        terminal.spawn(MODELTUI, quiet_demo.environ)
        terminal.read_until(b"nomic-embed-text")
        terminal.drain()
        start = terminal.count
        terminal.send(typed)
        terminal.read_until(seen, since=start)
        terminal.drain()
        assert terminal.is_running
        terminal.send("\x03")
        assert terminal.wait() == 130


def test_it_can_be_resized_at_any_moment(quiet_demo: Demo) -> None:
    with Pty(120, 35) as terminal:
        terminal.spawn(MODELTUI, quiet_demo.environ)
        for columns, rows in ((60, 20), (20, 5), (200, 60), (44, 20), (1, 1), (80, 24)):
            terminal.resize(columns, rows)
            terminal.drain(0.05)
        terminal.read_until(b"qwen3:8b")
        terminal.send("q")
        assert terminal.wait() == 0


def test_exported_sizes_do_not_freeze_it(quiet_demo: Demo) -> None:
    with Pty(140, 30) as terminal:
        terminal.spawn(MODELTUI, {**quiet_demo.environ, "COLUMNS": "40", "LINES": "10"})
        terminal.read_until(b"MODIFIED")
        terminal.send("q")
        assert terminal.wait() == 0
