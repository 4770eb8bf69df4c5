"""The line above a ranking: what was asked for, each part behind the key that changes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events

from modeltui.domain.layout import cells
from modeltui.tui.render import Line, cut_line, width_of
from modeltui.tui.widgets.keyline import KeyLine
from modeltui.tui.widgets.lines import Fitted

GAP = 3
LEAST = 8  # cells of the last part; with fewer its words say nothing


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the wish: its key, its value (and a shorter one where there is less room), its action."""

    key: str
    words: str
    short: str
    action: str
    ink: str = "strong"


class WishLine(Fitted):
    """Values with their keys; a click on one does what the key does. The last is cut, if one must be."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[Part, ...] = ()
        self._places: list[tuple[int, int, str]] = []

    def show_parts(self, parts: Sequence[Part]) -> None:
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.update()

    def fit(self, width: int) -> list[Line]:
        whole = sum(cells(f"{part.key} {part.words}") + GAP for part in self._parts)
        line: Line = ((" ", ""),)
        self._places = []
        for part in self._parts:
            room = width - width_of(line)
            if room < LEAST:
                break
            start = width_of(line)
            words = part.words if whole <= width else part.short
            line = (*line, *cut_line(((part.key, "key"), (f" {words}", part.ink)), room))
            self._places.append((start, width_of(line), part.action))
            line = (*line, (" " * GAP, ""))
        return [cut_line(line[:-1], width)]

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._places:
            if start <= event.x < end:
                self.post_message(KeyLine.Clicked(action))
                return
