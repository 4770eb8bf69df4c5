"""A Mac's GPU by sysctl: a stand-in on PATH that answers as Macs do, as none is at hand."""

import os
from pathlib import Path

import pytest

from modeltui.domain.machines.hardware import Gpu
from modeltui.domain.machines.machine import Backend
from modeltui.hardware.apple import gpu_of, read_apple, sysctl_lines
from modeltui.hardware.gpus import read_gpus

GIB = 1 << 30


@pytest.fixture
def sysctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is first on PATH; what `sysctl` prints is written into a file beside it."""
    program = tmp_path / "sysctl"
    program.write_text(f'#!/bin/sh\n[ "$1" = hw.memsize ] || exit 9\ncat "{tmp_path}/says"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "says"


def gpu(text: str) -> Gpu:
    (found,), notes = gpu_of(sysctl_lines(text))
    assert notes == ()
    return found


def test_a_mac(sysctl: Path) -> None:
    """The limit's key is missing before macOS 14: sysctl prints the others and exits with 1."""
    sysctl.write_text("hw.memsize: 68719476736\nmachdep.cpu.brand_string: Apple M2 Max\nhw.physicalcpu: 12\n")
    (found,), notes = read_apple()
    assert notes == ()
    assert (found.name, found.backend, found.is_unified) == ("Apple M2 Max", Backend.METAL, True)
    assert (found.total, found.free, found.used) == (48 * GIB, None, None)
    assert found.bandwidth == 400e9
    everything = read_gpus(Path("/"), "darwin")
    assert (everything.cards, everything.note, everything.complete) == ((found,), None, True)


@pytest.mark.parametrize(
    ("gib", "limit_mib", "usable"),
    [
        (16, 0, 16 * GIB * 2 // 3),
        (32, 0, 32 * GIB * 2 // 3),
        (36, 0, 27 * GIB),
        (128, 0, 96 * GIB),
        (64, 57_344, 56 * GIB),
        (16, 99_999, 16 * GIB),
    ],
)
def test_what_the_gpu_may_use(gib: int, limit_mib: int, usable: int) -> None:
    words = (
        f"hw.memsize: {gib * GIB}\nmachdep.cpu.brand_string: Apple M4\niogpu.wired_limit_mb: {limit_mib}\n"
    )
    assert gpu(words).total == usable


@pytest.mark.parametrize(
    ("chip", "cores", "gigabytes"),
    [
        ("Apple M1", 8, 68),
        ("Apple M1 Max", 10, 400),
        ("Apple M3 Max", 14, 300),
        ("Apple M3 Max", 16, 400),
        ("Apple M4 Max", 14, 410),
        ("Apple M4 Max", 16, 546),
        ("Apple M3 Ultra", 28, 819),
        ("Apple M99 Giga", 99, None),
    ],
)
def test_bandwidth_by_chip(chip: str, cores: int, gigabytes: int | None) -> None:
    words = f"hw.memsize: {64 * GIB}\nmachdep.cpu.brand_string: {chip}\nhw.physicalcpu: {cores}\n"
    assert gpu(words).bandwidth == (None if gigabytes is None else gigabytes * 1e9)


def test_a_mac_with_an_intel_processor_has_no_gpu_for_models() -> None:
    words = "hw.memsize: 17179869184\nmachdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz\n"
    assert gpu_of(sysctl_lines(words)) == ((), ())


@pytest.mark.parametrize(
    "says", ["", "hw.memsize: many\nmachdep.cpu.brand_string: Apple M1\n", "\x00\xff: 1\n"]
)
def test_what_says_nothing_is_said(sysctl: Path, says: str) -> None:
    sysctl.write_text(says)
    cards, (note,) = read_apple()
    assert cards == ()
    assert "can't be read" in note
    assert not read_gpus(Path("/"), "darwin").complete


def test_no_sysctl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cards, (note,) = read_apple()
    assert cards == ()
    assert "sysctl does not run" in note
