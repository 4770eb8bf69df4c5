"""What every installed pull took, kept for ever: the queue's own row goes when its history is cleared."""

import sqlite3

from modeltui.domain.transfers import State, Transfer


def write_arrival(connection: sqlite3.Connection, number: int, transfer: Transfer) -> None:
    """Note what an installed pull took, within the write that makes its row final, and once."""
    connection.execute(
        "INSERT INTO arrivals (at, server_id, name, digest, size, moved, active_ms)"
        " SELECT ?, server_id, ?, coalesce(?, announced_digest), ?, ?, ?"
        " FROM transfers WHERE id = ? AND state <> ?",
        (
            transfer.at if transfer.ended is None else transfer.ended,
            transfer.sent.short,
            transfer.manifest.digest if transfer.manifest else None,
            *(transfer.total, transfer.moved, transfer.active_ms, number, State.INSTALLED),
        ),
    )
