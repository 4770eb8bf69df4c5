"""Tables of text: columns aligned by cells, given up by worth when the terminal is narrow."""

from collections.abc import Sequence
from dataclasses import dataclass

from modeltui.domain.layout import cells, cut, pad, shortened

GAP = 2
SHORTEST_NAME = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `worth` 0 never goes; of the others the highest number goes first.

    `least` is what its texts may be cut to before a column goes; a name has a least of its own.
    """

    title: str
    worth: int = 0
    right: bool = False
    is_name: bool = False
    least: int = 0


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The header and one line a row, no line wider than `width` cells (None: as wide as needed)."""
    kept = list(range(len(columns)))
    widths = [
        max([cells(column.title), *(cells(row[place]) for row in rows)])
        for place, column in enumerate(columns)
    ]
    if width is not None:
        widths = _fitted(columns, kept, widths, width)
    lines = []
    for row in [[column.title for column in columns], *rows]:
        parts = [_placed(row[place], widths[place], columns[place]) for place in kept]
        line = (" " * GAP).join(parts).rstrip()
        lines.append(line if width is None else cut(line, width))
    return lines


def _fitted(columns: Sequence[Column], kept: list[int], widths: list[int], width: int) -> list[int]:
    """Cut texts to their least, then give up columns; what room remains goes back, to the name first."""
    fitted = list(widths)
    for place, column in enumerate(columns):
        least = max(SHORTEST_NAME, width // 3) if column.is_name else column.least
        if least:
            fitted[place] = min(widths[place], least)

    def room() -> int:
        return width - sum(fitted[place] for place in kept) - GAP * (len(kept) - 1)

    while room() < 0:
        droppable = [place for place in kept if columns[place].worth]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda place: (columns[place].worth, place)))
    for place in sorted(kept, key=lambda place: not columns[place].is_name):
        if columns[place].is_name or columns[place].least:
            fitted[place] = max(1, min(widths[place], fitted[place] + room()))
    return fitted


def _placed(text: str, width: int, column: Column) -> str:
    return pad(shortened(text, width) if column.is_name else text, width, column.right)
