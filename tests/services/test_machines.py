"""Which machine a server runs on: by hand, here, through ssh, or unknown with the reason."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from demo_stage import MB, Opener, Place  # type: ignore[import-not-found, unused-ignore]

from modeltui.config.reader import load
from modeltui.demo.faults import Kind
from modeltui.demo.place import demo_directories
from modeltui.demo.server import DemoServer
from modeltui.domain.machines.machine import KnownMachine, Machine, Origin
from modeltui.services import machines
from modeltui.services.machines import machine_of, server_of
from modeltui.services.tree import Services

GIB = 1 << 30
HAND = "[servers.demo.hardware]\n"
Another = Callable[..., Services]


async def known(place: Place) -> KnownMachine:
    return await machine_of(place.services, place.link)


async def machine(place: Place) -> Machine:
    found = (await known(place)).machine
    assert found is not None
    return found


async def test_elsewhere_without_a_word_it_is_unknown(place: Place) -> None:
    found = await known(place)
    assert found.machine is None
    assert "local = false" in found.why
    assert "config.toml" in found.why
    assert "[servers.demo.hardware]" in found.why


async def test_here_it_is_this_machine(open_place: Opener) -> None:
    place = await open_place(local=True)
    found = await known(place)
    assert found.words == "this machine"
    if found.machine is None:
        assert found.why, "a GPU that can't be read"
        return
    assert found.machine.origin is Origin.MEASURED
    assert found.machine.ram_total == psutil.virtual_memory().total
    assert 0 < found.machine.ram_free <= found.machine.ram_total


async def test_ram_of_what_is_loaded_is_held_as_far_as_it_is_seen(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await open_place(local=True)
    await place.loading.load("coder:7b")
    (row,) = await place.link.api.loaded()
    row = replace(row, size=500 * MB)
    cases = ((0, 300 * MB, 300 * MB), (0, 90_000 * MB, 500 * MB), (500 * MB, 300 * MB, 0))
    for vram, seen, held in cases:
        monkeypatch.setattr("modeltui.hardware.processes.runner_memory", lambda seen=seen: seen)
        place.services.looks.forget()
        found = (await machine_of(place.services, place.link, [replace(row, vram=vram)])).machine
        if found is None:
            pytest.skip("a GPU that can't be read")
        used = found.ram_total - found.ram_free
        assert found.ram_held == min(held, used)


async def test_what_is_written_counts(open_place: Opener) -> None:
    tables = f"{HAND}gpus = ['2x24GB']\nram = '64GB'\nram_bandwidth = 51.2\ncores = 16\n"
    place = await open_place(tables)
    found = await known(place)
    assert found.words == str(place.paths.config_file)
    written = await machine(place)
    assert [card.total for card in written.cards] == [24 * GIB, 24 * GIB]
    assert (written.ram_total, written.ram_bandwidth, written.cores) == (64 * GIB, 51.2e9, 16)
    assert (written.origin, written.is_unified) == (Origin.CONFIGURED, False)


async def test_what_is_loaded_is_held_and_not_free(open_place: Opener) -> None:
    place = await open_place(f"{HAND}gpus = ['8GB', '24GB']\nram = '64GB'\n")
    before = await machine(place)
    await place.loading.load("coder:7b")
    (row,) = await place.link.api.loaded()
    after = await machine(place)
    assert row.vram
    held = sum(card.held for card in after.cards)
    assert row.vram - 2 <= held <= row.vram
    for card, was in zip(after.cards, before.cards, strict=True):
        assert card.free + card.held == was.free
        assert was.held == 0
    assert after.cards == (await machine_of(place.services, place.link, [row])).machine.cards  # type: ignore[union-attr]


async def test_a_server_that_does_not_answer_has_its_machine_all_the_same(open_place: Opener) -> None:
    place = await open_place(f"{HAND}gpus = ['24GB']\nram = '64GB'\n")
    place.trouble(Kind.STATUS, "/api/ps", value=500, times=None)
    assert (await machine(place)).cards[0].held == 0
    assert (await machine_of(place.services, None)).machine == await machine(place)


async def test_a_claim_beyond_the_card_takes_no_more_than_it_has(open_place: Opener) -> None:
    place = await open_place(f"{HAND}gpus = ['64MB']\nram = '64GB'\n", gpu_memory=24_000 * MB)
    await place.loading.load("coder:7b")
    (row,) = await place.link.api.loaded()
    (card,) = (await machine(place)).cards
    assert card.free >= 0
    assert card.held <= min(row.vram or 0, card.total)


async def test_the_rest_is_seen_where_a_part_is_written(open_place: Opener) -> None:
    place = await open_place(f"{HAND}gpus = ['24GB']\nram_bandwidth = 99\n", local=True)
    found = await known(place)
    assert found.machine is not None
    seen = psutil.virtual_memory().total
    assert (found.machine.vram_total, found.machine.ram_total) == (24 * GIB, seen)
    assert found.machine.ram_bandwidth == 99e9


async def test_gpus_alone_need_an_assumption_that_is_said(open_place: Opener) -> None:
    place = await open_place(f"{HAND}gpus = ['48GB@800']\n")
    written = await machine(place)
    assert written.ram_total == 48 * GIB
    assert written.assumptions == ("48 GB of RAM",)


async def test_ram_alone_leaves_the_gpus_unknown(open_place: Opener) -> None:
    found = await known(await open_place(f"{HAND}ram = '64GB'\n"))
    assert found.machine is None
    assert "does not name its gpus" in found.why


async def test_no_gpu_by_hand_is_certain(open_place: Opener) -> None:
    written = await machine(await open_place(f"{HAND}gpus = []\nram = '16GB'\n"))
    assert written.cards == ()
    assert written.ram_total == 16 * GIB


async def test_memory_that_is_shared_by_hand(open_place: Opener) -> None:
    written = await machine(await open_place(f"{HAND}gpus = ['96GB@256']\nram = '128GB'\nunified = true\n"))
    assert written.is_unified
    assert (written.vram_total, written.ram_total) == (96 * GIB, 128 * GIB)


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in `ssh` that runs what it is told on this machine; each run adds a line to the file."""
    program, told = tmp_path / "bin/ssh", tmp_path / "told"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nfor word in "$@"; do last="$word"; done\necho run >> "{told}"\nexec sh -c "$last"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return told


