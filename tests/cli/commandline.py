"""The command line as its tests use it: a server behind it, a home, commands here, apart, on terminals."""

import asyncio
import contextlib
import fcntl
import io
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hostility import harmful_characters

from modeltui.demo.faults import Fault, Kind
from modeltui.demo.library import DemoModel, Library
from modeltui.demo.server import DemoServer
from modeltui.domain.transfers import State
from modeltui.paths import Paths, paths_under
from modeltui.store.queue import QueuedTransfer
from modeltui.store.store import Store

T = TypeVar("T")

DOCUMENTED = frozenset({0, 1, 2, 3, 4, 5, 6})
ROOT = Path(__file__).parents[2]


class Behind:
    """An event loop in a thread of its own, for servers that answer while a test runs a command."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def call(self, function: Callable[[], T]) -> T:
        async def called() -> T:
            return function()

        return self.do(called())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass
class Stage:
    """A demonstration server behind the command line."""

    server: DemoServer
    behind: Behind

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def library(self) -> Library:
        return self.server.library

    def trouble(self, kind: Kind, path: str = "/api/*", **more: Any) -> None:
        fault = Fault(kind, path=path, **{"times": None, **more})
        self.behind.call(lambda: self.server.faults.add(fault))

    def calm(self) -> None:
        self.behind.call(self.server.faults.clear)

    def publish(self, *models: DemoModel) -> None:
        for model in models:
            self.behind.call(lambda model=model: self.library.publish(model))  # type: ignore[misc]

    def set_rate(self, rate: float) -> None:
        """Bytes a second of what is pulled from now on."""
        self.behind.call(lambda: setattr(self.server, "rate", rate))

    def stop(self) -> None:
        self.behind.do(self.server.stop())

    def start(self) -> None:
        self.behind.do(self.server.start())

    @property
    def installed(self) -> list[str]:
        return self.behind.call(lambda: self.library.installed_names)


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def stream(self) -> list[Any]:
        """JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The one JSON object on stderr, which is its last line."""
        found = json.loads(self.err.splitlines()[-1])
        assert set(found) == {"error"}, found
        error = found["error"]
        assert set(error) - {"alternatives"} == {"code", "message", "url", "remedy"}, error
        assert error.get("alternatives") != []
        assert isinstance(error["code"], str)
        assert isinstance(error["message"], str)
        return dict(error)


@dataclass
class Home:
    """Directories of one user and the environment that leads there."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> Paths:
        return paths_under(self.root)

    def write_config(self, text: str) -> None:
        self.paths.config.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.paths.config_file.write_text(text, "utf-8")
        self.paths.config_file.chmod(0o600)

    def configure(self, url: str, more: str = "", of_server: str = "") -> None:
        """Make the server at `url` the active one, named demo, and the registry of every name."""
        here = f'server = "demo"\n{more}\n[servers.demo]\nurl = "{url}"\nlocal = false\n{of_server}\n'
        hosts = ("registry.ollama.ai", "hf.co")
        self.write_config(here + "".join(f'[registries."{host}"]\nbase_url = "{url}"\n' for host in hosts))

    def queue(self) -> list[QueuedTransfer]:
        """The rows as they lie in the store, whoever runs."""
        if not self.paths.database.exists():
            return []
        store = Store.open(self.paths.database)
        try:
            assert store.trouble is None, store.trouble
            return list(store.queue.all())
        finally:
            store.close()

    def row(self, name: str) -> QueuedTransfer | None:
        return next((row for row in self.queue() if row.transfer.name.short == name), None)

    def is_pulling(self, name: str, least: int = 1) -> bool:
        """Whether bytes of a model are arriving and are saved."""
        row = self.row(name)
        return row is not None and row.transfer.state is State.PULLING and row.transfer.done >= least

    def spawn(self, *words: str, **more: Any) -> "Process":
        return Process(self, words, **more)

    def apart(self, *words: str, **more: Any) -> Ran:
        """Run a command as a process of its own to its end."""
        with self.spawn(*words, **more) as process:
            return process.end()


def argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "modeltui", *words]


