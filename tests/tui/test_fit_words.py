"""Fit and memory on Models, Details, Running, in the questions of s and p: one estimate, the same words."""

import re
from pathlib import Path

import pytest
from live import Live, live
from textual.widgets import Input

from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.dialogs import Question, TextDialog

HARDWARE = """
[servers.demo.hardware]
gpus = ["made-up GPU 24GB@936GB/s"]
ram = "64GB"
ram_bandwidth = "51.2GB/s"
"""
NO_GPU = '[servers.demo.hardware]\ngpus = []\nram = "16GB"\n'
BIG, SMALL = "qwen3.5:27b", "llama3.2:3b"


async def judged(shown: Live) -> None:
    await shown.until(lambda: shown.app.advice is not None)
    await shown.pilot.pause()


async def on_model(shown: Live, name: str) -> None:
    screen = shown.app.screen
    assert screen.go_to(name)
    await shown.until(lambda: screen.model is not None and screen.model.sent == name)
    await shown.pilot.pause(0.1)


async def test_the_pane_says_what_a_model_would_take_and_then_what_it_takes(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await judged(shown)
        await on_model(shown, SMALL)
        await shown.sees("needs █", " of 25.8 GB", "all on the GPU, ", "gpu ", " tok/s at 32k")
        await shown.press("l")
        await shown.sees("VRAM █", "kept ")
        await on_model(shown, BIG)
        await shown.sees("split ", "better: ")


async def test_without_a_gpu_ram_is_what_counts(tmp_path: Path) -> None:
    async with live(tmp_path, config=NO_GPU, gpu_memory=0) as shown:
        await judged(shown)
        await on_model(shown, SMALL)
        await shown.sees("needs █", " of 17.2 GB RAM", "all in RAM", "cpu ")
        await on_model(shown, BIG)
        await shown.sees("more than there is", "no 0")


async def test_an_unknown_machine_is_said(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await judged(shown)
        await on_model(shown, SMALL)
        await shown.sees("fit unknown: what ")
        await shown.press("enter")
        await shown.sees("unknown: the machine is unknown: the configuration says local = false")


async def test_details_take_the_fit_apart(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE, size=(120, 60)) as shown:
        await judged(shown)
        await on_model(shown, BIG)
        await shown.press("enter")
        assert isinstance(shown.app.screen, DetailsScreen)
        await shown.sees("needs  ", "weights ", "KV cache ", "would lie", "longest", "mend  ", "machine  ")
        # The server has told its shape: the verdict rests on it now.
        await shown.sees("its shape: the server's own facts of it")
        await shown.sees("score", "memory ", "speed ")


async def test_the_question_of_a_switch_says_needs_place_speed_and_who_goes(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await judged(shown)
        await shown.until(lambda: shown.app.models.current is not None)
        await on_model(shown, "gemma3:12b")
        await shown.press("l")
        await shown.until(lambda: any(row.sent == "gemma3:12b" for row in shown.app.models.loaded or ()))
        await on_model(shown, BIG)
        await shown.press("s")
        await shown.until(lambda: isinstance(shown.app.screen, Question))
        await shown.sees("needs  ", " at 32k: ", " on the GPU, ", " in RAM: about ", "better ")
        await shown.sees("unloads  gemma3:12b: the server counts ", "enter esc keep")
        await shown.press("escape")


async def test_the_dialog_of_a_pull_says_whether_it_fits_while_one_types(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await judged(shown)
        await shown.press("p")
        await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
        shown.app.screen.query_one(Input).value = "qwen3:14b"
        await shown.sees("qwen3:14b: 9.28 GB, fits: gpu, ")
        shown.app.screen.query_one(Input).value = "tiny-demo llama3.1:405b"
        await shown.sees("llama3.1:405b: 243 GB, does not fit: ")
        shown.app.screen.query_one(Input).value = "no such!name"
        await shown.misses("does not fit")
        await shown.press("escape")


async def test_what_is_queued_says_whether_it_fits(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE, rate=1e3) as shown:
        await judged(shown)
        await shown.press("p")
        await shown.until(lambda: isinstance(shown.app.screen, TextDialog))
        shown.app.screen.query_one(Input).value = "tiny-demo"
        await shown.press("enter")
        await shown.until(lambda: "tiny-demo:latest queued as 1: 2 MB, fits: gpu, " in shown.app.notice[0])


@pytest.mark.parametrize("size", [(120, 35), (80, 24), (60, 20)])
async def test_running_predicts_says_what_spilled_and_what_would_help(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with live(tmp_path, config=HARDWARE, size=size) as shown:
        await judged(shown)
        await on_model(shown, BIG)
        await shown.press("l")
        await shown.until(lambda: any(row.sent == BIG for row in shown.app.models.loaded or ()))
        await shown.press("5")
        await shown.sees("made-up GPU", "25.8/25.8 GB", "spilled: 1.47 GB of it in RAM")
        await shown.sees(" ▸ ", "% of it is in RAM; ", "tok/s")
        if size[0] >= 120:
            await shown.sees("PREDICTED", "would free ")
            assert re.search(r"\d\d\.\d GB \([+-]?\d %\)", shown.line("split"))
        assert all(len(line) <= size[0] for line in shown.text.splitlines())
        assert shown.line("split")


async def test_an_idle_one_is_proposed_to_go(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await judged(shown)
        await shown.until(lambda: shown.app.models.current is not None)
        await on_model(shown, "qwen3:8b")
        await shown.press("n")
        await shown.until(lambda: any(row.sent == "qwen3:8b" for row in shown.app.models.loaded or ()))
        await shown.press("5")
        await shown.sees("▸ qwen3:8b: it is kept for ever; u frees 1")
        await shown.press("u")
        await shown.sees("Nothing is loaded.")
        assert "▸" not in shown.text
