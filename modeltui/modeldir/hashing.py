"""Computes the SHA-256 of files by several threads, near the speed of the disk, and ends when told to."""

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

CHUNK = 2**20
_SPARE_EVERY = 64 * 2**20
_DONT_WAIT: int = getattr(os, "O_NONBLOCK", 0)  # a pipe in a blob's place must not hang us


class Reading:
    """How far a check has come, in bytes; shared by its threads and by who shows it."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.is_stopped = False
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self.done += count

    def stop(self) -> None:
        """Let every thread end after the piece it is at."""
        self.is_stopped = True


Outcome = str | OSError | None
"""`sha256:…`, why it could not be read, or None when it was stopped."""


def hash_files(
    paths: Iterable[Path], reading: Reading, found: Callable[[Path, Outcome], None], *, spare: bool
) -> None:
    """Hash the files of an iterator, which several threads that run this may share, until it is empty.

    With `spare` the pages read are given back to the system at once: reading more than the memory holds
    would push everything else out of it.
    """
    buffer = bytearray(CHUNK)
    for path in paths:
        outcome: Outcome
        try:
            outcome = _digest(path, buffer, reading, spare)
        except OSError as error:
            outcome = error
        if reading.is_stopped:
            return
        found(path, outcome)


def _digest(path: Path, buffer: bytearray, reading: Reading, spare: bool) -> str | None:
    view, digest, place = memoryview(buffer), hashlib.sha256(), 0
    with open(os.open(path, os.O_RDONLY | _DONT_WAIT), "rb", buffering=0) as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "no regular file")
        _advise(file.fileno(), 0, 0, "POSIX_FADV_SEQUENTIAL")
        while count := file.readinto(buffer):
            digest.update(view[:count])
            reading.add(count)
            if reading.is_stopped:
                return None
            place += count
            if spare and place % _SPARE_EVERY < CHUNK:
                _advise(file.fileno(), 0, place, "POSIX_FADV_DONTNEED")
        if spare:
            _advise(file.fileno(), 0, 0, "POSIX_FADV_DONTNEED")
    return f"sha256:{digest.hexdigest()}"


def _advise(handle: int, start: int, length: int, advice: str) -> None:
    """Tell the kernel how a file is read; that it takes no advice is no failure."""
    value = getattr(os, advice, None)
    if value is not None:
        try:
            os.posix_fadvise(handle, start, length, value)
        except OSError:
            return


class Supply:
    """An iterator that several threads may share."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = iter(paths)
        self._lock = threading.Lock()

    def __iter__(self) -> "Supply":
        return self

    def __next__(self) -> Path:
        with self._lock:
            return next(self._paths)
