"""What the rows of Recommend say: the cells of a model, the sentence beneath, the score taken apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from modeltui.domain import units
from modeltui.domain.advice.alternatives import Also
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.layout import cells
from modeltui.domain.machines.machine import KnownMachine, Machine
from modeltui.domain.memory.estimate import Placement
from modeltui.tui.offerrows import VRAM, by_machine
from modeltui.tui.render import Line, bar, cut_line, flowed, joined, number, width_of
from modeltui.tui.widgets.table import Column

BAR, CONTEXT = 7, 20
ALSO = " also: "
INDENT = 6  # of what stands beneath a name
SERIES = 8  # cells of a name before its tag, which is never cut
GLYPHS = {"current": ("●", "accent"), "installed": ("○", "good"), "in queue": ("↓", "accent")}
COLUMNS = (
    Column("place", "", 4),
    Column("name", "MODEL", 22, is_name=True),
    Column("here", "", 9, worth=6),
    Column("score", "SCORE", 3 + 1 + BAR),
    Column("fit", "FIT", 5, worth=3),
    Column("size", "SIZE", 8, right=True, worth=1),
    Column("memory", VRAM, 8, right=True, worth=2),
    Column("speed", "TOK/S", 6, right=True),
    Column("context", "CONTEXT", CONTEXT, worth=5, right=True),
)


def columns_of(machine: Machine | None, rows: Sequence[Ranked] = ()) -> tuple[Column, ...]:
    """The columns of a machine; those of less worth give way before the tag of one of the `rows` is cut."""
    tagged = max(
        (cells(tag) + min(cells(series), SERIES) + 1 for series, tag in map(_halves, rows)), default=0
    )
    return tuple(
        replace(column, width=max(column.width, tagged)) if column.is_name else column
        for column in by_machine(COLUMNS, machine)
    )


def _halves(row: Ranked) -> tuple[str, str]:
    series, _, tag = row.name.rpartition("/")[2].partition(":")
    return series, tag


def cells_of(row: Ranked, here: str, *, is_marked: bool = False) -> Mapping[str, Line | str]:
    """The cells of one model; `here` says how it stands on the server: installed, current, in the queue."""
    verdict, placed = row.verdict, row.verdict.placement
    memory, is_worse = None, row.kind is not FitKind.GPU
    if placed is not None:
        is_worse = is_worse and bool(placed.by_card)  # without a GPU there is nothing better
        memory = placed.vram if placed.by_card else placed.ram  # as the head of the column says
    return {
        "place": (
            GLYPHS.get(here, (" ", "")),
            ("+" if is_marked else " ", "accent"),
            (f"{row.place:>2}", ""),
        ),
        "name": row.name,
        "here": ((here, "accent" if here == "current" else "dim"),),
        "score": ((f"{row.score:>3} ", ""), bar(row.score / 100, BAR)[0]),
        "fit": ((row.kind.value, "attention" if is_worse else ""),),
        "size": number(units.size(row.candidate.tag.size)),
        "memory": number(units.size(memory)),
        "speed": speed_cell(row),
        "context": context_cell(verdict.context, verdict.largest_context),
    }


def speed_cell(row: Ranked) -> Line:
    """Tokens a second: `~33` estimated, `38` measured here."""
    if row.tokens is None:
        return ((units.UNKNOWN, "dim"),)
    ink = "attention" if row.is_slow else ""
    if row.is_measured:
        return ((units.rate(row.tokens), ink or "strong"),)
    return ((f"~{units.rate(row.tokens)}", ink),)


def context_cell(context: int, largest: int | None) -> Line:
    """What was asked for, of what would fit: `16k of 40k that fit`."""
    asked = units.context(context)
    if largest is None or largest < context:
        return ((asked, ""),)
    of = f" of {whole(largest)} that fit"
    is_long = len(asked + of) > CONTEXT
    return ((asked + (of.removesuffix(" that fit") if is_long else of), ""),)


def whole(tokens: int) -> str:
    """Down to a number that people would type."""
    return units.context(tokens // 1024 * 1024 or tokens)


def beneath(why: str, width: int) -> Line:
    """The sentence beneath a name: without its last facts where there is no room for them."""
    room = width - INDENT
    while cells(why) > room and ", " in why:
        why = why.rpartition(", ")[0] + "."
    if cells(why) > room and ": " in why:
        why = why.partition(": ")[0] + "."
    return cut_line(((" " * INDENT, ""), (why, "dim")), width)


# The score of one row


def about(row: Ranked, width: int, most: int = 3) -> list[Line]:
    """At most `most` lines: the score taken apart, the memory by part, what else there would be.

    Where there is no room for all it is the memory that is left out.
    """
    parts, memory = parts_line(row), ((" " * INDENT, ""), *memory_line(row.verdict.placement))
    if width_of(parts) + width_of(memory) <= width:
        return [(*parts, *memory), *also_lines(row, width, most - 1)]
    score = flowed(parts, width)[:2]
    others = also_lines(row, width, most - len(score))
    room = most - len(score) - len(others)
    lines = flowed(memory, width)
    return [*score, *(lines if len(lines) <= room else [cut_line(memory, width)][:room]), *others]


def parts_line(row: Ranked) -> Line:
    """`1  quality 34/40  speed 22/25  fit 20/20`: a part that loses most of its points is marked."""
    spans: list[tuple[str, str]] = [(f"  {row.place:>2}", "")]
    for part in row.parts:
        ink = "attention" if part.points * 2 < part.most and part.name != "history" else ""
        spans += [(f"  {part.name} ", "dim"), (f"{part.points}/{part.most}", ink)]
    return tuple(spans)


def memory_line(placed: Placement | None) -> Line:
    """`weights 18.6 + KV 1.6 + compute 1.0 GB, ±5 %`."""
    if placed is None:
        return (("memory unknown", "dim"),)
    needs = placed.needs
    named = {
        "weights": needs.weights,
        "KV": needs.kv,
        "state": needs.state,
        "compute": needs.compute,
        "projector": needs.projector,
        "overhead": needs.overhead,
    }
    unit, factor = ("GB", 1e9) if needs.total >= 1e9 else ("MB", 1e6)
    parts = [f"{name} {count / factor:.1f}" for name, count in named.items() if count >= 0.05 * factor]
    return ((f"{' + '.join(parts)} {unit}{band(needs.low, needs.total, needs.high)}", "dim"),)


def band(low: int, middle: int, high: int) -> str:
    """How far off an estimate may be, in whole percent; empty where it is none."""
    off = max(high - middle, middle - low) / max(1, middle)
    percent = round(off * 100)
    return f", ±{percent} %" if percent else ""


def also_lines(row: Ranked, width: int, most: int) -> list[Line]:
    """`also: faster gpt-oss:20b (twice as fast) · better … (does not fit: 81 GB)`; the names come first.

    They go on in a second line, of at most `most`, before one is cut.
    """
    if not row.also:
        return [cut_line((("      nothing faster, better or smaller is worth naming", "dim"),), width)]
    parts: list[Line] = []
    for is_short in (False, True):
        parts = [_other(each, is_short=is_short) for each in row.also]
        line = ((ALSO, "dim"), *joined(parts))
        if width_of(line) <= width:
            return [line]
    lines: list[Line] = []
    while parts:
        count = len(parts)
        while count > 1 and len(ALSO) + width_of(joined(parts[:count])) > width and len(lines) + 1 < most:
            count -= 1
        label = (" " * len(ALSO) if lines else ALSO, "dim")
        lines.append(cut_line((label, *joined(parts[:count])), width))
        parts = parts[count:]
    return lines


def _other(each: Also, *, is_short: bool) -> Line:
    """A model beside it. That one does not fit is said in any case."""
    words = "" if is_short and each.fits else each.words.partition(":")[0] if is_short else each.words
    said = f" ({words})" if words else ""
    ink = "dim" if each.fits else "attention"
    return ((f"{each.kind} ", "dim"), (each.name, "" if each.fits else "dim"), (said, ink))


# What it was asked for


def machine_words(known: KnownMachine, hardware: str | None) -> tuple[str, str]:
    """The machine, and the same shorter: `RTX 4090 25.8 GB (23.5 free) + 68.7 GB RAM`."""
    machine = known.machine
    if machine is None:
        return "unknown hardware", "unknown hardware"
    before = "" if hardware is None else "what if: "
    cards = _cards(machine)
    ram = f"{units.size(machine.ram_total)} RAM"
    if machine.is_unified:
        return f"{before}{cards} of {ram}", f"{before}{cards}"
    words = f"{before}{cards} + {ram}"
    return words, f"{before}{cards}" if machine.cards else words


def _cards(machine: Machine) -> str:
    if not machine.cards:
        return "no GPU"
    kinds: dict[tuple[str, int], list[int]] = {}
    for card in machine.cards:
        kinds.setdefault((_plain(card.name), card.total), []).append(card.free + card.held)
    return ", ".join(
        f"{f'{len(frees)} x ' if len(frees) > 1 else ''}{name} {units.size(total)}{_free(total, frees)}"
        for (name, total), frees in kinds.items()
    )


def _plain(name: str) -> str:
    """The name without what every such card is called."""
    return name.removeprefix("NVIDIA ").removeprefix("GeForce ")


def _free(total: int, frees: Sequence[int]) -> str:
    """What can be used of cards where others use a part that counts."""
    least = min(frees)
    return f" ({units.size(least).removesuffix(' GB')} free)" if least < 0.95 * total else ""
