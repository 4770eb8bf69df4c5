"""The transfer queue as rows: commands write wishes, whoever holds the runner's lock writes progress."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from modeltui.domain.causes import Cause
from modeltui.domain.names import ModelName
from modeltui.domain.transfers import FINAL, LayerState, State, Transfer, Wanted
from modeltui.errors import InvalidName
from modeltui.store.arrivals import write_arrival
from modeltui.store.database import Database
from modeltui.store.ends import write_end
from modeltui.store.rows import transfer_of, values_of

_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL))


@dataclass(frozen=True, slots=True)
class QueuedTransfer:
    """A row of the queue. `number` is what people type.

    `wishes` counts what was asked of it, `obeyed` how many of these a runner has heard; `is_forced`: a person
    wants it though the disk seems too small.
    """

    number: int
    server_id: int
    position: int
    wishes: int
    created: int
    announced_digest: str | None
    transfer: Transfer
    obeyed: int = 0
    is_forced: bool = False

    @property
    def is_resting(self) -> bool:
        """Whether nothing happens to it until a person wants it, and no wish of a person waits."""
        if self.transfer.is_final:
            return True
        return self.transfer.is_resting and self.obeyed == self.wishes


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
        self._finished: tuple[tuple[object, ...], tuple[QueuedTransfer, ...]] = ((), ())

    def enqueue(
        self, server_id: int, name: ModelName, now: int, *, forced: bool = False
    ) -> tuple[QueuedTransfer, bool]:
        """Put a model at the end; (row, False) when it already waits or runs there.

        `forced`: wanted though the disk seems too small; that stays with the row.
        """
        with self._database.writing() as connection:
            row = connection.execute(
                f"SELECT * FROM transfers WHERE server_id = ? AND name_key = ? AND state NOT IN ({_FINAL})",
                (server_id, name.key),
            ).fetchone()
            if row is not None:
                if forced:
                    connection.execute("UPDATE transfers SET forced = 1 WHERE id = ?", (row["id"],))
                return _read(row), False
            number = connection.execute(
                "INSERT INTO transfers"
                " (server_id, name, name_key, forced, position, wanted, state, created, at)"
                " VALUES (?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM transfers), ?, ?, ?, ?)",
                (server_id, name.short, name.key, forced, Wanted.RUN, State.WAITING, now, now),
            ).lastrowid
            row = connection.execute("SELECT * FROM transfers WHERE id = ?", (number,)).fetchone()
            return _read(row), True

    def all(self) -> tuple[QueuedTransfer, ...]:
        """What is not final in the order of the queue, then the finished, the latest first."""
        with self._database.reading():
            return (*self.open(), *self.finished())

    def finished(self) -> tuple[QueuedTransfer, ...]:
        """What is final, the latest first; the same objects again as long as none came, went or changed.

        A history only grows, and it is asked for at every byte that the queue moves on.
        """
        (found,) = self._database.rows(
            f"SELECT count(*), sum(id), sum(at), sum(wishes) FROM transfers WHERE state IN ({_FINAL})"
        )
        if tuple(found) != self._finished[0]:
            rows = self._database.rows(
                f"SELECT * FROM transfers WHERE state IN ({_FINAL}) ORDER BY -coalesce(ended, at), id"
            )
            self._finished = tuple(found), tuple(row for row in map(_queued, rows) if row is not None)
        return self._finished[1]

    def open(self) -> tuple[QueuedTransfer, ...]:
        """What is not final, in the order of the queue."""
        rows = self._database.rows(
            f"SELECT * FROM transfers WHERE state NOT IN ({_FINAL}) ORDER BY position, id"
        )
        return tuple(row for row in map(_queued, rows) if row is not None)

    def get(self, number: int) -> QueuedTransfer | None:
        row = self._database.row("SELECT * FROM transfers WHERE id = ?", (number,))
        return _queued(row) if row else None

    def want(self, number: int, wanted: Wanted, beside: Iterable[int] = ()) -> None:
        """Write a wish, of several transfers at once where they hang together; the runner obeys it."""
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE transfers SET wanted = ?, wishes = wishes + 1 WHERE id = ?",
                [(wanted, each) for each in (number, *beside)],
            )

    def save(self, number: int, transfer: Transfer, obeyed: int | None = None) -> None:
        """Write everything but the wish and the place, which belong to people.

        The layers that earlier tries have seen stay: a server says nothing of those it has already.
        `obeyed`: that many wishes are heard with this; None leaves it as it is.
        """
        digest = transfer.manifest.digest if transfer.manifest else None
        with self._database.writing() as connection:
            if transfer.is_final:
                write_end(connection, number, transfer)
            if transfer.state is State.INSTALLED:
                write_arrival(connection, number, transfer)
            values = values_of(transfer)
            columns = ", ".join(f"{column} = :{column}" for column in values)
            connection.execute(
                f"UPDATE transfers SET {columns}, obeyed = coalesce(:obeyed, obeyed),"
                " announced_digest = coalesce(:announced_digest, announced_digest) WHERE id = :id",
                {**values, "obeyed": obeyed, "announced_digest": digest, "id": number},
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

    def layers(self, number: int) -> tuple[LayerState, ...]:
        """The layers that a server has named, the biggest first."""
        rows = self._database.rows(
            "SELECT digest, total, completed FROM transfer_layers WHERE transfer_id = ?"
            " ORDER BY total DESC, digest",
            (number,),
        )
        return tuple(layer for row in rows if (layer := _layer(row)) is not None)

    def keep_blobs(self, number: int, digests: Iterable[str]) -> None:
        """Keep the digests that the registry announced, which who deletes something compares with its own.

        Layers that are none of these go: they are of what the tag meant before.
        """
        announced = set(digests)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM transfer_blobs WHERE transfer_id = ?", (number,))
            connection.executemany(
                "INSERT INTO transfer_blobs VALUES (?, ?)", [(number, digest) for digest in announced]
            )
            rows = connection.execute("SELECT digest FROM transfer_layers WHERE transfer_id = ?", (number,))
            old = {row["digest"] for row in rows.fetchall()} - announced
            connection.executemany(
                "DELETE FROM transfer_layers WHERE transfer_id = ? AND digest = ?",
                [(number, digest) for digest in old],
            )

    def blobs(self, number: int) -> frozenset[str] | None:
        """The digests that the registry announced; None where it announced nothing."""
        rows = self._database.rows("SELECT digest FROM transfer_blobs WHERE transfer_id = ?", (number,))
        return frozenset(str(row["digest"]) for row in rows) or None

    def move(self, number: int, place: int) -> None:
        """Put an open transfer at a place, 1 being the first, among all that are open."""
        self._reorder(number, lambda _: place - 1)

    def shift(self, number: int, steps: int) -> None:
        """Put an open transfer so many places down, up where negative; at an end it stays there."""
        self._reorder(number, lambda index: index + steps)

    def _reorder(self, number: int, new_index: Callable[[int], int]) -> None:
        with self._database.writing() as connection:
            rows = connection.execute(
                f"SELECT id FROM transfers WHERE state NOT IN ({_FINAL}) ORDER BY position, id"
            ).fetchall()
            numbers = [row["id"] for row in rows]
            if number not in numbers:
                return  # it has ended meanwhile
            index = numbers.index(number)
            numbers.insert(max(0, new_index(index)), numbers.pop(index))
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


def _layer(row: sqlite3.Row) -> LayerState | None:
    """A layer; None for a row of wrong types."""
    is_sound = isinstance(row["digest"], str) and all(
        isinstance(row[column], int) for column in ("total", "completed")
    )
    return LayerState(row["digest"], row["total"], row["completed"]) if is_sound else None


def _read(row: sqlite3.Row) -> QueuedTransfer:
    """A row as an object; raises ValueError for one whose values have wrong types."""
    return QueuedTransfer(
        number=row["id"],
        server_id=row["server_id"],
        position=row["position"],
        wishes=row["wishes"],
        created=row["created"],
        obeyed=row["obeyed"],
        is_forced=bool(row["forced"]),
        announced_digest=row["announced_digest"],
        transfer=transfer_of(row),
    )
