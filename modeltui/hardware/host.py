"""Alone responsible for reading this machine's processor, memory and disks, and one snapshot of it all."""

import platform
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from modeltui.domain.machines.hardware import Cpu, Disk, Gpus, Host, Memory
from modeltui.hardware.gpus import read_gpus
from modeltui.text import clean_line

_SHORTEST_S = 0.1  # of processor time: below it the kernel's ticks are too coarse for a percentage


class CpuMeter:
    """How busy the processors were between two calls, never waiting.

    Not `psutil.cpu_percent`: that counts from the last call *of the same thread*, and a poll that runs in
    a thread pool is in another thread each time. One meter serves all threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[float, float] | None = None
        self._percent: float | None = None

    def percent(self) -> float | None:
        """Percent of all processors (0-100) since the last call; None at the first one or when unreadable."""
        sample = _cpu_seconds()
        with self._lock:
            if sample is None or self._last is None:
                self._last, self._percent = sample, None
                return None
            total, busy = sample[0] - self._last[0], sample[1] - self._last[1]
            if total >= _SHORTEST_S:
                self._last = sample
                self._percent = round(min(100.0, max(0.0, 100 * busy / total)), 1)
            return self._percent


_METER = CpuMeter()


def read_host(
    models_dirs: Sequence[Path],
    *,
    root: Path = Path("/"),
    gpus: Callable[[], Gpus] = read_gpus,
    meter: CpuMeter = _METER,
) -> Host:
    """Read the whole machine once; what can't be read is None. Never raises, and blocks as `read_gpus` does.

    `models_dirs` are the directories whose disks matter; `root` is where /proc is looked for.
    """
    return Host(
        gpus=gpus(),
        cpu=Cpu(_cpu_model(root), _cpu_cores(), meter.percent()),
        memory=_memory(),
        disks=tuple(read_disk(path) for path in models_dirs),
    )


def read_disk(path: Path) -> Disk:
    """The size and the free bytes of the file system that `path` is on."""
    import psutil

    shown = clean_line(str(path))
    try:
        usage = psutil.disk_usage(str(path))
    except (OSError, ValueError):
        return Disk(shown, None, None)
    return Disk(shown, int(usage.total), int(usage.free))


def _memory() -> Memory | None:
    import psutil

    try:
        memory = psutil.virtual_memory()
    except (OSError, psutil.Error, ValueError):
        return None  # /proc is hidden from us
    return Memory(int(memory.total), int(memory.available))


def _cpu_cores() -> int | None:
    """Physical cores (what a runner takes as its number of threads), else the logical ones."""
    import psutil

    try:
        return psutil.cpu_count(logical=False) or psutil.cpu_count()
    except (OSError, psutil.Error):
        return None


def _cpu_seconds() -> tuple[float, float] | None:
    """All seconds that the processors have spent since boot, and the busy ones among them."""
    import psutil

    try:
        times = psutil.cpu_times()
    except (OSError, psutil.Error):
        return None
    # Linux counts a guest's time in user and nice already; waiting for a disk is not being busy.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total, total - times.idle - getattr(times, "iowait", 0.0)


def _cpu_model(root: Path) -> str | None:
    """The processor's own name; on ARM, where the kernel gives none, the architecture."""
    try:
        with (root / "proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() == "model name" and value.strip():
                    return clean_line(" ".join(value.split()))
                if not line.strip():
                    break  # the other processors say the same, and slowly
    except OSError:
        pass
    name = platform.machine() if sys.platform.startswith("linux") else platform.processor()
    return clean_line(name) or None
