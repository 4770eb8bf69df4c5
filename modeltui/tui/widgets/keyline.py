"""The last line of every screen: the keys that do something now, most useful first."""

from collections.abc import Sequence

from textual import events
from textual.message import Message

from modeltui.tui.render import Line, Span, cut_line, width_of
from modeltui.tui.widgets.lines import Fitted

Shown = tuple[str, str, str]  # key as it is shown, word, action


class KeyLine(Fitted):
    """As many keys as fit; a click on one does what the key does. `?` keeps its place at the end."""

    DEFAULT_CSS = "KeyLine { height: 1; }"

    class Clicked(Message):
        """A key was clicked; `action` is what it does."""

        def __init__(self, action: str) -> None:
            self.action = action
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._keys: Sequence[Shown] = ()
        self._places: list[tuple[int, int, int, str]] = []

    def show_keys(self, keys: Sequence[Shown]) -> None:
        if keys != self._keys:
            self._keys = keys
            self.update()

    def fit(self, width: int) -> list[Line]:
        *most, last = self._keys or [("", "", "")]
        tail = _spans(last)
        room = width - 1 - width_of(tail)
        spans: list[Span] = [(" ", "")]
        self._places = []
        for shown in most:
            each = (*_spans(shown), ("  ", ""))
            if width_of((*spans, *each)) > room:
                continue
            start = width_of(tuple(spans))
            spans += each
            self._places.append((0, start, width_of(tuple(spans)) - 2, shown[2]))
        start = width_of(tuple(spans))
        spans += tail
        self._places.append((0, start, width_of(tuple(spans)), last[2]))
        return [tuple(spans)]

    def on_click(self, event: events.Click) -> None:
        for line, start, end, action in self._places:
            if event.y == line and start <= event.x < end:  # the gap between two keys is none
                self.post_message(self.Clicked(action))
                return


class Answers(KeyLine):
    """The keys of a dialog: all of them, on as many lines as they need."""

    DEFAULT_CSS = "Answers { height: auto; }"

    def fit(self, width: int) -> list[Line]:
        lines: list[Line] = []
        self._places = []
        for shown in self._keys:
            spans = _spans(shown)
            last = lines[-1] if lines else ()
            if not lines or width_of(last) + 2 + width_of(spans) > width:
                lines.append(((" ", ""), *cut_line(spans, width - 1)))
            else:
                lines[-1] = (*last, ("  ", ""), *spans)
            end = width_of(lines[-1])
            self._places.append((len(lines) - 1, end - width_of(spans), end, shown[2]))
        return lines


def _spans(shown: Shown) -> Line:
    key, word, _ = shown
    return ((key, "key"), (f" {word}", "dim"))
