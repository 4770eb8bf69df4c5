"""Looks that count for some seconds, and are shared by those who ask meanwhile."""

import asyncio
import threading

import pytest
from demo_stage import until  # type: ignore[import-not-found, unused-ignore]

from modeltui.services.looks import Looks


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


async def test_a_look_counts_for_its_time() -> None:
    clock, seen = Clock(), iter(range(9))
    looks = Looks(clock)
    ask = [("a", 3000), ("a", 3000), ("b", 3000)]
    assert [await looks.recent(*each, lambda: next(seen)) for each in ask] == [0, 0, 1]
    clock.now += 2999
    assert await looks.recent("a", 3000, lambda: next(seen)) == 0
    clock.now += 1
    assert await looks.recent("a", 3000, lambda: next(seen)) == 2
    looks.forget()
    assert await looks.recent("a", 3000, lambda: next(seen)) == 3


async def test_a_clock_that_goes_back_makes_it_old() -> None:
    clock, seen = Clock(), iter(range(9))
    looks = Looks(clock)
    await looks.recent("a", 3000, lambda: next(seen))
    clock.now -= 1
    assert await looks.recent("a", 3000, lambda: next(seen)) == 1


async def test_none_is_remembered_and_an_error_is_not() -> None:
    looks, asked = Looks(Clock()), []

    def nothing() -> None:
        asked.append(1)

    def broken() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await looks.recent("a", 3000, broken)
    await looks.recent("a", 3000, nothing)
    await looks.recent("a", 3000, nothing)
    assert len(asked) == 1


async def test_those_who_ask_meanwhile_wait_for_the_same_look() -> None:
    looks, asked = Looks(Clock()), []
    may_end = threading.Event()

    def look() -> str:
        asked.append(threading.current_thread() is threading.main_thread())
        may_end.wait(60)
        return "seen"

    tasks = [asyncio.create_task(looks.recent("a", 3000, look)) for _ in range(5)]
    await until(lambda: bool(asked))
    may_end.set()
    assert await asyncio.gather(*tasks) == ["seen"] * 5
    assert asked == [False], "once, and not on the event loop"
