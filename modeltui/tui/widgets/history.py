"""How busy the hardware was in the last two minutes: plots that change only when a span of time is over."""

from collections import deque
from collections.abc import Mapping, Sequence

from modeltui.tui.render import Line, width_of

WINDOW_MS = 120_000
WIDTHS = (24, 12, 8)  # cells of a plot, where there is room: a step of 5, 10 or 15 s each
HELD_MS = 15_000  # so long a value stands where nobody looked again
STEPS = "▁▂▃▄▅▆▇█"
TITLE = " last 2 min "


class History:
    """Percentages by a key of their own, with the time of each (milliseconds)."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[int, float]]] = {}

    def note(self, at: int, values: Mapping[str, float | None]) -> None:
        """Remember what was seen at a moment; the unknown is a gap. A clock that went back begins anew."""
        for key, value in values.items():
            seen = self._seen.setdefault(key, deque())
            if seen and at < seen[-1][0]:
                seen.clear()
            if value is not None and not (seen and seen[-1][0] == at):
                seen.append((at, value))
            while seen and seen[0][0] < at - WINDOW_MS - HELD_MS:
                seen.popleft()

    def plot(self, key: str, at: int, cells: int) -> str:
        """The two minutes before `at`, each cell the mean of its span of time; only spans that are over."""
        span = WINDOW_MS // cells
        end = at // span * span
        seen = self._seen.get(key, ())
        marks = []
        for cell in range(cells):
            until = end - (cells - 1 - cell) * span
            values = [value for when, value in seen if until - span <= when < until]
            if not values:
                held = [value for when, value in seen if until - span - HELD_MS <= when < until]
                values = held[-1:]
            marks.append(_mark(sum(values) / len(values)) if values else " ")
        return "".join(marks)


def plots_line(history: History, at: int, keys: Sequence[tuple[str, str]], width: int) -> Line:
    """One line with a plot for each (label, key) that there is room for, the first ones first."""
    for count in range(len(keys), 0, -1):
        labels = [label for label, _ in keys[:count]]
        room = width - len(TITLE) - sum(len(label) + 3 for label in labels)
        for cells in WIDTHS:
            if cells * count <= room:
                line: Line = ((TITLE, "dim"),)
                for label, key in keys[:count]:
                    line = (*line, (f" {label} ", "dim"), (history.plot(key, at, cells), ""), (" ", ""))
                assert width_of(line) <= width
                return line
    return ()


def _mark(percent: float) -> str:
    return STEPS[min(len(STEPS) - 1, max(0, int(percent * len(STEPS) / 100)))]
