"""What programs of this machine have of its RAM for themselves, read of a real one called as a runner is."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modeltui.hardware.processes import runner_memory

OWN, MAPPED = 60_000_000, 300_000_000
WORK = f"""
import mmap, sys
own = b"x" * {OWN}
with open(sys.argv[1], "rb") as file:
    weights = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    total = sum(weights[:: mmap.PAGESIZE])
    print("ready", flush=True)
    sys.stdin.read()
"""
PATIENCE_S = 30.0


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="a script has its interpreter's name elsewhere"
)
def test_a_runner_s_own_memory_without_the_file_that_it_maps(tmp_path: Path) -> None:
    program, weights = tmp_path / "llama-server", tmp_path / "weights"
    shutil.copy(os.path.realpath(sys.executable), program)
    with weights.open("wb") as file:
        file.truncate(MAPPED)
    place = {"PYTHONHOME": sys.base_prefix, "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib"}
    before = runner_memory()
    with subprocess.Popen(
        [str(program), "-c", WORK, str(weights)],
        env={**os.environ, **place},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as runner:
        assert runner.stdout is not None and runner.stdin is not None
        assert runner.stdout.readline() == b"ready\n"
        more = runner_memory() - before
        assert OWN <= more < MAPPED
        runner.stdin.close()
    deadline = time.monotonic() + PATIENCE_S
    while runner_memory() > before + OWN // 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
