"""Runs the speed estimate over published measurements, and prints how far each is off when run by itself."""

import csv
import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.speed import Speed, speed
from modeltui.domain.catalog.facts import facts_of
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.estimate import place
from modeltui.domain.memory.serving import Serving

ROWS = Path(__file__).parents[1] / "data" / "speed_measurements.csv"
_CONTEXT = 4096


@dataclass(frozen=True)
class Row:
    """One published measurement beside our estimate of it."""

    hardware: str
    tag: str
    tokens: float
    is_bar: bool
    kind: FitKind
    estimate: Speed

    @property
    def error(self) -> float:
        """Estimated over measured, less one."""
        assert self.estimate.tokens is not None
        return self.estimate.tokens / self.tokens - 1

    @property
    def is_in_band(self) -> bool:
        assert self.estimate.low is not None and self.estimate.high is not None
        return self.estimate.low <= self.tokens <= self.estimate.high


def rows() -> Iterator[Row]:
    """Every row of the file, estimated from what the program would know: the catalog and the hardware."""
    catalog = load_base()
    serving = Serving(version=(0, 32, 0), default_context=_CONTEXT)
    with ROWS.open(encoding="utf-8") as file:
        for written in csv.DictReader(file):
            typed, _, ram = written["hardware"].partition(" @")
            machine = parse_hardware(typed)
            if bandwidth := re.fullmatch(r"([\d.]+)GB/s", ram):
                machine = replace(machine, ram_bandwidth=float(bandwidth[1]) * 1e9)
            found = catalog.find(written["tag"])
            assert found is not None, written["tag"]
            facts = facts_of(*found)
            assert facts is not None, written["tag"]
            placement = place(facts, _CONTEXT, serving, machine)
            estimate = speed(placement, facts, machine, used=int(written["used"]))
            assert estimate.tokens is not None, (written, placement)
            yield Row(
                *(typed, written["tag"], float(written["tokens_s"]), written["use"] == "yes"),
                *(placement.kind, estimate),
            )


def summary(found: list[Row]) -> tuple[float, float, float]:
    """Median and 90th percentile of |log(estimated/measured)|, and the share of rows inside their band."""
    errors = sorted(abs(math.log(1 + row.error)) for row in found)
    in_band = sum(row.is_in_band for row in found) / len(found)
    return statistics.median(errors), errors[int(0.9 * (len(errors) - 1))], in_band


def main() -> None:
    found = list(rows())
    for row in found:
        mark = " " if row.is_in_band else "out of band"
        aside = "" if row.is_bar else "(no bar)"
        print(  # noqa: T201
            f"{row.hardware:20} {row.tag:28} {row.kind:5} measured {row.tokens:6.1f}"
            f" estimated {row.estimate.tokens:6.1f} {row.error:+5.0%} {aside} {mark}".rstrip()
        )
    bars = [row for row in found if row.is_bar]
    median, p90, share = summary(bars)
    print(f"{len(bars)} rows: median {median:.1%}, p90 {p90:.1%}, in band {share:.0%}")  # noqa: T201


if __name__ == "__main__":
    main()
