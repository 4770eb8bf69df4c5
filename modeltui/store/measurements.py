"""What models were measured to do on their servers, and what shape they have; both by manifest digest."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from modeltui.domain.models import ModelDetails
from modeltui.store.database import Database

KEPT = 200
"""So many rows a model and server of loads, and as many of speeds: the newest."""

_LONGEST_FACT = 256  # characters, or entries of a list: one a layer, and no vocabulary


class Measurement(NamedTuple):
    """One measurement: tokens a second, `vram_share` 0 to 1, `at` in UTC milliseconds; unknown is None."""

    at: int
    digest: str
    name: str
    context: int | None = None
    tokens: float | None = None
    prompt: float | None = None
    load_ms: int | None = None
    vram_share: float | None = None
    version: str | None = None


class Measurements:
    """The tables `measurements` and `shapes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, server_id: int, measurement: Measurement) -> None:
        """Write one row; a rate that is not positive and finite is unknown, a row of nothing is none."""
        tokens, prompt = _rate(measurement.tokens), _rate(measurement.prompt)
        if tokens is None and prompt is None and measurement.load_ms is None:
            return
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO measurements"
                " (at, server_id, digest, name, context, tokens, prompt, load_ms, vram_share, version)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(measurement.at, server_id, measurement.digest, measurement.name, measurement.context),
                    *(tokens, prompt, measurement.load_ms, measurement.vram_share, measurement.version),
                ),
            )
            # Loads are measured by the way, speeds on request: the former must not push the latter out.
            these = (server_id, measurement.digest, tokens is None)
            connection.execute(
                "DELETE FROM measurements WHERE server_id = ? AND digest = ? AND (tokens IS NULL) = ?"
                " AND id NOT IN (SELECT id FROM measurements"
                " WHERE server_id = ? AND digest = ? AND (tokens IS NULL) = ?"
                " ORDER BY at DESC, id DESC LIMIT ?)",
                (*these, *these, KEPT),
            )

    def of_server(self, server_id: int) -> tuple[Measurement, ...]:
        """Everything measured there, the oldest first; what is no measurement in the table is left out."""
        rows = self._database.rows(
            "SELECT * FROM measurements WHERE server_id = ? ORDER BY at, id", (server_id,)
        )
        return tuple(found for row in rows if (found := _measurement(dict(row))) is not None)

    def shape(self, digest: str) -> Mapping[str, Any] | None:
        """The architecture facts of a manifest, as GGUF names them; None while they were never asked."""
        row = self._database.row("SELECT json FROM shapes WHERE digest = ?", (digest,))
        return _object(row["json"]) if row else None

    def shapes(self) -> dict[str, Mapping[str, Any]]:
        """Digest -> architecture facts of every manifest that was looked at."""
        rows = self._database.rows("SELECT digest, json FROM shapes")
        return {row["digest"]: found for row in rows if (found := _object(row["json"])) is not None}

    def set_shape(self, digest: str, shape: Mapping[str, Any], now: int) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO shapes VALUES (?, ?, ?)", (digest, json.dumps(shape), now)
            )


def shape_of(shown: ModelDetails) -> dict[str, object]:
    """What `/api/show` says of a model's architecture and projector; long lists and texts are left out."""
    facts = {**shown.projector, **shown.model_info}
    return {
        key: fact
        for key, fact in facts.items()
        if not (isinstance(fact, str | list) and len(fact) > _LONGEST_FACT)
    }


def _measurement(row: dict[str, Any]) -> Measurement | None:
    """A row as an object: SQLite keeps to no type."""
    at, digest, name = row["at"], row["digest"], row["name"]
    if not isinstance(at, int) or not isinstance(digest, str) or not isinstance(name, str):
        return None
    version = row["version"]
    share = row["vram_share"]
    return Measurement(
        at=at,
        digest=digest,
        name=name,
        context=_count(row["context"]),
        tokens=_rate(row["tokens"]),
        prompt=_rate(row["prompt"]),
        load_ms=_count(row["load_ms"]),
        vram_share=float(share) if isinstance(share, int | float) and 0 <= share <= 1 else None,
        version=version if isinstance(version, str) else None,
    )


def _rate(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value > 0:
        return float(value)
    return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _object(written: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(written)
    except (ValueError, TypeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
