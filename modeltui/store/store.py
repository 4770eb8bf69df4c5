"""The store as one thing: opened from a file, or in memory when the file cannot be used."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from modeltui.errors import StoreError
from modeltui.store.database import Database
from modeltui.store.facts import Facts
from modeltui.store.journal import Journal

if TYPE_CHECKING:
    from modeltui.store.queue import Queue


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

    @classmethod
    def open(cls, path: Path) -> "Store":
        """The store at `path`; where that cannot be used, one in memory that says so in `trouble`."""
        try:
            return cls(Database.open(path))
        except StoreError as error:
            return cls(Database.in_memory(), error)

    def version_of_data(self) -> tuple[int, int]:
        """Changes when anyone has written: what was read before is to be read again."""
        return self._database.version_of_data()

    def check(self) -> None:
        """Read through the whole database; raises StoreError when it is damaged."""
        self._database.check()

    def close(self) -> None:
        self._database.close()
