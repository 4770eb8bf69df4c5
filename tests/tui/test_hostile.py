"""Every screen against servers, stores and configurations that lie: no crash, no harm, no action on no name."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hostility import HOSTILITIES, harmful_characters, shorten_limits
from live import Live, live
from rich.cells import cell_len
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.screen import Screen
from textual.widgets import Input
from textual.widgets._toast import Toast

from modeltui.demo.faults import Fault, Faults, Kind, Trouble
from modeltui.demo.twist import HOSTILE_TEXTS
from modeltui.services.library import Entry
from modeltui.text import clean_line
from modeltui.tui.polling import Polling
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.dialogs import TextDialog
from modeltui.tui.screens.models import ModelsScreen
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
        return [each for each in self.asked if each[0] not in MODES = {"models": "1", "downloads": "4", "running": "5"}
ASKED_BY_ITSELF]


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


async def paste(shown: Live, text: str) -> None:
    focused = shown.app.screen.focused
    assert focused is not None
    focused.post_message(events.Paste(text))
    await shown.pilot.pause()


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_limits(monkeypatch, most=1_000_000)


class TestServers:
    @pytest.mark.usefixtures("short_limits")
    @pytest.mark.parametrize("mode", ["models", "running", "downloads"])
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
                assert not offered(shown) & {*KEYS.values()}
                if mode == "downloads":
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
                await shown.until(lambda: details.facts or details.trouble or entry_of(shown, "qwen3:8b").damage)
                await shown.pilot.pause()
                check(shown)
                assert (details.trouble is None) is is_answer, kind
                for key in ("end", "home"):
                    await shown.press(key)
                    check(shown)

    async def test_numbers_and_times_at_their_edges(self, tmp_path: Path, seen: Seen) -> None:
        edges: list[dict[str, object]] = [
            {"size": 2**63 - 1, "size_vram": 2**63 - 1, "context_length": 2**63 - 1},
            {"size": 0, "size_vram": 5, "expires_at": "9999-12-31T23:59:59.999999999Z"},
            {"size": -1, "size_vram": -1, "modified_at": "9999-12-31T23:59:59Z", "expires_at": "0001-01-01T00:00:00Z"},
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
                await shown.press(key, "end", "home")
                check(shown)
            for mode in ("running", "models"):
                await shown.press(MODES[mode])
                await look(shown, seen)
                await shown.sees("edge0", "edge4")
                for key in ("end", "home"):
                    await shown.press(key)
                    check(shown)


def entry_of(shown: Live, sent: str) -> Entry:
    entry = shown.app.models.entry(sent)
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
                await shown.until(lambda name=name: table(shown).cursor_key == name)  # type: ignore[misc]
                await shown.sees("no valid name")
                check(shown)
                assert not offered(shown) & {*KEYS.values()}
                screen._settled()  # the pane follows a moment later
                await shown.pilot.pause()
                check(shown)
            for name in ("[@click=app.quit]x[/]", " qwen3:8b", HOSTILE_TEXTS[0]):
                assert screen.go_to(name)
                await press_in_vain(shown, seen, ModelsScreen)
                await pull_suggests_nothing(shown)
            for name in NO_NAMES[:3]:
                assert screen.go_to(name)
                await shown.press("space")
            assert len(table(shown).marked) == 3
            await press_in_vain(shown, seen, ModelsScreen)

    async def test_a_mark_on_a_real_name_does_not_carry_another_along(self, tmp_path: Path, seen: Seen) -> None:
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
            for name in NO_NAMES:
                shown.app.show_details(name)
                await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
                await shown.sees("no valid name: nothing can be asked about it or done with it")
                assert (clean_line(name)[:20] or "(no name)") in shown.text.replace("  ", " ").replace("  ", " ")
                check(shown)
                assert not offered(shown) & {*KEYS.values()}
                await shown.press("escape")
                await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))
            assert not seen.deeds or {path for path, _ in seen.deeds} == {"/api/show"}
            shown.app.show_details("[@click=app.quit]x[/]")
            await shown.sees("no valid name")
            await press_in_vain(shown, seen, DetailsScreen)
            await pull_suggests_nothing(shown)

    async def test_details_of_what_is_no_name_stay_so_when_it_goes(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            assert shown.server is not None
            for name in (" qwen3:8b", HOSTILE_TEXTS[0], "lone \ud800 surrogate"):
                listed(shown, [row(name)])
                await look(shown, seen)
                shown.app.show_details(name)
                await shown.sees("no valid name")
                shown.server.faults.clear()
                await look(shown, seen)
                await shown.press("s", "d", "y", "g")
                await look(shown, seen)
                assert isinstance(shown.app.screen, DetailsScreen)
                assert shown.app.screen.facts is None  # of another model
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
                await shown.pilot.pause()
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
                check(shown)
                await shown.press("ctrl+u")
            for text in ("[/x]", "[$error]"):
                await paste(shown, text)
                wanted = sum(text in name for name in NO_NAMES)
                await shown.until(lambda wanted=wanted: table(shown).count == wanted)  # type: ignore[misc]
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
                check(shown)
                assert table(shown).count == 0 or not clean_line(text).strip()
                await shown.press("ctrl+u")
                assert line.text == ""
            await paste(shown, "[@click=app.quit]x[/]")
            await shown.press("enter")
            await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))
            check(shown)


def table(shown: Live) -> Table[Any]:
    return cast("Table[Any]", shown.app.screen.query_one(Table))


class TestWords:
    """Names that are valid and unpleasant, and words that only look like markup or commands."""

    async def test_dialogs_hold_the_longest_and_oddest_names(self, tmp_path: Path) -> None:
        long = f"{'h' * 350}/{'n' * 80}/{'m' * 80}:{'t' * 80}"
        names = (long, "__init__:__class__", "0:0", "None:null", "m..m:-".removesuffix("-") + "_", "x:q", "false")
        for size in ((44, 20), (80, 24)):
            library = Library([DemoModel(name, weights=name) for name in names])
            async with live(tmp_path / str(size[0]), size=size, seed=library) as shown:
                for entry in shown.app.models.entries:
                    screen = shown.app.screen
                    assert isinstance(screen, ModelsScreen)
                    assert screen.go_to(entry.model.sent)
                    for key, kind in (("d", Question), ("c", TextDialog), ("R", TextDialog), ("p", TextDialog)):
                        await shown.press(key)
                        await shown.until(lambda kind=kind: isinstance(shown.app.screen, kind))  # type: ignore[misc]
                        check(shown)
                        if kind is TextDialog:
                            assert shown.app.screen.query_one(Input).value == entry.model.shown
                        await shown.press("escape")
                        await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))
                    await shown.press("enter")
                    await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
                    check(shown)
                    await shown.press("escape")
                    await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))
                await shown.press("ctrl+p")
                await paste(shown, "hhh")
                check(shown)

    @pytest.mark.parametrize("key", ["p", "c", "R", "e"])
    async def test_what_is_pasted_into_a_dialog(self, tmp_path: Path, seen: Seen, key: str) -> None:
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            await shown.press("end", key)
            await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
            field, deeds = shown.app.screen.query_one(Input), len(seen.deeds)
            for text in (*HOSTILE_TEXTS, "n" * 50_000, ALL, "\x1b[201~\x1b]0;x\x07"):
                field.value = ""
                await paste(shown, text)
                assert field.value
                assert harmful_characters(field.value) == set()
                check(shown)
                await shown.press("enter")
                await shown.until(lambda: shown.app.screen.query_one(".problem", Lines).lines[0])
                check(shown)
            assert len(seen.deeds) == deeds
            assert not shown.app.transfers
            assert shown.app.is_running

    async def test_a_toast_shows_words_as_they_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = "[/x] [@click=app.bell]x[/] [$error]y[/] [b]bold \x1b]0;z\x07\x1b[2J\u202ew\ud800 [link='http://a']"
        async with live(tmp_path) as shown:
            await shown.sees("z undoes that")
            rung: list[str] = []
            monkeypatch.setattr(shown.app, "bell", lambda: rung.append("bell"))
            screen = shown.app.screen
            assert isinstance(screen, ModelsScreen)
            assert screen.go_to("qwen3:8b")
            trouble(shown, Kind.STATUS, "/api/generate", value=[500, json.dumps({"error": words})])
            await shown.press("l")
            await shown.sees("cannot load qwen3:8b", "[/x] [@click=app.bell]x[/] [$error]y[/]", "[b]bold")
            check(shown)
            toast = shown.app.screen.query_one(Toast)
            at = next(y for y, line in enumerate(shown.text.splitlines()) if "[@click" in line)
            await shown.pilot.click(offset=(shown.text.splitlines()[at].index("]x[") + 1, at))
            await shown.until(lambda: not toast.is_attached)
            assert rung == []
            assert shown.app.is_running

    async def test_help_and_status_line_say_only_what_is_harmless(self, tmp_path: Path) -> None:
        async with live(tmp_path) as shown:
            for text in NO_NAMES:
                shown.app.tell(text)
                await shown.pilot.pause()
                check(shown)
                shown.app.tell_in_turn(text)
            for text in NO_NAMES:
                shown.app.set_doing("qwen3:8b", text)
                await shown.pilot.pause()
                check(shown)
            await shown.press("question_mark", "slash")
            for text in NO_NAMES:
                await paste(shown, text)
                check(shown)
                await shown.press("ctrl+u")


class TestDownloads:
    async def test_the_dialog_refuses_what_is_no_name(self, tmp_path: Path, seen: Seen) -> None:
        async with live(tmp_path) as shown:
            await shown.press("4", "p")
            await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
            for text in NO_NAMES:
                if text.strip() in ("", "qwen3:8b"):
                    continue  # what a person types is trimmed
                shown.app.screen.query_one(Input).value = text
                await shown.press("enter")
                assert isinstance(shown.app.screen, TextDialog)
                await shown.until(lambda: shown.app.screen.query_one(".problem", Lines).lines[0])
                check(shown)
            await shown.press("escape")
            assert shown.app.services.store.queue.all() == ()

    async def test_a_stream_that_lies(self, tmp_path: Path) -> None:
        streams = {
            name: (kind, value)
            for name, (kind, value, _) in HOSTILITIES.items()
            if kind not in (Kind.HANG, Kind.ENDLESS)
        }
        streams["an error"] = (Kind.STREAM_ERROR, ALL)
        streams["markup"] = (Kind.STREAM_ERROR, "[/x][@click=app.quit]x[/] [$error]")
        streams["no success"] = (Kind.NO_SUCCESS, None)
        async with downloads(tmp_path, rate=2e9) as shown:
            for kind, value in streams.values():
                trouble(shown, kind, "/api/pull", value=value)
                number = put(shown, "tiny-demo")
                await shown.until(lambda number=number: ended_or_retrying(shown, number))  # type: ignore[misc]
                await on_row(shown, number)
                await shown.until(lambda: "tiny-demo" in shown.text)
                check(shown)
                await shown.press("enter")
                await shown.until(lambda: isinstance(shown.app.screen, TransferDetails))
                check(shown)
                await shown.press("end", "escape")
                await shown.until(lambda: not isinstance(shown.app.screen, TransferDetails))
                shown.app.services.store.queue.want(number, Wanted.CANCEL)
                await shown.until(lambda number=number: is_over(shown, number))  # type: ignore[misc]
                check(shown)
            for size in ((44, 12), (200, 50)):
                await shown.pilot.resize_terminal(*size)
                await shown.pilot.pause()
                check(shown)

    async def test_words_of_a_failed_transfer_from_the_store(self, tmp_path: Path) -> None:
        """As somebody else may have written them, not cleaned."""
        async with downloads(tmp_path) as shown:
            now = shown.app.now()
            for text in NO_NAMES:
                number = put(
                    shown, "tiny-demo", state=State.FAILED, detail=text.replace("\ud800", ""), ended=now
                )
                transfer = shown.app.services.store.queue.get(number)
                assert transfer is not None
                shown.app.services.store.queue.add_attempt(number, transfer.transfer)
                await on_row(shown, number)
                check(shown)
                await shown.press("enter")
                await shown.until(lambda: isinstance(shown.app.screen, TransferDetails))
                check(shown)
                await shown.press("escape")


def ended_or_retrying(shown: Live, number: int) -> bool:
    return state(shown, number) in (State.RETRYING, State.FAILED, State.BLOCKED, State.INSTALLED)


def is_over(shown: Live, number: int) -> bool:
    return state(shown, number) in (State.CANCELLED, State.FAILED, State.INSTALLED)


class TestMachine:
    async def test_names_of_cards_and_disks(self, tmp_path: Path) -> None:
        async with live(tmp_path, size=(120, 40)) as shown:
            await shown.press("5")
            for text in NO_NAMES:
                most, least = 2**63 - 1, -(2**31)
                cards = tuple(
                    Gpu(at, text, text, number, number, number, number, number, number, number)
                    for at, number in enumerate((most, least, 0, None))
                )
                for gpus in (cards[:1], cards, ()):
                    host = Host(
                        Gpus(gpus, text, complete=False),
                        Cpu(text, most, 1e300),
                        Memory(most, least),
                        (Disk(text, most, least),),
                    )
                    for its_host in (host, None):
                        shown.app.running_now = RunningNow(
                            shown.app.now(), (), VramVerdict.CONTRADICTED, its_host, text
                        )
                        await shown.pilot.pause()
                        check(shown)


class TestConfiguration:
    async def test_a_server_with_a_hostile_label(self, tmp_path: Path) -> None:
        for at, text in enumerate(NO_NAMES):
            if not text.strip() or "\ud800" in text:
                continue  # TOML knows no surrogates
            async with live(tmp_path / str(at), label=text, size=(100, 24)) as shown:
                check(shown)
                for keys in ("4", "5", "1", "D"):
                    await shown.press(*keys)
                    check(shown)
                await shown.press("end", "d")
                await shown.until(lambda: isinstance(shown.app.screen, Question))
                check(shown)
