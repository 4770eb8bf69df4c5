"""Opens the database, brings it up to date under a lock, and guards every use of it.

Two processes may make it at the same moment: creating, switching to WAL and migrating happen under an
advisory file lock, and every write begins with BEGIN IMMEDIATE.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modeltui.errors import StoreError
from modeltui.paths import FILE_MODE, private_directory
from modeltui.store.locks import FileLock
from modeltui.store.schema import MIGRATIONS

WAIT_S = 5.0
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
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE))
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
        database._migrate(0)
        return database

    def close(self) -> None:
        self._connection.close()

    def version_of_data(self) -> int:
        """A number that changes when another connection has committed (`PRAGMA data_version`)."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        with self._guarded():
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Row | None:
        found = self.rows(statement, values)
        return found[0] if found else None

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
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _unusable(self._path, str(error)) from None

    def _prepare(self, path: Path) -> None:
        connection = self._connection
        connection.execute("PRAGMA foreign_keys = ON")
        version = self._version()
        if version > len(MIGRATIONS):
            raise StoreError(
                f"the database {path} was written by a newer modeltui (format {version}, "
                f"this one knows {len(MIGRATIONS)}): it is left alone",
                remedy="upgrade modeltui here",
            )
        if path.stat().st_size <= _CHECKED_WHOLE:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise _unusable(path, f"malformed: {found}")
        if version < len(MIGRATIONS) or connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with FileLock(path.with_name(path.name + ".lock")):
                connection.execute("PRAGMA journal_mode = WAL")
                self._migrate(self._version())
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")  # shows now whether it can be written at all
        connection.execute("ROLLBACK")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self, version: int) -> None:
        """Apply what is missing, each step in a transaction of its own."""
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT"
            )


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
