"""Alone responsible for all GPUs of this machine together, and for saying which others there are."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from modeltui.domain.machines.hardware import Gpus
from modeltui.hardware.amd import read_amd
from modeltui.hardware.apple import read_apple
from modeltui.hardware.files import Disk
from modeltui.hardware.nvml import read_nvidia
from modeltui.hardware.vendors import AMD, DISPLAY_ONLY, VENDORS

# Drivers of a screen that the firmware set up or that only exists in software.
_SCREENS = {"simple-framebuffer", "efi-framebuffer", "vesa-framebuffer", "vkms", "vgem"}


def read_gpus(root: Path = Path("/"), system: str = sys.platform) -> Gpus:
    """Read every GPU that tells of itself: NVML, AMD's kernel files, a Mac's sysctl. Never raises.

    Safe to call from several threads; it blocks while drivers answer. What fails is None or said in `note`.
    `root` is where /sys and /dev are looked for, `system` is `sys.platform`.
    """
    if system == "darwin":
        macs, notes = read_apple()
        return Gpus(macs, "; ".join(notes) or None, complete=not notes)
    nvidia = read_nvidia(system)
    amd, amd_notes = read_amd(Disk(root)) if system.startswith("linux") else ((), ())
    others = _other_gpu(root, system, nvidia_read=bool(nvidia.cards), amd_read=bool(amd or amd_notes))
    said = [*(nvidia.notes if nvidia.cards or not amd else ()), *amd_notes, *([others] if others else [])]
    return Gpus(
        (*nvidia.cards, *amd),
        "; ".join(said) or None,
        complete=nvidia.certain and others is None and not any("does not tell" in note for note in amd_notes),
        driver=nvidia.driver,
        cuda=nvidia.cuda,
    )


def _other_gpu(root: Path, system: str, *, nvidia_read: bool, amd_read: bool) -> str | None:
    """Name one GPU, or the chance of one, that nothing told of and that could run a model."""
    if not system.startswith("linux"):
        return "GPUs of other makers are not read on this system"
    try:
        return next(_unread(root, nvidia_read=nvidia_read, amd_read=amd_read), None)
    except OSError:
        return "whether there are other GPUs can't be seen"


def _unread(root: Path, *, nvidia_read: bool, amd_read: bool) -> Iterator[str]:
    if not (root / "sys/class").is_dir():
        yield "whether there are other GPUs can't be seen (no /sys)"
    if not amd_read and (root / "dev/kfd").exists():
        yield "an AMD GPU is not read"
    if not nvidia_read and (root / "dev/dxg").exists():
        yield "the GPU that Windows lends to WSL is not read"
    if not nvidia_read and any((root / "dev").glob("nvidia[0-9]*")):
        yield "an NVIDIA GPU is there and can't be read"
    for card in sorted((root / "sys/class/drm").glob("card*")):
        if re.fullmatch(r"card\d+", card.name):
            vendor = _read(card / "device/vendor").casefold()
            read = (vendor == "0x10de" and nvidia_read) or (vendor == AMD and amd_read)
            if read or _only_draws(card, vendor):
                continue
            yield f"{VENDORS.get(vendor, 'a GPU of another maker')} is not read"


def _only_draws(card: Path, vendor: str) -> bool:
    """Whether a DRM card is a mere screen: by its vendor or, where it has none, by its driver."""
    if vendor:
        return vendor in DISPLAY_ONLY
    driver = re.search(r"^DRIVER=(.*)$", _read(card / "device/uevent"), re.MULTILINE)
    return driver is not None and driver[1] in _SCREENS


def _read(path: Path) -> str:
    """A small file of /sys; empty when there is none: only cards on PCI have a vendor."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
