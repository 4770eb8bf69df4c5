"""A stranger's walk at 80x24, by the keys that the screen itself names."""

from pathlib import Path

from live import live

from modeltui.domain.models import ModelState


async def test_a_stranger_s_walk(tmp_path: Path) -> None:
    async with live(tmp_path, size=(80, 24)) as shown:
        # find the biggest model: `o sort` is in the help and the palette
        await shown.press("o", "o")
        await shown.sees("biggest first")
        await shown.press("home")
        await shown.sees("s switch", "l load")

        # see whether it is on the GPU: load it, then look at Running
        await shown.press("l")
        await shown.until(lambda: shown.app.models.entry("qwen3.5:27b").state is ModelState.SPLIT)
        await shown.press("5")
        await shown.sees("5 Running", "qwen3.5:27b", "% cpu")

        # pull a small one
        await shown.press("4")
        await shown.sees("Nothing is being pulled", "p pull")
        await shown.press("p")
        await shown.sees("Pull which model?")
        await shown.type("qwen3:0.6b")
        await shown.press("enter")
        await shown.sees("installed, digest checked")

        # make it current, from where it stands
        await shown.until(lambda: shown.app.models.entry("qwen3:0.6b") is not None)
        await shown.sees("s switch")
        await shown.press("s")
        await shown.sees("Make qwen3:0.6b the current model?", "may unload", "qwen3.5:27b")
        await shown.press("s")
        await shown.sees("current model: qwen3:0.6b")

        # keep it loaded for ever
        await shown.press("n")
        await shown.press("5")
        await shown.sees("qwen3:0.6b", "for ever")

        # delete another
        await shown.press("1")
        await shown.press("slash")
        await shown.type("phi4")
        await shown.press("enter")
        await shown.press("d")
        await shown.sees("Delete phi4-mini:3.8b from demo?", "frees 2.49 GB")
        await shown.press("d")
        await shown.sees("deleted phi4-mini:3.8b", "No model has these words")
        await shown.press("escape")
        await shown.sees("nomic-embed-text", "●")

        await shown.press("q")
        await shown.until(lambda: not shown.app.is_running)
    assert shown.app.return_code == 0
