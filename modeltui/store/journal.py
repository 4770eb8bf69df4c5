"""Activity: one row for every action that changed a server or the store, or tried to."""

from dataclasses import dataclass
from enum import StrEnum

from modeltui.errors import strip_secrets
from modeltui.store.database import Database
from modeltui.text import clean_line

_LOOKED_THROUGH = 2000


class Origin(StrEnum):
    """Where an action came from."""

    SCREEN = "screen"
    COMMAND = "command"
    RUNNER = "runner"
    API = "api"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Entry:
    """One action: `result` is `done` or `failed`; `server` is the server's label."""

    at: int
    user: str
    origin: str
    server: str | None
    action: str
    object: str
    result: str
    error: str | None


class Journal:
    """The table `activity`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        at: int,
        user: str,
        origin: Origin,
        server_id: int | None,
        action: str,
        subject: str,
        error: str | None = None,
    ) -> None:
        """Write one row; everything foreign in it is cleaned once more."""
        words = clean_line(strip_secrets(error)) if error else None
        subject = clean_line(strip_secrets(subject))
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO activity (at, user, origin, server_id, action, object, result, error)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(at, clean_line(user, 64), origin, server_id, action, subject),
                    *("failed" if words else "done", words),
                ),
            )

    def last_id(self) -> int:
        """The number of the newest row, 0 when there is none: it grows with every action of anybody."""
        row = self._database.row("SELECT max(id) AS id FROM activity")
        return int(row["id"] or 0) if row else 0

    def latest(self, limit: int, server_id: int | None = None) -> tuple[Entry, ...]:
        """The newest rows first."""
        return self._read("? IS NULL OR server_id = ?", (server_id, server_id), limit)

    def about(self, subjects: tuple[str, str], server_id: int, since: int, limit: int) -> tuple[Entry, ...]:
        """What was done with a model, under either name, from a moment on; the newest rows first.

        Only the last actions of all are looked through, so that a long activity costs no more.
        """
        return self._read(
            "activity.id > (SELECT max(id) FROM activity) - ? AND server_id = ? AND object IN (?, ?)"
            " AND at >= ?",
            (_LOOKED_THROUGH, server_id, *subjects, since),
            limit,
        )

    def _read(self, condition: str, values: tuple[object, ...], limit: int) -> tuple[Entry, ...]:
        rows = self._database.rows(
            "SELECT activity.*, servers.name AS server FROM activity"
            " LEFT JOIN servers ON servers.id = activity.server_id"
            f" WHERE {condition} ORDER BY activity.id DESC LIMIT ?",
            (*values, limit),
        )
        return tuple(
            Entry(
                at=row["at"],
                user=row["user"],
                origin=row["origin"],
                server=row["server"],
                action=row["action"],
                object=row["object"],
                result=row["result"],
                error=row["error"],
            )
            for row in rows
        )
