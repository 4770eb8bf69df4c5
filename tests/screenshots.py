"""Takes the README's pictures from the running program: python tests/screenshots.py

The screens are the program itself on a demonstration server; the commands are real ones, as a terminal of 100
columns shows them. Where `rsvg-convert` is installed each SVG has a PNG beside it.
"""

import asyncio
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text
from textual.pilot import Pilot

from modeltui import __version__
from modeltui.tui.app import ModelTuiApp
from modeltui.tui.stage import open_demonstration

WIDTH = 100
FOLDER = Path(__file__).parents[1] / "screenshots"
PICTURES = {
    "commands": ["modeltui ls", "modeltui switch qwen3:8b", "modeltui load nomic-embed-text", "modeltui ps"],
}

# Each picture: the size of the terminal, what is typed, and a text that must be seen before it is taken.
Step = tuple[str, str]  # keys (or `type …`), and the text to wait for
SCREENS: dict[str, tuple[tuple[int, int], tuple[Step, ...]]] = {
    "models": (
        (120, 30),
        (
            ("type /qwen3:8b", "1 of 12"), ("enter escape l", "loaded in"), ("s", "current model: qwen"),
            ("type /nomic", "1 of 12"), ("enter escape n", "for ever"), ("home down down", "● "),
        ),
    ),
    "catalog": (
        (120, 30),
        (("2", "gpu   "), ("type /vision <8gb fits", "downloads"), ("enter down down", "tok/s")),
    ),
    "recommend": ((120, 32), (("3", "weights"), ("t", "t coding"), ("down down", "also:"))),
    "switch": ((100, 26), (("type /gpt-oss:20b", "1 of 12"), ("enter escape s", "Make gpt-oss:20b"))),
    "details": ((100, 30), (("type /gemma", "1 of 12"), ("enter", "gemma3:12b"), ("enter", "architecture"))),
    "downloads": (
        (120, 24),
        (
            ("4 p", "Pull which model?"), ("type qwen3:0.6b", "qwen3:0.6b"), ("enter", "digest checked"),
            ("p", "Pull"), ("type mistral-small:24b gemma3:27b qwen3:1.7b", "1.7b"), ("enter", " 1 min"),
        ),
    ),
    "running": (
        (100, 20),
        (
            ("type /qwen3:8b", "1 of 12"), ("enter escape l", "loaded in"), ("type /nomic", "1 of 12"),
            ("enter escape n", "for ever"), ("5", "KEPT"),
        ),
    ),
    "narrow": ((60, 20), (("type /qwen3:8b", "1 of 12"), ("enter escape l", "gpu"), ("home", "online"))),
}  # fmt: skip
KEYS = {"/": "slash", ":": "colon", ".": "full_stop", "-": "minus", " ": "space", "<": "less_than_sign"}


async def take(name: str) -> None:
    """Drive the program to a screen, and keep its picture."""
    size, steps = SCREENS[name]
    stage = await open_demonstration(os.environ, tell=print)
    app = ModelTuiApp(stage, colour="full", glyphs="unicode", version=__version__)
    async with app.run_test(size=size) as pilot:
        await seen(pilot, "online")
        for keys, text in steps:
            typed = keys.removeprefix("type ")
            await pilot.press(*([KEYS.get(c, c) for c in typed] if typed != keys else keys.split()))
            await seen(pilot, text)
        await pilot.pause(0.3)
        keep(name, app.export_screenshot(title="modeltui"))
        await app.stop_workers()
    await app.stage.close()


async def seen(pilot: "Pilot[int]", text: str) -> None:
    """Wait until a text stands on the screen; raises TimeoutError after 60 s."""
    async with asyncio.timeout(60):
        while all(text not in strip.text for strip in pilot.app.screen._compositor.render_strips()):
            await pilot.pause(0.05)


def keep(name: str, picture: str) -> None:
    """Write a picture, and its PNG where that can be made."""
    # Without it some viewers drop the spaces that a text begins with, and columns shift.
    kept = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
    file = FOLDER / f"{name}.svg"
    file.write_text(kept, encoding="utf-8")
    if (converter := shutil.which("rsvg-convert")) is not None:
        subprocess.run([converter, file, "-o", file.with_suffix(".png")], check=True)


def on_terminal(words: list[str], environ: dict[str, str]) -> str:
    """Run a command on a terminal of its own and return what it wrote there."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "modeltui", *words], stdin=slave, stdout=slave, stderr=slave, env=environ
    )
    os.close(slave)
    written = bytearray()
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the terminal is gone with the last process on it
            break
        if not part:
            break
        written += part
    process.wait()
    os.close(master)
    return written.decode("utf-8").replace("\r\n", "\n")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in SCREENS:
        asyncio.run(take(name))
    environ = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environ.pop("NO_COLOR", None)
    server = subprocess.Popen(
        [sys.executable, "-m", "modeltui", "demo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    for line in server.stderr:
        if line.startswith("  . "):
            environment = Path(line.strip()[2:]).read_text(encoding="utf-8")
            environ |= dict(re.findall(r"export (\w+)='?([^'\n]+)", environment))
            break
    for name, commands in PICTURES.items():
        console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
        for command in commands:
            console.print(Text(f"$ {command}", style="bold"))
            console.print(Text.from_ansi(on_terminal(command.split()[1:], environ).rstrip("\n")), end="\n\n")
        keep(name, console.export_svg(title="modeltui", unique_id=name))
    server.terminate()
    server.wait()
    server.stderr.close()


if __name__ == "__main__":
    main()
