"""What follows from an event of a transfer: the only place where progress, retries and ends are decided.

`reduce(transfer, event) -> (transfer, effects)` never raises: an event that makes no sense in a state
changes nothing.
"""

from dataclasses import replace
from enum import StrEnum
from math import exp

from modeltui.domain.causes import Cause, Policy, Verdict, classify, verdict
from modeltui.domain.transfers import (
    ACTIVE,
    CONNECTED,
    Announced,
    Asked,
    Checked,
    CheckResult,
    Closed,
    Event,
    Held,
    Interrupted,
    Layer,
    LayerState,
    Limits,
    Manifest,
    ServerError,
    Started,
    State,
    Status,
    Success,
    Tick,
    Transfer,
    Wanted,
)

MOST_LAYERS = 2048
MOST_BYTES = 2**50  # of one layer; the sum of them all still fits what a database holds
_LONGEST_DELAY_MS = 60_000
_PATIENT_DELAY_MS = 300_000
_SOON_MS = 1_000
_SPEED_MEMORY_MS = 6_000
_SPEED_STEP_MS = 400


class Effect(StrEnum):
    """What the runner has to do; `wait` means: until `retry_at`."""

    CONNECT = "connect"
    CLOSE = "close"
    WAIT = "wait"
    CHECK = "check"


Step = tuple[Transfer, tuple[Effect, ...]]


def reduce(transfer: Transfer, event: Event, limits: Limits = Limits()) -> Step:  # noqa: B008
    """Apply one event; time going back counts as standing still. Without a stall a Tick changes nothing."""
    now = max(transfer.at, event.at)
    if isinstance(event, Tick):
        return _passed(transfer, now, event.jitter, limits)
    transfer = replace(transfer, at=now)
    if isinstance(event, Asked):
        return _asked(transfer, event.wanted)
    if transfer.is_final:
        return transfer, ()
    match event:
        case Started():
            return _started(transfer)
        case Announced(manifest=manifest):
            return _announced(transfer, manifest), ()
        case Held(cause=cause, text=text):
            if transfer.wanted is not Wanted.RUN:
                return transfer, ()
            return replace(_stopped(transfer, State.BLOCKED), cause=cause, detail=text), (Effect.CLOSE,)
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
            return _layer(transfer, event), ()
        case Success():
            done = transfer.done if transfer.total is None else transfer.total
            return replace(transfer, state=State.CHECKING, done=done, detail=""), (Effect.CHECK,)
        case ServerError(text=text, status=status, jitter=jitter):
            return _failed(transfer, classify(text, status), text, jitter, limits)
        case Closed(text=text, jitter=jitter):
            words = text or "the connection ended before the pull did"
            return _failed(transfer, verdict(Cause.NETWORK), words, jitter, limits)
    return transfer, ()


def _passed(transfer: Transfer, now: int, jitter: float, limits: Limits) -> Step:
    """Time passes: a stream that has been silent for too long is given up and tried again."""
    quiet = transfer.quiet_ms(now)
    if not limits.stall_ms or quiet < limits.stall_ms:
        return transfer, ()
    words = f"no byte for {quiet // 1000} s"
    return _failed(replace(transfer, at=now), verdict(Cause.NETWORK), words, jitter, limits)


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
        return replace(transfer, state=State.CHECKING, speed=None), (Effect.CLOSE, Effect.CHECK)
    return _cancelled(transfer, ""), (Effect.CLOSE,)


def _started(transfer: Transfer) -> Step:
    if transfer.state not in (State.WAITING, State.RETRYING) or transfer.wanted is not Wanted.RUN:
        return transfer, ()
    started = replace(
        transfer,
        state=State.STARTING,
        tries=transfer.tries + 1,
        cause=None,
        detail="",
        retry_at=None,
        layers=(),
        seen=0,
        speed=None,
        grown_at=transfer.at,
        sample_at=None,
        started=transfer.started if transfer.started is not None else transfer.at,
    )
    return started, (Effect.CONNECT,)


def _announced(transfer: Transfer, manifest: Manifest) -> Transfer:
    """Know the exact sum. Once bytes are counted against one it stays: a share of it never goes back."""
    sizes = [blob.size for blob in manifest.blobs]
    if len(sizes) > MOST_LAYERS or not all(0 <= size <= MOST_BYTES for size in sizes):
        return transfer
    if transfer.total_exact and transfer.done:
        return replace(transfer, manifest=manifest)
    total = max(manifest.total, transfer.total or 0, transfer.done)
    return replace(transfer, manifest=manifest, total=total, total_exact=True)


def _interrupted(transfer: Transfer) -> Step:
    if transfer.state not in ACTIVE and transfer.state is not State.RETRYING:
        return transfer, ()
    if transfer.wanted is Wanted.CANCEL:
        return _cancelled(transfer, ""), (Effect.CLOSE,)
    state = State.PAUSED if transfer.wanted is Wanted.PAUSE else State.WAITING
    return replace(_stopped(transfer, state), detail="interrupted"), (Effect.CLOSE,)


