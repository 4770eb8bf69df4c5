"""The rows of the queue: their words and numbers, in steps, and how often they are painted."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import LayerState, State, Transfer, Wanted
from modeltui.store.journal import Entry
from modeltui.store.queue import Attempt, QueuedTransfer
from modeltui.tui.calm import calm_left, calm_speed, speed_words
from modeltui.tui.render import Line
from modeltui.tui.screens.downloaddetails import lines_of
from modeltui.tui.screens.downloadrows import (
    BAR,
    Pace,
    alike,
    bar_cell,
    done_words,
    history_cells,
    history_words,
    when_words,
    words_of,
)
from modeltui.tui.screens.downloadstory import Story
from modeltui.tui.widgets.queuetable import QueueRow

GB, MB = 10**9, 10**6
NOW = round(datetime(2026, 3, 5, 12, 0).timestamp() * 1000)
HOUR = 3_600_000
PULLING = Transfer(
    parse("qwen3:32b"), state=State.PULLING, total=20 * GB, total_exact=True, done=2 * GB, seen=2 * GB,
    speed=61.4e6, ends_at=NOW + 293_000, grown_at=NOW, started=NOW, at=NOW,
)  # fmt: skip


def queued(transfer: Transfer, number: int = 1) -> QueuedTransfer:
    return QueuedTransfer(number, 1, number, 0, NOW, None, transfer)


def text(cell: Line | str) -> str:
    return cell if isinstance(cell, str) else "".join(part for part, _ in cell)


def shown(row: QueueRow, column: str) -> str:
    assert row.cells is not None
    return text(row.cells[column])


def more(transfer: Transfer, share: float, at: int) -> Transfer:
    done = transfer.done + round(share * (transfer.total or 0))
    return replace(transfer, done=done, seen=done, grown_at=at, at=at)


@pytest.mark.parametrize(
    ("change", "after_s", "words"),
    [
        ({}, 4.9, "pulling"),
        ({}, 7.2, "stalled 5 s"),
        ({}, 44.9, "stalled 40 s"),
        ({"state": State.RETRYING, "attempts": 3, "retry_at": NOW + 12_000}, 0, "retry 3 of 10 in 15 s"),
        ({"state": State.RETRYING, "attempts": 3, "retry_at": NOW + 12_000}, 2, "retry 3 of 10 in 10 s"),
        ({"state": State.RETRYING, "attempts": 3, "retry_at": NOW + 12_000}, 13, "retry 3 of 10"),
        ({"wanted": Wanted.PAUSE}, 0, "pausing"),
        ({"wanted": Wanted.CANCEL}, 0, "cancelling"),
        ({"state": State.CHECKING, "wanted": Wanted.CANCEL}, 0, "cancelling"),
        ({"state": State.CHECKING}, 0, "checking what arrived"),
        ({"state": State.PAUSED, "wanted": Wanted.PAUSE}, 0, "paused by you"),
    ],
)
def test_the_state_in_words_that_do_not_tick(change: dict[str, Any], after_s: float, words: str) -> None:
    assert words_of(replace(PULLING, **change), NOW + round(after_s * 1000), 10) == words


def test_a_bar_only_where_the_sum_is_known() -> None:
    assert text(bar_cell(PULLING)) == "█▌" + "░" * (BAR - 2)
    assert text(bar_cell(replace(PULLING, done=20 * GB)))[-1] == "▉", "full only when it is installed"
    guessed = replace(PULLING, total_exact=False, total=4_500 * MB)
    assert text(bar_cell(guessed)) == "at least 4.5 GB"
    assert text(bar_cell(replace(guessed, total=4_960 * MB))) == "at least 4.9 GB"
    assert text(bar_cell(replace(guessed, total=22_600 * MB))) == "at least 22 GB"
    assert text(bar_cell(replace(guessed, total=None))) == "—"


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [
        (12_649 * MB, 22_100 * MB, "12.6 GB"),
        (3_649 * MB, 22_100 * MB, "3.6 GB"),
        (3_649 * MB, 5_200 * MB, "3.64 GB"),
        (364_900_000, 404 * GB, "365 MB"),
        (123_456, 274 * MB, "123 kB"),
        (0, 274 * MB, "—"),
        (777, None, "777 B"),
    ],
)
def test_what_has_come_is_no_finer_than_the_size(done: int, total: int | None, words: str) -> None:
    assert done_words(replace(PULLING, done=done, total=total)) == words


@pytest.mark.parametrize(
    ("speed", "before", "words"),
    [
        (61.4e6, None, "61 MB/s"),
        (63e6, 61e6, "61 MB/s"),
        (66e6, 61e6, "66 MB/s"),
        (6.14e6, None, "6.1 MB/s"),
        (1.26e9, None, "1.3 GB/s"),
        (117e6, None, "120 MB/s"),
        (0.2, None, "—"),
        (None, 61e6, "—"),
    ],
)
def test_a_calm_speed(speed: float | None, before: float | None, words: str) -> None:
    assert speed_words(calm_speed(speed, before)) == words


@pytest.mark.parametrize(
    ("left_s", "before_s", "calm_s"),
    [
        (None, 60, None),
        (0, None, 0),
        (1, None, 5),
        (41, None, 45),
        (59, None, 55),
        (119, None, 60),
        (125, 60, 60),
        (135, 60, 120),
        (3_700, None, 3_600),
        (9_000, 10_800, 7_200),
    ],
)
def test_a_calm_rest(left_s: int | None, before_s: int | None, calm_s: int | None) -> None:
    def ms(seconds: int | None) -> int | None:
        return None if seconds is None else seconds * 1000

    assert calm_left(ms(left_s), ms(before_s)) == ms(calm_s)


def test_one_row_a_second_moves_and_the_longest_due_comes_first() -> None:
    pace = Pace(10)
    queue = [queued(PULLING, number) for number in (1, 2, 3)]
    first = pace.rows(queue, NOW, {}, at_once=1)
    assert [shown(row, "percent") for row in first] == ["10 %"] * 3
    moved = []
    for second in range(1, 4):
        at = NOW + second * 1000
        queue = [queued(more(each.transfer, 0.01, at), each.number) for each in queue]
        rows = pace.rows(queue, at, {}, at_once=1)
        moved += [row.key for row, before in zip(rows, first, strict=True) if row is not before]
        first = rows
    assert sorted(moved) == ["1", "2", "3"]


def test_bytes_alone_are_worth_a_row_after_a_while_and_words_at_once() -> None:
    pace = Pace(10)
    (first,) = pace.rows([queued(PULLING)], NOW, {}, at_once=1)
    crept = queued(more(PULLING, 0.001, NOW + 2000))
    assert pace.rows([crept], NOW + 2000, {}, at_once=1) == [first]
    assert pace.rows([crept], NOW + 3000, {}, at_once=1) != [first]
    (paused,) = pace.rows([queued(replace(PULLING, wanted=Wanted.PAUSE))], NOW + 3000, {}, at_once=0)
    assert shown(paused, "state") == "pausing"
    (noted,) = pace.rows([queued(PULLING)], NOW + 3000, {1: ("then switch",)}, at_once=0)
    assert shown(noted, "state") == "pulling · then switch"
    assert pace.rows([], NOW, {}, at_once=1) == []


def test_a_speed_that_comes_or_goes_is_shown_at_once() -> None:
    pace = Pace(10)
    (row,) = pace.rows([queued(replace(PULLING, speed=None))], NOW, {}, at_once=1)
    assert (shown(row, "speed"), shown(row, "left")) == ("—", "—")
    (row,) = pace.rows([queued(PULLING)], NOW + 1000, {}, at_once=1)
    assert (shown(row, "speed"), shown(row, "left")) == ("61 MB/s", "4 min")


def test_only_progress_is_no_other_queue() -> None:
    assert alike([queued(PULLING)], [queued(more(PULLING, 0.1, NOW))])
    assert not alike([queued(PULLING)], [])
    assert not alike([queued(PULLING)], [queued(PULLING, 2)])
    assert not alike([queued(PULLING)], [queued(replace(PULLING, wanted=Wanted.PAUSE))])


def test_the_history_says_what_how_much_how_long_how_fast_and_when() -> None:
    done = replace(
        PULLING, state=State.INSTALLED, detail="digest checked", total=8_100 * MB, moved=8_100 * MB,
        active_ms=112_000, ended=NOW,
    )  # fmt: skip
    assert history_words(done) == "installed, digest checked, 8.1 GB in 1 min 52 s, 72 MB/s"
    failed = replace(
        PULLING, state=State.FAILED, cause=Cause.UNKNOWN_MODEL, detail="no such model", ended=NOW
    )
    row = QueueRow("1", queued(failed), history_words(failed), ("gpubox",))
    cells = {column: text(cell) for column, cell in history_cells(row, NOW + 60_000).items()}
    assert cells == {
        "number": "✗", "name": "qwen3:32b", "how": "failed: no such model · gpubox", "when": "today 12:00",
    }  # fmt: skip
    cancelled = replace(PULLING, state=State.CANCELLED, ended=NOW)
    assert history_words(cancelled) == "cancelled, 2 of 20.0 GB had come"


def test_the_age_of_what_has_ended() -> None:
    assert when_words(NOW, NOW + 5 * HOUR) == "today 12:00"
    assert when_words(NOW, NOW + 14 * HOUR) == "14 h ago"
    assert when_words(NOW, NOW + 9 * 24 * HOUR) == "9 d ago"
    assert when_words(None, NOW) == "—"


def test_the_details_of_a_transfer() -> None:
    failed = replace(
        PULLING, state=State.RETRYING, cause=Cause.DIGEST, detail="digest mismatch", tries=2, attempts=1,
        digest_failures=1, retry_at=NOW + 10_000,
    )  # fmt: skip
    row = replace(queued(failed, 7), announced_digest="ab" * 32)
    story = Story(
        (LayerState("sha256:" + "1f" * 32, 19 * GB, GB), LayerState("sha256:" + "2e" * 32, 400, 400)),
        (
            Attempt(NOW - HOUR, Cause.NETWORK, "reset", GB),
            Attempt(NOW, Cause.DIGEST, "mismatch", 2 * GB),
        ),
        (
            Entry(NOW, "ann", "command", "gpubox", "pause", "7 qwen3:32b", "done", None),
            Entry(NOW - HOUR, "ann", "screen", "gpubox", "queue", "qwen3:32b", "failed", "the disk is full"),
        ),
    )
    lines = [text(line) for line in lines_of(row, "gpubox", story, NOW, 10)]
    assert lines == [
        "state     retry 1 of 2 in 10 s (digest mismatch)",
        "remedy    the registry or a proxy delivers damaged bytes: try later or from elsewhere",
        "bytes     2 of 20.0 GB, 10 %",
        f"digest    {'ab' * 32}",
        "server    gpubox",
        "queued    today 12:00, as 7",
        "started   today 12:00, 2 tries",
        "",
        "layers",
        "sha256:1f1f1f1f1f1f    5 % of 19.0 GB",
        "sha256:2e2e2e2e2e2e  100 % of 400 B",
        "",
        "what went wrong",
        " today 12:00  digest: mismatch, at 2 GB",
        " today 11:00  network: reset, at 1 GB",
        "",
        "log",
        " today 12:00  pause, ann (command)",
        " today 11:00  queue failed: the disk is full, ann (screen)",
    ]


def test_what_is_over_has_layers_without_a_share_and_no_empty_parts() -> None:
    done = replace(PULLING, state=State.INSTALLED, ended=NOW)
    story = Story((LayerState("sha256:" + "1f" * 32, 20 * GB, 0),))
    lines = [text(line) for line in lines_of(queued(done), "gpubox", story, NOW, 10)]
    assert lines[-2:] == ["layers", "sha256:1f1f1f1f1f1f  20.0 GB"]
