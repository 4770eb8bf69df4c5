"""The program of the screens: how it comes and goes, its modes and its global keys."""

import gc
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from modeltui.tui.render import AsciiFilter
from modeltui.tui.stage import Stage
from modeltui.tui.state import Undo
from modeltui.tui.stateful import StatefulApp

if TYPE_CHECKING:
    from modeltui.tui.leaving import Leaving

SHEETS = ("models", "catalog", "downloads", "running", "details", "dialogs", "palette", "help", "recommend")
QUEUE_LATER_S = 0.6  # the first list comes before the queue is read


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


class ModelTuiApp(StatefulApp):
    """What is shown, and which key does what on every screen."""

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

    def __init__(
        self, stage: Stage, *, colour: str, glyphs: str, version: str, leaving: "Leaving | None" = None
    ) -> None:
        super().__init__(stage, ansi_color=True if colour == "none" else None)
        self.version = version
        self._leaving = leaving
        self.history: list[str] = []
        self.is_painted = False
        self._settle_theme(colour)
        if glyphs == "ascii":
            self._filters.append(AsciiFilter())
        screens = stage.services.config.screens
        self.animation_level = "full" if screens.animations else "none"
        self.set_keymap(dict(screens.keys))

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

    # Keys

    async def action_show_screen(self, mode: str) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if self.current_mode != mode:
            self.history.append(self.current_mode or "models")
            del self.history[:-20]
            await self.show_mode(mode)
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
            await self.show_under()
        elif self.history:
            await self.show_mode(self.history.pop())
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

    async def action_help(self) -> None:
        from modeltui.tui.screens.help import HelpScreen

        await self.show_over(HelpScreen.of(self.screen))

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
