"""How fast a placed model would answer: a number, its band, what it rests on; measured beats estimated."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from operator import mul
from statistics import median
from typing import TYPE_CHECKING

from modeltui.domain.advice.rates import (
    Calibration,
    Rates,
    is_moe,
    parameters_of,
    rates_of,
    tokens_per_second,
)
from modeltui.domain.machines.machine import Machine
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.units import size

if TYPE_CHECKING:
    from modeltui.domain.memory.estimate import Placement

FILLED_SHARE, FILLED_MOST = 0.25, 8192
"""A speed is that of a conversation that fills a quarter of its context, at most 8k tokens."""

CALIBRATION_LEAST, CALIBRATION_MOST = 0.25, 3.0
"""A server's own measurements move estimates no further: beyond it something else was measured."""

# Operations a second on prompts that a card was seen to reach, counting 2 a parameter and token, by a word of
# its name. Source: github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference, prompts of LLaMA 3 8B Q4_K_M.
_PROMPT_FLOPS = (
    *(("3080 ti", 57e12), ("4070 ti", 58e12), ("3070", 37e12), ("3080", 57e12), ("3090", 62e12)),
    *(("4080", 81e12), ("4090", 110e12), ("a6000", 58e12), ("6000 ada", 89e12), ("4000 ada", 37e12)),
    *(("5000 ada", 71e12), ("l40s", 95e12), ("a40", 52e12), ("a100", 93e12), ("h100", 124e12)),
    *(("m1 max", 5.7e12), ("m2 ultra", 16.4e12), ("m3 max", 10.9e12)),
)
# Of a CPU core with AVX2. Source: github.com/ggml-org/llama.cpp/issues/34 (13900K: 33.7 tokens/s of a 7B
# model's prompt on 8 cores).
_CORE_FLOPS = 50e9


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second, with a band; `prompt` apart. None is unknown.

    `is_measured`: a measurement of this very server; its band is then its spread. `basis` says in words what
    it rests on.
    """

    tokens: float | None
    low: float | None = None
    high: float | None = None
    prompt: float | None = None
    is_measured: bool = False
    basis: str = ""


def speed(
    placement: "Placement",
    facts: Facts,
    machine: Machine,
    calibration: Calibration | None = None,
    *,
    rates: Rates | None = None,
    used: int | None = None,
) -> Speed:
    """Tokens a second of a model that lies as `placement` says; unknown where it does not fit.

    `used`: tokens that fill the context, else a quarter of it (FILLED_SHARE). The low end of the band is that
    of a full context.
    """
    if facts.is_embedding:
        prompt = prompt_speed(placement, facts, machine)
        return Speed(None, prompt=prompt, basis="an embedding model generates no text")
    if placement.kind not in ("gpu", "split", "cpu"):
        return Speed(None, basis="it does not fit")
    rates = rates or rates_of(machine, calibration)
    context = placement.needs.context
    tokens = _at(rates, placement, facts, filled(context) if used is None else used)
    if tokens is None or not isfinite(tokens):
        return Speed(None, basis="how much one token reads is unknown")
    full = _at(rates, placement, facts, context) or tokens
    low, high = _band(rates, placement)
    return Speed(
        tokens,
        low=min(tokens, full) * low,
        high=tokens * high,
        prompt=prompt_speed(placement, facts, machine),
        basis=f"estimated: {_basis(rates, placement)}",
    )


def tokens_placed(rates: Rates, placement: "Placement", facts: Facts) -> float | None:
    """Only the number of `speed`: None for what generates nothing or does not fit."""
    if facts.is_embedding or placement.kind not in ("gpu", "split", "cpu"):
        return None
    return _at(rates, placement, facts, filled(placement.needs.context))


def prompt_speed(placement: "Placement", facts: Facts, machine: Machine) -> float | None:
    """Prompt tokens a second, roughly: reading prompts is bound by computing, not by memory.

    Operations that the hardware was seen to reach, over 2 a parameter; None for hardware nobody measured, and
    for a model that is split.
    """
    _, active = parameters_of(facts)
    if not active:
        return None
    if placement.kind == "cpu":
        return machine.cores * _CORE_FLOPS / (2 * active) if machine.cores else None
    if placement.kind != "gpu" or not machine.cards:
        return None
    name = machine.cards[0].name.casefold()
    if "laptop" in name or "mobile" in name or "max-q" in name:
        return None
    return next((flops / (2 * active) for word, flops in _PROMPT_FLOPS if word in name), None)


def filled(context: int) -> int:
    """Tokens that a conversation is taken to fill of its context."""
    return min(int(context * FILLED_SHARE), FILLED_MOST)


def calibrated(pairs: Iterable[tuple[float, float]]) -> Calibration | None:
    """From (measured, estimated) tokens a second of one server: the median of their quotients, clamped.

    None without a usable row. One is enough: a machine is off by the same factor for most models.
    """
    quotients = [
        seen / estimated
        for seen, estimated in pairs
        if seen > 0 and estimated > 0 and isfinite(seen / estimated)
    ]
    if not quotients:
        return None
    return Calibration(min(CALIBRATION_MOST, max(CALIBRATION_LEAST, median(quotients))), len(quotients))


def measured(
    tokens: Iterable[float], prompts: Iterable[float] = (), *, words: str = "measured here"
) -> Speed | None:
    """The speed that a server was seen to reach: median and spread; None without a measurement."""
    seen = sorted(rate for rate in tokens if rate > 0 and isfinite(rate))
    if not seen:
        return None
    prompt = [rate for rate in prompts if rate > 0 and isfinite(rate)]
    return Speed(
        *(median(seen), seen[0], seen[-1], median(prompt) if prompt else None), is_measured=True, basis=words
    )


def _at(rates: Rates, placement: "Placement", facts: Facts, used: int) -> float | None:
    """The speed once `used` tokens fill the context: a layer's cache lies where the layer does."""
    needs, layers = placement.needs, placement.layers
    if placement.gpu_bytes_read + placement.ram_bytes_read <= 0:
        return None
    kv = needs.kv * min(1.0, used / max(1, needs.context))
    in_vram = kv * placement.layers_on_gpu / layers if layers else 0.0
    in_ram = placement.ram_bytes_read + kv - in_vram
    in_vram += placement.gpu_bytes_read
    if rates.each and placement.vram:  # cards of different bandwidth: what counts is which of them hold it
        cost = sum(map(mul, placement.by_card, rates.each)) / max(1, sum(placement.by_card))
        in_vram *= cost / rates.card_byte
    return tokens_per_second(rates, in_vram, in_ram, placement.layers_on_gpu, layers, is_moe(facts))


def _band(rates: Rates, placement: "Placement") -> tuple[float, float]:
    """Of the places that it is read from, the widest."""
    bands = [rates.card_band] if placement.kind != "cpu" else []
    if placement.kind != "gpu":
        bands.append(rates.ram_band)
    return min(low for low, _ in bands), max(high for _, high in bands)


def _basis(rates: Rates, placement: "Placement") -> str:
    found = []
    if placement.kind != "cpu":
        found.append(f"{size(placement.gpu_bytes_read)} a token from {rates.card_words}")
    if placement.kind != "gpu":
        found.append(f"{size(placement.ram_bytes_read)} a token from {rates.ram_words}")
    return "; ".join([*found, *([rates.factor_words] if rates.factor_words else [])])
