"""Reading a model's shape from a server's answer and from the catalog's rows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.memory.architecture import Architecture
from modeltui.domain.memory.kvcache import shape_of
from modeltui.domain.memory.shapes import (
    architecture_of_info,
    architecture_of_row,
    guessed_shape,
    projector_of_info,
)
from modeltui.domain.memory.weights import tower_bytes

RECORDED = Path(__file__).parents[2] / "data" / "recorded"


def shape(info: dict[str, object]) -> Architecture:
    found = architecture_of_info(info)
    assert found is not None
    return found


def info(kind: str, **values: object) -> dict[str, object]:
    """model_info of a kind; `__` in a key stands for a dot."""
    keys = {f"{kind}.{name.replace('__', '.')}": value for name, value in values.items()}
    return {"general.architecture": kind} | keys


@pytest.mark.parametrize("version", ["0.24.0", "0.33.0-rc2"])
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("show_small.json", ("llama", 8, 512, 8, (4,) * 8, 8000, 32768)),
        ("show_tools.json", ("llama", 2, 64, 4, (2, 2), 400, 2048)),
        ("show_embed.json", ("bert", 2, 64, 4, (1, 1), 30522, 512)),
    ],
)
def test_answers_of_real_servers(version: str, file: str, expected: tuple[object, ...]) -> None:
    found = shape(model_info(json.loads((RECORDED / version / file).read_text(encoding="utf-8"))))
    assert (
        found.kind,
        found.layers,
        found.embedding,
        found.heads,
        found.kv_heads,
        found.vocabulary,
        found.trained_context,
    ) == expected
    assert found.is_embedding is (file == "show_embed.json")


def model_info(recorded: Any) -> dict[str, object]:
    """The first `model_info` anywhere within a recording."""
    if isinstance(recorded, dict):
        if isinstance(recorded.get("model_info"), dict):
            return dict(recorded["model_info"])
        parts: list[Any] = list(recorded.values())
    elif isinstance(recorded, list):
        parts = recorded
    else:
        parts = [json.loads(recorded)] if isinstance(recorded, str) and "model_info" in recorded else []
    return next((found for found in map(model_info, parts) if found), {})


def test_a_hybrids_list_of_heads_says_which_layers_keep_a_cache() -> None:
    found = shape(info("qwen35", block_count=4, attention__head_count_kv=[0, 0, 0, 4], embedding_length=5120))
    assert found.kv_heads == (0, 0, 0, 4)
    assert found.guessed == ()


def test_a_hybrid_without_the_list_is_filled_in_and_says_so() -> None:
    found = shape(
        info(
            "qwen35",
            block_count=64,
            attention__head_count_kv=None,
            attention__head_count=24,
            attention__key_length=256,
            attention__value_length=256,
            embedding_length=5120,
            full_attention_interval=4,
            ssm__state_size=128,
            ssm__inner_size=6144,
            ssm__group_count=16,
            ssm__conv_kernel=4,
        )
    )
    assert found.kv_heads[:5] == (0, 0, 0, 4, 0)
    assert len([each for each in found.kv_heads if each]) == 16
    assert found.guessed
    # The author of the sweep in the file of measurements: 64 KiB a token, 16 of 64 layers.
    assert shape_of(found).whole * 2 == 64 * 1024
    assert 140e6 < shape_of(found).state < 165e6


@pytest.mark.parametrize(
    ("kind", "embedding", "layers", "elements"),
    [
        # 31b and 26b at 262144 tokens on 0.24: 10 global layers of 4 heads, 5 of 2, 512 wide.
        ("gemma4", 5376, 60, 10 * 4 * 1024),
        ("gemma4", 2816, 30, 5 * 2 * 1024),
    ],
)
def test_gemma4_whose_heads_differ_by_layer(kind: str, embedding: int, layers: int, elements: int) -> None:
    found = shape(
        info(
            kind,
            block_count=layers,
            embedding_length=embedding,
            attention__head_count=32,
            attention__head_count_kv=None,
            attention__key_length=512,
            attention__value_length=512,
            attention__key_length_swa=256,
            attention__value_length_swa=256,
            attention__sliding_window=1024,
            attention__sliding_window_pattern=None,
        )
    )
    assert shape_of(found).whole == elements
    assert shape_of(found).windowed > 0


@pytest.mark.parametrize(
    ("kind", "keys", "bytes_a_token"),
    [
        ("qwen3", (36, 4096, 32, 8, 128), 147456),
        ("llama", (32, 4096, 32, 8, 128), 131072),
        ("llama", (28, 3072, 24, 8, 128), 114688),
        ("qwen2", (28, 3584, 28, 4, 128), 57344),
        ("qwen2", (64, 5120, 40, 8, 128), 262144),
        ("phi3", (32, 3072, 32, 32, 96), 393216),
    ],
)
def test_cache_of_a_token(kind: str, keys: tuple[int, int, int, int, int], bytes_a_token: int) -> None:
    """The table of the reference's section 4."""
    layers, embedding, heads, kv, head = keys
    found = shape(
        info(
            kind,
            block_count=layers,
            embedding_length=embedding,
            attention__head_count=heads,
            attention__head_count_kv=kv,
            attention__key_length=head,
            attention__value_length=head,
        )
    )
    assert shape_of(found).whole * 2 == bytes_a_token


