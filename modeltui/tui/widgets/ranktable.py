"""The table of a ranking: a row a model, and beneath each a sentence where the screen is high enough."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events

from modeltui.domain.advice.reasons import Ranked
from modeltui.tui.widgets.table import Table

ROOMY = 17  # lines; with fewer the sentences would push the models out of sight


@dataclass(frozen=True, slots=True)
class RankRow:
    """A model of the ranking, or (a rule) the sentence beneath it."""

    key: str
    ranked: Ranked
    is_rule: bool = False


class RankTable(Table[RankRow]):
    """The cursor stands on models only; a click on a sentence chooses the model above it."""

    def show_ranking(self, rows: Sequence[Ranked], *, anew: bool) -> None:
        """Show these rows; `anew`, from another wish, with the cursor on the first."""
        items = tuple(
            RankRow(f"{'why ' if is_rule else ''}{row.name}", row, is_rule)
            for row in rows
            for is_rule in (False, True)
        )
        self.show(items, self._seen(items))
        if anew:
            self.action_first()

    def _seen(self, items: Sequence[RankRow]) -> list[int]:
        is_roomy = self.size.height >= ROOMY
        return [at for at, item in enumerate(items) if is_roomy or not item.is_rule]

    def on_resize(self, event: events.Resize) -> None:  # before Table's own, which Textual calls, too
        if len(view := self._seen(self._items)) != len(self._view):
            self.show(self._items, view)

    def on_click(self, event: events.Click) -> None:
        place = event.y - self._head + self.scroll_offset.y
        if event.y >= self._head and place < len(self._view) and self._items[self._view[place]].is_rule:
            event.prevent_default()
            self._move_to(place - 1)
            if event.chain == 2:
                self.post_message(self.Chosen())

    def _keep_cursor_seen(self) -> None:
        """Keep the sentence beneath the cursor in sight, too."""
        super()._keep_cursor_seen()
        below = self._cursor + 1
        is_sentence = below < len(self._view) and self._items[self._view[below]].is_rule
        if is_sentence and below >= round(self.scroll_y) + self._page:
            self.scroll_target_y = self.scroll_y = below - self._page + 1
