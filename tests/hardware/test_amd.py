"""AMD's cards by the kernel's files: on trees around recorded numbers, as no such card is at hand."""

from pathlib import Path

import pytest
from amd_trees import GIB, Tree, files_of, write  # type: ignore[import-not-found, unused-ignore]

from modeltui.domain.machines.hardware import GpuUser
from modeltui.domain.machines.machine import Backend
from modeltui.hardware.amd import bandwidth, read_amd
from modeltui.hardware.files import Disk, Sent
from modeltui.hardware.gpus import read_gpus


def test_a_card_from_the_disk(tmp_path: Path) -> None:
    users = ((77, "ollama", 2 * GIB), (78, "blender", GIB // 2), (79, "idle", 0))
    write(tmp_path, files_of(Tree(users=users)))
    (card,), notes = read_amd(Disk(tmp_path))
    assert notes == ()
    assert (card.index, card.name, card.uuid) == (0, "AMD Radeon RX 7800 XT", "0000000000000000")
    assert (card.total, card.free, card.used) == (16 * GIB, 13 * GIB, 3 * GIB)
    assert (card.utilisation, card.temperature, card.power_mw, card.power_limit_mw) == (
        42,
        51,
        130_000,
        263_000,
    )
    assert (card.backend, card.compute, card.is_unified, card.carved) == (Backend.ROCM, None, False, 0)
    assert card.bandwidth == 1218e6 * 16 * 256 / 8
    assert card.users == (GpuUser(77, "ollama", 2 * GIB), GpuUser(78, "blender", GIB // 2))


def test_what_was_sent_reads_like_the_disk(tmp_path: Path) -> None:
    files = files_of(Tree(), Tree(number=1, used=0, product="Radeon\x1b[2J PRO"))
    write(tmp_path, files)
    assert read_amd(Sent(files)) == read_amd(Disk(tmp_path))
    cards, _ = read_amd(Sent(files))
    assert [card.index for card in cards] == [0, 1]
    assert cards[1].name == "Radeon·[2J PRO"


@pytest.mark.parametrize(
    ("version", "clock", "width", "gigabytes"),
    [
        (110001, 1218, 256, 624),  # Radeon RX 7800 XT (recorded clock and width)
        (110000, 1249, 384, 960),  # Radeon RX 7900 XTX
        (120000, 1258, 128, 322),  # Radeon RX 9060 XT (recorded)
        (100300, 1000, 256, 512),  # Radeon RX 6900 XT
        (80003, 2000, 256, 256),  # Radeon RX 580, GDDR5
        (90000, 945, 2048, 484),  # Radeon RX Vega 64 (recorded), HBM2
        (0, 945, 2048, 484),  # the same on a kernel that tells no version (recorded)
        (90006, 1000, 4096, 1024),  # Radeon VII
        (90008, 1200, 4096, 1229),  # Instinct MI100
        (90010, 1600, 4096, 1638),  # Instinct MI210
        (90402, 1300, 8192, 5325),  # Instinct MI300X and MI308X (recorded), HBM3
    ],
)
def test_bandwidth_is_that_of_the_data_sheet(version: int, clock: int, width: int, gigabytes: int) -> None:
    found = bandwidth(version, clock, width)
    assert found is not None
    assert abs(found / 1e9 - gigabytes) < 0.005 * gigabytes


@pytest.mark.parametrize(("clock", "width"), [(None, 256), (1218, None), (0, 256), (1218, 0)])
def test_bandwidth_without_a_part_is_unknown(clock: int | None, width: int | None) -> None:
    assert bandwidth(110001, clock, width) is None


@pytest.mark.parametrize("version", [0, 70000, 90012])
def test_bandwidth_of_a_kind_that_is_not_known_is_unknown(version: int) -> None:
    assert bandwidth(version, 1218, 256) is None


def test_a_large_gpu_in_a_processor_shares_the_ram() -> None:
    tree = Tree(version=110501, total=GIB, used=GIB // 2, gtt_total=60 * GIB, gtt_used=10 * GIB, width=256)
    (card,), notes = read_amd(Sent(files_of(tree)))
    assert (card.is_unified, card.carved, notes) == (True, GIB, ())
    assert (card.total, card.used) == (61 * GIB, 10 * GIB + GIB // 2)
    assert card.bandwidth == 256e9


def test_a_small_gpu_in_a_processor_runs_nothing() -> None:
    cards, (note,) = read_amd(Sent(files_of(Tree(version=100306, total=GIB // 2))))
    assert cards == ()
    assert "inside the processor" in note


def test_without_the_compute_driver_the_memory_is_known_all_the_same() -> None:
    files = {path: text for path, text in files_of(Tree()).items() if "/kfd/" not in path}
    (card,), _ = read_amd(Sent(files))
    assert (card.total, card.bandwidth, card.users) == (16 * GIB, None, None)


def test_another_driver_tells_no_memory() -> None:
    files = {path: text for path, text in files_of(Tree()).items() if "mem_info" not in path}
    cards, (note,) = read_amd(Sent(files))
    assert cards == ()
    assert "does not tell its memory" in note


@pytest.mark.parametrize("text", ["", "many", "-1", "9" * 40, "0x10", "1\x00", "١٦"])
def test_numbers_that_are_none_are_unknown(text: str) -> None:
    files = files_of(Tree())
    broken = ("mem_info_vram_used", "gpu_busy_percent", "temp1_input", "power1_cap")
    files |= {path: text for path in files if path.endswith(broken)}
    (card,), _ = read_amd(Sent(files))
    assert (card.used, card.free) == (None, None)
    assert (card.utilisation, card.temperature, card.power_limit_mw) == (None, None, None)
    assert card.total == 16 * GIB


def test_a_card_without_a_name_is_told_by_its_number() -> None:
    (card,), _ = read_amd(Sent(files_of(Tree(device="0x9999"))))
    assert card.name == "AMD GPU 9999"


def test_all_gpus_of_a_machine_count_amds(machine: Path) -> None:
    write(machine, files_of(Tree()))
    (machine / "dev/kfd").touch()
    found = read_gpus(machine, "linux")
    assert [card.name for card in found.cards] == ["AMD Radeon RX 7800 XT"]
    assert (found.note, found.complete) == (None, True)
