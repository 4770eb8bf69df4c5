"""U on the screens: asks the registries, marks what is newer, and pulls it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from live import Live, live
from textual.widgets._toast import Toast

from modeltui.demo.faults import Fault, Kind
from modeltui.demo.library import DemoModel
from modeltui.domain.names import parse
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.models import ModelsScreen
from modeltui.tui.widgets.table import Table

GEMMA, EMBED = "gemma3:12b", "nomic-embed-text:latest"


def newer(shown: Live) -> list[str]:
    """The models whose row has the mark now."""
    return sorted(entry.model.shown for entry in shown.app.models.entries if entry.newer is not None)


def published(shown: Live, name: str) -> DemoModel:
    assert shown.server is not None
    found: DemoModel = shown.server.library.available[parse(name).key].model
    return found


def is_as_published(shown: Live, name: str) -> bool:
    """Whether the server has what the registry has."""
    assert shown.server is not None
    library, key = shown.server.library, parse(name).key
    return bool(library.installed[key].manifest.digest == library.available[key].manifest.digest)


async def go_to(shown: Live, name: str) -> None:
    screen = shown.app.screen
    assert isinstance(screen, ModelsScreen)
    assert screen.go_to(name)
    table: Table[Any] = screen.query_one(Table)
    await shown.until(lambda: table.cursor_key == name)


async def look(shown: Live) -> None:
    """Ask about all of them."""
    await go_to(shown, "qwen3:8b")
    await shown.press("U")
    await shown.until(lambda: newer(shown) == [GEMMA, EMBED])


async def test_u_asks_about_all_and_marks_what_is_newer(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("U update")
        assert "▲" not in shown.text
        await look(shown)
        await shown.sees("2 newer: U on them updates")
        assert "▲" in shown.line(GEMMA)
        assert "▲" in shown.line(EMBED)
        assert "▲" not in shown.line("qwen3:8b")
        assert shown.app.transfers == ()
        await go_to(shown, GEMMA)
        await shown.sees("▲ newer version", "8.15 GB, pushed 6 h ago", "U pulls it")
        await shown.press("slash")
        await shown.type("outdated")
        await shown.sees("2 of 12")


async def test_u_on_a_newer_one_pulls_it(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await look(shown)
        await go_to(shown, GEMMA)
        await shown.press("U")
        await shown.sees("gemma3:12b queued as 1 · 747 B to fetch, pushed 6 h ago · 4 shows it")
        await shown.until(lambda: is_as_published(shown, GEMMA))
        await shown.until(lambda: newer(shown) == [EMBED])


async def test_u_on_marked_rows_pulls_those_that_are_newer(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await look(shown)
        for name in (GEMMA, EMBED, "qwen3:8b"):
            await go_to(shown, name)
            await shown.press("space")
        await shown.press("U")
        await shown.until(lambda: is_as_published(shown, GEMMA) and is_as_published(shown, EMBED))
        await shown.until(lambda: newer(shown) == [])
        assert len(shown.app.services.store.queue.all()) == 2


async def test_marked_rows_of_which_nothing_is_known_are_asked_about(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        for name in ("qwen3:8b", GEMMA):
            await go_to(shown, name)
            await shown.press("space")
        await shown.press("U")
        await shown.sees("1 newer: U on it updates")
        assert newer(shown) == [GEMMA]


async def test_what_is_known_stands_in_the_next_start_without_asking(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await look(shown)
        assert shown.server is not None
        port = shown.server.port
    async with live(tmp_path, port=port) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.STATUS, path="/v2/*", value=500, times=None))
        await shown.until(lambda: newer(shown) == [GEMMA, EMBED])
        await shown.sees("▲")


async def test_details_ask_about_one_and_pull_it(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, GEMMA)
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
        await shown.sees("architecture")
        await shown.press("U")
        await shown.sees("1 newer: U on it updates")
        await shown.sees("newer version", "8.15 GB, pushed 6 h ago")
        assert newer(shown) == [GEMMA]
        await shown.press("U")
        await shown.until(lambda: is_as_published(shown, GEMMA))


async def test_one_that_is_up_to_date_or_of_no_registry(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        for name, words in (("qwen3:8b", "qwen3:8b is up to date"), ("assistant:latest", "has no such tag")):
            await go_to(shown, name)
            await shown.press("enter")
            await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
            await shown.press("U")
            await shown.sees(words)
            await shown.press("escape")
            await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))


async def test_one_with_a_prompt_of_its_own_is_left_and_that_is_said(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        library = shown.server.library
        gemma = library.installed[parse(GEMMA).key].model
        library.install(parse(GEMMA), replace(gemma, parent=GEMMA, system="Mine."))
        library.publish(replace(published(shown, GEMMA), hours=-1))
        await look(shown)
        await go_to(shown, GEMMA)
        await shown.press("U")
        await shown.until(lambda: shown.app.screen.query(Toast))
        await shown.sees("would overwrite its own")
        assert shown.app.transfers == ()
        assert library.installed[parse(GEMMA).key].model.system == "Mine."


async def test_registries_that_cannot_be_asked(tmp_path: Path) -> None:
    async with live(tmp_path, size=(160, 35)) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.STATUS, path="/v2/*", value=500, times=None))
        await shown.press("U")
        await shown.sees("nothing newer · 11 of 11 cannot be told (")
        assert newer(shown) == []


async def test_the_current_model_keeps_its_mark_and_has_the_other_behind_its_name(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await look(shown)
        await go_to(shown, GEMMA)
        await shown.press("s")
        await shown.press("n")
        await shown.until(lambda: "gemma3:12b ▲" in shown.line("●"))


async def test_in_ascii(tmp_path: Path) -> None:
    async with live(tmp_path, glyphs="ascii") as shown:
        await look(shown)
        await shown.until(lambda: "^" in shown.line(GEMMA))


async def test_it_is_not_offered_while_the_server_is_away(tmp_path: Path) -> None:
    async with live(tmp_path, url="http://127.0.0.1:1", wait=False) as shown:
        await shown.sees("127.0.0.1:1")
        assert "U update" not in shown.text


async def test_the_help_explains_the_mark(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await look(shown)
        await go_to(shown, GEMMA)
        await shown.press("question_mark")
        await shown.sees("Its registry has a newer version")
