"""What hardware says to a claim of VRAM."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.machines.hardware import (
    Cpu,
    Disk,
    Gpu,
    Gpus,
    GpuUser,
    Host,
    Memory,
    VramVerdict,
    held_on,
    machine_of_host,
    vram_claim,
)
from modeltui.domain.machines.machine import Backend, Machine, Origin

GB = 10**9
NONE_AT_ALL = Gpus((), "no NVIDIA driver (libnvidia-ml.so.1 not found)", complete=True)


def card(used: int | None, index: int = 0) -> Gpu:
    total = None if used is None else 24 * GB
    free = None if used is None else 24 * GB - used
    return Gpu(index, f"GPU-{index}", "RTX 4090", total, free, used, 3, 41, 30_000, 450_000)


def gpus(*used: int | None, complete: bool = True) -> Gpus:
    return Gpus(tuple(card(count, index) for index, count in enumerate(used)), None, complete)


@pytest.mark.parametrize(
    ("claim", "known", "verdict"),
    [
        # Recorded from ollama 0.33.0-rc2 on a machine without a GPU, whose CPU has AMX.
        (1_290_000_000, NONE_AT_ALL, VramVerdict.CONTRADICTED),
        (1_290_000_000, None, VramVerdict.NO_HARDWARE_KNOWN),
        (1_290_000_000, Gpus((), "an AMD GPU is not read", complete=False), VramVerdict.NO_HARDWARE_KNOWN),
        (0, NONE_AT_ALL, VramVerdict.CREDIBLE),
        (0, None, VramVerdict.NO_HARDWARE_KNOWN),
        (8 * GB, gpus(8 * GB + 400_000_000), VramVerdict.CREDIBLE),
        (8 * GB, gpus(4 * GB), VramVerdict.CREDIBLE),
        (8 * GB, gpus(4 * GB - 1), VramVerdict.CONTRADICTED),
        (8 * GB, gpus(0, 0), VramVerdict.CONTRADICTED),
        (8 * GB, gpus(3 * GB, 3 * GB), VramVerdict.CREDIBLE),
        (8 * GB, gpus(None), VramVerdict.NO_HARDWARE_KNOWN),
        (8 * GB, gpus(1 * GB, None), VramVerdict.NO_HARDWARE_KNOWN),
        (8 * GB, gpus(7 * GB, None), VramVerdict.CREDIBLE),
        (8 * GB, gpus(0, complete=False), VramVerdict.NO_HARDWARE_KNOWN),
        (8 * GB, gpus(8 * GB, complete=False), VramVerdict.CREDIBLE),
    ],
)
def test_a_claim_is_judged_by_what_is_known(claim: int, known: Gpus | None, verdict: VramVerdict) -> None:
    assert vram_claim(claim, known) is verdict


@given(
    claim=st.integers(1, 10**13),
    used=st.lists(st.none() | st.integers(0, 10**12), max_size=8),
    complete=st.booleans(),
)
def test_only_complete_knowledge_contradicts(claim: int, used: list[int | None], complete: bool) -> None:
    if vram_claim(claim, gpus(*used, complete=complete)) is VramVerdict.CONTRADICTED:
        assert complete
        assert None not in used
        assert 2 * sum(count or 0 for count in used) < claim


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        card(1).used = 2  # type: ignore[misc]


# --- the machine that estimates see -----------------------------------------------------------------


def host(known: Gpus, total: int = 64 * GB, available: int = 50 * GB) -> Host:
    return Host(
        known, Cpu("a processor", 16, None), Memory(total, available), (Disk("/", 900 * GB, 100 * GB),)
    )


def machine(known: Gpus, claimed: int = 0, **memory: int) -> Machine:
    found = machine_of_host(host(known, **memory), claimed, origin=Origin.MEASURED, ram_bandwidth=40e9)
    assert found is not None
    return found


def shared(**facts: object) -> Gpu:
    gpu = Gpu(0, None, "GB10", None, None, None, None, None, None, None, is_unified=True, bandwidth=273e9)
    return dataclasses.replace(gpu, **facts)  # type: ignore[arg-type]


def test_a_machine_with_a_card() -> None:
    gpu = dataclasses.replace(card(10 * GB), bandwidth=1008e9, compute=(8, 9))
    found = machine(Gpus((gpu,), None, complete=True), 9 * GB)
    (only,) = found.cards
    assert (only.name, only.total, only.free, only.held) == ("RTX 4090", 24 * GB, 14 * GB, 9 * GB)
    assert (only.bandwidth, only.backend, only.compute) == (1008e9, Backend.CUDA, (8, 9))
    assert (found.ram_total, found.ram_free, found.ram_bandwidth) == (64 * GB, 50 * GB, 40e9)
    assert (found.cores, found.cpu, found.disk_free, found.is_unified) == (16, "a processor", 100 * GB, False)


def test_ram_that_runners_hold_is_no_more_than_what_is_used() -> None:
    for told, held in ((0, 0), (5 * GB, 5 * GB), (60 * GB, 14 * GB), (-1, 0)):
        found = machine_of_host(host(NONE_AT_ALL), 0, origin=Origin.MEASURED, ram_held=told)
        assert found is not None and (found.ram_free, found.ram_held) == (50 * GB, held)


def test_no_gpu_for_certain_is_a_machine_without_cards() -> None:
    assert machine(NONE_AT_ALL, 5 * GB).cards == ()


@pytest.mark.parametrize(
    "known",
    [
        Gpus((), "an AMD GPU is not read", complete=False),
        gpus(None),
        Gpus((card(None),), None, complete=False),
    ],
)
def test_what_can_not_be_read_is_no_machine(known: Gpus) -> None:
    assert machine_of_host(host(known), 0, origin=Origin.MEASURED) is None


def test_ram_that_can_not_be_read_is_no_machine() -> None:
    hidden = dataclasses.replace(host(NONE_AT_ALL), memory=None)
    assert machine_of_host(hidden, 0, origin=Origin.MEASURED) is None


def test_mig_instances_of_one_card_are_told_apart() -> None:
    parts = [dataclasses.replace(card(0), name="A100 MIG 1g.5gb", instance=at) for at in (0, 3)]
    found = machine(Gpus(tuple(parts), None, complete=True))
    assert [one.name for one in found.cards] == ["A100 MIG 1g.5gb #0", "A100 MIG 1g.5gb #3"]


def test_a_gpu_in_the_machine_s_memory() -> None:
    found = machine(Gpus((shared(),), None, complete=True), 20 * GB)
    (only,) = found.cards
    assert found.is_unified
    assert (only.total, only.free, only.held) == (64 * GB, 50 * GB, 14 * GB), "no more is held than is in use"
    assert found.ram_bandwidth == only.bandwidth == 273e9


def test_a_macs_gpu_may_use_a_part() -> None:
    found = machine(Gpus((shared(total=48 * GB),), None, complete=True))
    assert (found.cards[0].total, found.cards[0].free, found.ram_total) == (48 * GB, 48 * GB, 64 * GB)
    busy = machine(Gpus((shared(total=48 * GB),), None, complete=True), available=10 * GB)
    assert busy.cards[0].free == 10 * GB


def test_memory_kept_for_a_gpu_alone_is_added() -> None:
    """Of 128 GB the firmware keeps 96 for the GPU: the system sees 32."""
    gpu = shared(total=112 * GB, used=6 * GB, free=106 * GB, carved=96 * GB)
    found = machine(Gpus((gpu,), None, complete=True), total=32 * GB, available=20 * GB)
    assert (found.ram_total, found.ram_free) == (128 * GB, 110 * GB)
    assert (found.cards[0].total, found.cards[0].free) == (112 * GB, 106 * GB)


def test_a_card_of_its_own_comes_before_one_that_shares() -> None:
    found = machine(Gpus((shared(), card(0)), None, complete=True))
    assert [one.name for one in found.cards] == ["RTX 4090"]
    assert not found.is_unified


OURS = GpuUser(1, "/usr/local/bin/ollama", 5 * GB)
RUNNER = GpuUser(2, "llama-server", 2 * GB)
OTHER = GpuUser(3, "python3", 7 * GB)


@pytest.mark.parametrize(
    ("users", "used", "claimed", "held"),
    [
        ((OURS, RUNNER, OTHER), 15 * GB, 1 * GB, 7 * GB),
        ((OURS, OTHER), 3 * GB, 1 * GB, 3 * GB),
        ((OTHER,), 8 * GB, 2 * GB, 2 * GB),
        ((), 8 * GB, 0, 0),
        (None, 8 * GB, 6 * GB, 6 * GB),
        (None, 8 * GB, 60 * GB, 8 * GB),
        (None, None, 6 * GB, 0),
        ((GpuUser(1, "ollama", None),), 8 * GB, 6 * GB, 6 * GB),
        ((GpuUser(1, None, 5 * GB),), 8 * GB, 6 * GB, 6 * GB),
        ((), 8 * GB, -5, 0),
    ],
)
def test_what_the_server_s_models_hold(
    users: tuple[GpuUser, ...] | None, used: int | None, claimed: int, held: int
) -> None:
    assert held_on([dataclasses.replace(card(used), users=users)], claimed) == [held]


@pytest.mark.parametrize(
    ("name", "is_ollama"),
    [
        ("ollama", True),
        ("/usr/local/lib/ollama/llama-server", True),
        ("ollama_llama_se", True),
        ("Ollama.exe", True),
        ("/opt/ollama/python3", False),
        ("vllm", False),
        (None, False),
    ],
)
def test_programs_of_ollama(name: str | None, is_ollama: bool) -> None:
    assert GpuUser(1, name, 1).is_ollama is is_ollama


SIZES = st.integers(0, 1 << 50)
MAYBE = st.none() | SIZES
NAMES = st.sampled_from(["ollama", "python", None])


@st.composite
def any_gpu(draw: st.DrawFn) -> Gpu:
    users = draw(st.none() | st.lists(st.builds(GpuUser, SIZES, NAMES, MAYBE), max_size=3).map(tuple))
    gpu = Gpu(0, None, "card", draw(MAYBE), draw(MAYBE), draw(MAYBE), None, None, None, None, users=users)
    return dataclasses.replace(gpu, is_unified=draw(st.booleans()), carved=draw(SIZES))


@given(st.lists(any_gpu(), max_size=4), st.booleans(), SIZES, SIZES, st.integers(-5, 1 << 52))
def test_any_machine_has_sense(cards: list[Gpu], complete: bool, ram: int, free: int, claimed: int) -> None:
    found = machine_of_host(
        host(Gpus(tuple(cards), None, complete), ram, free), claimed, origin=Origin.MEASURED
    )
    if found is None:
        return
    for one in found.cards:
        assert 0 <= one.free <= one.total
        assert one.held >= 0
    assert 0 <= found.ram_free <= found.ram_total
    if found.is_unified:
        assert len(found.cards) == 1
        assert found.cards[0].free + found.cards[0].held <= found.cards[0].total <= found.ram_total
    assert found.cards or complete
