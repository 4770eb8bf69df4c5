"""What computing takes beside weights and cache: what servers print of it, and what is allocated."""

from modeltui.domain.memory.eras import GIB
from modeltui.domain.memory.kinds import plain
from modeltui.domain.memory.kvcache import Shape

MIB = 1 << 20

# llama-server's compute buffer: ubatch * (2 bytes a token of the mask + 40 a dimension) [F, llama-server
# rows].
_MASK_BYTES, _WIDTH_BYTES = 2, 40
# The same of an embedding model, whose batch is its context [F, 3 rows].
_EMBED_MASK_BYTES, _EMBED_WIDTH_BYTES = 6, 46
# Rows of the embedding's width that lie beside the scores: three more where Q, K and V come as one [V].
_ENCODER_ROWS, _FUSED_ROWS = 5, 7
# Ollama's own engine with flash attention: a mask of 512 rows in 4 and 2 bytes, and what does not depend on
# the context [F, rows of 0.12 to 0.24].
_ENGINE_BASE, _ENGINE_TOKEN = 150 * MIB, 3072
# Further bytes an element of a token's K, for kinds that rotate in sections [F, 5 rows of qwen3-vl,
# qwen3.5, qwen3.6; the cause was not found in the source].
_SECTION_BYTES = 20
_SECTIONED = frozenset(("qwen35", "qwen35moe", "qwen3vl", "qwen3vlmoe"))
BATCH = 512


def generation_batch(context: int) -> int:
    """llama-server's batch where nobody sets one, by all sequences' context (server/sched.go) [C]."""
    if context > 32768:
        return 2048
    return 1024 if context > 4096 else 512


def lower_batch(batch: int) -> int:
    """The next smaller batch that a server of 0.30 and later tries; 512 is the least."""
    return 1024 if batch > 1024 else 512


def embedding_compute(shape: Shape, tokens: int, flash: bool) -> int:
    """Bytes of the graph of an encoder (BERT and its kin), which takes all its `tokens` in one batch."""
    bytes_ = tokens * (_EMBED_MASK_BYTES * tokens + _EMBED_WIDTH_BYTES * shape.embedding)
    return bytes_ if flash else bytes_ + 4 * tokens * tokens * shape.heads


def encoder_compute(kind: str, shape: Shape, tokens: int) -> int:
    """Bytes of the graph of an encoder in Ollama's own engine: the scores of all heads, and rows beside.

    To the byte what 0.24.0 printed on a CPU for 8 shapes of bert and nomic-bert, at 256 to 2048 tokens [V].
    """
    rows = _FUSED_ROWS if plain(kind).startswith("nomicbert") else _ENCODER_ROWS
    return 4 * tokens * (tokens * shape.heads + rows * shape.embedding)


def embedding_inputs(shape: Shape, tokens: int) -> int:
    """What Ollama's own engine keeps of it beside a card: mask and embeddings as they come in, 32 bit [I]."""
    return 4 * tokens * (tokens + shape.embedding)


def server_compute(shape: Shape, tokens: int, batch: int, flash: bool) -> int:
    """Bytes of llama-server's compute buffer on each card; `tokens` of all sequences."""
    bytes_ = batch * (_MASK_BYTES * tokens + _WIDTH_BYTES * shape.embedding)
    return bytes_ if flash else bytes_ + 4 * batch * tokens * shape.heads


def engine_compute(kind: str, shape: Shape, tokens: int, flash: bool) -> int:
    """Bytes of the graph of Ollama's own engine on each card."""
    bytes_ = _ENGINE_BASE + _ENGINE_TOKEN * tokens
    if plain(kind) in _SECTIONED:
        bytes_ += _SECTION_BYTES * shape.kv_heads * shape.key * tokens
    return bytes_ if flash else bytes_ + 4 * BATCH * tokens * shape.heads


def engine_compute_in_ram(shape: Shape, feed_forward: int, tokens: int) -> int:
    """Bytes of the graph of Ollama's own engine where all of it is on the CPU, with flash attention.

    A batch's mask and rows, three of each width. Within 8 % of what 0.24.0 allocated for qwen3 of 4 shapes at
    4096 and 16384 tokens [V]; other kinds were not looked at.
    """
    return BATCH * (_MASK_BYTES * tokens + 12 * (feed_forward + shape.embedding))


def runner_compute(shape: Shape, tokens: int, vocabulary: int, flash: bool) -> int:
    """Bytes of the graph of the old llama runner: masks and widths, or logits of a whole batch
    (graph_reserve) [C].
    """
    width = max(
        BATCH * (6 * tokens + _WIDTH_BYTES * shape.embedding), 4 * BATCH * (shape.embedding + vocabulary)
    )
    return width if flash else width + 4 * BATCH * tokens * shape.heads


