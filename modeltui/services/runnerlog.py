"""Writes the log of the runner: bounded, private, one clean line an event; and reads its last line."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from modeltui.domain.units import iso
from modeltui.errors import strip_secrets
from modeltui.paths import open_private, private_directory
from modeltui.text import clean_line

ORDERLY = "nothing is left to do"
"""How the log of a runner ends that did not die."""
LIMIT = 1_000_000
_LINE = 1000
_TAIL = 4096
_APPENDING = os.O_WRONLY | os.O_APPEND


def open_log(path: Path) -> int:
    """A descriptor of the log that appends to it; raises OSError."""
    private_directory(path.parent)
    return open_private(path, _APPENDING)


class RunnerLog:
    """The log at `path`, at most `limit` bytes of it and as many of the one before (`runner.log.1`).

    `streams` are descriptors (stdout, stderr) that lead into it, too. That it cannot be written (a full
    disk) stops nothing. `clock` gives UTC milliseconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], int],
        streams: tuple[int, ...] = (),
        limit: int = LIMIT,
    ) -> None:
        self._path = path
        self._clock = clock
        self._streams = streams
        self._limit = limit
        self._handle = open_log(path)
        self._lead()

    def write(self, words: str) -> None:
        """One line, with the time before it."""
        line = f"{iso(self._clock())} {clean_line(strip_secrets(words), _LINE)}\n"
        with suppress(OSError):
            if os.fstat(self._handle).st_size + len(line) > self._limit:
                self._begin_anew()
            os.write(self._handle, line.encode("utf-8"))

    def close(self) -> None:
        os.close(self._handle)

    def _begin_anew(self) -> None:
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        before, self._handle = self._handle, open_log(self._path)
        os.close(before)
        self._lead()

    def _lead(self) -> None:
        for stream in self._streams:
            os.dup2(self._handle, stream)


def last_line(path: Path) -> str:
    """The last line that a runner wrote, cleaned; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((clean_line(line) for line in reversed(lines) if line.strip()), "")
