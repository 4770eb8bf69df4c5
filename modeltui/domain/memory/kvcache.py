"""How many bytes a model keeps for its context: KV cache, windows, latent vectors, recurrent state."""

from dataclasses import dataclass
from functools import lru_cache

from modeltui.domain.memory.architecture import Architecture
from modeltui.domain.memory.eras import Account
from modeltui.domain.memory.kinds import plain, rules_of
from modeltui.domain.memory.serving import KvType

# Real bytes an element: blocks of 32 with their scale, 34 and 18 bytes (ggml) [C].
REAL_BYTES = {KvType.F16: 2.0, KvType.Q8_0: 34 / 32, KvType.Q4_0: 18 / 32}
# What the estimate of servers before 0.30 takes (kvCacheBytesPerElement) [C].
NOMINAL_BYTES = {KvType.F16: 2.0, KvType.Q8_0: 1.0, KvType.Q4_0: 0.5}

# Ollama's own engine keeps 4096 tokens of a windowed layer for these kinds (NewSWAMemCache) [C].
_MEMORY = {"gptoss": 4096, "gemma4": 4096}
# Whole contexts in windowed layers all the same: chunked attention of the engine [C].
_CHUNKED = frozenset(("llama4",))
_ENGINE_BATCH = 512
# kvcache/recurrent.go keeps 24 checkpoints beside the state itself [C]; no arch without conv and state has
# them.
_CHECKPOINTS = 24
# A latent vector and the rotated part beside it, of every published model with one [K].
_LATENT_RANK, _LATENT_ROPE = 512, 64
_MOST_LAYERS = 65536
_VISION_TOKENS, _VISION_TILES = 1601, 4


@dataclass(frozen=True, slots=True)
class Shape:
    """Sums over the layers, once a model: elements a token for layers that see all, and for those with a
    window.

    `state` is bytes of recurrent state a sequence, `cross` bytes of what is kept of an image, `first` the
    elements of layer 0, which the estimate of old servers takes as its buffer. `latent_value` is what
    Ollama's own engine keeps beside a latent vector, as V.
    """

    whole: int
    windowed: int
    window: int
    uniform: int
    state: int
    cross: int
    first: int
    is_first_windowed: bool
    heads: int
    kv_heads: int
    least_kv_heads: int
    key: int
    value: int
    layers: int
    embedding: int
    latent_value: int


