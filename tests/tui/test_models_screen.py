"""Models: the list, its filter, order and marks, and what the keys do with a model."""

from pathlib import Path
from typing import Any

import pytest
from live import Live, live
from textual.widgets import Input

from modeltui.demo.faults import Fault, Kind
from modeltui.domain.models import ModelState
from modeltui.tui.screens.dialogs import Question, TextDialog
from modeltui.tui.screens.models import ModelsScreen
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.table import Table


def table(shown: Live) -> Table[Any]:
    found: Table[Any] = shown.app.screen.query_one(Table)
    return found


def state(shown: Live, name: str) -> ModelState:
    entry = shown.app.models.entry(name)
    assert entry is not None
    found: ModelState = entry.state
    return found


async def go_to(shown: Live, name: str) -> None:
    assert isinstance(shown.app.screen, ModelsScreen)
    assert shown.app.screen.go_to(name)
    await shown.until(lambda: table(shown).cursor_key == name)


async def test_every_model_has_a_row_and_the_newest_is_current(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("gpt-oss:20b", "13.8 GB", "cloud", "nomic-embed-text:latest")
        await shown.sees("z undoes that", "●")
        assert shown.line("●").split()[1] == "assistant:latest"
        await shown.press("z")
        await shown.sees("no model is current")
        await shown.until(lambda: "●" not in shown.text)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("qwen3: 8b", ["qwen3:8b"]),
        (">13gb", ["qwen3.5:27b", "gpt-oss:20b"]),
        ("cloud", ["gpt-oss:120b-cloud"]),
        ("embedding", ["nomic-embed-text:latest"]),
        ("nothing-like-it", []),
    ],
)
async def test_the_filter(tmp_path: Path, typed: str, names: list[str]) -> None:
    async with live(tmp_path) as shown:
        await shown.press("slash")
        await shown.type(typed)
        rows = table(shown)
        await shown.until(lambda: rows.count == len(names))
        await shown.sees(f"/ {typed}", f"{len(names)} of 12", *(names or ["No model has these words."]))
        await shown.press("enter")
        assert rows.has_focus
        await shown.press("escape")
        await shown.until(lambda: rows.count == 12)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("license:apache code", ["qwen2.5-coder:7b"]),
        ("alibaba <5gb", ["qwen2.5-coder:7b"]),
        ("purpose:specialized", ["nomic-embed-text:latest"]),
    ],
)
async def test_the_filter_knows_what_the_catalog_says(tmp_path: Path, typed: str, names: list[str]) -> None:
    async with live(tmp_path) as shown:
        await shown.until(lambda: shown.app.advice is not None)
        await shown.press("slash")
        await shown.type(typed)
        await shown.sees(f"/ {typed}", f"{len(names)} of 12", *names)


