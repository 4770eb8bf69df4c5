"""Every screen against servers, stores and settings that lie: no crash, no harm, nothing done by mistake."""

import asyncio
import json
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pynvml
import pytest
import stand_in_nvml
from hostility import HOSTILITIES, harmful_characters, shorten_limits
from live import Live, live
from ptys import Pty, environ_for
from queued import downloads, on_row, put, state
from rich.cells import cell_len
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.screen import Screen
from textual.widgets import Input
from textual.widgets._toast import Toast

from modeltui.demo.faults import Fault, Faults, Kind, Trouble
from modeltui.demo.library import DemoModel, Library
from modeltui.demo.server import DemoServer
from modeltui.demo.twist import HOSTILE_TEXTS
from modeltui.domain.machines.hardware import Cpu, Disk, Gpu, Gpus, Host, Memory, VramVerdict
from modeltui.domain.names import from_listed
from modeltui.domain.transfers import State, Wanted
from modeltui.errors import ConfigError
from modeltui.paths import paths_under
from modeltui.services.library import Entry
from modeltui.services.monitoring import RunningNow
from modeltui.services.pulls import Pulls
from modeltui.text import clean_line
from modeltui.tui.polling import Polling
from modeltui.tui.screens.catalog import CatalogScreen
from modeltui.tui.screens.catalogdetails import CatalogDetails
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.dialogs import Question, TextDialog
from modeltui.tui.screens.downloaddetails import TransferDetails
from modeltui.tui.screens.downloadstory import Stories
from modeltui.tui.screens.models import ModelsScreen
from modeltui.tui.screens.recommend import RecommendScreen
from modeltui.tui.screens.running import RunningScreen
from modeltui.tui.state import Phase
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.lines import Lines
from modeltui.tui.widgets.table import Table

ALL = " ".join(HOSTILE_TEXTS[:7] + HOSTILE_TEXTS[8:])
NO_NAMES = (
    *HOSTILE_TEXTS,
    "",
    " qwen3:8b",
    "qwen3:8b\u200b",
    "qwen3\u00ad:8b",
    "../../etc/passwd",
    "-rf",
    "n" * 5000,
    "модель:8b",
    "ｗｉｄｅ" * 40,
    "Z" + "\u0301" * 300,
    "[$error]x[/]",
    "\\[/x]",
)
"""What is no model's name, by Ollama's own rules."""
NO_WORDS = tuple(
    text
    for text in NO_NAMES
    if text.strip() not in ("", "qwen3:8b") and text not in (HOSTILE_TEXTS[7], HOSTILE_TEXTS[8])
)
"""The same without what a person may type: it is trimmed, and only its first line counts."""
STOPPED = frozenset({State.RETRYING, State.FAILED, State.BLOCKED, State.INSTALLED})
OVER = frozenset({State.CANCELLED, State.FAILED, State.INSTALLED})
STREAMS = ("hostile strings", "wrong types", "500 with words")
KEYS = {
    "s": "switch", "l": "load", "u": "unload", "d": "delete", "n": "pin", "e": "keep_alive", "c": "copy",
    "R": "rename", "y": "copy_name", "g": "go_elsewhere",
}  # fmt: skip
MODES = {"models": "1", "downloads": "4", "running": "5"}
ASKED_BY_ITSELF = {"/api/tags", "/api/ps", "/api/version"}
OWN = re.compile(r"\x1b\[[\d;]*[mH]")  # how Textual colours and moves


