"""Alone responsible for what Ollama's runner processes on this machine use of its processors and its RAM."""

import threading
import time
from collections.abc import Callable

from modeltui.domain.machines.hardware import RunnerUse, is_runner

FIND_S = 10.0  # a search through all programs, so not at every look
_SHORTEST_S = 0.5


class RunnerMeter:
    """Finds the runners again and again, and says what they use together. One meter serves all threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self._lock = threading.Lock()
        self._pids: tuple[int, ...] = ()
        self._found_at: float | None = None
        self._last: tuple[float, dict[int, float]] | None = None
        self._percent: float | None = None

    def read(self) -> RunnerUse | None:
        """What they use now; None where there is none, or its owner hides it. Never raises; blocks for ms."""
        import psutil

        with self._lock:
            now = self._clock()
            if self._found_at is None or now - self._found_at >= FIND_S:
                self._pids, self._found_at = _runners(), now
            spent: dict[int, float] = {}
            resident = 0
            for pid in self._pids:
                try:
                    process = psutil.Process(pid)
                    with process.oneshot():
                        times, memory = process.cpu_times(), process.memory_info()
                except (psutil.Error, OSError):
                    self._found_at = None  # it ended, and others may have begun
                    continue
                spent[pid] = times.user + times.system
                resident += memory.rss
            if not spent:
                self._last, self._percent = None, None
                return None
            self._count(now, spent, psutil.cpu_count() or 1)
            return RunnerUse(len(spent), resident, self._percent)

    def _count(self, now: float, spent: dict[int, float], processors: int) -> None:
        """Percent of all processors since the last look; None at the first one."""
        if self._last is None:
            self._last = now, spent
            return
        at, before = self._last
        if now - at < _SHORTEST_S:
            return
        seconds = sum(each - before[pid] for pid, each in spent.items() if pid in before)
        self._percent = round(min(100.0, max(0.0, 100 * seconds / (now - at) / processors)), 1)
        self._last = now, spent


_METER = RunnerMeter()


def read_runners(meter: RunnerMeter = _METER) -> RunnerUse | None:
    """What the runners on this machine use together; None where none can be seen."""
    return meter.read()


def _runners() -> tuple[int, ...]:
    """The processes in which models run: `llama-server`, or `ollama` as it was started for one."""
    import psutil

    found = []
    try:
        for process in psutil.process_iter(["name", "cmdline"]):
            name, words = process.info["name"] or "", process.info["cmdline"] or []
            if is_runner(name, words):
                found.append(process.pid)
    except (psutil.Error, OSError):
        return ()
    return tuple(found)
