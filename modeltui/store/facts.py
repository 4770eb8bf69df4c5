"""What is remembered of a server and its models: the current one, aliases, details, loads, the last list."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modeltui.domain.names import ModelName, from_listed
from modeltui.store.database import Database

MOST_PER_SERVER = 4  # pulls at once; one alone fills most lines and disks


@dataclass(frozen=True, slots=True)
class CurrentModel:
    """The record of a server's current model."""

    name: ModelName
    digest: str | None
    since: int
    previous: str | None


@dataclass(frozen=True, slots=True)
class Alias:
    """What we last wrote under an alias."""

    target: str
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class Load:
    """The last load of a manifest here: milliseconds it took, bytes it held by the server's account."""

    at: int
    load_ms: int
    size: int | None
    vram: int | None
    context: int | None


@dataclass(frozen=True, slots=True)
class Newer:
    """A registry's newer version of the installed manifest `digest`: its bytes, and when it was pushed."""

    digest: str
    size: int | None
    pushed: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """All that enriches a server's list: details and loads by manifest digest, damage as words.

    `newer` is by case-folded full name: what the last update check found. `held` is why a manifest is in
    quarantine.
    """

    current: CurrentModel | None = None
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    damaged: Mapping[str, str] = field(default_factory=dict)
    loads: Mapping[str, Load] = field(default_factory=dict)
    newer: Mapping[str, Newer] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)


