"""The reducer of transfers: each rule by an example, then any sequence of events, also of garbage."""

import random
import time
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modeltui.domain.causes import POLICIES, Cause, Policy
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
from modeltui.domain.names import parse
from modeltui.domain.progress import MOST_BYTES, MOST_LAYERS
from modeltui.domain.reducer import Effect, reduce, retry_delay_ms
from modeltui.domain.transfers import (
    ACTIVE,
    CONNECTED,
    FINAL,
    Blob,
    CheckResult,
    FirstLook,
    LayerState,
    Limits,
    Manifest,
    State,
    Transfer,
    Wanted,
)

MB, GB = 10**6, 10**9
NEW = Transfer(parse("m"))
HUGGING = Transfer(parse("hf.co/u/r:Q4_K_M"))
REALM = 'pull model manifest: realm host "huggingface.co" does not match original host "hf.co"'
WEIGHTS, TEMPLATE, CONFIG = (Blob("sha256:w", 8 * GB), Blob("sha256:t", 100), Blob("sha256:c", 400))
MANIFEST = Manifest("d" * 64, (WEIGHTS, TEMPLATE, CONFIG))
LIMITS = Limits()


def play(*events: Event, start: Transfer = NEW, limits: Limits = LIMITS) -> Transfer:
    """What a transfer is after these events."""
    for event in events:
        start, _ = reduce(start, event, limits)
    return start


def weights(at: int, completed: int) -> Layer:
    return Layer(at, "sha256:w", 8 * GB, completed)


def effects(transfer: Transfer, event: Event) -> tuple[Effect, ...]:
    return reduce(transfer, event)[1]


STARTING = play(Started(0))
PULLING = play(Started(0), Announced(0, MANIFEST), weights(100, 0), weights(1_000, 2 * GB))
VERIFYING = play(Status(2_000, "verifying sha256 digest"), start=PULLING)
CHECKING = play(Success(3_000), start=VERIFYING)
INSTALLED = play(Checked(4_000, CheckResult.INSTALLED), start=CHECKING)
RETRYING = play(Closed(2_000, "the connection broke"), start=PULLING)
PAUSED = play(Asked(2_000, Wanted.PAUSE), start=PULLING)
BLOCKED = play(Held(0, Cause.NO_SECRET, "TOKEN is not set"))
FAILED = play(ServerError(2_000, "pull model manifest: file does not exist"), start=STARTING)
CANCELLED = play(Asked(1, Wanted.CANCEL))
ALL = [
    *(NEW, STARTING, PULLING, VERIFYING, CHECKING, INSTALLED),
    *(RETRYING, PAUSED, BLOCKED, FAILED, CANCELLED),
]


def test_the_way_of_a_pull() -> None:
    assert sorted(each.state for each in ALL) == sorted(State)
    assert effects(NEW, Started(0)) == (Effect.CONNECT,)
    assert effects(VERIFYING, Success(3_000)) == (Effect.CHECK,)
    assert (PULLING.percent, VERIFYING.percent, CHECKING.percent, INSTALLED.percent) == (24, 99, 99, 100)
    assert (INSTALLED.started, INSTALLED.ended, INSTALLED.cause) == (0, 4_000, None)
    assert INSTALLED.done == INSTALLED.total == 8 * GB + 500


def test_starting_is_for_what_waits_and_is_wanted() -> None:
    for transfer in ALL:
        started = effects(transfer, Started(9_000)) == (Effect.CONNECT,)
        assert started == (transfer.state in (State.WAITING, State.RETRYING))
    held_back = replace(NEW, wanted=Wanted.PAUSE)
    assert reduce(held_back, Started(0)) == (held_back, ())


# --- sizes ---


def test_without_a_manifest_there_is_no_percentage() -> None:
    transfer = play(Started(0), Layer(1, "sha256:t", 12, 12), Layer(2, "sha256:c", 400, 100))
    assert (transfer.done, transfer.total, transfer.total_exact, transfer.percent) == (112, 412, False, None)


def test_layers_without_an_event_count_when_a_later_one_moves() -> None:
    silent = play(Started(0), Announced(0, MANIFEST), Layer(1, "sha256:t", 100, 12))
    assert (silent.done, silent.percent) == (8 * GB + 12, 99)
    other = play(Started(0), Announced(0, MANIFEST), Layer(1, "sha256:model", 9 * GB, 3 * GB))
    assert (other.done, other.total) == (3 * GB, 8 * GB + 500)
    transfer = play(Started(0), Layer(1, "sha256:w", 1_000, 990), Layer(2, "sha256:t", 100, 10))
    assert [layer.completed for layer in transfer.layers] == [1_000, 10]
    twice = Manifest("d" * 64, (TEMPLATE, TEMPLATE, WEIGHTS))
    assert twice.total == 8 * GB + 100
    assert play(Started(0), Announced(0, twice), weights(1, 1_000)).done == 1_100


def test_done_is_a_high_water_mark() -> None:
    """A part that fails takes its bytes back, down to nothing after a stall."""
    transfer = play(weights(2_000, 0), start=PULLING)
    assert (transfer.done, transfer.percent, transfer.layers[0].completed) == (2 * GB, 24, 0)
    assert play(weights(3_000, 3 * GB), start=transfer).done == 3 * GB


def test_the_manifest_may_come_late_and_only_enlarges() -> None:
    late = play(Started(0), weights(1, 2 * GB), Announced(2, MANIFEST))
    assert (late.total, late.total_exact, late.percent) == (8 * GB + 500, True, 24)
    small = play(Started(0), weights(1, 2 * GB), Announced(2, Manifest("e" * 64, (TEMPLATE,))))
    assert small.total == 8 * GB


