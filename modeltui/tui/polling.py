"""Asks the active server again and again, and turns what it says (or does not say) into snapshots."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from modeltui.errors import ModeltuiError, Unreachable, Unsupported
from modeltui.services.library import Library, Listing, remembered
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.tui.calm import stepped
from modeltui.tui.state import Connection, Models, Phase, Trouble

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
FIRST_PATIENCE_S = 0.15
PATIENCE_S = 3.0  # how long the list may take before the server is asked whether it lives
CALM_S = 2.0  # after the first answer: until then a start keeps the processor busy, and would be measured

if TYPE_CHECKING:
    from modeltui.services.monitoring import RunningNow

    Snapshot = Connection | Models | RunningNow


class Polling:
    """One poller. `show` takes snapshots, one or more at once; `looking_at` says which screen is on top.

    Only what is looked at is asked for: the list, or what runs; everywhere the server's health.
    """

    def __init__(
        self,
        services: Services,
        *,
        is_demo: bool,
        show: "Callable[..., None]",
        looking_at: Callable[[], str],
        listed: Callable[[Link, Listing], None],
    ) -> None:
        self._services = services
        self._show = show
        self._looking_at = looking_at
        self._listed = listed
        active = services.config.active
        self.connection = Connection(
            active.name,
            active.endpoint.url,
            since=services.clock(),
            is_demo=is_demo,
            is_plain_remote=active.endpoint.is_plain_remote,
        )
        self.models = Models()
        self._failures = 0
        self._has_looked = False  # for a way to start it, since it was last there
        self._healthy_at: float | None = None
        self._calm_at = math.inf
        self._is_poked = False
        self._library: tuple[Link, Library] | None = None
        self._wake = asyncio.Event()

    def recall(self) -> None:
        """Show the list that was seen last, before anything is asked."""
        self._show(self.connection)
        listing = remembered(self._services, self._services.config.active)
        if listing is not None:
            self._set_models(Models.of(listing, is_live=False))

    def poke(self) -> None:
        """Ask now, and everything."""
        self._is_poked = True
        self._wake.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._look()
                wait = self._interval_s()
            except ModeltuiError as error:
                wait = self._fail(error)
                await self._find_start()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _look(self) -> None:
        link = await self._services.active()
        view = self._looking_at()
        is_poked, self._is_poked = self._is_poked, False
        needs_list = is_poked or view == "models" or not self.models.is_live
        if view == "running" and await self._look_at_running(link):
            needs_list = True
        if needs_list:
            listing = await self._list(link)
            self._reached(Models.of(listing, is_live=True))
            self._listed(link, listing)
        await self._healthy(link)

    async def _look_at_running(self, link: Link) -> bool:
        """Ask what runs; True when something does that the list has not, or not so."""
        from modeltui.services.monitoring import Monitoring

        try:
            now = await Monitoring(self._services, link).look()
        except Unsupported:  # a server before 0.1.38; the screen says so
            return False
        self._show(now)
        loaded = tuple(row.runner for row in now.rows)
        self._set_models(replace(self.models, loaded=loaded))
        listed = {(entry.model.sent, entry.model.digest) for entry in self.models.entries}
        return any((runner.sent, runner.digest) not in listed for runner in loaded)

    async def _list(self, link: Link) -> Listing:
        """The list; when it takes long, the server is asked whether it answers at all."""
        if self._library is None or self._library[0] is not link:
            self._library = link, Library(self._services, link)
        task = asyncio.ensure_future(self._library[1].listing())
        patience = PATIENCE_S if self.connection.is_online else FIRST_PATIENCE_S
        try:
            while not (await asyncio.wait({task}, timeout=patience))[0]:
                await self._ask_version(link)
                patience = PATIENCE_S
            return task.result()
        finally:
            task.cancel()

    async def _healthy(self, link: Link) -> None:
        """Ask the version where that is due: never asked or timed since the server is there, or long ago."""
        now = asyncio.get_running_loop().time()
        is_first = self._healthy_at is None or (self.connection.latency_ms is None and now >= self._calm_at)
        if is_first or now - (self._healthy_at or now) >= self._services.config.screens.health_s:
            await self._ask_version(link)

    async def _ask_version(self, link: Link) -> None:
        """Ask it; how long that takes counts on a connection that is made, and in calm."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        version = await link.api.version()
        self._healthy_at = loop.time()
        self._reached()
        step = self.connection.latency_ms
        if began >= self._calm_at:
            step = stepped((self._healthy_at - began) * 1000, step)
        self._set_connection(replace(self.connection, version=version, latency_ms=step))

    def _reached(self, models: Models | None = None) -> None:
        """The server answers, perhaps with its list; its version may be asked after that."""
        self._failures, self._has_looked = 0, False
        connection = self.connection
        if not connection.is_online:
            self._calm_at = asyncio.get_running_loop().time() + CALM_S
            now = self._services.clock()
            connection = replace(connection, phase=Phase.ONLINE, since=now, trouble=None, retry_at=None)
        self._set_both(connection, self.models if models is None else models)

    def _fail(self, error: ModeltuiError) -> float:
        """Say that the server is away (or refuses), and how long until the next try."""
        now = self._services.clock()
        wait = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        self._healthy_at, self._calm_at = None, math.inf
        was_offline = self.connection.phase is Phase.OFFLINE
        self._set_connection(
            replace(
                self.connection,
                phase=Phase.OFFLINE,
                latency_ms=None,
                version=None if isinstance(error, Unreachable) else self.connection.version,
                since=self.connection.since if was_offline else now,
                trouble=Trouble.of(error),
                retry_at=now + round(wait * 1000),
            )
        )
        self._set_models(replace(self.models, is_live=False, loaded=None))
        return wait

    async def _find_start(self) -> None:
        """Look once how the server could be started, where it is on this machine and does not answer."""
        trouble = self.connection.trouble
        is_away = trouble is not None and trouble.is_unreachable and not self.connection.is_demo
        if is_away and not self._has_looked:
            self._has_looked = True
            from modeltui.services.starting import find_start

            start = await find_start(self._services, self._services.config.active)
            self._set_connection(replace(self.connection, start=start))

    def _interval_s(self) -> float:
        screens = self._services.config.screens
        usual = {"models": screens.models_s, "running": screens.running_s}.get(
            self._looking_at(), screens.health_s
        )
        if self.connection.latency_ms is not None:
            return usual
        return min(usual, max(0.0, self._calm_at - asyncio.get_running_loop().time()))

    def _set_connection(self, connection: Connection) -> None:
        self._set_both(connection, self.models)

    def _set_models(self, models: Models) -> None:
        self._set_both(self.connection, models)

    def _set_both(self, connection: Connection, models: Models) -> None:
        """Show at once what is other than it was: two that come together are painted once."""
        news: list[Snapshot] = [] if connection == self.connection else [connection]
        if models is not self.models:
            news.append(models)
        self.connection, self.models = connection, models
        if news:
            self._show(*news)
