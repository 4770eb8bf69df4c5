"""The store as one thing: opened from a file, or in memory when the file cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from modeltui.errors import StoreError
from modeltui.store.database import Database
from modeltui.store.facts import Facts
from modeltui.store.journal import Journal

if TYPE_CHECKING:
    from modeltui.store.ends import Ends
    from modeltui.store.findings import Findings
    from modeltui.store.measurements import Measurements
    from modeltui.store.queue import Queue
    from modeltui.store.updates import Updates


class Store:
    """Queue, journal and facts over one connection. `trouble` says why nothing will be remembered."""

    def __init__(self, database: Database, trouble: StoreError | None = None) -> None:
        self._database = database
        self.trouble = trouble
        self.journal = Journal(database)
        self.facts = Facts(database)

    @cached_property
    def queue(self) -> "Queue":
        """Imported when first used: most commands have nothing to do with transfers."""
        from modeltui.store.queue import Queue

        return Queue(self._database)

    @cached_property
    def ends(self) -> "Ends":
        """Imported when first used, too."""
        from modeltui.store.ends import Ends

        return Ends(self._database)

    @cached_property
    def updates(self) -> "Updates":
        """Imported when first used, too."""
        from modeltui.store.updates import Updates

        return Updates(self._database)

    @cached_property
    def findings(self) -> "Findings":
        """Imported when first used, too."""
        from modeltui.store.findings import Findings

        return Findings(self._database)

    @cached_property
    def measurements(self) -> "Measurements":
        """Imported when first used, too."""
        from modeltui.store.measurements import Measurements

        return Measurements(self._database)

    @classmethod
    def open(cls, path: Path) -> "Store":
        """The store at `path`; where that cannot be used, one in memory that says so in `trouble`."""
        try:
            return cls(Database.open(path))
        except StoreError as error:
            return cls(Database.in_memory(), error)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction of all that is written inside; raises StoreError, and then none of it is."""
        with self._database.writing():
            yield

    def has_work(self) -> bool:
        """Whether a transfer is left to be carried out; cheap, for who has nothing else to do with them."""
        found = self._database.row(
            "SELECT 1 FROM transfers WHERE state NOT IN ('installed', 'failed', 'cancelled')"
            " AND (state NOT IN ('paused', 'blocked') OR obeyed <> wishes) LIMIT 1"
        )
        return found is not None

    def version_of_data(self) -> tuple[int, int]:
        """Changes when anyone has written: what was read before is to be read again."""
        return self._database.version_of_data()

    def check(self) -> None:
        """Read through the whole database; raises StoreError when it is damaged."""
        self._database.check()

    def close(self) -> None:
        self._database.close()
