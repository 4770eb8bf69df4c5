"""Small files that a kernel writes, from this machine's disk or from what another machine has sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

_LARGEST = 64 * 1024


class Files(Protocol):
    """Files by absolute path, as on the machine that they tell of."""

    def text(self, path: str) -> str | None:
        """The content without space at its ends; None where there is none or it can't be read."""

    def names(self, path: str) -> tuple[str, ...]:
        """What lies in a directory, sorted; nothing where there is none."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Files below `root`."""

    root: Path

    def text(self, path: str) -> str | None:
        try:
            with (self.root / path.lstrip("/")).open("rb") as file:
                return file.read(_LARGEST).decode("utf-8", "replace").strip()
        except (OSError, ValueError):
            return None

    def names(self, path: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(entry.name for entry in (self.root / path.lstrip("/")).iterdir()))
        except OSError:
            return ()


@dataclass(frozen=True, slots=True)
class Sent:
    """Files as they were sent."""

    content: Mapping[str, str]

    def text(self, path: str) -> str | None:
        found = self.content.get(path)
        return None if found is None else found.strip()

    def names(self, path: str) -> tuple[str, ...]:
        above = PurePosixPath(path)
        below = (PurePosixPath(each) for each in self.content)
        return tuple(sorted({each.relative_to(above).parts[0] for each in below if above in each.parents}))
