"""Downloads as a list: words that narrow it, marks that several wishes are about, and its orders."""

from pathlib import Path
from typing import Any

import pytest
from live import Live
from queued import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    BIG,
    INSTALLED,
    OTHER,
    SMALL,
    THIRD,
    downloads,
    held,
    on_row,
    put,
    screen,
    state,
)

from modeltui.domain.causes import Cause
from modeltui.domain.transfers import State, Wanted
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.queuetable import QueueTable

GB = 10**9


def table(shown: Live) -> QueueTable:
    found: QueueTable = screen(shown).query_one(QueueTable)
    return found


def names(shown: Live) -> list[str]:
    """What is listed, from above."""
    rows = table(shown)
    found = [rows._items[at].queued for at in rows._view]
    return [queued.transfer.name.short for queued in found if queued is not None]


async def listed(shown: Live, *expected: str) -> None:
    await shown.until(lambda: names(shown) == list(expected))


async def mark(shown: Live, *numbers: int) -> None:
    for number in numbers:
        await on_row(shown, number)
        await shown.press("space")
    assert table(shown).marked == {str(number) for number in numbers}


def order(shown: Live) -> list[int]:
    return [row.number for row in shown.app.services.store.queue.open()]


def keys(shown: Live) -> str:
    return str(shown.text.splitlines()[-1])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("qwen 32b", [BIG]),
        ("paused", [BIG, OTHER]),
        ("disk", [THIRD]),
        ("gpubox", [OTHER]),
        ("installed", [INSTALLED]),
        ("unknown model", [SMALL]),
        (">10gb", [BIG]),
        ("no-such-words", []),
    ],
)
async def test_words_narrow_the_queue_and_the_history(tmp_path: Path, typed: str, found: list[str]) -> None:
    async with downloads(tmp_path) as shown:
        held(shown, BIG, total=20 * GB, total_exact=True)
        held(shown, OTHER, server="gpubox")
        put(shown, THIRD, state=State.BLOCKED, wanted=Wanted.PAUSE, cause=Cause.DISK, detail="too small")
        now = shown.app.now()
        put(shown, INSTALLED, state=State.INSTALLED, total=5 * GB, total_exact=True, ended=now - 60_000)
        put(shown, SMALL, state=State.FAILED, cause=Cause.UNKNOWN_MODEL, detail="nobody has it", ended=now)
        await listed(shown, BIG, OTHER, THIRD, SMALL, INSTALLED)
        await shown.press("slash")
        await shown.type(typed)
        await listed(shown, *found)
        await shown.sees(f"/ {typed}", f"{len(found)} of 5", *(found or ["No pull has these words."]))
        await shown.press("enter")
        assert table(shown).has_focus
        await shown.press("escape")
        await listed(shown, BIG, OTHER, THIRD, SMALL, INSTALLED)


