"""A transfer as a row of its table and back; no value read is believed, since SQLite keeps to no type."""

import sqlite3
from types import UnionType

from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import State, Transfer, Wanted

_TYPES: tuple[tuple[str, type | UnionType], ...] = (
    ("server_id position wishes obeyed created at", int),
    ("attempts tries done_high seen moved active_ms digest_failures damages", int),
    ("total present grown_at ends_at retry_at started ended", int | None),
    ("name detail", str),
    ("announced_digest pulled_as", str | None),
    ("speed", float | int | None),
)


def values_of(transfer: Transfer) -> dict[str, object]:
    """What is saved of a transfer, by column: all but the wish and what people decide."""
    return {
        "state": transfer.state,
        "cause": transfer.cause,
        "detail": transfer.detail,
        "attempts": transfer.attempts,
        "tries": transfer.tries,
        "total": transfer.total,
        "total_exact": transfer.total_exact,
        "done_high": transfer.done,
        "seen": transfer.seen,
        "present": transfer.present,
        "moved": transfer.moved,
        "active_ms": transfer.active_ms,
        "finishing": transfer.is_finishing,
        "speed": transfer.speed,
        "ends_at": transfer.ends_at,
        "grown_at": transfer.grown_at,
        "retry_at": transfer.retry_at,
        "digest_failures": transfer.digest_failures,
        "damages": transfer.damages,
        "pulled_as": transfer.pulled_as.short if transfer.pulled_as else None,
        "started": transfer.started,
        "ended": transfer.ended,
        "at": transfer.at,
    }


def transfer_of(row: sqlite3.Row) -> Transfer:
    """The transfer of a row; raises ValueError or InvalidName for values that make none."""
    for columns, kind in _TYPES:
        for column in columns.split():
            if not isinstance(row[column], kind):
                raise ValueError(f"{column}: {type(row[column]).__name__}")
    return Transfer(
        name=parse(row["name"]),
        pulled_as=parse(row["pulled_as"]) if row["pulled_as"] else None,
        state=State(row["state"]),
        wanted=Wanted(row["wanted"]),
        cause=Cause(row["cause"]) if row["cause"] else None,
        detail=row["detail"],
        attempts=row["attempts"],
        tries=row["tries"],
        total=row["total"],
        total_exact=bool(row["total_exact"]),
        done=row["done_high"],
        seen=row["seen"],
        present=row["present"],
        moved=row["moved"],
        active_ms=row["active_ms"],
        is_finishing=bool(row["finishing"]),
        speed=row["speed"],
        ends_at=row["ends_at"],
        grown_at=row["grown_at"],
        retry_at=row["retry_at"],
        digest_failures=row["digest_failures"],
        damages=row["damages"],
        started=row["started"],
        ended=row["ended"],
        at=row["at"],
    )
