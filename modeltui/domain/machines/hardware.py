"""What a machine has to run models with, in values, and whether a server's claim of VRAM can be true on it.

Bytes are integers everywhere; None is "unknown or not supported", never zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from modeltui.domain.machines.machine import Backend, Card, Machine, Origin

# How the programs are called in which Ollama computes: the server itself, its runners of all eras (a kernel
# cuts a name after 15 characters), and llama.cpp's server that it starts since 0.30.
_OF_OLLAMA = ("ollama", "llama-server", "llama_server")


@dataclass(frozen=True, slots=True)
class GpuUser:
    """A program that holds memory of a card, in bytes; `name` is None where its owner hides it."""

    pid: int
    name: str | None
    used: int | None

    @property
    def is_ollama(self) -> bool:
        return self.name is not None and self.name.rpartition("/")[2].casefold().startswith(_OF_OLLAMA)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card, or one MIG instance of it. Memory in bytes, utilisation in percent, temperature in °C,
    power in milliwatts, bandwidth in bytes a second, the memory's clock in MHz and its width in bits.

    `is_unified`: it has no memory of its own and uses the machine's, of which `carved` bytes are kept for it
    alone and counted by nobody as RAM. `users` is None where they can't be seen.
    `compute` is the CUDA compute capability, `instance` the number of a MIG instance on card `index`.
    """

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
    backend: Backend = Backend.CUDA
    memory_clock: int | None = None
    bus_width: int | None = None
    bandwidth: float | None = None
    compute: tuple[int, int] | None = None
    is_unified: bool = False
    carved: int = 0
    instance: int | None = None
    users: tuple[GpuUser, ...] | None = None


@dataclass(frozen=True, slots=True)
class Gpus:
    """The cards that could be read, and what is known about the rest.

    `note` says in plain words why there are no cards or what could not be read, else None. `complete` is
    True when `cards` is known to hold every GPU that could run a model: only then do no cards mean no GPU.
    `driver` and `cuda` are the versions of NVIDIA's driver and of the newest CUDA that it knows.
    """

    cards: tuple[Gpu, ...]
    note: str | None
    complete: bool
    driver: str | None = None
    cuda: str | None = None


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
class RunnerUse:
    """What the processes use in which Ollama runs models: RAM in bytes, and percent of all processors.

    `percent` is None at the first look.
    """

    count: int
    ram: int
    percent: float | None


def is_runner(name: str, command: Sequence[str]) -> bool:
    """Whether a process runs a model: llama-server, `ollama_llama_server` (to 0.3), `ollama runner`."""
    program = name.rpartition("/")[2].casefold()
    if program.startswith(("llama-server", "llama_server", "ollama_llama_se")):
        return True
    return program.startswith("ollama") and "runner" in command[1:2]


@dataclass(frozen=True, slots=True)
class Host:
    """One machine at one moment."""

    gpus: Gpus
    cpu: Cpu
    memory: Memory | None
    disks: tuple[Disk, ...]


def machine_of_host(
    host: Host,
    claimed_vram: int,
    *,
    origin: Origin,
    ram_bandwidth: float | None = None,
    ram_held: int = 0,
) -> Machine | None:
    """What a server can run models with on that host; None where RAM or whether there is a GPU is not known.

    `claimed_vram` is the sum of `size_vram` in `/api/ps` (bytes), by which `held` goes where no card tells
    who uses it. `ram_bandwidth` in bytes a second, as measured; else that of the cards that share the RAM.
    `ram_held` is what the server's runners have of RAM for themselves; never more than is in use.
    """
    if host.memory is None:
        return None
    shared = [card for card in host.gpus.cards if card.is_unified]
    own = [card for card in host.gpus.cards if not card.is_unified and card.total and card.free is not None]
    if not own and not shared and (host.gpus.cards or not host.gpus.complete):
        return None
    machine = Machine(
        cards=tuple(_card(gpu, held) for gpu, held in zip(own, held_on(own, claimed_vram), strict=True)),
        ram_total=host.memory.total,
        ram_free=min(host.memory.available, host.memory.total),
        ram_bandwidth=ram_bandwidth,
        cores=host.cpu.cores,
        cpu=host.cpu.model,
        disk_free=host.disks[0].free if host.disks else None,
        disk=host.disks[0].path if host.disks else None,
        origin=origin,
        ram_held=min(max(0, ram_held), max(0, host.memory.total - host.memory.available)),
    )
    # A machine that has cards with memory of their own beside an integrated GPU runs models on those.
    return machine if own or not shared else _with_shared(machine, shared[0], claimed_vram)


def _with_shared(machine: Machine, gpu: Gpu, claimed_vram: int) -> Machine:
    """A machine whose one GPU computes in its RAM, up to `total` where it tells that, else in all of it."""
    ram_total = machine.ram_total + gpu.carved
    ram_free = machine.ram_free + gpu.carved - min(gpu.used or 0, gpu.carved)
    total = min(gpu.total or ram_total, ram_total)
    free = min(ram_free if gpu.free is None else min(gpu.free, ram_free), total)
    held = min(max(0, claimed_vram), total - free)
    card = Card(gpu.name, total, free, held, gpu.bandwidth, gpu.backend, gpu.compute)
    return replace(
        machine,
        cards=(card,),
        ram_total=ram_total,
        ram_free=ram_free,
        ram_bandwidth=gpu.bandwidth or machine.ram_bandwidth,
        is_unified=True,
    )


def held_on(cards: Sequence[Gpu], claimed_vram: int) -> list[int]:
    """Bytes on each card that the server's own models use: what its programs hold there, where that is seen.

    Else what it claims, divided as the cards are used; never more than a card has in use.
    """
    seen = [_seen(card) for card in cards]
    if any(count for count in seen):
        return [count or 0 for count in seen]
    used = [card.used or 0 for card in cards]
    claimed = min(max(0, claimed_vram), sum(used))
    return [claimed * count // sum(used) if claimed else 0 for count in used]


def _seen(card: Gpu) -> int | None:
    ours = [user.used for user in card.users or () if user.is_ollama]
    if not ours or any(used is None for used in ours):
        return None
    whole = sum(used for used in ours if used is not None)
    return whole if card.used is None else min(whole, card.used)


def _card(gpu: Gpu, held: int) -> Card:
    name = gpu.name if gpu.instance is None else f"{gpu.name} #{gpu.instance}"
    total, free = gpu.total or 0, gpu.free or 0
    return Card(name, total, min(free, total), held, gpu.bandwidth, gpu.backend, gpu.compute)


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
