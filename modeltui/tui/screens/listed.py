"""What Downloads and Running share: words that narrow the list, an order that is chosen, and marks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from modeltui.domain.query import Query, Subject, parse, select
from modeltui.tui.screens.base import FilteredScreen
from modeltui.tui.widgets.table import Table


class ListScreen(FilteredScreen):
    """Its rows are made anew all the time: words, order and marks outlast them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", id="mark"),
        Binding("slash", "filter", "filter", key_display="/", id="filter"),
        Binding("o", "sort", "sort", id="sort"),
        Binding("escape", "clear", "clear", show=False, id="clear"),
    ]
    ORDERS: ClassVar[Mapping[str, str]] = {}  # column -> the order in words; the first is that of the rows
    HINT: ClassVar[str] = ""  # what can be typed into the filter
    NOUN: ClassVar[str] = ""  # what the rows are, one of them
    KEYS_OF_MARKED: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._query = _query("")
        self._order = next(iter(self.ORDERS))

    @property
    def _table(self) -> Table[Any]:
        return self.query_one(Table)

    def on_mount(self) -> None:
        self._table.sorted_by = self._order
        self._table.empty = (
            (f"   No {self.NOUN} has these words. ", ""),
            ("esc", "key"),
            (" shows all.", ""),
        )
        self._filter.hint = self.HINT
        self.watch(self._filter, "text", self._filtered, init=False)

    def show_rows(self) -> None:
        """Show the rows that have the words, in the order."""
        raise NotImplementedError

    def subject_of(self, row: Any) -> Subject:
        """What the words of the filter are held against."""
        raise NotImplementedError

    def rank_of(self, row: Any) -> Any:
        """By what a row is sorted in the order that is chosen."""
        raise NotImplementedError

    @property
    def is_sorted(self) -> bool:
        """Whether the rows stand in another order than their own."""
        return self._order != next(iter(self.ORDERS))

    def places(self, rows: Sequence[Any]) -> list[int]:
        """The places of those rows that have the words, in the order."""
        found = list(range(len(rows)))
        if self._filter.text:
            found = select(self._query, [self.subject_of(row) for row in rows], found)
        return sorted(found, key=lambda at: self.rank_of(rows[at])) if self.is_sorted else found

    def tally(self, shown: int, of: int) -> None:
        """Say beside the words how many rows have them, and what of the marked is not seen."""
        hidden = f"{count} marked hidden, " if (count := self._table.hidden_marks) else ""
        self._filter.tally = f"{hidden}{shown} of {of} " if self._filter.text else ""

    def _filtered(self, text: str) -> None:
        self._query = _query(text)
        self.show_rows()

    def action_sort(self) -> None:
        orders = list(self.ORDERS)
        self._sort_by(orders[(orders.index(self._order) + 1) % len(orders)])

    def on_table_sorted(self, event: Table.Sorted) -> None:
        if event.column in self.ORDERS:
            self._sort_by(event.column)

    def _sort_by(self, order: str) -> None:
        self._order = self._table.sorted_by = order
        self.show_rows()
        self.refresh_bindings()
        self.tui.tell(self.ORDERS[order])

    def action_mark(self) -> None:
        table = self._table
        table.mark()
        count, hidden = len(table.marked), table.hidden_marks
        words = f"{count} marked{f' ({hidden} hidden)' if hidden else ''}: {self.KEYS_OF_MARKED}, esc clears"
        self.tui.tell(words if count else "none marked")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "mark":
            return self.is_mounted and self._table.item is not None
        return super().check_action(action, parameters)


def _query(text: str) -> Query:
    """What was typed: limits of a size, and words that are only looked for: here they mean no more."""
    query = parse(text)
    return replace(query, texts=(*query.texts, *query.words, *query.states), words=(), states=())