async def test_keys_are_text_in_the_filter(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.press("slash", "q", "1", "d", "backspace", "space", "x")
        assert shown.app.screen.query_one(FilterLine).text == "q1 x"
        assert shown.app.is_running
        assert shown.app.current_mode == "models"
        assert "d delete" not in shown.text
        await shown.press("ctrl+u")
        assert shown.app.screen.query_one(FilterLine).text == ""


async def test_cursor_marks_and_order_survive_each_other_and_a_refresh(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, "qwen3:8b")
        await shown.press("space")
        await shown.press("o")
        await shown.sees("by name")
        rows = table(shown)
        cursor = rows.cursor_key
        assert rows.marked == {"qwen3:8b"}
        assert " +  qwen3:8b" in shown.text
        await shown.press("slash")
        await shown.type("qwen")
        await shown.press("enter")
        assert rows.marked == {"qwen3:8b"}
        before = shown.app.list_seen_at
        await shown.press("r")
        await shown.until(lambda: shown.app.list_seen_at != before)
        await shown.press("escape")
        await shown.until(lambda: rows.count == 12)
        assert rows.marked == {"qwen3:8b"}
        await shown.press("escape")
        assert rows.marked == frozenset()
        assert cursor is not None


async def test_every_order(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        seen = []
        for words in (
            "by name",
            "biggest first",
            "loaded first",
            "best fit first",
            "last loaded first",
            "newest first",
        ):
            await shown.press("o")
            await shown.sees(words)
            await shown.press("home")
            seen.append(table(shown).cursor_key)
        assert seen[:2] == ["assistant:latest", "qwen3.5:27b"]


async def test_groups_by_type_keep_the_order_and_skip_the_rules(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.until(lambda: shown.app.advice is not None)
        await shown.press("o", "G")
        await shown.sees("── general", "── code", "── embedding")
        await shown.press("home")
        seen = [table(shown).cursor_key]
        while True:
            await shown.press("j")
            if table(shown).cursor_key == seen[-1]:
                break
            seen.append(table(shown).cursor_key)
        assert sorted(map(str, seen)) == sorted(entry.model.sent for entry in shown.app.models.entries)
        assert seen[-1] == "nomic-embed-text:latest"
        await shown.press("slash", *"coder")
        await shown.sees("1 of 12", "── code 1")
        assert "── general" not in shown.text
        await shown.press("escape", "G")
        await shown.until(lambda: "──  " not in shown.text and "── code" not in shown.text)


async def test_moving(tmp_path: Path) -> None:
    async with live(tmp_path, size=(80, 12)) as shown:
        rows = table(shown)
        keys = {}
        for key in ("j", "down", "k", "end", "up", "home", "pagedown", "pageup"):
            await shown.press(key)
            keys[key] = rows.cursor_key
            assert keys[key] is not None
            assert str(keys[key])[:12] in shown.text
        assert keys["home"] == keys["pageup"] != keys["pagedown"]
        assert keys["end"] == "nomic-embed-text:latest"


async def test_load_pin_and_unload(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, "qwen3:8b")
        await shown.press("l")
        await shown.until(lambda: state(shown, "qwen3:8b") is ModelState.GPU)
        await shown.sees("loaded in", "all on the GPU")
        await shown.press("n")
        await shown.sees("for ever")
        await shown.press("e")
        await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
        await shown.press("0")
        await shown.press("enter")
        await shown.sees("would unload it at once")
        await shown.press("ctrl+a")
        shown.app.screen.query_one(Input).value = "10m"
        await shown.press("enter")
        await shown.sees("10 min")
        await shown.press("u")
        await shown.until(lambda: state(shown, "qwen3:8b") is ModelState.NOT_LOADED)
        await shown.sees("qwen3:8b unloaded")


async def test_a_switch_asks_with_its_facts(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        await go_to(shown, "qwen3:8b")
        await shown.press("s")
        await shown.sees("Make qwen3:8b the current model?", "5.23 GB on disk", "keep assistant:latest")
        await shown.press("escape")
        await shown.misses("Make qwen3:8b")
        assert not shown.app.models.entry("qwen3:8b").is_current
        await shown.press("s")
        await shown.sees("Make qwen3:8b the current model?")
        await shown.press("s")
        await shown.sees("current model: qwen3:8b", "current since")
        await shown.press("z")
        await shown.sees("the current model is assistant:latest again")


async def test_a_switch_offers_to_unload_the_previous_model_where_it_is_loaded(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        await go_to(shown, "nomic-embed-text:latest")
        await shown.press("l")
        await shown.until(lambda: state(shown, "nomic-embed-text:latest") is ModelState.GPU)
        await go_to(shown, "qwen3:8b")
        await shown.press("s")
        await shown.sees("keep assistant:latest")
        assert "then unload" not in shown.text
        await shown.press("escape")
        await go_to(shown, "assistant:latest")
        await shown.press("l")
        await shown.until(lambda: state(shown, "assistant:latest") is ModelState.GPU)
        await go_to(shown, "qwen3:8b")
        await shown.press("s")
        await shown.sees("switch, then unload assistant:latest")
        await shown.press("u")
        await shown.sees("current model: qwen3:8b")
        await shown.until(lambda: state(shown, "assistant:latest") is ModelState.NOT_LOADED)
        assert state(shown, "qwen3:8b") is ModelState.GPU


async def test_a_switch_to_a_loaded_model_asks_nothing(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, "qwen3:8b")
        await shown.press("l")
        await shown.until(lambda: state(shown, "qwen3:8b") is ModelState.GPU)
        await shown.press("s")
        await shown.sees("current model: qwen3:8b")


async def test_record_only_loads_nothing(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, "qwen3:8b")
        await shown.press("s")
        await shown.sees("record only")
        await shown.press("n")
        await shown.sees("recorded, not loaded")
        assert state(shown, "qwen3:8b") is ModelState.NOT_LOADED


async def test_what_only_embeds_cannot_be_current(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, "nomic-embed-text:latest")
        await shown.press("s")
        await shown.sees("does not generate text")


async def test_delete_asks_and_enter_keeps(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, "gpt-oss:20b")
        await shown.press("d")
        await shown.sees("Delete gpt-oss:20b from demo?", "frees 13.8 GB", "keep")
        await shown.press("enter")
        await shown.misses("Delete gpt-oss")
        assert shown.app.models.entry("gpt-oss:20b") is not None
        await shown.press("d")
        await shown.sees("Delete gpt-oss:20b from demo?")
        await shown.press("d")
        await shown.sees("deleted gpt-oss:20b")
        await shown.until(lambda: shown.app.models.entry("gpt-oss:20b") is None)


async def test_several_are_deleted_after_one_question_and_what_is_in_use_after_a_second(
    tmp_path: Path,
) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        for name in ("assistant:latest", "gpt-oss:20b"):
            await go_to(shown, name)
            await shown.press("space")
        await shown.press("d")
        await shown.sees("Delete these 2 models from demo?", "assistant:latest", "gpt-oss:20b")
        await shown.press("d")
        await shown.sees("Really?", "the current model")
        await shown.press("y")
        await shown.sees("deleted 2 models")


async def test_copy_and_rename(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await go_to(shown, "qwen3:8b")
        await shown.press("c")
        await shown.sees("Copy qwen3:8b to which name?")
        await shown.type("mine")
        await shown.press("enter")
        await shown.until(lambda: shown.app.models.entry("mine:latest") is not None)
        await go_to(shown, "mine:latest")
        await shown.press("R")
        await shown.sees("Rename mine:latest to which name?")
        await shown.type("qwen3:8b")
        await shown.press("enter")
        await shown.sees("qwen3:8b exists. Overwrite it?")
        await shown.press("enter")
        await shown.misses("Overwrite")
        assert shown.app.models.entry("mine:latest") is not None
        await shown.press("R")
        await shown.sees("Rename mine:latest")
        await shown.type("a b")
        await shown.press("enter")
        await shown.sees("is not allowed")
        await shown.press("escape")
        await shown.press("R")
        await shown.type("ours")
        await shown.press("enter")
        await shown.until(lambda: shown.app.models.entry("ours:latest") is not None)
        await shown.until(lambda: shown.app.models.entry("mine:latest") is None)


async def test_an_error_names_what_failed_where_and_the_remedy(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        await go_to(shown, "qwen3:8b")
        shown.server.faults.add(Fault(Kind.STATUS, "/api/generate", value=500))
        await shown.press("l")
        await shown.sees("cannot load qwen3:8b", shown.server.url)


async def test_keys_that_do_nothing_now_are_not_shown(tmp_path: Path) -> None:
    async with live(tmp_path, size=(160, 40)) as shown:
        await go_to(shown, "gpt-oss:120b-cloud")
        await shown.until(lambda: " load " not in shown.text.splitlines()[-1])
        assert "s switch" in shown.text.splitlines()[-1]
        await go_to(shown, "qwen3:8b")
        await shown.until(lambda: "l load" in shown.text.splitlines()[-1])
        assert "u unload" not in shown.text.splitlines()[-1]
        await shown.press("u")
        assert not isinstance(shown.app.screen, Question)


@pytest.mark.parametrize(
    ("size", "columns"),
    [
        ((44, 20), "NAME SIZE STATE"),
        ((60, 20), "NAME SIZE STATE"),
        ((80, 24), "NAME SIZE STATE TOK/S FIT"),
        ((120, 35), "NAME QUANT SIZE STATE TOK/S FIT"),
        ((140, 35), "NAME QUANT SIZE STATE TOK/S FIT MODIFIED▼"),
    ],
)
async def test_columns_give_way_by_worth(tmp_path: Path, size: tuple[int, int], columns: str) -> None:
    async with live(tmp_path, size=size) as shown:
        assert shown.line("NAME").partition("│")[0].split() == columns.split()
        assert all(len(line) <= size[0] for line in shown.text.splitlines())
        await shown.pilot.resize_terminal(160, 40)
        await shown.sees("MODIFIED", "PARAMS")


async def test_columns_can_be_chosen(tmp_path: Path) -> None:
    config = '[tui.columns]\nmodels = ["size", "name", "nonsense"]\n'
    async with live(tmp_path, config=config) as shown:
        assert shown.line("NAME").split()[:2] == ["SIZE", "NAME"]


async def test_the_mouse(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        lines = shown.text.splitlines()
        row = next(y for y, line in enumerate(lines) if "qwen3:8b" in line)
        await shown.pilot.click(offset=(6, row))
        await shown.until(lambda: table(shown).cursor_key == "qwen3:8b")
        header = next(y for y, line in enumerate(lines) if "NAME" in line)
        await shown.pilot.click(offset=(lines[header].index("SIZE") + 1, header))
        await shown.sees("biggest first")
        keys = shown.text.splitlines()[-1]
        await shown.pilot.click(offset=(keys.index("delete"), len(lines) - 1))
        await shown.sees("Delete qwen3:8b from demo?")
        lines = shown.text.splitlines()
        answers = next(y for y, line in enumerate(lines) if "enter esc" in line)
        await shown.pilot.click(offset=(lines[answers].index("keep"), answers))
        await shown.misses("Delete qwen3:8b")
