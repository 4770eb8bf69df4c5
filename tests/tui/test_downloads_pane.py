"""The pane beside the queue, what it reads and when, and the words about all pulls in the status line."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live import Live, live
from queued import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    BIG,
    OTHER,
    THIRD,
    cursor,
    downloads,
    held,
    on_row,
    screen,
)
from still_app import still_app
from still_values import INSTALLED, NOW, ONLINE, come, queued

from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import LayerState, State, Transfer
from modeltui.paths import paths_under
from modeltui.store.queue import QueuedTransfer
from modeltui.store.store import Store
from modeltui.tui.app import ModelTuiApp
from modeltui.tui.screens.downloadstory import Stories, Story
from modeltui.tui.widgets.pane import SidePane
from modeltui.tui.widgets.statusline import _left_ms

GB = 10**9
WIDE = (150, 40)


async def test_the_pane_follows_the_cursor_where_there_is_room(tmp_path: Path) -> None:
    async with downloads(tmp_path, size=WIDE) as shown:
        layers = (LayerState("sha256:" + "1f" * 32, 19 * GB, GB), LayerState("sha256:" + "2e" * 32, 400, 400))
        first = held(shown, BIG, layers=layers, total=20 * GB, total_exact=True, done=GB)
        queue = shown.app.services.store.queue
        row = queue.get(first)
        assert row is not None
        queue.add_attempt(first, replace(row.transfer, cause=Cause.NETWORK, detail="reset"))
        second = held(shown, OTHER)
        await on_row(shown, first)
        await shown.sees(
            "│ state     paused by you", "1f1f1f1f1f1f    5 % of 19.0 GB", "network: reset, at 1 GB"
        )
        await on_row(shown, second)
        await shown.misses("network: reset")
        await shown.press("x")
        await shown.until(lambda: "cancelled" in shown.line("│ state"))
        await shown.sees("log", "cancel, ")
        assert cursor(shown) == str(second)


async def test_a_narrower_terminal_has_no_pane(tmp_path: Path) -> None:
    async with downloads(tmp_path, size=(120, 35)) as shown:
        held(shown, BIG)
        await shown.sees(BIG)
        assert not screen(shown).query_one(SidePane).display


async def test_f_puts_a_pull_before_all_others(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        numbers = [held(shown, name) for name in (BIG, OTHER, THIRD)]
        await on_row(shown, numbers[0])
        await shown.sees("- down")
        await shown.misses("f first")
        await on_row(shown, numbers[2])
        await shown.sees("f first")
        await shown.press("f")
        queue = shown.app.services.store.queue
        await shown.until(lambda: [row.number for row in queue.open()] == [3, 1, 2])
        await shown.until(lambda: shown.text.index(THIRD) < shown.text.index(BIG))
        assert cursor(shown) == str(numbers[2])


async def test_the_store_is_read_only_when_something_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(tmp_path) as shown:
        number = held(shown, BIG)
        services = shown.app.services
        found = services.store.queue.get(number)
        assert found is not None
        stories, reads = Stories(services), list[int]()
        read = stories._read

        def counted(queued: QueuedTransfer) -> Story:
            reads.append(queued.number)
            return read(queued)

        monkeypatch.setattr(stories, "_read", counted)
        first = stories.of(found)
        assert stories.of(found) is first
        other = Store.open(shown.paths.database)
        other.queue.add_attempt(number, replace(found.transfer, cause=Cause.NETWORK, detail="reset"))
        other.close()
        assert [attempt.detail for attempt in stories.of(found).attempts] == ["reset"]
        stories.of(found)
        assert reads == [number, number]


async def test_a_store_that_cannot_be_read_is_told_and_shows_nothing(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        number = held(shown, BIG)
        services = shown.app.services
        found = services.store.queue.get(number)
        assert found is not None
        with services.store.queue._database.writing() as connection:
            connection.execute("DROP TABLE transfer_layers")
        assert Stories(services).of(found) == Story()
        assert any("transfer_layers" in notice for notice in services.notices)


# --- the status line ---


def pulling(done: float, total: float | None, speed: float = 10e6, **more: Any) -> Transfer:
    return Transfer(
        parse("a:1b"), state=State.PULLING, done=round(done), seen=round(done), speed=speed, at=0,
        total=None if total is None else round(total), total_exact=total is not None, grown_at=0, **more,
    )  # fmt: skip


def test_how_long_all_pulls_take_at_their_common_speed() -> None:
    two = [pulling(1 * GB, 2 * GB), pulling(0, 3 * GB)]
    assert _left_ms(two, 20e6, 0) == 200_000
    waiting = replace(two[1], state=State.WAITING, speed=None)
    assert _left_ms([two[0], waiting], 10e6, 0) == 400_000
    assert _left_ms([two[0], pulling(0, None)], 20e6, 0) is None
    assert _left_ms(two, 0.0, 0) is None
    assert _left_ms([replace(two[0], ends_at=30_000, grown_at=9_000)], 10e6, 10_000) == 20_000


def test_every_screen_says_how_many_pulls_run_how_fast_and_how_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(app: ModelTuiApp) -> None:
        async with app.run_test(size=(120, 35)) as pilot:
            shown = Live(app, pilot, paths_under(tmp_path), None)
            moving = {"at": NOW, "grown_at": NOW}
            app.connection, app.models = ONLINE, INSTALLED
            app.transfers = (
                queued(1, BIG, **come(0, 15), **moving, state=State.PULLING, speed=60e6),
                queued(2, OTHER, **come(0, 15), **moving, state=State.PULLING, speed=24e6),
                queued(3, THIRD, state=State.PAUSED),
            )
            for key in ("1", "4", "5"):
                await shown.press(key)
                await shown.sees("↓ 2 pulls 84 MB/s, 5 min")

    with still_app(tmp_path, monkeypatch) as app:
        asyncio.run(look(app))