@lru_cache(maxsize=2048)
def shape_of(architecture: Architecture) -> Shape:
    """Sums of a model's layers. Never fails: what is unknown counts as an ordinary model's (head of 128, 8
    KV heads).
    """
    a = architecture
    rules = rules_of(a.kind)
    layers = min(max(0, a.layers), _MOST_LAYERS)
    embedding = max(1, a.embedding or 4096)
    heads = max(1, a.heads or embedding // 128)
    key = max(1, a.key_length or embedding // heads)
    value = max(1, a.value_length or key)
    counts = tuple(max(0, count) for count in a.kv_heads) or (min(8, heads),) * layers
    window = a.sliding_window or (rules.window if rules.full_every > 1 else None) or 0
    every = rules.full_every
    whole = windowed = first = 0
    is_first_windowed = False
    owners = layers - min(a.shared_layers, layers)
    for i in range(layers):
        each = counts[i] if i < len(counts) else counts[-1]
        is_windowed = bool(window) and (
            a.windowed[i] if i < len(a.windowed) else every > 1 and (i + 1) % every != 0
        )
        if a.is_latent:
            elements = (a.kv_lora_rank or _LATENT_RANK) + (a.rope_dimensions or _LATENT_ROPE)
        elif is_windowed and a.window_key_length:
            elements = each * (a.window_key_length + (a.window_value_length or a.window_key_length))
        else:
            elements = each * (key + value)
        if i == 0:
            first, is_first_windowed = elements, is_windowed
        if i >= owners:
            continue
        if is_windowed:
            windowed += elements
        else:
            whole += elements
    biggest = max(counts, default=1)
    attending = [count for count in counts if count > 0]
    recurrent = layers - len(attending) if len(counts) >= layers else 0
    cross_layer = biggest * (key + value) * 4 * _VISION_TOKENS * _VISION_TILES
    cross = 0
    if a.cross_layers:
        # Layers that look at the image keep 32 bit of its tokens and nothing of the text (GraphSize,
        # mllama) [C].
        cross = a.cross_layers * cross_layer
        whole -= min(whole, a.cross_layers * biggest * (key + value))
    return Shape(
        whole=whole,
        windowed=windowed,
        window=window,
        uniform=max(0, layers - a.cross_layers) * biggest * (key + value),
        state=recurrent * _state(a, embedding, heads, key) if recurrent else 0,
        cross=cross,
        first=first,
        is_first_windowed=is_first_windowed,
        heads=heads,
        kv_heads=max(1, biggest),
        least_kv_heads=max(1, min(counts, default=1)),
        key=key,
        value=value,
        layers=layers,
        embedding=embedding,
        latent_value=layers * (a.kv_lora_rank or _LATENT_RANK) if a.is_latent else 0,
    )


def _state(a: Architecture, embedding: int, heads: int, key: int) -> int:
    """Bytes of one recurrent layer a sequence, 32 bit: ((conv-1)*(inner+2*groups*state) + state*inner) * 4
    [C].
    """
    rules = rules_of(a.kind)
    conv = (a.conv_kernel or rules.conv_kernel) - 1
    if rules.is_convolution_only:
        return 4 * conv * embedding
    # Published configurations: linear attention of Qwen is as wide as its heads, Mamba-2 twice the
    # embedding [K].
    is_linear = plain(a.kind).startswith(("qwen3next", "qwen35"))
    inner = a.inner_size or (heads * key if is_linear else rules.expansion * embedding)
    state = a.state_size or rules.state_size
    groups = a.group_count or rules.group_count
    return 4 * (conv * (inner + 2 * groups * state) + state * inner)


def padded(tokens: int) -> int:
    """Cells come in 256s."""
    return -(-max(0, tokens) // 256) * 256


def real_cells(
    kind: str, shape: Shape, account: Account, in_engine: bool, context: int, parallel: int, batch: int
) -> tuple[int, int]:
    """Cells that layers really keep: (those that see all, those with a window)."""
    whole = padded(context * parallel)
    if not shape.windowed:
        return whole, 0
    if account is Account.LOGS:
        # llama_kv_cache_iswa: min(all, window * sequences + ubatch), padded to 256 [C].
        return whole, min(whole, padded(shape.window * parallel + batch))
    if in_engine and plain(kind) not in _CHUNKED:
        # kvcache/causal.go: memory * sequences + batch; all of it where that would be no less [C].
        memory = max(shape.window + (1 if parallel > 1 else 0), _MEMORY.get(plain(kind), 0))
        return whole, whole if memory >= context else min(whole, padded(memory * parallel + _ENGINE_BATCH))
    # The old llama runner asks for full-size windows (swa_full) [C].
    return whole, whole


def state_bytes(shape: Shape, account: Account, in_engine: bool, parallel: int) -> int:
    """Recurrent state of all sequences; Ollama's own engine keeps 24 checkpoints of each beside it."""
    copies = 1 + _CHECKPOINTS if in_engine and account is Account.ENGINE else 1
    return shape.state * parallel * copies + shape.cross * parallel


def nominal_bytes(
    kind: str,
    shape: Shape,
    context: int,
    parallel: int,
    batch: int,
    bits: float,
    windows: bool,
    recurrent: bool,
) -> tuple[int, int]:
    """(all layers, layer 0) of the KV cache as GraphSize of fs/ggml/ggml.go counts it [C].

    `windows`: gemma3's are known; `recurrent`: layers without a cache are.
    """
    tokens = context * parallel
    name = plain(kind)
    if name == "gptoss":
        cells = parallel * 4096 + batch
    elif name == "gemma3" and windows:
        cells = parallel * shape.window + batch
    else:
        if not recurrent:
            first = shape.kv_heads * (shape.key + shape.value)
            return int(tokens * shape.uniform * bits) + shape.cross, int(tokens * first * bits)
        text = int(tokens * (shape.whole + shape.windowed) * bits)
        return text + shape.state + shape.cross, int(tokens * shape.first * bits)
    total = int((tokens * shape.whole + cells * shape.windowed) * bits)
    return total, int((cells if shape.is_first_windowed else tokens) * shape.first * bits)
