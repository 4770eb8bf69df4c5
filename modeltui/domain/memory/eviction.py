"""Which loaded models a server would put out for another one, by the server's own rule; not what is needed.

From 0.30 on a server counts by `PredictServerVRAM` (llm/llama_server.go) [C]: the file and a KV cache of all
layers in 16 bit, and a surcharge for larger batches; it takes no more than 80 % of what is free. Earlier ones
count what they print, against all that is free. Idle models go, the shortest keep-alive first
(server/sched.go, ByDurationAndName) [C]: `/api/ps` tells its end only, so the one that ends first goes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.machines.machine import Machine
from modeltui.domain.memory import eras
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.estimate import printed
from modeltui.domain.memory.graphs import generation_batch
from modeltui.domain.memory.serving import Serving
from modeltui.domain.memory.shapes import guessed_shape
from modeltui.domain.models import LoadedModel

TAKEN_SHARE = 0.8  # of what is free, by servers from 0.30 on
_SURCHARGES = {1024: 768 << 20, 2048: 2 << 30}  # bytes by batch
_LLAMA_SERVER = (0, 30, 0)
_MOST_A_CARD = 3  # OLLAMA_MAX_LOADED_MODELS where nobody sets it: so many a GPU, or on the CPU


@dataclass(frozen=True, slots=True)
class Eviction:
    """What a server would do: `counted` bytes for the new model, `room` it would take of what is free now.

    `most`: so many models it keeps loaded. `unloads` go, in this order; none where there is room beside all.
    """

    counted: int
    room: int
    most: int
    unloads: tuple[LoadedModel, ...]


def counted(facts: Facts, context: int, serving: Serving, machine: Machine) -> int:
    """Bytes that the server counts for a model at `context` tokens a request, before it loads it."""
    version = eras.version_of(serving)
    if version < _LLAMA_SERVER:
        kind = FitKind.GPU if machine.cards else FitKind.CPU
        return printed(facts, context, serving, kind, machine.cards[:1])
    shape = facts.architecture or guessed_shape(facts.parameters or int(max(0, facts.file) / 0.6))
    limit = facts.trained_context or shape.trained_context
    context = min(context, limit) if limit else context
    tokens = context * eras.parallel_of(shape.kind, facts.is_embedding or shape.is_embedding, serving)
    surcharge = _SURCHARGES.get(generation_batch(tokens), 0)
    return facts.file + 2 * shape.layers * _least_heads(shape) * _head(shape) * tokens * 2 + surcharge


def evicted(
    facts: Facts, context: int, serving: Serving, machine: Machine, loaded: Sequence[LoadedModel]
) -> Eviction:
    """What would go for a model. `loaded` are the others; `machine` is as it is now, with them in memory."""
    wanted = counted(facts, context, serving, machine)
    share = TAKEN_SHARE if eras.version_of(serving) >= _LLAMA_SERVER else 1.0
    free = sum(max(0, card.free) for card in machine.cards) if machine.cards else machine.ram_free
    most = serving.max_loaded or _MOST_A_CARD * max(1, len(machine.cards))
    rest = sorted(loaded, key=lambda row: (row.expires_at is None, row.expires_at or 0, row.sent))
    room, gone = int(free * share), []
    while rest and (len(rest) >= most or wanted > int(free * share)):
        row = rest.pop(0)
        gone.append(row)
        free += (row.vram if machine.cards else row.size) or 0
    return Eviction(wanted, room, most, tuple(gone))


def _least_heads(shape: Architecture) -> int:
    """Of the layers that have a cache: files of hybrids name one number for all layers."""
    return min((heads for heads in shape.kv_heads if heads), default=shape.heads or 1)


def _head(shape: Architecture) -> int:
    return (shape.embedding or 0) // max(1, shape.heads or 1)
