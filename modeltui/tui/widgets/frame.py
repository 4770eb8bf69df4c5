"""The first lines of every screen: the screens by their numbers, and the server."""

from textual import events
from textual.message import Message

from modeltui.domain.layout import cut
from modeltui.tui.render import Line, Span, spread, width_of
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
        server = self._server(width)
        whole = width_of(((" modeltui ", ""), *((f"  {key} {title} ", "") for key, _, title in TABS)))
        has_titles = whole + width_of(server) < width
        spans: list[Span] = [(" modeltui ", "strong" if has_titles else "dim")]
        self._ends = []
        for key, mode, title in TABS:
            is_here = mode == self._mode
            text = f"{key} {title}" if is_here or has_titles else key
            spans += [(" ", ""), (f" {text} ", "tab" if is_here else "")]
            self._ends.append((width_of(tuple(spans)), mode))
        return [spread(tuple(spans), server, width), (("─" * width, "dim"),)]

    def _server(self, width: int) -> Line:
        connection = self._connection
        if connection is None:
            return ()
        name = cut(connection.server, max(8, width // 4))
        line: tuple[Span, ...] = ((name, "strong"),)
        if connection.is_demo:
            line = ((name, "strong"), (" made-up models" if width >= 72 else "", "attention"))
        if connection.version and width >= 60:
            line = (*line, (f" · {cut(connection.version, 16)}", "dim"))
        return (*line, (" ", ""))

    def on_click(self, event: events.Click) -> None:
        for end, mode in self._ends:
            if event.y == 0 and event.x < end:
                self.post_message(self.TabClicked(mode))
                return
