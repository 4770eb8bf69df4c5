"""Made-up trees of kernel files around numbers that real cards told of themselves, for tests on AMD's cards.

The values of MI308X and Vega 10 are of the recorded trees in ROCm/k8s-device-plugin (testdata), those of RX
7800 XT and 9060 XT of other public projects' tests; the rest follows the kernel's documentation (gpu/amdgpu).
"""

from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30


@dataclass(frozen=True)
class Tree:
    """One card as amdgpu and KFD show it. Memory in bytes, clock in MHz, width in bits."""

    number: int = 0
    device: str = "0x747e"
    revision: str = "0xc8"
    version: int | None = 110001
    clock: int = 1218
    width: int = 256
    total: int = 16 * GIB
    used: int = 3 * GIB
    product: str = ""
    gtt_total: int = 32 * GIB
    gtt_used: int = 0
    users: tuple[tuple[int, str, int], ...] = ()

    def files(self) -> dict[str, str]:
        """Every file by its path."""
        device = f"/sys/class/drm/card{self.number}/device"
        node = f"/sys/class/kfd/kfd/topology/nodes/{self.number + 1}"
        version = "" if self.version is None else f"gfx_target_version {self.version}\n"
        found = {
            f"{device}/vendor": "0x1002",
            f"{device}/device": self.device,
            f"{device}/revision": self.revision,
            f"{device}/product_name": self.product,
            f"{device}/unique_id": f"{self.number:016x}",
            f"{device}/mem_info_vram_total": f"{self.total}",
            f"{device}/mem_info_vram_used": f"{self.used}",
            f"{device}/mem_info_gtt_total": f"{self.gtt_total}",
            f"{device}/mem_info_gtt_used": f"{self.gtt_used}",
            f"{device}/gpu_busy_percent": "42",
            f"{device}/drm/renderD{128 + self.number}/dev": f"226:{128 + self.number}",
            f"{device}/hwmon/hwmon3/temp1_input": "51000",
            f"{device}/hwmon/hwmon3/power1_average": "130000000",
            f"{device}/hwmon/hwmon3/power1_cap": "263000000",
            f"{node}/gpu_id": f"{5000 + self.number}",
            f"{node}/properties": f"simd_count 120\n{version}drm_render_minor {128 + self.number}\n",
            f"{node}/mem_banks/0/properties": (
                f"heap_type 1\nsize_in_bytes {self.total}\nwidth {self.width}\nmem_clk_max {self.clock}\n"
            ),
        }
        for pid, name, used in self.users:
            found[f"/sys/class/kfd/kfd/proc/{pid}/vram_{5000 + self.number}"] = f"{used}"
            found[f"/proc/{pid}/comm"] = name
        return found


PROCESSOR = {
    "/sys/class/kfd/kfd/topology/nodes/0/gpu_id": "0",
    "/sys/class/kfd/kfd/topology/nodes/0/properties": "cpu_cores_count 16\ndrm_render_minor 0\n",
    "/sys/class/kfd/kfd/topology/nodes/0/mem_banks/0/properties": "heap_type 0\nwidth 64\nmem_clk_max 2666\n",
}
IDS = {
    "/usr/share/libdrm/amdgpu.ids": (
        "1.0.0\n# list\n747E,\tC8,\tAMD Radeon RX 7800 XT\n747E,\tFF,\tAMD Radeon RX 7700 XT\n"
    )
}


def files_of(*trees: Tree) -> dict[str, str]:
    """All files of a machine with these cards."""
    found = {**PROCESSOR, **IDS}
    for tree in trees:
        found |= tree.files()
    return found


def write(root: Path, files: dict[str, str]) -> None:
    """Put the files below `root`."""
    for path, text in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text + "\n")
