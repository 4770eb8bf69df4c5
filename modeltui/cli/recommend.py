"""`recommend`: the best models for a task on this hardware or another, ranked, with why."""

import textwrap
from argparse import Namespace
from typing import Any

from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.table import Column, render
from modeltui.cli.verdicts import machine_shape, speed_shape, suitability_shape
from modeltui.domain import units
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.advice.verdictwords import machine_words
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.errors import UsageError
from modeltui.services.circumstances import link_if_any
from modeltui.services.recommending import Recommendation, recommending_of, wish_of

_LOOK = 3  # answered, and the answer is "no" or "look at this"
_INDENT = 4
COLUMNS = [
    Column("", 0, right=True),
    Column("MODEL", 0, is_name=True),
    Column("SCORE", 0, right=True),
    Column("SUITS", 3, right=True),
    Column("VRAM", 1, right=True),
    Column("RAM", 2, right=True),
    Column("FIT", 2),
    Column("TOK/S", 0, right=True),
    Column("CONTEXT", 4, right=True),
]


async def recommend(arguments: Namespace, out: Output) -> int:
    """Rank; exit code 3 when nothing can be recommended, or only what is slower than was asked for."""
    said = read_words(arguments)
    async with session(arguments, out) as services:
        link = await link_if_any(services)
        recommending = await recommending_of(services, link, said.hardware)
        for note in recommending.advice.circumstance.notes:
            services.note(note)
        wish = wish_of(services, task=said.task, priority=said.priority, context=said.context)
        answer = recommending.recommend(wish, arguments.limit)
        if out.json:
            out.answer(recommendation_shape(answer))
        else:
            _print(answer, out, explain=arguments.explain)
    return _LOOK if not answer.rows or answer.is_slow else 0


class Said:
    """What the command line says of the wish; None is "as configured"."""

    def __init__(self) -> None:
        self.task: Task | None = None
        self.priority: Priority | None = None
        self.context: int | None = None
        self.hardware: str | None = None


def read_words(arguments: Namespace) -> Said:
    """Options and words alike: `8 balanced` is `--vram 8 --priority balanced`; raises UsageError."""
    said = Said()
    options = [("hardware", arguments.hardware), ("hardware", arguments.vram)]
    options += [("task", arguments.task), ("priority", arguments.priority)]
    for name, value in [*options, *map(_meant, getattr(arguments, "words", ()))]:
        if value is None:
            continue
        if getattr(said, name) is not None:
            both = "--vram and --hardware say the same thing" if name == "hardware" else f"two say the {name}"
            raise UsageError(both, remedy="give one of them")
        kinds: dict[str, type[str]] = {"task": Task, "priority": Priority}
        setattr(said, name, kinds.get(name, str)(value))
    if said.hardware is not None:
        parse_hardware(said.hardware)  # what describes none is said before anything is done
    if arguments.context is not None:
        try:
            said.context = units.parse_context(arguments.context)
        except ValueError as error:
            raise UsageError(str(error), remedy="write --context 16k or --context 16384") from None
    return said


def _meant(word: str) -> tuple[str, str]:
    """What one bare word says."""
    text = word.strip().casefold()
    for name, known in (("priority", Priority), ("task", Task)):
        if text in [each.value for each in known]:
            return name, text
    if text[:1].isdigit() or text.startswith("none"):
        return "hardware", text
    tasks = ", ".join(task.value for task in Task)
    raise UsageError(
        f"“{word}” is no size of VRAM, no task and no priority",
        remedy=f"modeltui recommend 8 balanced; tasks: {tasks}; priorities: speed, balanced, quality",
    )


