"""The tokens a second that models were measured to reach on a server, for lists: nothing is estimated."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from modeltui.services.tree import Services
    from modeltui.store.measurements import Measurement

_ROWS = 5  # of one model: the newest say how it is now


class Seen(NamedTuple):
    """The median of a model's newest measurements, and when the last one was made (UTC milliseconds)."""

    tokens: float
    at: int


def speeds_seen(services: "Services", server_id: int) -> Mapping[str, Seen]:
    """Manifest digest -> speed; none of what was never measured, or where the store cannot be read."""
    return by_digest(services.recall(lambda: services.store.measurements.of_server(server_id), ()))


def by_digest(rows: "Iterable[Measurement]") -> dict[str, Seen]:
    """The same of these rows, the oldest first."""
    found: dict[str, list[tuple[float, int]]] = {}
    for row in rows:
        if row.tokens:
            found.setdefault(row.digest, []).append((row.tokens, row.at))
    return {digest: _median(seen[-_ROWS:]) for digest, seen in found.items()}


def _median(seen: list[tuple[float, int]]) -> Seen:
    rates = sorted(rate for rate, _ in seen)
    middle = len(rates) // 2
    half = rates[middle] if len(rates) % 2 else (rates[middle - 1] + rates[middle]) / 2
    return Seen(half, seen[-1][1])
