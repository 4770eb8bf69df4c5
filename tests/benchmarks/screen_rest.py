"""Measures what the screens cost while nobody types: at rest, and while three pulls run."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pseudoterminal import Terminal
from screen_stage import ONLINE, Stage

PULLED = ("qwen3:32b", "gemma3:27b", "deepseek-r1:32b")
DOWNLOADS, RUNNING = "4", "5"
LOADED = "llama3.2:3b"
JUDGED_S = 4.0  # verdicts and findings are there, the second look has made its changes
ADOPTED = "is current now"
SETTLED_S = 2.0
"""A start is over when nothing has come for so long; what keeps coming does not rest, and is counted."""
MEASURED = re.compile(r"online (<5|\d+) m?s")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one second: bytes to the terminal, and percent of a core."""

    size: float
    cpu: float


def over(seconds: float, *terminals: Terminal) -> list[Cost]:
    """What each program costs over the same seconds."""
    before = [(terminal.mark, terminal.cpu_seconds()) for terminal in terminals]
    began = time.perf_counter()
    time.sleep(seconds)
    after = [(terminal.mark, terminal.cpu_seconds()) for terminal in terminals]
    took = time.perf_counter() - began
    costs = []
    for terminal, (first, cpu), (last, later) in zip(terminals, before, after, strict=True):
        size = sum(len(data) for _, data in terminal.pieces(first)[: last - first])
        costs.append(Cost(size / took, (later - cpu) * 100 / took))
    return costs


def idle(server: Stage, seconds: float) -> tuple[Cost, Cost]:
    """Ours with live rows and the bare app, both at rest, side by side.

    Not the first start in its directories, which chooses a current model and says so for a while; and not
    before the way to the server was measured, which a start does once.
    """
    with server.live() as first_start:
        first_start.wait_until(lambda text: ADOPTED in text)
        first_start.quit()
    with server.live() as ours, server.bare_at_rest() as bare:
        ours.wait_until(lambda text: MEASURED.search(text) is not None)
        for terminal in (ours, bare):
            terminal.wait_quiet(SETTLED_S, patience=5 * SETTLED_S)
        first, second = over(seconds, ours, bare)
        return first, second


def downloads(server: Stage, seconds: float) -> Cost:
    """The Downloads screen while another process carries out three pulls of its queue."""
    with _pulls(server), server.live() as terminal:
        terminal.press(DOWNLOADS)
        terminal.wait_quiet(1.0, patience=1.0)
        return over(seconds, terminal)[0]


def meters(server: Stage, seconds: float) -> Cost:
    """The Running screen with a loaded model and two cards at work, whose numbers move."""
    server.post("/api/generate", model=LOADED, keep_alive=-1)
    with server.metered() as terminal:
        terminal.wait_until(lambda text: ONLINE in text)
        terminal.press(RUNNING)
        terminal.wait_until(lambda text: "last 2 min" in text and "RTX A6000" in text)
        time.sleep(JUDGED_S)
        return over(seconds, terminal)[0]


@contextmanager
def _pulls(server: Stage) -> Iterator[None]:
    """Three pulls under way."""
    inside = {"MODELTUI_DOWNLOADS__DETACHED": "false"}  # that process itself, which ends with the block
    environ = {**server.environ("home"), **inside, "MODELTUI_DOWNLOADS__PER_SERVER": "3"}
    null, command = subprocess.DEVNULL, server.command("pull", *PULLED)
    work = subprocess.Popen(command, env=environ, stdin=null, stdout=null, stderr=null)
    try:
        while _pulling(server, environ) < len(PULLED):
            if work.poll() is not None:
                raise RuntimeError(f"the pulls ended with {work.returncode}")
            time.sleep(0.1)
        yield
    finally:
        work.terminate()
        work.wait()


def _pulling(server: Stage, environ: dict[str, str]) -> int:
    """How many transfers are moving bytes."""
    queue = server.command("queue", "--json")
    answer = subprocess.run(queue, env=environ, check=True, capture_output=True).stdout
    return sum(row["state"] == "pulling" for row in json.loads(answer))
