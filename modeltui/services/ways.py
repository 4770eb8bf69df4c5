"""The ways to the servers that one runner pulls on; where tokens expire each try gets a new one."""

from collections.abc import Callable, Collection

from modeltui.errors import ModeltuiError
from modeltui.services.servers import Link, Links

_FRESH_MS = 60_000


class Ways:
    """What leads to each server now. Those links that were made for this runner alone it closes, too."""

    def __init__(self, links: Links, clock: Callable[[], int]) -> None:
        self._links = links
        self._clock = clock
        self._known: dict[int, Link] = {}
        self._fresh_until: dict[int, int] = {}
        self._own: list[Link] = []

    def to(self, server_id: int) -> Link | None:
        """The link that a try may begin with; None where one has to be found first."""
        link = self._known.get(server_id)
        if link is None or not link.is_short_lived:
            return link
        return link if self._clock() < self._fresh_until.get(server_id, 0) else None

    def spend(self, server_id: int) -> None:
        """A try has begun: the next one gets a token of its own where tokens expire."""
        self._fresh_until.pop(server_id, None)

    async def find(self, server_id: int) -> bool:
        """Find a link that a try may begin with; False when the server is no longer configured.

        Where no new token can be had the old one is tried. Raises ConfigError when there is none.
        """
        try:
            link = await self._links.connect_by_id(server_id, anew=True)
        except ModeltuiError:
            link = self._known.get(server_id)
            if link is None:
                raise
        if link is None:
            return False
        if link.is_short_lived and link not in self._own:
            self._own.append(link)
        self._known[server_id] = link
        self._fresh_until[server_id] = self._clock() + _FRESH_MS
        return True

    def lead_by(self, links: Links) -> None:
        """Find the ways by other links from now on."""
        self._links = links
        self._known.clear()
        self._fresh_until.clear()

    async def close_unused(self, in_use: Collection[Link | None]) -> None:
        """Close what was made here and is neither in use nor the newest."""
        needed = [*in_use, *self._known.values()]
        for link in [each for each in self._own if not any(each is other for other in needed)]:
            self._own.remove(link)
            await link.api.close()

    async def close(self) -> None:
        """Forget every way: who goes on later finds them anew."""
        self.lead_by(self._links)
        await self.close_unused(())
