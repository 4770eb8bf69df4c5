"""What Recommend says around its rows: above them, in their place, and about the one under the cursor."""

from collections.abc import Sequence

from modeltui.domain import units
from modeltui.domain.advice.reasons import Ranked
from modeltui.services.recommending import Recommendation
from modeltui.tui.render import Line
from modeltui.tui.screens.recommendrows import about
from modeltui.tui.widgets.lines import Fitted


class About(Fitted):
    """A rule, and lines about the row under the cursor: as many as it is high."""

    row: Ranked | None = None

    def show_row(self, row: Ranked | None) -> None:
        self.row = row
        self.update()

    def fit(self, width: int) -> list[Line]:
        most = max(1, self.size.height - 1)
        lines = [] if self.row is None else about(self.row, width, most)
        return [(("─" * width, "dim"),), *lines, *[()] * (most - len(lines))]


def notes(answer: Recommendation | None, trouble: str, hardware: str | None) -> list[Line]:
    """What must be known to read the rows right; nothing most of the time."""
    lines: list[Line] = [((f" {trouble}", "attention"),)] if trouble else []
    if hardware is not None:
        words = " Simulated: not the server's own machine. "
        lines.append(((words, "attention"), ("w", "key"), (" changes it.", "dim")))
    if answer is not None and answer.is_slow and answer.rows:
        words = f" Nothing reaches {answer.wish.least_tokens:g} tokens/s here: the best all the same."
        lines.append(((words, "attention"),))
    return lines


def empty_lines(answer: Recommendation | None, trouble: str) -> list[Line]:
    """Not made yet, the machine is unknown, or nothing fits; empty where there are rows."""
    if answer is None:
        return [] if trouble else [(("Ranking what would run how well.", ""),)]
    if answer.machine.machine is None:
        return [
            (("What would run there is not known, since its hardware is not.", "strong"),),
            ((answer.machine.why or "nothing says what it has", ""),),
            (),
            (("  w", "key"), ("  ranks for hardware that you type:", "")),
            (
                ("     24GB+64GB", "strong"),
                (" (VRAM + RAM), ", "dim"),
                ("rtx 4090", "strong"),
                (", ", "dim"),
                ("none+16GB", "strong"),
                (" (no GPU)", "dim"),
            ),
        ]
    if answer.rows:
        return []
    return [
        (
            (
                f"Nothing for {answer.wish.task} fits with {units.context(answer.wish.context)} of context.",
                "strong",
            ),
        ),
        (),
        (("  x", "key"), ("  asks for a shorter context", "")),
        (("  t", "key"), ("  takes another task", "")),
        (("  w", "key"), ("  looks at other hardware", "")),
    ]


def pull_facts(rows: Sequence[Ranked]) -> list[str]:
    """What decides about pulls: what comes down, and how it will run."""
    return [
        f"{row.name}  {units.size(row.candidate.tag.size)} to pull, needs {units.size(row.needs)}: "
        f"{row.kind.value}; recommended with {row.score} of 100"
        for row in rows
    ]