def printed_graph(
    kind: str,
    shape: Shape,
    vocabulary: int,
    tokens: int,
    parallel: int,
    batch: int,
    kv: int,
    flash: bool,
    version: tuple[int, int, int],
    experts: int,
    feed_forward: int,
) -> tuple[int, int]:
    """(with layers left on the CPU, all on the GPU) as GraphSize counts the graph, with its caller's
    fallbacks [C].

    `kv` is the cache of all layers, `batch` the smaller of 512 and the context.
    """
    e, h, k, v, t, b = shape.embedding, shape.heads, shape.kv_heads, vocabulary, tokens, batch
    wide, key = e // max(1, h), shape.key
    full = partial = 0
    output = e * v * 105 // 128
    attention = 1 + h
    name = plain(kind)
    if name in ("llama", "llama4"):
        full = max(4 * b * (1 + 4 * e + t * attention), 4 * b * (e + v))
        partial = 4 * b * e + max(
            4 * b * (1 + e + max(t, e)) + e * e * 9 // 16 + 4 * t * (b * h + wide * k),
            4 * b * (e + v) + output,
        )
        if name == "llama" and experts and feed_forward:
            # 8x7b: experts apart, one tensor each; the whole graph holds the gate of one.
            full = 4 * b * (2 + 3 * e + t * attention + 2 * k + feed_forward)
            partial = max(
                4 * b * (3 + wide * k + e + t * attention + feed_forward)
                + (e * e + 3 * e * k * feed_forward) * 9 // 16,
                4 * b * (1 + 2 * e + t * attention) + e * (6 * t * k // h + e * 9 // 16),
            )
    elif name == "mllama":
        full = max(4 * b * (2 + 3 * e + key * h + t * attention), 4 * b * (e + v))
        partial = max(4 * (b * (2 * e + 1 + t * attention + key * h) + key * t * k), 4 * b * (e + v) + output)
    elif name in ("gemma", "gemma2", "gemma3", "gemma3n"):
        full = max(4 * b * (e + v), 4 * b * (2 + t * attention + 2 * e + 2 * key * h))
        partial = max(
            4 * b * (e + v) + output,
            4 * b * (2 * e + 1 + 2 * key * h + t * attention) + 32 * key * t + e * key * h * 9 // 16,
        )
        if name == "gemma3n":
            full, partial = 4 * full, 4 * partial
    elif name == "commandr":
        full = max(4 * b * (e + v), 4 * b * (2 + 4 * e + t * attention))
        partial = max(
            4 * b * (e + v) + output, 4 * b * (1 + 2 * e + t * attention) + 4 * e * t + e * e * 9 // 16
        )
    elif name == "qwen2":
        full = max(4 * b * (e + v), 4 * b * (1 + 2 * e + t * attention))
        partial = max(4 * b * (e + v) + output, 4 * (b * (1 + 2 * e + t * attention) + e * (1 + t)))
    elif name == "phi2":
        full = max(4 * b * (e + v), 4 * b * (1 + 4 * e + t * attention))
        partial = max(4 * b * (2 * e + v) + output, 4 * b * (2 + 3 * e + t * attention))
    elif name == "stablelm":
        full = 4 * b * (t * attention + 3 * e + 2)
        partial = max(4 * b * (v + 2 * e), full)
    elif name == "deepseek2":
        full = max(4 * b * (3 * e + v), 4 * b * (3 * e + 2 + t * (1 + k) + 2 * key * k))
        partial = max(
            4 * b * (3 * e + v) + output,
            4 * b * (2 * e + 1 + 2 * key * k + t * (1 + k)) + 4 * key * t * k + e * key * k * 9 // 16,
        )
    elif name == "chatglm":
        bias = (h + 2 * k) * key
        full = max(4 * b * (e + v), 4 * b * (2 + 2 * e + t * attention + key * h + bias))
        partial = max(
            4 * b * (e + v) + output, 4 * b * (1 + 2 * e + key * h + t * attention) + 8 * key * t + 4 * bias
        )
    elif name == "gptoss":
        partial, full = _gptoss(shape, tokens, parallel, flash, version)
    if partial == 0:
        partial = h // shape.least_kv_heads * kv // 6
    return partial, full or partial


def _gptoss(
    shape: Shape, tokens: int, parallel: int, flash: bool, version: tuple[int, int, int]
) -> tuple[int, int]:
    """gpt-oss, whose formula changed with every few patches of 0.11; its cache counts here as if it had no
    windows, and never was quantized [C].
    """
    many = shape.heads // shape.least_kv_heads * 2 * tokens * shape.uniform // 6
    if version < (0, 11, 5):
        return (8 if version < (0, 11, 3) else 4) * many, 4 * many
    if flash and version >= (0, 11, 8):
        known = (4 * parallel + (tokens >> 10) + 110) * MIB
        return known, known
    return 2 * many, 2 * many


def context_overhead(total: int | None, is_metal: bool) -> int:
    """Bytes that a driver's context takes on a card, which no server prints; `total` of the card.

    0.30 GiB on consumer cards (rows of 16 GB cards, 7 of them physical), 0.64 GiB on an H100 of 80 GB
    (nvidia-smi less what was printed: 0.60 and 0.64) [F]; between 24 and 80 GiB in proportion. Metal has
    none of its own; 0.1 GiB for its command buffers [I].
    """
    if is_metal:
        return GIB // 10
    size = (total or 0) / GIB
    share = min(1.0, max(0.0, (size - 24) / (80 - 24)))
    return int((0.3 + 0.34 * share) * GIB)
