"""Predicted beside actual: like with like, and nothing where it is not known."""

import math

from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.memorywords import deviation_words
from modeltui.domain.machines.hardware import Gpu, Gpus, GpuUser
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.estimate import needs, place, printed
from modeltui.domain.memory.predictions import Prediction, card_use, predict
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import LoadedModel

GB = 10**9
FACTS = Facts(
    4_920_000_000, quantization="Q4_K_M", trained_context=131072,
    architecture=Architecture("llama", 32, 4096, 32, (8,) * 32, key_length=128, value_length=128,
                              vocabulary=128256, trained_context=131072, parameters=8_030_000_000),
)  # fmt: skip
SERVING, HERE = Serving((0, 32, 0)), parse_hardware("24GB+64GB")


def runner(size: int | None, context: int | None = 8192) -> LoadedModel:
    return LoadedModel("m", "m", size=size, vram=size, context=context)


def test_the_servers_number_is_compared_with_the_one_that_it_should_print() -> None:
    expected = printed(FACTS, 8192, SERVING, FitKind.GPU, HERE.cards)
    found = predict(FACTS, runner(round(expected * 1.02)), SERVING, HERE, FitKind.GPU)
    assert found is not None and found.printed == expected
    assert found.deviation is not None and math.isclose(found.deviation, 0.02, abs_tol=1e-6)
    assert found.on_cards == needs(FACTS, 8192, SERVING, HERE.cards).total > expected
    assert found.really > found.on_cards, "the token embedding lies in RAM"


def test_it_lies_in_ram_and_is_predicted_so() -> None:
    bare = parse_hardware("none+16GB")
    found = predict(FACTS, runner(6 * GB), SERVING, bare, FitKind.CPU)
    assert found is not None and found.printed == printed(FACTS, 8192, SERVING, FitKind.CPU)
    taken = place(FACTS, 8192, SERVING, bare)
    assert taken.needs.overhead == 0, "no card, no driver's part of it"
    assert (found.on_cards, found.really) == (taken.needs.total, taken.ram)


def test_what_is_not_known_is_not_predicted() -> None:
    assert predict(FACTS, runner(6 * GB, None), SERVING, HERE, FitKind.GPU) is None
    assert predict(FACTS, runner(6 * GB), SERVING, HERE, FitKind.UNKNOWN) is None
    without = predict(FACTS, runner(None), SERVING, None, FitKind.GPU)
    assert without is not None and without.deviation is None


def card(*users: GpuUser) -> Gpu:
    return Gpu(0, "GPU-0", "a card", 24 * GB, 10 * GB, 14 * GB, 0, 40, None, None, users=users)


def test_the_drivers_own_count_beside_the_sum() -> None:
    one, two = Prediction(5 * GB, 5 * GB, 6 * GB, 7 * GB), Prediction(2 * GB, None, 3 * GB, 3 * GB)
    ours = (GpuUser(1, "ollama", 5 * GB), GpuUser(2, "/usr/lib/ollama/llama-server", 5 * GB))
    other = GpuUser(3, "Xorg", 1 * GB)
    found = card_use([one, two], Gpus((card(*ours, other),), None, True))
    assert found is not None
    assert (found.predicted, found.actual) == (9 * GB, 10 * GB)
    assert deviation_words(found.deviation) == "+11 %"
    assert card_use([one, None], Gpus((card(*ours),), None, True)) is None
    assert card_use([one], Gpus((card(other),), None, True)) is None
    assert card_use([one], Gpus((card(GpuUser(1, "ollama", None)),), None, True)) is None
    assert card_use([one], None) is None


def test_percent_in_words() -> None:
    assert [deviation_words(share) for share in (0.02, -0.114, 0.001, -0.001, None)] == [
        "+2 %", "-11 %", "0 %", "0 %", "",
    ]  # fmt: skip


@given(context=st.integers(0, 10**7), size=st.integers(0, 10**13))
def test_whatever_a_server_says_the_share_is_a_number(context: int, size: int) -> None:
    found = predict(FACTS, runner(size, context), SERVING, HERE, FitKind.GPU)
    if found is not None and found.deviation is not None:
        assert math.isfinite(found.deviation)
