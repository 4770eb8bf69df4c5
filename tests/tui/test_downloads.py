"""Downloads: the queue, and what its keys do."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from live import live
from queued import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    BIG,
    INSTALLED,
    OTHER,
    SMALL,
    THIRD,
    cursor,
    done,
    downloads,
    held,
    on_row,
    put,
    screen,
    state,
)
from textual.widgets import Input

from modeltui.demo.faults import Fault, Kind
from modeltui.domain.transfers import State, Wanted
from modeltui.errors import Refusal
from modeltui.tui.screens.dialogs import Question, TextDialog
from modeltui.tui.screens.downloaddeeds import wish
from modeltui.tui.screens.downloaddetails import TransferDetails
from modeltui.tui.widgets.queuetable import QueueTable


async def test_nothing_is_pulled_and_p_asks_for_a_name_and_its_end_is_history(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        await shown.sees(
            "Nothing is being pulled.", "p  pulls a model", "goes on at the next start", "p pull"
        )
        await shown.misses("x cancel")
        await shown.press("p")
        assert isinstance(shown.app.screen, TextDialog)
        assert shown.app.screen.query_one(Input).value == ""
        await shown.type(SMALL)
        await shown.press("enter")
        await shown.sees("── nothing is being pulled, p pulls a model ── history ──")
        await shown.until(lambda: "installed" in shown.line(SMALL) and "today" in shown.line(SMALL))
        assert "2 MB" in shown.line(SMALL)
        assert isinstance(shown.app.focused, QueueTable)


async def test_a_pull_shows_percent_bytes_speed_and_what_is_left(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        put(shown, BIG)
        put(shown, OTHER)
        await shown.sees("MODEL", "STATE", "PROGRESS", "DONE", "SIZE", "SPEED", "LEFT")
        await shown.until(
            lambda: all(word in shown.line(BIG) for word in ("pulling", "MB/s", "min", "20.2 GB"))
        )
        assert "░ " in shown.line(BIG)
        assert " % " in shown.line(BIG)
        assert shown.line(OTHER).split()[:3] == ["2", OTHER, "waiting"]


async def test_h_holds_and_lets_go_on(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        number = put(shown, BIG)
        await shown.until(lambda: "pulling" in shown.line(BIG))
        await shown.press("h")
        await shown.until(lambda: "paused by you" in shown.line(BIG))
        await shown.press("h")
        await shown.until(lambda: state(shown, number) is State.PULLING and "pulling" in shown.line(BIG))


async def test_a_note_that_needs_the_line_below_leaves_the_numbers_theirs(tmp_path: Path) -> None:
    async with downloads(tmp_path, size=(80, 24)) as shown:
        number = put(shown, BIG)
        await shown.until(lambda: done(shown, number) > 0)
        await shown.press("h")
        await shown.until(lambda: "paused by you" in shown.line(BIG))
        await shown.press("h")
        await shown.sees("pulling (resumed at ", "of 20.2 GB · ")


async def test_capital_h_holds_all_or_lets_all_go_on(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        numbers = [put(shown, name) for name in (BIG, OTHER)]
        await shown.until(lambda: "pulling" in shown.line(BIG) and "waiting" in shown.line(OTHER))
        await shown.press("H")
        await shown.until(lambda: all("paused by you" in shown.line(name) for name in (BIG, OTHER)))
        await shown.press("H")
        await shown.until(
            lambda: [state(shown, number) for number in numbers] == [State.PULLING, State.WAITING]
        )


async def test_del_forgets_one_that_has_ended_and_no_other(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        first, second = (put(shown, name, state=State.INSTALLED) for name in (SMALL, OTHER))
        open_one = held(shown, BIG)
        await on_row(shown, open_one)
        await shown.press("delete")
        await on_row(shown, second)
        await shown.press("delete")
        await shown.sees("1 finished transfer forgotten")
        await shown.until(lambda: not shown.line(OTHER))
        numbers = [row.number for row in shown.app.services.store.queue.all()]
        assert numbers == [open_one, first]


async def test_what_refuses_a_wish_stops_no_other(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        over, number = put(shown, SMALL, state=State.INSTALLED), held(shown, BIG)
        with pytest.raises(Refusal, match="nothing is left to cancel"):
            await wish(shown.app, [over, number], Wanted.CANCEL)
        await shown.until(lambda: state(shown, number) is State.CANCELLED)


async def test_x_asks_only_when_bytes_have_come(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        first, second = put(shown, BIG), put(shown, OTHER)
        await on_row(shown, second)
        await shown.press("x")
        await shown.until(lambda: state(shown, second) is State.CANCELLED)
        await shown.sees("── history ──", "cancelled")
        await on_row(shown, first)
        await shown.until(lambda: done(shown, first))
        await shown.press("x")
        await shown.sees(f"Cancel the pull of {BIG}?", "of 20.2 GB have come", "keep it")
        await shown.press("enter")
        await shown.misses("Cancel the pull")
        assert state(shown, first) is State.PULLING
        await shown.press("x")
        assert isinstance(shown.app.screen, Question)
        await shown.press("x")
        await shown.until(lambda: state(shown, first) is State.CANCELLED)
        await shown.until(lambda: "had come" in shown.line(BIG))


async def test_t_tries_a_failed_one_again_in_its_row(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        number = put(shown, "nosuch:1b")
        await shown.until(lambda: "✗" in shown.line("nosuch:1b") and "failed" in shown.line("nosuch:1b"))
        await shown.sees("→ check the name and the tag", "t try again")
        await shown.misses("h hold")
        await shown.press("t")
        row = shown.app.services.store.queue.get
        await shown.until(lambda: (found := row(number)) is not None and found.transfer.tries == 2)
        await shown.until(lambda: state(shown, number) is State.FAILED)
        assert cursor(shown) == str(number)


def _is(found: Callable[[], list[int]], expected: list[int]) -> bool:
    return found() == expected


async def test_plus_and_minus_move_within_the_queue(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        numbers = [held(shown, name) for name in (BIG, OTHER, THIRD)]

        def order() -> list[int]:
            return [row.number for row in shown.app.services.store.queue.open()]

        await on_row(shown, numbers[2])
        await shown.sees("+ up")
        await shown.misses("- down")
        moves = {"plus": [1, 3, 2], "equals_sign": [3, 1, 2], "minus": [1, 3, 2]}
        for key, expected in moves.items():
            await shown.press(key)
            await shown.until(partial(_is, order, expected))
            await shown.pilot.pause()
        assert cursor(shown) == "3"
        await shown.until(lambda: shown.text.index(BIG) < shown.text.index(THIRD) < shown.text.index(OTHER))


async def test_capital_c_forgets_what_has_ended(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        held(shown, BIG)
        for name in (OTHER, THIRD):
            put(shown, name, state=State.CANCELLED, ended=shown.app.now())
        await shown.sees("C clear", OTHER, THIRD)
        await shown.press("C")
        await shown.sees("2 finished transfers forgotten")
        await shown.misses("history")
        await shown.misses("C clear")
        assert BIG in shown.text


async def test_the_rule_is_no_row_and_the_newest_comes_first(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        now = shown.app.now()
        first = held(shown, BIG)
        put(shown, OTHER, state=State.CANCELLED, ended=now - 9 * 86_400_000)
        newest = put(shown, THIRD, state=State.CANCELLED, ended=now)
        await shown.sees("9 d ago", "today")
        await on_row(shown, first)
        await shown.press("down")
        assert cursor(shown) == str(newest)
        await shown.press("up")
        assert cursor(shown) == str(first)


async def test_enter_shows_the_tries_of_what_is_not_installed(tmp_path: Path) -> None:
    async with downloads(tmp_path, config="[downloads]\nretries = 3\n") as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.RESET, after_bytes=1_000_000, times=1))
        put(shown, BIG)
        await shown.until(lambda: shown.app.services.store.queue.attempts(1))
        await shown.press("enter")
        assert isinstance(shown.app.screen, TransferDetails)
        await shown.sees("state ", "bytes ", "digest ", "server    demo", "what went wrong", "network:")
        await shown.sees("pulling")
        await shown.press("escape")
        await shown.misses("what went wrong")


async def test_keys_of_a_model_stand_for_the_row_when_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with downloads(tmp_path) as shown:
        details: list[str] = []
        monkeypatch.setattr(shown.app, "show_details", details.append)
        missing, mine = held(shown, BIG), held(shown, INSTALLED)
        other = held(shown, INSTALLED, server="gpubox")
        await on_row(shown, mine)
        await shown.sees("s switch", "l load")
        assert [model.shown for model in screen(shown).chosen_models()] == [INSTALLED]
        await shown.press("enter")
        assert details == [INSTALLED]
        for number in (missing, other):
            await on_row(shown, number)
            await shown.misses("s switch")
            assert screen(shown).chosen_models() == []
        assert "paused by you · gpubox" in shown.text
        await on_row(shown, mine)
        await shown.press("g")
        await shown.until(lambda: shown.app.current_mode == "models")
        await shown.press("4")
        assert screen(shown).go_to(INSTALLED)
        assert not screen(shown).go_to("gpt-oss:20b")


async def test_y_copies_the_name_and_escape_takes_messages_away(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        await on_row(shown, held(shown, BIG))
        await shown.press("y")
        await shown.sees(f"copied: {BIG}")
        assert shown.app.clipboard == BIG
        shown.app.notify("words")
        await shown.press("escape")
        assert not len(shown.app._notifications)


async def test_a_wished_switch_is_said_beside_the_state(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        await shown.press("p")
        await shown.type(BIG)
        await shown.press("ctrl+s")
        await shown.until(lambda: "then switch" in shown.line(BIG))


async def test_wishes_work_while_no_server_answers(tmp_path: Path) -> None:
    async with live(tmp_path, url="http://127.0.0.1:9", wait=False) as shown:
        await shown.press("4")
        number = held(shown, BIG)
        await on_row(shown, number)
        await shown.until(lambda: not shown.app.connection.is_online and shown.app.connection.trouble)
        await shown.sees("h hold/resume", "x cancel", "p pull")
        await shown.press("x")
        await shown.until(lambda: state(shown, number) is State.CANCELLED)
        await shown.press("t")
        await shown.until(lambda: state(shown, number) is State.RETRYING)
        await shown.press("h")
        await shown.until(lambda: state(shown, number) is State.PAUSED)