class Process:
    """A command as a process of its own; it does not outlive the `with` block."""

    def __init__(
        self,
        home: Home,
        words: tuple[str, ...],
        *,
        environ: Mapping[str, str] | None = None,
        ignoring: signal.Signals | None = None,
    ) -> None:
        shell = ["sh", "-c", f"trap '' {ignoring.name[3:]}; exec \"$@\"", "sh"] if ignoring else []
        self._popen = subprocess.Popen(
            [*shell, *argv(*words)],
            env={**home.environ, **(environ or {})},
            cwd=home.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.communicate()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def first_line(self) -> str:
        """The first line that it prints."""
        assert self._popen.stdout is not None
        return self._popen.stdout.readline()

    def talk_line(self) -> str:
        """The next line that it says."""
        assert self._popen.stderr is not None
        return self._popen.stderr.readline()

    def end(self, seconds: float = 30) -> Ran:
        """Wait for its end; what was read before is not in it."""
        out, err = self._popen.communicate(timeout=seconds)
        return Ran(self._popen.returncode, out, err)


class Terminal:
    """A pseudo-terminal with a command on it."""

    def __init__(
        self, home: Home, *words: str, columns: int = 80, environ: Mapping[str, str] | None = None
    ) -> None:
        self.columns = columns
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        # A session leader without a terminal makes the one that it opens its own.
        opening = 'exec <"$0" >"$0" 2>&1; exec "$@"'
        self._popen = subprocess.Popen(
            ["sh", "-c", opening, os.ttyname(slave), *argv(*words)],
            env={**home.environ, "TERM": "xterm-256color", **(environ or {})},
            cwd=home.root,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._slave: int | None = slave
        self._got = bytearray()

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()

    @property
    def text(self) -> str:
        """Everything it has been sent until now; strictly UTF-8, but for a character still on its way."""
        whole = len(self._got)
        while whole and self._got[whole - 1] & 0xC0 == 0x80:
            whole -= 1
        return (
            self._got[: whole - 1 if whole else 0].decode("utf-8")
            if self._popen.poll() is None
            else (self._got.decode("utf-8"))
        )

    def read_until(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while text.encode() not in self._got:
            assert self._read(deadline), f"no {text!r} in {bytes(self._got)!r}"
        return self.text

    def send(self, text: str) -> None:
        os.write(self._master, text.encode())

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def hang_up(self) -> None:
        """Take the terminal away."""
        for handle in (self._slave, self._master):
            if handle is not None and handle >= 0:
                os.close(handle)
        self._slave, self._master = None, -1

    def end(self, seconds: float = 30) -> Ran:
        """Read to the end of the command; what it wrote is in `out`, with \\n for the terminal's \\r\\n."""
        deadline = time.monotonic() + seconds
        while self._popen.poll() is None:
            self._read(min(deadline, time.monotonic() + 0.05))
            assert time.monotonic() < deadline, f"not ended: {bytes(self._got)!r}"
        while self._read(time.monotonic()):
            pass
        return Ran(self._popen.returncode, self._got.decode("utf-8").replace("\r\n", "\n"), "")

    def wait(self, seconds: float = 30) -> int:
        """The exit code of a command whose terminal is gone."""
        return self._popen.wait(seconds)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            data = os.read(self._master, 65_536)
            self._got += data
            return bool(data)
        return False


def run_on_terminal(words: list[str], columns: int, run: Callable[[list[str]], int]) -> Ran:
    """Run a command in this process, its stdout and stderr being a pseudo-terminal."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    got = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while data := os.read(master, 65_536):
                got.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    before = sys.stdout, sys.stderr
    with open(slave, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123
        sys.stdout = sys.stderr = stream
        try:
            code = run(words)
        finally:
            sys.stdout, sys.stderr = before
    reader.join(10)
    os.close(master)
    return Ran(code, got.decode("utf-8").replace("\r\n", "\n"), "")


def run_in_ascii(words: list[str], run: Callable[[list[str]], int]) -> Ran:
    """Run a command in this process, its streams being ASCII, strictly."""
    before = sys.stdout, sys.stderr
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="") for _ in range(2))
    sys.stdout, sys.stderr = out, err
    try:
        code = run(words)
    finally:
        sys.stdout, sys.stderr = before
    for stream in (out, err):
        stream.seek(0)
    return Ran(code, out.read(), err.read())


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


@contextmanager
def demo_stage(behind: Behind, **more: Any) -> Iterator[Stage]:
    """A fast demonstration server; `more` as DemoServer takes it."""
    fast: dict[str, Any] = {
        "rate": 2e9,
        "load_rate": 1e12,
        "verify_rate": 1e12,
        "small_layer_time": 0.0,
        "token_rate": 2000.0,
    }
    server = DemoServer(**{**fast, **more})
    behind.do(server.start())
    try:
        yield Stage(server, behind)
    finally:
        behind.do(server.stop())


OWN_SEQUENCES = re.compile(r"\x1b\[(?:\d*[AB]|[JK]|[\d;]*m)")


def harmful(text: str, *, on_terminal: bool = False) -> set[str]:
    """The characters of `text` that could steer a terminal or hide; our own painting set apart."""
    if on_terminal:
        text = OWN_SEQUENCES.sub("", text).replace("\r", "")
    found: set[str] = harmful_characters(text)
    return found - {"\n"}


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def cell_width(text: str) -> int:
    """Terminal cells of a text without control sequences."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


class Screen:
    """What a person sees: a terminal that knows just what the progress uses; anything else is an error."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self.lines: list[str] = [""]
        self._row = 0
        self._column = 0

    def feed(self, text: str) -> None:
        for part in re.split(r"(\x1b\[[\d;]*[A-Za-z])", text):
            if part.startswith("\x1b"):
                self._obey(part[2:-1], part[-1])
            else:
                for character in part:
                    self._put(character)

    def _obey(self, number: str, letter: str) -> None:
        match letter:
            case "A":
                assert self._row >= int(number or 1), "above the first line"
                self._row -= int(number or 1)
            case "B":
                self._row += int(number or 1)
                assert self._row < len(self.lines), "below the last line"
            case "K":
                self.lines[self._row] = self.lines[self._row][: self._column]
            case "J":
                self.lines = [*self.lines[: self._row], self.lines[self._row][: self._column]]
            case _:
                assert letter == "m", f"an unexpected sequence: {number}{letter}"

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            self._column = 0
            if self._row == len(self.lines):
                self.lines.append("")
        else:
            line = self.lines[self._row]
            self.lines[self._row] = (
                line[: self._column].ljust(self._column) + character + line[self._column + 1 :]
            )
            self._column += 1
            assert cell_width(self.lines[self._row]) <= self._columns, f"wraps: {self.lines[self._row]}"
