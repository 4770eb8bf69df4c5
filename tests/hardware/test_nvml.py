"""GPUs through the real pynvml, on a stand-in driver library."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pynvml
import pytest
from stand_in_nvml import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    DRIVER_NOT_LOADED,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_AVAILABLE,
    NOT_SUPPORTED,
    VERSION_MISMATCH,
    Card,
    Library,
)

from modeltui.domain.machines.hardware import Gpu, Gpus
from modeltui.hardware.gpus import read_gpus
from modeltui.hardware.nvml import bandwidth, release_gpus

Driver = Callable[[Library | None], None]
GIB = 1024**3


def read(machine: Path) -> Gpus:
    return read_gpus(machine, "linux")


def test_two_gpus(driver: Driver, machine: Path) -> None:
    second = Card(
        *(b"NVIDIA L4", b"GPU-1", 22 * GIB, 0, 0, 0),
        memory_clock=6251,
        bus_width=192,
        users=((7, GIB), (8, None)),
    )
    driver(Library(Card(), second))
    found = read(machine)
    assert found.note is None
    assert found.complete
    assert (found.driver, found.cuda) == ("580.95.05", "13.0")
    sizes = (24 * GIB, 15 * GIB, 8 * GIB)
    geforce = Gpu(0, "GPU-0", "NVIDIA GeForce RTX 4090", *sizes, 37, 61, 211_000, 450_000)
    geforce = replace(geforce, memory_clock=10_501, bus_width=384, compute=(8, 9), users=())
    assert found.cards[0] == replace(geforce, bandwidth=1_008_096_000_000.0)
    l4 = found.cards[1]
    assert (l4.total, l4.free, l4.used, l4.utilisation) == (22 * GIB, 22 * GIB, 0, 0)
    assert l4.bandwidth == 300_048_000_000.0
    assert l4.users is not None
    assert [(user.pid, user.used) for user in l4.users] == [(7, GIB), (8, None)]


@pytest.mark.parametrize(
    ("clock", "width", "gigabytes"),
    [
        (10_501, 384, 1008),  # GeForce RTX 4090, GDDR6X
        (9_001, 256, 576),  # GeForce RTX 4090 Laptop GPU, GDDR6: not the desktop's
        (9_751, 384, 936),  # GeForce RTX 3090
        (7_000, 352, 616),  # GeForce RTX 2080 Ti
        (14_001, 512, 1792),  # GeForce RTX 5090, GDDR7
        (14_001, 128, 448),  # GeForce RTX 5060: 448 and not 256 (llmfit.md 2.6, no. 10)
        (5_001, 256, 320),  # T4
        (1_593, 5120, 2039),  # A100 SXM4 80 GB and H100 PCIe, HBM2e
        (2_619, 5120, 3352),  # H100 SXM5, HBM3
    ],
)
def test_bandwidth_is_that_of_the_data_sheet(clock: int, width: int, gigabytes: int) -> None:
    found = bandwidth(clock, width)
    assert found is not None
    assert abs(found / 1e9 - gigabytes) < 0.005 * gigabytes


@pytest.mark.parametrize(("clock", "width"), [(None, 384), (10_501, None), (0, 384), (10_501, 0)])
def test_bandwidth_without_a_part_is_unknown(clock: int | None, width: int | None) -> None:
    assert bandwidth(clock, width) is None


def test_who_uses_a_card(driver: Driver, machine: Path) -> None:
    """A program that is seen here is named by the system, another (in a container) by the driver."""
    here = os.getpid()
    far = 2**22 + 1  # above the kernel's largest pid
    users = ((here, GIB), (far, 3 * GIB), (far + 1, None))
    driver(Library(Card(users=users), processes={far: b"/usr/local/lib/ollama/llama-server\x1b[2J"}))
    (card,) = read(machine).cards
    assert card.users is not None
    names = {user.pid: user.name for user in card.users}
    assert [user.pid for user in card.users] == [far, here, far + 1]
    assert names[here] == psutil.Process().name()
    assert names[far] == "/usr/local/lib/ollama/llama-server·[2J"
    assert names[far + 1] is None
    assert [user.is_ollama for user in card.users] == [True, False, False]


def test_who_uses_a_card_can_not_always_be_seen(driver: Driver, machine: Path) -> None:
    fails = {"nvmlDeviceGetComputeRunningProcesses_v3": NOT_SUPPORTED}
    driver(Library(Card(fails=fails)))
    found = read(machine)
    assert found.cards[0].users is None
    assert found.note is None


def test_the_new_values_may_be_missing(driver: Driver, machine: Path) -> None:
    names = ("nvmlDeviceGetMaxClockInfo", "nvmlDeviceGetMemoryBusWidth", "nvmlDeviceGetCudaComputeCapability")
    missing = ("nvmlSystemGetDriverVersion", "nvmlSystemGetCudaDriverVersion_v2", names[1])
    driver(Library(Card(fails=dict.fromkeys(names, NOT_SUPPORTED)), missing=missing))
    found = read(machine)
    (card,) = found.cards
    assert (card.memory_clock, card.bus_width, card.bandwidth, card.compute) == (None, None, None, None)
    assert (found.driver, found.cuda, found.note) == (None, None, None)


def test_values_beyond_sense_are_unknown(driver: Driver, machine: Path) -> None:
    driver(Library(Card(memory_clock=NOT_AVAILABLE, bus_width=0, compute=(0, 0))))
    (card,) = read(machine).cards
    assert (card.memory_clock, card.bus_width, card.bandwidth, card.compute) == (None, None, None, None)


def test_what_a_card_does_not_support_is_unknown_and_no_trouble(driver: Driver, machine: Path) -> None:
    fails = dict.fromkeys(("nvmlDeviceGetUtilizationRates", "nvmlDeviceGetPowerUsage"), NOT_SUPPORTED)
    driver(Library(Card(), Card(fails={**fails, "nvmlDeviceGetEnforcedPowerLimit": NOT_SUPPORTED})))
    found = read(machine)
    assert found.note is None
    assert found.cards[0].utilisation == 37
    poor = found.cards[1]
    assert (poor.utilisation, poor.power_mw, poor.power_limit_mw) == (None, None, None)
    assert (poor.used, poor.temperature) == (8 * GIB, 61)


def test_values_that_say_not_available_are_unknown(driver: Driver, machine: Path) -> None:
    driver(Library(Card(utilisation=NOT_AVAILABLE, power_mw=NOT_AVAILABLE, temperature=-1)))
    (card,) = read(machine).cards
    assert (card.utilisation, card.power_mw, card.temperature) == (None, None, None)


def test_memory_beyond_reason_is_unknown(driver: Driver, machine: Path) -> None:
    """NVML says "not available" of 64 bits as all of them."""
    driver(Library(Card(total=2**64 - 1)))
    (card,) = read(machine).cards
    assert (card.total, card.free, card.is_unified) == (None, None, False)


def test_a_card_without_memory_of_its_own(driver: Driver, machine: Path) -> None:
    unsupported = {"nvmlDeviceGetMemoryInfo": NOT_SUPPORTED, "nvmlDeviceGetMemoryInfo_v2": NOT_SUPPORTED}
    driver(Library(Card(name=b"NVIDIA GB10", fails=unsupported), Card(total=0)))
    spark, other = read(machine).cards
    for card in (spark, other):
        assert (card.total, card.free, card.used, card.is_unified) == (None, None, None, True)
    assert spark.bandwidth == 273e9
    assert other.bandwidth is None, "its name says nothing of the machine's RAM"


@pytest.mark.parametrize("code", [NO_PERMISSION, GPU_IS_LOST])
def test_memory_that_is_refused_is_not_shared(driver: Driver, machine: Path, code: int) -> None:
    memory = ("nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMemoryInfo_v2")
    driver(Library(Card(fails=dict.fromkeys(memory, code))))
    (card,) = read(machine).cards
    assert (card.total, card.is_unified) == (None, False)


def test_an_older_driver_without_the_newer_functions(driver: Driver, machine: Path) -> None:
    newer = ("nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetTemperatureV", "nvmlDeviceGetMigMode")
    driver(Library(Card(), missing=newer))
    found = read(machine)
    assert found.note is None
    assert found.cards[0].used == 9 * GIB
    assert found.cards[0].temperature == 61


def test_an_older_pynvml_without_a_function(
    driver: Driver, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(pynvml, "nvmlDeviceGetTemperatureV", raising=False)
    driver(Library(Card()))
    assert read(machine).cards[0].temperature == 61


def test_no_library(driver: Driver, machine: Path) -> None:
    driver(None)
    assert read(machine) == Gpus((), "no NVIDIA driver (libnvidia-ml.so.1 not found)", complete=True)


def test_no_pynvml(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert read(machine) == Gpus((), "the Python package nvidia-ml-py is not installed", complete=True)


@pytest.mark.parametrize(
    ("code", "words", "complete"),
    [
        (VERSION_MISMATCH, "of different versions", False),
        (NO_PERMISSION, "no permission to ask the NVIDIA driver", False),
        (DRIVER_NOT_LOADED, "the NVIDIA driver is not loaded", True),
        (999, "the NVIDIA driver answers with error 999", False),
    ],
)
def test_a_driver_that_does_not_start(
    driver: Driver, machine: Path, code: int, words: str, complete: bool
) -> None:
    driver(Library(Card(), init=code))
    found = read(machine)
    assert found.cards == ()
    assert found.note is not None
    assert words in found.note
    assert found.complete is complete


def test_a_library_too_old_to_start(driver: Driver, machine: Path) -> None:
    driver(Library(Card(), missing=("nvmlInitWithFlags",)))
    assert read(machine) == Gpus((), "the NVIDIA driver's libnvidia-ml.so.1 is too old", complete=False)


def test_zero_devices(driver: Driver, machine: Path) -> None:
    driver(Library())
    found = read(machine)
    assert (found.cards, found.note, found.complete) == ((), "the NVIDIA driver finds no GPU", True)


def test_a_gpu_lost_while_it_is_read(driver: Driver, machine: Path) -> None:
    rest = ("nvmlDeviceGetUtilizationRates", "nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature")
    lost = dict.fromkeys((*rest, "nvmlDeviceGetPowerUsage"), GPU_IS_LOST)
    library = Library(Card(fails=lost), Card())
    driver(library)
    found = read(machine)
    assert found.note == "GPU 0: lost, the driver can't reach it any more (restart the machine)"
    assert (found.cards[0].used, found.cards[0].utilisation) == (8 * GIB, None)
    assert found.cards[1].utilisation == 37
    # The next read starts NVML afresh, and sees a card that has come back.
    assert not library.running
    library.cards[0].fails.clear()
    assert read(machine).note is None
    assert library.starts == 2


def test_a_gpu_that_is_already_lost_keeps_its_place(driver: Driver, machine: Path) -> None:
    driver(Library(Card(fails={"nvmlDeviceGetHandleByIndex_v2": GPU_IS_LOST}), Card()))
    found = read(machine)
    assert found.cards[0] == Gpu(0, None, "GPU 0", None, None, None, None, None, None, None)
    assert found.cards[1].name == "NVIDIA GeForce RTX 4090"
    assert found.complete


def test_a_hostile_name_is_cleaned(driver: Driver, machine: Path) -> None:
    driver(Library(Card(name=b"RTX\x1b[2J\x1b]0;owned\x07 \xe2\x80\xae4090", uuid=b"GPU\r\n0")))
    (card,) = read(machine).cards
    assert card.name == "RTX·[2J·]0;owned· ·4090"
    assert card.uuid == "GPU 0"


@pytest.mark.parametrize("name", [b"\xff\xfe", b""])
def test_a_name_that_is_no_text(driver: Driver, machine: Path, name: bytes) -> None:
    driver(Library(Card(name=name)))
    assert read(machine).cards[0].name == "GPU 0"


def test_a_name_as_bytes(driver: Driver, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 11.5 pynvml handed out bytes."""
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", pynvml.nvmlDeviceGetName.__wrapped__)
    driver(Library(Card(name=b"Tesla T4 \xff")))
    assert read(machine).cards[0].name == "Tesla T4 \N{REPLACEMENT CHARACTER}"


