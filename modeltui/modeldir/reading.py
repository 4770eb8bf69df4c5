"""Reads a models directory as it lies: manifests, blobs, partial downloads, and what cannot be read.

Layout: `manifests/HOST/NAMESPACE/MODEL/TAG`, `blobs/sha256-HEX`, and beside a blob its partial downloads
`-partial`, `-partial-N` and, for tensors, `.tmp` (Ollama manifest/paths.go, server/download.go, x/transfer).
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from modeltui.domain.manifests import LARGEST_BYTES, decode
from modeltui.domain.names import ModelName, from_listed
from modeltui.domain.transfers import Blob, Manifest
from modeltui.text import clean_line

ASIDE = "modeltui-quarantine"
"""Beside `blobs` on the same file system, where corrupt blobs are moved to."""
_BLOB = re.compile(r"sha256-([0-9a-fA-F]{64})", re.ASCII)
_PARTIAL = re.compile(r"sha256-([0-9a-fA-F]{64})(?:-partial(?:-[0-9]+)?|\.tmp)", re.ASCII)
_MS = 1_000_000  # nanoseconds in one
_BLOCK = 512  # what st_blocks counts, whatever the file system's own are


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of `blobs`. `held` are the bytes that come back when it is removed: a sparse file holds fewer
    than its size, one with a second (hard) link none. `modified` in UTC milliseconds."""

    name: str
    digest: str
    size: int
    held: int = field(compare=False)  # some file systems settle it long after the last write
    modified: int
    changed_ns: int
    inode: int
    is_link: bool


@dataclass(frozen=True, slots=True)
class Pile:
    """The files of one digest: a blob, or a partial download with its parts. Sizes and times as of a file."""

    digest: str
    files: tuple[StoredFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def held(self) -> int:
        return sum(file.held for file in self.files)

    @property
    def modified(self) -> int:
        return max(file.modified for file in self.files)


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """One manifest file. `name` is None where its place is no name to the server, which then ignores it."""

    path: Path
    name: ModelName | None
    manifest: Manifest

    @property
    def shown(self) -> str:
        return self.name.short if self.name else clean_line(str(self.path))


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read, and why; both cleaned."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A models directory at one moment. `strays` are files of no known kind, which nobody here touches."""

    root: Path
    manifests: tuple[StoredManifest, ...]
    blobs: dict[str, StoredFile]
    partials: tuple[StoredFile, ...]
    strays: tuple[str, ...]
    aside: tuple[StoredFile, ...]
    unread: tuple[Unread, ...]
    is_whole: bool
    """Whether every manifest was read: only then is it known which blobs no model needs."""

    def users(self) -> dict[str, tuple[Blob, tuple[str, ...]]]:
        """Digest (lower case) -> the blob as manifests name it, and the models that do."""
        found: dict[str, tuple[Blob, tuple[str, ...]]] = {}
        for stored in self.manifests:
            for blob in {blob.digest.lower(): blob for blob in stored.manifest.blobs}.values():
                digest = blob.digest.lower()
                first, names = found.get(digest, (blob, ()))
                found[digest] = first, (*names, stored.shown)
        return found

    def downloads(self) -> tuple[Pile, ...]:
        """The partial downloads, each with its parts."""
        parts: dict[str, list[StoredFile]] = {}
        for part in self.partials:
            parts.setdefault(part.digest, []).append(part)
        return tuple(Pile(digest, tuple(files)) for digest, files in parts.items())

    def orphans(self, now: int, older_ms: int) -> tuple[Pile, ...]:
        """Blobs that no manifest names, last written at least `older_ms` ago; none where not all is known.

        A pull and a create write blobs before the manifest; the server's own pruning waits an hour, too.
        """
        if not self.is_whole:
            return ()
        used = self.users()
        loose = (blob for digest, blob in self.blobs.items() if digest not in used)
        return tuple(Pile(blob.digest, (blob,)) for blob in loose if now - blob.modified >= older_ms)


def read(root: Path) -> Contents:
    """Read a models directory; blocks, never raises: what cannot be read is in `unread`."""
    unread: list[Unread] = []
    manifests = tuple(_manifests(root / "manifests", unread))
    is_whole = not unread
    blobs: dict[str, StoredFile] = {}
    partials: list[StoredFile] = []
    strays: list[str] = []
    for name in _names(root / "blobs", unread):
        whole, part = _BLOB.fullmatch(name), _PARTIAL.fullmatch(name)
        match = whole or part
        if match is None:
            strays.append(clean_line(name))
            continue
        stored = _stored(root / "blobs" / name, match[1], unread)
        if stored is not None and whole:
            blobs[stored.digest] = stored
        elif stored is not None:
            partials.append(stored)
    aside = [
        _stored(root / ASIDE / name, match[1], unread)
        for name in _names(root / ASIDE, unread)
        if (match := _BLOB.fullmatch(name))
    ]
    return Contents(
        root=root,
        manifests=manifests,
        blobs=blobs,
        partials=tuple(partials),
        strays=tuple(strays),
        aside=tuple(stored for stored in aside if stored is not None),
        unread=tuple(unread),
        is_whole=is_whole,
    )


def _stored(path: Path, digits: str, unread: list[Unread]) -> StoredFile | None:
    """One file of that digest as it lies now; None for what is gone or no regular file.

    A link is looked through: some people keep their blobs on another disk.
    """
    try:
        status = path.lstat()
        is_link = stat.S_ISLNK(status.st_mode)
        if is_link:
            status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        unread.append(_unread(path, error))
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    held = getattr(status, "st_blocks", -(-status.st_size // _BLOCK)) * _BLOCK
    return StoredFile(
        name=path.name,
        digest=f"sha256:{digits.lower()}",
        size=status.st_size,
        held=0 if is_link or status.st_nlink > 1 else held,
        modified=status.st_mtime_ns // _MS,
        changed_ns=status.st_mtime_ns,
        inode=status.st_ino,
        is_link=is_link,
    )


def _manifests(root: Path, unread: list[Unread]) -> Iterator[StoredManifest]:
    """Every file four levels below `root`, where the server looks for manifests, too."""
    places = [root]
    for _ in range(3):
        places = [place / name for place in places for name in _names(place, unread)]
    for directory in places:
        for name in _names(directory, unread):
            path = directory / name
            host, namespace, model, tag = path.relative_to(root).parts
            parsed = from_listed(f"{host}/{namespace}/{model}:{tag}")
            try:
                body = _content(path)
                if body is not None:
                    yield StoredManifest(path, parsed, decode(body))
            except OSError as error:
                unread.append(_unread(path, error))
            except ValueError as error:
                if parsed is not None:  # what the server would not take for a name either is no manifest
                    unread.append(Unread(clean_line(str(path)), f"{error}: the server does not list it"))


def _content(path: Path) -> bytes | None:
    """A manifest's bytes; None for what is gone or no file. Raises OSError, ValueError for a larger one."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # not to hang at a pipe's end
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        body = file.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise ValueError("too large for a manifest")
    return body


def _names(directory: Path, unread: list[Unread]) -> list[str]:
    """What lies in a directory, in order; nothing for what is none or gone."""
    try:
        return sorted(path.name for path in directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        unread.append(_unread(directory, error))
        return []


def _unread(path: Path, error: OSError) -> Unread:
    return Unread(clean_line(str(path)), clean_line(error.strerror or type(error).__name__))
