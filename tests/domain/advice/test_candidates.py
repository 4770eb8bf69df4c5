"""Which tags are looked at for a recommendation."""

from typing import Any

import pytest

from modeltui.domain.advice.candidates import candidates, is_quantized
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import Series, Tag


def tag(name: str, digest: str | None = None, **more: Any) -> Tag:
    given: dict[str, Any] = {
        "size": 5 * 10**9,
        "parameters": 8 * 10**9,
        "parameter_size": "8B",
        "inputs": frozenset({"text"}),
        **more,
    }
    return Tag(series="one", tag=name, digest=digest or name, **given)


def found(*tags: Tag, task: Task = Task.GENERAL, is_apple: bool = False, **more: Any) -> list[str]:
    given: dict[str, Any] = {"role": "chat", **more}
    one = Series(name="one", tags=tags, **given)
    return [each.tag for each in candidates(one, task, is_apple=is_apple)]


def test_equal_digests_are_one_under_the_name_that_people_type() -> None:
    same = [tag(name, "d", quantization="Q4_K_M") for name in ("latest", "8b-instruct-q4_K_M", "8b")]
    assert found(*same) == ["8b"]


def test_usual_quantizations_of_the_build_that_the_short_name_stands_for() -> None:
    tags = [
        tag("8b", "d4", quantization="Q4_K_M"),
        tag("8b-instruct-q4_K_M", "d4", quantization="Q4_K_M"),
        tag("8b-instruct-q8_0", quantization="Q8_0", size=9 * 10**9),
        tag("8b-instruct-q2_K", quantization="Q2_K", size=3 * 10**9),
        tag("8b-instruct-q3_K_S", quantization="Q3_K_S"),
        tag("8b-instruct-fp16", quantization="F16", size=16 * 10**9),
        tag("8b-old-q8_0", quantization="Q8_0", size=9 * 10**9),
        tag("8b-it-qat", size=6 * 10**9),
    ]
    assert found(*tags) == ["8b", "8b-instruct-q8_0"]


def test_a_trained_quantization_of_the_same_build() -> None:
    tags = [
        tag("8b", "d4", quantization="Q4_K_M"),
        tag("8b-it-q4_K_M", "d4", quantization="Q4_K_M"),
        tag("8b-it-qat", size=6 * 10**9),
    ]
    assert found(*tags) == ["8b", "8b-it-qat"]


def test_two_bits_never_even_as_the_only_ones() -> None:
    assert found(tag("8b-q2_K", quantization="Q2_K")) == []


def test_the_next_best_where_a_series_has_nothing_usual() -> None:
    three = tag("8b-q3_K_M", quantization="Q3_K_M")
    full = tag("8b-fp16", quantization="F16", size=16 * 10**9)
    assert found(three, full) == ["8b-q3_K_M"]
    assert found(full) == ["8b-fp16"]


@pytest.mark.parametrize(
    "more",
    [
        {"is_cloud": True},
        {"is_base": True},
        {"size": None},
        {"is_apple_only": True},
        {"quantization": "NVFP4"},
        {"quantization": "INT4"},
    ],
)
def test_what_is_never_looked_at(more: dict[str, Any]) -> None:
    assert found(tag("8b", **more)) == []


def test_apple_formats_are_for_apple() -> None:
    one = tag("8b-mlx", is_apple_only=True, quantization="NVFP4")
    assert found(one) == []
    assert found(one, is_apple=True) == ["8b-mlx"]


@pytest.mark.parametrize("name", ["8b-dflash", "8b-mtp-q4_K_M", "8b-draft", "8b-reward"])
def test_special_builds_are_not_taken_for_the_model(name: str) -> None:
    assert found(tag(name, quantization="Q4_K_M")) == []


def test_images_are_a_fact_of_the_tag() -> None:
    """gemma3:1b takes none though its series has the chip (trap 4)."""
    blind = tag("1b", parameter_size="1B", quantization="Q4_K_M")
    seeing = tag("4b", parameter_size="4B", quantization="Q4_K_M", inputs=frozenset({"text", "image"}))
    chips = frozenset({"completion", "vision"})
    assert found(blind, seeing, task=Task.VISION, capabilities=chips) == ["4b"]
    assert found(blind, seeing, task=Task.GENERAL, capabilities=chips) == ["1b", "4b"]


def test_embedding_models_embed_and_nothing_else() -> None:
    one = tag("large", quantization="F16")
    for task in Task:
        wanted = ["large"] if task is Task.EMBEDDING else []
        assert found(one, task=task, role="embedding", capabilities=frozenset({"embedding"})) == wanted
    assert found(one, task=Task.EMBEDDING) == []


@pytest.mark.parametrize("role", ["safety", "ocr", "translation", "function-calling", "base", "reward"])
def test_what_is_made_for_another_thing(role: str) -> None:
    assert not any(found(tag("8b", quantization="Q4_K_M"), task=task, role=role) for task in Task)


def test_mathematics_reasons_and_does_not_chat() -> None:
    one = tag("7b", quantization="Q4_K_M")
    assert found(one, task=Task.REASONING, role="math") == ["7b"]
    assert found(one, task=Task.GENERAL, role="math") == []


@pytest.mark.parametrize(
    ("name", "quantization", "wanted"),
    [
        ("8b", "Q4_K_M", False),
        ("latest", "Q4_0", False),
        ("8b-instruct-q4_K_M", "Q4_K_M", True),
        ("8b-instruct-fp16", "F16", True),
        ("q8_0", "Q8_0", True),
        ("12b-it-qat", None, True),
        ("small-h", None, False),
        ("33b-q8", None, True),
        ("v0.1", "Q4_0", False),
    ],
)
def test_a_name_that_ends_with_its_quantization(name: str, quantization: str | None, wanted: bool) -> None:
    assert is_quantized(tag(name, quantization=quantization)) is wanted
