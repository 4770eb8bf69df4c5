"""What all screens have: frame, status line, key line, and the keys that mean the same everywhere."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from modeltui.domain.models import Model
from modeltui.domain.server import Keep
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.frame import Frame
from modeltui.tui.widgets.keyline import KeyLine, working_keys
from modeltui.tui.widgets.lines import INK_CLASSES
from modeltui.tui.widgets.statusline import StatusLine
from modeltui.tui.widgets.table import Table

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp

WATCHED = ("connection", "models", "running_now", "transfers", "per_server", "advice", "doing", "notice")
FOLLOW_S = 0.08
SENT_S = 0.01  # from a paint until its bytes are out: what lets no other thread run would keep them back


class BaseScreen(Screen[None]):
    """A screen with frame and lines. `MODE` is its key in the app's modes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = INK_CLASSES
    MODE: ClassVar[str] = ""
    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)  # as in a Row
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (72, "-narrow"), (100, "-normal"), (140, "-wide")]  # noqa: RUF012
    AUTO_FOCUS = "Table"

    def __init__(self) -> None:
        super().__init__()
        # It is styled when it is mounted. One that seems to be older than the theme has Textual parse all
        # sheets anew first, twice: 40 ms. The first screen comes before there are any styles.
        if self.tui.is_painted:
            self._css_update_count = self.app._css_update_count
        self._is_shown = False
        # Laid out for the terminal at the first paint: Textual comes to it later, and paints anew.
        width = self.app.size.width
        fitting = [name for least, name in self.HORIZONTAL_BREAKPOINTS if width >= least]
        self.add_class(fitting[-1], update=False)

    @property
    def tui(self) -> "ModelTuiApp":
        return cast("ModelTuiApp", self.app)

    @property
    def is_on_top(self) -> bool:
        """Whether it is seen, or only a dialog lies over it."""
        return self.is_attached and self in self.app.screen_stack

    def body(self) -> Iterable[Widget]:
        """The widgets between the frame and the lines."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Frame(self.MODE)
        yield from self.body()
        yield StatusLine()
        yield KeyLine()

    def on_mount(self) -> None:
        for name in WATCHED:
            self.watch(self.app, name, self._changed, init=False)
        self.bindings_updated_signal.subscribe(self, lambda _: self.show_keys())

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """It is shown, or shown again. Of a mode's first time Textual says so twice: once is enough."""
        if self._is_shown:
            event.prevent_default()
        else:
            self._is_shown = True
            self._changed()

    def on_screen_suspend(self) -> None:
        self._is_shown = False

    def _changed(self) -> None:
        """Show the app's state as it is now; a screen that is not seen catches up when it is."""
        if not self.is_on_top:
            return
        app = self.tui
        self.query_one(Frame).show_connection(app.connection)
        self.query_one(StatusLine).show_state(app)
        self.show_state()
        self.refresh_bindings()

    def after_paint(self, callback: Callable[[], object]) -> None:
        """Call back when what stands now was painted and sent to the terminal."""
        self.tui.after_painting(partial(self.set_timer, SENT_S, callback))

    def second(self) -> None:
        """A second has passed: texts that time changes; nothing is sent where none did."""
        if self.is_mounted and self.is_on_top:
            self.query_one(StatusLine).show_time(self.tui)
            self.show_time()

    def show_state(self) -> None:
        """Put the app's snapshots on this screen."""

    def show_time(self) -> None:
        """Bring up to date what changes with time alone."""

    # The key line

    def show_keys(self) -> None:
        if self.is_on_top:
            is_typing = isinstance(self.focused, FilterLine)
            is_old = not self.tui.connection.is_online
            self.query_one(KeyLine).show_keys(working_keys(self, is_typing=is_typing, is_old=is_old))

    async def on_key_line_clicked(self, event: KeyLine.Clicked) -> None:
        await self.run_action(event.action)

    async def on_frame_tab_clicked(self, event: Frame.TabClicked) -> None:
        await self.tui.action_show_screen(event.mode)


