"""Type and purpose of a model, by the rule that stands in the module's docstring."""

from typing import Any

import pytest
from catalogs import series, shipped, tag
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.purposes import ROLES, purpose_of, purpose_of_model, type_of, type_of_model
from modeltui.domain.models import Model, ModelType
from modeltui.domain.names import from_listed, parse

BILLION = 10**9


@pytest.mark.parametrize(
    ("name", "kind", "purpose"),
    [
        ("llama3.2:3b", "general", "speed"),
        ("llama3.1:8b", "general", "balanced"),
        ("llama3.3:70b", "general", "quality"),
        ("gemma3:27b", "general", "quality"),  # it sees, too; its capabilities say so
        ("qwen3.5:9b", "general", "balanced"),
        ("qwen3:30b", "general", "balanced"),  # 30B of which 3.3B are read: as good as some 10B
        ("gpt-oss:20b", "general", "balanced"),
        ("gpt-oss:120b", "general", "quality"),
        ("deepseek-r1:8b", "reasoning", "balanced"),
        ("phi4-mini-reasoning", "reasoning", "specialized"),  # maths only
        ("qwen2.5-coder:1.5b", "code", "speed"),
        ("qwen2.5-coder:7b-base", "code", "balanced"),  # made to complete code
        ("devstral", "code", "quality"),
        ("sqlcoder:7b", "code", "specialized"),
        ("llava:7b", "vision", "balanced"),
        ("moondream", "vision", "speed"),
        ("nomic-embed-text", "embedding", "specialized"),
        ("llama-guard3:8b", "other", "specialized"),
        ("glm-ocr", "other", "specialized"),
        ("medllama2", "other", "specialized"),
        ("llama3.1:8b-text-q4_0", "other", "specialized"),  # base: not for chat
        ("nemotron-mini", "general", "specialized"),  # roleplay
        ("llama3.3:70b-instruct-q2_K", "general", "balanced"),
        ("kimi-k3:cloud", "general", "quality"),
        ("gemma4:cloud", "general", "None"),  # nothing is known of its size
    ],
)
def test_models_of_the_library(name: str, kind: str, purpose: str) -> None:
    found = shipped().find(name)
    assert found is not None
    assert (str(type_of(*found)), str(purpose_of(*found))) == (kind, purpose)


def test_every_tag_of_the_library_has_both() -> None:
    for each in shipped().series.values():
        for one in each.tags:
            assert type_of(each, one) is not None, one.name
            assert purpose_of(each, one) is not None or (one.is_cloud and one.parameters is None), one.name


def installed(name: str, **facts: Any) -> Model:
    return Model(shown=name, sent=name, name=from_listed(name), **facts)


CHAT = frozenset({"completion", "tools", "thinking", "vision"})


def test_an_installed_model_of_a_known_series_is_judged_by_it() -> None:
    model = installed("qwen3:8b", capabilities=CHAT, parameter_size="8.2B")
    assert type_of_model(model, shipped().find("qwen3:8b")) is ModelType.GENERAL
    assert purpose_of_model(model, shipped().find("qwen3:8b")) is Purpose.BALANCED


@pytest.mark.parametrize(
    ("name", "capabilities", "kind"),
    [
        ("me/coder:7b", CHAT, ModelType.CODE),
        ("me/x:7b", CHAT, ModelType.VISION),
        ("me/x:7b", frozenset({"completion", "thinking"}), ModelType.REASONING),
        ("me/x:7b", frozenset({"completion"}), ModelType.GENERAL),
        ("me/x:7b", frozenset({"embedding"}), ModelType.EMBEDDING),
        ("me/x:7b", frozenset({"image"}), ModelType.OTHER),
        ("me/x:7b", None, None),
    ],
)
def test_one_that_nobody_knows_is_judged_by_name_and_capabilities(
    name: str, capabilities: frozenset[str] | None, kind: ModelType | None
) -> None:
    assert type_of_model(installed(name, capabilities=capabilities), None) is kind


