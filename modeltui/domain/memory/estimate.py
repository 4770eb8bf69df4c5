"""How much memory a model takes, by part and by place; pure arithmetic on facts, for any machine."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.rates import weights_read
from modeltui.domain.machines.machine import Backend, Card, Machine
from modeltui.domain.memory import eras
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.assumptions import assumptions_of
from modeltui.domain.memory.costs import LEAST_CONTEXT, Costs, Way, costs_of
from modeltui.domain.memory.eras import Account
from modeltui.domain.memory.graphs import context_overhead
from modeltui.domain.memory.placing import Load, Room, lay
from modeltui.domain.memory.printed import printed_size
from modeltui.domain.memory.serving import Serving
from modeltui.domain.memory.shapes import guessed_shape
from modeltui.domain.memory.weights import Weights, divide, tower_bytes

# Working memory of the vision part beside its weights: what a server sets aside for it
# (mmprojOffloadHeadroom of llm/llama_server.go) [C].
_VISION_COMPUTE = 1 << 30
# What llama-server leaves free of each card (fit_params_target of llama.cpp's common.h), within which the
# part that sees works; MinimumMemory of the servers before it, of which a driver's context is a part [C].
_MARGIN, _OLD_MARGIN = 1 << 30, 157 << 20
_LONGEST = 1 << 24
_STEP = 256


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes that a model takes at a context, by part, wholly on the GPU (in RAM on a machine without one).

    `printed` is what the server's own account (`/api/ps` size) would say, of a placement as it lies; `total`
    what its cards really give: weights, kv, state, compute, projector and overhead. `embedding_in_ram` comes
    on top, in RAM. `low` and `high` are the band of `total`. `assumptions` are words, made when read.
    """

    weights: int
    kv: int
    state: int
    compute: int
    projector: int
    overhead: int
    embedding_in_ram: int
    total: int
    low: int
    high: int
    printed: int
    context: int
    asked: tuple[Facts, Architecture, Costs, Serving] | None = field(default=None, repr=False, compare=False)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, each in a sentence."""
        return assumptions_of(*self.asked) if self.asked else ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model's bytes would lie on a machine. `vram` + `ram` is all that is really used.

    `by_card` are bytes on each card, `layers_on_gpu` of `layers` (the output layer is one of them and goes
    last). `headroom` is what stays free where it matters (bytes; negative where it does not fit): of the
    cards for gpu and split, of RAM for cpu, of both for no; counted with the server's smallest batch, so
    that it never falls as VRAM grows. `gpu_bytes_read` and `ram_bytes_read` are weights read for each token
    (active experts only).
    """

    kind: FitKind
    needs: Needs
    vram: int
    ram: int
    by_card: tuple[int, ...]
    layers_on_gpu: int
    layers: int
    headroom: int
    gpu_bytes_read: int
    ram_bytes_read: int


def needs(facts: Facts, context: int, serving: Serving, cards: Sequence[Card] = ()) -> Needs:
    """What a model takes wholly on the GPU at `context` tokens a request. `cards`: those it would lie on
    (none: one, usual).

    Never raises; a context above the model's own is cut as the server would. Formulas: costs, kvcache,
    graphs, weights.
    """
    a = _shape(facts)
    serving = eras.for_cards(serving, cards)
    costs = _costs(facts, a, context, serving)
    return _needs(facts, a, divide(facts, a), costs, serving, costs.ways[0], tuple(cards) or (None,))


def place(facts: Facts, context: int, serving: Serving, machine: Machine) -> Placement:
    """Where a model would lie on a machine: on as few cards as hold it, else split by layers, else in RAM,
    else not at all.

    A card has what is free or held by this server, less `gpu_overhead` (`OLLAMA_GPU_OVERHEAD`, which
    llama-server is not told of: from 0.30 on it moves the default context only [C]) and the server's margin.
    A model whose RAM part is larger than the free RAM is "no": it would be read from disk for every token.
    """
    a = _shape(facts)
    serving = eras.for_cards(serving, machine.cards)
    costs = _costs(facts, a, context, serving)
    weights = divide(facts, a)
    vision = _vision(weights)
    old = max(0, serving.gpu_overhead), _OLD_MARGIN
    kept, margin = (0, _MARGIN) if costs.account is Account.LOGS else old
    held = sum(max(0, card.held) for card in machine.cards) if machine.is_unified else 0
    room = Room(
        [max(0, min(card.free + max(0, card.held), card.total) - kept) for card in machine.cards],
        [_overhead(card) for card in machine.cards],
        margin,
        max(0, min(machine.ram_total, machine.ram_free + machine.ram_held + held)),
        machine.is_unified,
    )
    load = Load(
        layers=max(1, a.layers),
        layer_bytes=weights.on_gpu - weights.beside_layers,
        output=weights.beside_layers,
        output_in_ram=weights.beside_layers - (weights.output if weights.is_tied else 0),
        vision=vision,
        working=_VISION_COMPUTE if vision else 0,
        always_in_ram=weights.in_ram,
        state=costs.state,
        ways=costs.ways,
    )
    laid = lay(load, room)
    used = (
        tuple(card for card, taken in zip(machine.cards, laid.by_card, strict=True) if taken) or machine.cards
    )
    # Embeddings of every layer are looked up, not read; the active count of such models leaves out just them.
    read = weights.on_gpu - weights.beside_layers + weights.output
    read = read if weights.per_layer else weights_read(facts, read)
    if laid.is_output_on_gpu:
        on_gpu = read
    else:
        of_layers = load.layer_bytes / max(1, load.layer_bytes + weights.output)
        on_gpu = int(read * of_layers * laid.layers / load.layers)
    return Placement(
        kind=laid.kind,
        needs=_needs(facts, a, weights, costs, serving, laid.way, used, laid.kind),
        vram=laid.vram,
        ram=laid.ram,
        by_card=laid.by_card,
        layers_on_gpu=laid.layers,
        layers=load.layers + 1,
        headroom=laid.headroom,
        gpu_bytes_read=on_gpu,
        ram_bytes_read=read - on_gpu,
    )


