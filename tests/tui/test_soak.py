"""Screens, commands and runners are killed at random points, again and again: no pull is lost or done twice.

Twenty rounds run with the other tests, two hundred by `pytest -m soak`. A round that fails names its seed.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from apart import end_runners, is_installed, kill_runner, log_of, row_of, rows, runner_lives, until
from ptys import Pty, environ_for

from modeltui.demo.library import DemoModel, Installed, Library
from modeltui.demo.server import DemoServer
from modeltui.domain.transfers import State
from modeltui.paths import Paths, paths_under, write_private

MODELTUI = [sys.executable, "-m", "modeltui"]


@dataclass(frozen=True)
class Timings:
    """How long a pull takes, and up to when after it was asked for something is killed; in seconds."""

    pull_s: float = 0.4
    latest_s: float = 1.1
    verify_s: float = 0.1


class Blobs(dict[str, int]):
    """The blobs of a server, which counts how often each came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: Counter[str] = Counter()

    def __setitem__(self, digest: str, size: int) -> None:
        self.came[digest] += 1
        super().__setitem__(digest, size)


class CountingLibrary(Library):
    """What a server holds, with a count of what arrived there."""

    def __init__(self) -> None:
        super().__init__()
        self.blobs = self.counted = Blobs()


@dataclass
class Soak:
    """One server and one user's directories for all rounds."""

    paths: Paths
    environ: dict[str, str]
    library: CountingLibrary
    timings: Timings
    size: int
    killed: Counter[str] = field(default_factory=Counter)

    def run(self, number: int, chance: random.Random) -> None:
        """Ask for a model on a screen or by a command, kill, see that it arrives once and whole."""
        name = f"soak-{number}:latest"
        model = self.library.publish(DemoModel(name, name, self.size))
        with contextlib.ExitStack() as stack:
            if chance.random() < 0.3:
                watcher = stack.enter_context(Pty(80, 24))
                watcher.spawn(MODELTUI, self.environ)
                watcher.read_until(b"Downloads")
                watcher.send("p")
                watcher.read_until(b"Pull which model?")
                watcher.send(f"{name}\r")
                kind, pid = "screen", watcher.pid
            else:
                command = stack.enter_context(self._command("pull", name))
                kind, pid = "command", command.pid
            watches = True
            for _ in range(chance.choice([1, 1, 2])):
                time.sleep(chance.random() * self.timings.latest_s)  # wherever it stands by now
                what = chance.choice([kind, "runner", "both"])
                self.killed[what] += 1
                if what in (kind, "both"):
                    _kill(pid)
                    watches = False
                if what in ("runner", "both"):
                    self._kill_whatever_runs()
            if not watches:
                self._take_up(name)
            until(lambda: is_installed(self.paths, name), 60)
        self._is_whole(name, model)

    def _take_up(self, name: str) -> None:
        """The next start of anything takes the queue up; one that was killed before it asked asks again."""
        listed = self._answer("queue", "--json")
        if all(row["name"] != name for row in listed) and not row_of(self.paths, name):
            with self._command("pull", name) as command:
                command.wait(60)

    def _is_whole(self, name: str, model: Installed) -> None:
        row = row_of(self.paths, name)
        assert row is not None
        assert row.transfer.total == row.transfer.done == model.manifest.size
        assert name in self.library.installed_names
        assert self.library.counted.came[model.manifest.weights] == 1, "its weights came twice"
        with contextlib.closing(sqlite3.connect(self.paths.database, timeout=10)) as database:
            ended = "SELECT result, count(*) FROM activity WHERE action = 'pull' AND object = ?"
            assert database.execute(ended, (name,)).fetchall() == [("done", 1)]
            (ends,) = database.execute("SELECT count(*) FROM transfers WHERE name = ?", (name,)).fetchone()
            assert ends == 1
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []

    def _kill_whatever_runs(self) -> None:
        """The runner, if there is one yet; one that has no lock yet lives on, as it would."""
        if runner_lives(self.paths):
            kill_runner(self.paths)

    @contextmanager
    def _command(self, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        null = subprocess.DEVNULL
        process = subprocess.Popen(
            [*MODELTUI, *words],
            env=self.environ,
            stdin=null,
            stdout=null,
            stderr=null,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _answer(self, *words: str) -> list[dict[str, object]]:
        done = subprocess.run([*MODELTUI, *words], env=self.environ, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        answer: list[dict[str, object]] = json.loads(done.stdout)
        return answer


def _kill(number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


@contextmanager
def soaking(root: Path, timings: Timings) -> Iterator[Soak]:
    """A server on a thread, which answers while the test waits."""
    size = 30_000_000
    library = CountingLibrary()
    server = DemoServer(
        seed=library, rate=size / timings.pull_s, verify_rate=size / timings.verify_s, small_layer_time=0.0
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    paths, url = paths_under(root), server.url
    registry = f'[registries."registry.ollama.ai"]\nbase_url = "{url}"\n'
    write_private(
        paths.config_file, f'server = "demo"\n[servers.demo]\nurl = "{url}"\nlocal = false\n{registry}'
    )
    places = {"CONFIG": paths.config, "STATE": paths.state, "CACHE": paths.cache}
    environ = environ_for(root) | {f"MODELTUI_{word}_DIR": str(path) for word, path in places.items()}
    environ["MODELTUI_DOWNLOADS__DETACHED"] = "true"
    try:
        yield Soak(paths, environ, library, timings, size)
    finally:
        end_runners(paths)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def soak(root: Path, rounds: int, seed: int, timings: Timings) -> None:
    with soaking(root, timings) as all_rounds:
        for number in range(rounds):
            try:
                all_rounds.run(number, random.Random(seed * 1000 + number))
            except AssertionError as error:
                error.add_note(
                    f"round {number} of seed {seed}; the runners said:\n{log_of(all_rounds.paths)[-3000:]}"
                )
                raise
        found = rows(all_rounds.paths)
        assert [row.transfer.state for row in found] == [State.INSTALLED] * rounds
        until(lambda: not runner_lives(all_rounds.paths))
        print(f"{rounds} rounds, killed: {dict(all_rounds.killed)}")  # noqa: T201


def test_twenty_rounds(tmp_path: Path) -> None:
    soak(tmp_path, 20, 5, Timings())


@pytest.mark.soak
def test_two_hundred_rounds(tmp_path: Path) -> None:
    soak(tmp_path, 200, 6, Timings())
