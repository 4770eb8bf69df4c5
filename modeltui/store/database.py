"""Opens the database, brings it up to date under a lock, and guards every use of it.

Two processes may make it at the same moment: creating, switching to WAL and migrating happen under an
advisory file lock, and every write begins with BEGIN IMMEDIATE.
"""

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modeltui.errors import StoreError
from modeltui.paths import create_private, private_directory
from modeltui.store.locks import FileLock
from modeltui.store.schema import MIGRATIONS

WAIT_S = 5.0
_WAIT_LATER_MS = 1000  # the event loop stands still meanwhile
_CHECKED_WHOLE = 4 * 2**20
_DAMAGE = ("malformed", "not a database", "disk image", "corrupt")


class Database:
    """One connection. Rows come as `sqlite3.Row`; every failure is a StoreError that names the file."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path
        connection.row_factory = sqlite3.Row

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open or make the database at `path`; raises StoreError and then has changed nothing in it."""
        try:
            private_directory(path.parent)
            _make_private(path)
        except OSError as error:
            raise _unusable(path, (error.strerror or str(error)).lower()) from None
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
            database = cls(connection, path)
            database._prepare(path)
        except (sqlite3.Error, OSError, StoreError) as error:
            if connection is not None:
                connection.close()
            if isinstance(error, StoreError):
                raise
            raise _unusable(path, str(error)) from None
        return database

    @classmethod
    def in_memory(cls) -> "Database":
        """A database that is forgotten at the end."""
        database = cls(sqlite3.connect(":memory:", isolation_level=None), None)
        database._connection.execute("PRAGMA foreign_keys = ON")
        database._migrate(0)
        return database

    def close(self) -> None:
        self._connection.close()

    def version_of_data(self) -> tuple[int, int]:
        """Changes when another connection has committed (`PRAGMA data_version`), or this one has written."""
        return int(self.rows("PRAGMA data_version")[0][0]), self._connection.total_changes

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        with self._guarded():
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Row | None:
        found = self.rows(statement, values)
        return found[0] if found else None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several reads of one and the same state; inside a transaction it joins that."""
        if self._connection.in_transaction:
            yield
            return
        with self._guarded():
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:  # a damaged file may have ended it already
                    self._connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its begin; inside another one it joins that."""
        if self._connection.in_transaction:
            yield self._connection
            return
        with self._guarded():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have ended it already
                    self._connection.execute("ROLLBACK")
                raise

    def check(self) -> None:
        """Read the whole database; raises StoreError when it is damaged."""
        found = self.rows("PRAGMA quick_check(1)")[0][0]
        if found != "ok":
            raise _unusable(self._path, f"malformed: {found}")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise _unusable(self._path, str(error)) from None

    def _prepare(self, path: Path) -> None:
        connection = self._connection
        connection.execute("PRAGMA foreign_keys = ON")
        version = self._known_version(path)
        if path.stat().st_size <= _CHECKED_WHOLE:
            self.check()
        if version < len(MIGRATIONS) or connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with FileLock(path.with_name(path.name + ".lock")):
                self._migrate(self._known_version(path))
                connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA busy_timeout = {_WAIT_LATER_MS}")
        connection.execute("BEGIN IMMEDIATE")  # shows now whether it can be written at all
        connection.execute("ROLLBACK")

    def _known_version(self, path: Path) -> int:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StoreError(
                f"the database {path} was written by a newer modeltui (format {version}, "
                f"this one knows {len(MIGRATIONS)}): it is left alone",
                remedy="upgrade modeltui here",
            )
        return version

    def _migrate(self, version: int) -> None:
        """Apply what is missing, each step in a transaction of its own."""
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT"
            )


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, which would obey the umask; raises OSError.

    One that is there is not opened: closing it would take the locks of every other connection of this
    process away (https://sqlite.org/howtocorrupt.html, 2.2), and what is behind a link is not touched.
    """
    try:
        os.close(create_private(path, os.O_RDWR))
    except FileExistsError:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file") from None
        if not os.access(path, os.W_OK):  # SQLite would open it to read
            raise OSError(errno.EACCES, "permission denied") from None


def _unusable(path: Path | None, reason: str) -> StoreError:
    place = path or "in memory"
    if any(word in reason.casefold() for word in _DAMAGE):
        return StoreError(
            f"the database {place} is damaged ({reason}); nothing in it was changed",
            remedy=f"keep it for a look and start anew: mv {place} {place}.damaged",
        )
    return StoreError(
        f"the database {place} cannot be used: {reason}",
        remedy="correct the rights of its directory and file, or free space on that disk",
    )
