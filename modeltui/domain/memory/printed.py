"""What a server's own account of a model would say (`size` of `/api/ps`), by its era; never what it needs."""

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.memory import eras
from modeltui.domain.memory.architecture import Architecture
from modeltui.domain.memory.costs import Costs, Way, in_ram
from modeltui.domain.memory.eras import Account
from modeltui.domain.memory.graphs import BATCH, MIB, embedding_inputs, printed_graph
from modeltui.domain.memory.kinds import plain, rules_of
from modeltui.domain.memory.kvcache import NOMINAL_BYTES, nominal_bytes
from modeltui.domain.memory.weights import Weights

# MinimumMemory of discover/: CUDA and ROCm, Metal [C]. Where the platform is not known: 512 for a model
# wholly on the GPU [F, 21 of 23 rows with exact sizes], 457 for a split one (Metal's memory is one) [F, 4
# of 4].
_MINIMUM, _MINIMUM_METAL = 457 * MIB, 512 * MIB
# The first layer of Q4_K_M is 1.10 of a mean one: more bits [F, rows with exact sizes].
_FIRST_LAYER = 1.10
_CPU_CHARGED_UNTIL = (0, 2, 0)

# Vision graphs of the estimate in bytes (VisionGraphSize with the published towers) [C]: gemma3 of 896
# pixels in patches of 14, 16 heads; qwen25vl of 1003520 pixels; mllama of 560 in 4 tiles.
_VISION_GRAPHS = {"gemma3": 1_083_000_000, "qwen25vl": 1_740_000_000, "mllama": 2_990_000_000}
# mistral3 of 1540 pixels: predicted, never allocated [F, rows of ministral-3].
_PREDICTED_GRAPHS = {"mistral3": 9_400_000_000}


def printed_size(
    a: Architecture,
    weights: Weights,
    costs: Costs,
    kind: FitKind = FitKind.GPU,
    cards: int = 1,
    is_metal: bool | None = None,
    way: Way | None = None,
) -> int:
    """Bytes that the server will print. `kind`: wholly on the GPU, split or on the CPU; `cards` that are
    used.

    `is_metal` None: the platform is not known. `way`: the one that it runs with, else the one it prefers.
    """
    if costs.account is Account.ESTIMATE:
        return _estimate(a, weights, costs, kind, max(1, cards), is_metal)
    if costs.account is Account.RUNNER:
        return _runner(a, weights, costs, kind, max(1, cards), is_metal)
    if costs.account is Account.ENGINE:
        costs = in_ram(costs, a) if kind is FitKind.CPU else costs
        return _engine(a, weights, costs, kind, max(1, cards))
    return _logs(weights, costs, way or costs.ways[0], kind, max(1, cards))


def _nominal(a: Architecture, costs: Costs, batch: int) -> tuple[int, int]:
    bits = NOMINAL_BYTES[costs.kv_type]
    windows, recurrent = eras.counts_gemma3_windows(costs.version), eras.knows_recurrent(costs.version)
    return nominal_bytes(a.kind, costs.shape, costs.context, costs.parallel, batch, bits, windows, recurrent)


def _graph(a: Architecture, costs: Costs, batch: int, kv: int) -> tuple[int, int]:
    tokens = costs.context * costs.parallel
    return printed_graph(
        a.kind,
        costs.shape,
        costs.vocabulary,
        tokens,
        costs.parallel,
        batch,
        kv,
        costs.flash,
        costs.version,
        a.experts or 0,
        a.feed_forward or 0,
    )


def _vision_graph(a: Architecture, weights: Weights) -> int:
    return _VISION_GRAPHS.get(plain(a.kind), 0) if weights.vision else 0


def _estimate(
    a: Architecture, weights: Weights, costs: Costs, kind: FitKind, cards: int, is_metal: bool | None
) -> int:
    batch = min(costs.context, BATCH)
    kv, first_kv = _nominal(a, costs, batch)
    partial, full = _graph(a, costs, batch, kv)
    graph = full if kind is not FitKind.SPLIT and (cards == 1 or is_metal) else partial
    if is_metal:
        graph = full
    layer = max(
        0,
        weights.tensors
        - weights.vision
        - weights.per_layer
        - weights.embedding
        - (0 if weights.is_tied else weights.output),
    )
    buffer = int(layer / max(1, a.layers) * _FIRST_LAYER) + first_kv
    seems_metal = kind is FitKind.GPU if is_metal is None else is_metal
    minimum = _MINIMUM_METAL if seems_metal else _MINIMUM
    if kind is FitKind.CPU:
        minimum = _MINIMUM if costs.version < _CPU_CHARGED_UNTIL else 0
    rows = weights.per_layer if weights.reads_rows_on_gpu else 0
    body = weights.on_gpu - rows + weights.vision
    vision = _vision_graph(a, weights) or (_PREDICTED_GRAPHS.get(plain(a.kind), 0) if weights.vision else 0)
    return body + weights.projector + kv + vision + cards * (minimum + buffer + graph)


def _runner(
    a: Architecture, weights: Weights, costs: Costs, kind: FitKind, cards: int, is_metal: bool | None
) -> int:
    batch = costs.context if costs.is_embedding else BATCH
    kv, _ = _nominal(a, costs, batch)
    partial, full = _graph(a, costs, batch, kv)
    rows = weights.per_layer if weights.reads_rows_on_gpu else 0
    body = weights.on_gpu - rows + weights.vision
    if kind is FitKind.CPU:
        return body + kv
    return body + kv + cards * (partial if kind is FitKind.SPLIT and not is_metal else full)


def _engine(a: Architecture, weights: Weights, costs: Costs, kind: FitKind, cards: int) -> int:
    # Where a file has no output the embedding is taken for one, by encoders too (ml/backend/ggml) [C, V].
    is_output = not costs.is_embedding if weights.is_tied else rules_of(a.kind).is_encoder
    again = weights.embedding if is_output else 0
    tokens = costs.context * costs.parallel
    if rules_of(a.kind).is_embedding:
        inputs = 0 if kind is FitKind.CPU else embedding_inputs(costs.shape, tokens)
        graph = costs.ways[0].compute + inputs
    else:
        graph = costs.ways[0].compute
    return (
        weights.tensors
        + weights.projector
        + again
        + costs.ways[0].kv
        + costs.state
        + _vision_graph(a, weights)
        + cards * graph
    )


def _logs(weights: Weights, costs: Costs, way: Way, kind: FitKind, cards: int) -> int:
    # Two lines of one name, of which the second, the windows', is kept (memoryBufferKey) [C].
    kv = way.windowed_kv or way.kv
    if kind is FitKind.GPU:
        return weights.on_gpu + kv + costs.state + cards * way.compute
    return weights.tensors - weights.vision + kv + costs.state + cards * way.compute
