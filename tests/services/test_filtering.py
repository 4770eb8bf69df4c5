"""An installed model is found by everything that its row says."""

from dataclasses import replace

import pytest

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.models import LoadedModel, Model, ModelState, ModelType
from modeltui.domain.names import parse as named
from modeltui.domain.query import parse
from modeltui.services.filtering import subject_of
from modeltui.services.kinds import Kind
from modeltui.services.library import Entry

RUNNER = LoadedModel(shown="Coder:7B", sent="Coder:7B")
CODER = Entry(
    model=Model(
        shown="Coder:7B",
        sent="Coder:7B",
        name=named("Coder:7B"),
        size=4_700_000_000,
        family="qwen2",
        parameter_size="7.6B",
        quantization="Q4_K_M",
        capabilities=frozenset({"completion", "tools"}),
    ),
    state=ModelState.SPLIT,
    type=ModelType.CODE,
    is_current=True,
    loaded=RUNNER,
    loaded_by="name",
    last_load=None,
    alias_of="Base:7b",
    damage=None,
    parameter_count=None,
    weights=None,
)
BARE = Entry(
    model=Model(shown="thing", sent="thing"),
    state=ModelState.NOT_LOADED,
    type=None,
    is_current=False,
    loaded=None,
    loaded_by=None,
    last_load=None,
    alias_of=None,
    damage=None,
    parameter_count=None,
    weights=None,
)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "coder",
            "CODER:7b",
            "base",
            "qwen2",
            "7.6b",
            "q4_k_m",
            "q4_k",
            "<5gb",
            "loaded",
            "split",
            "current",
        ),
        *("completion", "tools", "code", "type:code"),
    ],
)
def test_what_a_model_is_found_by(text: str) -> None:
    assert parse(text).matches(subject_of(CODER))
    assert not parse(text).matches(subject_of(BARE))


@pytest.mark.parametrize("text", ["—", "none", "gpu", "vision", "type:general", ">5gb"])
def test_what_a_model_is_not_found_by(text: str) -> None:
    assert not parse(text).matches(subject_of(CODER))
    assert not parse(text).matches(subject_of(BARE))


@pytest.mark.parametrize("text", ["alibaba", "balanced license:apache", "purpose:speed license:2.0"])
def test_what_the_catalog_says_of_its_series_is_found(text: str) -> None:
    kind = Kind(ModelType.CODE, Purpose.SPEED, "apache-2.0", "alibaba balanced models with tool use")
    assert parse(text).matches(subject_of(CODER, kind))
    assert not parse(text).matches(subject_of(CODER))


def test_prose_does_not_answer_for_words_that_have_a_meaning() -> None:
    kind = Kind(prose="sees pictures: vision, and thinking")
    assert parse("pictures").matches(subject_of(CODER, kind))
    assert not parse("vision").matches(subject_of(CODER, kind))


def test_a_model_in_the_cloud_has_no_size() -> None:
    model = replace(BARE.model, size=384, remote_host="https://ollama.com")
    cloud = subject_of(replace(BARE, model=model, state=ModelState.CLOUD))
    assert parse("cloud").matches(cloud)
    assert not parse("<1gb").matches(cloud)


def test_a_damaged_model_is_found_as_such() -> None:
    assert parse("damaged").matches(subject_of(replace(BARE, state=ModelState.DAMAGED, damage="no blob")))
