"""Numbers as people read them, one style everywhere: decimal bytes, three digits, `—` for unknown."""

import re
from datetime import UTC, datetime

UNKNOWN = "—"
_BYTES = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_LATEST_MS = 253_402_300_799_000  # the last second of the year 9999, the most datetime can hold
FOREVER_MS = 100 * 365 * _DAY


def size(count: int | float | None) -> str:
    """Bytes, decimal as `ollama` shows them: `17.4 GB`, `274 MB`, `512 B`."""
    if count is None:
        return UNKNOWN
    for unit, factor in _BYTES:
        if count >= 0.9995 * factor:
            return f"{_three_digits(count / factor)} {unit}"
    return f"{max(0, int(count))} B"


def part(count: int, total: int) -> str:
    """Bytes of a total, both in its unit and with its digits: `19.6/25.8 GB`."""
    whole, _, unit = size(total).partition(" ")
    digits = len(whole.partition(".")[2])
    return f"{count / dict(_BYTES).get(unit, 1):.{digits}f}/{whole} {unit}"


def speed(bytes_per_second: float | None) -> str:
    """Bytes a second: `61.2 MB/s`."""
    return UNKNOWN if bytes_per_second is None else f"{size(bytes_per_second)}/s"


def rough_speed(bytes_per_second: float) -> str:
    """Bytes a second in two digits, as an average deserves: `72 MB/s`, `6.1 MB/s`."""
    grain = 10.0 ** max(0, len(str(int(bytes_per_second))) - 2)
    value, _, unit = size(round(bytes_per_second / grain) * grain).partition(" ")
    whole = value.partition(".")[0]
    return f"{whole if len(whole) > 1 else value} {unit}/s"


def rate(tokens_per_second: float | None) -> str:
    """Tokens a second in two digits: `38`, `3.1`, `0.4`, `110`."""
    if tokens_per_second is None:
        return UNKNOWN
    if tokens_per_second < 9.95:
        return f"{tokens_per_second:.1f}"
    grain = 10 ** max(0, len(str(round(tokens_per_second))) - 2)
    return str(round(tokens_per_second / grain) * grain)


def context(tokens: int | None) -> str:
    """A context length, k being 1024: `32k`, `128k`, `2000`."""
    if tokens is None:
        return UNKNOWN
    return f"{tokens // 1024}k" if tokens >= 1024 and tokens % 1024 == 0 else str(tokens)


def parse_context(text: str) -> int:
    """Tokens of a context as typed: `16384`, `16k`, `1m`, k being 1024; ValueError for none (1 to 1 G)."""
    match = re.fullmatch(r"(?i)(\d{1,10}) ?([km]?)", text.strip(), re.ASCII)
    tokens = int(match[1]) * {"": 1, "k": 1024, "m": 1024**2}[match[2].casefold()] if match else 0
    if not 0 < tokens <= 1024**3:
        raise ValueError(f"“{text}” is no context: write 16k or 16384")
    return tokens


def duration(milliseconds: float | None) -> str:
    """A length of time: `380 ms`, `6.2 s`, `1 min 52 s`, `3 h 10 min`, `2 d 4 h`."""
    if milliseconds is None:
        return UNKNOWN
    ms = max(0, round(milliseconds))
    if ms < 1000:
        return f"{ms} ms"
    if ms < 10_000:
        return f"{ms / 1000:.1f} s"
    if ms < _MINUTE:
        return f"{ms // 1000} s"
    if ms < _HOUR:
        return _two(ms // _MINUTE, "min", ms % _MINUTE // 1000, "s")
    if ms < _DAY:
        return _two(ms // _HOUR, "h", ms % _HOUR // _MINUTE, "min")
    return _two(ms // _DAY, "d", ms % _DAY // _HOUR, "h")


def span(milliseconds: float | None) -> str:
    """A length of time in its largest unit, for columns: `9 s`, `4 min`, `3 h`, `2 d`."""
    if milliseconds is None:
        return UNKNOWN
    ms = max(0, round(milliseconds))
    for unit, factor in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if ms >= factor:
            return f"{ms // factor} {unit}"
    return f"{ms // 1000} s"


def counted(number: int, noun: str) -> str:
    """So many of them: `1 transfer`, `2 transfers`; the noun in the singular, with a regular plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def percent(share: float | None) -> str:
    """A whole percentage of a share of 1: `57 %`."""
    return UNKNOWN if share is None else f"{round(share * 100)} %"


def iso(at_ms: int | None) -> str | None:
    """UTC milliseconds as ISO 8601 with `Z`; None where the time is unknown or cannot be written."""
    if at_ms is None or not 0 <= at_ms <= _LATEST_MS:
        return None
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{at_ms % 1000:03d}Z"


def is_forever(expires_at_ms: int, now_ms: int) -> bool:
    """Whether an expiry means "never": Ollama writes a negative keep-alive as 292 years ahead."""
    return expires_at_ms - now_ms > FOREVER_MS


def _three_digits(value: float) -> str:
    if value < 9.995:
        return f"{value:.2f}".rstrip("0").rstrip(".") if value != int(value) else str(int(value))
    return f"{value:.1f}" if value < 99.95 else str(round(value))


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
