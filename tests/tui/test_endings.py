"""Ends of pulls are said: in one line, once, whether or not a screen was there to see them."""

from dataclasses import replace
from pathlib import Path

import pytest
from live import Live, live
from queued import put  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package

from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.store.ends import End
from modeltui.store.store import Store
from modeltui.tui.endings import ends_words

GOOD, BAD = State.INSTALLED, State.FAILED


def end(number: int, state: State, words: str = "") -> End:
    return End(number, number, parse(f"m{number}:1b"), state, words or f"m{number}:1b {state}")


def test_the_words_of_one_and_of_many() -> None:
    assert ends_words([end(1, GOOD, "m1:1b installed, 5 GB")], "4") == "m1:1b installed, 5 GB"
    fifty = [end(number, GOOD if number < 48 else BAD) for number in range(50)]
    assert ends_words(fifty, "4") == "50 pulls ended: 48 installed, 2 failed · 4 shows them"
    mixed = [end(1, BAD), end(2, State.CANCELLED)]
    assert ends_words(mixed, "") == "2 pulls ended: 1 failed, 1 cancelled"
    assert ends_words([end(1, BAD), end(1, GOOD, "at last")], "4") == "at last", "it was tried again"


async def free_line(shown: Live) -> None:
    """The first start chooses a current model and says so for a while: that is over."""
    await shown.sees("z undoes that")
    shown.app._forget()
    await shown.misses("z undoes that")


def ends(shown: Live, numbers: range, state: State = GOOD) -> None:
    """Rows that went straight to their end, all between two looks."""
    for number in numbers:
        put(shown, f"m{number}:1b", state=state, ended=shown.app.now())


async def test_fifty_between_two_looks_are_one_line(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await free_line(shown)
        ends(shown, range(48))
        ends(shown, range(48, 50), BAD)
        await shown.sees("50 pulls ended: 48 installed, 2 failed · 4 shows them")
        assert shown.app._waiting == []
        assert shown.app.services.store.ends.untold() == ()


async def test_those_that_follow_join_the_line_that_stands(tmp_path: Path) -> None:
    async with live(tmp_path, config='[keys]\ndownloads = "W"\n') as shown:
        await free_line(shown)
        ends(shown, range(1))
        await shown.sees("m0:1b installed")
        ends(shown, range(1, 3))
        await shown.sees("3 pulls ended: 3 installed · W shows them")
        shown.app._forget()
        await shown.misses("pulls ended")
        ends(shown, range(3, 4))
        await shown.sees("m3:1b installed")


async def test_those_that_follow_join_the_line_that_waits(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await free_line(shown)
        shown.app.tell("something else")
        for numbers in (range(2), range(2, 5)):
            ends(shown, numbers)
            await shown.until(lambda: not shown.app.services.store.ends.untold())
        await shown.press("4")
        assert "something else" in shown.text
        assert len(shown.app._waiting) == 1
        ends(shown, range(5, 6), State.CANCELLED)
        await shown.until(lambda: not shown.app.services.store.ends.untold())
        shown.app._forget()
        await shown.sees(" 6 pulls ended: 5 installed, 1 cancelled ")


async def test_a_row_that_was_cleared_before_it_was_seen_is_told(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await free_line(shown)
        number = put(shown, "gone:1b", state=BAD, detail="no such model", ended=shown.app.now())
        shown.app.services.store.queue.remove([number])
        await shown.sees("gone:1b: failed: no such model")


async def test_what_ended_while_no_screen_was_there_is_told_once(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await free_line(shown)
        path = shown.paths.database
    store = Store.open(path)
    server = next(iter(store.facts.servers()))
    for at, name in enumerate(("one:1b", "two:1b"), 1):
        row, _ = store.queue.enqueue(server, parse(name), at)
        store.queue.save(row.number, replace(row.transfer, state=GOOD, ended=at))
    store.queue.remove([1])
    store.close()
    async with live(tmp_path) as shown:
        await shown.until(lambda: shown.app.is_telling("2 pulls ended: 2 installed"))
    async with live(tmp_path) as shown:
        ends(shown, range(1))
        await shown.until(lambda: shown.app.is_telling("m0:1b installed"))
        assert not any("pulls ended" in words for words, _ in (shown.app.notice, *shown.app._waiting))


@pytest.mark.parametrize("waits", [False, True], ids=["said", "waiting"])
async def test_nobody_is_sent_to_what_was_cleared(tmp_path: Path, waits: bool) -> None:
    async with live(tmp_path) as shown:
        await free_line(shown)
        if waits:
            shown.app.tell("something else")
        ends(shown, range(2), BAD)
        await shown.until(lambda: shown.app.is_telling("2 pulls ended: 2 failed · 4 shows them"))
        other = Store.open(shown.paths.database)
        other.queue.remove([row.number for row in other.queue.all()])
        other.close()
        await shown.until(lambda: shown.app.is_telling("2 pulls ended: 2 failed"))
        assert len((shown.app.notice[0], *shown.app._waiting)) == 1 + waits


async def test_a_wished_switch_follows_though_the_row_is_gone(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await free_line(shown)
        number = put(shown, "qwen3:8b", state=GOOD, ended=shown.app.now())
        shown.app.switch_when_done = number
        shown.app.services.store.queue.remove([number])
        await shown.until(lambda: "●" in shown.line("qwen3:8b"), 30)
        assert shown.app.switch_when_done is None
