"""Measures what the runner costs, and prints a table.

    python tests/benchmarks/runner_costs.py [--seconds N] [--runs N]

CPU of its process while three pulls run at 100 MB/s together, each with the server's 16 events a second; and
how long a pull takes by it beside the same pull by a bare client, in turn on one server.
"""

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from screen_stage import Stage, stage
from screens import Row

from modeltui.cli.session import now_ms
from modeltui.config.reader import load
from modeltui.domain.names import parse
from modeltui.domain.transfers import State, Transfer
from modeltui.paths import paths_under
from modeltui.services.detaching import start_runner
from modeltui.services.tree import Services, build
from modeltui.store.journal import Origin

TOGETHER = 100_000_000
"""Bytes a second."""
PULLED = ("qwen3:32b", "gemma3:27b", "deepseek-r1:32b")
TIMED = "qwen3:0.6b"
TIMED_BYTES = 523_000_000
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def services_of(server: Stage, home: str) -> Iterator[Services]:
    """The services of a program whose runner is a process of its own."""
    environ = {**server.environ(home), "OLLAMA_HOST": server.url, "MODELTUI_DOWNLOADS__PER_SERVER": "3"}
    paths = paths_under(server.root / home)
    services = build(
        load(paths, environ), paths, environ=environ, clock=now_ms, origin=Origin.COMMAND, tell=print
    )
    try:
        yield services
    finally:
        services.store.close()


def put(services: Services, *names: str) -> list[int]:
    server_id = services.links.id_of(services.config.active)
    queue = services.store.queue
    return [queue.enqueue(server_id, parse(name), now_ms())[0].number for name in names]


def transfer(services: Services, number: int) -> Transfer:
    row = services.store.queue.get(number)
    assert row is not None
    return row.transfer


def until(is_so: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= deadline:
            raise RuntimeError("it never came to be")
        time.sleep(0.02)


def cpu_s(process: int) -> float:
    """CPU seconds of a process until now, user's and system's."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_row(seconds: float, root: Path) -> Row:
    """Percent of a core while three pulls run."""
    with stage(root, 0, TOGETHER / 3) as server, services_of(server, "home") as services:
        numbers = put(services, *PULLED)
        runner = start_runner(services)
        try:
            until(lambda: all(transfer(services, each).state is State.PULLING for each in numbers), 60)
            time.sleep(2)
            began, before = time.perf_counter(), cpu_s(runner.pid)
            time.sleep(seconds)
            taken = (cpu_s(runner.pid) - before) * 100 / (time.perf_counter() - began)
        finally:
            os.kill(runner.pid, signal.SIGTERM)
            until(lambda: not runner.is_alive, 30)
    return Row(f"runner, three pulls over {seconds:.0f} s: CPU", taken, None, "%", "<= 2", _at_most(2))


def bare_pull_s(url: str, name: str) -> float:
    """The seconds of a pull by a client that does nothing but read its lines."""
    began = time.perf_counter()
    wish, last = {"model": name}, ""
    with (
        httpx.Client(trust_env=False, timeout=60) as client,
        client.stream("POST", f"{url}/api/pull", json=wish) as response,
    ):
        for line in response.iter_lines():
            last = line
    assert "success" in last, last
    return time.perf_counter() - began


def our_pull_s(server: Stage, home: str) -> tuple[float, float]:
    """The seconds of a pull by the runner, its checks included; and from the wish to its begin."""
    with services_of(server, home) as services:
        (number,) = put(services, TIMED)
        runner = start_runner(services)
        until(lambda: transfer(services, number).is_final, 300)
        until(lambda: not runner.is_alive, 30)
        row = services.store.queue.get(number)
    assert row is not None and row.transfer.state is State.INSTALLED, row
    assert row.transfer.started is not None and row.transfer.ended is not None
    return (row.transfer.ended - row.transfer.started) / 1000, (row.transfer.started - row.created) / 1000


def pull_rows(seconds: float, runs: int, root: Path) -> list[Row]:
    """The same pull by the runner and by a bare client, in turn."""
    ours: list[float] = []
    bare: list[float] = []
    waits: list[float] = []
    for run in range(runs):
        for name, times in (("ours", ours), ("bare", bare)):  # each on a server that has nothing of it
            home = root / f"{name}{run}"
            home.mkdir()
            with stage(home, 0, TIMED_BYTES / seconds) as server:
                if name == "bare":
                    times.append(bare_pull_s(server.url, TIMED))
                else:
                    taken, wait = our_pull_s(server, "home")
                    times.append(taken)
                    waits.append(wait)
    what = f"a pull of {seconds:.0f} s: begin to checked"
    return [
        Row(what, statistics.median(ours), statistics.median(bare), "s", "<= 1.02 x", _times(1.02)),
        Row("its wish to its begin, the runner's start in it", statistics.median(waits), None, "s", "", _any),
    ]


def _at_most(limit: float) -> Callable[[float, float, float], bool]:
    return lambda ours, bare, slack: ours <= limit * slack


def _times(limit: float) -> Callable[[float, float, float], bool]:
    return lambda ours, bare, slack: ours <= limit * slack * bare


def _any(ours: float, bare: float, slack: float) -> bool:
    return True


def rows(seconds: float, runs: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="modeltui-runner-") as root:
        return [cpu_row(seconds, Path(root, "cpu")), *pull_rows(seconds, runs, Path(root))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="how long each measurement and pull takes")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'what':50} {'ours':>7} {'bare':>7} {'':4} {'ratio':>6}  {'budget':10} holds")  # noqa: T201
    for row in rows(arguments.seconds, arguments.runs):
        print(row, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
