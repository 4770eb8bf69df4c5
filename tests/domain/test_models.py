from dataclasses import replace

import pytest

from modeltui.domain.models import (
    LoadedModel,
    Model,
    ModelState,
    ModelType,
    can_generate,
    disk_total,
    find,
    loaded_as,
    model_type,
    parameter_count,
)
from modeltui.domain.names import parse

NOW = 1_795_234_080_000
LATER = NOW + 300_000


def _loaded(name: str, digest: str | None = None) -> LoadedModel:
    return LoadedModel(name, name, parse(name), digest)


def _model(name: str, digest: str | None = None, size: int | None = None) -> Model:
    return Model(name, name, parse(name), digest, size)


STATES = [  # size, vram, expires_at, state, share, ram: as `ollama ps` splits them
    (100, 0, LATER, ModelState.CPU, 0.0, 100),
    (100, 100, LATER, ModelState.GPU, 1.0, 0),
    (100, 82, LATER, ModelState.SPLIT, 0.82, 18),
    (100, 101, LATER, ModelState.UNKNOWN, None, 0),
    (0, 0, LATER, ModelState.UNKNOWN, None, 0),
    (None, 5, LATER, ModelState.UNKNOWN, None, None),
    (100, None, LATER, ModelState.UNKNOWN, None, None),
    (100, 100, NOW - 1, ModelState.STOPPING, 1.0, 0),
    (None, None, NOW - 1, ModelState.STOPPING, None, None),
    (100, 100, None, ModelState.GPU, 1.0, 0),
]


@pytest.mark.parametrize("row", STATES)
def test_state_of_what_is_loaded(
    row: tuple[int | None, int | None, int | None, ModelState, float, int],
) -> None:
    size, vram, expires, *expected = row
    loaded = replace(_loaded("m"), size=size, vram=vram, expires_at=expires)
    assert [loaded.state(NOW), loaded.gpu_share, loaded.ram] == expected
    assert not loaded.is_kept_forever(NOW)
    assert replace(loaded, expires_at=NOW + 292 * 365 * 86_400_000).is_kept_forever(NOW)


def test_loaded_by_name_then_digest_then_weights() -> None:
    tiny, alias, variant = parse("tiny"), parse("current"), parse("tiny-16k")
    row, other = _loaded("TINY:latest", "d1"), _loaded("other", "d2")
    both = (other, row)
    assert loaded_as(tiny, "d1", None, both, {}) is loaded_as(tiny, None, None, both, {}) is row
    assert loaded_as(tiny, "new", None, both, {}) is None  # a runner of what the name stood for before
    assert loaded_as(alias, "d1", None, both, {}) is row
    assert loaded_as(variant, "d3", "w1", both, {"d1": "w1", "d2": "w2"}) is row
    assert loaded_as(variant, "d3", "w1", both, {}) is None
    assert loaded_as(variant, "d3", None, both, {"d1": "w1"}) is None
    assert loaded_as(variant, None, None, (_loaded("x"),), {}) is None
    # The name counts before a digest that an earlier row has, the digest before weights.
    unknown = _loaded("tiny")
    assert loaded_as(tiny, "d2", None, (other, unknown), {}) is unknown
    assert loaded_as(variant, "d1", "w2", both, {"d2": "w2"}) is row
    nameless = LoadedModel("bad·name", "bad name", None, "d1")
    assert loaded_as(tiny, "d1", None, (nameless,), {}) is nameless
    assert loaded_as(tiny, None, None, (nameless,), {}) is None


TYPES = """
llama3.2 nomic | completion | general
llama3.2 both | completion tools embedding | general
qwen3 | completion thinking tools | reasoning
llava gemma4 | completion vision thinking | vision
qwen2.5-coder Qwen3-CODER starcoder2 codellama devstral | completion thinking vision | code
nomic-embed-text starcoder | embedding | embedding
flux coder | image |  other
nothing | | other
"""


@pytest.mark.parametrize("row", TYPES.strip().splitlines())
def test_type(row: str) -> None:
    names, words, kind = (cell.strip() for cell in row.split("|"))
    capabilities = frozenset(words.split())
    assert {model_type(parse(name), capabilities) for name in names.split()} == {ModelType(kind)}
    assert can_generate(capabilities) is ("completion" in words)


def test_type_while_something_is_unknown() -> None:
    assert (model_type(parse("m"), None), can_generate(None)) == (None, None)
    assert model_type(None, frozenset({"completion"})) is ModelType.GENERAL


def test_disk_counts_aliases_once_and_unknown_as_nothing() -> None:
    installed = [_model("tiny", "d1", 100), _model("current", "d1", 100), _model("big", "d2", 1_000)]
    assert (
        disk_total([*installed, _model("old", None, 7), _model("older", None, 7), _model("x", "d3")]) == 1_114
    )
    assert disk_total([]) == 0


def test_find_and_cloud() -> None:
    models = [Model("b·d", "b\x1bd"), _model("Small"), _model("tiny")]
    assert find(models, parse("SMALL:latest")) is models[1]
    assert find(models, parse("small:1b")) is None
    assert replace(models[1], remote_host="https://ollama.com:443").is_cloud
    assert _model("gpt-oss:120b-cloud").is_cloud
    assert not any(model.is_cloud for model in [*models, _model("my-cloud-model")])


def test_parameter_count() -> None:
    counts = {"27.8B": 27_800_000_000, "137M": 137_000_000, "125K": 125_000, "1.5t": 1_500_000_000_000}
    assert {words: parameter_count(words) for words in counts} == counts
    for odd in (None, "", "unknown", "B", "8x7B", "x", "1e999B", "nanB", "infB", "8.0"):
        assert parameter_count(odd) is None
