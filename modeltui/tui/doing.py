"""Says beside models what is being done with them, and then in a line how it went."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeltui.domain.layout import shortened
from modeltui.domain.models import Model

if TYPE_CHECKING:
    from modeltui.tui.stateful import StatefulApp

BRIEF = 28  # cells of a name in a line that says more


class Doing:
    """Says beside some models what is being done with them."""

    def __init__(self, app: "StatefulApp", models: Sequence[Model], words: str) -> None:
        self._app, self._models, self._words = app, models, words

    def __enter__(self) -> None:
        for model in self._models:
            self._app.set_doing(model.sent, self._words)

    def __exit__(self, *_: object) -> None:
        for model in self._models:
            self._app.set_doing(model.sent, None)


def brief(name: str) -> str:
    """A name as it stands in a line that says more: at most BRIEF cells."""
    return shortened(name, BRIEF)


def tell_of(app: "StatefulApp", words: str, model: Model, ink: str = "") -> None:
    """Say how it went; a long name gives way to what is said about it."""
    app.tell(words.replace(model.shown, brief(model.shown)), ink)
