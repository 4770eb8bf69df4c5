"""What a server would put out for a model by its own rule: by number and by version."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.machines.machine import Machine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.eviction import TAKEN_SHARE, counted, evicted
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import LoadedModel

GB = 10**9
# llama3.1:8b as its file names it.
LLAMA = Architecture(
    "llama", 32, 4096, 32, (8,) * 32, key_length=128, value_length=128, vocabulary=128256,
    trained_context=131072, parameters=8_030_000_000,
)  # fmt: skip
FACTS = Facts(4_920_000_000, quantization="Q4_K_M", architecture=LLAMA, trained_context=131072)
NEW, OLD = Serving((0, 32, 0)), Serving((0, 13, 0))
HERE = parse_hardware("24GB@936GB/s+64GB")


def loaded(name: str, vram: int, expires: int | None) -> LoadedModel:
    return LoadedModel(name, name, size=vram, vram=vram, expires_at=expires)


def holding(*rows: LoadedModel, machine: Machine = HERE) -> Machine:
    """The machine with these in memory."""
    held = sum(row.vram or 0 for row in rows)
    card = machine.cards[0]
    return replace(machine, cards=(replace(card, free=max(0, card.free - held), held=held),))


def test_the_formula_by_number() -> None:
    """File + 2 x blocks x KV heads x (width / heads) x context x 2, and 768 MiB more from 4096 tokens on."""
    cache = 2 * 32 * 8 * (4096 // 32) * 2
    assert counted(FACTS, 4096, NEW, HERE) == FACTS.file + cache * 4096
    assert counted(FACTS, 8192, NEW, HERE) == FACTS.file + cache * 8192 + (768 << 20)
    assert counted(FACTS, 65536, NEW, HERE) == FACTS.file + cache * 65536 + (2 << 30)
    assert counted(FACTS, 4096, replace(NEW, num_parallel=2), HERE) > counted(FACTS, 4096, NEW, HERE)


def test_a_hybrid_counts_all_its_layers() -> None:
    hybrid = replace(LLAMA, kv_heads=(0, 0, 0, 8) * 8)
    assert counted(replace(FACTS, architecture=hybrid), 8192, NEW, HERE) == counted(FACTS, 8192, NEW, HERE)


def test_the_one_that_ends_first_goes_and_no_more_than_must() -> None:
    rows = (loaded("late", 8 * GB, 2000), loaded("soon", 8 * GB, 1000), loaded("ever", 4 * GB, None))
    done = evicted(FACTS, 8192, NEW, holding(*rows), rows)
    assert [row.shown for row in done.unloads] == ["soon"]
    assert done.counted > done.room
    roomy = evicted(FACTS, 8192, NEW, holding(rows[2]), rows[2:])
    assert roomy.unloads == () and roomy.counted <= roomy.room


def test_the_new_rule_leaves_a_fifth_and_the_old_one_nothing() -> None:
    """What fits beside another by the old rule goes by the new one."""
    row = loaded("other", 17 * GB, 1)
    machine = holding(row)
    assert machine.cards[0].free * TAKEN_SHARE < counted(FACTS, 8192, NEW, HERE) < machine.cards[0].free
    assert [each.shown for each in evicted(FACTS, 8192, NEW, machine, [row]).unloads] == ["other"]
    assert evicted(FACTS, 8192, OLD, machine, [row]).unloads == ()


def test_only_so_many_stay_loaded() -> None:
    rows = [loaded(f"m{at}", GB, at) for at in range(3)]
    done = evicted(FACTS, 4096, NEW, holding(*rows), rows)
    assert (done.most, [row.shown for row in done.unloads]) == (3, ["m0"])
    assert done.counted <= done.room
    one = evicted(FACTS, 4096, replace(NEW, max_loaded=1), holding(*rows), rows)
    assert len(one.unloads) == 3


def test_without_a_gpu_ram_is_what_counts() -> None:
    machine = parse_hardware("none+16GB")
    row = LoadedModel("other", "other", size=10 * GB, vram=0, expires_at=1)
    small = replace(machine, ram_free=4 * GB)
    assert [each.shown for each in evicted(FACTS, 4096, NEW, small, [row]).unloads] == ["other"]


@pytest.mark.parametrize(
    "facts", [Facts(0), Facts(10**9), Facts(5 * GB, architecture=Architecture("odd", 0))]
)
def test_what_is_hardly_known_is_counted_all_the_same(facts: Facts) -> None:
    assert counted(facts, 10**9, NEW, HERE) >= facts.file


@given(
    held=st.lists(st.integers(0, 10 * GB), max_size=5),
    context=st.integers(4, 131072),
    more=st.integers(0, 40 * GB),
    version=st.sampled_from([NEW, OLD]),
)
def test_more_memory_never_puts_out_more(held: list[int], context: int, more: int, version: Serving) -> None:
    rows = [loaded(f"m{at}", vram, at) for at, vram in enumerate(held)]
    machine = holding(*rows)
    card = machine.cards[0]
    larger = replace(machine, cards=(replace(card, total=card.total + more, free=card.free + more),))
    few, many = (evicted(FACTS, context, version, each, rows) for each in (larger, machine))
    assert few.unloads == many.unloads[: len(few.unloads)]
    assert [row.shown for row in many.unloads] == [row.shown for row in rows][: len(many.unloads)]
