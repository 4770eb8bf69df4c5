"""Catalog: the list of what could be pulled, its words and orders, and just that pulled which a row shows."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from libsite import Site, SiteModel, SiteTag, serving
from live import Live, live
from textual.widgets import Input

import modeltui.tui.suiting
from modeltui.demo.library import DemoModel, Library
from modeltui.domain.advice.quality import Quality
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.models import ModelState
from modeltui.services.suiting import quality_of
from modeltui.tui.catalogsearch import Search
from modeltui.tui.catalogview import CatalogRow
from modeltui.tui.screens.catalog import CatalogScreen
from modeltui.tui.screens.catalogdetails import CatalogDetails
from modeltui.tui.screens.dialogs import Question, TextDialog
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.table import Table

HARDWARE = '[servers.demo.hardware]\ngpus = ["24GB"]\nram = "64GB"\n'
NOBODY = "http://127.0.0.1:9"
"""Where no server answers."""

SMALL = "llama3.2:1b"
OTHER = "llama3.2:3b"


def table(shown: Live) -> Table[CatalogRow]:
    found: Table[CatalogRow] = shown.app.screen.query_one(Table)
    return found


def search(shown: Live) -> Search:
    screen = shown.app.screen
    assert isinstance(screen, CatalogScreen)
    assert screen._search is not None
    return screen._search


def row(shown: Live) -> str:
    return str(table(shown).cursor_key)


def listed(shown: Live, name: str) -> str:
    """The row of the table that holds a name."""
    rows = (line.partition("│")[0] for line in shown.text.splitlines())
    return next((line for line in rows if name in line), "")


def queued(shown: Live) -> list[str]:
    return [each.transfer.name.short for each in shown.app.services.store.queue.all()]


def seeded() -> Library:
    """A server with one model installed, and two tags of the catalog that its registry has, too."""
    return Library(
        available=[DemoModel(SMALL, "one", 1_321_098_329), DemoModel(OTHER, "three", 2_019_393_189)],
    )


@asynccontextmanager
async def catalog(root: Path, *, judged: bool = True, **more: Any) -> AsyncIterator[Live]:
    """The program with the catalog on top, by default on known hardware and all of it judged."""
    more = {"config": HARDWARE, **more}
    async with live(root, **more) as shown:
        await shown.press("2")
        await shown.until(lambda: isinstance(shown.app.screen, CatalogScreen) and shown.app.screen._search)
        if judged:
            await shown.until(lambda: search(shown).judged.is_whole)
        await shown.pilot.pause()
        yield shown


async def find(shown: Live, name: str) -> None:
    """Put the cursor on a download."""
    screen = shown.app.screen
    assert isinstance(screen, CatalogScreen)
    assert screen.go_to(name)
    await shown.until(lambda: name in row(shown))
    await shown.pilot.pause(0.1)


# --- what is shown ----------------------------------------------------------------------------------


async def test_one_row_a_series_the_most_pulled_first(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        assert table(shown).count == len(search(shown).shelf.leads) > 200
        assert row(shown) == "llama3.1:8b"
        line = listed(shown, "llama3.1:8b ")
        assert "4.92 GB" in line
        assert " gpu " in line
        assert "○" in listed(shown, "qwen3:8b ")
        await shown.sees("Llama 3.1 Community License", "all on the GPU", "89 downloads")


async def test_without_a_server_and_without_a_network(tmp_path: Path) -> None:
    async with catalog(tmp_path, url=NOBODY, label="demo", wait=False, judged=False) as shown:
        await shown.sees("llama3.1:8b", "4.92 GB")
        await shown.until(lambda: search(shown).judged.is_whole)
        await shown.press("slash")
        await shown.type("fits q4 <3gb")
        await shown.until(lambda: 0 < table(shown).count < 1000)
        await shown.press("enter", "p")
        await shown.sees("Pull ", "about ")
        await shown.press("p")
        await shown.until(lambda: len(queued(shown)) == 1)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("gpt-oss: mxfp4", "gpt-oss:20b"),
        ("q8_0 llama3.1", "llama3.1:8b-instruct-q8_0"),
        ("installed gpt-oss", "gpt-oss:20b"),
        ("fit:gpu >25b tools", None),
        ("vram<8 vision", None),
        ("type:embedding", "nomic-embed-text:latest"),
        ("nothing-like-it", None),
    ],
)
async def test_words(tmp_path: Path, typed: str, first: str | None) -> None:
    async with catalog(tmp_path) as shown:
        await shown.press("slash")
        await shown.type(typed)
        found = search(shown)
        await shown.until(lambda: shown.app.screen.query_one(FilterLine).text == typed)
        await shown.sees(f"{len(found.matched)} of {len(found.shelf.rows)} downloads")
        if first is not None:
            await shown.press("enter", "home")
            assert row(shown) == first
        elif "nothing" in typed:
            await shown.sees("No download has these words.", "pulls a name that you type")
        else:
            assert found.matched
            for place in found.matched:
                numbers = found.judged.numbers[place]
                assert numbers is not None
                if "vram" in typed:
                    assert numbers.needs is not None and numbers.needs < 8 * 2**30
                else:
                    assert numbers.kind == "gpu"


async def test_backspace_in_the_filter_is_text_and_goes_back_elsewhere(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await shown.press("slash", "q", "4", "backspace")
        await shown.until(lambda: shown.app.screen.query_one(FilterLine).text == "q")
        assert shown.app.current_mode == "catalog"
        await shown.press("escape", "backspace")
        await shown.until(lambda: shown.app.current_mode == "models")


async def test_unknown_hardware_is_said_and_the_need_shown(tmp_path: Path) -> None:
    async with catalog(tmp_path, config="") as shown:
        line = listed(shown, "llama3.1:8b ")
        assert "—" in line
        assert line.count(" GB") >= 2
        await shown.sees("fit unknown")
        await shown.press("slash")
        await shown.type("fits")
        await shown.sees("Nothing can be judged", "the machine is unknown")


async def test_a_format_for_macs_fits_nowhere_else(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await shown.press("slash")
        await shown.type("mlx qwen3.5")
        await shown.sees("mac only")
        await shown.type(" fits")
        await shown.until(lambda: table(shown).count == 0)
        await shown.sees("No download has these words.")


async def test_a_series_is_unfolded_and_folded(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        before = table(shown).count
        assert "→ its tags" in shown.text.splitlines()[-1]
        await shown.press("right")
        await shown.until(lambda: table(shown).count > before + 50)
        assert row(shown) == "llama3.1:8b"
        await shown.press("down", "down")
        assert row(shown).startswith("llama3.1:")
        await shown.press("left")
        await shown.until(lambda: table(shown).count == before)
        assert row(shown) == "llama3.1:8b"
        await shown.press("right", "down", "escape")
        await shown.until(lambda: table(shown).count == before)
        assert row(shown) == "llama3.1:8b"


async def test_orders_and_the_cursor_keeps_its_row(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await find(shown, "qwen3:8b")
        firsts = []
        for words in ("smallest first", "newest first", "best fit first", "most pulled first"):
            await shown.press("o")
            await shown.sees(words)
            assert row(shown) == "qwen3:8b"
            firsts.append(search(shown).shelf.rows[search(shown).view[0]].key)
        assert firsts[-1] == "llama3.1:8b"
        assert firsts[0] != firsts[-1]
        sizes = sorted(each.offer.tag.size or 10**15 for each in search(shown).shelf.rows if each.is_lead)
        assert search(shown).shelf.find(firsts[0]).offer.tag.size == sizes[0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("size", "columns"),
    [
        ((60, 20), "NAME SIZE VRAM FIT"),
        ((80, 24), "NAME PARAMS QUANT SIZE VRAM FIT"),
        ((160, 40), "NAME TAGS PARAMS QUANT SIZE VRAM FIT CTX"),
    ],
)
async def test_columns_give_way_by_worth(tmp_path: Path, size: tuple[int, int], columns: str) -> None:
    async with catalog(tmp_path, size=size) as shown:
        seen = shown.line("NAME").partition("│")[0].split()
        assert seen[: len(columns.split())] == columns.split()
        assert all(len(line) <= size[0] for line in shown.text.splitlines())


async def test_r_asks_nobody_and_says_how_old_it_is(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await shown.press("r")
        await shown.sees("catalog of 2026-08-21", "modeltui catalog refresh")


async def test_help_and_the_palette(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await shown.press("question_mark")
        await shown.sees("Help: catalog", "What could be pulled", "list a series' tags")
        await shown.press("escape", "ctrl+p")
        await shown.type("type a name")
        await shown.sees("pull: type a name, also of another registry")
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, TextDialog))


# --- pulls ------------------------------------------------------------------------------------------


async def test_p_shows_the_exact_download_and_queues_just_that(tmp_path: Path) -> None:
    async with catalog(tmp_path, seed=seeded()) as shown:
        await find(shown, SMALL)
        await shown.press("p")
        await shown.sees(f"Pull {SMALL} to demo?", "bytes", "fits: gpu", "1.32 GB")
        await shown.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, CatalogScreen))
        assert queued(shown) == []
        await shown.press("p")
        await shown.until(lambda: isinstance(shown.app.screen, Question))
        await shown.press("enter")
        await shown.until(lambda: queued(shown) == [SMALL])
        await shown.sees(f"{SMALL} queued as 1")
        await shown.until(lambda: shown.app.models.entry(SMALL) is not None)
        await shown.until(lambda: "○" in listed(shown, f"{SMALL} ") or "●" in listed(shown, f"{SMALL} "))


async def test_a_tag_that_its_registry_lost_is_asked_about_once(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await find(shown, "mistral:7b")
        await shown.press("p")
        await shown.sees("Its registry does not know mistral:7b")
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, CatalogScreen))
        assert queued(shown) == []


async def test_marked_ones_are_pulled_together(tmp_path: Path) -> None:
    async with catalog(tmp_path, seed=seeded(), rate=1e5) as shown:
        await find(shown, OTHER)
        await shown.press("space")
        await find(shown, SMALL)
        await shown.press("space")
        await shown.sees("2 marked: p pulls them")
        await shown.press("p")
        await shown.sees("Pull these 2 models to demo?", "together 3.34 GB")
        await shown.press("p")
        await shown.until(lambda: sorted(queued(shown)) == sorted([SMALL, OTHER]))
        await shown.until(lambda: "↓" in listed(shown, f"{SMALL} "))
        await shown.press("escape")
        await shown.sees("no marks any more")


async def test_where_nothing_is_found_p_asks_for_the_name_that_was_typed(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await shown.press("slash")
        await shown.type("hf.co/some/where")
        await shown.press("enter", "p")
        await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
        assert shown.app.screen.query_one(Input).value == "hf.co/some/where"


# --- the details ------------------------------------------------------------------------------------


async def test_details_have_every_fact_and_a_tag_to_pick(tmp_path: Path) -> None:
    async with catalog(tmp_path, seed=seeded()) as shown:
        await find(shown, OTHER)
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, CatalogDetails))
        await shown.sees("llama3.2", "TAG", OTHER, "fit  ", "needs  ", "all 6")
        assert table(shown).item.key == OTHER  # type: ignore[union-attr]
        await shown.press("tab", "end")
        await shown.sees("source", "read 2026-")
        await shown.press("tab")
        while row(shown) != SMALL:
            await shown.press("down")
        await shown.sees(SMALL)
        await shown.press("enter")
        await shown.sees(f"Pull {SMALL} to demo?")
        await shown.press("p")
        await shown.until(lambda: queued(shown) == [SMALL])
        await shown.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, CatalogScreen))
        assert row(shown) == OTHER


async def test_details_of_unknown_hardware(tmp_path: Path) -> None:
    async with catalog(tmp_path, config="", size=(80, 24)) as shown:
        await shown.press("enter")
        await shown.sees("unknown", "TAG", "PARAMS", "the machine is unknown")


# --- what is installed ------------------------------------------------------------------------------


async def test_keys_of_models_work_where_one_is_installed(tmp_path: Path) -> None:
    async with catalog(tmp_path, size=(160, 40)) as shown:
        keys = shown.text.splitlines()[-1]
        assert "l load" not in keys
        assert "d delete" not in keys
        await shown.press("l", "s", "d")
        assert isinstance(shown.app.screen, CatalogScreen)
        await find(shown, "qwen3:8b")
        await shown.until(lambda: "l load" in shown.text.splitlines()[-1])
        await shown.press("l")
        await shown.until(lambda: shown.app.models.entry("qwen3:8b").state is ModelState.GPU)
        await shown.press("s")
        await shown.sees("current model: qwen3:8b")
        await shown.until(lambda: "●" in listed(shown, "qwen3:8b "))
        await shown.press("y")
        await shown.sees("copied: qwen3:8b")


async def test_g_goes_to_the_model_and_back_to_its_row(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await find(shown, "gpt-oss:20b")
        await shown.press("g")
        await shown.until(lambda: shown.app.current_mode == "models")
        await shown.until(lambda: row(shown) == "gpt-oss:20b")
        await shown.press("g")
        await shown.until(lambda: shown.app.current_mode == "catalog")
        await shown.until(lambda: row(shown) == "gpt-oss:20b")


async def test_what_is_not_a_lead_is_found_in_its_unfolded_series(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        await shown.press("slash")
        await shown.type("gemma")
        await shown.press("enter")
        await find(shown, "llama3.1:8b-instruct-q8_0")
        assert shown.app.screen.query_one(FilterLine).text == ""
        assert not shown.app.screen.go_to("no-such-thing:1b")
        await shown.sees("no-such-thing:1b is not in the catalog")


# --- the mouse --------------------------------------------------------------------------------------


async def test_the_mouse(tmp_path: Path) -> None:
    async with catalog(tmp_path) as shown:
        lines = shown.text.splitlines()
        header = next(y for y, line in enumerate(lines) if "NAME" in line)
        await shown.pilot.click(offset=(lines[header].index("SIZE") + 1, header))
        await shown.sees("smallest first")
        await shown.pilot.click(offset=(8, header + 3), times=2)
        await shown.until(lambda: isinstance(shown.app.screen, CatalogDetails))


# --- the live library -------------------------------------------------------------------------------


async def test_refresh_is_asked_first_and_shows_what_is_new(tmp_path: Path) -> None:
    site = Site([SiteModel("fresh9", [SiteTag("9b-q4_K_M", "abcdefabcdef")])])
    async with serving(site):
        config = f'{HARDWARE}[registries."ollama.com"]\nbase_url = "{site.url}"\n'
        async with catalog(tmp_path, config=config) as shown:
            await shown.press("ctrl+p")
            await shown.type("refresh catalog")
            await shown.press("enter")
            await shown.sees("Read the live library of ollama.com now?", "the catalog of 2026-08-21")
            await shown.press("escape")
            await shown.misses("Read the live library")
            assert site.asked == []
            await shown.press("ctrl+p")
            await shown.type("refresh catalog")
            await shown.press("enter")
            await shown.sees("Read the live library of ollama.com now?")
            await shown.press("r")
            await shown.until(lambda: search(shown).shelf.find("fresh9:9b-q4_K_M") is not None)
            await shown.sees("1 new")
            await find(shown, "fresh9:9b-q4_K_M")
            await shown.until(lambda: search(shown).judged.is_whole)


async def test_without_a_gpu_what_a_tag_needs_is_headed_ram(tmp_path: Path) -> None:
    config = '[servers.demo.hardware]\ngpus = []\nram = "64GB"\n'
    async with catalog(tmp_path, config=config) as shown:
        await shown.until(lambda: " RAM " in shown.line("NAME"))
        assert "VRAM" not in shown.line("NAME")
        await shown.press("enter")
        await shown.until(lambda: " RAM " in shown.line("TAG"))


async def test_the_page_of_a_tag_says_what_it_is_good_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worked out off the event loop, kept for all, while the rest stands; each tag has its own."""
    made_in = []

    def make(catalog: Catalog) -> Quality:
        made_in.append(threading.current_thread())
        may_go_on.wait(60)
        return quality_of(catalog)

    may_go_on = threading.Event()
    monkeypatch.setattr(modeltui.tui.suiting, "quality_of", make)
    async with catalog(tmp_path, size=(160, 70)) as shown:
        await shown.press("enter")
        try:
            await shown.sees("fit ", "this tag")
            assert "how suitable" not in shown.text
        finally:
            may_go_on.set()
        await shown.sees("how suitable it is, 0 to 10", "published scores: ", "not made for")
        assert made_in and threading.main_thread() not in made_in
        first = shown.line("coding ")
        await shown.press("down")
        await shown.until(lambda: shown.line("coding ") not in ("", first))
        assert len(made_in) == 1, "it is made once"
        assert shown.app.quality is not None
