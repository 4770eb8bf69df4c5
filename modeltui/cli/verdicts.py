"""Verdicts as JSON: what `check` prints, and what other commands show of a fit."""

from typing import Any

from modeltui.domain.advice.speed import Speed
from modeltui.domain.advice.suitability import Suitability
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.memory.estimate import Needs, Placement
from modeltui.domain.memory.serving import Serving


def verdict_shape(verdict: Verdict) -> dict[str, Any]:
    """The JSON of a verdict; null is unknown."""
    placement, fit = verdict.placement, verdict.fit
    return {
        "name": verdict.name,
        "fit": fit.kind.value,
        "score": fit.score,
        "context": verdict.context or None,
        "largest_context": verdict.largest_context,
        "needs": _needs_shape(placement.needs) if placement else None,
        "placement": _placement_shape(placement) if placement else None,
        "speed": speed_shape(verdict.speed),
        "parts": [
            {
                "name": part.name,
                "points": part.points,
                "most": part.most,
                "why": part.why,
                "mend": part.mend or None,
            }
            for part in fit.parts
        ],
        "mends": list(fit.mends),
        "source": verdict.facts.source if verdict.facts else None,
        "assumptions": list(verdict.notes),
    }


def speed_shape(speed: Speed) -> dict[str, Any]:
    return {
        "tokens_per_s": _rounded(speed.tokens),
        "low": _rounded(speed.low),
        "high": _rounded(speed.high),
        "prompt_tokens_per_s": _rounded(speed.prompt),
        "measured": speed.is_measured,
        "basis": speed.basis,
    }


def machine_shape(known: KnownMachine) -> dict[str, Any]:
    machine = known.machine
    return {
        "source": known.words,
        "why": known.why or None,
        "simulated": machine is not None and machine.origin.value == "simulated",
        "cards": None if machine is None else [_card_shape(card) for card in machine.cards],
        "ram_total": machine.ram_total if machine else None,
        "ram_free": machine.ram_free if machine else None,
        "ram_held": machine.ram_held if machine else None,
    }


def _card_shape(card: Any) -> dict[str, Any]:
    return {
        "name": card.name,
        "total": card.total,
        "free": card.free,
        "held": card.held,
        "bandwidth": card.bandwidth,
        "bandwidth_assumed": card.is_bandwidth_assumed,
    }


def serving_shape(serving: Serving) -> dict[str, Any]:
    return {
        "version": ".".join(map(str, serving.version)) if serving.version else None,
        "num_parallel": serving.num_parallel,
        "kv_cache_type": serving.kv_type.value,
        "flash_attention": serving.flash_attention,
        "gpu_overhead": serving.gpu_overhead,
        "default_context": serving.default_context,
        "sources": dict(serving.sources),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _needs_shape(needs: Needs) -> dict[str, int]:
    return {
        "total": needs.total,
        "low": needs.low,
        "high": needs.high,
        "weights": needs.weights,
        "kv": needs.kv,
        "state": needs.state,
        "compute": needs.compute,
        "projector": needs.projector,
        "overhead": needs.overhead,
        "embedding_in_ram": needs.embedding_in_ram,
        "printed": needs.printed,
    }


def _placement_shape(placement: Placement) -> dict[str, Any]:
    return {
        "vram": placement.vram,
        "ram": placement.ram,
        "by_card": list(placement.by_card),
        "layers_on_gpu": placement.layers_on_gpu,
        "layers": placement.layers,
        "headroom": placement.headroom,
    }


def suitability_shape(suited: Suitability) -> dict[str, Any]:
    """How suitable a model is for one task; a null value is no evidence."""
    return {
        "task": suited.task.value,
        "value": suited.value,
        "low": suited.low,
        "high": suited.high,
        "source": suited.source,
        "why": suited.why,
    }
