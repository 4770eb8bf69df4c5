"""A machine in seconds: what reading one byte and running one layer costs on its cards and in its RAM.

One token takes the time to read the active weights and the KV cache so far, from each place at its own speed,
and a fixed time a layer (launching its kernels, synchronising). The times of cards and RAM add up. Every
constant is fitted on the published measurements of tests/data/speed_measurements.csv, whose rows name their
sources; `python tests/validation/speed_rows.py` prints how far each one is off.
"""

from dataclasses import dataclass
from math import isfinite

from modeltui.domain.machines.cards import usual_bandwidth
from modeltui.domain.machines.machine import ASSUMED_RAM_BANDWIDTH, Backend, Card, Machine
from modeltui.domain.memory.architecture import Facts

_GB, _LEAST = 1e9, 1e6

# Share of a card's theoretical bandwidth that is reached, and seconds a layer of a dense and of an MoE model.
_REACHED = {
    Backend.CUDA: (0.86, 50e-6, 75e-6),
    Backend.ROCM: (0.88, 85e-6, 75e-6),
    Backend.METAL: (0.80, 110e-6, 100e-6),
    Backend.OTHER: (0.60, 100e-6, 150e-6),
}
_STACKED = 0.52  # of HBM (A100, H100): one request cannot keep it busy
_STACKED_FROM = 1.85e12  # bytes a second, where the compute capability is unknown
_RAM = (0.72, 60e-6, 100e-6)  # the share is of what programs see of RAM, as `Machine.ram_bandwidth` says it

# Factors of tokens a second: how far reality is from an estimate, lowest and highest.
_BAND_CARD, _BAND_RAM = (0.75, 1.3), (0.6, 1.5)
_BAND_CARD_ASSUMED, _BAND_RAM_ASSUMED = (0.45, 1.9), (0.4, 4.0)
_BAND_CALIBRATED = (0.8, 1.25)

_MXFP4_BYTES = 4.25 / 8  # a weight: 4 bits, and a scale of 8 bits for 32 of them
_EXPERT_PART = 0.93  # of the parameters of an MoE model whose active part nobody tells


