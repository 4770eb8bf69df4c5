"""What facts alone say: size, age, lineage, role, and what a quantization costs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.priors import Priors, billions, effective_size, thinks
from modeltui.domain.advice.quantization import bits_of, is_too_coarse, quantization_loss
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import Series, Tag


def series(name: str = "one", *, size: float = 8, active: float | None = None, **more: object) -> Series:
    tag = Tag(
        series=name,
        tag=f"{size:g}b",
        size=int(size * 0.6e9),
        parameter_size=f"{size:g}B",
        parameters=int(size * 1e9),
        active_parameters=int(active * 1e9) if active else None,
    )
    given: dict[str, object] = {"released": "2025-01", "role": "chat", **more}
    return Series(name=name, tags=(tag,), **given)  # type: ignore[arg-type]


def value(one: Series, task: Task = Task.GENERAL, *others: Series) -> float:
    return Priors({each.name: each for each in (one, *others)}).value(one, one.tags[0], task)


def test_twice_the_size_is_one_doubling_above_four_billion() -> None:
    assert value(series(size=16)) - value(series(size=8)) == pytest.approx(1)


def test_below_four_billion_a_halving_costs_more() -> None:
    assert value(series(size=4)) - value(series(size=2)) == pytest.approx(1.6)


def test_newer_is_better_by_a_doubling_in_five_months() -> None:
    assert value(series(released="2025-06")) - value(series(released="2025-01")) == pytest.approx(1)


@pytest.mark.parametrize("released", [None, "", "last year", "2025"])
def test_an_unknown_release_is_neither_new_nor_nothing(released: str | None) -> None:
    found = value(series(released=released))
    assert value(series(released="2023-01")) < found < value(series(released="2026-01"))


def test_a_mixture_lies_between_its_active_and_all_its_parameters() -> None:
    assert effective_size(36, 4) == 12
    assert value(series(size=3)) < value(series(size=30, active=3)) < value(series(size=30))


def test_e4b_counts_as_four_billion_and_a_little() -> None:
    """gemma4:e4b has eight billion parameters, half of which are embeddings (trap 7)."""
    assert effective_size(8, None, "e4b") == 5


def test_a_tune_is_half_as_new_as_its_own_date() -> None:
    base = series("llama3.1", released="2024-07")
    tune = series("tune", released="2025-07", base_model="Llama 3.1 8B")
    assert value(tune, Task.GENERAL, base) == pytest.approx(value(series(released="2025-01")))


def test_a_longer_name_of_a_base_goes_before_a_shorter() -> None:
    """`Llama 3.1 8B` is no `llama3`, though it begins like it."""
    base, older = series("llama3.1", released="2024-07"), series("llama3", released="2024-04")
    tune = series("tune", released="2024-08", base_model="Llama 3.1 8B")
    assert value(tune, Task.GENERAL, base, older) > value(series(released="2024-07"))


def test_a_role_moves_the_tasks_it_is_not_made_for() -> None:
    coder, chat = series(role="code"), series()
    assert value(coder, Task.CODING) > value(chat, Task.CODING)
    assert value(coder, Task.CREATIVE) < value(chat, Task.CREATIVE)


@pytest.mark.parametrize(
    "more",
    [
        {"capabilities": frozenset({"thinking"})},
        {"use_cases": frozenset({"reasoning"})},
        {"role": "reasoning"},
    ],
)
def test_thinking_is_known_without_its_chip(more: dict[str, object]) -> None:
    """22 families with a reasoning use lack the chip (trap 5)."""
    one = series(**more)  # type: ignore[arg-type]
    assert thinks(one)
    assert value(one, Task.REASONING) > value(series(), Task.REASONING)


def test_pulls_and_rank_are_no_quality() -> None:
    """Pull counts run against quality (trap 3)."""
    assert value(series(pulls=10**9, rank=1)) == value(series(pulls=1, rank=235))


@given(
    size=st.floats(1e-6, 1e5),
    active=st.none() | st.floats(1e-6, 1e5),
    task=st.sampled_from(Task),
    role=st.sampled_from(["chat", "code", "vision", "math", "medical", "roleplay", "embedding", None, "new"]),
)
def test_never_anything_but_a_number(size: float, active: float | None, task: Task, role: str | None) -> None:
    assert math.isfinite(value(series(size=size, active=active, role=role), task))


def test_without_parameters_the_file_says_how_large_it_is() -> None:
    assert billions(Tag("a", "b", size=6_000_000_000)) == 10
    assert billions(Tag("a", "b")) == 1


# --- quantization


def test_fewer_bits_cost_more() -> None:
    order = ["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "Q3_K_M", "Q3_K_S", "Q2_K"]
    losses = [quantization_loss(name) for name in order]
    assert losses == sorted(losses)
    assert losses[-1] >= 2


def test_an_unknown_quantization_is_not_full_precision() -> None:
    """Null is not F16 (trap 9): the bits of the file say it, and without them the usual one is taken."""
    assert quantization_loss(None) == quantization_loss("Q4_K_M")
    assert quantization_loss(None, 16.2) < quantization_loss(None, 4.9) < quantization_loss(None, 3.5)


@given(st.floats(0.01, 64), st.floats(0.01, 64))
def test_more_bits_never_cost_more(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert quantization_loss(None, high) <= quantization_loss(None, low)


def test_two_bits_are_too_coarse_by_name_and_by_size() -> None:
    assert is_too_coarse(Tag("a", "8b-q2_K", quantization="Q2_K"))
    assert is_too_coarse(Tag("a", "8b", size=2 * 10**9, parameters=8 * 10**9))
    assert not is_too_coarse(Tag("a", "8b-q3_K_M", quantization="Q3_K_M"))
    assert not is_too_coarse(Tag("a", "8b"))
    assert bits_of(Tag("a", "8b", size=4 * 10**9, parameters=8 * 10**9)) == 4


def test_no_chat_model_thought_before_2025() -> None:
    """`reasoning` among the uses of phi4, orca2 and wizardlm2 means no more than that."""
    assert not thinks(series(use_cases=frozenset({"reasoning"}), released="2024-12"))
    assert thinks(series(capabilities=frozenset({"thinking"}), released="2024-12"))


def test_nothing_is_newer_than_its_catalog() -> None:
    """`released = "2099-01"` in a catalog of one's own is no merit."""
    now, later = series(released="2026-08"), series("later", released="2099-01")
    priors = Priors({"one": now, "later": later}, "2026-08-21T22:59:52Z")
    assert priors.month(later) == priors.month(now)
    tune = series("tune", released="2098-01", base_model="later")
    assert Priors({"later": later, "tune": tune}, "2026-08-21").month(tune) == priors.month(now)
    assert Priors({"later": later}).month(later) > priors.month(now), "without a day there is nothing to hold"


def test_made_for_code_is_less_ahead_at_coding_since_all_models_write_programs() -> None:
    def ahead(month: str, task: Task) -> float:
        return value(series(role="code", released=month), task) - value(series(released=month), task)

    assert 0 < ahead("2025-03", Task.CODING) < ahead("2024-12", Task.CODING)
    assert ahead("2025-03", Task.VISION) == ahead("2024-12", Task.VISION) < 0
