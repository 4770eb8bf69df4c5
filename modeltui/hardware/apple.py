"""Alone responsible for reading a Mac's GPU, which computes in the machine's own memory, by sysctl."""

import subprocess
from collections.abc import Mapping

from modeltui.domain.machines.cards import apple_bandwidth
from modeltui.domain.machines.hardware import Gpu
from modeltui.domain.machines.machine import Backend
from modeltui.domain.machines.typedhardware import wired_share
from modeltui.text import clean_line

KEYS = ("hw.memsize", "machdep.cpu.brand_string", "hw.physicalcpu", "iogpu.wired_limit_mb")
_LONGEST_S = 5.0
_MIB = 1 << 20


def read_apple() -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """The GPU of this Mac, and notes on what can't be read. Never raises."""
    try:
        # One key that a system lacks (the limit, before macOS 14) does not keep it from printing the others.
        done = subprocess.run(
            ["sysctl", *KEYS], capture_output=True, stdin=subprocess.DEVNULL, timeout=_LONGEST_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return (), ("the GPU of this Mac can't be read: sysctl does not run",)
    return gpu_of(sysctl_lines(done.stdout.decode("utf-8", "replace")))


def sysctl_lines(text: str) -> Mapping[str, str]:
    """`key: value` lines."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def gpu_of(facts: Mapping[str, str]) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """The GPU by what sysctl says; none on a Mac with an Intel processor, where Ollama has no Metal.

    Its `total` is what it may use of RAM: iogpu.wired_limit_mb where that was set, else the system's share.
    """
    chip = clean_line(facts.get("machdep.cpu.brand_string", ""), 80)
    memory = _number(facts.get("hw.memsize"))
    if chip and not chip.casefold().startswith("apple"):
        return (), ()
    if not chip or not memory:
        return (), ("the GPU of this Mac can't be read: sysctl does not name its chip and its memory",)
    limit = (_number(facts.get("iogpu.wired_limit_mb")) or 0) * _MIB
    total = min(limit, memory) if limit else int(memory * wired_share(memory))
    carried = apple_bandwidth(chip, _number(facts.get("hw.physicalcpu")))
    gpu = Gpu(
        *(0, None, chip, total, None, None, None, None, None, None),
        backend=Backend.METAL,
        bandwidth=carried,
        is_unified=True,
    )
    return (gpu,), ()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
