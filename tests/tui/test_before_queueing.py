"""Between a name that is typed and its place in the queue: what is said, and what is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from live import Live, live
from shelf import Shelf
from textual.widgets import Input

from modeltui.demo.faults import Fault, Kind
from modeltui.demo.library import DemoModel, Library
from modeltui.domain.transfers import State
from modeltui.tui.screens.dialogs import Question, TextDialog

HUGE = DemoModel("huge:900t", "huge", 900 * 10**12)
"""More than any disk that a test runs on."""


async def pull(shown: Live, names: str, key: str = "enter") -> None:
    """Press p, type names, and give them."""
    await shown.press("p")
    await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
    shown.app.screen.query_one(Input).value = names
    await shown.press(key)


def queued(shown: Live) -> list[str]:
    return [row.transfer.name.short for row in shown.app.services.store.queue.all()]


def asks(shown: Live) -> bool:
    return isinstance(shown.app.screen, Question)


@asynccontextmanager
async def here(root: Path, **knobs: Any) -> AsyncIterator[Live]:
    """A server whose models directory is seen from here, with one model; what it moves comes at once."""
    shelf = Shelf(root / "models")
    library = Library(available=[HUGE, DemoModel("small:1b", "small", 1_000_000)])
    shelf.add(library, DemoModel("mine:1b"), b"weights")
    more = {"seed": library, "rate": 1e18, "verify_rate": 1e18, **knobs}
    async with live(root / "home", models=shelf.root, **more) as shown:
        yield shown


async def test_all_well_is_queued_at_once_and_says_its_size_and_what_is_there(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await pull(shown, "tiny-demo")
        await shown.until(lambda: shown.app.notice[0].startswith("tiny-demo:latest queued as 1: 2 MB"))
        assert not asks(shown)
        await pull(shown, "qwen3:8b")
        await shown.sees("qwen3:8b queued as 2: is installed and up to date, 5.23 GB · 4 shows it")


async def test_a_name_twice_is_one_and_one_that_stands_there_says_so(tmp_path: Path) -> None:
    async with live(tmp_path, rate=1e4) as shown:
        await pull(shown, "tiny-demo TINY-DEMO:latest")
        await shown.until(lambda: queued(shown) == ["tiny-demo:latest"])
        await pull(shown, "tiny-demo")
        await shown.until(lambda: "is in the queue as 1" in shown.app.notice[0])


@pytest.mark.parametrize(("key", "is_queued"), [("enter", False), ("escape", False), ("p", True)])
async def test_a_model_that_no_registry_knows_is_asked_about(
    tmp_path: Path, key: str, is_queued: bool
) -> None:
    async with live(tmp_path) as shown:
        await pull(shown, "nowhere:1b tiny-demo")
        await shown.sees("Its registry does not know nowhere:1b. Pull all the same?", "a private model")
        assert queued(shown) == []
        await shown.press(key)
        names = ["nowhere:1b", "tiny-demo:latest"] if is_queued else ["tiny-demo:latest"]
        await shown.until(lambda: sorted(queued(shown)) == names)


async def test_several_that_no_registry_knows_are_named(tmp_path: Path) -> None:
    async with live(tmp_path, size=(80, 24)) as shown:
        await pull(shown, "nowhere:1b nothing:2b")
        await shown.sees(
            "do not know these 2 models. Pull all the same?", "nowhere:1b, nothing:2b", "they answer"
        )


@pytest.mark.parametrize(("key", "is_queued"), [("enter", False), ("p", True)])
async def test_a_disk_without_room_is_asked_about(tmp_path: Path, key: str, is_queued: bool) -> None:
    async with here(tmp_path) as shown:
        await pull(shown, "huge:900t")
        await shown.sees("The disk of demo has no room for huge:900t. Pull all the same?")
        await shown.sees("needs  900 TB", "free ", str((tmp_path / "models").resolve())[:40], "leave it")
        assert queued(shown) == []
        await shown.press(key)
        await shown.until(lambda: not asks(shown))
        if is_queued:
            store = shown.app.services.store
            await shown.until(lambda: [row.is_forced for row in store.queue.all()] == [True])
            await shown.until(lambda: [row.transfer.state for row in store.queue.all()] == [State.INSTALLED])
        else:
            await pull(shown, "small:1b")
            await shown.until(lambda: queued(shown) == ["small:1b"])


async def test_several_without_room_are_named(tmp_path: Path) -> None:
    async with here(tmp_path) as shown:
        assert shown.server is not None
        shown.server.library.publish(DemoModel("vast:900t", "vast", HUGE.size))
        await pull(shown, "huge:900t small:1b vast:900t")
        await shown.sees("no room for these 3 models", "vast:900t: 900 TB", "needs  1800 TB")
        await shown.press("escape")
        await shown.until(lambda: not asks(shown))
        assert queued(shown) == []


async def test_a_registry_that_is_silent_holds_nothing_up_for_long(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.HANG, "/v2/library/tiny-demo/*"))
        await pull(shown, "tiny-demo")
        await pull(shown, "qwen3:0.6b")  # another name can be typed meanwhile
        await shown.until(lambda: sorted(queued(shown)) == ["qwen3:0.6b", "tiny-demo:latest"])


async def test_who_leaves_while_registries_are_asked_has_queued_it(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.HANG, "/v2/*", times=None))
        await pull(shown, "tiny-demo")
        await shown.until(lambda: not isinstance(shown.app.screen, TextDialog))
        await shown.app.stop_workers()  # as on the way out
        assert queued(shown) == ["tiny-demo:latest"]


async def test_a_name_that_is_no_tag_is_said_and_the_meant_one_queued(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.library.publish(DemoModel("llama3.1:8b", "llama", 2_000_000))
        await pull(shown, "llama3.1:8b-instruct")
        await shown.sees("llama3.1:8b-instruct is no tag")
        await shown.until(lambda: queued(shown) == ["llama3.1:8b"])


async def test_where_several_may_be_meant_they_are_named_and_nothing_is_queued(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await pull(shown, "llama3.1:13b")
        await shown.sees("llama3.1 has no 13b")
        assert queued(shown) == []


async def test_a_slip_names_what_is_near(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await pull(shown, "lama3.1:8b")
        await shown.sees("in the catalog near it: llama3.1:8b")
        assert asks(shown)
        await shown.press("escape")
        await shown.until(lambda: not asks(shown))
        assert queued(shown) == []