@dataclass
class Seen:
    """What was painted, written and asked while a test ran, and how often the server was looked at."""

    harm: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    looks_begun: int = 0
    looks_ended: int = 0

    @property
    def deeds(self) -> list[tuple[str, str]]:
        """What was asked that no poller asks."""
        return [each for each in self.asked if each[0] not in ASKED_BY_ITSELF]


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Every frame of every test as a terminal would get it is looked through."""
    found = Seen()
    display, take, look, write = App._display, Faults.take, Polling._look, HeadlessDriver.write

    def displayed(app: App[int], screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            frame = OWN.sub("", renderable.render_segments(app.console))
            found.harm |= harmful_characters(frame) - {"\n"}
        display(app, screen, renderable)

    def taken(faults: Faults, path: str, name: str) -> Trouble:
        found.asked.append((path, name))
        return take(faults, path, name)

    async def looked(polling: Polling) -> None:
        found.looks_begun += 1
        try:
            await look(polling)
        finally:
            found.looks_ended += 1

    def wrote(driver: HeadlessDriver, data: str) -> None:
        if "\x1b]22;" not in data:  # the shape of the pointer
            found.written.append(data)
        write(driver, data)

    monkeypatch.setattr(App, "_display", displayed)
    monkeypatch.setattr(Faults, "take", taken)
    monkeypatch.setattr(Polling, "_look", looked)
    monkeypatch.setattr(HeadlessDriver, "write", wrote)
    monkeypatch.setattr("random.random", lambda: 0.0)
    yield found
    assert found.harm == set()


async def look(shown: Live, seen: Seen) -> None:
    """Let the poller look at the server once more, from now on, and the screen show what came of it."""
    wanted = seen.looks_begun + 1
    shown.app.refresh_soon()
    await shown.until(lambda: seen.looks_ended >= wanted)
    await shown.pilot.pause()
    check(shown)


def check(shown: Live) -> None:
    """What holds whatever is shown."""
    assert shown.app.is_running
    assert shown.app._exception is None
    for strip in shown.app.screen._compositor.render_strips():
        assert harmful_characters(strip.text) == set()
        assert cell_len(strip.text) == shown.app.size.width
    for notification in shown.app._notifications:
        assert "a defect of modeltui" not in notification.message
        assert harmful_characters(notification.message) <= {"\n"}
    assert harmful_characters(shown.app.clipboard) == set()


def trouble(shown: Live, kind: Kind, path: str = "/api/*", **more: Any) -> None:
    assert shown.server is not None
    shown.server.faults.clear()
    shown.server.faults.add(Fault(kind, path=path, **{"times": None, **more}))


def row(name: object, **more: object) -> dict[str, object]:
    """A row of `/api/tags` or `/api/ps`."""
    return {"name": name, "model": name, "size": 5, "size_vram": 5, **more}


def listed(shown: Live, rows: list[Any], *paths: str) -> None:
    """From now on the server lists these rows as installed (or as `paths` say)."""
    assert shown.server is not None
    body = json.dumps({"models": rows})
    for path in paths or ("/api/tags",):
        shown.server.faults.add(Fault(Kind.STATUS, path, times=None, value=[200, body]))


def offered(shown: Live) -> set[str]:
    """The actions that keys of the top screen would run now."""
    active = shown.app.screen.active_bindings.values()
    return {each.binding.action for each in active if each.enabled}


async def on_top(shown: Live, kind: type[Screen[Any]]) -> None:
    await shown.until(lambda: isinstance(shown.app.screen, kind))
    await shown.pilot.pause()


async def go_to(shown: Live, sent: str) -> None:
    assert isinstance(shown.app.screen, ModelsScreen)
    assert shown.app.screen.go_to(sent)
    await shown.until(lambda: table(shown).cursor_key == sent)
    await shown.pilot.pause()


def refused(shown: Live) -> None:
    """Give what stands in a dialog; it says why that is no answer."""
    dialog = shown.app.screen
    assert isinstance(dialog, TextDialog)
    dialog.action_give(False)
    assert dialog.query_one(".problem", Lines).lines[0]
    assert shown.app.screen is dialog
    check(shown)


async def paste(shown: Live, text: str) -> None:
    focused = shown.app.screen.focused
    assert isinstance(focused, FilterLine | Input)
    pasted = events.Paste(text)
    focused.post_message(pasted)
    await shown.until(lambda: pasted._stop_propagation)  # it was taken
    check(shown)


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_limits(monkeypatch, most=1_000_000)


class TestServers:
    @pytest.mark.usefixtures("short_limits")
    @pytest.mark.parametrize("mode", ["models", "running", "downloads", "catalog", "recommend"])
    async def test_a_screen_survives_every_hostility(self, tmp_path: Path, seen: Seen, mode: str) -> None:
        async with live(tmp_path, size=(110, 30)) as shown:
            await shown.app.action_show_screen(mode)
            for kind, value, is_answer in HOSTILITIES.values():
                trouble(shown, kind, value=value)
                await look(shown, seen)
                connection = shown.app.connection
                assert is_answer is connection.is_online, kind
                if not is_answer:
                    assert connection.phase is Phase.OFFLINE
                    assert connection.trouble is not None
                elif mode == "models":
                    assert all(entry.model.name is None for entry in shown.app.models.entries)
                mine = {"copy_name", "go_elsewhere"} if mode in ("catalog", "recommend") else set()
                assert not offered(shown) & ({*KEYS.values()} - mine)  # `mine`: of the catalog's own names
                if mode in ("downloads", "catalog", "recommend"):
                    assert "pull" in offered(shown)  # a wish, and nothing is sent now
            assert shown.server is not None
            shown.server.faults.clear()
            await look(shown, seen)
            assert shown.app.connection.is_online
            assert shown.app.models.entry("qwen3:8b") is not None
        assert {path for path, _ in seen.deeds} <= {"/api/show"}  # of the model that became current at first

    @pytest.mark.usefixtures("short_limits")
    async def test_details_survive_whatever_is_said_of_a_model(self, tmp_path: Path) -> None:
        async with live(tmp_path, size=(90, 40)) as shown:
            shown.app.show_details("qwen3:8b")
            await shown.sees("architecture    qwen3")
            details = shown.app.screen
            assert isinstance(details, DetailsScreen)
            for kind, value, is_answer in HOSTILITIES.values():
                trouble(shown, kind, "/api/show", value=value)
                details.facts = details.trouble = None
                details.ask_again()
                await shown.until(
                    lambda: details.facts or details.trouble or entry_of(shown, "qwen3:8b").damage
                )
                await shown.pilot.pause()
                check(shown)
                assert (details.trouble is None) is is_answer, kind

    async def test_numbers_and_times_at_their_edges(self, tmp_path: Path, seen: Seen) -> None:
        edges: list[dict[str, object]] = [
            {"size": 2**63 - 1, "size_vram": 2**63 - 1, "context_length": 2**63 - 1},
            {"size": 0, "size_vram": 5, "expires_at": "9999-12-31T23:59:59.999999999Z"},
            {
                "size": -1,
                "size_vram": -1,
                "modified_at": "9999-12-31T23:59:59Z",
                "expires_at": "0001-01-01T00:00:00Z",
            },
            {"size": 1e999, "modified_at": "1970-01-01T00:00:00Z", "expires_at": "2318-01-01T00:00:00+23:59"},
            {"size": 5, "size_vram": 10**30, "expires_at": "x" * 5000, "modified_at": 10**400},
        ]
        rows = [row(f"edge{at}:latest", digest=f"{at}" * 64, **edge) for at, edge in enumerate(edges)]
        rows = [{**each, "details": {"context_length": each.get("context_length")}} for each in rows]
        async with live(tmp_path, size=(160, 30)) as shown:
            listed(shown, [*rows, *rows, None, 5, "row", [], {}], "/api/tags", "/api/ps")
            await look(shown, seen)
            await shown.sees("edge0", "edge4")
            for key in "ooooo":
                await shown.press(key, "end")
                check(shown)
            await shown.press("5")
            await look(shown, seen)
            await shown.sees("edge0", "edge4")


def entry_of(shown: Live, sent: str) -> Entry:
    entry: Entry | None = shown.app.models.entry(sent)
    assert entry is not None
    return entry


async def press_in_vain(shown: Live, seen: Seen, before: type[Screen[Any]]) -> None:
    """Press every key that does something with a model: nothing opens, and nothing is sent."""
    asked, clipboard = len(seen.deeds), shown.app.clipboard
    await shown.press(*KEYS)
    assert type(shown.app.screen) is before
    assert not any(worker.group == "act" for worker in shown.app.workers)
    assert len(seen.deeds) == asked
    assert (shown.app.clipboard, seen.written) == (clipboard, [])
    check(shown)


async def pull_suggests_nothing(shown: Live) -> None:
    await shown.press("p")
    await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
    assert shown.app.screen.query_one(Input).value == ""
    check(shown)
    await shown.press("escape")
    await shown.until(lambda: not isinstance(shown.app.screen, TextDialog))


class TestNoNames:
    async def test_nothing_is_offered_on_what_is_no_name(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            listed(shown, [row(name) for name in NO_NAMES])
            await look(shown, seen)
            screen = shown.app.screen
            assert isinstance(screen, ModelsScreen)
            assert [entry.model.sent for entry in shown.app.models.entries] == list(NO_NAMES)
            for name in NO_NAMES:
                assert screen.go_to(name)
                await shown.until(lambda name=name: table(shown).cursor_key == name)
                screen._settled()  # as the pane does a moment later
                await shown.sees("no valid name")
                check(shown)
                assert not offered(shown) & {*KEYS.values()}
            for name in ("[@click=app.quit]x[/]", " qwen3:8b"):
                assert screen.go_to(name)
                await press_in_vain(shown, seen, ModelsScreen)
                await pull_suggests_nothing(shown)

    async def test_a_mark_on_a_real_name_does_not_carry_another_along(
        self, tmp_path: Path, seen: Seen
    ) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            listed(shown, [row("qwen3:8b"), row("[/x]")])
            await look(shown, seen)
            await shown.press("home", "space", "space")
            assert table(shown).marked == {"qwen3:8b", "[/x]"}
            await press_in_vain(shown, seen, ModelsScreen)

    async def test_details_show_it_cleaned_and_offer_nothing(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            listed(shown, [row(name, details={"family": ALL}) for name in NO_NAMES])
            await look(shown, seen)
            for name in NO_NAMES[1::3]:
                shown.app.show_details(name)
                await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
                await shown.sees("no valid name: nothing can be asked about it or done with it")
                assert (clean_line(name)[:20] or "(no name)") in shown.text.replace("  ", " ").replace(
                    "  ", " "
                )
                check(shown)
                assert not offered(shown) & {*KEYS.values()}
                await shown.press("escape")
                await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))
            assert not seen.deeds or {path for path, _ in seen.deeds} == {"/api/show"}
            shown.app.show_details("[@click=app.quit]x[/]")
            await shown.sees("no valid name")
            await press_in_vain(shown, seen, DetailsScreen)
            await shown.press("r")
            assert isinstance(shown.app.screen, DetailsScreen)
            assert not shown.app.screen._is_asking
            await pull_suggests_nothing(shown)

    async def test_details_of_what_is_no_name_stay_so_when_it_goes(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            assert shown.server is not None
            for name in (" qwen3:8b", HOSTILE_TEXTS[0], "lone \ud800 surrogate"):
                listed(shown, [row(name, digest="a" * 64)])
                await look(shown, seen)
                shown.app.show_details(name)
                await shown.sees("no valid name")
                shown.server.faults.clear()
                await look(shown, seen)
                await shown.press("r", "s", "d", "y", "g")
                details = shown.app.screen
                assert isinstance(details, DetailsScreen)
                await shown.until(lambda details=details: not details._is_asking)
                assert details.facts is None  # of another model
                await pull_suggests_nothing(shown)
                await shown.press("escape")

    async def test_nothing_is_offered_while_the_server_is_away(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            listed(shown, [row(HOSTILE_TEXTS[0])])
            await look(shown, seen)
            trouble(shown, Kind.RESET)
            await look(shown, seen)
            assert not shown.app.connection.is_online
            await shown.sees("·[2J·[31mred")
            await press_in_vain(shown, seen, ModelsScreen)
            shown.app.show_details(HOSTILE_TEXTS[0])
            await shown.sees("·[2J·[31mred")
            await press_in_vain(shown, seen, DetailsScreen)

    async def test_running_offers_nothing_on_it(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            rows = [row(name, details={"family": ALL, "parameter_size": "[/x]"}) for name in NO_NAMES]
            listed(shown, rows, "/api/ps")
            await shown.press("5")
            await look(shown, seen)
            running = table(shown)
            assert running.count == len(NO_NAMES)
            for name in NO_NAMES:
                assert running.go_to(name)
                check(shown)
                assert not offered(shown) & {*KEYS.values(), "details"}
            await press_in_vain(shown, seen, RunningScreen)
            await shown.press("enter")
            assert isinstance(shown.app.screen, RunningScreen)

    async def test_the_filter_takes_it_typed_and_pasted(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            listed(shown, [row(name) for name in NO_NAMES])
            await look(shown, seen)
            await shown.press("slash")
            line = shown.app.screen.query_one(FilterLine)
            for text in NO_NAMES:
                await paste(shown, text)
                assert harmful_characters(line.text) == set()
                line.text = ""
            for text in ("[/x]", "[$error]"):
                await paste(shown, text)
                assert table(shown).count == sum(text in name for name in NO_NAMES)
                await shown.press("ctrl+u")
            await shown.pilot.press("left_square_bracket", "slash", "x", "right_square_bracket")
            await shown.until(lambda: line.text == "[/x]")
            check(shown)

    async def test_the_palette_knows_no_such_model(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            listed(shown, [row(name) for name in NO_NAMES])
            await look(shown, seen)
            await shown.press("ctrl+p")
            line = shown.app.screen.query_one(FilterLine)
            for text in NO_NAMES:
                await paste(shown, text)
                assert table(shown).count == 0 or not line.text
                line.text = ""
            await paste(shown, "[@click=app.quit]x[/]")
            await shown.press("enter")
            await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))
            check(shown)


def table(shown: Live) -> Table[Any]:
    return cast("Table[Any]", shown.app.screen.query_one(Table))


class TestWords:
    """Names that are valid and unpleasant, and words that look like markup or commands."""

    async def test_dialogs_hold_the_longest_and_oddest_names(self, tmp_path: Path) -> None:
        long = f"{'h' * 250}/{'n' * 80}/{'m' * 80}:{'t' * 80}"
        names = (long, "__init__:__class__")
        library = Library([DemoModel(name, weights=name) for name in names])
        async with live(tmp_path, size=(44, 20), seed=library) as shown:
            await shown.until(lambda: shown.app.undo_choice is not None)
            await shown.press("z")  # to what is current there is no switch
            await shown.until(lambda: shown.app.models.current is None)
            for name in names:
                for key, kind in (("d", Question), ("s", Question), ("R", TextDialog), ("p", TextDialog)):
                    await go_to(shown, name)
                    await shown.press(key)
                    await on_top(shown, kind)
                    check(shown)
                    if kind is TextDialog:
                        assert shown.app.screen.query_one(Input).value == name
                    await shown.press("escape")
                    await on_top(shown, ModelsScreen)
            shown.app.show_details(long)
            await on_top(shown, DetailsScreen)
            check(shown)
            await shown.press("escape", "ctrl+p")
            await paste(shown, "hhh")

    @pytest.mark.parametrize("key", ["p", "R", "e"])
    async def test_what_is_pasted_into_a_dialog_is_refused(
        self, tmp_path: Path, seen: Seen, key: str
    ) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            await shown.press("end", key)
            await on_top(shown, TextDialog)
            dialog, deeds = shown.app.screen, len(seen.deeds)
            for text in (*NO_WORDS, "n" * 50_000, ALL, "x\x1b[201~\x1b]0;x\x07"):
                dialog.query_one(Input).value = ""
                await paste(shown, text)
                assert dialog.query_one(Input).value
                assert harmful_characters(dialog.query_one(Input).value) == set()
                refused(shown)
            assert len(seen.deeds) == deeds
            assert not shown.app.transfers

    async def test_a_toast_shows_words_as_they_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        markup = ("[/x]", "[@click=app.bell]click[/]", "[$error]y[/]", "[b]bold", "[link='http://a']")
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            rung: list[str] = []
            monkeypatch.setattr(shown.app, "bell", lambda: rung.append("bell"))
            await go_to(shown, "qwen3:8b")
            body = json.dumps({"error": f"{' '.join(markup)} \x1b]0;z\x07 \x1b[2J \u202e \ud800"})
            trouble(shown, Kind.STATUS, "/api/generate", value=[500, body])
            await shown.press("l")
            await shown.sees("cannot load qwen3:8b", "·]0;z·", "·[2J", *markup)
            check(shown)
            lines = shown.text.splitlines()
            at = next(y for y, line in enumerate(lines) if "]click[" in line)
            await shown.pilot.click(offset=(lines[at].index("]click[") + 3, at))
            await shown.until(lambda: not shown.app.screen.query(Toast))
            assert rung == []
            assert shown.app.is_running

    async def test_what_is_said_on_any_line(self, tmp_path: Path) -> None:
        async with live(tmp_path) as shown:
            for text in NO_NAMES:
                shown.app.tell(text)
                shown.app.tell_in_turn(text)
                shown.app.set_doing("qwen3:8b", text)
                check(shown)
            await shown.press("question_mark", "slash")
            for text in HOSTILE_TEXTS:
                await paste(shown, text)
                shown.app.screen.query_one(FilterLine).text = ""

    async def test_plain_terminals(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path, glyphs="ascii", colour="none", size=(60, 30)) as shown:
            listed(shown, [row(name) for name in NO_NAMES])
            await look(shown, seen)
            await shown.sees("[/x]")
            assert all(line.isascii() for line in shown.text.splitlines())


class TestDownloads:
    async def test_the_dialog_refuses_what_is_no_name(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.press("4", "p")
            await on_top(shown, TextDialog)
            dialog = shown.app.screen
            for text in NO_WORDS:
                dialog.query_one(Input).value = text
                refused(shown)
            await shown.press("escape")
            assert shown.app.services.store.queue.all() == ()

    async def test_streams_that_lie(self, tmp_path: Path) -> None:
        streams = [HOSTILITIES[name][:2] for name in STREAMS]
        streams += [(Kind.STREAM_ERROR, ALL)]
        async with downloads(tmp_path, rate=2e9) as shown:
            for kind, value in streams:
                trouble(shown, kind, "/api/pull", value=value)
                number = put(shown, "tiny-demo")
                await shown.until(lambda number=number: state(shown, number) in STOPPED)
                await on_row(shown, number)
                check(shown)
                await shown.press("enter")
                await shown.until(lambda: len(shown.app.screen_stack) == 2)  # of the pull, or of the model
                await shown.pilot.pause()
                check(shown)
                await shown.press("escape")
                if state(shown, number) not in OVER:
                    Pulls(shown.app.services).ask(number, Wanted.CANCEL)
                await shown.until(lambda number=number: state(shown, number) in OVER)
            for size in ((44, 12), (200, 50)):
                await shown.pilot.resize_terminal(*size)
                await shown.pilot.pause()
                check(shown)

    async def test_words_in_the_queue_that_nobody_cleaned(self, tmp_path: Path) -> None:
        async with downloads(tmp_path) as shown:
            queue = shown.app.services.store.queue
            for at, text in enumerate(NO_NAMES):
                words = text.replace("\ud800", "")  # SQLite takes no surrogates
                how = State.FAILED if at % 2 else State.BLOCKED
                number = put(shown, f"m{at}", state=how, detail=words, ended=shown.app.now())
                found = queue.get(number)
                assert found is not None
                queue.add_attempt(number, found.transfer)
            for found in queue.all()[::2]:
                await on_row(shown, found.number)
                check(shown)
            for found in queue.all()[::4]:
                shown.app.push_screen(TransferDetails(found, ALL, Stories(shown.app.services)))
                await on_top(shown, TransferDetails)
                check(shown)
                await shown.press("end", "escape")


class TestMachine:
    async def test_names_and_numbers_of_cards_and_disks(self, tmp_path: Path) -> None:
        async with live(tmp_path, size=(120, 40)) as shown:
            await shown.press("5")
            for text in NO_NAMES:
                most, least = 2**63 - 1, -(2**31)
                cards = tuple(
                    Gpu(at, text, text, count, count, count, count, count, count, count)
                    for at, count in enumerate((most, least, 0, None))
                )
                for gpus in (cards[:1], cards, ()):
                    disk, memory = Disk(text, most, least), Memory(most, least)
                    host = Host(Gpus(gpus, text, complete=False), Cpu(text, most, 1e300), memory, (disk,))
                    running_now(shown, host, text)
                running_now(shown, None, text)


def running_now(shown: Live, host: Host | None, why: str) -> None:
    shown.app.running_now = RunningNow(shown.app.now(), (), VramVerdict.CONTRADICTED, host, why)
    check(shown)


CONFIGURATION = r"""
theme = "\u001b]0;x\u0007[/x]\u202e"
glyphs = "\u001b[2J"
"un\u001b[2Jknown" = 1
default_model = "\u001b[2J[/x]"
[keys]
sort = "\u001b[2J"
switch = ",,,"
"\u001b[31m" = "x"
load = "ctrl+[/x]\u200b"
delete = "[@click=app.quit]"
[tui.columns]
models = ["\u001b[2J", "name", "name", "mark", "size", "[/x]"]
"\u202e" = ["x"]
[poll]
models_s = "\u001b[2J"
[servers."[@click=app.quit]other[/]"]
url = "http://127.0.0.1:9"
local = false
"""


class TestConfiguration:
    async def test_labels_of_servers(self, tmp_path: Path) -> None:
        async with live(tmp_path, label="[@click=app.quit]x[/] [/x]", size=(100, 24)) as shown:
            check(shown)
            for key in "451":
                await shown.press(key)
                check(shown)
            await shown.press("end", "d")
            await on_top(shown, Question)
            check(shown)

    async def test_a_label_that_could_steer_a_terminal_is_refused(self, tmp_path: Path) -> None:
        label = ALL.replace("\ud800", "").replace("\0", "")  # TOML has no surrogates
        with pytest.raises(ConfigError) as refused:
            async with live(tmp_path, label=label):
                pass
        assert not harmful_characters(str(refused.value))
        assert refused.value.remedy == "rename it"

    async def test_themes_keys_and_columns(self, tmp_path: Path) -> None:
        async with live(tmp_path, config=CONFIGURATION) as shown:
            notices = [*shown.app.services.notices]
            assert len(notices) > 2
            assert any("there is no theme" in notice for notice in notices)
            for notice in notices:
                shown.app.tell(notice)
                check(shown)
            assert shown.line("NAME").split()[:2] == ["NAME", "SIZE"]
            await shown.press("question_mark")
            await shown.sees("KEYS", "·[2J", "[@click=app.q")
            check(shown)
            await shown.press("escape", "ctrl+p")
            await paste(shown, "delete")


SERIES_TEXTS = ("publisher", "description", "family", "license", "line", "base_model", "url", "note")
ESCAPES = tuple(text for text in NO_NAMES if text.strip() and not {*text} & {"\ud800", "\0"})
"""Of these TOML can hold every one."""


def quoted(text: str) -> str:
    """A text as TOML writes it: as JSON does, but for DEL."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def own_catalog(root: Path) -> list[str]:
    """A file of the user's whose every text is hostile; returns the names of its models."""
    lines, names = [], []
    for at, text in enumerate(ESCAPES):
        names.append(f"hostile{at}:8b")
        lines += [f"[series.hostile{at}]", *(f"{key} = {quoted(text)}" for key in SERIES_TEXTS)]
        lines += [f"use_cases = [{quoted(text)}]", f"succeeds = [{quoted(text)}]", 'type = "general"']
        lines += ['capabilities = ["completion", "tools"]', 'released = "2026-07"', 'requires = "0.1.0"']
        lines += [f'[series.hostile{at}.tags."8b"]', 'size = "5GB"', 'parameters = "8B"', 'context = "128k"']
        lines += [f"quantization = {quoted(text)}", f"note = {quoted(text)}"]
        lines += [f"[series.{quoted(text)}]", f"license = {quoted(text)}"]
        lines += [f"[series.hostile{at}.tags.{quoted(text)}]", f"size = {quoted(text)}"]
    directory = paths_under(root).config / "catalog.d"
    directory.mkdir(parents=True)
    (directory / "hostile.toml").write_text("\n".join(lines), encoding="utf-8")
    return names


