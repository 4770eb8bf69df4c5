"""Reads a model's shape from `/api/show`, from a row of the catalog, or guesses it from the size alone.

Keys are those of GGUF (gguf.md of ggml), `A.` being the architecture's name. What is absent is filled in by
the rules of `kinds`, and named in `Architecture.guessed`.
"""

from collections.abc import Mapping
from functools import lru_cache

from modeltui.domain.memory.architecture import Architecture, Vision
from modeltui.domain.memory.headcounts import spread, usual_heads
from modeltui.domain.memory.kinds import plain, rules_of
from modeltui.domain.memory.outputs import output_by_count, output_of_row
from modeltui.domain.memory.rowkinds import kind_of_row
from modeltui.domain.memory.vocabularies import vocabulary_of_info, vocabulary_of_row
from modeltui.domain.memory.weights import encoder_bytes

_MOST_LAYERS = 4096
_MOST = 1 << 40

# Kinds that give one number although their layers differ.
_SPREAD_FROM_ONE = ("gemma4", "qwen3next", "qwen35")
_GEMMA4_SHARED = {1536: 20, 2560: 18}
_GEMMA4_FULL_LENGTH = 512
# Mixtral 8x7b and 8x22b by width [K]; their graph depends on it.
_MIXTRAL_FEED = {4096: 14336, 6144: 16384}
_DEEPSEEK_KEY, _DEEPSEEK_VALUE = 192, 128


def architecture_of_info(info: Mapping[str, object], parameters: int | None = None) -> Architecture | None:
    """The shape in `/api/show`'s `model_info`; None where it names no architecture or no layers.

    `parameters`: the count, where it is known from elsewhere. Never raises: a value of a wrong type counts
    as absent.
    """
    kind = info.get("general.architecture")
    if not isinstance(kind, str) or not kind:
        return None
    layers = _int(info.get(f"{kind}.block_count"), _MOST_LAYERS)
    if layers is None:
        return None

    def number(key: str) -> int | None:
        return _int(info.get(f"{kind}.{key}"))

    rules = rules_of(kind)
    guessed: list[str] = []
    embedding, heads = number("embedding_length"), _largest(info.get(f"{kind}.attention.head_count"))
    layers -= min(number("nextn_predict_layers") or 0, layers)
    head_counts = info.get(f"{kind}.attention.head_count_kv")
    shared = number("attention.shared_kv_layers")
    windowed = _flags(info.get(f"{kind}.attention.sliding_window_pattern"), layers)
    kv_heads = _heads(head_counts, layers)
    if kv_heads is None:
        each = _int(head_counts)
        may_vary = rules.is_hybrid or plain(kind) == "gemma4" or f"{kind}.attention.head_count_kv" in info
        if each is not None and not plain(kind).startswith(_SPREAD_FROM_ONE):
            kv_heads = (each,) * layers
        elif each is None and not may_vary:
            kv_heads = (1,) * layers  # Absent counts as one (HeadCountKV) [C].
        else:
            if each is None:
                each = usual_heads(kind, embedding, heads)
                guessed.append("the KV heads of each layer (the server leaves them out)")
            kv_heads = spread(
                kind, layers, embedding, each, number("full_attention_interval") or rules.attends_every
            )
    key = number("attention.key_length")
    vision = _vision(info, kind)
    count = _int(info.get("general.parameter_count")) or parameters
    vocabulary = number("vocab_size") or vocabulary_of_info(info, rules, embedding)
    lora = number("attention.kv_lora_rank")
    feed = _largest(info.get(f"{kind}.feed_forward_length"))
    return Architecture(
        kind=kind,
        layers=layers,
        embedding=embedding,
        heads=heads,
        kv_heads=kv_heads,
        key_length=key,
        value_length=number("attention.value_length"),
        vocabulary=vocabulary,
        trained_context=number("context_length"),
        sliding_window=number("attention.sliding_window"),
        experts=number("expert_count"),
        experts_used=number("expert_used_count"),
        feed_forward=feed,
        kv_lora_rank=lora,
        rope_dimensions=number("rope.dimension_count"),
        is_latent=number("attention.key_length_mla") is not None,
        conv_kernel=number("ssm.conv_kernel") or number("shortconv.l_cache"),
        inner_size=number("ssm.inner_size"),
        state_size=number("ssm.state_size"),
        group_count=number("ssm.group_count"),
        parameters=count,
        vision=vision,
        windowed=windowed,
        window_key_length=number("attention.key_length_swa"),
        window_value_length=number("attention.value_length_swa"),
        shared_layers=min(shared or 0, layers),
        cross_layers=min(
            _length(info.get(f"{kind}.attention.cross_attention_layers")) or (8 if kind == "mllama" else 0),
            layers,
        ),
        is_embedding=rules.is_embedding or info.get(f"{kind}.pooling_type") is not None,
        has_output=output_by_count(kind, embedding, heads, kv_heads, key, vocabulary, feed, layers, count),
        guessed=tuple(guessed),
    )


def projector_of_info(info: Mapping[str, object]) -> int | None:
    """Bytes of a projector of its own, from the `projector_info` of `/api/show`; None where it has none."""
    return encoder_bytes(_vision(info, "clip")) or None


