"""Alone responsible for reading AMD's cards from the kernel's files (amdgpu, KFD), here or sent by ssh."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from modeltui.domain.machines.hardware import Gpu, GpuUser
from modeltui.domain.machines.machine import Backend
from modeltui.hardware.files import Files
from modeltui.hardware.vendors import AMD
from modeltui.text import clean_line

_DRM = "/sys/class/drm"
_NODES = "/sys/class/kfd/kfd/topology/nodes"
_PROCESSES = "/sys/class/kfd/kfd/proc"
_NAMES = "/usr/share/libdrm/amdgpu.ids"

# GPUs inside a processor, which compute in the machine's RAM, by the kernel's gfx_target_version (major *
# 10000 + minor * 100 + stepping). Source: the kernel's kfd_device.c. Only the larger ones run models with
# Ollama.
_INTEGRATED = {90002, 90012, 100303, 100305, 100306, 100307, 110003}
_INTEGRATED_AND_USED = {110500, 110501, 110502, 110503}
_GFX8, _GFX9, _HBM3, _GFX10 = 80000, 90000, 90402, 100000


@dataclass(frozen=True, slots=True)
class _Node:
    """What the compute driver (KFD) knows of a card; numbers as the kernel writes them."""

    gpu_id: str
    version: int
    clock: int | None
    width: int | None


def read_amd(files: Files) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """Every card that tells its memory, and notes on the others. Never raises."""
    cards: list[Gpu] = []
    notes: list[str] = []
    nodes = dict(_nodes(files))
    for name in files.names(_DRM):
        device = f"{_DRM}/{name}/device"
        if not re.fullmatch(r"card\d+", name) or (files.text(f"{device}/vendor") or "").casefold() != AMD:
            continue
        total = _number(files.text(f"{device}/mem_info_vram_total"))
        if not total:
            notes.append(f"an AMD GPU ({name}) does not tell its memory: its driver is not amdgpu")
            continue
        renders = files.names(f"{device}/drm")
        node = next((nodes[render] for render in renders if render in nodes), None)
        if node is not None and node.version in _INTEGRATED:
            notes.append("an AMD GPU inside the processor is too small to run models with Ollama")
            continue
        cards.append(_card(files, len(cards), device, total, node))
    return tuple(cards), tuple(dict.fromkeys(notes))


def bandwidth(version: int, clock: int | None, width: int | None) -> float | None:
    """Theoretical bytes a second: the clock in MHz as KFD states it, the width in bits, the kind of memory.

    KFD tells no kind, so it follows from width and generation: HBM is 1024 bits and wider. Transfers a
    stated clock: HBM2 2, HBM3 (gfx942, gfx950) 4, GDDR5 (gfx8) 4, GDDR6 (gfx10 to gfx12) 16. Checked on data
    sheets: RX 7900 XTX 1249 MHz x 384 bits = 959 GB/s (960), RX 6900 XT 1000 x 256 = 512, MI100 1200 x 4096 =
    1229, MI300X 1300 x 8192 = 5325 (5300), RX 580 2000 x 256 = 256.
    """
    if not clock or not width:
        return None
    if width >= 1024:
        transfers = 4 if _HBM3 <= version < _GFX10 else 2
    elif version >= _GFX10:
        transfers = 16
    elif _GFX8 <= version < _GFX9:
        transfers = 4
    else:
        return None  # unknown, or inside a processor
    return transfers * clock * 1e6 * width / 8


def _card(files: Files, index: int, device: str, total: int, node: _Node | None) -> Gpu:
    is_unified = node is not None and node.version in _INTEGRATED_AND_USED
    used = _number(files.text(f"{device}/mem_info_vram_used"))
    carved = total if is_unified else 0
    if is_unified:
        # Beside what the firmware keeps for it, it reaches into RAM as far as the driver's table goes.
        total += _number(files.text(f"{device}/mem_info_gtt_total")) or 0
        used = None if used is None else used + (_number(files.text(f"{device}/mem_info_gtt_used")) or 0)
    sensors = next((f"{device}/hwmon/{each}" for each in files.names(f"{device}/hwmon")), device)
    power = files.text(f"{sensors}/power1_average") or files.text(f"{sensors}/power1_input")
    carried = None if node is None else bandwidth(node.version, node.clock, node.width)
    return Gpu(
        index=index,
        uuid=_words(files.text(f"{device}/unique_id")),
        name=_name(files, device),
        total=total,
        free=None if used is None else max(0, total - used),
        used=used,
        utilisation=_number(files.text(f"{device}/gpu_busy_percent"), most=100),
        temperature=_thousandth(files.text(f"{sensors}/temp1_input")),
        power_mw=_thousandth(power),
        power_limit_mw=_thousandth(files.text(f"{sensors}/power1_cap")),
        backend=Backend.ROCM,
        memory_clock=None if node is None else node.clock,
        bus_width=None if node is None else node.width,
        bandwidth=_STRIX_HALO
        if is_unified and node and node.version == 110501
        else None
        if is_unified
        else carried,
        is_unified=is_unified,
        carved=carved,
        users=None if node is None else _users(files, node.gpu_id),
    )


# LPDDR5X-8000 on 256 bits (AMD, Ryzen AI Max+ 395: product page); narrower ones take what board makers fit.
_STRIX_HALO = 256e9


def _nodes(files: Files) -> list[tuple[str, _Node]]:
    """The nodes of KFD that are GPUs, each with the name of its render device, as the card has it, too."""
    found = []
    for number in files.names(_NODES):
        place = f"{_NODES}/{number}"
        facts = _pairs(files.text(f"{place}/properties"))
        minor = facts.get("drm_render_minor")
        if not minor:
            continue  # a processor
        version = facts.get("gfx_target_version", 0)  # 0: a kernel before 5.14 does not tell
        banks = files.names(f"{place}/mem_banks")
        bank = _pairs(files.text(f"{place}/mem_banks/{banks[0]}/properties")) if banks else {}
        gpu_id = files.text(f"{place}/gpu_id") or ""
        found.append((f"renderD{minor}", _Node(gpu_id, version, bank.get("mem_clk_max"), bank.get("width"))))
    return found


def _pairs(text: str | None) -> Mapping[str, int]:
    """Lines of a name and a number."""
    words = (line.split() for line in (text or "").splitlines())
    return {
        pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and re.fullmatch("[0-9]{1,18}", pair[1])
    }


def _users(files: Files, gpu_id: str) -> tuple[GpuUser, ...] | None:
    """Who holds memory of a card, by the compute driver's account."""
    pids = [name for name in files.names(_PROCESSES) if re.fullmatch("[0-9]{1,9}", name)]
    users = []
    for pid in pids:
        used = _number(files.text(f"{_PROCESSES}/{pid}/vram_{gpu_id}"))
        if used:
            users.append(GpuUser(int(pid), _words(files.text(f"/proc/{pid}/comm")), used))
    return tuple(sorted(users, key=lambda user: -(user.used or 0)))


def _name(files: Files, device: str) -> str:
    """The product's name: of the card itself, else of libdrm's list by its number and revision."""
    own = _words(files.text(f"{device}/product_name"))
    if own:
        return own
    number = (files.text(f"{device}/device") or "").casefold().removeprefix("0x")
    revision = (files.text(f"{device}/revision") or "").casefold().removeprefix("0x")
    for line in (files.text(_NAMES) or "").splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        if len(parts) == 3 and [part.casefold() for part in parts[:2]] == [number, revision]:
            return _words(parts[2]) or "AMD GPU"
    return f"AMD GPU {clean_line(number, 20)}".strip()


def _number(text: str | None, most: int = 1 << 50) -> int | None:
    if text is None or not re.fullmatch("[0-9]{1,18}", text):
        return None
    value = int(text)
    return value if value <= most else None


def _thousandth(text: str | None) -> int | None:
    """Millidegrees as degrees, microwatts as milliwatts."""
    value = _number(text)
    return None if value is None else value // 1000


def _words(text: str | None) -> str | None:
    return clean_line(text, 120) or None if text else None
