"""Remembers for some seconds what was looked at, and lets those who ask meanwhile wait for the same look."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

Seen = TypeVar("Seen")


@dataclass(slots=True)
class _Look:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    at: int | None = None
    value: object = None


class Looks:
    """Looks by a key of their own; one tree of services has one of these."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._looks: dict[str, _Look] = {}

    async def recent(self, key: str, counts_ms: int, look: Callable[[], Seen]) -> Seen:
        """What `look` (blocking: in a thread) saw within `counts_ms`, else sees now; errors are not kept."""
        known = self._looks.setdefault(key, _Look())
        async with known.lock:
            # A clock that went back makes a look old: a wrong one must not stay for hours.
            if known.at is None or not 0 <= self._clock() - known.at < counts_ms:
                known.value = await asyncio.to_thread(look)
                known.at = self._clock()
            return cast(Seen, known.value)

    def forget(self) -> None:
        """Look anew when next asked."""
        self._looks.clear()
