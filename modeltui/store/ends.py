"""How transfers ended, each until a person was told, whatever becomes of its row in the queue meanwhile."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from modeltui.domain.names import ModelName, parse
from modeltui.domain.transfers import FINAL, State, Transfer
from modeltui.domain.words import end_words
from modeltui.errors import InvalidName
from modeltui.store.database import Database

KEPT_MS = 24 * 3_600_000  # what was told is kept for screens that have not looked yet
_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL))


@dataclass(frozen=True, slots=True)
class End:
    """One end of a transfer (it may be tried again and end anew); `id` grows, `number` is the transfer's."""

    id: int
    number: int
    name: ModelName
    state: State
    words: str


class Ends:
    """The table `ends`; `write_end` fills it with the queue's own writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last_id(self) -> int:
        """The newest end's, 0 when there is none."""
        row = self._database.row("SELECT max(id) AS id FROM ends")
        return int(row["id"] or 0) if row else 0

    def newer(self, than: int) -> tuple[End, ...]:
        """What ended after the one of that id, whoever was told meanwhile; the oldest first."""
        return self._read("id > ?", (than,))

    def untold(self) -> tuple[End, ...]:
        """What nobody was told yet, the oldest first."""
        return self._read("NOT told", ())

    def mark_told(self, ends: Sequence[End], now: int) -> None:
        """A person was told of these (`now` in UTC milliseconds)."""
        with self._database.writing() as connection:
            connection.executemany("UPDATE ends SET told = 1 WHERE id = ?", [(end.id,) for end in ends])
            connection.execute("DELETE FROM ends WHERE told AND at < ?", (now - KEPT_MS,))

    def mark_told_of(self, numbers: Sequence[int]) -> None:
        """A person was told how these transfers ended."""
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE ends SET told = 1 WHERE transfer_id = ?", [(number,) for number in numbers]
            )

    def _read(self, condition: str, values: tuple[int, ...]) -> tuple[End, ...]:
        rows = self._database.rows(f"SELECT * FROM ends WHERE {condition} ORDER BY id", values)
        return tuple(end for row in rows if (end := _end(row)) is not None)


def write_end(connection: sqlite3.Connection, number: int, transfer: Transfer) -> None:
    """Note the end of a transfer, within the write that makes its row final and before it does.

    That it was cancelled is known to who wished it: only screens that are open then say so.
    """
    at, name, state = transfer.ended or transfer.at, transfer.sent.short, transfer.state
    connection.execute(
        "INSERT INTO ends (transfer_id, at, name, state, words, told)"
        f" SELECT id, ?, ?, ?, ?, ? FROM transfers WHERE id = ? AND state NOT IN ({_FINAL})",
        (at, name, state, end_words(transfer), state is State.CANCELLED, number),
    )


def _end(row: sqlite3.Row) -> End | None:
    """A row as an object; None for one that holds a word, a name or a type this program does not know."""
    try:
        return End(row["id"], row["transfer_id"], parse(row["name"]), State(row["state"]), str(row["words"]))
    except (ValueError, TypeError, AttributeError, InvalidName):
        return None
