"""Runs a program on a pseudo-terminal of its own, and keeps each piece of its output with the time it came.

Of all that a program asks a terminal only one question is answered: synchronized output (mode 2026) is there,
as in most terminals people use over SSH. So the 16 bytes it adds to a frame are counted.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

COLUMNS, LINES = 120, 35
SILENCE_S = 0.06
"""The last byte of an answer is the last one before this much silence."""
PANE_S, PANE_SILENCE_S = 0.075, 0.03
"""A detail pane follows 80 ms after a key: what begins that late after a pause is not the key's answer."""

_ASKS_SYNC, _HAS_SYNC = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC and other strings
    rb"|\x1b[ -/]*[0-~]"
)


class Stalled(Exception):
    """What was waited for did not come; the text is what the screen had shown last."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The answer to one key: milliseconds until its last byte, and the bytes."""

    ms: float
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


def plain(data: bytes) -> str:
    """The text of terminal output, without sequences; parts that were painted apart stand side by side."""
    return _SEQUENCE.sub(b"", data).decode("utf-8", "replace")


class Terminal:
    """A program on a pseudo-terminal; it does not outlive the `with` block.

    Times are seconds of `time.perf_counter`.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._pieces: list[tuple[float, bytes]] = []
        self._came = threading.Condition()
        self._master, slave = pty.openpty()
        try:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            self.began = time.perf_counter()
            self._popen = subprocess.Popen(
                command, stdin=slave, stdout=slave, stderr=slave, env=dict(environ), start_new_session=True
            )
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self.process = psutil.Process(self._popen.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        self._reader.join(5)
        os.close(self._master)

    def _read(self) -> None:
        tail = b""
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # EIO: the program has ended
                data = b""
            now = time.perf_counter()
            with self._came:
                if data:
                    self._pieces.append((now, data))
                self._came.notify_all()
            if not data:
                return
            tail += data
            if _ASKS_SYNC in tail:
                os.write(self._master, _HAS_SYNC)
                tail = b""
            tail = tail[-len(_ASKS_SYNC) :]

    @property
    def mark(self) -> int:
        """A place in the output, for `since`."""
        return len(self._pieces)

    def pieces(self, since: int = 0) -> list[tuple[float, bytes]]:
        return self._pieces[since:]

    def output(self, since: int = 0) -> bytes:
        return b"".join(data for _, data in self._pieces[since:])

    def send(self, keys: str) -> float:
        """Type; returns the time."""
        now = time.perf_counter()
        os.write(self._master, keys.encode())
        return now

    def wait_until(self, is_so: Callable[[str], bool], since: int = 0, patience: float = 15) -> float:
        """Wait until the text since a mark fulfils `is_so`; returns the time of the byte that made it so."""
        end = time.perf_counter() + patience
        seen, text = since, b""
        while True:
            for at, data in self._pieces[seen:]:
                text += data
                seen += 1
                if is_so(plain(text)):
                    return at
            with self._came:
                if seen == len(self._pieces):
                    left = end - time.perf_counter()
                    if left <= 0 or self._popen.poll() is not None:
                        raise Stalled(plain(text)[-2000:])
                    self._came.wait(min(left, 0.5))

    def wait_quiet(self, silence: float, patience: float = 3) -> None:
        """Wait until nothing has come for `silence` seconds, or until `patience` is spent."""
        end = time.perf_counter() + patience
        while (now := time.perf_counter()) < end:
            last = self._pieces[-1][0] if self._pieces else self.began
            if now - last >= silence:
                return
            with self._came:
                self._came.wait(min(end - now, last + silence - now))

    def press(self, keys: str, shows: str = "", *, without_pane: bool = False, patience: float = 5) -> Burst:
        """Type, and wait for the last byte of an answer that `shows` some text; raises Stalled if none does.

        Without a text any byte begins the answer, also one that would have come without the key.
        """
        since = self.mark
        sent = self.send(keys)
        self.wait_until(lambda text: shows in text, since, patience)
        self.wait_quiet(SILENCE_S)
        last, data = sent, b""
        for at, piece in self.pieces(since):
            if without_pane and data and at - sent > PANE_S and at - last > PANE_SILENCE_S:
                break
            last, data = at, data + piece
        return Burst((last - sent) * 1000, data)

    def cpu_seconds(self) -> float:
        """User and system time of the program so far; the system counts in steps of 10 ms."""
        times = self.process.cpu_times()
        return times.user + times.system

    def memory(self) -> int:
        """Resident bytes."""
        return int(self.process.memory_info().rss)

    def quit(self, keys: str = "q", patience: float = 10) -> int:
        """Leave in order; returns the exit code."""
        self.send(keys)
        return self._popen.wait(patience)
