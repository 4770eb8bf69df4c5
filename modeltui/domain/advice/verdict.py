"""What is said of one model on one machine: where it would lie, how fast, how well, how far it could go."""

from dataclasses import dataclass

from modeltui.domain.advice.fit import Fit, FitKind
from modeltui.domain.advice.speed import Speed
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.estimate import Placement


@dataclass(frozen=True, slots=True)
class Verdict:
    """One model at one context (tokens). `placement` is None where its size or the machine is unknown.

    `largest_context` is the largest one that still lies wholly on the GPU, or in RAM where there is no GPU;
    None: none does, or unknown. `notes` are what a person should know of the assumptions, in words.
    """

    name: str
    facts: Facts | None
    context: int
    placement: Placement | None
    speed: Speed
    fit: Fit
    largest_context: int | None
    notes: tuple[str, ...] = ()

    @property
    def needs(self) -> int | None:
        """Bytes that it really uses, wherever they lie."""
        return None if self.placement is None else self.placement.vram + self.placement.ram


def used_of(placement: Placement) -> int | None:
    """Bytes to count with: VRAM alone where it lies wholly on the GPU, else VRAM and RAM.

    None where it does not fit. A token embedding that lies in RAM beside a model on the GPU is not counted.
    """
    if placement.kind is FitKind.NO:
        return None
    return placement.vram if placement.kind is FitKind.GPU else placement.vram + placement.ram
