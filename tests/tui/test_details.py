"""Details: everything about one model, its texts whole, what is wrong with it, and the keys for it."""

from dataclasses import replace
from pathlib import Path

import pytest
from live import Live, live
from test_running import go_to, load, loaded, on_running

from modeltui.demo.faults import Fault, Kind
from modeltui.demo.library import DemoModel, Library
from modeltui.domain.names import ModelName, from_listed
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.widgets.document import Document

SMALL, EMBED, CLOUD = "llama3.2:3b", "nomic-embed-text:latest", "gpt-oss:120b-cloud"
DAMAGED, AVAILABLE = "phi4-mini:3.8b", "qwen3:4b"


def screen(shown: Live) -> DetailsScreen:
    top = shown.app.screen
    assert isinstance(top, DetailsScreen)
    return top


def keys(shown: Live) -> str:
    return str(shown.text.splitlines()[-1])


def first_row(shown: Live) -> str:
    """The first row of the document that is seen."""
    return str(shown.text.splitlines()[4]).strip()


def named(text: str) -> ModelName:
    name = from_listed(text)
    assert name is not None
    return name


async def on_details(shown: Live, name: str) -> None:
    """The details of a model are on top, and the server has answered."""
    shown.app.show_details(name)
    await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen) and shown.app.screen.is_mounted)
    await shown.until(lambda: screen(shown).facts is not None or screen(shown).trouble is not None)
    await shown.pilot.pause()


async def test_everything_is_shown(tmp_path: Path) -> None:
    async with live(tmp_path, size=(120, 60)) as shown:
        await load(shown, SMALL)
        shown.app.refresh_soon()
        await on_details(shown, SMALL)
        await shown.sees("5.98 GB of 5.98 GB", "last load")
        for label, value in {
            "state": "gpu", "size": "2.02 GB", "parameters": "3.2B", "quantization": "Q4_K_M",
            "architecture": "llama", "family, format": "llama, gguf", "type": "general",
            "context": "128k, loaded with 32k", "capabilities": "completion  tools", "digest": "",
            "weights": "sha256:", "modified": "Z", "shares weights": "assistant:latest",
            "stop": "<|start_header_id|>",
        }.items():  # fmt: skip
            line = shown.line(f" {label} ")
            assert line.strip().startswith(label)
            assert value in line
        await shown.sees(
            "options", "<|eot_id|>", "system", "none", "template", "{{ .Tools }}", "licence", "LLAMA 3.2"
        )


async def test_the_current_model_and_its_system_prompt(tmp_path: Path) -> None:
    async with live(tmp_path, size=(120, 60)) as shown:
        await shown.until(lambda: shown.app.models.current is not None)
        await on_details(shown, "assistant:latest")
        await shown.sees("current         for", "last load       —")
        await shown.press("escape")
        await on_details(shown, "code-reviewer:latest")
        await shown.sees("You review code. Be brief,", "based on        qwen3:8b", "set to 16k")
        assert "current   " not in shown.text


async def test_what_the_list_knows_stands_there_at_once(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.HANG, "/api/show"))
        shown.app.show_details(CLOUD)
        await shown.sees("asking the server for the rest", "116.8B", "MXFP4", "architecture    —")
        assert "signed in as" not in shown.text


