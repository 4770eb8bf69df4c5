"""Screens with a runner apart: however a screen ends the pull goes on, and all that are open say the same."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from apart import (
    end_runners,
    is_installed,
    is_pulling,
    kill_runner,
    row_of,
    runner_lives,
    runners,
    until,
)
from ptys import Pty, environ_for

from modeltui.domain.transfers import State
from modeltui.paths import Paths, paths_under, write_private

MODELTUI = [sys.executable, "-m", "modeltui"]
NAME = "all-minilm:latest"
STALLED_AT = 200_000_000


@dataclass(frozen=True)
class Place:
    """A demonstration server in a process of its own, and a user whose pulls are carried out apart."""

    url: str
    paths: Paths
    environ: dict[str, str]

    def command(self, *words: str) -> Any:
        """The JSON that a command answers."""
        done = subprocess.run(
            [*MODELTUI, *words, "--json"], env=self.environ, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stall(self) -> None:
        """From now on a pull comes to 200 MB and no further."""
        fault = {"kind": "stall", "path": "/api/pull", "after_bytes": STALLED_AT, "times": None}
        self._wish("POST", "/demo/faults", fault)

    def calm(self) -> None:
        """What begins from now on does not stall."""
        self._wish("DELETE", "/demo/faults", {})

    def let_go(self) -> None:
        """What stalls is cut off and goes on, too."""
        self.calm()
        self._wish("POST", "/demo/restart", {})

    def _wish(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = httpx.request(method, self.url + path, json=body, trust_env=False, timeout=30)
        assert answer.status_code < 300, answer.text


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    environ = environ_for(tmp_path)
    argv = [*MODELTUI, "demo", "--json"]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environ)
    assert server.stdout is not None
    url = json.loads(server.stdout.readline())["url"]
    paths = paths_under(tmp_path / "home")
    hosts = "".join(
        f'[registries."{host}"]\nbase_url = "{url}"\n' for host in ("registry.ollama.ai", "hf.co")
    )
    write_private(
        paths.config_file, f'server = "demo"\n[servers.demo]\nurl = "{url}"\nlocal = false\n{hosts}'
    )
    places = {"CONFIG": paths.config, "STATE": paths.state, "CACHE": paths.cache}
    environ |= {f"MODELTUI_{word}_DIR": str(path) for word, path in places.items()}
    environ["MODELTUI_DOWNLOADS__DETACHED"] = "true"
    try:
        yield Place(url, paths, environ)
    finally:
        end_runners(paths)
        server.terminate()
        server.wait(10)
        server.stdout.close()


def opened(place: Place, terminal: Pty) -> None:
    terminal.spawn(MODELTUI, place.environ)
    terminal.read_until(b"qwen3:8b")


def pulling(place: Place, terminal: Pty) -> None:
    """Ask for a model on the screen, and wait until it stands at 200 MB."""
    place.stall()
    opened(place, terminal)
    terminal.send("p")
    terminal.read_until(b"Pull which model?")
    terminal.send(f"{NAME}\r")
    until(lambda: is_pulling(place.paths, NAME, STALLED_AT // 2))


@pytest.mark.parametrize("how", ["kill -9", "vanishes", "q"])
def test_however_a_screen_ends_the_pull_goes_on(place: Place, how: str) -> None:
    with Pty(80, 24) as terminal:
        pulling(place, terminal)
        runner = runners(place.paths)
        match how:
            case "kill -9":
                terminal.kill(signal.SIGKILL)
                assert terminal.wait() == -9
            case "vanishes":
                terminal.hang_up()
                assert terminal.wait() == 129
            case "q":  # and nothing is asked
                terminal.send("q")
                assert terminal.wait() == 0
    assert runner_lives(place.paths)
    assert row_of(place.paths, NAME).transfer.state is State.PULLING
    place.let_go()
    until(lambda: is_installed(place.paths, NAME), 60)
    assert runners(place.paths) == runner and len(runner) == 1


def test_quitting_at_once_leaves_a_runner_behind(place: Place) -> None:
    with Pty(80, 24) as terminal:
        opened(place, terminal)
        terminal.send("p")
        terminal.read_until(b"Pull which model?")
        terminal.send("tiny-demo\r")
        until(lambda: row_of(place.paths, "tiny-demo:latest"))
        terminal.send("q")
        assert terminal.wait() == 0
    until(lambda: is_installed(place.paths, "tiny-demo:latest"))


def test_a_screen_starts_another_runner_when_one_dies(place: Place) -> None:
    with Pty(120, 35) as terminal:
        pulling(place, terminal)
        place.calm()
        killed = kill_runner(place.paths)
        terminal.read_until(b"the runner ended")
        until(lambda: is_installed(place.paths, NAME), 60)
        assert runners(place.paths)[0] == killed
        terminal.send("q")
        assert terminal.wait() == 0


def test_the_next_screen_takes_up_what_two_dead_ones_left(place: Place) -> None:
    with Pty(80, 24) as terminal:
        pulling(place, terminal)
        place.calm()
        terminal.kill(signal.SIGKILL)
        terminal.wait()
    kill_runner(place.paths)
    assert row_of(place.paths, NAME).transfer.state is State.PULLING  # nobody could say anything else
    with Pty(80, 24) as terminal:
        opened(place, terminal)
        until(lambda: is_installed(place.paths, NAME), 60)
        terminal.send("q")
        assert terminal.wait() == 0


def test_two_screens_and_a_command_see_the_same(place: Place) -> None:
    with Pty(120, 35) as first, Pty(120, 35) as second:
        pulling(place, first)
        opened(place, second)
        for terminal in (first, second):
            terminal.send("4")
            terminal.read_until(b"65 %")
        (row,) = place.command("queue")
        assert (row["state"], row["done"] // 10_000_000) == ("pulling", STALLED_AT // 10_000_000)
        marks = [first.count, second.count]
        place.command("queue", "pause", "1")
        for terminal, mark in zip((first, second), marks, strict=True):
            terminal.read_until(b"paused", since=mark)
        place.let_go()
        marks = [first.count, second.count]
        second.send("h")  # the other screen, which started no runner
        for terminal, mark in zip((first, second), marks, strict=True):
            terminal.read_until(b"installed", since=mark, seconds=60)
        (row,) = place.command("queue")
        assert row["state"] == "installed"
        for terminal in (first, second):
            terminal.send("q")
            assert terminal.wait() == 0
