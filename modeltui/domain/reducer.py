"""What follows from an event of a transfer: the only place where progress, retries and ends are decided.

`reduce(transfer, event) -> (transfer, effects)` never raises: an event that makes no sense in a state
changes nothing.
"""

from dataclasses import replace
from enum import StrEnum

from modeltui.domain import progress
from modeltui.domain.causes import MOST_AGAIN, Cause, Policy, Verdict, classify, verdict
from modeltui.domain.events import (
    Announced,
    Asked,
    Checked,
    Closed,
    Event,
    Held,
    Interrupted,
    Layer,
    Noted,
    ServerError,
    Started,
    Status,
    Success,
    Tick,
)
from modeltui.domain.names import ModelName
from modeltui.domain.transfers import ACTIVE, CONNECTED, CheckResult, Limits, State, Transfer, Wanted

_LONGEST_DELAY_MS = 60_000
_PATIENT_DELAY_MS = 300_000
_SOON_MS = 1_000
_OTHER_HOSTS = {"hf.co": "huggingface.co"}
_ALL_THERE = ("verifying", "writing manifest", "removing")  # what a server says once it has every layer


class Effect(StrEnum):
    """What the runner has to do; `wait` means: until `retry_at`."""

    CONNECT = "connect"
    CLOSE = "close"
    WAIT = "wait"
    CHECK = "check"


Step = tuple[Transfer, tuple[Effect, ...]]


def reduce(transfer: Transfer, event: Event, limits: Limits = Limits()) -> Step:  # noqa: B008
    """Apply one event; time going back counts as nothing. Else a Tick changes something only at a stall."""
    now = event.at
    transfer = _set_back(transfer, now)
    if isinstance(event, Tick):
        return _passed(transfer, now, event.jitter, limits)
    transfer = _passed_to(transfer, event, now)
    if isinstance(event, Asked):
        return _asked(transfer, event.wanted)
    if transfer.is_final:
        return transfer, ()
    match event:
        case Started():
            return _started(transfer)
        case Announced(manifest=manifest):
            return progress.announced(transfer, manifest), ()
        case Held(cause=cause, text=text):
            return _held(transfer, cause, text)
        case Noted(text=text, cause=cause):
            return _noted(transfer, text, cause), ()
        case Interrupted():
            return _interrupted(transfer)
        case Checked():
            return _checked(transfer, event, limits)
    if transfer.state not in CONNECTED:
        return transfer, ()
    match event:
        case Status(text=text):
            return _status(transfer, text), ()
        case Layer():
            return progress.counted(transfer, event), ()
        case Success():
            whole = progress.ended(progress.whole(transfer))
            return replace(whole, state=State.CHECKING, detail=""), (Effect.CHECK,)
        case ServerError(text=text, status=status, jitter=jitter):
            return _failed(transfer, classify(text, status), text, jitter, limits)
        case Closed(text=text, jitter=jitter, cause=cause):
            words = text or "the connection ended before the pull did"
            return _failed(transfer, verdict(cause), words, jitter, limits)
    return transfer, ()


def _set_back(transfer: Transfer, now: int) -> Transfer:
    """Follow a clock that was set back: all that it still measures with moves by as much."""
    by = transfer.at - now
    if by <= 0:
        return transfer

    def moved(moment: int | None) -> int | None:
        return None if moment is None else moment - by

    return replace(
        transfer,
        at=now,
        retry_at=moved(transfer.retry_at),
        ends_at=moved(transfer.ends_at),
        grown_at=moved(transfer.grown_at),
        sample_at=moved(transfer.sample_at),
    )


def _passed_to(transfer: Transfer, event: Event, now: int) -> Transfer:
    """Bring it to the present; how long a stream is open counts, how long nobody ran it does not."""
    is_open = transfer.state in CONNECTED and not isinstance(event, Interrupted)
    active = transfer.active_ms + (now - transfer.at if is_open else 0)
    return replace(transfer, at=now, active_ms=active)


