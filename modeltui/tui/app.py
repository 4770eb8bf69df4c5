"""The program of the screens: its state, its workers, its modes and its global keys."""

import contextlib
import gc
import random
from collections.abc import Callable, Coroutine
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from modeltui.errors import ModeltuiError
from modeltui.tui.keyed import KeyedApp
from modeltui.tui.painting import NarrowUpdate
from modeltui.tui.polling import Polling
from modeltui.tui.render import AsciiFilter
from modeltui.tui.stage import Stage
from modeltui.tui.state import Connection, Models, Undo

if TYPE_CHECKING:
    import asyncio

    from modeltui.domain.catalog.series import Catalog
    from modeltui.services.library import Listing
    from modeltui.services.monitoring import RunningNow
    from modeltui.services.servers import Link
    from modeltui.services.tree import Services
    from modeltui.store.queue import QueuedTransfer
    from modeltui.tui.acts import Acts
    from modeltui.tui.advising import Advised
    from modeltui.tui.leaving import Leaving
    from modeltui.tui.polling import Snapshot

SHEETS = ("models", "catalog", "downloads", "running", "details", "dialogs", "palette", "help", "recommend")
QUEUE_LATER_S = 0.6  # the first list comes before the queue is read
OURS = ("poll", "store", "runner", "act", "details", "advice", "catalog", "judge")  # they use the services


def _models() -> Screen[None]:
    from modeltui.tui.screens.models import ModelsScreen

    return ModelsScreen()


def _catalog() -> Screen[None]:
    from modeltui.tui.screens.catalog import CatalogScreen

    return CatalogScreen()


def _recommend() -> Screen[None]:
    from modeltui.tui.screens.recommend import RecommendScreen

    return RecommendScreen()


def _downloads() -> Screen[None]:
    from modeltui.tui.screens.downloads import DownloadsScreen

    return DownloadsScreen()


def _running() -> Screen[None]:
    from modeltui.tui.screens.running import RunningScreen

    return RunningScreen()


def _painted() -> None:
    """The first frame stands: garbage, not collected since the entry, is from now on, of what is new."""
    gc.enable()
    gc.freeze()


