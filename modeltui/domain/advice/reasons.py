"""The words of a recommendation: why a row stands where it does, its score taken apart, what else is."""

from dataclasses import dataclass

from modeltui.domain.advice.alternatives import BETTER, FASTER, SMALLER, Also, fold
from modeltui.domain.advice.fit import FitKind, Part
from modeltui.domain.advice.merits import merit_of
from modeltui.domain.advice.quality import Basis
from modeltui.domain.advice.quantization import bits_of, quantization_loss
from modeltui.domain.advice.recommendation import Ranking
from modeltui.domain.advice.scoring import (
    PARTS,
    THINKING_COST,
    Candidate,
    Scored,
    Wish,
    is_slow,
    pace,
    weights,
)
from modeltui.domain.advice.suitability import NO_EVIDENCE, Suitability
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.advice.verdict import Verdict, used_of
from modeltui.domain.units import context as context_words
from modeltui.domain.units import rate, size

_NEAR = 2  # points that are less than what anybody knows


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of the list with everything that is said of it. `needs` in bytes, `place` from 1 on.

    `is_near`: what parts it from the row above is less than what is known. `is_slow`: it is below the floor.
    """

    place: int
    name: str
    candidate: Candidate
    score: int
    parts: tuple[Part, ...]
    suitability: Suitability
    verdict: Verdict
    why: str
    also: tuple[Also, ...]
    is_near: bool = False
    is_slow: bool = False

    @property
    def is_installed(self) -> bool:
        return self.candidate.is_installed

    @property
    def is_measured(self) -> bool:
        return self.candidate.is_measured

    @property
    def kind(self) -> FitKind:
        return self.candidate.kind

    @property
    def tokens(self) -> float | None:
        return self.candidate.tokens

    @property
    def needs(self) -> int | None:
        """Bytes that are really used: VRAM alone where it lies wholly on the GPU, else VRAM and RAM."""
        placed = self.verdict.placement
        return used_of(placed) if placed is not None else self.candidate.needs


def parts_of(row: Scored, wish: Wish, suitability: Suitability, verdict: Verdict) -> tuple[Part, ...]:
    """The whole score taken apart: each part's points with the reason for them, and what would mend it."""
    candidate = row.candidate
    memory = next((part for part in verdict.fit.parts if part.name == "memory"), None)
    most = weights(wish.task, wish.priority)
    whys = (
        _quality_words(candidate, wish.task, suitability),
        _speed_words(candidate, wish, verdict),
        memory.why if memory else "where it would lie is unknown",
        _context_words(candidate, wish, verdict),
        _history_words(candidate),
    )
    mends = ("", "", memory.mend if memory else "", "", "")
    return tuple(
        Part(*part) for part in zip(PARTS, row.points, most, whys, mends, strict=True) if part[2] > 0
    )


def why(
    place: int, row: Scored, ranking: Ranking, wish: Wish, suitability: Suitability, verdict: Verdict
) -> str:
    """One sentence: how it stands in the list, where it lies, how fast it is, and on what that rests."""
    candidate = row.candidate
    facts = [_where(candidate, verdict), _rate(candidate, wish), _evidence(suitability)]
    if is_slow(candidate, wish):
        facts.append(f"below the {wish.least_tokens:g} tokens/s that were asked for")
    lead = _lead(place, row, ranking, wish, verdict.largest_context)
    return f"{lead}: {', '.join(fact for fact in facts if fact)}."


def is_near(row: Scored, above: Scored | None) -> bool:
    """Whether the row above is ahead by less than anybody knows."""
    return above is not None and above.score - row.score <= _NEAR


