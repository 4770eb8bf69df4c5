"""What must hold of the estimate of memory for any model on any machine."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.facts import facts_of
from modeltui.domain.machines.machine import Backend, Card, Machine
from modeltui.domain.memory import eras
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.estimate import default_context, largest_context, needs, place, printed
from modeltui.domain.memory.serving import KvType, Serving

GIB = 1 << 30
RANKS = (FitKind.NO, FitKind.CPU, FitKind.SPLIT, FitKind.GPU)
VERSIONS = (
    None,
    (0, 1, 48),
    (0, 5, 7),
    (0, 9, 2),
    (0, 11, 4),
    (0, 11, 11),
    (0, 12, 7),
    (0, 13, 5),
    (0, 24, 0),
    (0, 30, 0),
)
KINDS = ("llama", "qwen35", "gemma3", "gemma4", "gptoss", "deepseek2", "mllama", "bert", "nemotron_h", "?")


@cache
def library() -> tuple[Facts, ...]:
    """One tag of every shape in the catalog."""
    found: dict[object, Facts] = {}
    for series in load_base(None).series.values():
        for tag in series.tags:
            known = facts_of(series, tag)
            if known is not None:
                found.setdefault((known.architecture, tag.quantization == "Q4_K_M"), known)
    return tuple(found.values())


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    layers = draw(st.integers(0, 100))
    return Architecture(
        kind=draw(st.sampled_from(KINDS)),
        layers=layers,
        embedding=draw(st.none() | st.integers(0, 20000)),
        heads=draw(st.none() | st.integers(0, 200)),
        kv_heads=tuple(draw(st.lists(st.integers(0, 64), max_size=layers))),
        key_length=draw(st.none() | st.integers(0, 600)),
        value_length=draw(st.none() | st.integers(0, 600)),
        vocabulary=draw(st.none() | st.integers(1, 300000)),
        trained_context=draw(st.none() | st.integers(1, 10**6)),
        sliding_window=draw(st.none() | st.integers(1, 8192)),
        experts=draw(st.none() | st.integers(0, 500)),
        experts_used=draw(st.none() | st.integers(0, 500)),
        is_latent=draw(st.booleans()),
        parameters=draw(st.none() | st.integers(0, 10**12)),
        has_output=draw(st.none() | st.booleans()),
        shared_layers=draw(st.integers(0, 100)),
        cross_layers=draw(st.integers(0, 10)),
        is_embedding=draw(st.booleans()),
    )


@st.composite
def made_up(draw: st.DrawFn) -> Facts:
    file = draw(st.integers(0, 2 * 10**12))
    return Facts(
        file,
        is_size_exact=draw(st.booleans()),
        quantization=draw(st.sampled_from((None, "Q4_K_M", "Q8_0", "F16", "MXFP4", "?"))),
        architecture=draw(st.none() | architectures()),
        parameters=draw(st.none() | st.integers(0, 10**13)),
        projector=draw(st.none() | st.integers(0, 10**10)),
    )


def facts() -> st.SearchStrategy[Facts]:
    return st.one_of(st.sampled_from(library()), made_up())


servings = st.builds(
    Serving,
    version=st.sampled_from(VERSIONS),
    num_parallel=st.integers(1, 16),
    kv_type=st.sampled_from(KvType),
    flash_attention=st.sampled_from((None, True, False)),
    gpu_overhead=st.sampled_from((0, GIB)),
)
contexts = st.one_of(st.integers(1, 5000), st.sampled_from((8192, 32768, 32769, 131072, 262144, 10**7)))
sizes = st.integers(0, 200 * GIB)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    cards = tuple(
        Card("", total, draw(st.integers(0, total)), backend=draw(st.sampled_from(Backend)))
        for total in draw(st.lists(sizes, max_size=4))
    )
    ram = draw(sizes)
    return Machine(cards, ram, draw(st.integers(0, ram)), is_unified=draw(st.booleans()) and len(cards) == 1)


@given(facts(), contexts, servings, machines())
@settings(deadline=None, max_examples=300)
def test_what_is_used_is_never_less_than_the_file(
    known: Facts, context: int, serving: Serving, room: Machine
) -> None:
    placed = place(known, context, serving, room)
    assert placed.vram + placed.ram >= known.file
    assert placed.needs.total + placed.needs.embedding_in_ram >= known.file
    assert placed.vram == sum(placed.by_card)
    assert 0 <= placed.layers_on_gpu <= placed.layers
    assert (placed.kind is FitKind.GPU) == (placed.layers_on_gpu == placed.layers)
    assert placed.gpu_bytes_read >= 0 and placed.ram_bytes_read >= 0


@given(facts(), contexts, servings, machines())
@settings(deadline=None, max_examples=300)
def test_nothing_is_laid_where_there_is_no_room(
    known: Facts, context: int, serving: Serving, room: Machine
) -> None:
    placed = place(known, context, serving, room)
    for card, taken in zip(room.cards, placed.by_card, strict=True):
        kept = serving.gpu_overhead if eras.version_of(serving) < (0, 30, 0) else 0
        assert taken == 0 or taken <= card.free - kept
    if placed.kind is not FitKind.NO and placed.kind is not FitKind.GPU:
        assert placed.ram <= room.ram_free
    if room.is_unified and placed.kind is not FitKind.NO:
        assert placed.vram + placed.ram <= room.ram_free


@given(facts(), contexts, contexts, servings)
@settings(deadline=None, max_examples=300)
def test_more_context_never_takes_less(known: Facts, one: int, other: int, serving: Serving) -> None:
    short, long = (needs(known, each, serving) for each in sorted((one, other)))
    assert short.total <= long.total
    assert short.kv <= long.kv and short.compute <= long.compute


@given(facts(), contexts, servings, st.integers(1, 16))
@settings(deadline=None, max_examples=300)
def test_more_at_once_never_takes_less(known: Facts, context: int, serving: Serving, more: int) -> None:
    few = needs(known, context, serving)
    many = needs(known, context, replace(serving, num_parallel=serving.num_parallel + more))
    assert few.total <= many.total
    assert few.kv <= many.kv


@given(facts(), contexts, servings)
@settings(deadline=None, max_examples=300)
def test_more_bits_never_take_less(known: Facts, context: int, serving: Serving) -> None:
    q4, q8, f16 = (
        needs(known, context, replace(serving, kv_type=each)).total
        for each in (KvType.Q4_0, KvType.Q8_0, KvType.F16)
    )
    assert q4 <= q8 <= f16


@given(facts(), contexts, servings, machines(), st.integers(0, 3), sizes)
@settings(deadline=None, max_examples=500)
def test_more_vram_never_makes_it_worse(
    known: Facts, context: int, serving: Serving, room: Machine, which: int, more: int
) -> None:
    before = place(known, context, serving, room)
    if which < len(room.cards):
        card = room.cards[which]
        larger = replace(card, total=card.total + more, free=card.free + more)
        cards = (*room.cards[:which], larger, *room.cards[which + 1 :])
    elif room.is_unified:
        return
    else:
        cards = (*room.cards, Card("", more, more))
    after = place(known, context, serving, replace(room, cards=cards))
    assert RANKS.index(after.kind) >= RANKS.index(before.kind)
    if after.kind is before.kind:
        assert after.headroom >= before.headroom or room.is_unified
        assert after.layers_on_gpu >= before.layers_on_gpu or bool(known.projector)


@given(facts(), servings, machines())
@settings(deadline=None, max_examples=100)
def test_contexts_are_in_bounds(known: Facts, serving: Serving, room: Machine) -> None:
    largest = largest_context(known, serving, room, FitKind.CPU)
    if largest is not None:
        assert place(known, largest, serving, room).kind is not FitKind.NO
    assert default_context(known, serving, room) >= 1
    assert printed(known, 4096, serving, FitKind.SPLIT, room.cards) >= 0


def test_placing_is_quick() -> None:
    """A whole catalog is ranked at once: 1 ms is the most that one placing may take, a tenth of it what it
    does.
    """
    import time

    room = Machine((Card("", 24 * GIB, 23 * GIB),), 64 * GIB, 60 * GIB)
    known = library()
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for each in known:
            place(each, 8192, Serving(), room)
        best = min(best, time.perf_counter() - start)
    assert best / len(known) < 0.001
    assert len(known) > 200


@pytest.mark.parametrize("known", library()[:3])
def test_words_are_sentences(known: Facts) -> None:
    for each in needs(known, 4096, Serving()).assumptions:
        assert each[0].isupper() and each.endswith(".")
