"""Processor, memory and disks of the machine that the tests run on, and of made-up ones."""

import asyncio
import platform
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from modeltui.domain.machines.hardware import Disk, Gpus
from modeltui.hardware.host import CpuMeter, read_disk, read_host

NO_GPUS = Gpus((), None, complete=True)
LinuxTimes = namedtuple("LinuxTimes", "user system idle iowait guest guest_nice")


def failing(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def test_this_machine(tmp_path: Path) -> None:
    host = read_host([tmp_path, tmp_path / "missing"], gpus=lambda: NO_GPUS, meter=CpuMeter())
    assert host.gpus is NO_GPUS
    assert host.cpu.percent is None
    assert host.cpu.cores is not None
    assert host.cpu.cores >= 1
    assert host.memory is not None
    assert 0 < host.memory.available <= host.memory.total
    there, missing = host.disks
    assert there.path == str(tmp_path)
    assert there.total is not None
    assert there.free is not None
    assert 0 < there.free <= there.total
    assert missing == Disk(str(tmp_path / "missing"), None, None)


def test_a_path_is_shown_clean() -> None:
    assert read_disk(Path("/nowhere\x1b[2J")) == Disk("/nowhere·[2J", None, None)
    assert read_disk(Path("/no\0where")).total is None


def test_percent_is_between_two_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [
        LinuxTimes(100.0, 50.0, 800.0, 50.0, 20.0, 0.0),
        # Ten seconds on: 2 busy (one of them a guest's, counted once), 7 idle, 1 waiting for a disk.
        LinuxTimes(102.0, 50.0, 807.0, 51.0, 21.0, 0.0),
        LinuxTimes(102.01, 50.0, 807.01, 51.0, 21.0, 0.0),
        LinuxTimes(101.0, 50.0, 815.0, 51.0, 21.0, 0.0),
    ]
    monkeypatch.setattr(psutil, "cpu_times", lambda: samples.pop(0))
    meter = CpuMeter()
    assert meter.percent() is None
    assert meter.percent() == 20.0
    assert meter.percent() == 20.0, "too soon: the last value stands"
    assert meter.percent() == 0.0, "counters may go back a little"


def test_percent_after_the_counters_were_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = CpuMeter()
    meter.percent()
    with monkeypatch.context() as hidden:
        hidden.setattr(psutil, "cpu_times", failing(psutil.AccessDenied()))
        assert meter.percent() is None
    assert meter.percent() is None


async def test_one_meter_serves_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 1000, 10))

    def tick() -> LinuxTimes:
        at = next(seconds)
        return LinuxTimes(at / 2, 0.0, at / 2, 0.0, 0.0, 0.0)

    monkeypatch.setattr(psutil, "cpu_times", tick)
    meter = CpuMeter()
    found = [await asyncio.to_thread(meter.percent) for _ in range(5)]
    assert found == [None, 50.0, 50.0, 50.0, 50.0]


@pytest.mark.parametrize("error", [PermissionError(), psutil.AccessDenied()])
def test_a_machine_that_hides_everything(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    for name in ("virtual_memory", "cpu_count", "cpu_times", "disk_usage"):
        monkeypatch.setattr(psutil, name, failing(PermissionError() if name == "disk_usage" else error))
    host = read_host([Path("/")], gpus=lambda: NO_GPUS, meter=CpuMeter())
    assert host.memory is None
    assert (host.cpu.cores, host.cpu.percent) == (None, None)
    assert host.disks == (Disk("/", None, None),)


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        (
            "processor\t: 0\nmodel name\t: Intel(R)  Xeon(R) CPU\x1b[1m  @ 2.20GHz\nflags\t: fpu\n",
            "Intel(R) Xeon(R) CPU·[1m @ 2.20GHz",
        ),
        ("processor\t: 0\nBogoMIPS\t: 50.00\n\nmodel name\t: of another\n", "aarch64"),
        ("processor\t: 0\nmodel name\t: \n", "aarch64"),
        (None, "aarch64"),
    ],
)
def test_the_name_of_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None, model: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    if cpuinfo is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/cpuinfo").write_text(cpuinfo)
    assert read_host([], root=tmp_path, gpus=lambda: NO_GPUS, meter=CpuMeter()).cpu.model == model


def test_the_name_of_the_processor_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert read_host([], root=tmp_path, gpus=lambda: NO_GPUS, meter=CpuMeter()).cpu.model is None
