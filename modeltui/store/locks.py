"""Advisory locks on files, given back by the kernel at any death of their holder."""

import os
from pathlib import Path
from types import TracebackType

from modeltui.paths import open_private, private_directory

try:
    import fcntl
except ImportError:  # not on Windows: there every lock is taken to be free
    fcntl = None  # type: ignore[assignment]

KEEPS_APART = fcntl is not None
"""Whether locks mean anything here."""


class FileLock:
    """A lock, exclusive or `shared`; as a context manager it waits for it.

    Raises OSError where no file can be made.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self._path = path
        self._shared = shared
        self._handle: int | None = None

    @property
    def is_held(self) -> bool:
        return self._handle is not None

    def acquire(self, *, wait: bool) -> bool:
        """Take the lock; False when another process has it and `wait` is not asked for."""
        if self._handle is not None:
            return True
        private_directory(self._path.parent)
        handle = open_private(self._path, os.O_RDWR)
        try:
            if fcntl is not None:
                kind = fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX
                fcntl.flock(handle, kind | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return True

    def is_in_place(self) -> bool:
        """Whether the file that is locked is still the one at its path, and not removed or replaced."""
        try:
            there, held = self._path.stat(), os.fstat(self._handle if self._handle is not None else -1)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> "FileLock":
        self.acquire(wait=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
