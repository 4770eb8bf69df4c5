"""Another machine through `ssh`: a stand-in on PATH, which runs the very command here or answers as told."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest
from amd_trees import GIB, Tree, files_of  # type: ignore[import-not-found, unused-ignore]

from modeltui.domain.machines.hardware import Cpu, Disk, Host, Memory
from modeltui.hardware import remote
from modeltui.hardware.remote import read_remote

Q = "NVIDIA GeForce RTX 4090"
ROW = f"0, GPU-a, {Q}, 24564, 20000, 4096, 37, 61, 211.50, 450.00, 580.95.05, [N/A]"
ANSWER = """@@ system
Linux
@@ nvidia
{nvidia}
@@ compute
0, 8.9
@@ users
GPU-a, 4242, 3900, /usr/local/lib/ollama/llama-server
GPU-b, 1, 5, other
@@ memory
MemTotal:       65536 kB
MemFree:        100 kB
MemAvailable:   60000 kB
@@ cpu
model name\t: AMD Ryzen 9   7950X\x1b[1m
x86_64
@@ cores
16
@@ disk
/dev/nvme0n1p2 1000000 400000 600000 40% /usr/share/ollama
@@ unit
ActiveState=active
Environment=PATH=/bin "OLLAMA_NUM_PARALLEL=4" OLLAMA_KV_CACHE_TYPE=q8_0 "SECRET=a b"
@@ devices
/sys/class
{more}
@@ end
"""


class Ssh:
    """The program `ssh` on PATH."""

    def __init__(self, directory: Path) -> None:
        self._program = directory / "ssh"
        self._answer = directory / "answer"
        self.told = directory / "told"

    def does(self, script: str) -> None:
        words = f'printf "%s\\n" "$@" > "{self.told}"\n'
        self._program.write_text(f"#!/bin/sh\n{words}{script}\n")
        self._program.chmod(0o755)

    def answers(self, text: str) -> None:
        self._answer.write_text(text)
        self.does(f'cat "{self._answer}"')


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ssh:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Ssh(tmp_path)


def answer(nvidia: str = ROW, more: str = "") -> str:
    return ANSWER.format(nvidia=nvidia, more=more)


def host(ssh: Ssh, text: str) -> Host:
    ssh.answers(text)
    found = read_remote("me@gpubox")
    assert found.why == ""
    assert found.host is not None
    return found.host


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads /proc")
def test_the_command_really_runs(ssh: Ssh) -> None:
    """As a remote shell would run the last word: on this machine, whose facts are known by other ways."""
    ssh.does('for word in "$@"; do last="$word"; done\nexec sh -c "$last"')
    found = read_remote("me@gpubox")
    assert found.why == ""
    assert found.host is not None
    memory = psutil.virtual_memory()
    assert found.host.memory is not None
    assert found.host.memory.total == memory.total
    assert abs(found.host.memory.available - memory.available) < memory.total / 4
    assert found.host.cpu.model
    assert found.host.gpus.cards or found.host.gpus.note or found.host.gpus.complete


def test_ssh_asks_nothing_and_takes_no_option_for_a_name(ssh: Ssh) -> None:
    ssh.answers(answer())
    read_remote("me@gpubox")
    told = ssh.told.read_text().splitlines()
    assert told[told.index("--") + 1] == "me@gpubox"
    assert {"-T", "BatchMode=yes", "ConnectTimeout=8", "ControlMaster=no"} <= set(told[: told.index("--")])


def test_a_machine_with_a_card(ssh: Ssh) -> None:
    found = host(ssh, answer())
    (card,) = found.gpus.cards
    assert (card.index, card.uuid, card.name) == (0, "GPU-a", Q)
    assert (card.total, card.free, card.used) == (24_564 << 20, 20_000 << 20, 4_096 << 20)
    assert (card.utilisation, card.temperature, card.power_mw, card.power_limit_mw) == (
        37,
        61,
        211_500,
        450_000,
    )
    assert (card.bandwidth, card.compute, card.is_unified) == (1008e9, (8, 9), False)
    assert card.users is not None
    assert [(user.pid, user.used, user.is_ollama) for user in card.users] == [(4242, 3_900 << 20, True)]
    assert (found.gpus.complete, found.gpus.note, found.gpus.driver) == (True, None, "580.95.05")
    assert found.memory == Memory(65_536 * 1024, 60_000 * 1024)
    assert found.cpu == Cpu("AMD Ryzen 9 7950X·[1m", 16, None)
    assert found.disks == (Disk("/usr/share/ollama", 1_024_000_000, 614_400_000),)


def test_the_unit_s_variables_without_other_secrets(ssh: Ssh) -> None:
    ssh.answers(answer())
    assert read_remote("gpubox").unit == {"OLLAMA_NUM_PARALLEL": "4", "OLLAMA_KV_CACHE_TYPE": "q8_0"}


@pytest.mark.parametrize(
    ("name", "mib", "gigabytes"),
    [
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 16_376, 576),
        ("NVIDIA GeForce RTX 5060", 8_151, 448),
        ("NVIDIA A100-SXM4-80GB", 81_920, 2039),
        ("NVIDIA GeForce RTX 2070 with Max-Q Design", 8_192, None),
        ("GRID A100D-10C", 10_240, None),
    ],
)
def test_bandwidth_goes_by_the_whole_name(ssh: Ssh, name: str, mib: int, gigabytes: int | None) -> None:
    (card,) = host(ssh, answer(ROW.replace(Q, name).replace("24564", str(mib)))).gpus.cards
    assert card.bandwidth == (None if gigabytes is None else gigabytes * 1e9)


def test_what_is_not_supported_is_unknown(ssh: Ssh) -> None:
    row = (
        f"0, GPU-a, {Q}, 24564, 20000, 4096, [N/A], [Not Supported], [N/A], [Unknown Error], 580.95.05, [N/A]"
    )
    (card,) = host(ssh, answer(row)).gpus.cards
    assert (card.utilisation, card.temperature, card.power_mw, card.power_limit_mw) == (
        None,
        None,
        None,
        None,
    )


def test_a_card_that_shares_the_ram(ssh: Ssh) -> None:
    row = "0, GPU-a, NVIDIA GB10, [N/A], [N/A], [N/A], 3, 40, 10.00, [N/A], 580.95.05, [N/A]"
    (card,) = host(ssh, answer(row)).gpus.cards
    assert (card.total, card.is_unified, card.bandwidth) == (None, True, 273e9)


def test_mig_is_not_read_and_said(ssh: Ssh) -> None:
    found = host(ssh, answer(ROW.replace("[N/A]", "Enabled")))
    assert found.gpus.cards[0].total is None
    assert not found.gpus.complete
    assert "MIG" in str(found.gpus.note)


def test_amds_files(ssh: Ssh) -> None:
    files = "".join(f"@@ file {path}\n{text}\n" for path, text in files_of(Tree()).items())
    found = host(ssh, answer("sh: 1: nvidia-smi: not found", f"/dev/kfd\n{files}"))
    assert [(card.name, card.total) for card in found.gpus.cards] == [("AMD Radeon RX 7800 XT", 16 * GIB)]
    assert found.gpus.complete


@pytest.mark.parametrize(
    ("nvidia", "more", "complete", "words"),
    [
        ("nvidia-smi: command not found", "", True, None),
        ("nvidia-smi: not found", "/dev/dxg", False, "can't be read"),
        (
            "nvidia-smi: not found",
            "@@ file /sys/class/drm/card0/device/vendor\n0x8086",
            False,
            "an Intel GPU",
        ),
        (
            "nvidia-smi: not found",
            "@@ file /sys/class/drm/card0/device/vendor\n0x10de",
            False,
            "an NVIDIA GPU",
        ),
        ("nvidia-smi: not found", "@@ file /sys/class/drm/card0/device/vendor\n0x1a03", True, None),
        ("NVIDIA-SMI has failed because it couldn't communicate", "", False, "NVIDIA-SMI has failed"),
    ],
)
def test_no_card_is_certain_or_said(
    ssh: Ssh, nvidia: str, more: str, complete: bool, words: str | None
) -> None:
    found = host(ssh, answer(nvidia, more)).gpus
    assert (found.cards, found.complete) == ((), complete)
    assert found.note is None if words is None else words in str(found.note)


def test_a_mac(ssh: Ssh) -> None:
    text = f"""@@ system
Darwin
@@ sysctl
hw.memsize: {64 * GIB}
machdep.cpu.brand_string: Apple M2 Max
hw.physicalcpu: 12
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                100000.
Pages active:                              500000.
Pages inactive:                            200000.
Pages speculative:                          10000.
@@ end
"""
    found = host(ssh, text)
    assert [(card.name, card.total) for card in found.gpus.cards] == [("Apple M2 Max", 48 * GIB)]
    assert found.memory == Memory(64 * GIB, 310_000 * 16_384)
    assert found.cpu == Cpu("Apple M2 Max", 12, None)
    assert found.gpus.complete


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'me@gpubox: Permission denied (publickey).' >&2; exit 255", "Permission denied"),
        ("echo 'a\033[2Jb' >&2; exit 255", "a·[2Jb"),
        ("exit 7", "exit code 7"),
        ("echo '@@ system'; echo Linux; exit 0", "exit code 0"),
    ],
)
def test_what_goes_wrong_is_said(ssh: Ssh, script: str, words: str) -> None:
    ssh.does(script)
    found = read_remote("me@gpubox")
    assert found.host is None
    assert "ssh me@gpubox" in found.why
    assert words in found.why


def test_who_does_not_answer_is_ended(ssh: Ssh, tmp_path: Path) -> None:
    ssh.does(f'echo $$ > "{tmp_path}/pid"\nsleep 600')
    began = time.monotonic()
    found = read_remote("me@gpubox", timeout_s=2.0)
    assert "did not answer in 2 s" in found.why
    assert time.monotonic() - began < 60
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_who_sends_without_end_is_ended(ssh: Ssh) -> None:
    ssh.does("while :; do echo '@@ memory'; echo 'MemTotal: 1 kB'; done")
    assert read_remote("me@gpubox").host is None


def test_noise_without_end_beside_the_answer(ssh: Ssh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "LARGEST", 4096)
    ssh.does("i=0; while [ $i -lt 2000 ]; do echo noise noise noise >&2; i=$((i+1)); done; exit 1")
    assert "noise" in read_remote("me@gpubox").why


def test_no_ssh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_remote("me@gpubox").why == "ssh is not installed here"


@pytest.mark.parametrize(
    "line", ["@@ nvidia\n1,2,3", "@@ memory\nMemTotal: many kB", "@@ disk\na b", "@@ cores\n-"]
)
def test_nonsense_is_unknown(ssh: Ssh, line: str) -> None:
    found = host(ssh, f"{line}\n@@ end\n")
    assert (found.gpus.cards, found.memory, found.disks, found.cpu.cores) == ((), None, (), None)


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("0, GPU-a", "\u00b2, GPU-a"),
        ("0, GPU-a", "9" * 5000 + ", GPU-a"),
        ("211.50", "211.\u00b2"),
        ("0, 8.9", "0, 8.\u00b2"),
        ("GPU-a, 4242", "GPU-a, \u00b2"),
        ("24564", "\u0663"),
    ],
)
def test_what_looks_like_a_number_and_is_none_is_unknown(ssh: Ssh, written: str, wrong: str) -> None:
    """`"\u00b2".isdigit()` is true, and no whole number."""
    text = answer()
    assert written in text
    ssh.answers(text.replace(written, wrong))
    assert read_remote("gpubox").host is not None
