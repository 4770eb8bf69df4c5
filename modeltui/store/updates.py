"""Keeps what registries said last about installed models; `Facts.known` reads what is newer for the lists."""

from dataclasses import dataclass

from modeltui.domain.updates import Verdict
from modeltui.store.database import Database


@dataclass(frozen=True, slots=True)
class Update:
    """One verdict, about the installed manifest `digest`. Bytes and UTC milliseconds, unknown is None.

    `newer`, `size` and `pushed` are of the registry's version. `published`: the registry has the installed
    manifest itself, so that nothing in it was made here.
    """

    name_key: str
    digest: str
    verdict: Verdict
    at: int
    newer: str | None = None
    size: int | None = None
    pushed: int | None = None
    published: bool = False


class Updates:
    """The table `updates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, server_id: int, update: Update) -> None:
        """Note a verdict in place of the last one; that a manifest was once published stays true."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (server_id, name_key) DO UPDATE SET verdict = excluded.verdict,"
                " newer = excluded.newer, size = excluded.size, pushed = excluded.pushed, at = excluded.at,"
                " published = excluded.published"
                " OR (updates.published AND updates.digest = excluded.digest),"
                " digest = excluded.digest",
                (
                    *(server_id, update.name_key, update.digest, update.verdict, update.newer, update.size),
                    *(update.pushed, update.published, update.at),
                ),
            )

    def is_published(self, digest: str) -> bool:
        """Whether a registry is known to have had this manifest: announced to a pull, or seen by a check."""
        found = self._database.row(
            "SELECT 1 FROM updates WHERE digest = ? AND published"
            " UNION ALL SELECT 1 FROM arrivals WHERE digest = ?",
            (digest, digest),
        )
        return found is not None
