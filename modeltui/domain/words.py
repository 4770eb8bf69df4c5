"""Words about models and transfers that the command line and the screens say alike."""

from typing import TYPE_CHECKING

from modeltui.domain import units

# Whoever has a transfer has loaded these; a list of models needs none of them, and they are dear to load.
if TYPE_CHECKING:
    from modeltui.domain.transfers import Transfer

_MINUTE = 60_000
_LONG_ENOUGH_MS = 1_000  # for a speed to mean anything
_BEGIN_MS = 5_000  # so long at least it is said what was there
_TURN_MS = 2_000  # a try that is due begins sooner, where nothing else is in its way


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
    from modeltui.domain.causes import MOST_AGAIN, Cause
    from modeltui.domain.transfers import QUIET_MS, State

    state, detail = transfer.state, f" ({transfer.detail})" if transfer.detail else ""
    match state:
        case State.WAITING if transfer.cause and transfer.detail:
            return transfer.detail  # says itself what it waits for
        case State.WAITING:
            return f"waiting{detail}"
        case State.STARTING | State.PULLING if now is not None and transfer.quiet_ms(now) >= QUIET_MS:
            again = f", try {transfer.attempts + 1} of {retries}" if transfer.attempts else ""
            return f"stalled {transfer.quiet_ms(now) // 1000} s{again}"
        case State.PULLING if transfer.is_finishing:
            return "finishing"
        case State.PULLING if (
            _begins(transfer) and 0 < (transfer.total or 0) <= (transfer.present or 0) * 100
        ):
            return f"pulling, {units.size(transfer.present)} there"
        case State.RETRYING if now is not None and now - (transfer.retry_at or now) > _TURN_MS:
            return f"waits for its turn{detail}"
        case State.RETRYING if transfer.attempts >= retries:
            return f"still retrying, every 5 min{detail}"
        case State.RETRYING:
            wait = ""
            if now is not None and transfer.retry_at is not None and transfer.retry_at > now:
                wait = f" in {units.span(transfer.retry_at - now)}"
            if transfer.cause is Cause.CANCELED_BY_SERVER:  # the try before is not quite over there
                return f"resuming{wait}"
            most = MOST_AGAIN.get(transfer.cause, retries) if transfer.cause else retries
            return f"retry {transfer.again} of {most}{wait}{detail}"
        case State.PAUSED:
            return "paused by you"
        case State.FAILED | State.BLOCKED:
            return f"{state}: {transfer.detail or transfer.cause or 'unknown'}"
        case State.CHECKING:
            return "checking what arrived" if transfer.wanted == "run" else "looking whether it had finished"
    return f"{state}{detail}"


def _begins(transfer: "Transfer") -> bool:
    """Whether its stream has hardly begun, by its bytes or by its time."""
    return transfer.moved * 100 < (transfer.total or 0) or transfer.active_ms < _BEGIN_MS


def end_words(transfer: "Transfer") -> str:
    """One line for the end of a transfer: what, how much, how long its streams took, how fast they were."""
    from modeltui.domain.transfers import State

    name, sent = transfer.name.short, transfer.sent.short
    if transfer.state is not State.INSTALLED:
        return f"{name}: {state_words(transfer, None, 0)}"
    words = [f"{name} installed" if sent == name else f"{name} installed as {sent}"]
    if transfer.detail:
        words.append(transfer.detail)
    if transfer.total:
        words.append(f"{units.size(transfer.total)}{_there_words(transfer, transfer.total)}")
        took = transfer.active_ms or _span_of(transfer)
        if took is not None:
            words[-1] += f" in {units.duration(took)}"
    if transfer.average_speed is not None and transfer.active_ms >= _LONG_ENOUGH_MS:
        words.append(units.rough_speed(transfer.average_speed))
    return ", ".join(words)


def _span_of(transfer: "Transfer") -> int | None:
    """How long it took from start to end, where its streams were not counted (an older modeltui's rows)."""
    if transfer.started is None or transfer.ended is None or transfer.ended < transfer.started:
        return None
    return transfer.ended - transfer.started


def _there_words(transfer: "Transfer", total: int) -> str:
    """What had not to be pulled, where it is worth a word."""
    present = transfer.present or 0
    if present * 100 < total:
        return ""
    return " (all of it was there)" if present >= total else f" ({units.size(present)} of it were there)"


def remedy_of(transfer: "Transfer") -> str | None:
    """What mends the cause of a transfer that does not go on."""
    from modeltui.domain.causes import remedy

    return remedy(transfer.cause, transfer.sent.host) if transfer.cause else None
