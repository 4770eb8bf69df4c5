"""How suitable a model is for a task, 0 to 10 with a band and its source: the face of advice/quality.py."""

from dataclasses import dataclass

from modeltui.domain.advice.priors import size_word
from modeltui.domain.advice.quality import Basis, Level, Quality
from modeltui.domain.advice.quantization import bits_of, quantization_loss
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import Series, Tag

# The ends of the scale in doublings: what a billion parameters of 2023 are, and the best that the library
# of late 2026 holds. Embedding models have a scale of their own, as they are compared with each other only.
_SCALE = (3.0, 17.0)
_EMBEDDING_SCALE = (-4.0, 4.0)
_COARSE = 0.5  # a loss from which a quantization adds a step of doubt

NO_EVIDENCE = "no evidence"

# Roles that are made for one thing that is none of the tasks: never a general recommendation.
OTHER_ROLES = frozenset(("safety", "ocr", "translation", "function-calling", "base", "other", "reward"))


@dataclass(frozen=True, slots=True)
class Suitability:
    """0 (not made for it) to 10, within `low` and `high`; None where nothing is known. `source` in words."""

    task: Task
    value: int | None
    low: int
    high: int
    source: str
    why: str

    @property
    def words(self) -> str:
        """`7 (6-8)`: the class and its band."""
        return "—" if self.value is None else f"{self.value} ({self.low}-{self.high})"


def can_do(series: Series, tag: Tag, task: Task) -> bool:
    """Whether a tag is made for the task at all, by its own input and its series' role.

    Chips are facts of the series, not of each tag: whether a tag sees images is in its own `inputs`.
    """
    if series.role in OTHER_ROLES:
        return False
    is_embedding = series.role == "embedding" or (
        "embedding" in series.capabilities and "completion" not in series.capabilities
    )
    if task is Task.EMBEDDING or is_embedding:
        return is_embedding and task is Task.EMBEDDING
    if task is Task.VISION:
        return "image" in tag.inputs if tag.inputs else "vision" in series.capabilities
    return not (series.role == "math" and task is not Task.REASONING)


def share(level: float, task: Task) -> float:
    """A level as a share of the scale, 0 to 1."""
    low, high = _EMBEDDING_SCALE if task is Task.EMBEDDING else _SCALE
    return min(1.0, max(0.0, (level - low) / (high - low)))


def suitability(quality: Quality, series: Series | None, tag: Tag, task: Task) -> Suitability:
    """The class of one tag at one task. A series that no catalog knows has no evidence, whatever its name."""
    if series is None:
        return Suitability(task, None, 0, 10, NO_EVIDENCE, "no catalog knows this model")
    if not can_do(series, tag, task):
        return Suitability(task, 0, 0, 0, Basis.FACTS.value, _why_not(series, tag, task))
    level = quality.level(series, tag, task)
    loss = quantization_loss(tag.quantization, bits_of(tag))
    value = round(10 * share(level.value - loss, task))
    doubt = level.doubt + (loss >= _COARSE)
    return Suitability(
        task,
        value,
        max(0, value - doubt),
        min(10, value + doubt),
        level.basis.value,
        _why(level, series, tag),
    )


def suitabilities(quality: Quality, series: Series | None, tag: Tag) -> tuple[Suitability, ...]:
    """All tasks of one tag, in the order of the tasks."""
    return tuple(suitability(quality, series, tag, task) for task in Task)


def _why_not(series: Series, tag: Tag, task: Task) -> str:
    if task is Task.VISION:
        return f"{tag.name} takes no images"
    return f"made for {series.role or 'embedding'}, not for this"


def _why(level: Level, series: Series, tag: Tag) -> str:
    size = f"{size_word(tag).upper()} " if size_word(tag) else ""
    facts = f"{size}{series.role or 'model'} of {series.released or 'unknown date'}"
    if level.basis is Basis.FACTS:
        return f"{facts}; no published score, so by size, age and role"
    named = ", ".join(level.sources[:3]) + (f" and {len(level.sources) - 3} more" * (len(level.sources) > 3))
    if level.basis is Basis.RELATIVES:
        return f"{facts}; scores of its relatives only ({named})"
    if level.basis is Basis.TASKS:
        return f"{facts}; no score for this, but for others and of its relatives ({named})"
    return f"{facts}; {level.basis.value}: {named}"
