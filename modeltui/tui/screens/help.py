"""Help (?): first the thing under the cursor, then the keys of the screen, then every term; with search."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from modeltui.domain.layout import pad
from modeltui.tui.glossary import TERMS, explain
from modeltui.tui.render import Line
from modeltui.tui.widgets.document import Document
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.keyline import KeyLine, rank_of
from modeltui.tui.widgets.lines import INK_CLASSES, Lines

Key = tuple[str, str, str, str]  # the key as it is shown, what it does, more words, the binding's id


class HelpScreen(Screen[None]):
    """A page over the screen that it explains."""

    COMPONENT_CLASSES: ClassVar[set[str]] = INK_CLASSES
    AUTO_FOCUS = "Document"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1", "app.back", "back", key_display="esc", id="help_close"),
        Binding("slash", "search", "search", key_display="/", id="help_search"),
    ]

    def __init__(self, title: str, first: Sequence[str], keys: Sequence[Key]) -> None:
        super().__init__()
        self._title = title
        self._first = first
        self._keys = keys

    @classmethod
    def of(cls, screen: Screen[object]) -> "HelpScreen":
        """The help for a screen: its words, and the keys that it has."""
        words: Iterable[str] = getattr(screen, "help_words", lambda: ())()
        title = str(getattr(screen, "MODE", "") or type(screen).__name__.removesuffix("Screen").casefold())
        return cls(title, list(dict.fromkeys(words)), keys_of(screen))

    def compose(self) -> ComposeResult:
        yield Lines(((f" Help: {self._title}", "strong"),), classes="title")
        yield Document()
        yield FilterLine()
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(KeyLine).show_keys([("/", "search", "screen.search"), ("esc", "back", "app.back")])
        self.watch(self.query_one(FilterLine), "text", self._search, init=False)
        self._search("")

    def _search(self, text: str) -> None:
        self.query_one(Document).show(lines(self._first, self._keys, text))

    def action_search(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_left(self) -> None:
        self.query_one(Document).focus()

    async def on_key_line_clicked(self, event: KeyLine.Clicked) -> None:
        await self.run_action(event.action)


def keys_of(screen: Screen[object]) -> list[Key]:
    """Every key that a screen has, also those that do nothing just now; one line an action, the most useful
    first."""
    found: dict[str, tuple[int, Key]] = {}
    for _, bindings in screen._modal_binding_chain:
        for _, binding in bindings:
            if binding.id is None or binding.id in found:
                continue  # Textual's own, such as tab
            shown = screen.app.get_key_display(binding)
            words = binding.tooltip or binding.description
            found[binding.id] = (rank_of(binding), (shown, words, binding.description, binding.id))
    return [key for _, key in sorted(found.values(), key=lambda each: each[0])]


def lines(first: Sequence[str], keys: Sequence[Key], search: str) -> list[Line]:
    """The page; `search` keeps only what holds all its words."""
    wanted = search.casefold().split()

    def holds(*texts: str) -> bool:
        return all(word in " ".join(texts).casefold() for word in wanted)

    under = [(word, text) for word in first if (text := explain(word)) and holds(word, text)]
    page: list[Line] = []
    if under:
        page += [(), ((" UNDER THE CURSOR", "dim"),), *(_term(word, text) for word, text in under)]
    kept = [key for key in keys if holds(*key)]
    if kept:
        page += [(), ((" KEYS", "dim"),), (("   the words on the right are their names in [keys]", "dim"),)]
        page += [
            ((f"   {pad(shown, 14)}", "key"), (pad(words, 44), ""), (name, "dim"))
            for shown, words, _, name in kept
        ]
    terms = [(word, text) for word, text in sorted(TERMS.items(), key=lambda each: each[0].casefold())]
    terms = [each for each in terms if holds(*each)]
    if terms:
        page += [(), ((" WORDS", "dim"),), *(_term(word, text) for word, text in terms)]
    return page or [(), ((" Nothing here has these words.", "dim"),)]


def _term(word: str, text: str) -> Line:
    return ((f"   {pad(word, 22)} ", "strong"), (text, ""))
