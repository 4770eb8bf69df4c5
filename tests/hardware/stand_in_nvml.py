"""A stand-in for libnvidia-ml.so.1 at the ctypes seam: pynvml's own code and our probe run on it unchanged.

pynvml loads the library by `CDLL(name)` and takes its functions as attributes; here they are methods that
fill what pynvml hands over by reference, as the C functions do, and return the same codes.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pynvml

SUCCESS = 0
UNINITIALIZED = 1
NOT_SUPPORTED = 3
NO_PERMISSION = 4
NOT_FOUND = 6
INSUFFICIENT_SIZE = 7
DRIVER_NOT_LOADED = 9
GPU_IS_LOST = 15
VERSION_MISMATCH = 18
NOT_AVAILABLE = 0xFFFFFFFF


_INSTANCES = 1000  # a handle is the device's number, and a thousand for each instance


@dataclass
class Card:
    """One device or MIG instance. `fails` maps an exported function's name to the code that it returns.

    `memory_clock` in MHz, `users` as (pid, bytes or None for "not available"), `instances` by their number.
    """

    name: bytes = b"NVIDIA GeForce RTX 4090"
    uuid: bytes = b"GPU-0"
    total: int = 24 * 1024**3
    reserved: int = 1024**3
    used: int = 8 * 1024**3
    utilisation: int = 37
    temperature: int = 61
    power_mw: int = 211_000
    limit_mw: int = 450_000
    mig: int | None = None
    memory_clock: int = 10_501
    bus_width: int = 384
    compute: tuple[int, int] = (8, 9)
    users: tuple[tuple[int, int | None], ...] = ()
    instances: dict[int, "Card"] = field(default_factory=dict)
    fails: dict[str, int] = field(default_factory=dict)


class Library:
    """What `CDLL` returns. `missing` names functions that this version of the driver doesn't export.

    `processes` are the names that the driver itself knows by pid.
    """

    def __init__(
        self,
        *cards: Card,
        init: int = SUCCESS,
        missing: tuple[str, ...] = (),
        processes: dict[int, bytes] | None = None,
    ) -> None:
        self.processes = processes or {}
        self.cards = list(cards)
        self.init = init
        self.count = SUCCESS
        self.starts = 0
        self.running = False
        self._missing = missing

    def __getattr__(self, name: str) -> Callable[..., int]:
        function = getattr(type(self), f"call_{name}", None)
        if function is None or name in self._missing:
            raise AttributeError(name)

        def exported(*arguments: Any) -> int:
            needs_start = name not in ("nvmlInitWithFlags", "nvmlShutdown")
            if needs_start and not self.running:
                return UNINITIALIZED
            if arguments and isinstance(arguments[0], pynvml.c_nvmlDevice_t):
                card = self._card(arguments[0])
                failure = card.fails.get(name, SUCCESS)
                return failure or int(function(self, card, *arguments[1:]))
            return int(function(self, *arguments))

        return exported

    def _card(self, handle: Any) -> Card:
        address = ctypes.cast(handle, ctypes.c_void_p).value
        assert address is not None
        number, index = divmod(address, _INSTANCES)
        card = self.cards[index - 1]
        return card.instances[number - 1] if number else card

    def call_nvmlInitWithFlags(self, flags: int) -> int:  # noqa: N802 - the library's own names
        self.starts += 1
        self.running = self.init == SUCCESS
        return self.init

    def call_nvmlShutdown(self) -> int:  # noqa: N802
        was, self.running = self.running, False
        return SUCCESS if was else UNINITIALIZED

    def call_nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = len(self.cards)
        return self.count

    def call_nvmlDeviceGetHandleByIndex_v2(self, index: Any, handle: Any) -> int:  # noqa: N802
        # An opaque pointer: the device's number stands in for its address.
        ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))[0] = index.value + 1
        card: Card = self.cards[index.value]
        return card.fails.get("nvmlDeviceGetHandleByIndex_v2", SUCCESS)

    def call_nvmlDeviceGetName(self, card: Card, text: Any, size: Any) -> int:  # noqa: N802
        text.value = card.name
        return SUCCESS

    def call_nvmlDeviceGetUUID(self, card: Card, text: Any, size: Any) -> int:  # noqa: N802
        text.value = card.uuid
        return SUCCESS

    def call_nvmlDeviceGetMemoryInfo(self, card: Card, memory: Any) -> int:  # noqa: N802
        """Version 1 counts what the driver reserves as used."""
        memory._obj.total = card.total
        memory._obj.used = card.used + card.reserved
        memory._obj.free = card.total - card.used - card.reserved
        return SUCCESS

    def call_nvmlDeviceGetMemoryInfo_v2(self, card: Card, memory: Any) -> int:  # noqa: N802
        assert memory._obj.version == 0x02000028
        memory._obj.total = card.total
        memory._obj.reserved = card.reserved
        memory._obj.used = card.used
        memory._obj.free = card.total - card.used - card.reserved
        return SUCCESS

    def call_nvmlDeviceGetUtilizationRates(self, card: Card, load: Any) -> int:  # noqa: N802
        load._obj.gpu = card.utilisation
        return SUCCESS

    def call_nvmlDeviceGetTemperatureV(self, card: Card, reading: Any) -> int:  # noqa: N802
        reading._obj.temperature = card.temperature
        return SUCCESS

    def call_nvmlDeviceGetTemperature(self, card: Card, sensor: Any, degrees: Any) -> int:  # noqa: N802
        degrees._obj.value = card.temperature
        return SUCCESS

    def call_nvmlDeviceGetPowerUsage(self, card: Card, milliwatts: Any) -> int:  # noqa: N802
        milliwatts._obj.value = card.power_mw
        return SUCCESS

    def call_nvmlDeviceGetEnforcedPowerLimit(self, card: Card, milliwatts: Any) -> int:  # noqa: N802
        milliwatts._obj.value = card.limit_mw
        return SUCCESS

    def call_nvmlDeviceGetMaxClockInfo(self, card: Card, kind: Any, clock: Any) -> int:  # noqa: N802
        assert kind.value == pynvml.NVML_CLOCK_MEM
        clock._obj.value = card.memory_clock
        return SUCCESS

    def call_nvmlDeviceGetMemoryBusWidth(self, card: Card, bits: Any) -> int:  # noqa: N802
        bits._obj.value = card.bus_width
        return SUCCESS

    def call_nvmlDeviceGetCudaComputeCapability(  # noqa: N802
        self, card: Card, major: Any, minor: Any
    ) -> int:
        major._obj.value, minor._obj.value = card.compute
        return SUCCESS

    def call_nvmlDeviceGetComputeRunningProcesses_v3(  # noqa: N802
        self, card: Card, count: Any, found: Any
    ) -> int:
        """Twice: first without room, for the number of them."""
        room, count._obj.value = count._obj.value, len(card.users)
        if found is None or room < len(card.users):
            return INSUFFICIENT_SIZE if card.users else SUCCESS
        for place, (pid, used) in zip(found, card.users, strict=False):
            place.pid = pid
            place.usedGpuMemory = pynvml.NVML_VALUE_NOT_AVAILABLE_ulonglong.value if used is None else used
        return SUCCESS

    def call_nvmlSystemGetProcessName(self, pid: Any, text: Any, size: Any) -> int:  # noqa: N802
        if pid.value not in self.processes:
            return NOT_FOUND
        text.value = self.processes[pid.value]
        return SUCCESS

    def call_nvmlSystemGetDriverVersion(self, text: Any, size: Any) -> int:  # noqa: N802
        text.value = b"580.95.05"
        return SUCCESS

    def call_nvmlSystemGetCudaDriverVersion_v2(self, version: Any) -> int:  # noqa: N802
        version._obj.value = 13_000
        return SUCCESS

    def call_nvmlDeviceGetMaxMigDeviceCount(self, card: Card, count: Any) -> int:  # noqa: N802
        count._obj.value = 7
        return SUCCESS

    def call_nvmlDeviceGetMigDeviceHandleByIndex(  # noqa: N802
        self, card: Card, index: Any, handle: Any
    ) -> int:
        if index.value not in card.instances:
            return NOT_FOUND
        address = (index.value + 1) * _INSTANCES + self.cards.index(card) + 1
        ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))[0] = address
        return SUCCESS

    def call_nvmlDeviceGetMigMode(self, card: Card, current: Any, pending: Any) -> int:  # noqa: N802
        if card.mig is None:
            return NOT_SUPPORTED
        current._obj.value = pending._obj.value = card.mig
        return SUCCESS
