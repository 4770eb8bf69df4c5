"""Transfers and moments in words: one sentence for one thing, whoever says it."""

from dataclasses import replace

import pytest

from modeltui.domain.causes import Cause, verdict
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
        (replace(PULLING, state=State.PAUSED), "paused by you"),
        (replace(PULLING, state=State.FAILED, cause=Cause.UNAUTHORIZED), "failed: unauthorized"),
        (replace(PULLING, state=State.BLOCKED, detail="no disk"), "blocked: no disk"),
        (replace(PULLING, state=State.CHECKING), "checking what arrived"),
        (
            replace(PULLING, state=State.CHECKING, wanted=Wanted.CANCEL),
            "looking whether it had finished",
        ),
        (replace(PULLING, grown_at=NOW - 45_000), "no byte for 45 s"),
        (replace(PULLING, grown_at=NOW - 45_000, attempts=2), "no byte for 45 s, try 3 of 10"),
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


def test_bytes_in_words() -> None:
    assert bytes_words(PULLING) == "2.9 of 5.23 GB"
    assert bytes_words(replace(PULLING, done=121_000_000)) == "121 MB of 5.23 GB"
    assert bytes_words(replace(PULLING, total_exact=False)) == "2.9 of at least 5.23 GB"
    assert bytes_words(replace(PULLING, total=None)) == "2.9 GB"


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
    assert remedy_of(blocked) == verdict(Cause.DISK).remedy
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
