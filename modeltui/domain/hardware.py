"""What a machine has to run models with, in values, and whether a server's claim of VRAM can be true on it.

Bytes are integers everywhere; None is "unknown or not supported", never zero.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card. Memory in bytes, utilisation in percent, temperature in °C, power in milliwatts."""

    index: int
    uuid: str | None
    name: str
    total: int | None
    free: int | None
    used: int | None
    utilisation: int | None
    temperature: int | None
    power_mw: int | None
    power_limit_mw: int | None


@dataclass(frozen=True, slots=True)
class Gpus:
    """The cards that could be read, and what is known about the rest.

    `note` says in plain words why there are no cards or what could not be read, else None. `complete` is
    True when `cards` is known to hold every GPU that could run a model: only then do no cards mean no GPU.
    """

    cards: tuple[Gpu, ...]
    note: str | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor: its name, its physical cores, and how busy all of it is (0-100 percent)."""

    model: str | None
    cores: int | None
    percent: float | None


@dataclass(frozen=True, slots=True)
class Memory:
    """RAM in bytes; `available` is what programs could get without swapping."""

    total: int
    available: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds `path`, in bytes; `free` is what an ordinary user may still write."""

    path: str
    total: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class Host:
    """One machine at one moment."""

    gpus: Gpus
    cpu: Cpu
    memory: Memory | None
    disks: tuple[Disk, ...]


class VramVerdict(Enum):
    """What the hardware says to a server's claim that models lie in VRAM."""

    NO_HARDWARE_KNOWN = "no_hardware_known"  # shown as "by the server's account"
    CREDIBLE = "credible"
    CONTRADICTED = "contradicted"


def vram_claim(claimed_vram: int, gpus: Gpus | None) -> VramVerdict:
    """Judge the sum of `size_vram` over all models in `/api/ps` (bytes) against the hardware of the server.

    `gpus` is None when the server's hardware is not known (it is not here). Contradicted are a claim on a
    machine without any GPU, and a claim of which less than half is in use on its GPUs. Half, because the
    numbers never agree: up to 0.29 the claim is an estimate, later a sum of the runner's buffers, while the
    card also counts contexts and other programs. So credible is no proof either.

    Both sides must be of about the same moment: while a model loads or unloads they differ rightly.

    Source: ollama 0.33 counts every buffer not named CPU as GPU memory (`isGPUBuffer`), so on a CPU with
    AMX it claims VRAM where there is no GPU.
    """
    if gpus is None:
        return VramVerdict.NO_HARDWARE_KNOWN
    if claimed_vram <= 0:
        return VramVerdict.CREDIBLE
    used = [card.used for card in gpus.cards]
    known = sum(count for count in used if count is not None)
    if 2 * known >= claimed_vram:
        return VramVerdict.CREDIBLE
    if None in used or not gpus.complete:
        return VramVerdict.NO_HARDWARE_KNOWN
    return VramVerdict.CONTRADICTED
