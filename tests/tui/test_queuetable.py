"""How the queue looks at different sizes, and the mouse in it."""

from pathlib import Path

import pytest
from queued import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    BIG,
    OTHER,
    cursor,
    downloads,
    held,
    on_row,
    put,
)

from modeltui.domain.causes import Cause
from modeltui.domain.transfers import State
from modeltui.tui.screens.downloaddetails import TransferDetails
from modeltui.tui.widgets.queuetable import QueueTable


async def test_what_is_too_long_stands_below_in_full(tmp_path: Path) -> None:
    async with downloads(tmp_path, size=(80, 24)) as shown:
        long = "no space left on device while writing the blob that is the largest"
        number = put(
            shown, BIG, state=State.BLOCKED, cause=Cause.DISK, detail=long, total=4 * 10**9, done=10**9
        )
        calm = held(shown, OTHER, total=4 * 10**9, total_exact=True, done=10**9)
        await on_row(shown, number)
        await shown.sees(f" blocked: {long}", "→ free space on the server's disk", "at least 4 GB")
        await on_row(shown, calm)
        await shown.misses("free space")
        await shown.sees(" 1 of 4 GB")


@pytest.mark.parametrize(
    ("size", "there", "gone"),
    [
        ((100, 30), ["PROGRESS", "SIZE", "SPEED", "LEFT"], ["DONE"]),
        ((80, 24), ["PROGRESS", "LEFT"], ["SPEED"]),
        ((60, 20), ["LEFT"], ["PROGRESS", "SIZE"]),
        ((44, 20), [], ["LEFT"]),
    ],
)
async def test_columns_give_way_by_worth(
    tmp_path: Path, size: tuple[int, int], there: list[str], gone: list[str]
) -> None:
    async with downloads(tmp_path, size=size) as shown:
        held(shown, BIG, total=10**10, total_exact=True, done=5 * 10**9)
        await shown.sees(BIG, "paused by you", "50 %", "STATE", *there)
        assert not any(word in shown.text for word in gone)


async def test_a_thousandth_transfer_shows_its_whole_number(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        with shown.app.services.store.queue._database.writing() as connection:
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('transfers', 12344)")
        held(shown, BIG)
        await shown.until(lambda: "12345" in shown.line(BIG))


async def test_a_click_and_a_double_click(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        held(shown, BIG)
        second = held(shown, OTHER)
        await shown.sees(OTHER)
        await shown.pilot.click(QueueTable, offset=(5, 2))
        await shown.until(lambda: cursor(shown) == str(second))
        await shown.pilot.double_click(QueueTable, offset=(5, 2))
        await shown.until(lambda: isinstance(shown.app.screen, TransferDetails))