@dataclass(frozen=True, slots=True)
class Calibration:
    """How this server's measured speeds compare with the estimates: a factor, from so many models."""

    factor: float
    rows: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds of a byte and of a layer, dense and MoE. Bands are factors of the tokens a second.

    `card_byte` is the mean over cards, `each` that of each one where they differ, else empty. `factor` is the
    calibration's (1.0: none). `card_words` and `ram_words` say what they rest on.
    """

    card_byte: float
    card_layer: float
    card_moe_layer: float
    ram_byte: float
    ram_layer: float
    ram_moe_layer: float
    card_band: tuple[float, float]
    ram_band: tuple[float, float]
    factor: float
    card_words: str
    ram_words: str
    factor_words: str
    each: tuple[float, ...] = ()


def rates_of(machine: Machine, calibration: Calibration | None = None) -> Rates:
    """Made once a machine. Cards of different bandwidth count by the memory that can be used on each."""
    byte, layer, moe_layer, card_band, card_words = 0.0, 0.0, 0.0, _BAND_CARD, ""
    each = []
    usable = [max(1, card.free + card.held) for card in machine.cards]
    for size, card in zip(usable, machine.cards, strict=True):
        share = size / sum(usable)
        reached, a_layer, a_moe_layer = _reached(card)
        each.append(1 / (_bandwidth(card) * reached))
        byte += share * each[-1]
        layer, moe_layer = layer + share * a_layer, moe_layer + share * a_moe_layer
    if machine.cards:
        card_words = ", ".join(dict.fromkeys(map(_words, machine.cards)))
        if any(map(_is_assumed, machine.cards)):
            card_band = _BAND_CARD_ASSUMED
    ram, ram_band, ram_words = machine.ram_bandwidth, _BAND_RAM, "RAM with {} GB/s"
    if not ram or not _is_known(ram):
        ram, ram_band = ASSUMED_RAM_BANDWIDTH, _BAND_RAM_ASSUMED
        ram_words = "RAM taken to have {} GB/s (nobody measured it)"
    factor, factor_words = 1.0, ""
    if calibration is not None:
        factor = calibration.factor
        models = "model" if calibration.rows == 1 else "models"
        factor_words = f"corrected by {calibration.rows} {models} measured here (times {factor:.2f})"
        card_band = ram_band = _BAND_CALIBRATED
    reached, ram_layer, ram_moe_layer = _RAM
    return Rates(
        card_byte=byte,
        card_layer=layer,
        card_moe_layer=moe_layer,
        ram_byte=1 / (ram * reached),
        # Never less than on a card, or a layer too many on it would be a loss.
        ram_layer=max(ram_layer, layer),
        ram_moe_layer=max(ram_moe_layer, moe_layer),
        card_band=card_band,
        ram_band=ram_band,
        factor=factor,
        card_words=card_words,
        ram_words=ram_words.format(f"{ram / _GB:.0f}"),
        factor_words=factor_words,
        each=tuple(each) if len(set(each)) > 1 else (),
    )


def tokens_per_second(
    rates: Rates, card_bytes: float, ram_bytes: float, card_layers: int, layers: int, is_moe: bool
) -> float | None:
    """Of bytes read for one token and layers, each by place; None where nothing is read."""
    if card_bytes + ram_bytes <= 0:
        return None
    if is_moe:
        fixed = card_layers * rates.card_moe_layer + (layers - card_layers) * rates.ram_moe_layer
    else:
        fixed = card_layers * rates.card_layer + (layers - card_layers) * rates.ram_layer
    return rates.factor / (card_bytes * rates.card_byte + ram_bytes * rates.ram_byte + fixed)


def weights_read(facts: Facts, weights: int) -> int:
    """Of `weights` bytes (all but the token embedding, of which one row is read) those that one token reads.

    Dense: all of them. MoE: without the experts that are not chosen. Their parameters are total minus active,
    their bytes the mean of the file, in MXFP4 files 4.25 bits each (the other tensors there are larger).
    """
    total, active = parameters_of(facts)
    if not total or not active or active >= total:
        return weights
    is_mxfp4 = (facts.quantization or "").upper().startswith("MXFP4")
    each = min(_MXFP4_BYTES, weights / total) if is_mxfp4 else weights / total
    return max(int(weights - (total - active) * each), int(weights * active / total))


def parameters_of(facts: Facts) -> tuple[int | None, int | None]:
    """(total, active) parameters as far as they are known; a dense model's are the same."""
    shape = facts.architecture
    total = facts.parameters or (shape.parameters if shape else None)
    active = facts.active_parameters or (shape.active_parameters if shape else None)
    if active is None and total and shape is not None and shape.experts and shape.experts_used:
        used = min(1.0, shape.experts_used / shape.experts)
        active = int(total * (1 - _EXPERT_PART * (1 - used)))
    return total, active or total


def is_moe(facts: Facts) -> bool:
    """Whether only a part of the parameters works on each token."""
    total, active = parameters_of(facts)
    return bool(total and active and active < total * 0.98)


def _reached(card: Card) -> tuple[float, float, float]:
    reached, layer, moe_layer = _REACHED[card.backend]
    if card.backend is Backend.CUDA and _is_stacked(card):
        reached = _STACKED
    return reached, layer, moe_layer


def _is_stacked(card: Card) -> bool:
    """Whether a card has HBM: compute capability 8.0, 9.0 and 10.x; where unknown, by its bandwidth."""
    if card.compute is not None:
        return card.compute in ((8, 0), (9, 0)) or card.compute[0] == 10
    return (card.bandwidth or 0) >= _STACKED_FROM


def _bandwidth(card: Card) -> float:
    return card.bandwidth if card.bandwidth and _is_known(card.bandwidth) else usual_bandwidth(card.total)


def _is_assumed(card: Card) -> bool:
    return card.is_bandwidth_assumed or not card.bandwidth or not _is_known(card.bandwidth)


def _is_known(bandwidth: float) -> bool:
    """Whether a number can be a bandwidth at all: above a megabyte a second, and finite."""
    return isfinite(bandwidth) and bandwidth >= _LEAST


def _words(card: Card) -> str:
    speed = f"{_bandwidth(card) / _GB:.0f} GB/s"
    if _is_assumed(card):
        return f"{card.name} taken to have {speed} (usual for its size)"
    return f"{card.name} with {speed}"