def test_a_manifest_that_changed_does_not_take_the_percentage_back() -> None:
    larger = Manifest("e" * 64, (Blob("sha256:w2", 80 * GB),))
    again = play(Closed(2_000), Started(3_000), Announced(3_000, larger), start=PULLING)
    changed = play(Layer(3_001, "sha256:w2", 80 * GB, GB), start=again)
    assert changed.percent == PULLING.percent
    assert changed.manifest == larger
    assert play(Announced(0, MANIFEST), Announced(1, larger)).total == 80 * GB


@pytest.mark.parametrize("total", [0, -1, -(2**70), MOST_BYTES + 1, 2**70])
def test_a_size_that_makes_no_sense_changes_nothing(total: int) -> None:
    assert play(Layer(1_000, "sha256:x", total, 5), start=PULLING) == PULLING
    if total:
        assert play(Announced(1_000, Manifest("d", (Blob("x", total),))), start=PULLING) == PULLING
    assert play(weights(1_001, 2**70), start=PULLING).done == 8 * GB
    assert play(weights(1_001, -5), start=PULLING).done == 2 * GB


def test_what_was_there_before_and_what_the_streams_brought() -> None:
    """The first event of a layer tells what was there; a layer that is whole has one event only."""
    whole = play(Started(0), Announced(0, MANIFEST), Layer(100, "sha256:w", 8 * GB, 8 * GB))
    assert (whole.present, whole.moved) == (8 * GB, 0)
    resumed = play(Started(0), weights(1_000, 3 * GB), weights(2_000, 4 * GB))
    assert (resumed.present, resumed.moved) == (3 * GB, GB)
    later = play(Layer(3_000, "sha256:p", GB, GB), Layer(4_000, "sha256:t", 100, 12), start=resumed)
    assert (later.present, later.moved) == (4 * GB, 5 * GB)  # the weights went on to their end
    done = play(Status(5_000, "verifying sha256 digest"), start=later)
    assert (done.present, done.moved) == (4 * GB, 5 * GB + 100)
    assert (NEW.present, STARTING.present, PULLING.present) == (None, None, 0)


def test_what_came_before_the_first_look_was_not_there() -> None:
    """A fast line brings megabytes in the 60 ms until then; the first of a stream more than the next ones."""
    fast = ticks(26 * MB, 10 * MB)
    assert [(each.present, each.moved) for each in fast[:4]] == [(0, n * 10 * MB) for n in range(4)]
    assert (fast[4].present, fast[4].moved) == (0, 66 * MB)


def test_a_small_part_that_was_there_is_told_by_the_speed_of_the_line() -> None:
    """What the first event names is more than such a line brings until then."""
    slow = ticks(20 * MB, MB)
    assert [each.present for each in slow[:5]] == [0, 0, 0, 0, 19 * MB]
    assert (slow[4].moved, slow[4].first_look) == (5 * MB, None)
    assert ticks(5 * MB, MB)[4].present == 4 * MB
    assert ticks(5 * MB - 1, MB)[4].present == 0


def test_while_nothing_comes_nothing_is_told_of_what_was_there() -> None:
    still = ticks(20 * MB, 0)[-1]
    assert (still.present, still.moved, still.first_look) == (0, 0, FirstLook(20 * MB, 9))
    moving = play(weights(2_000, 21 * MB), start=still)
    assert (moving.present, moving.moved) == (19 * MB, 2 * MB)
    for end in (Closed(2_000), Status(2_000, "verifying sha256 digest"), Asked(2_000, Wanted.PAUSE)):
        over = play(end, start=still)
        assert (over.first_look, over.present) == (None, 0)
        assert over.moved >= 20 * MB
    other = play(Layer(2_000, "sha256:t", 100, 100), start=still)
    assert (other.first_look, other.present) == (FirstLook(100), 0)
    assert play(Closed(2_000), Started(3_000), weights(3_060, 25 * MB), start=still).present == 0


