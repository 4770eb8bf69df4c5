"""The state that all screens share, and the workers that feed it."""

import contextlib
import random
from collections.abc import Coroutine
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from typing import TYPE_CHECKING, Any

from textual import work
from textual.reactive import var
from textual.worker import Worker, WorkerState

from modeltui.errors import ModeltuiError
from modeltui.tui.painting import PaintedApp
from modeltui.tui.polling import Polling
from modeltui.tui.stage import Stage
from modeltui.tui.state import Connection, Models, Undo

if TYPE_CHECKING:
    import asyncio

    from modeltui.domain.advice.quality import Quality
    from modeltui.domain.catalog.series import Catalog
    from modeltui.services.library import Listing
    from modeltui.services.monitoring import RunningNow
    from modeltui.services.servers import Link
    from modeltui.services.tree import Services
    from modeltui.store.queue import QueuedTransfer
    from modeltui.tui.acts import Acts
    from modeltui.tui.advising import Advised
    from modeltui.tui.polling import Snapshot

OURS = ("poll", "store", "runner", "act", "details", "advice", "catalog", "judge")  # they use the services


class StatefulApp(PaintedApp):
    """State is assigned whole to the attributes below; screens watch them, and never the other way round."""

    connection: var[Connection] = var(Connection("", ""), init=False)
    models: var[Models] = var(Models(), init=False)
    running_now: "var[RunningNow | None]" = var(None, init=False)
    transfers: "var[tuple[QueuedTransfer, ...]]" = var((), init=False)
    advice: "var[Advised | None]" = var(None, init=False)
    catalog: "var[Catalog | None]" = var(None, init=False)
    per_server: var[int] = var(1, init=False)

    def __init__(self, stage: Stage, *, ansi_color: bool | None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.quality: Quality | None = None  # of the models of all of the catalog; tui/suiting.py makes it
        self.wants_catalog = False  # all of it, once a screen shows what is not installed
        self.shown_details = 0  # so many models told their shape to this program: verdicts rest on it
        self.holds_runner = False
        self._has_rest = False
        self._early: list[tuple[Link, Listing]] = []
        self.waiting_deletes: dict[str, asyncio.Task[object]] = {}
        self._acting: dict[str, Coroutine[Any, Any, object]] = {}
        self._leave_code: int | None = None
        self._settle(stage)

    def _settle(self, stage: Stage) -> None:
        """What is known of these services before anything is asked: nothing."""
        self.stage = stage
        self.undo_choice: Undo | None = None
        self.switch_when_done: int | None = None
        self.list_seen_at: int | None = None
        self.has_adopted = self.has_synced = False
        self._noticed = 0
        self._polling = self._make_polling()

    @property
    def services(self) -> "Services":
        return self.stage.services

    def now(self) -> int:
        """UTC milliseconds, by the clock of the services."""
        return self.services.clock()

    def _make_polling(self) -> Polling:
        return Polling(
            self.services,
            is_demo=self.stage.is_demo,
            show=self._take,
            looking_at=lambda: self.current_mode or "",
            listed=self._listed,
        )

    def watch_catalog(self) -> None:
        """What was said of another catalog's models does not hold for those of this one."""
        self.quality = None

    def _take(self, *snapshots: "Snapshot") -> None:
        """Show what the poller found; of several that come together the last one paints the screens."""
        *first, last = snapshots
        for snapshot in first:
            if isinstance(snapshot, Connection):
                self.set_reactive(StatefulApp.connection, snapshot)
        if isinstance(last, Connection):
            self.connection = last
        elif isinstance(last, Models):
            self.list_seen_at = last.at
            if first and last == self.models:
                self.mutate_reactive(StatefulApp.connection)
            self.models = last
            self._tell_notices()
        else:
            self.running_now = last

    @work(exclusive=True, group="poll", exit_on_error=False, description="asks the server")
    async def poll(self) -> None:
        await self._polling.run()

    @work(exclusive=True, group="store", exit_on_error=False, description="reads what others wrote")
    async def watch_store(self) -> None:
        from modeltui.tui.later import import_the_rest

        await import_the_rest()
        self._has_rest = True
        while self._early:
            self._look_after(*self._early.pop(0))
        from modeltui.tui.pulse import beat

        await beat(self)

    @work(exclusive=True, group="runner", exit_on_error=False, description="sees the queue carried out")
    async def carry_queue(self) -> None:
        """See to it that somebody carries the queue out, a runner apart or this program."""
        from modeltui.services.detaching import see_carried

        def rests() -> bool:
            return all(row.is_resting for row in self.services.store.queue.open())

        def holding(holds: bool) -> None:
            self.holds_runner = holds

        await see_carried(
            self.services, random=random.random, is_done=rests, tell=self.tell_in_turn, holding=holding
        )

    @property
    def is_carrying(self) -> bool:
        """Whether this program sees to the queue now (as the runner, or waiting to be)."""
        return any(worker.group == "runner" and not worker.is_finished for worker in self.workers)

    @property
    def acts(self) -> "Acts":
        from modeltui.tui.acts import Acts

        return Acts(self)

    def act(self, deed: Coroutine[Any, Any, object], description: str) -> None:
        """Carry out what a person asked for; what fails is told. The same is not begun twice at once."""
        if description in self._acting:
            deed.close()
            return
        self._acting[description] = deed
        work = partial(self._told, deed, description)
        self.run_worker(
            work,  # type: ignore[arg-type]  # what it returns is not inferred from a function
            group="act",
            exit_on_error=False,
            description=description,
        )

    async def _told(self, deed: Coroutine[Any, Any, object], description: str) -> None:
        try:
            await deed
        except ModeltuiError as error:
            self.tell_error(error)
        finally:
            self._acting.pop(description, None)
            self.refresh_soon()
            self._tell_notices()

    def on_unmount(self) -> None:
        """The program ends: what was asked for and not even begun is dropped."""
        for deed in self._acting.values():
            if getcoroutinestate(deed) == CORO_CREATED:
                deed.close()

    def _tell_notices(self) -> None:
        """What services noted since it was looked at last."""
        notices = self.services.notices
        for notice in notices[self._noticed :]:
            self.tell_in_turn(notice)
        self._noticed = len(notices)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What nobody foresaw is told with its place, never kept silent; a poller starts again."""
        worker, error = event.worker, event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            return
        if isinstance(error, ModeltuiError):
            self.tell_error(error)
        else:
            from modeltui.errors import defect

            self.tell_error(defect(error))
        again = {"poll": self.poll, "store": self.watch_store}.get(worker.group)
        if again is not None:
            self.set_timer(5.0, again)

    def refresh_soon(self) -> None:
        """Ask the server now: something was done."""
        self._polling.poke()

    def _listed(self, link: "Link", listing: "Listing") -> None:
        if self._has_rest:
            self._look_after(link, listing)
        else:  # the first list is to be seen before what looks after it is imported
            self._early.append((link, listing))

    def _look_after(self, link: "Link", listing: "Listing") -> None:
        from modeltui.tui.flows import look_after

        look_after(self, link, listing)

    async def stop_workers(self) -> None:
        """Stop everything that uses the services, and wait until it has let go; nothing follows of it."""
        self._early.clear()
        ours = [worker for worker in self.workers if worker.group in OURS]
        for worker in ours:
            worker.cancel()
        for worker in ours:
            with contextlib.suppress(Exception):  # cancelled, or failed before and told then
                await worker.wait()

    async def leave(self, code: int) -> None:
        """End in order: pulls that run here are put back into the queue, then the screens go."""
        if self._leave_code is not None:
            return
        self._leave_code = code
        await self.stop_workers()
        self.exit(code, return_code=code)

    async def use(self, stage: Stage) -> None:
        """Show another tree of services, as from a new start."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        await self.stop_workers()
        old = self.stage
        self._settle(stage)
        await old.close()
        self.running_now, self.transfers, self.doing, self.models = None, (), {}, Models()
        self.advice = self.catalog = None
        self._polling.recall()
        self.poll()
        self.watch_store()
