"""What the screens' measurements stand on: a demonstration server, directories, and programs on terminals."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pseudoterminal import Stalled, Terminal, plain

HERE = Path(__file__).parent
BARE = [sys.executable, str(HERE / "bare_app.py")]
RATE = 60_000_000
SCREENFUL = 20
"""So many rows at least are a first screenful at 120x35."""
ONLINE = "online"
_NAME = re.compile(r"m\d{5}-[a-z]+:\d+b")


@dataclass(frozen=True)
class Stage:
    """A demonstration server, and a root for the directories of the programs that use it."""

    url: str
    root: Path

    def environ(self, home: str, added: str = "") -> dict[str, str]:
        """The whole environment of a program, whose directories are its own by the name of its `home`.

        `added` is what else stands in its config.toml, from the first call on.
        No COLUMNS or LINES, which would hold its size, and nothing of coverage, which would slow it.
        """
        root = self.root / home
        kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
        config = root / "config" / "config.toml"
        if not config.exists():
            config.parent.mkdir(parents=True, mode=0o700)
            registry = f'[registries."registry.ollama.ai"]\nbase_url = "{self.url}"\n'
            config.write_text(registry + added, encoding="utf-8")
            config.chmod(0o600)
        return {
            **kept,
            **{f"MODELTUI_{word.upper()}_DIR": str(root / word) for word in ("config", "state", "cache")},
            "HOME": str(root),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PYTHONPATH": str(HERE.parents[1]),
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "modeltui", "--server", self.url, *words]

    def screens(self, home: str = "home", added: str = "") -> Terminal:
        """Our screens, in the directories of `home`, started as a person does on the server's machine."""
        environ = {**self.environ(home, added), "OLLAMA_HOST": self.url}
        return Terminal([sys.executable, "-m", "modeltui"], environ)

    def metered(self, home: str = "home") -> Terminal:
        """Our screens on a machine with two made-up cards at work."""
        environ = {**self.environ(home), "OLLAMA_HOST": self.url}
        return Terminal([sys.executable, str(HERE / "metered_app.py")], environ)

    def bare(self) -> Terminal:
        return Terminal(BARE, self.environ("bare"))

    @contextmanager
    def live(self, home: str = "home", added: str = "") -> Iterator[Terminal]:
        """Our screens with live rows, at rest."""
        with self.screens(home, added) as terminal:
            terminal.wait_until(lambda text: ONLINE in text)
            terminal.wait_quiet(0.3)
            yield terminal

    @contextmanager
    def bare_at_rest(self) -> Iterator[Terminal]:
        with self.bare() as terminal:
            screenful(terminal)
            terminal.wait_quiet(0.3)
            yield terminal

    def post(self, path: str, /, **wish: Any) -> None:
        """Ask the server itself for something."""
        httpx.post(self.url + path, json=wish, trust_env=False, timeout=30).raise_for_status()

    @contextmanager
    def delayed(self, seconds: float) -> Iterator[None]:
        """Let every answer of the server come later."""
        self.post("/demo/faults", kind="delay", path="/api/*", value=seconds, times=None)
        try:
            yield
        finally:
            httpx.delete(f"{self.url}/demo/faults", trust_env=False).raise_for_status()


@contextmanager
def stage(root: Path, models: int, rate: float = RATE) -> Iterator[Stage]:
    """A stage in an empty directory; 0 models means those of the demonstration."""
    command = [sys.executable, str(HERE / "library_server.py"), str(models), str(rate)]
    unmeasured = Stage("", root).environ("server")
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=unmeasured)
    assert server.stdout is not None
    try:
        yield Stage(server.stdout.readline().strip(), root)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def screenful(terminal: Terminal, patience: float = 15) -> float:
    """Wait for the first screenful; returns the time at which the last of its rows was painted."""
    terminal.wait_until(lambda text: len(set(_NAME.findall(text))) >= SCREENFUL, patience=patience)
    terminal.wait_quiet(0.15)
    seen: set[str] = set()
    text, last = b"", 0.0
    for at, data in terminal.pieces():
        text += data
        if names := set(_NAME.findall(plain(text))) - seen:
            seen |= names
            last = at
    if len(seen) < SCREENFUL:
        raise Stalled(plain(text)[-2000:])
    return last