def test_a_small_blob_is_there_when_the_server_goes_on_at_once_and_came_when_it_tells_of_it_again() -> None:
    """Ollama 0.24: one event of a blob that it has, one each 60 ms for a second of one that it fetches."""
    config = Blob("sha256:c", GB // 10)
    manifest = Manifest("d" * 64, (WEIGHTS, config, TEMPLATE))
    first = play(Started(0), Announced(0, manifest), weights(60, 8 * GB))
    blob = Layer(200, config.digest, config.size, config.size)
    for end in (Layer(262, TEMPLATE.digest, 100, 12), Status(262, "verifying sha256 digest"), Closed(262)):
        assert play(blob, end, start=first).present == 8 * GB + config.size
        fetched = play(blob, replace(blob, at=260), end, start=first)
        assert fetched.present == 8 * GB


def test_what_was_there_stays_so_when_the_counter_goes_back() -> None:
    there = play(Started(0), Announced(0, MANIFEST), Layer(100, "sha256:w", 8 * GB, 8 * GB), weights(200, 0))
    assert (there.present, there.seen) == (8 * GB, 0)


def ticks(first: int, step: int, events: int = 10) -> list[Transfer]:
    """A fresh stream: what its first event of the weights says, then so much more with each."""
    transfer, found = play(Started(0), Announced(0, MANIFEST)), []
    for number in range(events):
        transfer = play(weights(60 * (number + 1), first + number * step), start=transfer)
        found.append(transfer)
    return found


@given(st.integers(0, 40 * MB), st.integers(0, 20 * MB))
def test_every_byte_is_one_that_was_there_or_one_that_came(first: int, step: int) -> None:
    for transfer in ticks(first, step):
        unsure = transfer.first_look.found if transfer.first_look is not None else 0
        assert (transfer.present or 0) + transfer.moved + unsure == transfer.seen
    assert (transfer.present or 0) <= max(0, first - step)
    assert not step or transfer.first_look is None


def test_bytes_that_come_again_are_moved_again_and_those_of_others_are_not() -> None:
    back = play(weights(2_000, GB), weights(3_000, 3 * GB), start=PULLING)
    assert (back.moved, back.done) == (4 * GB, 3 * GB)
    cut = play(Closed(4_000), Started(5_000), weights(5_060, 3 * GB + 5 * MB), start=back)
    assert cut.moved == 4 * GB + 5 * MB  # what came unseen between the last event and this one
    paused = play(Asked(6_000, Wanted.PAUSE), Asked(9_000, Wanted.RUN), Started(9_000), start=cut)
    other = play(weights(9_060, 7 * GB), weights(9_120, 7 * GB + 1), start=paused)
    assert (other.moved, other.present) == (4 * GB + 5 * MB + 1, 0)


def test_how_long_its_streams_were_open() -> None:
    """Neither a pause, nor the time between two tries, nor the time without a runner counts."""
    assert (PULLING.active_ms, VERIFYING.active_ms, INSTALLED.active_ms) == (1_000, 2_000, 3_000)
    retried = play(Closed(2_000), Started(9_000), weights(9_500, 2 * GB), start=PULLING)
    assert retried.active_ms == 2_500
    dead = play(Interrupted(9_000_000), start=retried)
    assert dead.active_ms == 2_500
    assert INSTALLED.average_speed == pytest.approx(INSTALLED.moved / 3)
    assert NEW.average_speed is None
    assert play(Tick(91_000), start=PULLING).active_ms == 91_000


def test_the_small_last_layers_are_the_finish() -> None:
    """Older servers take a second for each: neither the speed nor the time to go follows that."""
    steady = _steady(1_000 * MB, 8, play(Started(0), Announced(0, MANIFEST)))
    assert not steady.is_finishing
    slow = play(*(Layer(at, "sha256:t", 100, 12) for at in range(8_060, 9_000, 60)), start=steady)
    assert (slow.is_finishing, slow.speed, slow.ends_at) == (True, steady.speed, steady.ends_at)
    assert slow.remaining_ms(9_000) == 0
    assert not play(Status(9_100, "verifying sha256 digest"), start=slow).is_finishing
    guessed = play(Started(0), weights(1, GB), Layer(2, "sha256:t", 100, 12))  # without a manifest
    assert guessed.is_finishing
    two_halves = play(Started(0), weights(1, GB), Layer(2, "sha256:p", 4 * GB, 5))
    assert not two_halves.is_finishing
    assert play(Tick(98_500), start=slow).state is State.RETRYING  # it may stall as well


def test_layers_that_come_side_by_side() -> None:
    """Some servers show all layers at once, each event without a status: none says that another is there."""
    at_once = [("sha256:w", 8 * GB), ("sha256:t", 100), ("sha256:c", 400)]
    transfer = play(Started(0), Announced(0, MANIFEST))
    for step in range(1, 5):
        for digest, total in at_once:
            event = Layer(step * 100, digest, total, total * step // 8, in_order=False)
            transfer = play(event, start=transfer)
    assert (transfer.done, transfer.percent) == (4 * GB + 250, 50)
    assert not transfer.is_finishing


# --- speed and stalls ---


def _steady(rate: int, seconds: int, start: Transfer = NEW, at: int = 0, done: int = 0) -> Transfer:
    """Events every 60 ms for some seconds at `rate` bytes a second."""
    for at_ms in range(at, at + seconds * 1000, 60):
        start = play(weights(at_ms, done + rate * (at_ms - at) // 1000), start=start)
    return start


def test_speed_and_time_to_go() -> None:
    begun = play(Started(0), Announced(0, MANIFEST))
    assert (begun.speed, begun.remaining_ms(begun.at)) == (None, None)
    steady = _steady(100_000_000, 30, begun)
    assert steady.speed == pytest.approx(100_000_000, rel=0.01)
    assert steady.remaining_ms(steady.at) == pytest.approx((8 * GB - 3 * GB) / 100_000, rel=0.02)
    faster = _steady(150_000_000, 30, steady, 30_000, 3 * GB)
    assert faster.speed == pytest.approx(150_000_000, rel=0.01)


def test_the_time_to_go_counts_down_and_does_not_jump() -> None:
    """On a line that brings 50 to 150 MB/s from one moment to the next."""
    line = random.Random(5)
    transfer, done, ends = play(Started(0), Announced(0, MANIFEST)), 0, []
    for at in range(0, 60_000, 60):
        done += line.randint(50, 150) * 60_000
        transfer = play(weights(at, done), start=transfer)
        ends.append(transfer.ends_at)
        if at > 10_000 and ends[-1] != ends[-2]:
            shown, now = (each - at for each in (ends[-2] or 0, ends[-1] or 0))
            assert abs(now - shown) > max(2_000, 0.1 * shown)
    settled = ends[200:]
    assert len(set(settled)) <= 3
    assert settled[-1] == pytest.approx(80_000, rel=0.12)
    assert transfer.remaining_ms(transfer.at) == (settled[-1] or 0) - transfer.at
    half = play(*(weights(60_000 + at, done + at * 50_000) for at in range(0, 30_000, 60)), start=transfer)
    left = (8 * GB - half.done) / 50_000
    assert half.remaining_ms(half.at) == pytest.approx(left, rel=0.12)


def test_neither_what_was_there_before_nor_a_counter_going_back_is_speed() -> None:
    resumed = play(Started(0), weights(1_000, 5 * GB), weights(2_000, 5 * GB + 1_000))
    assert resumed.speed == pytest.approx(1_000)
    assert (play(weights(3_000, 0), start=resumed).speed or -1) > 0


def test_a_speed_near_nothing_gives_no_time_to_go() -> None:
    slow = _steady(1_000_000, 5, play(Started(0), Announced(0, MANIFEST)))
    for at in range(5_000, 5_000 + 6_000_000, 400):
        slow = play(weights(at, 5_000_000), start=slow, limits=Limits(stall_ms=0))
    assert slow.speed is not None
    assert slow.speed < 1
    assert slow.remaining_ms(slow.at) is None


def test_a_stall_is_a_failure_of_the_network() -> None:
    assert PULLING.quiet_ms(91_000) == 90_000
    repeated = play(weights(50_000, 2 * GB), start=PULLING)  # an event without a new byte is silence too
    assert play(Tick(90_999), start=repeated).state is State.PULLING
    stalled, follow = reduce(repeated, Tick(91_000))
    assert (stalled.state, stalled.cause) == (State.RETRYING, Cause.NETWORK)
    assert stalled.detail == "no byte for 90 s"
    assert follow == (Effect.CLOSE, Effect.WAIT)
    assert play(Tick(90_000), start=STARTING).state is State.RETRYING


def test_no_stall_where_none_is_counted() -> None:
    """Verifying takes minutes for big models; `stall_s = 0` means never."""
    for transfer in (VERIFYING, CHECKING):
        assert play(Tick(900_000), start=transfer).state is transfer.state
    assert play(Tick(900_000), start=PULLING, limits=Limits(stall_ms=0)).state is State.PULLING


def test_time_going_back_counts_as_nothing() -> None:
    back = play(weights(-5_000_000, 3 * GB), start=PULLING)
    assert (back.at, back.done, back.state) == (-5_000_000, 3 * GB, State.PULLING)
    assert (back.active_ms, back.quiet_ms(-5_000_000)) == (PULLING.active_ms, 0)
    assert back.quiet_ms(-6_000_000) == 0


HOUR = 3_600_000


def test_a_clock_that_is_set_back_delays_no_retry() -> None:
    """A machine that booted with its clock an hour ahead."""
    ahead = play(Started(HOUR), Closed(HOUR, "the connection broke"))
    assert ahead.retry_at == HOUR + 1_000
    back, follow = reduce(ahead, Tick(0))
    assert (back, follow) == (replace(ahead, at=0, retry_at=1_000), ())
    assert play(Tick(500), start=back) == back
    assert play(Started(1_000), start=back).state is State.STARTING


def test_a_clock_that_is_set_back_neither_blinds_the_watchdog_nor_stops_the_speed() -> None:
    begun = play(Started(HOUR), Announced(HOUR, MANIFEST))
    ahead = play(*(weights(HOUR + at, at * 100_000) for at in range(0, 10_000, 60)), start=begun)
    back = play(Tick(0), start=ahead)
    assert (back.at, back.grown_at, back.done, back.speed) == (0, 0, ahead.done, ahead.speed)
    assert back.remaining_ms(0) == ahead.remaining_ms(ahead.at)
    assert play(Tick(89_999), start=back) == back
    assert play(Tick(90_000), start=back).state is State.RETRYING
    silent = play(weights(HOUR + 60_000, ahead.done), start=ahead)
    assert play(Tick(0), start=silent).quiet_ms(0) == silent.quiet_ms(silent.at)  # as long as it was
    on = play(*(weights(at, ahead.done + at * 50_000) for at in range(60, 30_000, 60)), start=back)
    assert on.speed == pytest.approx(50_000_000, rel=0.02)
    assert on.active_ms == ahead.active_ms + 29_940


# --- giving up ---


def test_delays_double_to_a_minute_with_full_jitter_then_five_minutes() -> None:
    delays = [retry_delay_ms(n, 1.0, LIMITS) // 1000 for n in range(1, 12)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60, 300, 300]
    assert [retry_delay_ms(4, jitter, LIMITS) for jitter in (0.0, 0.5, -1.0, 7.0)] == [0, 4_000, 0, 8_000]
    assert retry_delay_ms(1, 0.0, Limits(retries=1)) == 300_000


def _fail(transfer: Transfer, event: Event) -> Transfer:
    """One try that gets nowhere, at once."""
    at = transfer.retry_at or transfer.at
    return play(Started(at), replace(event, at=at), start=transfer)


def test_ten_tries_then_every_five_minutes_and_never_failed() -> None:
    transfer = NEW
    for _ in range(40):
        transfer = _fail(transfer, Closed(0, "connection refused"))
    assert (transfer.state, transfer.cause) == (State.RETRYING, Cause.NETWORK)
    assert (transfer.attempts, transfer.tries) == (40, 40)
    assert transfer.retry_at == transfer.at + 300_000
    # One full minute at the most lies between the tries before.
    assert transfer.at == (1 + 2 + 4 + 8 + 16 + 32 + 60 * 3) * 1000 + 30 * 300_000


def test_the_count_starts_anew_with_every_new_byte() -> None:
    transfer = NEW
    for _ in range(7):
        transfer = _fail(transfer, Closed(0))
    again = play(Started(transfer.retry_at or 0), start=transfer)
    first = play(weights(again.at, 1_000), start=again)  # tells what was there before
    assert first.attempts == 7
    grown = play(weights(again.at + 60, 1_001), start=first)
    assert grown.attempts == 0
    assert play(Closed(grown.at), start=grown).retry_at == grown.at + 1_000


def test_tries_that_each_bring_a_little_are_no_tries_without_a_byte() -> None:
    """A line that is cut every 60 ms: a try has one event only, and each tells more than the one before."""
    transfer = NEW
    for number in range(1, 26):
        begun = play(Started(transfer.retry_at or 0), start=transfer)
        begun = play(weights(begun.at + 60, number * 20 * MB), start=begun)
        transfer = play(Closed(begun.at + 70, "the connection broke", 0.0), start=begun)
        assert (transfer.state, transfer.attempts) == (State.RETRYING, 1)
    assert transfer.moved == 25 * 20 * MB
    for number in range(2, 12):  # the same number again and again is nothing new
        begun = play(Started(transfer.retry_at or 0), start=transfer)
        transfer = play(weights(begun.at + 60, 500 * MB), Closed(begun.at + 70, "", 0.0), start=begun)
        assert transfer.attempts == number


def test_what_was_lost_and_comes_again_is_new_too() -> None:
    """A restarted server had thrown the parts away: `done` stays, and every byte is one again."""
    fallen = play(weights(1_500, 0), Closed(2_000), Started(3_000), weights(3_001, 0), start=PULLING)
    assert (fallen.done, fallen.seen, fallen.attempts) == (2 * GB, 0, 1)
    assert play(weights(3_100, 0), start=fallen).attempts == 1
    again = play(weights(3_100, GB), start=fallen)
    assert (again.done, again.seen, again.attempts) == (2 * GB, GB, 0)


def test_an_unknown_failure_of_the_server_is_retried() -> None:
    transfer = play(ServerError(2_000, "nobody has seen this", jitter=0.25), start=PULLING)
    assert (transfer.state, transfer.cause, transfer.retry_at) == (State.RETRYING, Cause.SERVER_FAILED, 2_250)
    assert (transfer.done, transfer.detail) == (PULLING.done, "nobody has seen this")


PERMANENT = [
    *("pull model manifest: file does not exist", "requires a newer version of Ollama", "access denied"),
    *("tls: first record does not look like a TLS handshake", "pull model manifest: 400: sharded GGUF"),
    *("this model requires MLX support", "invalid model name"),
]


@pytest.mark.parametrize("words", PERMANENT)
def test_permanent_causes_fail_at_once(words: str) -> None:
    failed, follow = reduce(PULLING, ServerError(2_000, words))
    assert (failed.state, failed.ended, failed.detail) == (State.FAILED, 2_000, words)
    assert follow == (Effect.CLOSE,)


def test_a_context_canceled_is_retried_after_a_second() -> None:
    """A pull that joins the dying transfer of the one just closed: no failure to show, and no jitter."""
    transfer = play(ServerError(1, "context canceled", jitter=0.0), start=STARTING)
    assert (transfer.state, transfer.cause) == (State.RETRYING, Cause.CANCELED_BY_SERVER)
    assert transfer.retry_at == 1_001
    for _ in range(9):
        transfer = _fail(transfer, ServerError(0, "context canceled"))
    assert transfer.retry_at == transfer.at + 300_000


def test_a_wrong_digest_is_tried_again_twice() -> None:
    transfer, states = NEW, []
    for _ in range(3):
        transfer = _fail(transfer, ServerError(0, "digest mismatch, file must be downloaded again"))
        states.append(transfer.state)
    assert states == [State.RETRYING, State.RETRYING, State.FAILED]
    assert transfer.cause is Cause.DIGEST
    again = play(Asked(transfer.at, Wanted.RUN), start=transfer)
    assert (again.state, again.digest_failures, again.attempts) == (State.WAITING, 0, 0)


def test_hugging_face_is_asked_by_its_other_name_once() -> None:
    """The row keeps the name that was asked for, and knows under which one the model will lie there."""
    again = play(Started(0), ServerError(10, REALM, jitter=0.0), start=HUGGING)
    assert (again.state, again.cause, again.retry_at) == (State.RETRYING, Cause.REALM, 1_010)
    assert (again.name.short, again.sent.short) == ("hf.co/u/r:Q4_K_M", "huggingface.co/u/r:Q4_K_M")
    assert again.detail == f"trying it as huggingface.co/u/r:Q4_K_M: {REALM}"
    cut = play(Started(1_010), Closed(2_000), Started(3_000), start=again)
    assert cut.sent.host == "huggingface.co"  # and it stays so, whatever mends the line
    paused = play(Asked(3_000, Wanted.PAUSE), Asked(3_000, Wanted.RUN), start=cut)
    assert paused.sent.host == "huggingface.co"
    failed = play(ServerError(3_100, REALM), start=cut)
    assert (failed.state, failed.cause, failed.detail) == (State.FAILED, Cause.REALM, REALM)
    assert play(Asked(4_000, Wanted.RUN), start=failed).sent.short == "hf.co/u/r:Q4_K_M"


@pytest.mark.parametrize("name", ["m", "huggingface.co/u/r", "registry.lan:5000/a/b"])
def test_other_registries_have_no_other_name(name: str) -> None:
    failed = play(Started(0), ServerError(10, REALM), start=Transfer(parse(name)))
    assert (failed.state, failed.cause, failed.sent) == (State.FAILED, Cause.REALM, parse(name))


@pytest.mark.parametrize("result", [CheckResult.DAMAGED, CheckResult.MISSING])
def test_a_damaged_model_is_pulled_again_once(result: CheckResult) -> None:
    again = play(Checked(4_000, result, "show says 404", 0.5), start=CHECKING)
    assert (again.state, again.cause, again.retry_at) == (State.RETRYING, Cause.DAMAGED, 4_500)
    failed = play(Started(4_500), Success(4_600), Checked(4_700, result, "still"), start=again)
    assert (failed.state, failed.cause, failed.detail) == (State.FAILED, Cause.DAMAGED, "still")
    unknown = play(Checked(4_000, CheckResult.UNKNOWN, "no answer"), start=CHECKING)
    assert (unknown.state, unknown.cause, unknown.damages) == (State.RETRYING, Cause.NETWORK, 0)


def test_a_full_disk_blocks() -> None:
    blocked, follow = reduce(PULLING, ServerError(2_000, "no space left on device"))
    assert (blocked.state, blocked.cause, follow) == (State.BLOCKED, Cause.DISK, (Effect.CLOSE,))
    assert effects(blocked, Started(3_000)) == ()
    resumed = play(Asked(3_000, Wanted.RUN), start=blocked)
    assert (resumed.state, resumed.cause, resumed.detail) == (State.WAITING, None, "")


# --- what people want ---


def test_pause_and_resume() -> None:
    paused, follow = reduce(PULLING, Asked(2_000, Wanted.PAUSE))
    assert (paused.state, paused.cause, follow) == (State.PAUSED, Cause.BY_YOU, (Effect.CLOSE,))
    assert (paused.done, paused.speed) == (2 * GB, None)
    assert play(weights(2_001, 3 * GB), Success(2_002), Closed(2_003), start=paused).state is State.PAUSED
    resumed = play(Asked(3_000, Wanted.RUN), Started(3_000), start=paused)
    assert (resumed.state, resumed.done, resumed.total) == (State.STARTING, 2 * GB, 8 * GB + 500)


def test_a_pause_during_the_check_lets_it_end() -> None:
    paused = play(Asked(3_500, Wanted.PAUSE), start=CHECKING)
    assert (paused.state, paused.wanted) == (State.CHECKING, Wanted.PAUSE)
    assert play(Checked(4_000, CheckResult.INSTALLED), start=paused).state is State.INSTALLED
    assert play(Checked(4_000, CheckResult.UNKNOWN), start=paused).state is State.PAUSED


def test_a_cancel_looks_at_the_server_first_and_says_the_truth() -> None:
    for transfer in (STARTING, PULLING, VERIFYING):
        looking, follow = reduce(transfer, Asked(2_500, Wanted.CANCEL))
        assert (looking.state, follow) == (State.CHECKING, (Effect.CLOSE, Effect.CHECK))
        gone = play(Checked(2_600, CheckResult.MISSING), start=looking)
        assert (gone.state, gone.cause, gone.ended) == (State.CANCELLED, Cause.BY_YOU, 2_600)
        there = play(Checked(2_600, CheckResult.INSTALLED), start=looking)
        assert (there.state, there.percent) == (State.INSTALLED, 100)
        assert "before the cancel" in there.detail
        unknown = play(Checked(2_600, CheckResult.UNKNOWN, "could not look"), start=looking)
        assert (unknown.state, unknown.detail) == (State.CANCELLED, "could not look")
    for transfer in (NEW, RETRYING, PAUSED, BLOCKED):
        assert play(Asked(2_500, Wanted.CANCEL), start=transfer).state is State.CANCELLED


def test_a_cancel_taken_back_is_no_damage() -> None:
    """However often: the look at the server after a cancel is expected to find nothing."""
    transfer = NEW
    for at in range(1, 4):
        transfer = play(Started(at), Asked(at, Wanted.CANCEL), Asked(at, Wanted.RUN), start=transfer)
        transfer = play(Checked(at, CheckResult.MISSING), start=transfer)
        assert (transfer.state, transfer.damages) == (State.WAITING, 0)
    paused = play(Started(9), Asked(9, Wanted.CANCEL), Asked(9, Wanted.PAUSE), start=transfer)
    assert (paused.state, paused.cause) == (State.PAUSED, Cause.BY_YOU)


def test_final_states_are_final_but_for_a_wish_to_try_again() -> None:
    for transfer in (INSTALLED, FAILED, CANCELLED):
        later = play(
            *(Started(9_000), weights(9_000, 1), Success(9_000), Closed(9_000), Tick(9_000)),
            *(
                Interrupted(9_000),
                Asked(9_000, Wanted.CANCEL),
                Asked(9_000, Wanted.PAUSE),
                Held(9_000, Cause.DISK, ""),
            ),
            start=transfer,
        )
        assert later == replace(transfer, at=9_000)
    assert play(Asked(9_000, Wanted.RUN), start=INSTALLED).state is State.INSTALLED
    again = play(Asked(9_000, Wanted.RUN), start=FAILED)
    assert (again.state, again.cause, again.ended, again.retry_at) == (State.WAITING, None, None, None)


def test_what_stands_still_by_wish_is_not_blocked_over_it() -> None:
    assert play(Held(3_000, Cause.DELETE_IN_PROGRESS, ""), start=PAUSED).state is State.PAUSED
    cancelling = play(Asked(2_000, Wanted.CANCEL), start=PULLING)
    assert play(Held(3_000, Cause.NO_SERVER, ""), start=cancelling).state is State.CHECKING
    pausing = play(Asked(3_500, Wanted.PAUSE), start=CHECKING)
    assert play(Held(3_600, Cause.NO_SERVER, ""), start=pausing).state is State.CHECKING
    held, follow = reduce(PULLING, Held(3_000, Cause.DELETE_IN_PROGRESS, "after the delete of x"))
    assert (held.state, held.detail, follow) == (State.BLOCKED, "after the delete of x", (Effect.CLOSE,))


def test_a_defect_of_the_look_ends_what_a_person_wants_ended() -> None:
    """Nothing else would: the look that ends it is what failed."""
    defect = Held(3_600, Cause.DEFECT, "a defect of modeltui: KeyError: 'x'")
    cancelled, follow = reduce(play(Asked(2_000, Wanted.CANCEL), start=PULLING), defect)
    assert (cancelled.state, cancelled.detail, cancelled.ended) == (State.CANCELLED, defect.text, 3_600)
    assert (cancelled.cause, follow) == (Cause.BY_YOU, (Effect.CLOSE,))
    paused, follow = reduce(play(Asked(3_500, Wanted.PAUSE), start=CHECKING), defect)
    assert (paused.state, paused.detail) == (State.PAUSED, defect.text)
    assert (paused.cause, follow) == (Cause.BY_YOU, (Effect.CLOSE,))
    assert play(defect, start=PAUSED) == replace(PAUSED, at=3_600)


def test_a_runner_that_ends_leaves_the_rest_to_the_next() -> None:
    for transfer in (STARTING, PULLING, VERIFYING, CHECKING, RETRYING):
        assert play(Interrupted(5_000), start=transfer).state is State.WAITING
    for transfer in (NEW, PAUSED, BLOCKED):
        assert play(Interrupted(5_000), start=transfer) == replace(transfer, at=5_000)
    cancelling = play(Asked(2_000, Wanted.CANCEL), start=PULLING)
    assert play(Interrupted(5_000), start=cancelling).state is State.CANCELLED
    pausing = play(Asked(3_500, Wanted.PAUSE), start=CHECKING)
    assert play(Interrupted(5_000), start=pausing).state is State.PAUSED


# --- anything ---

LEGAL = {
    State.WAITING: {State.STARTING, State.PAUSED, State.BLOCKED, State.CANCELLED},
    State.STARTING: {State.PULLING, State.VERIFYING},
    State.PULLING: {State.VERIFYING},
    State.VERIFYING: set(),
    State.CHECKING: {
        *(State.INSTALLED, State.FAILED, State.CANCELLED, State.RETRYING),
        *(State.PAUSED, State.BLOCKED, State.WAITING),
    },
    State.RETRYING: {State.STARTING, State.WAITING, State.PAUSED, State.BLOCKED, State.CANCELLED},
    State.PAUSED: {State.WAITING, State.CANCELLED},
    State.BLOCKED: {State.WAITING, State.PAUSED, State.CANCELLED},
    State.INSTALLED: set(),
    State.FAILED: {State.WAITING},
    State.CANCELLED: {State.WAITING},
}
for _connected in CONNECTED:
    LEGAL[_connected] |= {State.CHECKING, State.RETRYING, State.FAILED}
    LEGAL[_connected] |= {State.WAITING, State.PAUSED, State.BLOCKED}
MAY_FAIL = {Cause.DIGEST, Cause.DAMAGED, Cause.REALM, *(c for c in Cause if POLICIES[c] is Policy.FAIL)}
OBEYING = {
    Wanted.RUN: set(State),
    Wanted.PAUSE: {State.PAUSED, State.CHECKING, *FINAL},
    Wanted.CANCEL: {State.CHECKING, *FINAL},
}

TIMES = st.integers(0, 10**6) | st.integers(-(2**63), 2**63)
SIZES = st.integers(0, 10_000) | st.integers(-(2**70), 2**70) | st.sampled_from([0, 1, 10 * GB, MOST_BYTES])
DIGESTS = st.sampled_from(["sha256:a", "sha256:b", "sha256:c", "sha256:d"]) | st.text(st.characters())
JITTERS = st.floats()
PHRASES = ["pulling manifest", "verifying sha256 digest", "writing manifest", "removing unused layers"]
TROUBLES = ["no space left on device", "digest mismatch", "context canceled", REALM, *PERMANENT]
WORDS = st.sampled_from([*PHRASES, *TROUBLES]) | st.text(st.characters())
BLOBS = st.lists(st.builds(Blob, DIGESTS, SIZES), max_size=6)
MANIFESTS = st.builds(Manifest, st.text(), st.builds(tuple, BLOBS))
LAYERS = st.builds(Layer, TIMES, DIGESTS, SIZES, SIZES, st.booleans())
STARTS = st.builds(Started, TIMES)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    STARTS,
    STARTS,
    LAYERS,
    LAYERS,
    st.builds(Status, TIMES, WORDS),
    st.builds(Success, TIMES),
    st.builds(ServerError, TIMES, WORDS, st.none() | st.integers(), JITTERS),
    st.builds(Closed, TIMES, WORDS, JITTERS, st.sampled_from([Cause.NETWORK, Cause.GARBLED])),
    st.builds(Announced, TIMES, MANIFESTS),
    st.builds(Asked, TIMES, st.sampled_from(Wanted)),
    st.builds(Asked, TIMES, st.just(Wanted.RUN)),
    st.builds(Held, TIMES, st.sampled_from(Cause), WORDS),
    st.builds(Noted, TIMES, WORDS, st.none() | st.sampled_from(Cause)),
    st.builds(Noted, TIMES, WORDS, st.none() | st.sampled_from(Cause)),
    st.builds(Interrupted, TIMES),
    st.builds(Checked, TIMES, st.sampled_from(CheckResult), WORDS, JITTERS),
    st.builds(Tick, TIMES, JITTERS),
)


def _hold(before: Transfer, event: Event, after: Transfer, follow: tuple[Effect, ...]) -> None:
    """What holds for every step."""
    assert (after.total or 0) >= (before.total or 0)
    assert before.done <= after.done <= (after.total or 0)
    assert 0 <= after.seen <= (after.total or 0)
    assert before.percent is None or (after.percent is not None and after.percent >= before.percent)
    assert (after.percent == 100) == (after.state is State.INSTALLED)
    assert after.at in (event.at, before.at)
    if event.at < before.at:
        _hold_set_back(before, event.at, after)
    tries_again = isinstance(event, Asked) and event.wanted is Wanted.RUN
    if before.is_final and not tries_again:
        assert (after, follow) == (replace(before, at=after.at), ())
    assert after.state is before.state or after.state in LEGAL[before.state]
    if isinstance(event, Asked) and not before.is_final:
        assert after.wanted is event.wanted
    elif not isinstance(event, Asked):
        assert after.wanted is before.wanted
    assert after.state in OBEYING[after.wanted]
    _hold_effects(before, after, follow)
    _hold_counts(before, after)
    assert (after.retry_at is not None) == (after.state is State.RETRYING)
    assert (after.ended is not None) == after.is_final
    assert after.state is not State.FAILED or after.cause in MAY_FAIL
    assert after.speed is None or after.speed >= 0
    left = after.remaining_ms(after.at)
    assert left is None or left >= 0
    assert after.quiet_ms(event.at) >= 0
    assert len(after.layers) <= MOST_LAYERS


def _hold_set_back(before: Transfer, now: int, after: Transfer) -> None:
    """A clock that goes back is followed, and what is measured with it is neither nearer nor farther."""
    assert after.at == now
    moments = [(before.retry_at, after.retry_at)] if after.state is before.state is State.RETRYING else []
    if after.state is before.state and after.quiet_ms(now):
        moments.append((before.grown_at, after.grown_at))
    for earlier, later in moments:
        assert earlier is not None
        assert later is not None
        assert later - now == earlier - before.at


def _hold_counts(before: Transfer, after: Transfer) -> None:
    there = {layer.digest: layer.completed for layer in before.layers}
    grown = sum(max(0, layer.completed - there.get(layer.digest, 0)) for layer in after.layers)
    unsure = before.first_look.found if before.first_look is not None else 0
    assert 0 <= after.moved - before.moved <= unsure + grown + max(0, after.seen - before.seen)
    assert after.first_look is None or after.state in CONNECTED
    open_ms = max(0, after.at - before.at) if before.state in CONNECTED else 0
    assert 0 <= after.active_ms - before.active_ms <= open_ms
    assert (before.present or 0) <= (after.present or 0) <= (after.total or 0)
    assert not after.is_finishing or after.state in CONNECTED
    assert after.name == before.name
    assert after.sent == after.name or after.name.host == "hf.co"


def _hold_effects(before: Transfer, after: Transfer, follow: tuple[Effect, ...]) -> None:
    began = after.state is State.STARTING and before.state is not State.STARTING
    assert (Effect.CONNECT in follow) == began
    assert Effect.CONNECT not in follow or after.wanted is Wanted.RUN
    assert Effect.CHECK not in follow or after.state is State.CHECKING
    assert after.state is before.state or after.state is not State.CHECKING or Effect.CHECK in follow
    assert (Effect.WAIT in follow) == (after.state is State.RETRYING and before.state is not State.RETRYING)
    assert after.retry_at is None or after.retry_at >= after.at or not follow
    if before.state in CONNECTED and after.state not in ACTIVE:
        assert Effect.CLOSE in follow


@settings(max_examples=400)
@given(
    st.lists(EVENTS, max_size=60),
    st.builds(Limits, st.integers(1, 12), st.integers(0, 200_000)),
    st.sampled_from([NEW, HUGGING]),
)
@example(
    [Started(0), Asked(0, Wanted.CANCEL), Asked(0, Wanted.RUN), Checked(0, CheckResult.MISSING)], LIMITS, NEW
)
def test_any_sequence_of_events(events: list[Event], limits: Limits, transfer: Transfer) -> None:
    for event in events:
        after, follow = reduce(transfer, event, limits)
        _hold(transfer, event, after, follow)
        transfer = after


@given(st.sampled_from(ALL), EVENTS, EVENTS)
def test_any_event_in_every_state(transfer: Transfer, one: Event, other: Event) -> None:
    for event in (one, other):
        after, follow = reduce(transfer, event)
        _hold(transfer, event, after, follow)
        transfer = after


def test_every_legal_way_is_gone() -> None:
    """The table of legal changes holds nothing that never happens."""
    events: list[Event] = [
        *(Started(9), Layer(9, "x", 9, 9), Status(9, "verifying"), Success(9), Closed(9), Interrupted(9)),
        *(ServerError(9, words) for words in (*PERMANENT, "no space left on device")),
        *(Asked(9, wanted) for wanted in Wanted),
        *(Checked(9, result) for result in CheckResult),
        Held(9, Cause.NO_SERVER, ""),
    ]
    starts = [*ALL, replace(CHECKING, damages=1), *(replace(CHECKING, wanted=wanted) for wanted in Wanted)]
    gone = {(start.state, play(event, start=start).state) for start in starts for event in events}
    table = {(before, after) for before, more in LEGAL.items() for after in more}
    assert {pair for pair in gone if pair[0] is not pair[1]} == table


def test_events_are_cheap() -> None:
    """20,000 of them (20 minutes of one pull) in far less than the second that is asked for."""
    transfer = play(Started(0), Announced(0, MANIFEST))
    began = time.perf_counter()
    for number in range(20_000):
        transfer = play(weights(number * 60, number * 400_000), start=transfer)
    assert time.perf_counter() - began < 3
    assert transfer.done == 19_999 * 400_000


def test_a_hostile_number_of_layers_is_bounded() -> None:
    many = tuple(LayerState(f"sha256:{number}", 10, 5) for number in range(MOST_LAYERS - 1))
    more = [Layer(1, f"sha256:more{number}", 10, 5) for number in range(9)]
    transfer = play(*more, start=replace(STARTING, layers=many))
    assert len(transfer.layers) == MOST_LAYERS
    assert transfer.total == MOST_LAYERS * 10
