"""The transfer queue as rows: commands write wishes, whoever holds the runner's lock writes progress."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from types import UnionType

from modeltui.domain.causes import Cause
from modeltui.domain.names import ModelName, parse
from modeltui.domain.transfers import FINAL, State, Transfer, Wanted
from modeltui.errors import InvalidName
from modeltui.store.database import Database

_TYPES: tuple[tuple[str, type | UnionType], ...] = (  # SQLite itself keeps to none
    ("server_id position wishes attempts tries done_high seen digest_failures damages created at", int),
    ("total grown_at retry_at started ended", int | None),
    ("name detail", str),
    ("announced_digest", str | None),
    ("speed", float | int | None),
)
_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL))


@dataclass(frozen=True, slots=True)
class QueuedTransfer:
    """A row of the queue. `number` is what people type; `wishes` counts what was asked of it."""

    number: int
    server_id: int
    position: int
    wishes: int
    created: int
    announced_digest: str | None
    transfer: Transfer


@dataclass(frozen=True, slots=True)
class Attempt:
    """One failed try of a transfer."""

    at: int
    cause: Cause | None
    detail: str
    done: int


class Queue:
    """The tables `transfers`, `transfer_layers` and `transfer_attempts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(self, server_id: int, name: ModelName, now: int) -> tuple[QueuedTransfer, bool]:
        """Put a model at the end; (row, False) when it already waits or runs there."""
        with self._database.writing() as connection:
            row = connection.execute(
                f"SELECT * FROM transfers WHERE server_id = ? AND name_key = ? AND state NOT IN ({_FINAL})",
                (server_id, name.key),
            ).fetchone()
            if row is not None:
                return _read(row), False
            number = connection.execute(
                "INSERT INTO transfers (server_id, name, name_key, position, wanted, state, created, at)"
                " VALUES (?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM transfers), ?, ?, ?, ?)",
                (server_id, name.short, name.key, Wanted.RUN, State.WAITING, now, now),
            ).lastrowid
            row = connection.execute("SELECT * FROM transfers WHERE id = ?", (number,)).fetchone()
            return _read(row), True

    def all(self) -> tuple[QueuedTransfer, ...]:
        """What is not final in the order of the queue, then the finished, the latest first."""
        rows = self._database.rows(
            f"SELECT * FROM transfers ORDER BY state IN ({_FINAL}),"
            f" CASE WHEN state IN ({_FINAL}) THEN -coalesce(ended, at) ELSE position END, id"
        )
        return tuple(row for row in map(_queued, rows) if row is not None)

    def open(self) -> tuple[QueuedTransfer, ...]:
        """What is not final, in the order of the queue."""
        rows = self._database.rows(
            f"SELECT * FROM transfers WHERE state NOT IN ({_FINAL}) ORDER BY position, id"
        )
        return tuple(row for row in map(_queued, rows) if row is not None)

    def get(self, number: int) -> QueuedTransfer | None:
        row = self._database.row("SELECT * FROM transfers WHERE id = ?", (number,))
        return _queued(row) if row else None

    def want(self, number: int, wanted: Wanted) -> None:
        """Write a wish; the runner obeys it."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE transfers SET wanted = ?, wishes = wishes + 1 WHERE id = ?", (wanted, number)
            )

    def save(self, number: int, transfer: Transfer) -> None:
        """Write everything but the wish and the place, which belong to people."""
        digest = transfer.manifest.digest if transfer.manifest else None
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE transfers SET state = ?, cause = ?, detail = ?, attempts = ?, tries = ?, total = ?,"
                " total_exact = ?, done_high = ?, seen = ?, speed = ?, grown_at = ?, retry_at = ?,"
                " digest_failures = ?, damages = ?,"
                " announced_digest = coalesce(?, announced_digest), started = ?, ended = ?, at = ?"
                " WHERE id = ?",
                (
                    *(transfer.state, transfer.cause, transfer.detail, transfer.attempts, transfer.tries),
                    *(transfer.total, transfer.total_exact, transfer.done, transfer.seen, transfer.speed),
                    *(
                        transfer.grown_at,
                        transfer.retry_at,
                        transfer.digest_failures,
                        transfer.damages,
                        digest,
                    ),
                    *(transfer.started, transfer.ended, transfer.at, number),
                ),
            )
            connection.executemany(
                "INSERT OR REPLACE INTO transfer_layers VALUES (?, ?, ?, ?)",
                [(number, layer.digest, layer.total, layer.completed) for layer in transfer.layers],
            )

    def add_attempt(self, number: int, transfer: Transfer) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO transfer_attempts (transfer_id, at, cause, detail, done) VALUES (?, ?, ?, ?, ?)",
                (number, transfer.at, transfer.cause, transfer.detail, transfer.done),
            )

    def attempts(self, number: int) -> tuple[Attempt, ...]:
        rows = self._database.rows(
            "SELECT at, cause, detail, done FROM transfer_attempts WHERE transfer_id = ? ORDER BY id",
            (number,),
        )
        return tuple(attempt for row in rows if (attempt := _attempt(row)) is not None)

    def move(self, number: int, place: int) -> None:
        """Put an open transfer at a place, 1 being the first, among all that are open."""
        with self._database.writing() as connection:
            rows = connection.execute(
                f"SELECT id FROM transfers WHERE state NOT IN ({_FINAL}) ORDER BY position, id"
            ).fetchall()
            numbers = [row["id"] for row in rows if row["id"] != number]
            numbers.insert(max(0, place - 1), number)
            connection.executemany(
                "UPDATE transfers SET position = ? WHERE id = ?",
                [(position, each) for position, each in enumerate(numbers, 1)],
            )

    def remove(self, numbers: Iterable[int]) -> int:
        """Forget final transfers; how many there were."""
        with self._database.writing() as connection:
            removed = 0
            for number in numbers:
                removed += connection.execute(
                    f"DELETE FROM transfers WHERE id = ? AND state IN ({_FINAL})", (number,)
                ).rowcount
            return removed


def _queued(row: sqlite3.Row) -> QueuedTransfer | None:
    """A row as an object; None for one that holds a word or a name this program does not know."""
    try:
        return _read(row)
    except (ValueError, InvalidName):
        return None


def _attempt(row: sqlite3.Row) -> Attempt | None:
    """A failed try; None for a row of wrong types. A cause that this program does not know is unknown."""
    if not (isinstance(row["at"], int) and isinstance(row["detail"], str) and isinstance(row["done"], int)):
        return None
    cause = Cause(row["cause"]) if row["cause"] in set(Cause) else None
    return Attempt(row["at"], cause, row["detail"], row["done"])


def _read(row: sqlite3.Row) -> QueuedTransfer:
    """A row as an object; raises ValueError for one whose values have wrong types."""
    for columns, kind in _TYPES:
        for column in columns.split():
            if not isinstance(row[column], kind):
                raise ValueError(f"{column}: {type(row[column]).__name__}")
    transfer = Transfer(
        name=parse(row["name"]),
        state=State(row["state"]),
        wanted=Wanted(row["wanted"]),
        cause=_cause(row["cause"]),
        detail=row["detail"],
        attempts=row["attempts"],
        tries=row["tries"],
        total=row["total"],
        total_exact=bool(row["total_exact"]),
        done=row["done_high"],
        seen=row["seen"],
        speed=row["speed"],
        grown_at=row["grown_at"],
        retry_at=row["retry_at"],
        digest_failures=row["digest_failures"],
        damages=row["damages"],
        started=row["started"],
        ended=row["ended"],
        at=row["at"],
    )
    return QueuedTransfer(
        number=row["id"],
        server_id=row["server_id"],
        position=row["position"],
        wishes=row["wishes"],
        created=row["created"],
        announced_digest=row["announced_digest"],
        transfer=transfer,
    )


def _cause(value: str | None) -> Cause | None:
    return Cause(value) if value else None
