"""What scans found in models, which of them are held back for it, and who made them."""

from collections.abc import Sequence

from modeltui.domain.findings import Finding, Kind
from modeltui.domain.names import ModelName
from modeltui.domain.scan import Origin
from modeltui.store.database import Database


class Findings:
    """The tables `findings`, `quarantine` and `origins`; a digest is that of a model's manifest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, server_id: int, digest: str) -> tuple[Finding, ...]:
        """What the last scan of a manifest found; a row of another version's kind is left out."""
        rows = self._database.rows(
            "SELECT kind, words, serious FROM findings WHERE server_id = ? AND digest = ?"
            " ORDER BY serious DESC, kind, words",
            (server_id, digest),
        )
        known = set(Kind)
        return tuple(
            Finding(Kind(row["kind"]), str(row["words"]), bool(row["serious"]))
            for row in rows
            if row["kind"] in known
        )

    def set_of(self, server_id: int, digest: str, findings: Sequence[Finding], now: int) -> None:
        """Remember what a scan found instead of what the last one did, and hold what is serious.

        What a person has released stays released.
        """
        serious = [each.words for each in findings if each.is_serious]
        with self._database.writing() as connection:
            connection.execute("DELETE FROM findings WHERE server_id = ? AND digest = ?", (server_id, digest))
            connection.executemany(
                "INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?, ?)",
                [(server_id, digest, each.kind, each.words, each.is_serious, now) for each in findings],
            )
            if serious:
                connection.execute(
                    "INSERT INTO quarantine (server_id, digest, reason, at) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (server_id, digest) DO UPDATE SET reason = excluded.reason",
                    (server_id, digest, serious[0], now),
                )
            else:
                connection.execute(
                    "DELETE FROM quarantine WHERE server_id = ? AND digest = ? AND released IS NULL",
                    (server_id, digest),
                )

    def held(self, server_id: int, digest: str) -> str | None:
        """Why a manifest is held back there; None when it is not."""
        row = self._database.row(
            "SELECT reason FROM quarantine WHERE server_id = ? AND digest = ? AND released IS NULL",
            (server_id, digest),
        )
        return str(row["reason"]) if row else None

    def release(self, server_id: int, digest: str, now: int) -> None:
        """Let a manifest be loaded again, whatever later scans of it find."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE quarantine SET released = ? WHERE server_id = ? AND digest = ?",
                (now, server_id, digest),
            )

    def origin(self, server_id: int, name: ModelName) -> tuple[str, Origin] | None:
        """Digest and origin of the manifest that was scanned last under a name."""
        row = self._database.row(
            "SELECT * FROM origins WHERE server_id = ? AND name_key = ?", (server_id, name.key)
        )
        if row is None:
            return None
        origin = Origin(_text(row["publisher"]), _text(row["licence"]), _text(row["licence_digest"]))
        return str(row["digest"]), origin

    def set_origin(self, server_id: int, name: ModelName, digest: str, origin: Origin, now: int) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO origins VALUES (?, ?, ?, ?, ?, ?, ?)",
                (server_id, name.key, digest, origin.publisher, origin.licence, origin.licence_digest, now),
            )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
