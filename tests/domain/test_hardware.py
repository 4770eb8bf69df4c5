"""What hardware says to a claim of VRAM."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.hardware import Gpu, Gpus, VramVerdict, vram_claim

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
