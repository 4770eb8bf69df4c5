"""Alone responsible for what NVML says of NVIDIA's cards: memory, who uses it, load, heat, power, bandwidth.

NVML stays initialised after the first read. Without the persistence daemon the driver tears a card down when
its last user leaves, so a poll every two seconds that opened and closed NVML would start the card each time
(seconds, and power). But an open NVML also hinders a reset of the card and an update of the driver: whoever
stops polling calls `release_gpus`, and a failure that a fresh start could mend shuts NVML down at once.
"""

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from modeltui.domain.machines.cards import shared_bandwidth
from modeltui.domain.machines.hardware import Gpu, GpuUser
from modeltui.hardware.processes import process_name
from modeltui.text import clean_line

_ONE_AT_A_TIME = threading.Lock()
_NOT_AVAILABLE = 0xFFFFFFFF  # NVML_VALUE_NOT_AVAILABLE in an unsigned field
_MOST_INSTANCES = 64
# Memory sends twice a clock, and NVML states the clock of newer kinds so that this holds for them all.
# Source: NVIDIA, "How to Query Device Properties": 2 x memoryClockRate x (memoryBusWidth / 8).
# Checked on data sheets: RTX 4090 10501 MHz x 384 bits = 1008 GB/s, H100 SXM 2619 x 5120 = 3352.
_TRANSFERS_A_CLOCK = 2


@dataclass(frozen=True, slots=True)
class Nvidia:
    """NVIDIA's cards, what could not be read, and whether there is certainly no such card beside them."""

    cards: tuple[Gpu, ...]
    notes: tuple[str, ...]
    certain: bool
    driver: str | None = None
    cuda: str | None = None


def read_nvidia(system: str = sys.platform) -> Nvidia:
    """Read every card that NVML lists, each MIG instance as one. Never raises: what fails is None or a note.

    Safe to call from several threads; it blocks while the driver answers, the first time for seconds where
    no persistence daemon runs. `system` is `sys.platform`.
    """
    with _ONE_AT_A_TIME:
        return _read(system)


def release_gpus() -> None:
    """Let go of the driver until the next read. Harmless when nothing is held."""
    with _ONE_AT_A_TIME:
        nvml = sys.modules.get("pynvml")
        if nvml is not None:
            _shut_down(nvml)


def bandwidth(memory_clock: int | None, bus_width: int | None) -> float | None:
    """Theoretical bytes a second of a memory: its clock in MHz as NVML states it, its width in bits."""
    if not memory_clock or not bus_width:
        return None
    return _TRANSFERS_A_CLOCK * memory_clock * 1e6 * bus_width / 8


def _read(system: str) -> Nvidia:
    try:
        import pynvml
    except ImportError:
        return Nvidia((), ("the Python package nvidia-ml-py is not installed",), True)
    try:
        count = _count(pynvml)
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return Nvidia((), (_why(pynvml, error.value, system),), error.value in absent)
    reading = _Reading(pynvml, system)
    cards = tuple(card for index in range(count) for card in reading.cards(index))
    driver, cuda = reading.versions()
    if reading.broken:
        _shut_down(pynvml)
    if not cards:
        reading.notes.append("the NVIDIA driver finds no GPU")
    return Nvidia(cards, tuple(reading.notes), True, driver, cuda)


def _count(nvml: ModuleType) -> int:
    """The number of cards; initialises NVML when it isn't, and afresh when it no longer answers."""
    try:
        return int(nvml.nvmlDeviceGetCount())
    except nvml.NVMLError:
        _shut_down(nvml)
    nvml.nvmlInit()
    return int(nvml.nvmlDeviceGetCount())


def _shut_down(nvml: ModuleType) -> None:
    try:
        nvml.nvmlShutdown()
    except nvml.NVMLError:
        return  # it was not initialised, or can't even do that any more


