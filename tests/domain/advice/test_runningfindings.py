"""Findings on what runs: each true when it is done, at most three, none where nothing would help."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.rates import rates_of
from modeltui.domain.advice.runningfindings import IDLE_MS, MOST, Mend, Runner, findings, room_of
from modeltui.domain.machines.machine import Machine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.estimate import needs, place
from modeltui.domain.memory.serving import KvType, Serving

GB = 10**9
QWEN = Architecture(
    "qwen3", 64, 5120, 64, (8,) * 64, key_length=128, value_length=128, vocabulary=151936,
    trained_context=40960, parameters=32_800_000_000,
)  # fmt: skip
LARGE = Facts(20_200_000_000, quantization="Q4_K_M", architecture=QWEN, trained_context=40960)
SMALL = Facts(
    4_920_000_000, quantization="Q4_K_M", trained_context=131072,
    architecture=Architecture("llama", 32, 4096, 32, (8,) * 32, key_length=128, value_length=128,
                              vocabulary=128256, trained_context=131072, parameters=8_030_000_000),
)  # fmt: skip
SERVING = Serving((0, 32, 0))
CARD = parse_hardware("24GB@936GB/s+64GB")


def with_held(machine: Machine, *runners: Runner) -> Machine:
    """The machine with these loaded."""
    held = sum(each.vram for each in runners)
    card = machine.cards[0]
    return replace(machine, cards=(replace(card, free=max(0, card.free - held), held=min(card.free, held)),))


def found(*runners: Runner, serving: Serving = SERVING, machine: Machine = CARD) -> dict[Mend, str]:
    here = with_held(machine, *runners) if machine.cards else machine
    return {each.mend: each.words for each in findings(runners, serving, here, rates_of(machine))}


def spilled(context: int = 40960) -> Runner:
    return Runner("big", LARGE, context, 23 * GB, 31 * GB, is_current=True)


def whole(context: int = 8192, **more: object) -> Runner:
    size = needs(SMALL, context, SERVING, CARD.cards).total
    return Runner("small", SMALL, context, size, size, **more)  # type: ignore[arg-type]


def test_a_shorter_context_keeps_it_on_the_gpu() -> None:
    runner = spilled()
    said = found(runner)[Mend.CONTEXT]
    assert said.startswith("big: 26 % of it is in RAM; with a context of ")
    assert "it would be all on the GPU, about " in said and " tok/s" in said
    tokens = int(said.split("a context of ")[1].split("k")[0]) * 1024
    room = room_of(runner, [runner], with_held(CARD, runner))
    assert place(LARGE, tokens, SERVING, room).kind is FitKind.GPU
    assert place(LARGE, tokens + 2048, SERVING, room).kind is not FitKind.GPU


def test_what_would_fit_now_is_to_be_loaded_anew() -> None:
    """It was loaded beside others that have gone since."""
    runner = Runner("left", SMALL, 8192, 2 * GB, 7 * GB)
    assert "unloaded and loaded anew" in found(runner)[Mend.RELOAD]


def test_another_one_that_takes_its_room_is_named() -> None:
    runner = spilled(8192)
    other = Runner("other", SMALL, 8192, 7 * GB, 7 * GB)
    runner = replace(runner, vram=17 * GB, size=22 * GB)
    said = found(runner, other)
    assert "without other" in said[Mend.UNLOAD]
    assert Mend.UNLOAD not in found(runner, replace(other, is_current=True))


def test_the_servers_environment_is_named_with_its_gain() -> None:
    runner = whole(32768, is_current=True)
    serving = replace(SERVING, num_parallel=4)
    said = found(runner, serving=serving)
    frees = needs(SMALL, 32768, serving, CARD.cards).total - needs(SMALL, 32768, SERVING, CARD.cards).total
    assert f"OLLAMA_NUM_PARALLEL=1 instead of 4 would free {frees / 1e9:.1f} GB" in said[Mend.PARALLEL]
    off = replace(SERVING, flash_attention=False)
    assert "OLLAMA_FLASH_ATTENTION=1" in found(whole(65536), serving=off)[Mend.FLASH]
    assert Mend.KV not in found(runner, serving=replace(SERVING, kv_type=KvType.Q8_0))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"is_forever": True}, "small: it is kept for ever; u frees "),
        ({"idle_ms": 40 * 60_000}, "small: nobody used it for 40 min; u frees "),
        ({"is_forever": True, "idle_ms": IDLE_MS}, "kept for ever and nobody used it for 10 min"),
        ({"is_forever": True, "idle_ms": 1000}, ""),
        ({"is_forever": True, "is_current": True}, ""),
        ({"idle_ms": IDLE_MS - 1}, ""),
        ({}, ""),
    ],
)
def test_one_that_nobody_uses(more: dict[str, object], words: str) -> None:
    assert words in found(whole(**more)).get(Mend.UNLOAD, "")  # type: ignore[arg-type]
    assert bool(words) is (Mend.UNLOAD in found(whole(**more)))  # type: ignore[arg-type]


def test_nothing_to_say() -> None:
    assert found(whole(4096, is_current=True)) == {}
    assert findings([], SERVING, CARD, rates_of(CARD)) == ()
    assert findings([spilled()], SERVING, CARD, None) != ()  # what frees memory needs no speed


@settings(max_examples=60, deadline=None)
@given(
    shares=st.lists(st.floats(0.0, 1.0), max_size=4),
    contexts=st.lists(st.integers(256, 131072), min_size=4, max_size=4),
    parallel=st.integers(1, 8),
    flash=st.sampled_from([None, False, True]),
    hardware=st.sampled_from(["24GB@936GB/s+64GB", "8GB+16GB", "2x24GB+64GB", "none+32GB"]),
)
def test_at_most_three_each_with_a_gain_and_never_two_alike(
    shares: list[float], contexts: list[int], parallel: int, flash: bool | None, hardware: str
) -> None:
    machine = parse_hardware(hardware)
    serving = replace(SERVING, num_parallel=parallel, flash_attention=flash)
    runners = [
        Runner(f"m{at}", LARGE if at % 2 else SMALL, contexts[at], int(share * 10 * GB), 10 * GB)
        for at, share in enumerate(shares)
    ]
    got = findings(runners, serving, machine, rates_of(machine))
    assert len(got) <= MOST
    assert len({each.mend for each in got}) == len(got)
    assert all(each.frees > 0 or each.gains > 0 for each in got)
    assert not any("nan" in each.words or "inf" in each.words for each in got)
    gains = [each.gains > 0 for each in got]
    assert gains == sorted(gains, reverse=True), "speed goes before memory"
