"""Go's durations and timestamps, as Ollama reads and writes them."""

import math
import re
import time
from datetime import UTC, datetime

NANOSECOND = 1_000_000_000
FOREVER = (1 << 63) - 1
"""Go's longest duration in nanoseconds, 292 years: what a negative keep-alive becomes."""

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": NANOSECOND}
_UNITS |= {"m": 60 * NANOSECOND, "h": 3600 * NANOSECOND}
_PIECE = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")


def now() -> int:
    """Return the time in nanoseconds since 1970."""
    return time.time_ns()


def rfc3339(nanoseconds: int) -> str:
    """Write a time as Go's RFC3339Nano in UTC: up to nine digits, trailing zeros dropped."""
    seconds, rest = divmod(nanoseconds, NANOSECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"


def keep_alive(value: object) -> int:
    """Read a keep-alive as api.Duration does, in nanoseconds; negative is FOREVER.

    A number is seconds, a string a Go duration; raises ValueError with Go's own words.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        kind = {bool: "bool", list: "[]interface {}", dict: "map[string]interface {}"}.get(type(value), "nil")
        raise ValueError(f"Unsupported type: '{kind}'")
    if isinstance(value, str):
        parsed = duration(value)
    else:
        parsed = int(value * NANOSECOND) if math.isfinite(value) else -1
    return FOREVER if parsed < 0 or parsed > FOREVER else parsed


def duration(text: str) -> int:
    """Read a Go duration such as `1h30m` in nanoseconds; raises ValueError as time.ParseDuration words it."""
    body = text[1:] if text[:1] in {"+", "-"} else text
    sign = -1 if text.startswith("-") else 1
    if body == "0":
        return 0
    total, position = 0.0, 0
    while position < len(body):
        piece = _PIECE.match(body, position)
        if piece is None:
            break
        number, unit = piece.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _UNITS[unit]
        position = piece.end()
    if not body or position < len(body):
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * int(total)
