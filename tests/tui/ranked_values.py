"""Ranked models by hand, for the tests of how Recommend shows them."""

from typing import Any

from still_values import GB

from modeltui.domain.advice.alternatives import Also
from modeltui.domain.advice.fit import Fit, FitKind, Part
from modeltui.domain.advice.quality import Basis, Level
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.scoring import PARTS, Candidate, Wish
from modeltui.domain.advice.speed import Speed
from modeltui.domain.advice.suitability import Suitability
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.machines.machine import Card, KnownMachine, Machine, Origin
from modeltui.domain.memory.estimate import Needs, Placement
from modeltui.services.recommending import Recommendation
from modeltui.tui.ranker import Answered, Asked

MOST = (60, 18, 14, 4, 4)  # points of the parts; they sum to 100
WISH = Wish(Task.CODING, Priority.BALANCED, 16_384)
RTX = Card("NVIDIA GeForce RTX 4090", round(25.8 * GB), round(23.5 * GB), bandwidth=1008e9)
MACHINE = Machine((RTX,), round(68.7 * GB), 40 * GB, cores=16)
KNOWN = KnownMachine(MACHINE, "this machine")
BARE = KnownMachine(Machine((), 17 * GB, 14 * GB), "this machine")
UNKNOWN = KnownMachine(None, "unknown", "the configuration says local = false")


def placed(kind: FitKind, vram: float, ram: float = 0.5, largest: bool = True) -> Placement:
    """A placement; sizes in GB."""
    total = round((vram + ram) * GB)
    kv, compute = GB, 400_000_000
    needs = Needs(
        total - kv - compute, kv, 0, compute, 0, 0, 0, total, round(total * 0.95), round(total * 1.05),
        total, WISH.context,
    )  # fmt: skip
    layers = 33 if kind is FitKind.GPU else 20 if kind is FitKind.SPLIT else 0
    return Placement(
        kind, needs, round(vram * GB), round(ram * GB), (round(vram * GB),) if vram else (), layers, 33,
        2 * GB, 0, 0,
    )  # fmt: skip


def ranked(place: int, name: str, points: tuple[int, ...] = (48, 12, 14, 4, 2), **changes: Any) -> Ranked:
    """A row; `size`, `vram`, `ram` in GB, `tokens` a second, the rest as Ranked and Candidate have it."""
    series, _, tag = name.partition(":")
    kind = changes.pop("kind", FitKind.GPU)
    size, vram, ram = (changes.pop(word, None) for word in ("size", "vram", "ram"))
    tokens, is_measured = changes.pop("tokens", 33.0), changes.pop("is_measured", False)
    offered = Tag(series, tag, digest=None, size=None if size is None else round(size * GB))
    placement = placed(kind, vram or 0, ram or 0.5) if vram or ram else None
    candidate = Candidate(
        name, Series(series, (offered,), license="Apache-2.0", released="2026-05"), offered,
        Level(12.0, Basis.FACTS, 2), 12.0, kind, placement.needs.total if placement else None, 2 * GB,
        tokens, is_measured, 40, 262_144, is_installed=changes.pop("is_installed", False),
    )  # fmt: skip
    parts = tuple(
        Part(part, count, of, f"why {part} has so many")
        for part, count, of in zip(PARTS, points, MOST, strict=True)
    )
    verdict = Verdict(
        name, None, WISH.context, placement, Speed(tokens, is_measured=is_measured, basis="estimated"),
        Fit(kind, 86), changes.pop("largest", 40_960),
    )  # fmt: skip
    return Ranked(
        place=place, name=name, candidate=candidate, score=sum(points), parts=parts,
        suitability=Suitability(WISH.task, 8, 7, 9, "published scores", "a test"), verdict=verdict,
        **{"why": "Weaker than the first: by published scores.",
           "also": (), **changes},
    )  # fmt: skip


ALSO = (
    Also("faster", "gpt-oss:20b", "twice as fast", True),
    Also("better", "qwen3.5:122b-a10b", "does not fit: needs at least 81 GB", False),
    Also("smaller", "made-up-coder:9b", "9.1 GB", True),
)
ROWS = (
    ranked(1, "made-up-coder:30b-a3b", (60, 12, 14, 4, 2), size=18.6, vram=21.2, tokens=112.0, also=ALSO,
           why="The strongest at coding of what runs well here: all on the GPU with 21.2 GB, 112 tokens/s "
               "estimated, by published scores."),
    ranked(2, "qwen3.5:27b", (55, 10, 14, 4, 4), size=17.4, vram=19.6, tokens=38.0, is_measured=True,
           is_installed=True, why="As strong as the first: 38 tokens/s measured here."),
    ranked(3, "gemma4:12b", (50, 12, 14, 4, 2), size=8.1, vram=9.7, tokens=84.0, is_installed=True,
           largest=131_072),
    ranked(4, "a-model-with-a-long-name:14b-instruct-2512-q8_0", (46, 11, 14, 4, 2), size=15.0, vram=17.6,
           largest=1_048_576),
    ranked(5, "granite4:32b", (46, 9, 9, 4, 2), size=19.5, vram=23.5, ram=4.2, kind=FitKind.SPLIT,
           tokens=9.4, largest=None),
    ranked(6, "slow:70b", (58, 0, 4, 4, 2), size=42.5, vram=23.9, ram=22.2, kind=FitKind.SPLIT, tokens=3.1,
           largest=None, is_slow=True),
    ranked(7, "unmeasured:8b", (40, 7, 14, 2, 2), size=None, tokens=None, largest=None),
)  # fmt: skip


def answered(
    rows: tuple[Ranked, ...] = ROWS, hardware: str | None = None, known: KnownMachine = KNOWN, **more: Any
) -> Answered:
    """An answer to WISH."""
    machine = known
    if hardware is not None and known.machine is not None:
        machine = KnownMachine(
            Machine(
                known.machine.cards, known.machine.ram_total, known.machine.ram_free, origin=Origin.SIMULATED
            ),
            f"simulated: {hardware}",
        )
    suits = {row.name: (row.suitability,) for row in rows}
    answer = Recommendation(WISH, machine, rows, len(rows), **more)
    return Answered(Asked(WISH, hardware, None), answer, suits)
