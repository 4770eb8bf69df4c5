"""The estimate of memory against published measurements: a row in, an error out, and a table of them all.

`python tests/validation/validate_memory.py [file.csv]` prints it. A row becomes what the program itself
would know: the catalog's shape of the model with the row's own columns over it, the file's size, the
server's version, the context, parallel requests, KV type, flash attention and whether it was split. Nothing
else of a row is used.
"""

import csv
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from memory_rows import facts_of_row, processor, serving_of_row, whole_number

from modeltui.domain.memory import eras
from modeltui.domain.memory.estimate import needs, printed

ROWS = Path(__file__).parent.parent / "data" / "memory_measurements.csv"
GB = 1e9


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row judged; sizes in bytes. `error` is the signed distance outside the interval over its middle."""

    name: str
    kind: str
    era: str
    family: str
    context: int
    low: float
    high: float
    estimate: float
    error: float
    is_used: bool


def judged(path: Path = ROWS) -> list[Outcome]:
    """Every row of the file, in its order."""
    with path.open(newline="", encoding="utf-8") as file:
        return [outcome(row) for row in csv.DictReader(file)]


def outcome(row: dict[str, str]) -> Outcome:
    """One row's estimate beside what was measured."""
    facts = facts_of_row(row)
    serving = serving_of_row(row)
    context = whole_number(row["context_tokens"]) or 4096
    kind, cards = processor(row)
    if row["kind"] == "physical":
        estimate = needs(facts, context, serving, cards).total
    else:
        estimate = printed(facts, context, serving, kind, cards)
    family = facts.architecture.kind if facts.architecture else ""
    low, high = float(row["low_gb"]) * GB, float(row["high_gb"]) * GB
    distance = estimate - high if estimate > high else min(0.0, estimate - low)
    return Outcome(
        name=row["model_tag"],
        kind=row["kind"],
        era=eras.account_of(family, eras.version_of(serving)).value,
        family=family or "?",
        context=context,
        low=low,
        high=high,
        estimate=estimate,
        error=distance / ((low + high) / 2),
        is_used=row["use"] == "yes",
    )


def p90(errors: Iterable[float]) -> float:
    """The 90th percentile (nearest rank)."""
    ordered = sorted(errors)
    return ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]


def table(outcomes: list[Outcome]) -> str:
    """The whole result for a person."""
    used = [each for each in outcomes if each.is_used]
    lines = [_line("all used rows", used)]
    groups: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
        ("era", lambda each: each.era),
        ("kind", lambda each: each.kind),
        ("family", lambda each: each.family),
    )
    for title, key in groups:
        lines.extend(
            _line(f"{title} {name}", [each for each in used if key(each) == name])
            for name in sorted({key(each) for each in used})
        )
    lines.append("rows over 5 %:")
    lines.extend(_row(each) for each in used if abs(each.error) > 0.05)
    return "\n".join(lines)


def _line(name: str, outcomes: list[Outcome]) -> str:
    errors = [abs(each.error) for each in outcomes]
    words = f"median {median(errors):6.2%}  p90 {p90(errors):6.2%}  worst {max(errors):6.2%}"
    return f"{name:<24} {len(errors):>3} rows  {words}"


def _row(each: Outcome) -> str:
    return (
        f"  {each.error:+7.2%}  {each.name[:40]:<40} {each.era:<9}{each.kind:<9}{each.context:>7}  "
        f"{each.low / GB:8.3f}-{each.high / GB:8.3f}  ours {each.estimate / GB:8.3f}"
    )


if __name__ == "__main__":
    found = judged(Path(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
    sys.stdout.write(table(found) + "\n")
    if "-v" in sys.argv:
        sys.stdout.write("\n".join(_row(each) for each in found) + "\n")
