"""A pseudo-terminal with a program on it, which reads or stops reading, changes its size and goes away."""

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_KITTY = re.compile(rb"\x1b\[>\d+u")
_MOUSE = (1000, 1002, 1003, 1006, 1015, 1016)


class Pty:
    """A terminal that answers no question; what is on it does not outlive the `with` block.

    It reads all the time, on a thread of its own, unless `reads` is False.
    """

    def __init__(self, columns: int = 80, rows: int = 24, *, reads: bool = True) -> None:
        self.received = bytearray()
        self.cpu_s: float | None = None
        self._code: int | None = None
        self._popen: subprocess.Popen[bytes] | None = None
        self._master, self._slave = os.openpty()
        self._is_open = True
        self._size(columns, rows)
        self.attributes_before = self.attributes
        self._reads = threading.Event()
        self._came = threading.Condition()
        if reads:
            self._reads.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The program

    def spawn(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        ignoring: signal.Signals | None = None,
        cwd: str | Path | None = None,
    ) -> Self:
        """Start a program that has this terminal, as nohup would if a signal is to be ignored."""
        ignore = f"trap '' {ignoring.name[3:]}; " if ignoring else ""
        # A session leader without a terminal makes the one that it opens its own.
        opening = f'{ignore}exec 3<>"$0"; exec 3>&-; exec "$@"'
        self._popen = subprocess.Popen(
            ["sh", "-c", opening, os.ttyname(self._slave), *argv],
            env={"TERM": "xterm-256color", **environ},
            cwd=cwd,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
        )
        return self

    @property
    def pid(self) -> int:
        assert self._popen is not None, "nothing was started"
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended; if it has, its exit code and CPU time are known after this."""
        assert self._popen is not None, "nothing was started"
        if self._code is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._code = self._popen.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_s = usage.ru_utime + usage.ru_stime
        return self._code is None

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the program; to one that has ended, nothing."""
        if self.is_running:
            os.kill(self.pid, number)

    def wait(self, seconds: float = 60) -> int:
        """Wait for the end; the exit code, negative for the signal that killed it. `cpu_s` is known then."""
        _until(lambda: not self.is_running, seconds, lambda: f"not ended: {self._tail()}")
        assert self._code is not None
        if self._is_open and self._reads.is_set():
            self.drain()
        return self._code

    # What it shows

    @property
    def count(self) -> int:
        """Bytes received until now."""
        return len(self.received)

    @property
    def modes(self) -> dict[int, bool]:
        """The private modes (DECSET) that were set or reset, as they stand now."""
        states: dict[int, bool] = {}
        for numbers, letter in _MODES.findall(bytes(self.received)):
            for number in numbers.split(b";"):
                states[int(number)] = letter == b"h"
        return states

    @property
    def attributes(self) -> list[Any]:
        """termios, as it stands now."""
        return termios.tcgetattr(self._slave)

    def left_on(self) -> list[str]:
        """What a shell would suffer from if the program left the terminal as it is now."""
        modes = self.modes
        checks = {
            "raw mode": self.attributes != self.attributes_before,
            "alternate screen": modes.get(1049, False),
            "hidden cursor": not modes.get(25, True),
            "mouse": any(modes.get(mode, False) for mode in _MOUSE),
            "bracketed paste": modes.get(2004, False),
            "focus events": modes.get(1004, False),
            "sizes reported": modes.get(2048, False),
            "no wrap": not modes.get(7, True),
            "kitty's keys": len(_KITTY.findall(self.received)) > self.received.count(b"\x1b[<u"),
            "non-blocking": not os.get_blocking(self._slave),
        }
        return [what for what, is_so in checks.items() if is_so]

    def read_until(self, wanted: bytes, seconds: float = 60, *, since: int = 0) -> int:
        """Wait for bytes after the place `since` (a former `count`); returns the place where they end."""
        deadline = time.monotonic() + seconds
        with self._came:
            while (at := self.received.find(wanted, since)) < 0:
                left = deadline - time.monotonic()
                assert left > 0 and self._is_open, f"no {wanted!r}: {self._tail()}"
                self._came.wait(left)
        return at + len(wanted)

    def drain(self, quiet_s: float = 0.1, seconds: float = 60) -> int:
        """Read until nothing has come for `quiet_s` seconds; returns how many bytes there are in all."""
        deadline, seen = time.monotonic() + seconds, -1
        self.resume()
        while seen != self.count:
            seen = self.count
            assert time.monotonic() < deadline, "it does not become quiet"
            with self._came:
                self._came.wait_for(lambda: self.count != seen, quiet_s)  # noqa: B023
        return seen

    # What it does

    def send(self, text: str) -> None:
        """Type."""
        os.write(self._master, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as a window does: the program gets SIGWINCH."""
        self._size(columns, rows)
        if self._popen is not None:
            self.kill(signal.SIGWINCH)

    def stall(self) -> None:
        """Stop reading."""
        self._reads.clear()

    def resume(self) -> None:
        """Read again."""
        self._reads.set()

    def hang_up(self) -> None:
        """Go away."""
        if not self._is_open:
            return
        with self._came:
            self._is_open = False
            self._came.notify_all()
        self._reads.set()
        self._reader.join(5)
        os.close(self._slave)
        os.close(self._master)

    def close(self) -> None:
        """Go away, and see to it that the program has too."""
        self.hang_up()
        if self._popen is not None:
            self.kill(signal.SIGKILL)
            _until(lambda: not self.is_running, 60, lambda: "it outlives SIGKILL")

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> None:
        while self._reads.wait() and self._is_open:
            ready, _, _ = select.select([self._master], [], [], 0.02)
            if not ready or not self._reads.is_set():
                continue
            with contextlib.suppress(OSError):  # EIO: nobody has the other side
                data = os.read(self._master, 65_536)
                with self._came:
                    self.received += data
                    self._came.notify_all()

    def _tail(self) -> str:
        return f"… {bytes(self.received[-2000:])!r}"


def environ_for(home: Path) -> dict[str, str]:
    """The environment of a program that is tested: nothing of this one but where things are.

    Its pulls run inside it: no process shall outlive a test that does not look after it.
    """
    kept = {key: os.environ[key] for key in ("PATH", "COVERAGE_PROCESS_START") if key in os.environ}
    kept["MODELTUI_DOWNLOADS__DETACHED"] = "false"
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}


def _until(is_so: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, why()
        time.sleep(0.01)