class ModelTuiApp(KeyedApp):
    """State is assigned whole to the attributes below; screens watch them, and never the other way round."""

    # All at once: a sheet that comes with its screen has everything parsed anew.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", *(f"screens/{name}.tcss" for name in SHEETS)]
    TITLE = "modeltui"
    ENABLE_COMMAND_PALETTE = False
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "catalog": _catalog,
        "recommend": _recommend,
        "downloads": _downloads,
        "running": _running,
    }
    DEFAULT_MODE = "models"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show_screen('models')", "models", show=False, id="models"),
        Binding("2", "show_screen('catalog')", "catalog", show=False, id="catalog"),
        Binding("3", "show_screen('recommend')", "recommend", show=False, id="recommend"),
        Binding("4", "show_screen('downloads')", "downloads", show=False, id="downloads"),
        Binding("5", "show_screen('running')", "running", show=False, id="running"),
        Binding("ctrl+p,colon", "palette", "all actions", key_display="ctrl+p", id="palette"),
        Binding("question_mark,f1", "help", "help", key_display="?", id="help"),
        Binding("r", "refresh_now", "refresh", id="refresh"),
        Binding("z", "undo", "undo", id="undo"),
        Binding("D", "demonstration", "demonstration", id="demonstration"),
        Binding("S", "start_server", "start the server", id="start_server"),
        Binding("backspace", "back", "back", id="back"),
        Binding("q", "quit", "quit", id="quit"),
        Binding("ctrl+c", "interrupt", "quit", show=False, priority=True, id="interrupt"),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, id="suspend"),
    ]

    connection: var[Connection] = var(Connection("", ""), init=False)
    models: var[Models] = var(Models(), init=False)
    running_now: "var[RunningNow | None]" = var(None, init=False)
    transfers: "var[tuple[QueuedTransfer, ...]]" = var((), init=False)
    advice: "var[Advised | None]" = var(None, init=False)
    catalog: "var[Catalog | None]" = var(None, init=False)
    per_server: var[int] = var(1, init=False)

    def __init__(
        self, stage: Stage, *, colour: str, glyphs: str, version: str, leaving: "Leaving | None" = None
    ) -> None:
        super().__init__(ansi_color=True if colour == "none" else None)
        self.stage = stage
        self.version = version
        self._leaving = leaving
        self.undo_choice: Undo | None = None
        self.holds_runner = False
        self.has_adopted = self.has_synced = False
        self.wants_catalog = False  # all of it, once a screen shows what is not installed
        self.shown_details = 0  # so many models told their shape to this program: verdicts rest on it
        self.switch_when_done: int | None = None
        self.history: list[str] = []
        self.list_seen_at: int | None = None
        self.is_painted = self._has_rest = False
        self._early: list[tuple[Link, Listing]] = []
        self.waiting_deletes: dict[str, asyncio.Task[object]] = {}
        self._acting: set[str] = set()
        self._noticed = 0
        self._polling = self._make_polling()
        self._leave_code: int | None = None
        self._settle_theme(colour)
        if glyphs == "ascii":
            self._filters.append(AsciiFilter())
        screens = stage.services.config.screens
        self.animation_level = "full" if screens.animations else "none"
        self.set_keymap(dict(screens.keys))

    @property
    def services(self) -> "Services":
        return self.stage.services

    def now(self) -> int:
        """UTC milliseconds, by the clock of the services."""
        return self.services.clock()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send no more of a line than changed in it."""
        super()._display(screen, NarrowUpdate.of(renderable))

    # Coming and going

    def get_default_screen(self) -> Screen[None]:
        """The first screen of all. As one of the modes it would have all styles parsed once more."""
        return _models()

    def on_load(self) -> None:
        """What is remembered stands in the first frame."""
        self._polling.recall()

    def on_mount(self) -> None:
        self.add_mode("models", _models)
        self.set_timer(QUEUE_LATER_S, self.watch_store)
        self.app_suspend_signal.subscribe(self, self._suspended, immediate=True)
        self.app_resume_signal.subscribe(self, self._resumed)
        self._tell_notices()
        if self.services.config.screens.keys:
            self.call_later(self._look_at_keys)

    def on_ready(self) -> None:
        """The first frame stands: what asks the server is imported now."""
        self.is_painted = True
        self.poll()
        self.call_after_refresh(_painted)

    def _look_at_keys(self) -> None:
        from modeltui.tui.keymap import problems

        for problem in problems(self.services.config.screens.keys):
            self.tell_in_turn(problem)

    def _suspended(self, _: object) -> None:
        if self._leaving is not None:
            self._leaving.suspend()

    def _resumed(self, _: object) -> None:
        """The terminal is ours again, and shows something else."""
        if self._leaving is not None:
            self._leaving.resume()
        self.refresh()

    def _settle_theme(self, colour: str) -> None:
        wanted = self.services.config.screens.theme
        if wanted is not None and wanted not in self.available_themes:
            self.services.note(f"theme: there is no theme “{wanted}”")
            wanted = None
        if colour == "none":
            wanted = "ansi-dark"
        self.theme = wanted or ("ansi-dark" if colour == "ansi" else "textual-dark")

    async def leave(self, code: int) -> None:
        """End in order: pulls that run here are put back into the queue, then the screens go."""
        if self._leave_code is not None:
            return
        self._leave_code = code
        await self.stop_workers()
        self.exit(code, return_code=code)

    async def stop_workers(self) -> None:
        """Stop everything that uses the services, and wait until it has let go; nothing follows of it."""
        self._early.clear()
        ours = [worker for worker in self.workers if worker.group in OURS]
        for worker in ours:
            worker.cancel()
        for worker in ours:
            with contextlib.suppress(Exception):  # cancelled, or failed before and told then
                await worker.wait()

    async def use(self, stage: Stage) -> None:
        """Show another tree of services, as from a new start."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        await self.stop_workers()
        old, self.stage = self.stage, stage
        await old.close()
        self.undo_choice, self.switch_when_done, self.list_seen_at = None, None, None
        self._noticed = 0
        self.has_adopted = self.has_synced = False
        self.running_now, self.transfers, self.doing, self.models = None, (), {}, Models()
        self.advice = self.catalog = None
        self._polling = self._make_polling()
        self._polling.recall()
        self.poll()
        self.watch_store()

    # Workers

    def _make_polling(self) -> Polling:
        return Polling(
            self.services,
            is_demo=self.stage.is_demo,
            show=self._take,
            looking_at=lambda: self.current_mode or "",
            listed=self._listed,
        )

    def _take(self, *snapshots: "Snapshot") -> None:
        """Show what the poller found; of several that come together the last one paints the screens."""
        *first, last = snapshots
        for snapshot in first:
            if isinstance(snapshot, Connection):
                self.set_reactive(ModelTuiApp.connection, snapshot)
        if isinstance(last, Connection):
            self.connection = last
        elif isinstance(last, Models):
            self.list_seen_at = last.at
            if first and last == self.models:
                self.mutate_reactive(ModelTuiApp.connection)
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
        self._acting.add(description)
        work = self._told(deed, description)
        self.run_worker(work, group="act", exit_on_error=False, description=description)

    async def _told(self, deed: Coroutine[Any, Any, object], description: str) -> None:
        try:
            await deed
        except ModeltuiError as error:
            self.tell_error(error)
        finally:
            self._acting.discard(description)
            self.refresh_soon()
            self._tell_notices()

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

    # Keys

    async def action_show_screen(self, mode: str) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if self.current_mode != mode:
            self.history.append(self.current_mode or "models")
            del self.history[:-20]
            await self.switch_mode(mode)
            self.refresh_soon()

    def show_details(self, sent: str) -> None:
        """The details of the model of that name, over the screen that is seen."""
        from modeltui.tui.screens.details import DetailsScreen

        self.push_screen(DetailsScreen(sent))

    async def show_elsewhere(self, mode: str, sent: str) -> None:
        """Show a model on the next screen that it stands on."""
        from modeltui.tui.flows import places_of

        places = [place for place in places_of(self, sent) if place != mode]
        if not places:
            self.tell(f"{sent} stands on no other screen")
            return
        await self.action_show_screen(places[0])
        self.call_after_refresh(self._go_to, sent)

    def _go_to(self, sent: str) -> None:
        go_to = getattr(self.screen, "go_to", None)
        if go_to is not None:
            go_to(sent)

    async def action_back(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.history:
            self.switch_mode(self.history.pop())
            self.refresh_soon()

    def action_refresh_now(self) -> None:
        ask_again = getattr(self.screen, "ask_again", None)
        if ask_again is not None and (words := ask_again()):
            self.tell(words)  # what is seen is no server's: nobody is asked
            return
        self.refresh_soon()
        self.tell("asking the server")

    def action_palette(self) -> None:
        from modeltui.tui.screens.palette import Palette

        self.push_screen(Palette(self.screen))

    def action_help(self) -> None:
        from modeltui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen.of(self.screen))

    def choose_theme(self, name: str) -> None:
        """Show a theme from now on, and remember it."""
        from modeltui.tui.choices import remember

        self.theme = name
        remember(self, "theme", name, "this theme")

    def action_undo(self) -> None:
        if self.undo_choice is not None:
            self.act(self._take_back(self.undo_choice), "undo")

    async def _take_back(self, choice: Undo) -> None:
        choice.take_back()
        self.undo_choice = None
        self.tell(choice.words)

    async def action_quit(self) -> None:
        from modeltui.tui.flows import ask_to_quit

        self.act(ask_to_quit(self), "quit")

    async def action_interrupt(self) -> None:
        if (selected := self.screen.get_selected_text()) is not None:
            self.copy_to_clipboard(selected)
        else:
            await self.leave(130)

    def action_demonstration(self) -> None:
        from modeltui.tui.flows import to_demonstration

        self.run_worker(to_demonstration(self), group="stage", exclusive=True, exit_on_error=False)

    def action_start_server(self) -> None:
        from modeltui.tui.flows import start_server

        self.act(start_server(self), "start the server")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo":
            return self.undo_choice is not None
        if action == "back":
            return len(self.screen_stack) > 1 or bool(self.history)
        if action == "demonstration":
            return not self.connection.is_online and not self.stage.is_demo
        if action == "start_server":
            return self.connection.can_start
        return True
