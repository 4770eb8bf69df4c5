"""Alone responsible for measuring how fast this machine's RAM is: for a second, copies larger than caches."""

import ctypes
import os
import threading
import time

SECONDS = 1.0
_SHARE_OF_FREE = 8  # at most an eighth of what is free, so that nothing is pushed out
_BUFFER = 256 << 20  # of each thread: above the caches of all processors but a few of servers
_SMALLEST = 32 << 20
_MOST_THREADS = 8  # more do not help: few of them fill the channels


def measure_ram_bandwidth(seconds: float = SECONDS, *, threads: int | None = None) -> float | None:
    """Bytes a second that copies move (each byte is read once and written once), the best of two ways to try.

    One thread, then several: one core alone seldom fills the channels. Blocks for about `seconds` and some
    more for the first touch of the memory; None where there is too little free memory to measure in.
    """
    import psutil

    available = int(psutil.virtual_memory().available)
    several = min(_MOST_THREADS, threads or _usable_cores())
    size = min(_BUFFER, available // (_SHARE_OF_FREE * 2 * several))
    if size < _SMALLEST:
        several, size = 1, min(_BUFFER, available // (_SHARE_OF_FREE * 2))
    if size < _SMALLEST:
        return None
    buffers = [_Buffers(size) for _ in range(several)]
    tries = [1] if several == 1 else [1, several]
    return max(_moved(buffers[:count], seconds / len(tries)) for count in tries)


class _Buffers:
    """Two areas of memory, touched once so that the system has given them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._source, self._target = bytearray(size), bytearray(size)
        self._pointers = [(ctypes.c_char * size).from_buffer(area) for area in (self._source, self._target)]
        for pointer in self._pointers:
            ctypes.memset(pointer, 1, size)

    def copy(self) -> None:
        """ctypes lets other threads run meanwhile, as a slice of a bytearray would not."""
        ctypes.memmove(self._pointers[1], self._pointers[0], self.size)


def _moved(buffers: list[_Buffers], seconds: float) -> float:
    copied = [0] * len(buffers)
    start = threading.Barrier(len(buffers) + 1)
    spans = [0.0] * len(buffers)

    def work(at: int) -> None:
        start.wait()
        began = time.perf_counter()
        while not copied[at] or time.perf_counter() - began < seconds:
            buffers[at].copy()
            copied[at] += 1
        spans[at] = time.perf_counter() - began

    workers = [threading.Thread(target=work, args=(at,), daemon=True) for at in range(len(buffers))]
    for worker in workers:
        worker.start()
    start.wait()
    for worker in workers:
        worker.join()
    whole = sum(2 * count * each.size for count, each in zip(copied, buffers, strict=True))
    return whole / max(spans)


def _usable_cores() -> int:
    """Those that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