def _status(transfer: Transfer, text: str) -> Transfer:
    lowered = text.casefold()
    if lowered.startswith(("verifying", "writing manifest", "removing")):
        done = transfer.total if transfer.total is not None else transfer.done
        return replace(transfer, state=State.VERIFYING, done=done, detail="", grown_at=transfer.at)
    return transfer


def _layer(transfer: Transfer, event: Layer) -> Transfer:
    if not 0 < event.total <= MOST_BYTES:
        return transfer
    layers, before = _placed(transfer, event)
    seen = sum(layer.completed for layer in layers) + before
    total = transfer.total or 0
    if not transfer.total_exact:
        total = max(total, sum(layer.total for layer in layers))
    done = max(transfer.done, min(seen, total))
    moved = replace(
        transfer,
        state=State.PULLING if transfer.state is State.STARTING else transfer.state,
        layers=layers,
        total=total,
        done=done,
        seen=min(seen, total),
        attempts=0 if transfer.sample_at is not None and seen > transfer.seen else transfer.attempts,
    )
    return _measured(moved, seen)


def _placed(transfer: Transfer, event: Layer) -> tuple[tuple[LayerState, ...], int]:
    """Put a layer event in its place; also the bytes of earlier layers that had no event at all.

    The server works through the manifest in order and sends no last event at 100 %, and none for a
    layer that it finds complete: a later layer's event is what says that the earlier ones are there.
    """
    completed = min(max(event.completed, 0), event.total)
    new = LayerState(event.digest, event.total, completed)
    known = [layer.digest for layer in transfer.layers]
    if event.digest in known:
        place = known.index(event.digest)
    elif len(known) >= MOST_LAYERS:
        return transfer.layers, 0
    else:
        place = len(known)
    finished = tuple(replace(layer, completed=layer.total) for layer in transfer.layers[:place])
    layers = (*finished, new, *transfer.layers[place + 1 :])
    silent = 0
    if transfer.manifest is not None:
        seen = {layer.digest for layer in layers}
        for digest, size in {blob.digest: blob.size for blob in transfer.manifest.blobs}.items():
            if digest == layers[-1].digest:
                break
            silent += size if digest not in seen else 0
        else:
            silent = 0
    return layers, silent


def _measured(transfer: Transfer, seen: int) -> Transfer:
    """Follow speed: an average over about six seconds of what came since the last step.

    The first event of a try is only the mark to measure from: it tells what was there before.
    """
    now = transfer.at
    if transfer.sample_at is None:
        return replace(transfer, sample_at=now, sample_bytes=seen, grown_at=now)
    grew = seen > transfer.sample_bytes
    elapsed = now - transfer.sample_at
    if elapsed < _SPEED_STEP_MS:
        return replace(transfer, grown_at=now) if grew else transfer
    rate = max(0, seen - transfer.sample_bytes) / elapsed * 1000
    weight = 1 - exp(-elapsed / _SPEED_MEMORY_MS)
    speed = rate if transfer.speed is None else transfer.speed + weight * (rate - transfer.speed)
    return replace(
        transfer,
        speed=speed,
        sample_at=now,
        sample_bytes=seen,
        grown_at=now if grew else transfer.grown_at,
    )


def _failed(transfer: Transfer, found: Verdict, text: str, jitter: float, limits: Limits) -> Step:
    """Follow a cause's policy; the stream is over in any case."""
    attempts = transfer.attempts + 1
    digest_failures = transfer.digest_failures + (found.cause is Cause.DIGEST)
    damages = transfer.damages + (found.cause is Cause.DAMAGED)
    ended = replace(
        transfer,
        cause=found.cause,
        detail=text,
        attempts=attempts,
        digest_failures=digest_failures,
        damages=damages,
        speed=None,
        sample_at=None,
        grown_at=None,
    )
    exhausted = (found.policy is Policy.RETRY_TWICE and digest_failures > 2) or (
        found.policy is Policy.RETRY_ONCE and damages > 1
    )
    if transfer.wanted is Wanted.CANCEL:
        return _cancelled(ended, text), (Effect.CLOSE,)
    if found.policy is Policy.FAIL or exhausted:
        return replace(ended, state=State.FAILED, ended=transfer.at), (Effect.CLOSE,)
    if found.policy is Policy.BLOCK:
        return replace(ended, state=State.BLOCKED), (Effect.CLOSE,)
    if transfer.wanted is Wanted.PAUSE:
        return replace(ended, state=State.PAUSED, cause=Cause.BY_YOU), (Effect.CLOSE,)
    delay = retry_delay_ms(attempts, jitter, limits)
    if found.policy is Policy.RETRY_SOON:
        delay = max(_SOON_MS, delay if attempts > 3 else 0)
    waiting = replace(ended, state=State.RETRYING, retry_at=transfer.at + delay)
    return waiting, (Effect.CLOSE, Effect.WAIT)


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
    return replace(transfer, state=state, speed=None, retry_at=None, grown_at=None, sample_at=None)


def _cancelled(transfer: Transfer, text: str) -> Transfer:
    stopped = _stopped(transfer, State.CANCELLED)
    return replace(stopped, cause=Cause.BY_YOU, detail=text, ended=transfer.at)