def test_mig_without_the_right_to_the_whole_card(driver: Driver, machine: Path) -> None:
    memory = ("nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMemoryInfo_v2")
    fails = {**dict.fromkeys(memory, NO_PERMISSION), "nvmlDeviceGetUtilizationRates": NOT_SUPPORTED}
    library = Library(Card(name=b"NVIDIA A100", mig=1, fails=fails))
    driver(library)
    found = read(machine)
    assert found.note == (
        "GPU 0: no permission to read all of its values; "
        "GPU 0 is split into MIG instances, and none of them can be read"
    )
    assert (found.cards[0].used, found.cards[0].utilisation) == (None, None)
    assert library.running


def test_mig_instances_stand_for_their_card(driver: Driver, machine: Path) -> None:
    small = Card(b"NVIDIA A100-SXM4-40GB MIG 3g.20gb", b"MIG-0", 20 * GIB, 0, 5 * GIB, users=((9, 5 * GIB),))
    large = Card(b"NVIDIA A100-SXM4-40GB MIG 4g.20gb", b"MIG-1", 20 * GIB, 0, 0)
    for instance in (small, large):
        instance.fails["nvmlDeviceGetUtilizationRates"] = NOT_SUPPORTED
    whole = Card(b"NVIDIA A100-SXM4-40GB", total=40 * GIB, mig=1, instances={0: small, 3: large})
    whole.memory_clock, whole.bus_width, whole.compute = 1215, 5120, (8, 0)
    driver(Library(whole, Card()))
    found = read(machine)
    assert (found.note, found.complete) == (None, True)
    first, second, other = found.cards
    assert (first.index, first.instance, first.name) == (0, 0, "NVIDIA A100-SXM4-40GB MIG 3g.20gb")
    assert (first.total, first.free, first.used, first.utilisation) == (20 * GIB, 15 * GIB, 5 * GIB, None)
    assert (first.temperature, first.power_mw, first.compute) == (61, 211_000, (8, 0))
    assert first.bandwidth == 2 * 1215e6 * 5120 / 8 / 2, "half of the memory, half of its slices"
    assert first.users is not None
    assert [user.used for user in first.users] == [5 * GIB]
    assert (second.instance, second.uuid) == (3, "MIG-1")
    assert other.instance is None