class _Reading:
    """One pass over the cards: collects what went wrong in `notes`; `broken` asks for a fresh start."""

    def __init__(self, nvml: ModuleType, system: str) -> None:
        self._nvml = nvml
        self._system = system
        # Not supported: by the card, by a library that is older or newer than the function, by MIG.
        self._unsupported = {
            nvml.NVML_ERROR_NOT_SUPPORTED,
            nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
            nvml.NVML_ERROR_INVALID_ARGUMENT,
            nvml.NVML_ERROR_NO_DATA,
            nvml.NVML_ERROR_NOT_FOUND,
            nvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
            nvml.NVML_ERROR_DEPRECATED,
        }
        self._mended_by_a_fresh_start = {
            nvml.NVML_ERROR_UNINITIALIZED,
            nvml.NVML_ERROR_DRIVER_NOT_LOADED,
            nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
            nvml.NVML_ERROR_GPU_IS_LOST,
            nvml.NVML_ERROR_RESET_REQUIRED,
        }
        self._refused = False  # the last question, for want of a right or of a card
        self.notes: list[str] = []
        self.broken = False

    def versions(self) -> tuple[str | None, str | None]:
        """Of the driver, and of the newest CUDA that it knows."""
        cuda = _number(self._ask(None, "nvmlSystemGetCudaDriverVersion_v2"))
        driver = _words(self._ask(None, "nvmlSystemGetDriverVersion"))
        return driver, f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None

    def cards(self, index: int) -> Iterator[Gpu]:
        """One card, or its MIG instances: those are what a program can compute on once it is split."""
        handle = self._ask(index, "nvmlDeviceGetHandleByIndex", index)
        if handle is None:
            yield Gpu(index, None, f"GPU {index}", None, None, None, None, None, None, None)
            return
        whole = self._card(index, handle)
        mig = self._ask(index, "nvmlDeviceGetMigMode", handle)
        instances = list(self._instances(index, handle, whole)) if mig is not None and mig[0] == 1 else []
        if mig is not None and mig[0] == 1 and not instances:
            self._note(f"GPU {index} is split into MIG instances, and none of them can be read")
        yield from instances or [whole]

    def _card(self, index: int, handle: object) -> Gpu:
        nvml = self._nvml
        total, free, used, is_unified = self._memory(index, handle)
        name = _words(self._ask(index, "nvmlDeviceGetName", handle)) or f"GPU {index}"
        load = self._ask(index, "nvmlDeviceGetUtilizationRates", handle)
        # The older call goes with CUDA 14 (says pynvml), the newer one is not in older drivers.
        degrees = self._ask(index, "nvmlDeviceGetTemperatureV", handle, nvml.NVML_TEMPERATURE_GPU)
        if degrees is None:
            degrees = self._ask(index, "nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU)
        clock = _number(self._ask(index, "nvmlDeviceGetMaxClockInfo", handle, nvml.NVML_CLOCK_MEM), 100_000)
        width = _number(self._ask(index, "nvmlDeviceGetMemoryBusWidth", handle), 100_000)
        carried = shared_bandwidth(name) if is_unified else bandwidth(clock, width)
        return Gpu(
            index=index,
            uuid=_words(self._ask(index, "nvmlDeviceGetUUID", handle)),
            name=name,
            total=total,
            free=free,
            used=used,
            utilisation=None if load is None else _number(load.gpu, most=100),
            temperature=_number(degrees, most=1000),
            power_mw=_number(self._ask(index, "nvmlDeviceGetPowerUsage", handle)),
            power_limit_mw=_number(self._ask(index, "nvmlDeviceGetEnforcedPowerLimit", handle)),
            memory_clock=clock or None,
            bus_width=width or None,
            bandwidth=carried,
            compute=self._compute(index, handle),
            is_unified=is_unified,
            users=self._users(index, handle),
        )

    def _instances(self, index: int, handle: object, whole: Gpu) -> Iterator[Gpu]:
        """The MIG instances of a card. Heat and power are the whole card's; load is not told for one.

        Bandwidth goes with the memory slices (NVIDIA, "Multi-Instance GPU User Guide").
        """
        most = _number(self._ask(index, "nvmlDeviceGetMaxMigDeviceCount", handle), _MOST_INSTANCES)
        for number in range(most or 0):
            instance = self._ask(index, "nvmlDeviceGetMigDeviceHandleByIndex", handle, number)
            if instance is None:
                continue
            total, free, used, _ = self._memory(index, instance)
            share = total / whole.total if total and whole.total else None
            yield Gpu(
                index=index,
                uuid=_words(self._ask(index, "nvmlDeviceGetUUID", instance)),
                name=_words(self._ask(index, "nvmlDeviceGetName", instance)) or f"{whole.name} MIG",
                total=total,
                free=free,
                used=used,
                utilisation=None,
                temperature=whole.temperature,
                power_mw=whole.power_mw,
                power_limit_mw=whole.power_limit_mw,
                memory_clock=whole.memory_clock,
                bandwidth=whole.bandwidth * min(1.0, share) if whole.bandwidth and share else None,
                compute=whole.compute,
                instance=number,
                users=self._users(index, instance),
            )

    def _memory(self, index: int, handle: object) -> tuple[int | None, int | None, int | None, bool]:
        """Total, free and used bytes, and whether the card has no memory of its own."""
        # Since NVML 11.6 the second version leaves out what the driver reserves, as nvidia-smi does.
        memory = self._ask(index, "nvmlDeviceGetMemoryInfo", handle, self._nvml.nvmlMemory_v2)
        if memory is None:
            memory = self._ask(index, "nvmlDeviceGetMemoryInfo", handle)
        if memory is None:
            return None, None, None, not self._refused  # GB10 and Jetson: "not supported"
        total = _bytes(int(memory.total))
        if not total:
            return None, None, None, total == 0
        return total, _bytes(int(memory.free)), _bytes(int(memory.used)), False

    def _compute(self, index: int, handle: object) -> tuple[int, int] | None:
        found = self._ask(index, "nvmlDeviceGetCudaComputeCapability", handle)
        if found is None or not 0 < int(found[0]) < 100:
            return None
        return int(found[0]), int(found[1])

    def _users(self, index: int, handle: object) -> tuple[GpuUser, ...] | None:
        """Who computes on the card, the largest first; programs that draw only are not asked for."""
        found = self._ask(index, "nvmlDeviceGetComputeRunningProcesses", handle)
        if found is None:
            return None
        users = [
            GpuUser(int(each.pid), self._name(int(each.pid)), _bytes(each.usedGpuMemory)) for each in found
        ]
        return tuple(sorted(users, key=lambda user: -(user.used or 0)))

    def _name(self, pid: int) -> str | None:
        """The system's name; in a container, where its number is another, the driver's."""
        return process_name(pid) or _words(self._ask(None, "nvmlSystemGetProcessName", pid))

    def _ask(self, index: int | None, function: str, *arguments: object) -> Any:
        """Call one NVML function; None when this card, driver or version of pynvml has no answer.

        `index` None: a question whose failure is not worth a word.
        """
        self._refused = False
        call = getattr(self._nvml, function, None)
        if call is None:
            return None
        try:
            return call(*arguments)
        except UnicodeDecodeError:
            return None  # pynvml decodes strictly what the card says of itself
        except self._nvml.NVMLError as error:
            code = error.value
            self._refused = code not in self._unsupported
            if index is None:
                return None
            if code == self._nvml.NVML_ERROR_NO_PERMISSION:
                self._note(f"GPU {index}: no permission to read all of its values")
            elif self._refused:
                self.broken = self.broken or code in self._mended_by_a_fresh_start
                self._note(f"GPU {index}: {_why(self._nvml, code, self._system)}")
            return None

    def _note(self, words: str) -> None:
        if words not in self.notes:
            self.notes.append(words)


def _why(nvml: ModuleType, code: int, system: str) -> str:
    library = "nvml.dll" if system == "win32" else "libnvidia-ml.so.1"
    words = {
        nvml.NVML_ERROR_LIBRARY_NOT_FOUND: f"no NVIDIA driver ({library} not found)",
        nvml.NVML_ERROR_DRIVER_NOT_LOADED: "the NVIDIA driver is not loaded",
        nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
            "the NVIDIA driver and its library are of different versions (an update: restart the machine)"
        ),
        nvml.NVML_ERROR_NO_PERMISSION: "no permission to ask the NVIDIA driver",
        nvml.NVML_ERROR_FUNCTION_NOT_FOUND: f"the NVIDIA driver's {library} is too old",
        nvml.NVML_ERROR_GPU_IS_LOST: "lost, the driver can't reach it any more (restart the machine)",
        nvml.NVML_ERROR_RESET_REQUIRED: "needs a reset",
    }
    return words.get(code, f"the NVIDIA driver answers with error {code}")


def _words(value: object) -> str | None:
    """A string of NVML, cleaned; older versions of pynvml give bytes."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return clean_line(value) if isinstance(value, str) and value else None


def _number(value: object, most: int = _NOT_AVAILABLE - 1) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= most else None


def _bytes(value: object) -> int | None:
    return _number(value, most=1 << 50)