def _lead(place: int, row: Scored, ranking: Ranking, wish: Wish, largest: int | None) -> str:
    task = "general use" if wish.task is Task.GENERAL else wish.task.value
    others = [other for other in ranking.rows if other is not row]
    best = max((other.candidate.value for other in others), default=float("-inf"))
    mine, first = row.candidate, ranking.rows[0].candidate
    if mine.value >= best:
        return f"The strongest at {task} of what runs well here"
    if place == 1:
        mix = "quick enough and strongest" if wish.priority is Priority.SPEED else "the best balance"
        return f"{mix.capitalize()} for {task} here"
    weaker = first.value - mine.value
    if weaker < -BETTER / 2:
        return f"Stronger than the first, {_slower(mine, first)}"
    above = [other.candidate for other in ranking.rows[: place - 1] if other is not row] or [first]
    merit = merit_of(mine, above, wish.task, largest)
    if weaker < BETTER:
        return f"As strong as the first, {merit}" if merit else "As strong as the first"
    behind = ranking.rows[0].score - row.score
    if not merit:
        return f"Weaker than the first, {behind} point{'' if behind == 1 else 's'} behind in all"
    return f"{merit[0].upper()}{merit[1:]}, but weaker than the first"


def _times(one: Candidate, other: Candidate) -> float | None:
    return one.tokens / other.tokens if one.tokens and other.tokens else None


def _slower(one: Candidate, other: Candidate) -> str:
    times = _times(one, other)
    if times is not None and times < 1 / FASTER:
        return f"but {fold(1 / times)} as slow"
    if one.needs and other.needs and one.needs >= other.needs / SMALLER:
        return "but larger"
    return "but with less room" if one.memory < other.memory else "and near it in all"


def _where(candidate: Candidate, verdict: Verdict) -> str:
    placed = verdict.placement
    if placed is None:
        return ""
    if candidate.kind is FitKind.GPU:
        return f"all on the GPU with {size(placed.vram)}"
    if candidate.kind is FitKind.SPLIT:
        return f"{size(placed.vram)} of it on the GPU and {size(placed.ram)} in RAM"
    return f"{size(placed.ram)} in RAM"


def _rate(candidate: Candidate, wish: Wish) -> str:
    if wish.task is Task.EMBEDDING:
        return ""
    if candidate.tokens is None:
        return "speed unknown"
    return f"{rate(candidate.tokens)} tokens/s {'measured here' if candidate.is_measured else 'estimated'}"


def _evidence(suitability: Suitability) -> str:
    if suitability.source == NO_EVIDENCE:
        return "nothing is known of its quality"
    return "by size and age, no scores" if suitability.source == Basis.FACTS else f"by {suitability.source}"


def _quality_words(candidate: Candidate, task: Task, suitability: Suitability) -> str:
    words = f"{task} {suitability.words} of 10; {suitability.why}"
    loss = quantization_loss(candidate.tag.quantization, bits_of(candidate.tag))
    name = candidate.tag.quantization or "its quantization"
    if loss >= 0.5:
        return f"{words}; {name} costs a good part of it"
    return f"{words}; {name} costs a little" if loss >= 0.1 else words


def _speed_words(candidate: Candidate, wish: Wish, verdict: Verdict) -> str:
    if wish.task is Task.EMBEDDING:
        return f"a text is read through {size(candidate.tag.size)} once"
    speed = verdict.speed
    if candidate.tokens is None:
        return f"speed unknown: {speed.basis}" if speed.basis else "speed unknown"
    words = (
        f"{rate(candidate.tokens)} tokens/s, measured here"
        if candidate.is_measured
        else (
            f"about {rate(candidate.tokens)} tokens/s"
            + (f" ({rate(speed.low)} to {rate(speed.high)})" if speed.low and speed.high else "")
        )
    )
    if pace(candidate, wish.task) != candidate.tokens:
        words += f"; it thinks first: counted as {rate(candidate.tokens / THINKING_COST)}"
    return words


def _context_words(candidate: Candidate, wish: Wish, verdict: Verdict) -> str:
    if candidate.trained is None:
        words = f"{context_words(wish.context)} asked; its own length is unknown"
    else:
        words = f"{context_words(wish.context)} asked, trained for {context_words(candidate.trained)}"
    if verdict.largest_context is not None and candidate.kind is not FitKind.SPLIT:
        words += f"; up to {context_words(_whole(verdict.largest_context))} fit"
    return words


def _whole(tokens: int) -> int:
    """Down to a number that people would type."""
    return tokens // 1024 * 1024 if tokens >= 1024 else tokens


def _history_words(candidate: Candidate) -> str:
    uses, failures = candidate.history
    if not uses:
        return "installed, not used here yet" if candidate.is_installed else "not tried here yet"
    return f"worked {uses - failures} of {uses} times here"
