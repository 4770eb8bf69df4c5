"""The short words about fit and memory that every screen and command says alike."""

from typing import TYPE_CHECKING

from modeltui.domain.units import UNKNOWN, context, rate, size

if TYPE_CHECKING:
    from modeltui.domain.advice.speed import Speed
    from modeltui.domain.advice.verdict import Verdict
    from modeltui.domain.memory.estimate import Placement


def fit_words(kind: str, score: int | None) -> str:
    """`fits: gpu, 86`; `does not fit`; `whether it fits is unknown`."""
    if kind == "no":
        return "does not fit"
    if kind == "unknown" or score is None:
        return "whether it fits is unknown"
    return f"fits: {kind}, {score}"


def fit_note(verdict: "Verdict") -> str:
    """The same, and where it does not fit what is lacking."""
    words = fit_words(verdict.fit.kind, verdict.fit.score)
    if verdict.fit.kind == "no" and verdict.placement is not None:
        needed = f"{size(verdict.placement.needs.total)} at {context(verdict.context)}"
        return f"{words}: {needed}, {lies_words(verdict.placement)}"
    return words


def lies_words(placement: "Placement") -> str:
    """`all on the GPU, 5.3 GB free`; `22 GB on the GPU, 24.1 GB in RAM`; `all in RAM`; what is lacking."""
    if placement.kind == "gpu":
        return f"all on the GPU, {size(max(0, placement.headroom))} free"
    if placement.kind == "split":
        return f"{size(placement.vram)} on the GPU, {size(placement.ram)} in RAM"
    if placement.kind == "cpu":
        return "all in RAM"
    return f"{size(max(0, -placement.headroom))} more than there is" if placement.kind == "no" else UNKNOWN


def needs_words(verdict: "Verdict") -> str:
    """`46.1 GB at 8k: 22 GB on the GPU, 24.1 GB in RAM: about 3.1 tok/s`; "" where nothing is known."""
    placement = verdict.placement
    if placement is None:
        return ""
    # Of a model on the GPU what cards must hold: the details tell of a token embedding beside it in RAM.
    total = placement.vram if placement.kind == "gpu" else placement.needs.total
    if placement.kind in ("split", "cpu"):
        total = placement.vram + placement.ram
    words = f"{size(total)} at {context(verdict.context)}: {lies_words(placement)}"
    speed = speed_words(verdict.speed)
    return f"{words}: {speed}" if speed else words


def speed_words(speed: "Speed") -> str:
    """`38 tok/s (measured here)`, `about 3.1 tok/s`; "" where it is unknown."""
    if speed.tokens is None:
        return ""
    words = f"{rate(speed.tokens)} tok/s"
    return f"{words} (measured here)" if speed.is_measured else f"about {words}"


def deviation_words(share: float | None) -> str:
    """How far something is from what was predicted, in percent: `+2 %`, `-11 %`; "" where it is unknown."""
    if share is None:
        return ""
    percent = round(share * 100)
    return f"{percent:+d} %" if percent else "0 %"
