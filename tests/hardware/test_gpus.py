"""All GPUs of a machine together: those that tell of themselves, and those that are only known of."""

from collections.abc import Callable
from pathlib import Path

import pytest
from stand_in_nvml import Card, Library  # type: ignore[import-not-found, unused-ignore]

from modeltui.domain.machines.hardware import Gpus
from modeltui.hardware.gpus import read_gpus

Driver = Callable[[Library | None], None]


def read(machine: Path) -> Gpus:
    return read_gpus(machine, "linux")


def add_drm(machine: Path, name: str, vendor: str | None, driver: str = "") -> None:
    device = machine / "sys/class/drm" / name / "device"
    device.mkdir(parents=True)
    if vendor is not None:
        (device / "vendor").write_text(f"{vendor}\n")
    (device / "uevent").write_text(f"DRIVER={driver}\nMODALIAS=x\n")


@pytest.mark.parametrize(
    ("vendor", "adapter", "words"),
    [
        ("0x1002", "radeon", "an AMD GPU (card0) does not tell its memory: its driver is not amdgpu"),
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
    windows = read_gpus(machine, "win32")
    assert windows.note == (
        "no NVIDIA driver (nvml.dll not found); GPUs of other makers are not read on this system"
    )
    assert not windows.complete
