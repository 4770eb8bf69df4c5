"""Measures `modeltui verify` beside `sha256sum` of the same files in one run, and prints a table of ratios.

    python tests/benchmarks/verify_speed.py [--megabytes N] [--runs N] [--in DIRECTORY]

Whole processes, their start included, in turn; medians are compared. "warm" reads from memory, "cold" from
the disk: the files' pages are given back before each run, as far as the kernel does so for a plain user.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import wall_time

sys.path.insert(0, str(Path(__file__).parents[1]))
from shelf import Shelf

from modeltui.demo.library import DemoModel, Library
from modeltui.demo.server import DemoServer

LEAST = 0.9  # of the speed of sha256sum
FILES = 4


@contextmanager
def served(library: Library) -> Iterator[str]:
    """The address of a demonstration server beside this thread."""
    loop, server = asyncio.new_event_loop(), DemoServer(seed=library)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    try:
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def fill(root: Path, megabytes: int) -> tuple[Shelf, Library]:
    """Models of random bytes, written to the disk."""
    shelf, library = Shelf(root / "models"), Library()
    for number in range(FILES):
        weights = os.urandom(megabytes * 1_000_000 // FILES)
        shelf.add(library, DemoModel(f"m{number}:1b", f"m{number}"), weights)
    os.sync()
    return shelf, library


def drop(shelf: Shelf) -> None:
    """Give the pages of every blob back."""
    for path in shelf.blobs.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def warm(shelf: Shelf) -> None:
    for path in shelf.blobs.iterdir():
        path.read_bytes()


PREPARATIONS = {"warm": warm, "cold": drop}


def measure(
    megabytes: int, runs: int, place: Path | None = None, how: tuple[str, ...] = tuple(PREPARATIONS)
) -> dict[str, tuple[float, float]]:
    """Preparation -> median wall seconds of ours and of sha256sum."""
    with tempfile.TemporaryDirectory(dir=place) as root:
        shelf, library = fill(Path(root), megabytes)
        with served(library) as url:
            environ = {**os.environ, "OLLAMA_MODELS": str(shelf.root), "HOME": root}
            for word in ("CONFIG", "STATE", "CACHE"):
                environ[f"MODELTUI_{word}_DIR"] = str(Path(root) / word.lower())
            config = Path(root) / "config"
            config.mkdir(mode=0o700)
            (config / "config.toml").write_text(f'server = "m"\n[servers.m]\nurl = "{url}"\nlocal = true\n')
            ours = [sys.executable, "-m", "modeltui", "verify"]
            bare = ["sha256sum", *map(str, shelf.blobs.iterdir())]
            return {each: _medians(PREPARATIONS[each], shelf, [ours, bare], environ, runs) for each in how}


def _medians(
    prepare: Callable[[Shelf], None],
    shelf: Shelf,
    commands: list[list[str]],
    environ: dict[str, str],
    runs: int,
) -> tuple[float, float]:
    times = []
    for _ in range(runs):
        both = []
        for command in commands:
            prepare(shelf)
            both.append(wall_time(command, environ))
        times.append(both)
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--in", dest="place", type=Path)
    asked = parser.parse_args()
    print(f"{'files':6} {'verify':>14} {'sha256sum':>14} {'speed':>7}  budget    holds")  # noqa: T201
    for name, (ours, bare) in measure(asked.megabytes, asked.runs, asked.place).items():
        holds = "yes" if bare / ours >= LEAST else "NO"
        rates = [f"{asked.megabytes / seconds:9.0f} MB/s" for seconds in (ours, bare)]
        print(f"{name:6} {rates[0]} {rates[1]} {bare / ours:5.2f} x  >= {LEAST} x  {holds}")  # noqa: T201


if __name__ == "__main__":
    main()