def _passed(transfer: Transfer, now: int, jitter: float, limits: Limits) -> Step:
    """Time passes: a stream that has been silent for too long is given up and tried again."""
    quiet = transfer.quiet_ms(now)
    if not limits.stall_ms or quiet < limits.stall_ms:
        return transfer, ()
    words = f"no byte for {quiet // 1000} s"
    return _failed(_passed_to(transfer, Tick(now), now), verdict(Cause.NETWORK), words, jitter, limits)


def _asked(transfer: Transfer, wanted: Wanted) -> Step:
    if transfer.state is State.INSTALLED:
        return transfer, ()
    # A cancel that is taken back: its stream is closed, and what the look at the server finds says nothing.
    given_up = transfer.state is State.CHECKING and transfer.wanted is Wanted.CANCEL
    if wanted is Wanted.RUN:
        if transfer.state in (State.WAITING, *ACTIVE) and not given_up:
            return replace(transfer, wanted=wanted), ()
        fresh = replace(
            transfer,
            state=State.WAITING,
            wanted=wanted,
            cause=None,
            detail="",
            attempts=0,
            digest_failures=0,
            damages=0,
            retry_at=None,
            ended=None,
            pulled_as=None if transfer.is_final else transfer.pulled_as,
        )
        return fresh, ()
    if transfer.is_final:
        return transfer, ()
    transfer = replace(transfer, wanted=wanted)
    if wanted is Wanted.PAUSE:
        if transfer.state is State.CHECKING and not given_up:
            return transfer, ()
        paused = replace(_stopped(transfer, State.PAUSED), cause=Cause.BY_YOU, detail="")
        return paused, (Effect.CLOSE,)
    if transfer.state in ACTIVE:
        # The server may have finished: only a look at it tells whether anything was cancelled.
        return replace(progress.ended(transfer), state=State.CHECKING), (Effect.CLOSE, Effect.CHECK)
    return _cancelled(transfer, ""), (Effect.CLOSE,)


def _started(transfer: Transfer) -> Step:
    if transfer.state not in (State.WAITING, State.RETRYING) or transfer.wanted is not Wanted.RUN:
        return transfer, ()
    started = replace(
        progress.begun(transfer),
        state=State.STARTING,
        tries=transfer.tries + 1,
        cause=None,
        detail="",
        retry_at=None,
        started=transfer.started if transfer.started is not None else transfer.at,
    )
    return started, (Effect.CONNECT,)


def _noted(transfer: Transfer, text: str, cause: Cause | None) -> Transfer:
    """Words beside a state that they do not change."""
    if transfer.state is State.WAITING or (transfer.state in CONNECTED and cause is None):
        return replace(transfer, cause=cause, detail=text)
    return transfer


def _held(transfer: Transfer, cause: Cause, text: str) -> Step:
    """Nothing goes on. What is to end anyway does so by itself, unless a defect keeps it from that."""
    if transfer.wanted is Wanted.RUN:
        return replace(_stopped(transfer, State.BLOCKED), cause=cause, detail=text), (Effect.CLOSE,)
    if cause is not Cause.DEFECT or transfer.state not in ACTIVE:
        return transfer, ()
    if transfer.wanted is Wanted.CANCEL:
        return _cancelled(transfer, text), (Effect.CLOSE,)
    return replace(_stopped(transfer, State.PAUSED), cause=Cause.BY_YOU, detail=text), (Effect.CLOSE,)


def _interrupted(transfer: Transfer) -> Step:
    if transfer.state not in ACTIVE and transfer.state is not State.RETRYING:
        return transfer, ()
    if transfer.wanted is Wanted.CANCEL:
        return _cancelled(transfer, ""), (Effect.CLOSE,)
    state = State.PAUSED if transfer.wanted is Wanted.PAUSE else State.WAITING
    return replace(_stopped(transfer, state), detail="interrupted"), (Effect.CLOSE,)


