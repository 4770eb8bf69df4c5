"""Measures how long ranking the whole catalog takes, cold and warm, and prints a table.

    python tests/benchmarks/recommend_speed.py [--runs N]

Cold: a process that has imported everything and knows nothing yet: the catalog read from its file, scores
read, levels judged, tags chosen, placed and ranked. Warm: the same wish again, as after a key on the screen.
`other`: another task on the same machine. `words`: the rows that are shown put in words. Medians of the runs,
in CPU time: it is all arithmetic, and another program on the machine must not count.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise

COLD_MS, WARM_MS = 100.0, 20.0
MACHINES = ("none+16GB", "8GB+16GB", "24GB+64GB", "141GB+512GB")


@dataclass(frozen=True, slots=True)
class Row:
    """One machine; times in milliseconds. `ranked` tags were placed and scored; `cold` includes `read`."""

    hardware: str
    ranked: int
    read: float
    cold: float
    warm: float
    other: float
    words: float

    def is_within(self, slack: float = 1.0) -> bool:
        return self.cold <= COLD_MS * slack and self.warm <= WARM_MS * slack


def rows(runs: int) -> list[Row]:
    """Every machine, each run in a process of its own."""
    found = []
    for hardware in MACHINES:
        seen = [_apart(hardware) for _ in range(runs)]
        times = [statistics.median(one[place] for one in seen) for place in range(1, len(seen[0]))]
        found.append(Row(hardware, int(seen[0][0]), *times))
    return found


def _apart(hardware: str) -> list[float]:
    command = [sys.executable, __file__, "--one", hardware]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    numbers: list[float] = json.loads(done.stdout)
    return numbers


def _one(hardware: str) -> list[float]:
    """One process's numbers, in the order of Row."""
    import modeltui.domain.catalog.facts  # noqa: F401  else imported in the middle of what is measured
    from modeltui.catalog.loading import load_base
    from modeltui.domain.advice.scoring import Wish
    from modeltui.domain.advice.tasks import Task
    from modeltui.domain.machines.machine import KnownMachine
    from modeltui.domain.machines.typedhardware import parse_hardware
    from modeltui.domain.memory.serving import Serving
    from modeltui.services.advice import Advice, Circumstance
    from modeltui.services.recommending import Recommending

    machine = KnownMachine(parse_hardware(hardware), hardware)
    at = [time.process_time()]
    catalog = load_base()
    at.append(time.process_time())
    recommending = Recommending(Advice(Circumstance(machine, Serving((0, 33, 0)), catalog)))
    ranking = recommending.ranking(Wish())
    at.append(time.process_time())
    recommending.ranking(Wish())
    at.append(time.process_time())
    recommending.recommend(Wish())
    at.append(time.process_time())
    recommending.ranking(Wish(Task.CODING))
    at.append(time.process_time())
    read, cold, warm, words, other = ((after - before) * 1000 for before, after in pairwise(at))
    ranked = len(ranking.fitting) + len(ranking.beyond)
    return [ranked, read, read + cold, warm, other, max(0.0, words - warm)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--one", metavar="HARDWARE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(_one(arguments.one)))  # noqa: T201
        return
    lines = [f"{'machine':13}{'ranked':>7}" + "".join(f"{word:>10}" for word in HEADS)]
    for row in rows(arguments.runs):
        times = (row.read, row.cold, row.warm, row.other, row.words)
        verdict = "" if row.is_within() else "  NO"
        lines.append(f"{row.hardware:13}{row.ranked:7}" + "".join(f"{ms:7.1f} ms" for ms in times) + verdict)
    lines.append(f"{'budget':30}{COLD_MS:7.0f} ms{WARM_MS:7.0f} ms")
    print("\n".join(lines))  # noqa: T201


HEADS = ("read", "cold", "warm", "other", "words")

if __name__ == "__main__":
    main()