def test_deepseek_keeps_all_heads_and_a_latent_one_a_vector() -> None:
    keys = {
        "block_count": 27,
        "embedding_length": 2048,
        "attention__head_count": 16,
        "attention__head_count_kv": 16,
        "attention__key_length": 192,
        "attention__value_length": 128,
        "attention__kv_lora_rank": 512,
    }
    assert shape_of(shape(info("deepseek2", **keys))).whole * 2 == 276480
    latent = shape(info("deepseek2", **keys, attention__key_length_mla=576))
    assert shape_of(latent).whole == 27 * 576


def test_an_output_is_told_by_the_parameter_count() -> None:
    """llama3.2:3b shares its embedding, llama3.1:8b does not; both are `llama`."""
    keys = {"attention__head_count_kv": 8, "attention__key_length": 128, "vocab_size": 128256}
    small = info("llama", block_count=28, embedding_length=3072, feed_forward_length=8192, **keys)
    small |= {"llama.attention.head_count": 24, "general.parameter_count": 3_212_749_888}
    large = info("llama", block_count=32, embedding_length=4096, feed_forward_length=14336, **keys)
    large |= {"llama.attention.head_count": 32, "general.parameter_count": 8_030_261_312}
    assert shape(small).has_output is False
    assert shape(large).has_output is True


def test_rows_of_the_catalog() -> None:
    row = {"n_layers": 28, "n_heads": 16, "n_kv_heads": 8, "head_dim": 128, "embedding_length": 2048}
    named = row | {"model_type": "qwen3", "hf_id": "Qwen/Qwen3-1.7B", "parameters_total": 2031739904}
    found = architecture_of_row(named, "qwen3")
    assert found is not None
    assert (found.kind, found.has_output, found.vocabulary) == ("qwen3", True, 151936)
    lite = {"n_layers": 27, "n_heads": 16, "n_kv_heads": 16, "model_type": "deepseek_v2"}
    found = architecture_of_row(lite | {"embedding_length": 2048}, "deepseek-coder-v2")
    assert found is not None and shape_of(found).whole * 2 == 276480
    assert architecture_of_row({"n_layers": None}) is None


def test_what_names_nothing_is_no_shape() -> None:
    assert architecture_of_info({}) is None
    assert architecture_of_info({"general.architecture": "llama"}) is None
    assert architecture_of_info({"general.architecture": 7, "llama.block_count": 3}) is None
    assert architecture_of_info({"general.architecture": "llama", "llama.block_count": 0}) is None


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.one_of(st.integers(), st.none(), st.text(max_size=2)), max_size=5),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
KINDS = ("llama", "gemma4", "qwen35", "bert", "deepseek2", "nemotron_h", "mllama", "of-tomorrow", "")
KEYS = (
    *("block_count", "embedding_length", "attention.head_count", "attention.head_count_kv"),
    *("attention.key_length", "attention.sliding_window", "attention.sliding_window_pattern"),
    *("attention.shared_kv_layers", "full_attention_interval", "nextn_predict_layers", "vocab_size"),
    *("feed_forward_length", "vision.block_count", "ssm.inner_size", "context_length"),
)


@given(kind=st.sampled_from(KINDS), values=st.lists(ANYTHING, min_size=len(KEYS), max_size=len(KEYS)))
def test_no_answer_makes_it_fail(kind: str, values: list[object]) -> None:
    keys: dict[str, object] = {f"{kind}.{key}": value for key, value in zip(KEYS, values, strict=True)}
    found = architecture_of_info(keys | {"general.architecture": kind, "tokenizer.ggml.tokens": values})
    if found is not None:
        sums = shape_of(found)
        assert sums.whole >= 0 and sums.windowed >= 0 and sums.state >= 0


@given(
    st.dictionaries(
        st.sampled_from(["n_layers", "n_heads", "n_kv_heads", "head_dim", "model_type"]), ANYTHING
    )
)
def test_no_row_makes_it_fail(row: dict[str, object]) -> None:
    found = architecture_of_row(row, "anything")
    if found is not None:
        shape_of(found)


@given(st.integers(min_value=0, max_value=10**14), st.integers(min_value=0, max_value=10**14))
def test_a_guess_grows_with_the_count(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert shape_of(guessed_shape(small)).whole <= shape_of(guessed_shape(large)).whole


def test_what_sees_lies_in_the_file_or_beside_it() -> None:
    """llava:7b's projector is 624434368 bytes beside its weights; a gemma3 file without tensors of vision
    (as converters of others make it) has no tower, whatever its kind.
    """
    clip = {
        "clip.vision.block_count": 24,
        "clip.vision.embedding_length": 1024,
        "clip.vision.feed_forward_length": 4096,
    }
    assert projector_of_info(clip) == pytest.approx(624434368, rel=0.05)
    assert projector_of_info({}) is None
    sees = info("gemma3", block_count=34, embedding_length=2560, vision__block_count=27)
    assert tower_bytes(shape(sees)) == 835_000_000
    assert tower_bytes(shape(info("gemma3", block_count=34, embedding_length=2560))) == 0
