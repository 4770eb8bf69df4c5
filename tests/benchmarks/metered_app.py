"""Our screens on a machine with two made-up cards whose numbers move: for what live meters send.

    python tests/benchmarks/metered_app.py

The cards are those of the stand-in for NVIDIA's library, at the seam where pynvml loads the real one.
"""

import math
import sys
import time
from pathlib import Path
from typing import Any

import pynvml

sys.path.insert(0, str(Path(__file__).parents[1] / "hardware"))
from stand_in_nvml import Card, Library

GIB = 1 << 30


class Moving(Library):  # type: ignore[misc]
    """Two cards that answer requests now and then: busy for 12 s of 24, each at its own time."""

    def _card(self, handle: Any) -> Card:
        card: Card = super()._card(handle)
        at = time.monotonic() + 7 * self.cards.index(card)
        is_busy = at % 24 < 12
        noise = math.sin(at * 2.3)
        card.utilisation = round(92 + 5 * noise) if is_busy else max(0, round(2 * noise))
        card.temperature = round(58 + 12 * math.sin(at * math.tau / 24 - 1))
        card.power_mw = round((320_000 if is_busy else 60_000) + 12_000 * noise)
        card.used = round((18 + 0.4 * (at % 24) / 24) * GIB)
        return card


def main() -> None:
    library = Moving(Card(), Card(name=b"NVIDIA RTX A6000", uuid=b"GPU-1", total=48 * GIB))
    pynvml.CDLL = lambda name: library
    from modeltui.__main__ import main as ours

    ours()


if __name__ == "__main__":
    main()