def hostile_card(text: str) -> str:
    """A configured card whose name is hostile."""
    return f'[servers.demo.hardware]\ngpus = [{quoted(f"{text} 24GB@900GB/s")}]\nram = "64GB"\n'


class TestOffers:
    """The catalog and the ranking: the user's own file, names of cards, words that are typed."""

    async def test_a_catalog_of_hostile_texts(self, tmp_path: Path) -> None:
        names = own_catalog(tmp_path)
        async with live(tmp_path, config=hostile_card("x"), size=(120, 40)) as shown:
            await shown.press("2")
            await shown.until(lambda: shown.app.catalog is not None and table(shown).count)
            check(shown)
            catalog = shown.app.screen
            assert isinstance(catalog, CatalogScreen)
            for name in names:
                assert catalog.go_to(name)
                await shown.until(lambda name=name: table(shown).cursor_key == name)
                await shown.until(lambda: "fit not judged yet" not in shown.text)
                await shown.pilot.pause(0.1)
                check(shown)
                await shown.press("enter")
                await on_top(shown, CatalogDetails)
                await shown.press("end")
                check(shown)
                await shown.press("escape", "y", "p")
                await on_top(shown, Question)
                check(shown)
                await shown.press("escape")
                await on_top(shown, CatalogScreen)
            assert not shown.app.transfers
            await shown.press("slash")
            for text in HOSTILE_TEXTS:
                await paste(shown, text)
                catalog.query_one(FilterLine).text = ""

    async def test_a_ranking_of_hostile_texts(self, tmp_path: Path) -> None:
        own_catalog(tmp_path)
        async with live(tmp_path, config=hostile_card("x"), size=(120, 40)) as shown:
            ranking = await ranked(shown)
            for _ in range(8):
                await shown.press("down")
                check(shown)
            for key in ("i", "v", "enter"):
                await shown.press(key)
                await shown.until(lambda: shown.app.screen is not ranking)
                check(shown)
                await shown.press("end", "escape")
            for key in ("x", "w"):
                await shown.press(key)
                await on_top(shown, TextDialog)
                for text in NO_WORDS:
                    shown.app.screen.query_one(Input).value = text
                    refused(shown)
                await shown.press("escape")
            await shown.pilot.resize_terminal(44, 12)
            check(shown)

    async def test_names_of_cards(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As the driver says them, the stand-in for it in the place of NVIDIA's library."""
        for at, text in enumerate((ALL, *NO_NAMES)):
            card = stand_in_nvml.Card(name=text.encode("utf-8", "surrogatepass")[:90])
            library = stand_in_nvml.Library(card)
            monkeypatch.setattr(pynvml, "CDLL", lambda name, library=library: library)
            monkeypatch.setattr(pynvml, "nvmlLib", None)
            monkeypatch.setattr(pynvml, "_nvmlLib_refcount", 0)
            monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
            async with live(tmp_path / str(at), models=tmp_path, size=(120, 40)) as shown:
                await ranked(shown)
                for key in "i25":
                    await shown.press(key)
                    check(shown)

    @pytest.mark.parametrize("text", ESCAPES[:5])
    async def test_configured_names_of_cards(self, tmp_path: Path, text: str) -> None:
        """Shown as far as they can be read, or refused in clean words."""
        try:
            async with live(tmp_path, config=hostile_card(text), size=(120, 40)) as shown:
                await ranked(shown)
                for key in "i25":
                    await shown.press(key)
                    check(shown)
        except ConfigError as error:
            assert "gpus" in error.message
            assert harmful_characters(str(error)) == set()


async def ranked(shown: Live) -> RecommendScreen:
    """Recommend with rows."""
    await shown.press("3")
    await on_top(shown, RecommendScreen)
    await shown.until(lambda: table(shown).count)
    check(shown)
    screen = shown.app.screen
    assert isinstance(screen, RecommendScreen)
    return screen


NO_LISTS = ("{", '{"a": 1}', "[NaN, 1e999, null]")
DEEP = pytest.param("[" * 100_000, id="deep")
LISTED: Mapping[str, Any] = {
    "shown": "qwen3:8b", "sent": "qwen3:8b", "digest": "a" * 64, "size": 5, "modified": 5, "format": "gguf",
    "family": "x", "parameter_size": "8B", "quantization": "Q4_0", "context": 5, "capabilities": ["vision"],
    "remote_host": None, "remote_model": None,
}  # fmt: skip
WRONG: tuple[Any, ...] = (7, None, True, -1.5, "\x1b]0;x\x07[/x]\ud800", ["x", 1], {"a": 1})


class TestStore:
    """Rows that another version wrote, or a hand."""

    async def test_a_remembered_list_of_wrong_types(self, tmp_path: Path) -> None:
        rows = [{**LISTED, key: value} for key in LISTED for value in WRONG]
        rows += [{key: value for key, value in LISTED.items() if key != without} for without in LISTED]
        written = json.dumps([*rows, None, 5, [], {}])
        async with changed(tmp_path, ("UPDATE last_list SET json = ?", written)) as shown:
            await shown.sees("qwen3:8b")
            for key in "ooooo":
                await shown.press(key, "end", "home")
                check(shown)
            for entry in shown.app.models.entries:
                assert entry.model.name == from_listed(entry.model.sent)
                assert harmful_characters(entry.model.shown) == set()
                if entry.model.name is not None:
                    assert entry.model.shown == entry.model.name.short

    @pytest.mark.parametrize("written", [*NO_LISTS, DEEP])
    async def test_a_remembered_list_that_is_none(self, tmp_path: Path, written: str) -> None:
        async with changed(tmp_path, ("UPDATE last_list SET json = ?", written)) as shown:
            await shown.sees("offline")

    async def test_transfers_of_wrong_types(self, tmp_path: Path) -> None:
        whole: dict[str, Any] = dict.fromkeys(
            ("server_id", "position", "total", "done_high", "created", "at"), 5
        )
        whole |= dict.fromkeys(("wishes", "attempts", "tries", "seen", "speed"), 0)
        whole |= dict.fromkeys(("grown_at", "retry_at", "started", "ended", "cause", "detail"), None)
        whole |= {"announced_digest": None, "detail": "", "server_id": 1}
        inserts: list[tuple[Any, ...]] = []
        for state_of, wanted in (("paused", "pause"), ("failed", "run"), ("future", "run")):
            for key in whole:
                for value in ("\x1b]0;x\x07[/x]", b"\xff\x1b[2J", 2**62, -7, 1.5):
                    name = f"m{len(inserts)}:x"
                    values = {**whole, key: value, "name": name, "name_key": name}
                    values |= {"state": state_of, "wanted": wanted}
                    marks = ", ".join("?" * len(values))
                    inserts.append(
                        (f"INSERT INTO transfers ({', '.join(values)}) VALUES ({marks})", *values.values())
                    )
        async with changed(tmp_path, *inserts) as shown:
            await shown.press("4")
            await shown.until(lambda: shown.app.transfers)
            await shown.pilot.pause()
            for _ in range(8):
                check(shown)
                await shown.press("pagedown")
            await shown.press("home", "enter")
            check(shown)

    async def test_tries_of_wrong_types(self, tmp_path: Path) -> None:
        row = "(server_id, name, name_key, position, wanted, state, created, at)"
        values = ("5, 'future', 'x', 5", "'x', 'network', x'1b', 5", "5, NULL, '[/x]', 'y'")
        async with changed(
            tmp_path,
            (f"INSERT INTO transfers {row} VALUES (1, 'x:y', 'x:y', 1, 'run', 'failed', 5, 5)",),
            *((f"INSERT INTO transfer_attempts VALUES ({at}, 1, {each})",) for at, each in enumerate(values)),
        ) as shown:
            await shown.press("4")
            await shown.sees("x:y")
            await shown.press("enter")
            await on_top(shown, TransferDetails)
            check(shown)

    async def test_words_beside_a_model_that_nobody_cleaned(self, tmp_path: Path) -> None:
        words = "\x1b]0;x\x07[/x]\u202e"
        facts = json.dumps({"weights": words, "capabilities": [words, 5], "context": 5, "parameter_count": 1})
        digest = "a" * 64
        async with changed(
            tmp_path,
            ("UPDATE last_list SET json = ?", json.dumps([LISTED, {**LISTED, "sent": "b:c"}])),
            ("INSERT INTO details VALUES (?, ?, 5)", digest, facts),
            ("INSERT INTO damaged VALUES (1, ?, ?, 0, 5)", digest, words),
            ("INSERT INTO loads VALUES (1, ?, 5, 5, 5, 5, 5)", digest),
            ("UPDATE servers SET name = ?", words),
            ("INSERT OR REPLACE INTO current VALUES (1, 'qwen3:8b', ?, 5, ?)", words, words),
        ) as shown:
            await shown.sees("damaged", "·]0;x·")
            check(shown)
            await shown.press("enter")
            await on_top(shown, DetailsScreen)
            check(shown)


@asynccontextmanager
async def changed(root: Path, *statements: tuple[Any, ...]) -> AsyncIterator[Live]:
    """The program at its second start, the server being away and the database changed in between."""
    async with DemoServer() as server:
        url = server.url
        async with live(root, url=url) as shown:
            await shown.sees("z undoes that")
            database = shown.paths.database
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement, *values in statements:
            connection.execute(statement, values)
    async with live(root, url=url, wait=False) as shown:
        await shown.until(lambda: shown.app.connection.phase is Phase.OFFLINE or shown.app._exception)
        check(shown)
        yield shown


TERMINAL = re.compile(r"\x1b\[[\d;]*[mHJ]|\x1b\[\?[\d;]+[hl$p]+|\x1b\[[<>=?]\d*[\d;]*[uc]|\x1b\]22;\w+\x07")
"""What Textual itself says to a terminal."""
MARKERS = (b"]0;", b"[31mred", b"[2J\xc2\xb7", b"31mc1", b"taken over", b"[@", b"[/x]")
"""What would stand behind ESC or CSI if one of the hostile texts came through."""


async def test_through_a_real_terminal(tmp_path: Path) -> None:
    rows = json.dumps({"models": [row(name, details={"family": ALL}) for name in NO_NAMES]})
    faults = Faults(Fault(Kind.HOSTILE, "/api/version", times=None))
    faults.add(
        *(Fault(Kind.STATUS, path, times=None, value=[200, rows]) for path in ("/api/tags", "/api/ps"))
    )
    command = [sys.executable, "-m", "modeltui", "--server"]
    async with DemoServer(faults=faults) as server:
        with Pty(120, 40) as pty:

            async def sees(text: str, since: int = 0) -> None:
                await asyncio.to_thread(pty.read_until, text.encode(), since=since)

            pty.spawn([*command, server.url], environ_for(tmp_path), cwd=tmp_path)
            await sees("·[2J·[31mred")
            await sees("no valid name")
            for keys, text in (
                ("sludcRneyg\r", "nothing can be asked about it"),
                ("\x1b", "TOK/S"),
                ("5", "CONTEXT"),
                ("4", "Nothing is being pulled"),
                ("p", "Pull which model?"),
                (f"\x1b[200~{HOSTILE_TEXTS[2]}\x1b[201~", "·gnp.exe··x·"),
                ("\r", "invalid model name"),
            ):
                since = pty.count
                pty.send(keys)
                await sees(text, since)
            pty.send("\x1b")
            await asyncio.to_thread(pty.drain)
            pty.send("q")
            assert await asyncio.to_thread(pty.wait) == 0
            assert pty.left_on() == []
            received = bytes(pty.received)
    for marker in MARKERS:
        assert b"\x1b" + marker not in received
    text = received.decode("utf-8")  # strictly
    assert "\x9b" not in text
    assert harmful_characters(TERMINAL.sub("", text)) <= {"\r", "\n"}
