"""Our screens on a machine with two made-up cards whose numbers move: for what live meters send.

    python tests/benchmarks/metered_app.py

The cards are those of the stand-in for NVIDIA's library, at the seam where pynvml loads the real one.
"""

import sys
import time
from pathlib import Path
from typing import Any

import pynvml

sys.path.insert(0, str(Path(__file__).parents[1] / "hardware"))
from stand_in_nvml import Card, Library

GIB = 1 << 30


class Moving(Library):  # type: ignore[misc]
    """Two cards whose every number is another one, far from the last, at each look."""

    def _card(self, handle: Any) -> Card:
        card: Card = super()._card(handle)
        at = int(2 * time.monotonic()) + 7 * self.cards.index(card)
        card.utilisation = 40 + at * 37 % 60
        card.temperature = 50 + at * 13 % 35
        card.power_mw = 100_000 + at * 77_000 % 300_000
        card.used = (12 + at * 5 % 11) * GIB
        return card


def main() -> None:
    library = Moving(Card(), Card(name=b"NVIDIA RTX A6000", uuid=b"GPU-1", total=48 * GIB))
    pynvml.CDLL = lambda name: library
    from modeltui.__main__ import main as ours

    ours()


if __name__ == "__main__":
    main()