def printed(
    facts: Facts, context: int, serving: Serving, kind: FitKind = FitKind.GPU, cards: Sequence[Card] = ()
) -> int:
    """Bytes that `/api/ps` will say for a model that lies so (gpu, split or cpu) on `cards`; not what is
    needed.
    """
    a = _shape(facts)
    serving = eras.for_cards(serving, cards)
    costs = _costs(facts, a, context, serving)
    metal = cards[0].backend is Backend.METAL if cards else None
    return printed_size(a, divide(facts, a), costs, kind, max(1, len(cards)), metal)


def largest_context(
    facts: Facts, serving: Serving, machine: Machine, kind: FitKind = FitKind.GPU
) -> int | None:
    """The largest context (tokens a request, in steps of 256) at which the model still runs as `kind` or
    better.

    At most the model's own; None where not even the smallest does.
    """
    rank = _RANKS[kind]

    def fits(tokens: int) -> bool:
        return _RANKS[place(facts, tokens, serving, machine).kind] >= rank

    most = (
        facts.trained_context
        or (facts.architecture.trained_context if facts.architecture else None)
        or _LONGEST
    )
    most = max(LEAST_CONTEXT, min(most, _LONGEST))
    if fits(most):
        return most
    if not fits(min(_STEP, most)):
        return None
    low, high = 1, most // _STEP + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * _STEP) else (low, middle)
    return low * _STEP


def default_context(facts: Facts, serving: Serving, machine: Machine) -> int:
    """The context that the server would take by itself: `OLLAMA_CONTEXT_LENGTH`, else by its version and
    VRAM tier [C].

    Floors: gpt-oss and qwen3vl 8192 in 0.11 and 0.12, models that see 2048. From 0.30 on a tier that cannot
    be loaded is lowered once.
    """
    version = eras.version_of(serving)
    a = _shape(facts)
    trained = facts.trained_context or a.trained_context
    if serving.default_context:
        return _cut(serving.default_context, trained)
    total = sum(max(0, card.total - max(0, serving.gpu_overhead)) for card in machine.cards)
    sees = bool(facts.projector or tower_bytes(a))
    tokens = eras.floored(a.kind, version, eras.default_tier(version, total), sees, total)
    if version >= (0, 30, 0) and tokens > 4096 and place(facts, tokens, serving, machine).kind is FitKind.NO:
        tokens = 32768 if tokens > 32768 else 4096
    return _cut(tokens, trained)


_RANKS = {FitKind.UNKNOWN: 0, FitKind.NO: 1, FitKind.CPU: 2, FitKind.SPLIT: 3, FitKind.GPU: 4}


def _costs(facts: Facts, a: Architecture, context: int, serving: Serving) -> Costs:
    trained, has_projector = facts.trained_context, bool(facts.projector)
    return costs_of(a, _sane(context), serving, trained, facts.is_embedding, has_projector)


def _cut(tokens: int, trained: int | None) -> int:
    return min(tokens, trained) if trained else tokens


def _sane(context: int) -> int:
    return max(LEAST_CONTEXT, min(context, _LONGEST))


def _shape(facts: Facts) -> Architecture:
    """The model's shape; where it has none, one from its size (parameters, else 0.6 bytes a parameter as in
    Q4_K_M).
    """
    if facts.architecture is not None:
        return facts.architecture
    return guessed_shape(facts.parameters or int(max(0, facts.file) / 0.6))


def _vision(weights: Weights) -> int:
    """Bytes of the part that sees, with its working memory; 0 where there is none."""
    tensors = weights.vision + weights.projector
    return tensors + _VISION_COMPUTE if tensors else 0


def _overhead(card: Card | None) -> int:
    return context_overhead(card.total if card else None, card is not None and card.backend is Backend.METAL)


def _needs(
    facts: Facts,
    a: Architecture,
    weights: Weights,
    costs: Costs,
    serving: Serving,
    way: Way,
    cards: Sequence[Card | None],
    kind: FitKind = FitKind.GPU,
) -> Needs:
    overhead = sum(map(_overhead, cards))
    compute = way.compute * max(1, len(cards))
    projector = _vision(weights)
    on_gpu = weights.on_gpu
    total = on_gpu + way.kv + costs.state + compute + projector + overhead
    # The band: graphs to a half, a file known by two digits to 3 %, driver and padding to 2 %; where the
    # shape is a guess the cache may be a fifth (few heads, windows, latent) or three times (all heads) of
    # it.
    spread = (
        compute // 2
        + (_VISION_COMPUTE // 2 if projector else 0)
        + total // 50
        + (0 if facts.is_size_exact else facts.file * 3 // 100)
    )
    low, high = total - spread, total + spread
    if facts.architecture is None:
        low, high = low - way.kv * 4 // 5, high + 2 * way.kv + compute
    elif a.guessed:
        low, high = low - way.kv // 4, high + way.kv // 4
    first = cards[0] if cards else None
    metal = None if first is None else first.backend is Backend.METAL
    return Needs(
        weights=on_gpu,
        kv=way.kv,
        state=costs.state,
        compute=compute,
        projector=projector,
        overhead=overhead,
        embedding_in_ram=weights.in_ram,
        total=total,
        low=max(0, low),
        high=high,
        printed=printed_size(a, weights, costs, kind, len(cards), metal, way),
        context=costs.context,
        asked=(facts, a, costs, serving),
    )
