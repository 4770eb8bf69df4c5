"""Builds the whole tree of services from configuration, paths and clock, so that all of it can be swapped."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from modeltui.config.settings import Config
from modeltui.errors import ModeltuiError, StoreError
from modeltui.paths import Paths
from modeltui.services.looks import Looks
from modeltui.services.servers import Link, Links
from modeltui.store.journal import Origin
from modeltui.store.store import Store

Clock = Callable[[], int]
Remembered = TypeVar("Remembered")


@dataclass(frozen=True, slots=True)
class Services:
    """What every service needs.

    `notices` gathers what a person should be told beside the answer; `tell` says at once what is waited for.
    `looks` keeps for seconds what was seen of machines.
    """

    config: Config
    paths: Paths
    environ: Mapping[str, str]
    clock: Clock
    store: Store
    links: Links
    origin: Origin
    notices: list[str]
    tell: Callable[[str], None]
    looks: Looks

    @property
    def user(self) -> str:
        """Who works here, for what is recorded."""
        return user_name()

    async def active(self) -> Link:
        """The link to the server that this process works on."""
        return await self.links.connect(self.config.active)

    def note(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)

    def remember(self, write: Callable[[], None]) -> None:
        """Write to the store what may be lost: a store that fails is told, and does not stop the action."""
        try:
            write()
        except StoreError as error:
            self.note(f"{error.message}; this will not be remembered")

    def recall(self, read: Callable[[], Remembered], default: Remembered) -> Remembered:
        """Read what only enriches an answer: a store that fails is told, and `default` stands for it."""
        try:
            return read()
        except StoreError as error:
            self.note(error.message)
            return default

    def log(self, link: Link | None, action: str, subject: str, error: str | None = None) -> None:
        """One row of activity."""
        self.remember(
            lambda: self.store.journal.add(
                at=self.clock(),
                user=self.user,
                origin=self.origin,
                server_id=link.id if link else None,
                action=action,
                subject=subject,
                error=error,
            )
        )

    @asynccontextmanager
    async def recorded(self, link: Link | None, action: str, subject: str) -> AsyncIterator[None]:
        """Write one row of activity for what happens inside, with the error if it fails."""
        try:
            yield
        except ModeltuiError as error:
            self.log(link, action, subject, error.message)
            raise
        except BaseException as error:
            self.log(link, action, subject, f"interrupted ({type(error).__name__})")
            raise
        self.log(link, action, subject)

    async def close(self) -> None:
        await self.links.close()
        self.store.close()


def build(
    config: Config,
    paths: Paths,
    *,
    environ: Mapping[str, str],
    clock: Clock,
    origin: Origin,
    tell: Callable[[str], None],
) -> Services:
    """The services of one process; a store that cannot be used is one in memory, and said in `notices`."""
    store = Store.open(paths.database)
    notices = []
    if store.trouble is not None:
        notices.append(f"{store.trouble.message}; nothing will be remembered ({store.trouble.remedy})")
    return Services(
        config=config,
        paths=paths,
        environ=environ,
        clock=clock,
        store=store,
        links=Links(config.servers, store, environ=environ, clock=clock, note=notices.append),
        origin=origin,
        notices=notices,
        tell=tell,
        looks=Looks(clock),
    )


def user_name() -> str:
    """Who works here, for the activity; the number where no name is known."""
    import getpass  # which imports what a terminal needs: nothing for a mere list

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
