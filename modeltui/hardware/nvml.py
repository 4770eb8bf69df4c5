"""Alone responsible for reading this machine's GPUs: what NVML says, and whether there are others beside.

NVML stays initialised after the first read. Without the persistence daemon the driver tears a card down when
its last user leaves, so a poll every two seconds that opened and closed NVML would start the card each time
(seconds, and power). But an open NVML also hinders a reset of the card and an update of the driver: whoever
stops polling calls `release_gpus`, and a failure that a fresh start could mend shuts NVML down at once.
"""

import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from modeltui.domain.hardware import Gpu, Gpus
from modeltui.text import clean_line

_ONE_AT_A_TIME = threading.Lock()
_NOT_AVAILABLE = 0xFFFFFFFF  # NVML_VALUE_NOT_AVAILABLE in an unsigned field

# PCI vendors whose adapters only draw a picture (server management chips, virtual screens).
_DISPLAY_ONLY = {
    "0x1013": "Cirrus",
    "0x102b": "Matrox",
    "0x1234": "QEMU",
    "0x1414": "Hyper-V",
    "0x15ad": "VMware",
    "0x1a03": "ASPEED",
    "0x1af4": "virtio",
    "0x1b36": "QXL",
    "0x1d0f": "Amazon",
}
# Drivers of a screen that the firmware set up or that only exists in software.
_SCREENS = {"simple-framebuffer", "efi-framebuffer", "vesa-framebuffer", "vkms", "vgem"}
_VENDORS = {"0x1002": "an AMD GPU", "0x8086": "an Intel GPU", "0x10de": "an NVIDIA GPU"}


def read_gpus(root: Path = Path("/"), system: str = sys.platform) -> Gpus:
    """Read every GPU that NVML lists. Never raises: what fails is None or said in `note`.

    Safe to call from several threads; it blocks while the driver answers, the first time for seconds where
    no persistence daemon runs. `root` is where /sys and /dev are looked for, `system` is `sys.platform`.
    """
    if system == "darwin":
        return Gpus((), "the GPU of a Mac is not read", complete=False)
    with _ONE_AT_A_TIME:
        cards, notes, certain = _read_nvidia(system)
    others = _other_gpu(root, system, nvidia_read=bool(cards))
    if others is not None:
        notes.append(others)
    return Gpus(cards, "; ".join(notes) or None, complete=certain and others is None)


def release_gpus() -> None:
    """Let go of the driver until the next read. Harmless when nothing is held."""
    with _ONE_AT_A_TIME:
        nvml = sys.modules.get("pynvml")
        if nvml is not None:
            _shut_down(nvml)


