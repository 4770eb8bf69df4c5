"""What a person looks for in the catalog: words, order, opened series, and the rows that follow of them."""

from bisect import bisect_left

from modeltui.domain.query import Query, narrows, parse, select
from modeltui.services.offers import Order
from modeltui.tui.catalogview import CatalogRow, Shelf
from modeltui.tui.judging import Judged

NO_QUERY = parse("")


class Search:
    """`matched` are the places that the words choose, ascending; `view` is what is shown of them."""

    def __init__(self, shelf: Shelf, text: str = "", order: Order = Order.POPULARITY) -> None:
        self.shelf = shelf
        self.judged = Judged(shelf)
        self.query: Query = parse(text)
        self.order = order
        self.matched: list[int] = []
        self.view: list[int] = []
        self._ranks = self.judged.ranks(order)
        self._opened: set[int] = set()
        self.again()

    def look_for(self, text: str) -> None:
        """Read the words anew; what only narrows them looks at what matched before."""
        query = parse(text)
        among = self.matched if narrows(query, self.query) else None
        self.query = query
        self.again(among)

    def sort(self, order: Order) -> None:
        """Show the same in another order."""
        self.order = order
        self._ranks = self.judged.ranks(order)
        self._settle()

    def again(self, among: list[int] | None = None) -> None:
        """Hold the words against all rows, or those `among` which they are."""
        places = range(len(self.shelf.rows)) if among is None else among
        if self.query == NO_QUERY:
            self.matched = list(places)
        else:
            self.matched = select(self.query, self.shelf.offers.subjects, places, self.judged.standings)
        self._settle()

    def judged_anew(self) -> bool:
        """Follow new numbers; False where they change no row's place."""
        if self.order is not Order.FIT and not self.query.asks_for_fit:
            return False
        self._ranks = self.judged.ranks(self.order)
        self.again()
        return True

    def hold(self, installed: frozenset[int]) -> bool:
        """Follow what is installed; False where that changes no row's place."""
        if installed == self.judged.installed:
            return False
        self.judged.hold(installed)
        if "installed" not in self.query.states:
            return False
        self.again()
        return True

    # Series that are opened

    def can_unfold(self, row: CatalogRow) -> bool:
        """Whether all of its series matches, and there is more than one row of it."""
        start, count = self.shelf.starts[row.group], self.shelf.counts[row.group]
        found = bisect_left(self.matched, start + count) - bisect_left(self.matched, start)
        return 1 < count == found

    def is_open(self, row: CatalogRow) -> bool:
        """Whether the tags of its series are listed because a person wished so."""
        return row.group in self._opened

    @property
    def has_opened(self) -> bool:
        """Whether any series is open."""
        return bool(self._opened)

    def unfold(self, row: CatalogRow, opens: bool) -> None:
        """List all tags of a row's series, or its one row again."""
        (self._opened.add if opens else self._opened.discard)(row.group)
        self._settle()

    def fold_all(self) -> None:
        """Close every series."""
        self._opened.clear()
        self._settle()

    def lead_of(self, row: CatalogRow) -> CatalogRow:
        """The row that stands for its series."""
        return self.shelf.rows[self.shelf.leads[row.group]]

    def _settle(self) -> None:
        self.view = self.shelf.view(self.matched, self._ranks, self._opened)
