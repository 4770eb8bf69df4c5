"""Transfers and moments in words: one sentence for one thing, whoever says it."""

from dataclasses import replace

import pytest

from modeltui.domain.causes import Cause, remedy
from modeltui.domain.names import parse
from modeltui.domain.transfers import State, Transfer, Wanted
from modeltui.domain.units import FOREVER_MS
from modeltui.domain.words import age_words, bytes_words, end_words, kept_words, remedy_of, state_words

NOW = 1_000_000
PULLING = Transfer(
    parse("hf.co/unsloth/Qwen3-GGUF:Q4_K_M"),
    state=State.PULLING,
    total=5_225_374_432,
    total_exact=True,
    done=2_900_000_000,
    speed=61_200_000.0,
    grown_at=NOW,
)


@pytest.mark.parametrize(
    ("transfer", "words"),
    [
        (replace(PULLING, state=State.WAITING), "waiting"),
        (replace(PULLING, state=State.WAITING, detail="interrupted"), "waiting (interrupted)"),
        (
            replace(PULLING, state=State.RETRYING, attempts=3, retry_at=NOW + 12_000),
            "retry 3 of 10 in 12 s",
        ),
        (replace(PULLING, state=State.RETRYING, attempts=10), "still retrying, every 5 min"),
        (
            replace(PULLING, state=State.RETRYING, attempts=3, retry_at=NOW - 2_000, detail="no answer"),
            "retry 3 of 10 (no answer)",
        ),
        (
            replace(PULLING, state=State.RETRYING, attempts=3, retry_at=NOW - 2_001, detail="no answer"),
            "waits for its turn (no answer)",
        ),
        (
            replace(PULLING, state=State.RETRYING, attempts=10, retry_at=NOW - 9_000_000),
            "waits for its turn",
        ),
        (replace(PULLING, state=State.PAUSED), "paused by you"),
        (replace(PULLING, state=State.FAILED, cause=Cause.UNAUTHORIZED), "failed: unauthorized"),
        (replace(PULLING, state=State.BLOCKED, detail="no disk"), "blocked: no disk"),
        (replace(PULLING, state=State.CHECKING), "checking what arrived"),
        (
            replace(PULLING, state=State.CHECKING, wanted=Wanted.CANCEL),
            "looking whether it had finished",
        ),
        (replace(PULLING, grown_at=NOW - 45_000), "stalled 45 s"),
        (replace(PULLING, grown_at=NOW - 45_000, attempts=2), "stalled 45 s, try 3 of 10"),
        (replace(PULLING, state=State.STARTING, grown_at=NOW - 9_000), "stalled 9 s"),
        (replace(PULLING, is_finishing=True), "finishing"),
        (replace(PULLING, present=3_100_000_000), "pulling, 3.1 GB there"),
        (
            replace(PULLING, present=3_100_000_000, moved=60_000_000, active_ms=4_999),
            "pulling, 3.1 GB there",
        ),
        (replace(PULLING, present=3_100_000_000, moved=60_000_000, active_ms=5_000), "pulling"),
        (replace(PULLING, present=3_100_000_000, moved=50_000_000, active_ms=5_000), "pulling, 3.1 GB there"),
        (replace(PULLING, present=50_000_000), "pulling"),
        (
            replace(PULLING, state=State.RETRYING, cause=Cause.CANCELED_BY_SERVER, retry_at=NOW + 1_000),
            "resuming in 1 s",
        ),
        (
            replace(PULLING, state=State.RETRYING, cause=Cause.DIGEST, attempts=1, digest_failures=2),
            "retry 2 of 2",
        ),
        (replace(PULLING, state=State.RETRYING, cause=Cause.DAMAGED, damages=1), "retry 1 of 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_states_in_words(transfer: Transfer, words: str) -> None:
    assert state_words(transfer, NOW, 10) == words


def test_without_a_moment_nothing_ticks() -> None:
    silent = replace(PULLING, grown_at=NOW - 45_000)
    retrying = replace(PULLING, state=State.RETRYING, attempts=3, retry_at=NOW + 12_000)
    assert state_words(silent, None, 10) == "pulling"
    assert state_words(retrying, None, 10) == "retry 3 of 10"


def test_a_time_from_before_a_clock_was_set_back_is_not_told() -> None:
    """It would be a negative one."""
    done = replace(PULLING, state=State.INSTALLED, started=NOW + 3_600_000, ended=NOW)
    assert end_words(done) == "hf.co/unsloth/Qwen3-GGUF:Q4_K_M installed, 5.23 GB"


def test_bytes_in_words() -> None:
    assert bytes_words(PULLING) == "2.9 of 5.23 GB"
    assert bytes_words(replace(PULLING, done=121_000_000)) == "121 MB of 5.23 GB"
    assert bytes_words(replace(PULLING, total_exact=False)) == "2.9 of at least 5.23 GB"
    assert bytes_words(replace(PULLING, total=None)) == "2.9 GB"


def test_the_end_says_how_long_its_streams_took_and_how_fast_they_were() -> None:
    installed = replace(
        PULLING,
        state=State.INSTALLED,
        detail="digest checked",
        total=8_100_000_000,
        moved=8_100_000_000,
        active_ms=112_000,
        started=NOW,
        ended=NOW + 9_000_000,
    )
    name = "hf.co/unsloth/Qwen3-GGUF:Q4_K_M"
    assert end_words(installed) == f"{name} installed, digest checked, 8.1 GB in 1 min 52 s, 72 MB/s"
    resumed = replace(installed, present=3_100_000_000, moved=5_000_000_000)
    assert end_words(resumed).endswith(", 8.1 GB (3.1 GB of it were there) in 1 min 52 s, 45 MB/s")
    there = replace(installed, present=8_100_000_000, moved=0, active_ms=800)
    assert end_words(there).endswith(", 8.1 GB (all of it was there) in 800 ms")
    elsewhere = replace(installed, pulled_as=replace(PULLING.name, host="huggingface.co"))
    assert end_words(elsewhere).startswith(f"{name} installed as huggingface.co/unsloth/Qwen3-GGUF:Q4_K_M, ")


def test_the_end_in_words() -> None:
    installed = replace(
        PULLING, state=State.INSTALLED, detail="digest checked", started=NOW, ended=NOW + 112_000
    )
    assert end_words(installed) == (
        "hf.co/unsloth/Qwen3-GGUF:Q4_K_M installed, digest checked, 5.23 GB in 1 min 52 s"
    )
    assert end_words(replace(installed, started=None, detail="")).endswith("installed, 5.23 GB")
    failed = replace(PULLING, state=State.FAILED, cause=Cause.UNAUTHORIZED)
    assert end_words(failed) == "hf.co/unsloth/Qwen3-GGUF:Q4_K_M: failed: unauthorized"


def test_a_cause_has_its_remedy() -> None:
    blocked = replace(PULLING, state=State.BLOCKED, cause=Cause.DISK)
    assert remedy_of(blocked) == remedy(Cause.DISK, "hf.co")
    assert remedy_of(PULLING) is None


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (-1, ""),
        (0, "0 s"),
        (59_000, "59 s"),
        (60_000, "1 min"),
        (299_000, "5 min"),
        (90 * 60_000, "1 h 30 min"),
        (FOREVER_MS + 1, "for ever"),
    ],
)
def test_how_long_a_model_is_kept(left: int, words: str) -> None:
    assert kept_words(1_000_000 + left, 1_000_000) == words
    assert kept_words(None, 1_000_000) == ""


def test_how_long_ago() -> None:
    day = 86_400_000
    assert [age_words(at, 3 * day) for at in (None, 0, 3 * day, 4 * day)] == [
        *("—", "3 d ago", "0 s ago", "0 s ago")
    ]
