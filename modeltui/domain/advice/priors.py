"""What facts alone say of a model's quality: size, age, lineage and role, without any published score.

In *doublings*, the scale of advice/quality.py. Every number here is either fitted on the bundled scores,
with how it was fitted, or marked as judged.
"""

import math
import re
from collections.abc import Mapping

from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import Series, Tag

# Fitted on the 907 independent text rows of the bundled scores (tests/validation/quality_fit.py: least
# squares, each benchmark standardised for itself): 2.9 months bring what a doubling of the size does; Xiao
# et al. 2024 (arXiv 2412.04315, "densing law") say 3.3. Static tests leak into newer models, so part of it
# is not believed: judged, 5.
MONTHS_A_DOUBLING = 5.0
# The same fit: below 4 billion each halving costs 1.6 times as much as above it.
SMALL, SMALL_COST = 4.0, 0.6
# Share of the active parameters in a mixture's effective size: the geometric mean, the usual rule of thumb.
# The same fit is as good from 0.3 to 0.6.
ACTIVE_SHARE = 0.5
# Open models that think came with 2025: an earlier "reasoning" among a chat model's uses means no more than
# that.
_THINKING_SINCE = "2025-01"
# Since then chat models write programs, too: the scores of the 13 code series of 2025 and 2026 lay 0.9
# doublings below what the whole part of the role said, those of earlier ones 0.7 above
# (tests/validation/quality_order.py).
_ALL_CODE_SINCE, _LESS_FOR_CODE = "2025-01", 1.0
_UNKNOWN_MONTH = 18.0  # of 2023: where no release is known, the middle of 2024
_EFFECTIVE = re.compile(r"e(\d+(?:\.\d+)?)b")  # gemma's e2b, e4b name the effective size

# What a role moves: judged. Each task is that of a general model with so many fewer doublings.
_ROLES: dict[str, dict[Task, float]] = {
    "code": {
        Task.CODING: 1.5,
        Task.REASONING: -0.5,
        Task.GENERAL: -1.5,
        Task.ANALYSIS: -1.0,
        Task.VISION: -1.0,
        Task.CREATIVE: -3.0,
    },
    "reasoning": {Task.REASONING: 1.0, Task.GENERAL: -0.5, Task.CREATIVE: -1.0},
    "math": {
        Task.REASONING: 0.5,
        Task.CODING: -3.0,
        Task.GENERAL: -4.0,
        Task.ANALYSIS: -3.0,
        Task.CREATIVE: -5.0,
    },
    "vision": {
        Task.VISION: 1.0,
        Task.REASONING: -1.0,
        Task.CODING: -2.0,
        Task.GENERAL: -1.0,
        Task.ANALYSIS: -0.5,
        Task.CREATIVE: -1.0,
    },
    "medical": dict.fromkeys(Task, -2.5),
    "roleplay": {
        Task.CREATIVE: 0.5,
        Task.REASONING: -2.0,
        Task.CODING: -2.0,
        Task.GENERAL: -1.0,
        Task.ANALYSIS: -1.5,
    },
}
# Thinking: fitted as +2.9 doublings of 2.9 months over the reasoning, coding and general rows together,
# which is 1.7 of those here; less where it was not measured. What it costs in time is in the speed part of
# a score.
_THINKING = {
    Task.REASONING: 1.5,
    Task.CODING: 1.0,
    Task.ANALYSIS: 1.0,
    Task.GENERAL: 0.5,
    Task.VISION: 0.3,
}


def thinks(series: Series) -> bool:
    """Whether a series reasons before it answers: its chip (often missing), else its role or its use."""
    if series.role in ("math", "embedding"):
        return False
    if "thinking" in series.capabilities or series.role == "reasoning":
        return True
    return "reasoning" in series.use_cases and (series.released or "") >= _THINKING_SINCE


def effective_size(total: float, active: float | None = None, word: str = "") -> float:
    """Billions of parameters that a dense model of the same quality would have; `word` is the size's name."""
    if (match := _EFFECTIVE.fullmatch(word)) is not None:
        return float(match[1]) * 1.25  # the embeddings that lie beside it count for a little
    if active is not None and 0 < active < total:
        return math.pow(active, ACTIVE_SHARE) * math.pow(total, 1 - ACTIVE_SHARE)
    return total


def size_word(tag: Tag) -> str:
    """By which word the sizes of one series are told apart, as in the scores: `8b`."""
    return (tag.parameter_size or "").casefold()


def billions(tag: Tag) -> float:
    """Parameters in billions; where they are unknown, half a byte each of the file."""
    if tag.parameters and tag.parameters > 0:
        return tag.parameters / 1e9
    return max(0.01, tag.size / 0.6e9) if tag.size and tag.size > 0 else 1.0


def active_billions(tag: Tag) -> float:
    """Parameters that are read for each token, in billions: all of a dense model."""
    return tag.active_parameters / 1e9 if tag.active_parameters else billions(tag)


class Priors:
    """What facts say of each size of each series of one catalog."""

    def __init__(self, series: Mapping[str, Series], as_of: str | None = None) -> None:
        """`as_of` is the day of the catalog (ISO): nothing in it is newer, whatever it says of itself."""
        self._series = series
        self._newest = _month(as_of)
        self._names = {_plain(name): name for name in series}
        self._months: dict[str, float] = {}

    def value(self, series: Series, tag: Tag, task: Task) -> float:
        """In doublings; `tag` stands for all tags of its size."""
        active = tag.active_parameters / 1e9 if tag.active_parameters else None
        size = math.log2(max(1e-3, effective_size(billions(tag), active, size_word(tag))))
        months = self.month(series)
        if task is Task.EMBEDDING:  # judged: size counts for less among them, and so does age
            return 0.3 * size + months / 12
        value = size + SMALL_COST * min(0.0, size - math.log2(SMALL)) + months / MONTHS_A_DOUBLING
        value += _ROLES.get(series.role or "", {}).get(task, 0.0)
        if task is Task.CODING and series.role == "code" and (series.released or "") >= _ALL_CODE_SINCE:
            value -= _LESS_FOR_CODE
        return value + (_THINKING.get(task, 0.0) if thinks(series) else 0.0)

    def month(self, series: Series) -> float:
        """Months since January 2023; a tune is half as new as its own date against that of its base."""
        found = self._months.get(series.name)
        if found is None:
            own, base = self._released(series), self._base(series)
            older = self._released(base) if base is not None else None
            if own is None:
                found = older if older is not None else _UNKNOWN_MONTH
            else:
                found = (own + older) / 2 if older is not None and older < own else own
            self._months[series.name] = found
        return found

    def _released(self, series: Series) -> float | None:
        found = _month(series.released)
        return found if found is None or self._newest is None else min(found, self._newest)

    def _base(self, series: Series) -> Series | None:
        """What a tune was made from: the longest name of the catalog that its base begins with."""
        if not series.base_model:
            return None
        text = _plain(series.base_model.split(":")[-1].split(" or ")[0])
        known = [name for name in self._names if text.startswith(name) and self._names[name] != series.name]
        return self._series[self._names[max(known, key=len)]] if known else None


def _month(released: str | None) -> float | None:
    match = re.match(r"(\d{4})-(\d{2})", released or "")
    return (int(match[1]) - 2023) * 12.0 + int(match[2]) - 1 if match else None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", text.casefold())