async def test_words_marks_and_order_outlast_what_comes_and_goes(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        first, second = held(shown, BIG), held(shown, OTHER)
        await mark(shown, first)
        await shown.sees("+1  qwen3:32b", "1 marked: x h t del + - f are about them")
        await on_row(shown, second)
        await shown.press("slash")
        await shown.type("3:")
        await shown.press("enter", "o")
        await shown.sees("MODEL▼", "by name")
        held(shown, INSTALLED)
        held(shown, THIRD)
        await listed(shown, OTHER, BIG, INSTALLED)
        shown.app.services.store.queue.want(second, Wanted.CANCEL)
        put(shown, SMALL, state=State.CANCELLED)
        await shown.until(lambda: "cancelling" in shown.line(OTHER) or "cancelled" in shown.line(OTHER))
        assert table(shown).marked == {str(first)}
        assert table(shown).cursor_key == str(second)
        await shown.press("escape")
        await shown.until(lambda: not shown.app.screen.query_one(FilterLine).display)
        assert table(shown).marked == {str(first)}
        await shown.press("escape")
        assert not table(shown).marked
        await shown.sees("no marks any more", "MODEL▼")


async def test_words_for_the_history_alone_show_it_under_its_rule(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        held(shown, BIG)
        put(shown, OTHER, state=State.CANCELLED, ended=shown.app.now())
        await listed(shown, BIG, OTHER)
        await shown.press("slash", *"gemma")
        await listed(shown, OTHER)
        await shown.sees("── history ──")
        assert "nothing is being pulled" not in shown.text
        await shown.press("ctrl+u", *"qwen")
        await listed(shown, BIG)
        await shown.misses("history")


async def test_what_is_marked_and_not_seen_is_said_beside_the_words(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        first, second = held(shown, BIG), held(shown, OTHER)
        await mark(shown, first)
        await shown.press("slash", *"gemma")
        await shown.sees("1 marked hidden, 1 of 2")
        await shown.press("enter")
        await on_row(shown, second)
        await shown.press("space")
        await shown.sees("2 marked (1 hidden): x h t del + - f are about them")


async def test_x_ends_all_that_are_marked_after_one_question_that_counts_them(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        half = {"total": 20 * GB, "total_exact": True, "done": 10 * GB}
        first, second, third = held(shown, BIG, **half), held(shown, OTHER), held(shown, THIRD)
        over = put(shown, INSTALLED, state=State.INSTALLED)
        await mark(shown, first, second, over)
        await shown.press("x")
        await shown.sees(
            "Cancel these 2 pulls?",
            "what has come stays on the server until it is restarted",
            f"{BIG}: 10.0 of 20.0 GB",
            f"{OTHER}: nothing has come",
            "keep them",
        )
        await shown.press("enter")
        await shown.misses("Cancel these")
        assert state(shown, first) is State.PAUSED
        await shown.press("x")
        await shown.sees("Cancel these 2 pulls?")
        await shown.press("x")
        await shown.until(lambda: [state(shown, n) for n in (first, second)] == [State.CANCELLED] * 2)
        assert state(shown, third) is State.PAUSED
        assert state(shown, over) is State.INSTALLED


async def test_h_t_and_del_are_about_all_that_are_marked(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        first, second, third = (put(shown, name) for name in (BIG, OTHER, THIRD))
        await shown.until(lambda: "pulling" in shown.line(BIG))
        await mark(shown, first, third)
        await shown.press("h")
        await shown.until(lambda: [state(shown, n) for n in (first, third)] == [State.PAUSED] * 2)
        assert state(shown, second) is not State.PAUSED
        await shown.press("h")
        await shown.until(lambda: State.PAUSED not in [state(shown, n) for n in (first, third)])
        await shown.press("escape", "H")
        await shown.until(lambda: [state(shown, n) for n in (first, second, third)] == [State.PAUSED] * 3)
        failed = [put(shown, f"nosuch:{n}b", state=State.FAILED) for n in (1, 2, 3)]
        await mark(shown, *failed[:2])
        await shown.press("t")
        queue = shown.app.services.store.queue
        await shown.until(lambda: [bool(queue.get(n).transfer.detail) for n in failed] == [True, True, False])
        await shown.until(lambda: shown.text.count("failed: pull model manifest") == 2)
        await on_row(shown, first)
        await shown.press("delete")
        await shown.sees("2 finished transfers forgotten")
        await shown.until(lambda: [row.number for row in queue.all()] == [first, second, third, failed[2]])
        assert not table(shown).marked


async def test_what_is_marked_moves_together(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        a, b, c, d = (held(shown, name) for name in (BIG, OTHER, THIRD, INSTALLED))
        await mark(shown, b, d)
        for key, expected in (
            ("plus", [b, a, d, c]),
            ("plus", [b, d, a, c]),
            ("minus", [a, b, d, c]),
            ("minus", [a, c, b, d]),
            ("f", [b, d, a, c]),
        ):
            await shown.press(key)
            await shown.until(lambda expected=expected: order(shown) == expected)
            await shown.pilot.pause()
        await shown.until(lambda: "f first" not in keys(shown))
        assert "+ up" not in keys(shown)


async def test_o_goes_through_the_orders_and_what_moves_says_why_it_does_not(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        now = shown.app.now()
        first = held(shown, BIG, total=20 * GB, total_exact=True)
        put(shown, OTHER, state=State.BLOCKED, wanted=Wanted.PAUSE, cause=Cause.NO_SECRET, total=30 * GB)
        held(shown, THIRD)
        put(shown, SMALL, state=State.INSTALLED, ended=now)
        put(shown, INSTALLED, state=State.FAILED, ended=now - 60_000, total=5 * GB)
        own = [BIG, OTHER, THIRD, SMALL, INSTALLED]
        await listed(shown, *own)
        await on_row(shown, first)
        await shown.until(lambda: "- down" in keys(shown))
        before = order(shown)
        for title, words, expected in (
            ("MODEL▼", "by name", [THIRD, OTHER, BIG, INSTALLED, SMALL]),
            ("STATE▼", "by state", [OTHER, BIG, THIRD, INSTALLED, SMALL]),
            ("SIZE▼", "biggest first", [OTHER, BIG, THIRD, INSTALLED, SMALL]),
        ):
            await shown.press("o")
            await listed(shown, *expected)
            await shown.sees(title, words)
            assert table(shown).cursor_key == str(first)
            await shown.until(lambda: "- down" not in keys(shown))
            for key in ("minus", "f") if title == "SIZE▼" else ("minus",):
                await shown.press(key)
                if key == "minus":
                    await shown.sees("not moved: the list stands", "o until it is the queue's order")
        assert order(shown) == before
        await shown.press("o")
        await listed(shown, *own)
        await shown.sees("in the order of the queue")
        await shown.press("minus")
        await shown.until(lambda: order(shown) == [before[1], before[0], before[2]])


async def test_the_heading_says_an_order_whose_column_has_no_room(tmp_path: Path) -> None:
    async with downloads(tmp_path, size=(60, 20)) as shown:
        held(shown, BIG, total=20 * GB)
        await shown.sees(BIG)
        await shown.press("o", "o", "o")
        await shown.sees("MODEL, by size")
        await shown.pilot.resize_terminal(120, 35)
        await shown.sees("SIZE▼")
        await shown.misses("MODEL, by size")


async def test_a_click_on_a_title_sorts(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        held(shown, BIG)
        held(shown, OTHER)
        await listed(shown, BIG, OTHER)
        await shown.pilot.click(QueueTable, offset=(5, 0))
        await listed(shown, OTHER, BIG)
        await shown.pilot.click(QueueTable, offset=(0, 0))
        await listed(shown, BIG, OTHER)


async def test_nothing_is_painted_that_did_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with downloads(tmp_path) as shown:
        first = held(shown, BIG)
        held(shown, OTHER)
        put(shown, THIRD, state=State.CANCELLED, ended=shown.app.now() - 9 * 86_400_000)
        await mark(shown, first)
        await shown.press("o", "slash", *"3", "enter")
        await listed(shown, OTHER, BIG, THIRD)
        await shown.app.stop_workers()
        await shown.pilot.pause(0.2)  # what follows the cursor has followed
        painted: list[Any] = []
        for widget in (table(shown), screen(shown).query_one(FilterLine)):
            monkeypatch.setattr(widget, "refresh", lambda *regions, **_: painted.append(regions))
        for _ in range(3):
            screen(shown).show_time()
            screen(shown).show_state()
        await shown.pilot.pause(0.2)
        assert painted == []
        table(shown).clear_marks()
        assert len(painted) == 1


async def test_a_pull_that_a_filter_hides_is_gone_to(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        held(shown, INSTALLED)
        second = held(shown, OTHER)
        await listed(shown, INSTALLED, OTHER)
        await shown.press("slash", *"gemma", "enter")
        await listed(shown, OTHER)
        assert table(shown).cursor_key == str(second)
        assert screen(shown).go_to(INSTALLED)
        await listed(shown, INSTALLED, OTHER)


async def test_help_and_palette_know_the_keys(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        held(shown, BIG)
        await shown.sees(BIG, "space mark", "/ filter")
        await shown.press("question_mark", "slash", *"mark")
        await shown.sees("space", "several")
        await shown.press("escape", "escape", "ctrl+p", *"sort")
        await shown.press("enter")
        await shown.sees("MODEL▼")
