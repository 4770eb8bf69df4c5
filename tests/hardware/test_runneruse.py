"""What runner processes use, read of real programs that are called as Ollama's are."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modeltui.domain.machines.hardware import RunnerUse, is_runner
from modeltui.hardware.runneruse import FIND_S, RunnerMeter

BUSY = "import time\nheld = b'x' * 30_000_000\nwhile True: sum(range(10_000))\n"
PATIENCE_S = 30.0


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def runner(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that is called llama-server, computes, and holds 30 MB."""
    if not sys.platform.startswith("linux"):
        pytest.skip("a script has the name of its interpreter elsewhere")
    program = tmp_path / "llama-server"
    shutil.copy(os.path.realpath(sys.executable), program)
    place = {"PYTHONHOME": sys.base_prefix, "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib"}
    process = subprocess.Popen([str(program), "-c", BUSY], env={**os.environ, **place})
    yield process
    process.kill()
    process.wait()


def read_until(meter: RunnerMeter, clock: Clock, count: int) -> RunnerUse:
    """Look until so many runners more than none are seen: a program is called so only when it has begun."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = meter.read()
        if found is not None and found.count >= count and found.ram > 30_000_000:
            return found
        assert time.monotonic() < deadline, found
        clock.now += FIND_S
        time.sleep(0.02)


def test_ram_and_processors_of_a_runner(runner: "subprocess.Popen[bytes]") -> None:
    clock = Clock()
    meter = RunnerMeter(clock)
    first = read_until(meter, clock, 1)
    deadline = time.monotonic() + PATIENCE_S
    percent: float | None = None
    while not percent:
        clock.now += 1.0
        found = meter.read()
        percent = found.percent if found is not None else None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert 0 < percent <= 100
    runner.kill()
    runner.wait()
    clock.now += 1.0
    after = meter.read()
    assert after is None or after.count < first.count


def test_without_runners_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    monkeypatch.setattr(psutil, "process_iter", lambda _: iter(()))
    assert RunnerMeter(Clock()).read() is None


@pytest.mark.parametrize(
    ("name", "command", "is_one"),
    [
        ("llama-server", ["/usr/lib/ollama/llama-server", "-m", "blob"], True),
        ("ollama_llama_se", ["/tmp/ollama_llama_server"], True),
        ("ollama", ["/usr/bin/ollama", "runner", "--model", "blob"], True),
        ("ollama", ["/usr/bin/ollama", "serve"], False),
        ("ollama", ["/usr/bin/ollama", "run", "runner"], False),
        ("ollama", [], False),
        ("python3", ["python3", "runner"], False),
    ],
)
def test_which_processes_run_models(name: str, command: list[str], is_one: bool) -> None:
    assert is_runner(name, command) is is_one