def _print(answer: Recommendation, out: Output, *, explain: bool) -> None:
    wish = answer.wish
    head = f"{wish.task} · {wish.priority} · {units.context(wish.context)} · {machine_words(answer.machine)}"
    out.text(out.style(head, "strong"))
    if answer.machine.machine is None:
        out.text(f"nothing can be ranked: {answer.machine.why or 'the machine is unknown'}")
        out.text("say what it has: modeltui recommend --hardware 24GB+64GB")
        return
    if not answer.rows:
        out.text(
            f"nothing fits at a context of {units.context(wish.context)}: try a shorter one, --context 4k"
        )
        return
    if answer.is_slow:
        out.text(f"nothing reaches {wish.least_tokens:g} tokens/s here; the best all the same:")
    cells = [_row(row) for row in answer.rows]
    used = [at for at in range(len(COLUMNS)) if at == 0 or any(row[at] for row in cells)]
    lines = render([COLUMNS[at] for at in used], [[row[at] for at in used] for row in cells], out.width)
    out.text(out.style(lines[0], "dim"))
    for row, line in zip(answer.rows, lines[1:], strict=True):
        out.text(line)
        for text in _beneath(row, explain=explain):
            _wrapped(text, out)
    if answer.total > len(answer.rows):
        out.say(f"{len(answer.rows)} of {answer.total}: --limit shows more, --explain the whole score")


def _row(row: Ranked) -> list[str]:
    largest = row.verdict.largest_context
    return [
        f"{row.place}",
        row.name + (" ●" if row.is_installed else ""),
        f"{row.score}",
        row.suitability.words,
        *_memory(row),
        row.kind.value,
        _rate(row),
        units.UNKNOWN if largest is None else units.context(largest // 1024 * 1024 or largest),
    ]


def _memory(row: Ranked) -> tuple[str, str]:
    """What lies on the cards and, where that is not all of it, what in RAM."""
    placed = row.verdict.placement
    if placed is None:
        return units.size(row.needs), units.UNKNOWN
    is_whole = row.kind is FitKind.GPU
    return units.size(placed.vram) if placed.vram else "", "" if is_whole else units.size(placed.ram)


def _rate(row: Ranked) -> str:
    if row.tokens is None:
        return units.UNKNOWN
    text = units.rate(row.tokens)
    return text if row.is_measured else f"~{text}"


def _beneath(row: Ranked, *, explain: bool) -> list[str]:
    lines = [row.why]
    if explain:
        lines += [f"{part.name} {part.points} of {part.most}: {part.why}" for part in row.parts]
        lines += [f"mend: {part.mend}" for part in row.parts if part.mend]
    if row.also:
        lines.append("also " + ", ".join(f"{each.kind}: {each.name} ({each.words})" for each in row.also))
    return lines


def _wrapped(text: str, out: Output) -> None:
    width = None if out.width is None else max(20, out.width - _INDENT - 1)
    for line in [text] if width is None else textwrap.wrap(text, width):
        out.text(out.style(f"{'':{_INDENT}}{line}", "dim"))


def recommendation_shape(answer: Recommendation) -> dict[str, Any]:
    """The JSON of a recommendation; null is unknown."""
    wish = answer.wish
    return {
        "task": wish.task.value,
        "priority": wish.priority.value,
        "context": wish.context,
        "min_tokens_per_s": wish.least_tokens,
        "machine": machine_shape(answer.machine),
        "slow": answer.is_slow,
        "total": answer.total,
        "rows": [ranked_shape(row) for row in answer.rows],
        "notes": list(answer.notes),
    }


def ranked_shape(row: Ranked) -> dict[str, Any]:
    """The JSON of one row; `needs` is VRAM where it lies wholly on the GPU, else VRAM and RAM together."""
    candidate = row.candidate
    series, placed = candidate.series, row.verdict.placement
    return {
        "place": row.place,
        "name": row.name,
        "series": series.name if series else None,
        "installed": row.is_installed,
        "score": row.score,
        "parts": [
            {
                "name": part.name,
                "points": part.points,
                "most": part.most,
                "why": part.why,
                "mend": part.mend or None,
            }
            for part in row.parts
        ],
        "suitability": suitability_shape(row.suitability),
        "fit": row.kind.value,
        "size": candidate.tag.size,
        "needs": row.needs,
        "vram": placed.vram if placed is not None else None,
        "ram": placed.ram if placed is not None else None,
        "trained_context": candidate.trained,
        "largest_context": row.verdict.largest_context,
        "speed": speed_shape(row.verdict.speed),
        "slow": row.is_slow,
        "near_the_one_above": row.is_near,
        "license": series.license if series else None,
        "commercial": series.commercial if series else None,
        "why": row.why,
        "also": [
            {"kind": each.kind, "name": each.name, "words": each.words, "fits": each.fits}
            for each in row.also
        ],
    }
