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
        self._shows_them = False

    def tell(self, ends: Sequence[End]) -> None:
        """Say how these ended, together with those before them that are still being said."""
        if not self._app.is_telling(self._said):
            self._ends = []
        self._ends += ends
        self._retell()

    def keep_true(self) -> None:
        """Send nobody to Downloads for what was cleared from there meanwhile."""
        if self._shows_them and self._app.is_telling(self._said) and not self._are_kept:
            self._retell()

    def _retell(self) -> None:
        app = self._app
        self._shows_them = app.current_mode != "downloads" and self._are_kept
        key = app.services.config.screens.keys.get("downloads", "4") if self._shows_them else ""
        words = ends_words(self._ends, key)
        is_good = all(end.state is State.INSTALLED for end in self._ends)
        app.retell(self._said, words, "good" if is_good else "attention")
        self._said = words

    @property
    def _are_kept(self) -> bool:
        """Whether all of them are in the queue or its history."""
        return {end.number for end in self._ends} <= {row.number for row in self._app.transfers}


def ends_words(ends: Sequence[End], key: str) -> str:
    """One line about any number of ends; `key` shows them, empty where nothing has to or does.

    What was tried again and ended anew counts as it ended last.
    """
    last = {end.number: end for end in ends}
    if len(last) == 1:
        return next(iter(last.values())).words
    counts = Counter(end.state for end in last.values())
    order = (State.INSTALLED, State.FAILED, State.CANCELLED)
    words = ", ".join(f"{counts[state]} {state}" for state in order if counts[state])
    return f"{len(last)} pulls ended: {words}{f' · {key} shows them' if key else ''}"