class Facts:
    """The tables `servers`, `current`, `aliases`, `details`, `damaged`, `loads` and `last_list`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def server_id(self, key: str, name: str) -> int:
        """The id of the server at that URL; its label is brought up to date."""
        row = self._database.row("SELECT id, name FROM servers WHERE key = ?", (key,))
        if row is not None and row["name"] == name:
            return int(row["id"])
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO servers (key, name) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET name = excluded.name",
                (key, name),
            )
            return int(connection.execute("SELECT id FROM servers WHERE key = ?", (key,)).fetchone()[0])

    def servers(self) -> dict[int, tuple[str, str]]:
        """id -> (key, name) of every server ever seen."""
        rows = self._database.rows("SELECT id, key, name FROM servers")
        return {row["id"]: (row["key"], row["name"]) for row in rows}

    def per_server(self) -> dict[int, int]:
        """Server -> how many pulls at once a person wants there; what is configured counts for the others."""
        rows = self._database.rows("SELECT id, per_server FROM servers WHERE per_server IS NOT NULL")
        wished = {row["id"]: _number(row["per_server"]) for row in rows}
        return {number: count for number, count in wished.items() if count and count <= MOST_PER_SERVER}

    def set_per_server(self, server_id: int, count: int | None) -> None:
        """Write how many pulls at once are wanted on a server; None: as many as configured."""
        with self._database.writing() as connection:
            connection.execute("UPDATE servers SET per_server = ? WHERE id = ?", (count, server_id))

    def known(self, server_id: int) -> Known:
        """Everything remembered of a server at once."""
        return Known(
            current=self.current(server_id),
            details=self.all_details(),
            damaged=self.damaged(server_id),
            loads=self.loads(server_id),
            newer=self.newer(server_id),
            held=self.held(server_id),
        )

    def current(self, server_id: int) -> CurrentModel | None:
        row = self._database.row("SELECT * FROM current WHERE server_id = ?", (server_id,))
        name = from_listed(row["name"]) if row else None
        if row is None or name is None:
            return None
        return CurrentModel(name, row["digest"], row["since"], row["previous"])

    def set_current(self, server_id: int, name: ModelName, digest: str | None, now: int) -> None:
        """Record the current model; the one before becomes the previous, if it was another."""
        with self._database.writing() as connection:
            before = self.current(server_id)
            previous = before.name.short if before else None
            if before is not None and before.name.key == name.key:
                previous = before.previous
            connection.execute(
                "INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?)",
                (server_id, name.short, digest, now, previous),
            )

    def clear_current(self, server_id: int) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM current WHERE server_id = ?", (server_id,))

    def rename_current(self, server_id: int, name: ModelName) -> None:
        """The same model under another name, for aliases, too: neither its time nor the previous changes."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE aliases SET target = ? WHERE server_id = ? AND target ="
                " (SELECT name FROM current WHERE server_id = ?)",
                (name.short, server_id, server_id),
            )
            connection.execute("UPDATE current SET name = ? WHERE server_id = ?", (name.short, server_id))

    def alias(self, server_id: int, name: ModelName) -> Alias | None:
        row = self._database.row(
            "SELECT * FROM aliases WHERE server_id = ? AND name_key = ?", (server_id, name.key)
        )
        return Alias(row["target"], row["digest"], row["at"]) if row else None

    def set_alias(self, server_id: int, name: ModelName, target: ModelName, digest: str, now: int) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?, ?)",
                (server_id, name.key, target.short, digest, now),
            )

    def details(self, digest: str) -> Mapping[str, Any] | None:
        """What was once noted about a manifest, or None."""
        row = self._database.row("SELECT json FROM details WHERE digest = ?", (digest,))
        return _object(row["json"]) if row else None

    def all_details(self) -> dict[str, Mapping[str, Any]]:
        rows = self._database.rows("SELECT digest, json FROM details")
        return {row["digest"]: _object(row["json"]) or {} for row in rows}

    def set_details(self, digest: str, facts: Mapping[str, Any], now: int) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO details VALUES (?, ?, ?)", (digest, json.dumps(facts), now)
            )

    def damaged(self, server_id: int) -> dict[str, str]:
        """Digest -> words of the models there that are listed and cannot be opened."""
        rows = self._database.rows("SELECT digest, words FROM damaged WHERE server_id = ?", (server_id,))
        return {row["digest"]: row["words"] for row in rows}

    def held(self, server_id: int) -> dict[str, str]:
        """Digest -> why that manifest is held back there from load and switch."""
        rows = self._database.rows(
            "SELECT digest, reason FROM quarantine WHERE server_id = ? AND released IS NULL", (server_id,)
        )
        return {row["digest"]: row["reason"] for row in rows}

    def set_damaged(self, server_id: int, digest: str, words: str, now: int, *, layers: bool = False) -> None:
        """Note that a manifest cannot be opened there; `layers` when it opens and layers are missing."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO damaged VALUES (?, ?, ?, ?, ?)",
                (server_id, digest, words, layers, now),
            )

    def set_whole(self, server_id: int, digest: str, *, layers: bool = False) -> None:
        """Note that a manifest can be opened there; only a look at `layers` tells that none is missing."""
        if digest not in self.damaged(server_id):
            return
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM damaged WHERE server_id = ? AND digest = ? AND layers <= ?",
                (server_id, digest, layers),
            )

    def loads(self, server_id: int) -> dict[str, Load]:
        """Digest -> its last load there."""
        rows = self._database.rows("SELECT * FROM loads WHERE server_id = ?", (server_id,))
        return {
            row["digest"]: Load(row["at"], row["load_ms"], row["size"], row["vram"], row["context"])
            for row in rows
        }

    def newer(self, server_id: int) -> dict[str, Newer]:
        """Case-folded full name -> what is newer at its registry, by the last check."""
        rows = self._database.rows(
            "SELECT name_key, digest, size, pushed FROM updates WHERE server_id = ? AND verdict = 'newer'",
            (server_id,),
        )
        return {
            row["name_key"]: Newer(row["digest"], _number(row["size"]), _number(row["pushed"]))
            for row in rows
        }

    def set_load(self, server_id: int, digest: str, load: Load) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO loads VALUES (?, ?, ?, ?, ?, ?, ?)",
                (server_id, digest, load.at, load.load_ms, load.size, load.vram, load.context),
            )

    def last_list(self, server_id: int) -> tuple[list[Any], int] | None:
        """The list last seen there and when."""
        row = self._database.row("SELECT json, at FROM last_list WHERE server_id = ?", (server_id,))
        if row is None:
            return None
        try:
            listed = json.loads(row["json"])
        except (ValueError, TypeError, RecursionError):
            return None
        return (listed, row["at"]) if isinstance(listed, list) and isinstance(row["at"], int) else None

    def set_last_list(self, server_id: int, listed: list[Any], now: int) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO last_list VALUES (?, ?, ?)", (server_id, json.dumps(listed), now)
            )


def _number(value: object) -> int | None:
    """A whole number as it was written; SQLite itself keeps to no type."""
    return value if isinstance(value, int) and value >= 0 else None


def _object(written: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(written)
    except (ValueError, TypeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