async def test_a_cloud_model_says_who_is_signed_in(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_details(shown, CLOUD)
        await shown.sees("runs at         https://ollama.com", "signed in as", "state           cloud")
        assert "last load" not in shown.text
        assert not any(word in keys(shown) for word in ("load", "pin", "keep"))


async def test_a_damaged_model_names_its_remedy(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_details(shown, DAMAGED)
        await shown.sees("damaged: ", "p pulls it again", "2.49 GB")
        await shown.until(lambda: "load" not in keys(shown))
        await shown.press("p")
        await shown.sees("Pull which model?", DAMAGED)


async def test_what_is_not_installed_can_be_pulled(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_details(shown, AVAILABLE)
        await shown.sees(f"{AVAILABLE} is not installed", "pull it, ")
        await shown.press("p")
        await shown.sees("Pull which model?", AVAILABLE)


async def test_an_error_names_what_failed_where_and_what_to_do(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.STATUS, "/api/show", value=[500, "the disk is gone"]))
        await on_details(shown, SMALL)
        await shown.sees("the disk is gone", f"{shown.server.url}/api/show", "2.02 GB")
        screen(shown).ask_again()
        await shown.sees("<|eot_id|>")
        await shown.misses("the disk is gone")


async def test_a_lost_server_leaves_what_was_known(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        await on_details(shown, SMALL)
        await shown.server.stop()
        await shown.press("r")
        await shown.until(lambda: "as it was: " in shown.text or "connection refused" in shown.text)
        assert "sha256:" in shown.text
        await shown.server.start()
        await shown.press("r")
        await shown.misses("as it was")
        await shown.misses("connection refused")


@pytest.mark.parametrize("wait", [True, False])
async def test_without_a_server_the_remembered_list_is_shown(tmp_path: Path, wait: bool) -> None:
    async with live(tmp_path):
        pass
    async with live(tmp_path, url="http://127.0.0.1:9", wait=False) as shown:
        shown.app.show_details(SMALL)
        if wait:
            await shown.until(lambda: shown.app.connection.trouble is not None)
        await shown.sees("not asked: ")


async def test_no_valid_name_means_no_question_and_no_action(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.HOSTILE, "/api/tags", times=None))
        shown.app.refresh_soon()
        await shown.until(lambda: any(entry.model.name is None for entry in shown.app.models.entries))
        entry = next(entry for entry in shown.app.models.entries if entry.model.name is None)
        shown.app.show_details(entry.model.sent)
        await shown.sees("no valid name: nothing can be asked about it or done with it")
        assert "\x1b" not in shown.text
        assert not any(f" {word}" in keys(shown) for word in ("switch", "delete", "copy", "load"))


async def test_what_changes_shows_and_what_is_read_keeps_its_place(tmp_path: Path) -> None:
    async with live(tmp_path, size=(80, 24)) as shown:
        await on_details(shown, SMALL)
        await shown.press("end")
        before = first_row(shown)
        await load(shown, SMALL)
        shown.app.refresh_soon()
        await shown.until(lambda: loaded(shown, SMALL) is not None)
        await shown.pilot.pause()
        assert first_row(shown) == before
        await shown.press("home")
        assert first_row(shown).startswith("state           gpu")


async def test_another_model_under_the_name_is_asked_about_anew(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_details(shown, "qwen3:8b")
        await shown.sees("architecture    qwen3")
        link = await shown.app.services.active()
        await link.api.copy(named(EMBED), named("qwen3:8b"))
        shown.app.refresh_soon()
        await shown.sees("architecture    bert")


async def test_every_key_for_this_model(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_details(shown, SMALL)
        await shown.press("l")
        await shown.sees("gpu  5 min")
        await shown.press("n")
        await shown.sees("gpu  for ever")
        await shown.press("e")
        await shown.sees("How long does")
        await shown.press("enter")
        await shown.sees("gpu  30 min")
        await shown.press("s")
        await shown.sees("current model: llama3.2:3b", "current         for")
        await shown.press("u")
        await shown.sees("state           not loaded")
        for key, words in (
            ("c", "Copy llama3.2:3b"),
            ("R", "Rename llama3.2:3b"),
            ("p", "Pull which model?"),
        ):
            await shown.press(key)
            await shown.sees(words)
            await shown.press("escape")
            await shown.misses(words)
        await shown.press("y")
        assert shown.app.clipboard == SMALL


async def test_deleted_here_it_is_said(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        await on_details(shown, "gpt-oss:20b")
        await shown.press("d")
        await shown.sees("Delete gpt-oss:20b from demo?")
        await shown.press("d")
        await shown.sees("is not installed")
        await shown.until(lambda: "d delete" not in keys(shown))
        assert "p pull" in keys(shown)


@pytest.mark.parametrize("key", ["escape", "backspace"])
async def test_back(tmp_path: Path, key: str) -> None:
    async with live(tmp_path) as shown:
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
        await shown.press(key)
        await shown.until(lambda: len(shown.app.screen_stack) == 1)
        assert shown.app.current_mode == "models"


async def test_show_elsewhere(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown, SMALL, EMBED)
        await go_to(shown, EMBED)
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
        await shown.press("g")
        await shown.until(lambda: shown.app.current_mode == "models")


async def test_values_go_on_under_themselves_on_a_narrow_terminal(tmp_path: Path) -> None:
    async with live(tmp_path, size=(60, 20)) as shown:
        await on_details(shown, SMALL)
        await shown.press("down", "down", "down")
        lines = shown.text.splitlines()
        row = next(at for at, line in enumerate(lines) if line.startswith(" digest"))
        assert lines[row + 1].startswith(" " * 17)
        digest = shown.app.models.entry(SMALL).model.digest
        assert "".join(line[17:59].strip() for line in lines[row : row + 2]) == digest
        assert all(len(line) <= 60 for line in lines)


async def test_a_licence_of_a_megabyte(tmp_path: Path) -> None:
    licence = "".join(f"paragraph {number} of very many of them\n" for number in range(26_000))
    model = DemoModel("wordy:latest", licence=licence)
    async with live(tmp_path, size=(120, 45), seed=Library((model,), (model,))) as shown:
        await on_details(shown, "wordy:latest")
        await shown.sees("paragraph 0 of very many of them")
        document = screen(shown).query_one(Document)
        await shown.until(lambda: document.virtual_size.height > 25_000)
        await shown.press("end")
        await shown.until(lambda: "paragraph" in first_row(shown) and "paragraph 0 " not in shown.text)
        end = first_row(shown)
        shown.app.models = replace(shown.app.models, entries=())
        await shown.sees("paragraph")
        assert first_row(shown) == end
