"""Words about models and transfers that the command line and the screens say alike."""

from typing import TYPE_CHECKING

from modeltui.domain import units

# Whoever has a transfer has loaded these; a list of models needs none of them, and they are dear to load.
if TYPE_CHECKING:
    from modeltui.domain.transfers import Transfer

_MINUTE = 60_000


def kept_words(expires_at: int | None, now: int) -> str:
    """How long a loaded model stays (UTC milliseconds): `5 min`, `for ever`, empty when unknown or over."""
    if expires_at is None or expires_at < now:
        return ""
    if units.is_forever(expires_at, now):
        return "for ever"
    left = expires_at - now
    return units.span(left) if left <= _MINUTE else units.duration((left + _MINUTE // 2) // _MINUTE * _MINUTE)


def age_words(at: int | None, now: int) -> str:
    """How long ago a moment was (UTC milliseconds), in its largest unit: `3 d ago`."""
    return units.UNKNOWN if at is None else f"{units.span(now - at)} ago"


def bytes_words(transfer: "Transfer") -> str:
    """`2.9 of 5.2 GB`, or with "at least" while the sum is not known."""
    done = units.size(transfer.done)
    if transfer.total is None:
        return done
    total = units.size(transfer.total)
    number, _, unit = done.partition(" ")
    if unit == total.partition(" ")[2]:
        done = number
    return f"{done} of {total}" if transfer.total_exact else f"{done} of at least {total}"


def state_words(transfer: "Transfer", now: int | None, retries: int) -> str:
    """The state with its cause; `now` (UTC milliseconds) None leaves out what ticks."""
    from modeltui.domain.transfers import QUIET_MS, State

    state, detail = transfer.state, f" ({transfer.detail})" if transfer.detail else ""
    match state:
        case State.WAITING:
            return f"waiting{detail}"
        case State.STARTING | State.PULLING if now is not None and transfer.quiet_ms(now) >= QUIET_MS:
            again = f", try {transfer.attempts + 1} of {retries}" if transfer.attempts else ""
            return f"no byte for {transfer.quiet_ms(now) // 1000} s{again}"
        case State.RETRYING if transfer.attempts >= retries:
            return f"still retrying, every 5 min{detail}"
        case State.RETRYING:
            wait = ""
            if now is not None and transfer.retry_at is not None and transfer.retry_at > now:
                wait = f" in {units.span(transfer.retry_at - now)}"
            return f"retry {transfer.attempts} of {retries}{wait}{detail}"
        case State.PAUSED:
            return "paused by you"
        case State.FAILED | State.BLOCKED:
            return f"{state}: {transfer.detail or transfer.cause or 'unknown'}"
        case State.CHECKING:
            return "checking what arrived" if transfer.wanted == "run" else "looking whether it had finished"
    return f"{state}{detail}"


def end_words(transfer: "Transfer") -> str:
    """One line for the end of a transfer: what, how much, how long, how fast."""
    from modeltui.domain.transfers import State

    name = transfer.name.short
    if transfer.state is not State.INSTALLED:
        return f"{name}: {state_words(transfer, None, 0)}"
    words = [f"{name} installed"]
    if transfer.detail:
        words.append(transfer.detail)
    if transfer.total:
        words.append(units.size(transfer.total))
    if transfer.started is not None and transfer.ended is not None:
        words[-1] += f" in {units.duration(transfer.ended - transfer.started)}"
    return ", ".join(words)


def remedy_of(transfer: "Transfer") -> str | None:
    """What mends the cause of a transfer that does not go on."""
    from modeltui.domain.causes import verdict

    return verdict(transfer.cause).remedy if transfer.cause else None