class ModelScreen(BaseScreen):
    """A screen on which models stand: `chosen_models` says which the keys are about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "switch", "switch", id="switch", tooltip="make it the current model"),
        Binding("l", "load", "load", id="load", tooltip="load it into memory"),
        Binding("u", "unload", "unload", id="unload", tooltip="take it out of memory"),
        Binding("d", "delete", "delete", id="delete", tooltip="delete it from the server"),
        Binding("p", "pull", "pull", id="pull", tooltip="get a model"),
        Binding("n", "pin", "pin", id="pin", tooltip="keep it loaded for ever"),
        Binding("e", "keep_alive", "keep", id="keep_alive", tooltip="keep it loaded for a while"),
        Binding("c", "copy", "copy", id="copy", tooltip="give it a second name"),
        Binding("U", "update", "update", id="update", tooltip="pull its newer version, or look for one"),
        Binding("R", "rename", "rename", id="rename", tooltip="give it another name"),
        Binding("y", "copy_name", "copy the name", show=False, id="copy_name"),
        Binding("g", "go_elsewhere", "show elsewhere", show=False, id="go"),
    ]

    OF_SEVERAL: ClassVar[frozenset[str]] = frozenset({"unload", "delete"})  # else an action is about one

    def chosen_models(self) -> list[Model]:
        """The models that the keys are about, one or those that are marked."""
        raise NotImplementedError

    @property
    def model(self) -> Model | None:
        """The one model that the keys are about."""
        chosen = self.chosen_models()
        return chosen[0] if len(chosen) == 1 else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in _NEEDS:
            return True
        if not self.tui.connection.is_online:
            model = self.model
            return action in ("copy_name", "go_elsewhere") and model is not None and model.name is not None
        chosen = self.chosen_models()
        if action not in self.OF_SEVERAL:
            chosen = [self.model] if self.model else []
        if not chosen or any(model.name is None for model in chosen):
            return False
        return self._makes_sense(action, chosen)

    def _makes_sense(self, action: str, chosen: list[Model]) -> bool:
        """Whether a model is in the state that an action is for."""
        entries = [entry for model in chosen if (entry := self.tui.models.entry(model.sent))]
        is_cloud = all(model.is_cloud for model in chosen)
        if action == "unload":
            return any(entry.loaded is not None for entry in entries)
        if action == "load" and any(entry.loaded_by == "name" for entry in entries):
            return False
        if action == "update":
            return not is_cloud
        if action in ("load", "pin", "keep_alive"):
            return not is_cloud and not any(entry.damage for entry in entries)
        if action == "switch":
            return not any(entry.damage or entry.is_current for entry in entries)
        return True

    def _act(self, verb: str) -> None:
        model, acts = self.model, self.tui.acts
        if model is not None:
            self.tui.act(getattr(acts, verb)(model), f"{verb} {model.shown}")

    def action_switch(self) -> None:
        self._act("switch")

    def action_load(self) -> None:
        self._act("load")

    def action_keep_alive(self) -> None:
        self._act("keep")

    def action_copy(self) -> None:
        self._act("copy")

    def action_pin(self) -> None:
        if (model := self.model) is not None:
            self.tui.act(self.tui.acts.load(model, Keep.FOREVER), f"pin {model.shown}")

    def action_rename(self) -> None:
        if (model := self.model) is not None:
            self.tui.act(self.tui.acts.copy(model, rename=True), f"rename {model.shown}")

    def action_update(self) -> None:
        if (model := self.model) is not None:
            self._update([model], [model])

    def _update(self, chosen: list[Model], others: list[Model]) -> None:
        """Pull the newer versions that `chosen` are known to have; if of none, ask about `others`."""
        from modeltui.tui.updating import look, update

        sent = {entry.model.sent for entry in self.tui.models.entries if entry.newer is not None}
        due = [model for model in chosen if model.sent in sent]
        self.tui.act(update(self.tui, due) if due else look(self.tui, others), "update")

    def action_unload(self) -> None:
        self.tui.act(self.tui.acts.unload(self.chosen_models()), "unload")

    def action_delete(self) -> None:
        models = self.chosen_models()
        if not self.tui.acts.take_back(models):
            self.tui.act(self.tui.acts.delete(models), "delete")

    def action_pull(self) -> None:
        model = self.model
        suggestion = model.name.short if model is not None and model.name is not None else ""
        self.tui.act(self.tui.acts.pull(suggestion), "pull")

    def action_copy_name(self) -> None:
        if (model := self.model) is not None:
            self.app.copy_to_clipboard(model.shown)
            self.tui.tell(f"copied: {model.shown}")

    async def action_go_elsewhere(self) -> None:
        """Show the model on another screen: where it runs, where it is pulled, or where it is listed."""
        if (model := self.model) is not None:
            await self.tui.show_elsewhere(self.MODE, model.sent)


class FollowingScreen(ModelScreen):
    """Whoever holds a key down on a slow line gets the rows at once, and the rest when the key is up."""

    _following: Timer | None = None

    def follow(self) -> None:
        """Show what is known of the row under the cursor."""
        raise NotImplementedError

    def on_table_moved(self) -> None:
        if self._following is not None:
            self._following.stop()
        self._following = self.set_timer(FOLLOW_S, self._settled)

    def _settled(self) -> None:
        self.follow()
        self.refresh_bindings()


class FilteredScreen(FollowingScreen):
    """A table that words in a line beneath it narrow."""

    @property
    def _filter(self) -> FilterLine:
        return self.query_one(FilterLine)

    def _follow_rows(self) -> None:
        """Other rows are shown: while somebody types, what follows them waits."""
        if self._filter.has_focus:
            self.on_table_moved()
        else:
            self.follow()

    def on_filter_line_left(self) -> None:
        self.set_focus(self.query_one(Table))

    def action_filter(self) -> None:
        self._filter.open()

    def action_clear(self) -> None:
        """Take the messages back, and the filter, or without one the marks."""
        self.tui.clear_notifications()
        if self._filter.text:
            self._filter.action_clear()
        elif self.query_one(Table).clear_marks():
            self.tui.tell("no marks any more")


_NEEDS = frozenset(
    "switch load unload delete pin keep_alive copy update rename copy_name go_elsewhere".split()  # noqa: SIM905
)
