"""The last line of every screen: the keys that do something now, most useful first."""

from collections.abc import Collection, Sequence
from typing import Any

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen

from modeltui.tui.render import Line, Span, cut_line, width_of
from modeltui.tui.widgets.lines import Fitted

Shown = tuple[str, str, str]  # key as it is shown, word, action
# Most useful first; what is not named here comes after, in the order of the bindings.
RANK = (
    "filter_done", "filter_clear", "clear", "close", "details", "score", "unfold", "fold", "hold", "clean",
    "cancel", "retry", "hold_all", "clear_finished", "move_up", "move_down", "move_first", "per_server",
    "switch", "load", "unload", "delete", "pull", "pin", "keep_alive", "copy", "update", "rename", "mark",
    "compare", "filter", "sort", "undo", "demonstration", "start_server",
)  # fmt: skip


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


def working_keys(screen: Screen[Any], *, is_typing: bool, is_old: bool) -> list[Shown]:
    """The keys that do something on a screen now, most useful first, help last.

    `is_typing`: those that only write are none. `is_old`: what is seen is, and asking again is useful. What a
    screen names in `explained` only says why it does nothing now.
    """
    explained: Collection[str] = getattr(screen, "explained", ())
    found: dict[str, tuple[int, Shown]] = {}
    help_key: Shown = ("?", "help", "app.help")
    for key, active in screen.active_bindings.items():
        binding = active.binding
        shown_key = screen.app.get_key_display(binding)
        if is_typing and (len(shown_key) == 1 or key in ("space", "backspace")):
            continue
        if not active.enabled or not binding.show or not binding.description or binding.id in explained:
            continue
        shown = (shown_key, binding.description, full_action(active.node, binding.action))
        if binding.id == "help":
            help_key = shown if key != "f1" else help_key
            continue
        rank = RANK.index("details") if is_old and binding.id == "refresh" else rank_of(binding)
        found.setdefault(binding.id or key, (rank, shown))
    return [shown for _, shown in sorted(found.values(), key=lambda each: each[0])] + [help_key]


def rank_of(binding: Binding) -> int:
    """Its place in the order of use; what has none comes last, and behind that what no key line shows."""
    if not binding.show:
        return len(RANK) + 1
    return RANK.index(binding.id) if binding.id in RANK else len(RANK)


def full_action(node: object, action: str) -> str:
    """An action with the place where it is looked for."""
    if "." in action.partition("(")[0]:
        return action
    return (
        f"{'app' if isinstance(node, App) else 'screen' if isinstance(node, Screen) else 'focused'}.{action}"
    )


def _spans(shown: Shown) -> Line:
    key, word, _ = shown
    return ((key, "key"), (f" {word}", "dim"))
