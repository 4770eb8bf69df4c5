"""The palette (ctrl+p): every action that is possible now, every theme, every model."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen

from modeltui.tui.render import Line
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.keyline import full_action, rank_of
from modeltui.tui.widgets.lines import INK_CLASSES
from modeltui.tui.widgets.table import Column, Table

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp

COLUMNS = (
    Column("name", "", 20, is_name=True),
    Column("kind", "", 10, worth=1),
    Column("keys", "", 10, right=True),
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be run."""

    key: str
    words: str
    kind: str
    keys: str
    run: Callable[[], object]
    is_rule: bool = False


class PaletteLine(FilterLine, inherit_bindings=False):
    """What is searched for; arrows and enter are for the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "screen.move(1)", "down", show=False),
        Binding("up,ctrl+b", "screen.move(-1)", "up", show=False),
        Binding("enter", "screen.run", "run it", show=False),
        Binding("escape,ctrl+p", "screen.close", "close", show=False),
    ]
    DEFAULT_CSS = "PaletteLine { display: block; }"
    hint = "an action, a theme or a model"


class Palette(ModalScreen[None]):
    """A line to search with, and what it finds."""

    COMPONENT_CLASSES: ClassVar[set[str]] = INK_CLASSES
    AUTO_FOCUS = "PaletteLine"

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        self._below = screen
        self._items: list[Item] = []
        self._haystack: list[str] = []

    @property
    def tui(self) -> "ModelTuiApp":
        return cast("ModelTuiApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield PaletteLine()
            yield Table[Item](COLUMNS, _paint, has_header=False)

    def on_mount(self) -> None:
        self._items = [*_actions(self._below), *_keyless(self._below), *_themes(self.tui), *_models(self.tui)]
        self._haystack = [f"{item.words} {item.key} {item.kind}".casefold() for item in self._items]
        self.watch(self.query_one(PaletteLine), "text", self._search)

    def _search(self, text: str) -> None:
        words = text.casefold().split()
        view = [at for at, hay in enumerate(self._haystack) if all(word in hay for word in words)]
        table = self.query_one(Table)
        table.show(self._items, view)
        table.action_first()

    def action_move(self, step: int) -> None:
        self.query_one(Table).action_move(step)

    def on_table_chosen(self) -> None:
        self.action_run()

    def action_run(self) -> None:
        item = cast("Item | None", self.query_one(Table).item)
        self.dismiss()
        if item is not None:
            self.app.call_later(item.run)

    def action_close(self) -> None:
        self.dismiss()


def _paint(item: Item) -> Mapping[str, Line | str]:
    name: Line | str = item.words if item.kind == "model" else ((item.words, ""),)
    return {"name": name, "kind": ((item.kind, "dim"),), "keys": ((item.keys, "key"),)}


def _actions(screen: Screen[object]) -> Iterator[Item]:
    """What the keys of a screen can do now; the most useful first, as in the key line."""
    seen = {"palette", "interrupt", "up", "down", "page_up", "page_down", "first", "last"}
    for active in sorted(screen.active_bindings.values(), key=lambda each: rank_of(each.binding)):
        binding = active.binding
        name = binding.id or ""
        if not active.enabled or binding.id is None or name in seen:
            continue
        seen.add(name)
        run = partial(screen.run_action, full_action(active.node, binding.action))
        words = binding.description
        if binding.tooltip:
            words += f": {binding.tooltip}"
        yield Item(name, words, "action", screen.app.get_key_display(binding), run)


def _keyless(screen: Screen[object]) -> Iterator[Item]:
    """What a screen can do beside its keys, now."""
    for name, words, run in getattr(screen, "more_items", lambda: ())():
        yield Item(name, words, "action", "", run)


def _themes(app: "ModelTuiApp") -> Iterator[Item]:
    for name in sorted(app.available_themes):
        here = " (now)" if name == app.theme else ""
        yield Item(f"theme {name}", f"theme {name}{here}", "theme", "", partial(app.choose_theme, name))


def _models(app: "ModelTuiApp") -> Iterator[Item]:
    for entry in app.models.entries:
        if entry.model.name is not None:
            yield Item(
                f"model {entry.model.sent}",
                entry.model.shown,
                "model",
                "",
                partial(app.show_details, entry.model.sent),
            )