def test_mig_switched_off_is_not_worth_a_word(driver: Driver, machine: Path) -> None:
    driver(Library(Card(mig=0)))
    assert read(machine).note is None


def test_nvml_stays_open_between_reads_and_recovers(driver: Driver, machine: Path) -> None:
    library = Library(Card())
    driver(library)
    assert read(machine) == read(machine)
    assert library.starts == 1
    library.count = 999
    assert "error 999" in str(read(machine).note)
    library.count = 0
    assert read(machine).note is None


def test_a_value_that_always_fails_does_not_restart_nvml(driver: Driver, machine: Path) -> None:
    library = Library(Card(fails={"nvmlDeviceGetPowerUsage": 999}))
    driver(library)
    assert read(machine).note == read(machine).note == "GPU 0: the NVIDIA driver answers with error 999"
    assert library.starts == 1


def test_nvml_can_be_released(driver: Driver, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(Card())
    driver(library)
    release_gpus()
    read(machine)
    release_gpus()
    assert not library.running
    assert read(machine).note is None
    monkeypatch.delitem(sys.modules, "pynvml")
    release_gpus()
    assert library.running


async def test_threads_read_at_once(driver: Driver, machine: Path) -> None:
    library = Library(Card(), Card())
    driver(library)
    found = await asyncio.gather(*(asyncio.to_thread(read, machine) for _ in range(8)))
    assert all(one == found[0] and len(one.cards) == 2 for one in found)
    assert library.starts == 1
