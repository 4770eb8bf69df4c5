"""What a model takes beside its weights at a context and a way of serving; the same for all its files."""

from dataclasses import dataclass, replace
from functools import lru_cache

from modeltui.domain.memory import eras
from modeltui.domain.memory.architecture import Architecture
from modeltui.domain.memory.eras import Account, Version
from modeltui.domain.memory.graphs import (
    BATCH,
    embedding_compute,
    encoder_compute,
    engine_compute,
    engine_compute_in_ram,
    generation_batch,
    lower_batch,
    runner_compute,
    server_compute,
)
from modeltui.domain.memory.kinds import plain, rules_of
from modeltui.domain.memory.kvcache import REAL_BYTES, Shape, padded, real_cells, shape_of, state_bytes
from modeltui.domain.memory.serving import KvType, Serving

# Embedding models of llama-server take batches of at most 2048 (DefaultEmbeddingNumBatch) [C].
_EMBED_BATCH = 2048
LEAST_CONTEXT = 4


@dataclass(frozen=True, slots=True)
class Way:
    """One batch that a server may run with: bytes of KV cache (window cells depend on the batch), what of
    them is of layers with a window, and of computing.
    """

    batch: int
    kv: int
    windowed_kv: int
    compute: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Bytes without weights. `ways` from the batch that the server prefers down to the least.

    `context` is for one request, after the server's own limits.
    """

    version: Version
    account: Account
    shape: Shape
    vocabulary: int
    context: int
    parallel: int
    flash: bool
    kv_type: KvType
    is_embedding: bool
    state: int
    ways: tuple[Way, ...]


@lru_cache(maxsize=8192)
def costs_of(
    a: Architecture,
    context: int,
    serving: Serving,
    trained: int | None,
    is_embedding: bool,
    has_projector: bool,
) -> Costs:
    """All of it for one shape, one context and one way of serving; cached, since many tags share a shape.

    `has_projector`: the part that sees is a file of its own.
    """
    version = eras.version_of(serving)
    shape = shape_of(a)
    is_embedding = is_embedding or a.is_embedding
    parallel = eras.parallel_of(a.kind, is_embedding, serving)
    context = max(LEAST_CONTEXT, context)
    limit = trained or a.trained_context
    if limit and eras.clamps_context(version):
        context = min(context, max(LEAST_CONTEXT, limit))
    is_refused = has_projector or _is_first_deepseek(a)
    account = eras.account_of(a.kind, version, is_refused)
    in_engine = eras.runs_in_own_engine(a.kind, version, is_refused)
    # llama-server's kernels take latent heads, whose K and V differ.
    value = shape.key if a.is_latent and account is Account.LOGS else shape.value
    asked = serving.flash_attention
    flash = eras.flash_attention(a.kind, version, asked, shape.key, value, is_embedding, is_refused)
    can_quantize = eras.quantizes(a.kind, version, asked, flash, is_embedding, is_refused)
    kv_type = serving.kv_type if can_quantize else KvType.F16
    vocabulary = a.vocabulary or rules_of(a.kind).vocabulary or 32000
    tokens = padded(context * parallel)
    each = REAL_BYTES[kv_type]
    # Ollama's own engine keeps the latent vector a second time, as V; llama-server reads V from K
    # [I, glm-4.7-flash at 202752: 40 GB; log of a latent model: V 0.00 MiB].
    whole = shape.whole + (shape.latent_value if in_engine else 0)
    has_cache = not rules_of(a.kind).is_embedding
    ways: list[Way] = []
    batch = _first_batch(account, context * parallel, asked, is_embedding)
    while True:
        whole_cells, window_cells = real_cells(a.kind, shape, account, in_engine, context, parallel, batch)
        windowed_kv = int(shape.windowed * window_cells * each) if has_cache else 0
        kv = int(whole * whole_cells * each) + windowed_kv if has_cache else 0
        compute = _compute(a.kind, shape, account, in_engine, tokens, batch, flash, is_embedding, vocabulary)
        ways.append(Way(batch, kv, windowed_kv, compute))
        if account is not Account.LOGS or is_embedding or batch <= BATCH:
            break
        batch = lower_batch(batch)
    return Costs(
        version=version,
        account=account,
        shape=shape,
        vocabulary=vocabulary,
        context=context,
        parallel=parallel,
        flash=flash,
        kv_type=kv_type,
        is_embedding=is_embedding,
        state=state_bytes(shape, account, in_engine, parallel),
        ways=tuple(ways),
    )


def in_ram(costs: Costs, a: Architecture) -> Costs:
    """The same where all of it lies in RAM, for the kinds of which that is known to take less."""
    if (
        costs.account is not Account.ENGINE
        or plain(a.kind) != "qwen3"
        or not (costs.flash and a.feed_forward)
    ):
        return costs
    compute = engine_compute_in_ram(costs.shape, a.feed_forward, padded(costs.context * costs.parallel))
    return replace(costs, ways=tuple(replace(way, compute=compute) for way in costs.ways))


def _is_first_deepseek(a: Architecture) -> bool:
    """DeepSeek V2 and Coder V2, whose tokenizer Ollama's own engine does not know (model/models/deepseek2)
    [C]: their vocabulary tells them apart.
    """
    return plain(a.kind) == "deepseek2" and a.vocabulary == 102400


def _first_batch(account: Account, tokens: int, asked: bool | None, is_embedding: bool) -> int:
    if is_embedding:
        return min(tokens, _EMBED_BATCH) if account is Account.LOGS else tokens
    if account is not Account.LOGS:
        return BATCH
    return BATCH if asked is False else generation_batch(tokens)


def _compute(
    kind: str,
    shape: Shape,
    account: Account,
    in_engine: bool,
    tokens: int,
    batch: int,
    flash: bool,
    is_embedding: bool,
    vocabulary: int,
) -> int:
    if rules_of(kind).is_encoder and in_engine and not flash:
        return encoder_compute(kind, shape, tokens)
    if rules_of(kind).is_encoder:
        return embedding_compute(shape, min(tokens, batch), flash)
    if account is Account.LOGS or is_embedding:
        return server_compute(shape, tokens, min(batch, _EMBED_BATCH), flash)
    if in_engine:
        return engine_compute(kind, shape, tokens, flash)
    return runner_compute(shape, tokens, vocabulary, flash)
