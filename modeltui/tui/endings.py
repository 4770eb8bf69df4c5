"""Says how pulls ended: in one line, however many they are, until a person had the time to read it."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeltui.domain.transfers import State
from modeltui.store.ends import End

if TYPE_CHECKING:
    from modeltui.tui.stateful import StatefulApp


class Endings:
    """The ends that the present line tells of; those that come while it stands or waits join it."""

    def __init__(self, app: "StatefulApp") -> None:
        self._app = app
        self._ends: list[End] = []
        self._said = ""

    def tell(self, ends: Sequence[End]) -> None:
        """Say how these ended, together with those before them that are still being said."""
        app = self._app
        if not app.is_telling(self._said):
            self._ends = []
        self._ends += ends
        key = app.services.config.screens.keys.get("downloads", "4")
        words = ends_words(self._ends, "" if app.current_mode == "downloads" else key)
        is_good = all(end.state is State.INSTALLED for end in self._ends)
        app.retell(self._said, words, "good" if is_good else "attention")
        self._said = words


def ends_words(ends: Sequence[End], key: str) -> str:
    """One line about any number of ends; `key` shows them, empty where they are seen already.

    What was tried again and ended anew counts as it ended last.
    """
    last = {end.number: end for end in ends}
    if len(last) == 1:
        return next(iter(last.values())).words
    counts = Counter(end.state for end in last.values())
    order = (State.INSTALLED, State.FAILED, State.CANCELLED)
    words = ", ".join(f"{counts[state]} {state}" for state in order if counts[state])
    return f"{len(last)} pulls ended: {words}{f' · {key} shows them' if key else ''}"