def with_ssh(url: str) -> str:
    return f'[servers.demo]\nurl = "{url}"\nlocal = false\nssh = "me@gpubox"\n'


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the stand-in reads this machine's /proc")
async def test_through_ssh(open_place: Opener, ssh: Path, another: Another) -> None:
    place = await open_place()
    place.paths.config_file.write_text(f'server = "demo"\n{with_ssh(place.server.url)}')
    services = another()
    found = await machine_of(services, await services.active())
    assert found.words == "ssh me@gpubox"
    assert found.machine is not None or found.why
    if found.machine is not None:
        assert found.machine.origin is Origin.REMOTE
        assert found.machine.ram_total == psutil.virtual_memory().total
    assert await machine_of(services, None) == found
    assert ssh.read_text() == "run\n", "one look serves both"


async def test_ssh_that_fails_is_said(open_place: Opener, ssh: Path, another: Another) -> None:
    (ssh.parent / "bin/ssh").write_text("#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n")
    place = await open_place()
    place.paths.config_file.write_text(f'server = "demo"\n{with_ssh(place.server.url)}')
    services = another()
    found = await machine_of(services, await services.active())
    assert found == KnownMachine(None, "ssh me@gpubox", "ssh me@gpubox: Host key verification failed.")


async def test_one_look_serves_those_who_ask_within_seconds(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await open_place(local=True)
    real, looks = machines._host, []

    def counted(services: object) -> object:
        looks.append(services)
        return real(services)  # type: ignore[arg-type]

    monkeypatch.setattr(machines, "_host", counted)
    await known(place)
    await known(place)
    assert len(looks) == 1
    place.services.looks.forget()
    await known(place)
    assert len(looks) == 2


async def test_a_server_by_its_address_alone(place: Place) -> None:
    assert server_of(place.services, None) is place.services.config.active
    assert server_of(place.services, place.link).name == "demo"


async def test_the_demonstration_pretends_what_its_server_does() -> None:
    async with DemoServer() as server:
        with demo_directories(server) as paths:
            config = load(paths, {})
    assert (config.problems, config.unknown) == ((), ())
    hardware = config.active.hardware
    assert hardware is not None
    assert hardware.gpus is not None
    (card,) = hardware.gpus.cards
    assert card.total == inspect.signature(DemoServer).parameters["gpu_memory"].default
    assert "made-up" in card.name


def test_nothing_dear_is_loaded_before_it_is_needed() -> None:
    source = "import sys, modeltui.services.machines, modeltui.services.serving; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert not {"pynvml", "psutil", "httpx"} & set(done.stdout.split())
