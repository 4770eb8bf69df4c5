"""Everything known about one transfer: how it stands, why, its layers, every try before, who did what."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from modeltui.domain import units
from modeltui.domain.transfers import LayerState, State
from modeltui.domain.words import bytes_words, remedy_of
from modeltui.store.journal import Entry
from modeltui.store.queue import Attempt, QueuedTransfer
from modeltui.tui.render import Line
from modeltui.tui.screens.downloadrows import history_words, when_words, words_of
from modeltui.tui.screens.downloadstory import Stories, Story
from modeltui.tui.widgets.document import Document
from modeltui.tui.widgets.keyline import KeyLine
from modeltui.tui.widgets.lines import INK_CLASSES, Lines

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp

LABEL = 10
DIGEST = len("sha256:") + 12  # as much of a layer's as the server itself shows


class TransferDetails(ModalScreen[None]):
    """Read, not chosen; it follows its transfer while it is open."""

    COMPONENT_CLASSES: ClassVar[set[str]] = INK_CLASSES
    AUTO_FOCUS = "Document"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,backspace", "close", "back", key_display="esc", id="details_close"),
    ]

    def __init__(self, queued: QueuedTransfer, server: str, stories: Stories) -> None:
        super().__init__()
        self._queued = queued
        self._server = server
        self._stories = stories

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Lines(((self._queued.transfer.name.short, "strong"),), classes="title")
            yield Document(self._lines())
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(KeyLine).show_keys([("esc", "back", "screen.close")])
        self.set_interval(1.0, self._follow)

    def _follow(self) -> None:
        transfers = cast("ModelTuiApp", self.app).transfers
        self._queued = next((row for row in transfers if row.number == self._queued.number), self._queued)
        self.query_one(Document).show(self._lines())

    def _lines(self) -> list[Line]:
        app, queued = cast("ModelTuiApp", self.app), self._queued
        retries = app.services.config.retries
        return lines_of(queued, self._server, self._stories.of(queued), app.now(), retries)

    def action_close(self) -> None:
        self.dismiss()

    async def on_key_line_clicked(self, event: KeyLine.Clicked) -> None:
        await self.run_action(event.action)


def lines_of(queued: QueuedTransfer, server: str, story: Story, now: int, retries: int) -> list[Line]:
    """The lines; layers the biggest first, tries and deeds the latest first."""
    transfer = queued.transfer
    is_failed = transfer.state is State.FAILED
    words = history_words(transfer) if transfer.is_final else words_of(transfer, now, retries)
    percent = "" if transfer.percent is None or transfer.is_final else f", {transfer.percent} %"
    lines = [_line("state", words, "broken" if is_failed else "")]
    if (remedy := remedy_of(transfer)) is not None:
        lines.append(_line("remedy", remedy, "attention"))
    lines.append(_line("bytes", f"{bytes_words(transfer)}{percent}" if transfer.total else units.UNKNOWN))
    lines.append(_line("digest", queued.announced_digest or units.UNKNOWN))
    lines.append(_line("server", server))
    lines.append(_line("queued", f"{when_words(queued.created, now)}, as {queued.number}"))
    if transfer.started is not None:
        tries = f", {transfer.tries} tries" if transfer.tries > 1 else ""
        lines.append(_line("started", f"{when_words(transfer.started, now)}{tries}"))
    if transfer.ended is not None:
        lines.append(_line("ended", when_words(transfer.ended, now)))
    lines += _part("layers", (_layer(layer, is_open=not transfer.is_final) for layer in story.layers))
    lines += _part("what went wrong", (_attempt(attempt, now) for attempt in reversed(story.attempts)))
    lines += _part("log", (_deed(deed, now) for deed in story.deeds))
    return lines


def _part(title: str, lines: Iterator[Line]) -> list[Line]:
    """Lines under a title; nothing where there are none."""
    found = list(lines)
    return [(), ((title, "dim"),), *found] if found else []


def _layer(layer: LayerState, *, is_open: bool) -> Line:
    share = layer.completed * 100 // layer.total if layer.total else 100
    percent = f"{min(100, share):>3} % of " if is_open else ""
    return ((f"{layer.digest[:DIGEST]}  ", "dim"), (f"{percent}{units.size(layer.total)}", ""))


def _attempt(attempt: Attempt, now: int) -> Line:
    cause = str(attempt.cause).replace("_", " ") if attempt.cause else "unknown"
    words = f"{cause}: {attempt.detail or units.UNKNOWN}, at {units.size(attempt.done)}"
    return ((f"{when_words(attempt.at, now):>12}  ", "dim"), (words, ""))


def _deed(deed: Entry, now: int) -> Line:
    failed = f" failed: {deed.error or units.UNKNOWN}" if deed.result == "failed" else ""
    words = f"{deed.action}{failed}, {deed.user} ({deed.origin})"
    return ((f"{when_words(deed.at, now):>12}  ", "dim"), (words, ""))


def _line(label: str, words: str, ink: str = "") -> Line:
    return ((f"{label:<{LABEL}}", "dim"), (words, ink))
