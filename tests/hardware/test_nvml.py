"""GPUs through the real pynvml, on a stand-in driver library."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

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

from modeltui.domain.hardware import Gpu, Gpus
from modeltui.hardware.nvml import read_gpus, release_gpus

Driver = Callable[[Library | None], None]
GIB = 1024**3


def read(machine: Path) -> Gpus:
    return read_gpus(machine, "linux")


def add_drm(machine: Path, name: str, vendor: str | None, driver: str = "") -> None:
    device = machine / "sys/class/drm" / name / "device"
    device.mkdir(parents=True)
    if vendor is not None:
        (device / "vendor").write_text(f"{vendor}\n")
    (device / "uevent").write_text(f"DRIVER={driver}\nMODALIAS=x\n")


def test_two_gpus(driver: Driver, machine: Path) -> None:
    second = Card(name=b"NVIDIA L4", uuid=b"GPU-1", total=22 * GIB, reserved=0, used=0, utilisation=0)
    driver(Library(Card(), second))
    found = read(machine)
    assert found.note is None
    assert found.complete
    assert found.cards == (
        Gpu(0, "GPU-0", "NVIDIA GeForce RTX 4090", 24 * GIB, 15 * GIB, 8 * GIB, 37, 61, 211_000, 450_000),
        Gpu(1, "GPU-1", "NVIDIA L4", 22 * GIB, 22 * GIB, 0, 0, 61, 211_000, 450_000),
    )


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


def test_a_card_without_memory_of_its_own(driver: Driver, machine: Path) -> None:
    unsupported = {"nvmlDeviceGetMemoryInfo": NOT_SUPPORTED, "nvmlDeviceGetMemoryInfo_v2": NOT_SUPPORTED}
    driver(Library(Card(name=b"NVIDIA GB10", fails=unsupported), Card(total=0)))
    for card in read(machine).cards:
        assert (card.total, card.free, card.used) == (None, None, None)


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
    assert read(machine) == Gpus((), "the NVIDIA driver finds no GPU", complete=True)


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
        "GPU 0 is split into MIG instances, which are not read one by one"
    )
    assert (found.cards[0].used, found.cards[0].utilisation) == (None, None)
    assert library.running


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


@pytest.mark.parametrize(
    ("vendor", "adapter", "words"),
    [
        ("0x1002", "amdgpu", "an AMD GPU is not read"),
        ("0x8086", "i915", "an Intel GPU is not read"),
        ("0x10de", "nouveau", "an NVIDIA GPU is not read"),
        ("0x1ed5", "mtgpu", "a GPU of another maker is not read"),
        (None, "asahi", "a GPU of another maker is not read"),
        ("0x1a03", "ast", None),
        ("0x1234", "bochs-drm", None),
        (None, "simple-framebuffer", None),
    ],
)
def test_other_gpus_are_known_of(
    driver: Driver, machine: Path, vendor: str | None, adapter: str, words: str | None
) -> None:
    driver(None)
    add_drm(machine, "card0", vendor, adapter)
    (machine / "sys/class/drm/card0-HDMI-A-1").mkdir()
    found = read(machine)
    note = "no NVIDIA driver (libnvidia-ml.so.1 not found)"
    assert found == Gpus((), f"{note}; {words}" if words else note, complete=words is None)


def test_an_nvidia_adapter_that_was_read_is_no_other_gpu(driver: Driver, machine: Path) -> None:
    driver(Library(Card()))
    add_drm(machine, "card0", "0x1a03")
    add_drm(machine, "card1", "0x10de")
    (machine / "dev/nvidia0").touch()
    (machine / "dev/dxg").touch()
    assert read(machine).complete


@pytest.mark.parametrize(
    ("device", "words"), [("kfd", "AMD"), ("dxg", "WSL"), ("nvidia0", "is there and can't be read")]
)
def test_devices_that_speak_for_a_gpu(driver: Driver, machine: Path, device: str, words: str) -> None:
    driver(None)
    (machine / "dev" / device).touch()
    found = read(machine)
    assert words in str(found.note)
    assert not found.complete


def test_a_machine_that_can_not_be_looked_at(
    driver: Driver, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(None)
    assert not read_gpus(machine / "nowhere", "linux").complete
    add_drm(machine, "card0", "0x1002")

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert "can't be seen" in str(read(machine).note)


def test_systems_where_only_nvidia_can_be_read(driver: Driver, machine: Path) -> None:
    driver(None)
    assert read_gpus(machine, "darwin") == Gpus((), "the GPU of a Mac is not read", complete=False)
    windows = read_gpus(machine, "win32")
    assert windows.note == (
        "no NVIDIA driver (nvml.dll not found); GPUs of other makers are not read on this system"
    )
    assert not windows.complete
