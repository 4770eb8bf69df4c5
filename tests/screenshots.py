"""Takes the README's pictures from the running program: python tests/screenshots.py

Each picture is what a terminal of 100 columns shows of real commands on a demonstration server.
"""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 100
FOLDER = Path(__file__).parents[1] / "screenshots"
PICTURES = {
    "commands": ["modeltui ls", "modeltui switch qwen3:8b", "modeltui load nomic-embed-text", "modeltui ps"],
}


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
        picture = console.export_svg(title="modeltui", unique_id=name)
        # Without it some viewers drop the spaces that a text begins with, and columns shift.
        kept = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
        (FOLDER / f"{name}.svg").write_text(kept, encoding="utf-8")
    server.terminate()
    server.wait()
    server.stderr.close()


if __name__ == "__main__":
    main()
