"""Finding in a catalog, and the facts of a tag."""

import pytest
from catalogs import series, shipped, small, tag

from modeltui.domain.catalog.facts import facts_of, shape_of
from modeltui.domain.catalog.series import Shape, catalog_of
from modeltui.domain.names import parse


@pytest.mark.parametrize(
    ("name", "tag_name"),
    [
        ("llama3.1:8b", "llama3.1:8b"),
        ("Llama3.1:8B", "llama3.1:8b"),
        ("llama3.1", "llama3.1:latest"),
        ("library/llama3.1:8b", "llama3.1:8b"),
        ("registry.ollama.ai/library/llama3.1:8b", "llama3.1:8b"),
        ("granite4.1", "granite4.1:3b"),
        ("kimi-k3", "kimi-k3:cloud"),
    ],
)
def test_found_by_any_way_to_write_it(name: str, tag_name: str) -> None:
    found = shipped().find(name)
    assert found is not None
    assert found[1].name == tag_name
    assert found[0] is shipped().series_of(name)


@pytest.mark.parametrize(
    "name", ["granite4.1:latest", "llama3.1:13b", "me/llama3.1:8b", "no such", "", "a:b:c"]
)
def test_not_found(name: str) -> None:
    assert shipped().find(name) is None


def test_found_by_a_parsed_name_as_it_is() -> None:
    """A parsed name has a tag already: nothing is put in its place."""
    assert shipped().find(parse("granite4.1")) is None
    found = shipped().find(parse("granite4.1:8b"))
    assert found is not None and found[1].tag == "8b"


def test_the_same_model_under_several_tags() -> None:
    llama = shipped().series["llama3.1"]
    latest = llama.tag("latest")
    assert latest is not None
    assert {each.tag for each in llama.same_as(latest)} == {"8b", "8b-instruct-q4_K_M"}
    assert series("x", tag("x", "a"), tag("x", "b")).same_as(tag("x", "a")) == (), "unknown is not the same"


def test_the_default_tag_falls_back_on_the_first() -> None:
    assert small().series["beta"].default is None
    own = series("x", tag("x", "8b"), tag("x", "9b"))
    assert own.default is own.tags[0]


def test_a_later_series_takes_the_place_of_an_earlier() -> None:
    catalog = catalog_of([series("A", pulls=1), series("b"), series("a", pulls=2)])
    assert [each.pulls for each in catalog.series.values()] == [2, None]


def test_the_facts_of_a_tag() -> None:
    found = shipped().find("llama3.1:8b")
    assert found is not None
    facts = facts_of(*found)
    assert facts is not None
    assert (facts.file, facts.is_size_exact, facts.quantization) == (4_920_753_328, True, "Q4_K_M")
    assert facts.trained_context == 131072
    assert facts.architecture is not None
    assert (facts.architecture.layers, facts.architecture.kv_heads[0]) == (32, 8)
    assert "Llama-3.1-8B" in facts.source


def test_there_are_none_without_a_file() -> None:
    cloud = shipped().find("kimi-k3")
    assert cloud is not None and facts_of(*cloud) is None
    bare = series("me/x", tag("me/x", "8b"))
    assert facts_of(bare, bare.tags[0]) is None


def test_an_embedding_model_is_said_to_be_one() -> None:
    found = shipped().find("bge-m3")
    assert found is not None
    facts = facts_of(*found)
    assert facts is not None and facts.is_embedding


@pytest.mark.parametrize(
    ("name", "layers", "kv_heads"),
    [
        ("deepseek-r1:8b", 36, 8),  # the default is made from Qwen3
        ("deepseek-r1:8b-llama-distill-q4_K_M", 32, 8),  # this one from Llama 3.1
        ("command-r:35b", 40, 8),
        ("command-r:35b-v0.1-q4_0", 40, 64),
        ("llava:7b", 32, 8),
        ("llava:7b-v1.5-q4_0", 32, 32),
    ],
)
def test_tags_of_one_size_and_another_shape(name: str, layers: int, kv_heads: int) -> None:
    found = shipped().find(name)
    assert found is not None
    facts = facts_of(*found)
    assert facts is not None and facts.architecture is not None
    assert (facts.architecture.layers, facts.architecture.kv_heads[0]) == (layers, kv_heads)


def test_hybrid_and_dense_tags_of_one_series() -> None:
    """granite4's short names are dense, those with -h keep a KV cache in a tenth of their layers."""
    dense, hybrid = (shipped().find(f"granite4:{name}") for name in ("3b", "3b-h"))
    assert dense is not None and hybrid is not None
    shapes = [facts.architecture for each in (dense, hybrid) if (facts := facts_of(*each))]
    attending = [sum(heads > 0 for heads in shape.kv_heads) for shape in shapes if shape]
    assert attending == [40, 4]
    unknown = shipped().find("granite4:350m-h")
    assert unknown is not None
    facts = facts_of(*unknown)
    assert facts is not None and facts.architecture is None, "nothing is borrowed from the dense one"


def test_a_shape_for_a_word_comes_before_that_of_the_size() -> None:
    plain, special = Shape("8B", {"n_layers": 1}), Shape("8B", {"n_layers": 2}, "h")
    own = series(
        "x",
        tag("x", "8b", parameter_size="8B"),
        tag("x", "8b-h", parameter_size="8B"),
        shapes=(plain, special),
    )
    assert [shape_of(own, each) for each in own.tags] == [plain, special]
    assert shape_of(own, tag("x", "9b", parameter_size="9B")) is None
    assert shape_of(own, tag("x", "latest")) is None, "no size is known: no shape is"


def test_a_count_that_counts_something_else_is_not_taken() -> None:
    """A row's own count is that of an encoder, say, or of a draft model."""
    shape = Shape("8B", {"n_layers": 32, "n_heads": 32, "parameters_total": 100})
    own = series(
        "x", tag("x", "8b", parameter_size="8B", parameters=8 * 10**9, size=5 * 10**9), shapes=(shape,)
    )
    facts = facts_of(own, own.tags[0])
    assert facts is not None
    assert facts.parameters == 8 * 10**9