def _read_nvidia(system: str) -> tuple[tuple[Gpu, ...], list[str], bool]:
    """The cards, what could not be read, and whether there is certainly no NVIDIA card beside them."""
    try:
        import pynvml
    except ImportError:
        return (), ["the Python package nvidia-ml-py is not installed"], True
    try:
        count = _count(pynvml)
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return (), [_why(pynvml, error.value, system)], error.value in absent
    reading = _Reading(pynvml, system)
    cards = tuple(reading.card(index) for index in range(count))
    if reading.broken:
        _shut_down(pynvml)
    if not cards:
        reading.notes.append("the NVIDIA driver finds no GPU")
    return cards, reading.notes, True


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
        self.notes: list[str] = []
        self.broken = False

    def card(self, index: int) -> Gpu:
        """Read one card; a card that can't be reached at all keeps its place, with nothing known of it."""
        nvml = self._nvml
        handle = self._ask(index, "nvmlDeviceGetHandleByIndex", index)
        if handle is None:
            return Gpu(index, None, f"GPU {index}", None, None, None, None, None, None, None)
        # Since NVML 11.6 the second version leaves out what the driver reserves, as nvidia-smi does.
        memory = self._ask(index, "nvmlDeviceGetMemoryInfo", handle, nvml.nvmlMemory_v2)
        if memory is None:
            memory = self._ask(index, "nvmlDeviceGetMemoryInfo", handle)
        if memory is not None and not memory.total:
            memory = None  # a card that shares the machine's RAM has none of its own
        load = self._ask(index, "nvmlDeviceGetUtilizationRates", handle)
        # The older call goes with CUDA 14 (says pynvml), the newer one is not in older drivers.
        degrees = self._ask(index, "nvmlDeviceGetTemperatureV", handle, nvml.NVML_TEMPERATURE_GPU)
        if degrees is None:
            degrees = self._ask(index, "nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU)
        mig = self._ask(index, "nvmlDeviceGetMigMode", handle)
        if mig is not None and mig[0] == 1:
            self._note(f"GPU {index} is split into MIG instances, which are not read one by one")
        return Gpu(
            index=index,
            uuid=_words(self._ask(index, "nvmlDeviceGetUUID", handle)),
            name=_words(self._ask(index, "nvmlDeviceGetName", handle)) or f"GPU {index}",
            total=None if memory is None else int(memory.total),
            free=None if memory is None else int(memory.free),
            used=None if memory is None else int(memory.used),
            utilisation=None if load is None else _number(load.gpu, most=100),
            temperature=_number(degrees, most=1000),
            power_mw=_number(self._ask(index, "nvmlDeviceGetPowerUsage", handle)),
            power_limit_mw=_number(self._ask(index, "nvmlDeviceGetEnforcedPowerLimit", handle)),
        )

    def _ask(self, index: int, function: str, *arguments: object) -> Any:
        """Call one NVML function; None when this card, driver or version of pynvml has no answer."""
        call = getattr(self._nvml, function, None)
        if call is None:
            return None
        try:
            return call(*arguments)
        except UnicodeDecodeError:
            return None  # pynvml decodes strictly what the card says of itself
        except self._nvml.NVMLError as error:
            code = error.value
            if code == self._nvml.NVML_ERROR_NO_PERMISSION:
                self._note(f"GPU {index}: no permission to read all of its values")
            elif code not in self._unsupported:
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


def _other_gpu(root: Path, system: str, *, nvidia_read: bool) -> str | None:
    """Name one GPU, or the chance of one, that NVML does not tell of and that could run a model."""
    if not system.startswith("linux"):
        return "GPUs of other makers are not read on this system"
    try:
        return next(_unread(root, nvidia_read=nvidia_read), None)
    except OSError:
        return "whether there are other GPUs can't be seen"


def _unread(root: Path, *, nvidia_read: bool) -> Iterator[str]:
    if not (root / "sys/class").is_dir():
        yield "whether there are other GPUs can't be seen (no /sys)"
    if (root / "dev/kfd").exists():
        yield "an AMD GPU is not read"
    if not nvidia_read and (root / "dev/dxg").exists():
        yield "the GPU that Windows lends to WSL is not read"
    if not nvidia_read and any((root / "dev").glob("nvidia[0-9]*")):
        yield "an NVIDIA GPU is there and can't be read"
    for card in sorted((root / "sys/class/drm").glob("card*")):
        if re.fullmatch(r"card\d+", card.name):
            vendor = _read(card / "device/vendor").casefold()
            if _only_draws(card, vendor) or (vendor == "0x10de" and nvidia_read):
                continue
            yield f"{_VENDORS.get(vendor, 'a GPU of another maker')} is not read"


def _only_draws(card: Path, vendor: str) -> bool:
    """Whether a DRM card is a mere screen: by its vendor or, where it has none, by its driver."""
    if vendor:
        return vendor in _DISPLAY_ONLY
    driver = re.search(r"^DRIVER=(.*)$", _read(card / "device/uevent"), re.MULTILINE)
    return driver is not None and driver[1] in _SCREENS


def _read(path: Path) -> str:
    """A small file of /sys; empty when there is none: only cards on PCI have a vendor."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
