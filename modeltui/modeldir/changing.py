"""Removes files from a models directory or moves them aside: regular ones, unchanged since they were seen.

Every step is relative to a handle of the directory itself, which is no link: nothing outside is reached.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modeltui.modeldir.reading import ASIDE, StoredFile
from modeltui.text import clean_line

_NAME = re.compile(r"sha256-[0-9a-fA-F]{64}(?:-partial(?:-[0-9]+)?|\.tmp)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one file: `why` is None when it was removed or moved, else why it was left."""

    file: StoredFile
    why: str | None = None


def remove(root: Path, files: Sequence[StoredFile]) -> tuple[Done, ...]:
    """Remove files of `blobs`; raises OSError when that directory itself cannot be opened."""
    with _directory(root / "blobs") as blobs:
        return tuple(_tried(blobs, file, lambda name: os.unlink(name, dir_fd=blobs)) for file in files)


def move_aside(root: Path, files: Sequence[StoredFile]) -> tuple[Done, ...]:
    """Move blobs into the quarantine directory by renaming them; raises OSError when it cannot be made.

    `mv` back is all that undoes it. A file that already lies there under the name is overwritten: it was the
    same blob, corrupt as well.
    """
    place = root / ASIDE
    place.mkdir(mode=0o755, exist_ok=True)
    with _directory(root / "blobs") as blobs, _directory(place) as aside:
        return tuple(
            _tried(blobs, file, lambda name: os.rename(name, name, src_dir_fd=blobs, dst_dir_fd=aside))
            for file in files
        )


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    """A handle of a directory that is no link."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield handle
    finally:
        os.close(handle)


def _tried(directory: int, file: StoredFile, act: Callable[[str], None]) -> Done:
    if _NAME.fullmatch(file.name) is None or file.is_link:
        return Done(file, "not a file of the server's own")
    try:
        status = os.stat(file.name, dir_fd=directory, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return Done(file, "not a regular file any more")
        seen = (file.inode, file.size, file.changed_ns)
        if (status.st_ino, status.st_size, status.st_mtime_ns) != seen:
            return Done(file, "changed meanwhile")
        act(file.name)
    except FileNotFoundError:
        return Done(file, "gone meanwhile")
    except OSError as error:
        return Done(file, clean_line(error.strerror or type(error).__name__))
    return Done(file)
