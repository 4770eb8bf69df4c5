"""What only Ollama on macOS runs: which tags that are, where they are refused, and what to take instead."""

from modeltui.domain.advice.fit import MEMORY, Fit, FitKind, Part
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.catalog.siblings import plain_twin
from modeltui.domain.machines.machine import Machine

WHY = "only Ollama on macOS runs it: it is made for Apple's own chips"


def is_elsewhere(tag: Tag | None, machine: Machine) -> bool:
    """Whether a tag is made for Macs and the machine is none."""
    return tag is not None and tag.is_apple_only and not machine.is_apple


def refused(series: Series | None, tag: Tag | None) -> Fit:
    """The fit of such a tag on another machine, with one of the same size in its stead."""
    twin = plain_twin(series, tag) if series and tag else None
    mend = f"take {twin.name}, which runs everywhere" if twin else ""
    return Fit(FitKind.NO, 0, (Part("memory", 0, MEMORY, WHY, mend),))