def test_a_new_series_of_the_library_too() -> None:
    """A refresh brings chips, and no role."""
    new = series(
        "brand-coder",
        tag("brand-coder", "8b", parameters=8 * BILLION),
        capabilities=frozenset({"completion"}),
    )
    assert type_of(new, new.tags[0]) is ModelType.CODE
    assert purpose_of(new, new.tags[0]) is Purpose.BALANCED


def test_what_the_server_says_of_capabilities_wins_over_chips() -> None:
    """A local model that was given the name of one of the library, say."""
    llama = shipped().series["llama3.1"]
    assert type_of(llama, capabilities=frozenset({"embedding"})) is ModelType.EMBEDDING


def test_the_users_word_wins_and_that_of_the_tag_first() -> None:
    one = tag("x", "8b", type=ModelType.CODE, purpose=Purpose.SPEED)
    mine = series("x", one, tag("x", "9b"), type=ModelType.VISION, purpose=Purpose.QUALITY, role="embedding")
    assert (type_of(mine, one), purpose_of(mine, one)) == (ModelType.CODE, Purpose.SPEED)
    assert (type_of(mine, mine.tags[1]), purpose_of(mine, mine.tags[1])) == (
        ModelType.VISION,
        Purpose.QUALITY,
    )


def test_the_purpose_of_a_size_alone() -> None:
    assert purpose_of(None, size=2_000_000_000, capabilities=frozenset({"completion"})) is Purpose.SPEED
    assert purpose_of(None, size=40_000_000_000, capabilities=frozenset({"completion"})) is Purpose.QUALITY
    assert purpose_of(None, capabilities=frozenset({"completion"})) is None


def test_what_nobody_has_opened_may_be_for_embedding() -> None:
    """A server before 0.30 lists no capabilities: of an unknown name and a small file nothing follows."""
    unopened = installed("me/embedder:335m", parameter_size="335M", size=670_000_000)
    assert (type_of_model(unopened, None), purpose_of_model(unopened, None)) == (None, None)
    opened = installed("me/embedder:335m", parameter_size="335M", capabilities=frozenset({"embedding"}))
    assert purpose_of_model(opened, None) is Purpose.SPECIALIZED


@pytest.mark.parametrize(
    ("parameters", "active", "purpose"),
    [
        (4_500_000_000, None, Purpose.SPEED),
        (4_500_000_001, None, Purpose.BALANCED),
        (16_000_000_000, None, Purpose.BALANCED),
        (16_000_000_100, None, Purpose.QUALITY),
        (64_000_000_000, 4_000_000_000, Purpose.BALANCED),
        (4_000_000_000, 9_000_000_000, Purpose.SPEED),  # no more can be read than there is
    ],
)
def test_the_bounds(parameters: int, active: int | None, purpose: Purpose) -> None:
    one = tag("x", "1", parameters=parameters, active_parameters=active)
    assert purpose_of(series("x", one, role="chat"), one) is purpose


def test_every_role_of_the_table_has_a_type() -> None:
    completes = frozenset({"completion"})
    for role in ROLES:
        assert type_of(series("x", role=role, capabilities=completes)) is not None


@given(
    st.none() | st.integers(1, 10**16),
    st.none() | st.integers(1, 10**16),
    st.none() | st.integers(1, 10**16),
    st.sampled_from([None, "", "Q2_K", "Q4_K_M", "F16", "weird"]),
    st.none() | st.frozensets(st.sampled_from(["completion", "embedding", "vision", "x"])),
    st.sampled_from([None, "chat", "medical", "unheard of"]),
)
def test_no_facts_are_an_exception(
    parameters: int | None,
    active: int | None,
    size: int | None,
    quantization: str | None,
    capabilities: frozenset[str] | None,
    role: str | None,
) -> None:
    one = tag(
        "x", "1b", parameters=parameters, active_parameters=active, size=size, quantization=quantization
    )
    mine = series("x", one, role=role)
    kind = type_of(mine, one, name=parse("x:1b"), capabilities=capabilities)
    purpose = purpose_of(mine, one, capabilities=capabilities)
    if kind in (ModelType.EMBEDDING, ModelType.OTHER):
        assert purpose is Purpose.SPECIALIZED
    if kind is None:
        assert purpose is None
