"""Numbers put through steps before they are shown, so that nothing flickers and idle costs no byte."""

from modeltui.domain import units

_MINUTE, _HOUR = 60_000, 3_600_000
STEP_MS = 5_000
STEPS_MS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def stepped(latency_ms: float, before: int | None) -> int:
    """The step a latency is shown at: the highest step it reaches, 0 for less than 5 ms.

    It leaves the step before only when it is a quarter beyond that step's edge, so that nothing flickers.
    """
    step = max((step for step in STEPS_MS if step <= latency_ms), default=0)
    if before is None or step == before:
        return step
    if step > before:
        edge = next(edge for edge in STEPS_MS if edge > before)
        return step if latency_ms >= edge * 1.25 else before
    return step if latency_ms <= before * 0.75 else before


def latency_words(step_ms: int) -> str:
    """`<5 ms`, `20 ms`, `2 s`."""
    if not step_ms:
        return "<5 ms"
    return f"{step_ms} ms" if step_ms < 1000 else f"{step_ms // 1000} s"


def calm_speed(speed: float | None, before: float | None) -> float | None:
    """Two digits, and what was shown before as long as that is nearly right."""
    if speed is None or speed < 1:
        return None
    if before is not None and abs(speed - before) < 0.06 * before:
        return before
    grain = 10.0 ** (len(str(int(speed))) - 2)
    return round(speed / grain) * grain


def speed_words(speed: float | None) -> str:
    """Two digits where there are more: `61 MB/s`, `6.1 MB/s`."""
    value, _, unit = units.speed(speed).partition(" ")
    whole = value.partition(".")[0]
    return units.UNKNOWN if not unit else f"{whole if len(whole) > 1 else value} {unit}"


def calm_left(left: int | None, before: int | None) -> int | None:
    """Whole minutes (hours), the last minute in steps of five seconds; it grows only when it surely does."""
    if left is None:
        return None
    if left < _MINUTE:
        value = -(-left // STEP_MS) * STEP_MS if left < _MINUTE - STEP_MS else _MINUTE - STEP_MS
    else:
        unit = _HOUR if left >= _HOUR else _MINUTE
        value = left // unit * unit
    return before if before is not None and before < value and left < value * 1.1 else value


def calm_span(ms: int) -> str:
    """How long something lasts: nothing, less than a minute, then whole minutes, hours, days."""
    return "" if ms < 10_000 else "<1 min" if ms < _MINUTE else units.span(ms)


def calm_age(at: int | None, now: int) -> str:
    """How long ago (UTC milliseconds): `<1 min ago`, `4 min ago`, `2 d ago`."""
    if at is None:
        return units.UNKNOWN
    return "<1 min ago" if now - at < _MINUTE else f"{units.span(now - at)} ago"
