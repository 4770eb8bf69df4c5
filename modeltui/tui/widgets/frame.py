"""The first lines of every screen: the screens by their numbers, and the server."""

from textual import events
from textual.message import Message

from modeltui.domain.layout import cut
from modeltui.tui.render import Line, Span, cut_line, spread, width_of
from modeltui.tui.state import Connection
from modeltui.tui.widgets.lines import Fitted

TABS = (
    ("1", "models", "Models"),
    ("2", "catalog", "Catalog"),
    ("3", "recommend", "Recommend"),
    ("4", "downloads", "Downloads"),
    ("5", "running", "Running"),
)


class Frame(Fitted):
    """One line of tabs and a rule. A narrow terminal shows the name of its own screen and the numbers."""

    DEFAULT_CSS = "Frame { height: 2; }"

    class TabClicked(Message):
        """The tab of a screen was clicked."""

        def __init__(self, mode: str) -> None:
            self.mode = mode
            super().__init__()

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode
        self._connection: Connection | None = None
        self._ends: list[tuple[int, str]] = []

    def show_connection(self, connection: Connection) -> None:
        self._connection = connection
        self.update()

    def fit(self, width: int) -> list[Line]:
        servers = self._servers(width)
        layouts = [self._tabs(has_titles=True), self._tabs(), self._tabs(has_own_name=False)]
        fitting = [
            (tabs, server)
            for server in servers
            for tabs in layouts
            if width_of(tabs) + width_of(server) < width
        ]
        tabs, server = fitting[0] if fitting else (layouts[-1], servers[-1])
        if not fitting:
            server = cut_line(server, max(8, width - width_of(tabs) - 1))
        self._ends = [
            (width_of(tabs[: at + 1]), TABS[number][1])
            for number, at in enumerate(at for at, (text, _) in enumerate(tabs) if text.strip()[:1].isdigit())
        ]
        return [spread(tabs, server, width), (("─" * width, "dim"),)]

    def _tabs(self, *, has_titles: bool = False, has_own_name: bool = True) -> Line:
        """The screens by their numbers; that of the screen that is seen has its title in any case."""
        spans: list[Span] = [(" modeltui ", "strong" if has_titles else "dim")] if has_own_name else []
        for key, mode, title in TABS:
            is_here = mode == self._mode
            text = f"{key} {title}" if is_here or has_titles else key
            spans += [(" " if has_own_name else "", ""), (f" {text} ", "tab" if is_here else "")]
        return tuple(spans)

    def _servers(self, width: int) -> list[Line]:
        """What is said of the server, the most of it first.

        Its name is cut only where it would fill half the line. That the way to it is plain http, the status
        line says, where that matters.
        """
        connection = self._connection
        if connection is None:
            return [()]
        name: Line = ((cut(connection.server.removeprefix("http://"), width // 2), "strong"),)
        end: Line = ((" ", ""),)
        if connection.is_demo and width >= 72:
            name = (*name, (" made-up models", "attention"))
        if not connection.version:
            return [(*name, *end)]
        return [(*name, (f" · {cut(connection.version, 16)}", "dim"), *end), (*name, *end)]

    def on_click(self, event: events.Click) -> None:
        for end, mode in self._ends:
            if event.y == 0 and event.x < end:
                self.post_message(self.TabClicked(mode))
                return
