"""Notices that the configuration was edited while the runner works, and reads it again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from modeltui.config.reader import load
from modeltui.config.settings import Config
from modeltui.errors import ModeltuiError
from modeltui.services.servers import Links
from modeltui.services.tree import Services

Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class News:
    """The configuration as it is now; `links` are other ones only when the servers are."""

    config: Config
    links: Links


class ConfigEdits:
    """What became of config.toml and settings.toml since the services were built."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._news = News(services.config, services.links)
        self._opened: list[Links] = []
        self._read = self._seen = self._stamp()

    async def look(self, tell: Callable[[str], None]) -> News | None:
        """The new configuration after an edit, else None; after one that cannot be read the old one counts.

        A file is read when it stood still between two looks: an editor may write it in parts.
        """
        before, self._seen = self._seen, self._stamp()
        if self._seen == self._read or self._seen != before:
            return None
        self._read = self._seen
        try:
            config = await asyncio.to_thread(self._load)
        except ModeltuiError as error:
            tell(f"the configuration was edited, and the old one counts: {error.message}")
            return None
        tell("the configuration was edited, and read again")
        for problem in set(config.problems) - set(self._news.config.problems):
            tell(problem)
        links = self._news.links
        if config.servers != self._news.config.servers:
            services = self._services
            links = Links(
                config.servers,
                services.store,
                environ=services.environ,
                clock=services.clock,
                note=services.note,
            )
            self._opened.append(links)
        self._news = News(config, links)
        return self._news

    async def close(self) -> None:
        """Close the connections of the links that were opened here."""
        for links in self._opened:
            await links.close()

    def _load(self) -> Config:
        services = self._services
        return load(services.paths, services.environ, profile=services.config.typed_profile)

    def _stamp(self) -> Stamp:
        stamps: list[tuple[int, int, int] | None] = []
        for path in (self._services.paths.config_file, self._services.paths.settings_file):
            try:
                found = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((found.st_mtime_ns, found.st_size, found.st_ino))
        return tuple(stamps)