def _status(transfer: Transfer, text: str) -> Transfer:
    if transfer.state is not State.VERIFYING and text.casefold().startswith(_ALL_THERE):
        transfer = replace(progress.whole(transfer), state=State.VERIFYING, detail="")
    return transfer


def _failed(transfer: Transfer, found: Verdict, text: str, jitter: float, limits: Limits) -> Step:
    """Follow a cause's policy; the stream is over in any case."""
    attempts = transfer.attempts + 1
    ended = replace(
        progress.ended(transfer),
        cause=found.cause,
        detail=text,
        attempts=attempts,
        digest_failures=transfer.digest_failures + (found.cause is Cause.DIGEST),
        damages=transfer.damages + (found.cause is Cause.DAMAGED),
    )
    if transfer.wanted is Wanted.CANCEL:
        return _cancelled(ended, text), (Effect.CLOSE,)
    other = _other_name(transfer) if found.policy is Policy.OTHER_NAME else None
    if other is not None:
        ended = replace(ended, pulled_as=other, detail=f"trying it as {other.short}: {text}")
    if found.policy is Policy.BLOCK:
        return replace(ended, state=State.BLOCKED), (Effect.CLOSE,)
    most = MOST_AGAIN.get(found.cause)
    is_exhausted = most is not None and ended.again > most
    if found.policy is Policy.FAIL or (found.policy is Policy.OTHER_NAME and other is None) or is_exhausted:
        return replace(ended, state=State.FAILED, ended=transfer.at), (Effect.CLOSE,)
    if transfer.wanted is Wanted.PAUSE:
        return replace(ended, state=State.PAUSED, cause=Cause.BY_YOU), (Effect.CLOSE,)
    delay = retry_delay_ms(attempts, jitter, limits)
    if found.policy is Policy.RETRY_SOON or other is not None:
        delay = max(_SOON_MS, delay if attempts > 3 else 0)
    waiting = replace(ended, state=State.RETRYING, retry_at=transfer.at + delay)
    return waiting, (Effect.CLOSE, Effect.WAIT)


def _other_name(transfer: Transfer) -> ModelName | None:
    """The other name under which the same registry can be asked; once only."""
    host = _OTHER_HOSTS.get(transfer.name.host.casefold())
    return replace(transfer.name, host=host) if host and transfer.pulled_as is None else None


def retry_delay_ms(attempts: int, jitter: float, limits: Limits) -> int:
    """Delay before the next try: 1 s doubling to 60 s with full jitter; past `retries`, five minutes."""
    if attempts >= limits.retries:
        return _PATIENT_DELAY_MS
    ceiling: int = min(_LONGEST_DELAY_MS, 1000 << min(attempts - 1, 6))
    return round(ceiling * min(1.0, max(0.0, jitter)))


def _checked(transfer: Transfer, event: Checked, limits: Limits) -> Step:
    if transfer.state is not State.CHECKING:
        return transfer, ()
    if event.result is CheckResult.INSTALLED:
        detail = (
            "the server had finished it before the cancel" if transfer.wanted is Wanted.CANCEL else event.text
        )
        installed = replace(
            transfer, state=State.INSTALLED, cause=None, detail=detail, attempts=0, ended=transfer.at
        )
        return installed, ()
    if transfer.wanted is Wanted.CANCEL:
        return _cancelled(transfer, event.text), ()
    if event.result is CheckResult.UNKNOWN:
        return _failed(transfer, verdict(Cause.NETWORK), event.text, event.jitter, limits)
    return _failed(transfer, verdict(Cause.DAMAGED), event.text, event.jitter, limits)


def _stopped(transfer: Transfer, state: State) -> Transfer:
    return replace(progress.ended(transfer), state=state, retry_at=None)


def _cancelled(transfer: Transfer, text: str) -> Transfer:
    stopped = _stopped(transfer, State.CANCELLED)
    return replace(stopped, cause=Cause.BY_YOU, detail=text, ended=transfer.at)