def architecture_of_row(row: Mapping[str, object], series: str = "") -> Architecture | None:
    """The shape in a row of catalog.json's `architectures`; None where it has no layers. `series` helps to
    name the kind.
    """
    layers = _int(row.get("n_layers"), _MOST_LAYERS)
    if layers is None:
        return None
    kind = kind_of_row(row, series)
    rules = rules_of(kind)
    embedding, heads = _int(row.get("embedding_length")), _int(row.get("n_heads"))
    each, head = _int(row.get("n_kv_heads")), _int(row.get("head_dim"))
    guessed: list[str] = []
    is_latent = kind == "glm4moelite" or (kind == "deepseek2" and not _keeps_heads(series))
    key, value = head, head
    if kind == "deepseek2" and head is None:
        key, value = _DEEPSEEK_KEY, _DEEPSEEK_VALUE
    if rules.is_encoder:
        each = 1  # Absent in their files, which counts as one (HeadCountKV) [C].
    elif each is None:
        each = heads or 8
        guessed.append("the number of KV heads")
    count = _int(row.get("parameters_total"))
    window_key: int | None = None
    if plain(kind) == "gemma4":
        key = value = _GEMMA4_FULL_LENGTH
        window_key = head or 256
    vocabulary = vocabulary_of_row(kind, series, embedding, rules)
    if rules.is_hybrid:
        guessed.append("which layers keep a KV cache")
    return Architecture(
        kind=kind,
        layers=layers,
        embedding=embedding,
        heads=heads,
        kv_heads=spread(kind, layers, embedding, each, rules.attends_every),
        key_length=key,
        value_length=value,
        vocabulary=vocabulary,
        trained_context=_int(row.get("context_length")),
        sliding_window=_int(row.get("sliding_window")),
        experts=_int(row.get("experts")),
        experts_used=_int(row.get("experts_used")),
        feed_forward=_MIXTRAL_FEED.get(embedding or 0)
        if kind == "llama" and _int(row.get("experts")) == 8
        else None,
        is_latent=is_latent,
        parameters=count,
        active_parameters=_billions(row.get("active_parameters_b")),
        has_output=output_of_row(row, kind, series, embedding, vocabulary, count),
        window_key_length=window_key,
        window_value_length=window_key,
        shared_layers=_GEMMA4_SHARED.get(embedding or 0, 0)
        if plain(kind) == "gemma4"
        else (15 if plain(kind) == "gemma3n" else 0),
        cross_layers=8 if kind == "mllama" else 0,
        is_embedding=rules.is_embedding,
        guessed=tuple(guessed),
    )


@lru_cache(maxsize=512)
def guessed_shape(parameters: int) -> Architecture:
    """A shape for a model of which only the size is known: an ordinary one with grouped heads, as of 2024
    and later.

    Layers and widths follow llama3.2:1b (16, 2048), llama3.1:8b (32, 4096) and 70b (80, 8192) as powers of
    the count [K].
    """
    billions = max(parameters, 1_000_000) / 1e9
    layers = min(128, max(4, round(32 * (billions / 8) ** 0.42)))
    embedding = min(32768, max(128, 128 * round(32 * (billions / 8) ** 0.33)))
    return Architecture(
        kind="",
        layers=layers,
        embedding=embedding,
        heads=max(1, embedding // 128),
        kv_heads=(8 if billions > 1.5 else 4,) * layers,
        key_length=128,
        value_length=128,
        vocabulary=128256,
        parameters=parameters,
        has_output=billions > 3.5,
        guessed=("layers, widths and KV heads, from its size alone",),
    )


def _keeps_heads(series: str) -> bool:
    """Whether a DeepSeek series' library files were made before the latent cache: reference rows show full
    heads.
    """
    return (
        series.startswith(("deepseek-r1", "deepseek-v2", "deepseek-coder-v2", "r1-1776"))
        or series == "deepseek-v3"
    )


def _vision(info: Mapping[str, object], kind: str) -> Vision:
    return Vision(
        layers=_int(info.get(f"{kind}.vision.block_count")),
        embedding=_int(info.get(f"{kind}.vision.embedding_length")),
        feed_forward=_int(info.get(f"{kind}.vision.feed_forward_length")),
    )


def _int(value: object, most: int = _MOST) -> int | None:
    """A whole number above 0 and in reason, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 < value <= most:
        return None
    return int(value) or None


def _billions(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        return None
    return int(value * 1e9)


def _largest(value: object) -> int | None:
    if isinstance(value, list):
        return max((found for found in map(_int, value) if found is not None), default=None)
    return _int(value)


def _heads(value: object, layers: int) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not value or not layers:
        return None
    counts = [_int(each, 1 << 20) or 0 for each in value[:layers]]
    return tuple(counts + [counts[-1]] * (layers - len(counts)))


def _flags(value: object, layers: int) -> tuple[bool, ...]:
    if isinstance(value, list) and value:
        flags = [bool(each) for each in value[:layers]]
        return tuple(flags + [False] * (layers - len(flags)))
    every = _int(value, _MOST_LAYERS)
    if every is None:
        return ()
    return tuple((i + 1) % every != 0 for i in range(layers))


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0
