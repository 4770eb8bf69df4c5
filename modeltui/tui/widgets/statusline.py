"""The line above the keys: what was just done, or how everything stands; and how the server answers."""

from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.models import disk_total
from modeltui.tui.render import Line, Span, joined, spread
from modeltui.tui.state import Connection, Phase, latency_words
from modeltui.tui.widgets.lines import Fitted

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp


class StatusLine(Fitted):
    """A rule and one line."""

    DEFAULT_CSS = "StatusLine { height: 2; }"

    def __init__(self) -> None:
        super().__init__()
        self._left: Line = ()
        self._right: Line = ()

    def show_state(self, app: "ModelTuiApp") -> None:
        """Say how everything stands now."""
        self._left = ((" ", ""), *(_notice(app) or summary(app)))
        self._right = (*_age(app), *_connection(app.connection, app.now()), (" ", ""))
        self.update()

    def fit(self, width: int) -> list[Line]:
        return [(("─" * width, "dim"),), spread(self._left, self._right, width)]


def _notice(app: "ModelTuiApp") -> Line:
    text, ink = app.notice
    return ((text, ink or "strong"),) if text else ()


def summary(app: "ModelTuiApp") -> Line:
    """Models, the current one, VRAM in use, and the pulls under way."""
    models, parts = app.models, list[Line]()
    if models.missing is not None:
        parts.append(((f"! {models.missing.name.short} is missing", "attention"),))
    elif models.current is not None:
        parts.append((("current ", "dim"), (models.current.name.short, "accent")))
    if (pulls := _pulls(app)) is not None:
        parts.append(pulls)
    if models.vram:
        parts.append((("VRAM ", "dim"), (units.size(models.vram), "")))
    if models.entries:
        count = len(models.entries)
        total = units.size(disk_total([entry.model for entry in models.entries]))
        parts.append(((f"{count} model{'s' if count > 1 else ''} {total}", "dim"),))
    return joined(parts)


def _pulls(app: "ModelTuiApp") -> Line | None:
    now = app.now()
    rows = [row.transfer for row in app.transfers if not row.transfer.is_resting]
    if not rows:
        return None
    from modeltui.domain.transfers import State

    pulling = [transfer for transfer in rows if transfer.state is State.PULLING]
    words = f"↓ {len(rows)} pull{'s' if len(rows) > 1 else ''}"
    if speed := sum(transfer.speed_at(now) or 0 for transfer in pulling):
        words += f" {units.speed(speed)}"
    left = [transfer.remaining_ms(now) for transfer in pulling]
    if left and None not in left:
        words += f", {units.span(max(ms or 0 for ms in left))}"
    return ((words, "accent"),)


def _connection(connection: Connection, now: int) -> Line:
    spans: tuple[Span, ...] = (("plain http · ", "attention"),) if connection.is_plain_remote else ()
    match connection.phase:
        case Phase.ONLINE:
            latency = "" if connection.latency_ms is None else f" {latency_words(connection.latency_ms)}"
            return (*spans, ("online", "good"), (latency, "dim"))
        case Phase.ASKING:
            waited = now - (connection.since or now)
            return (*spans, ("asking" if waited < 2000 else f"asking for {units.span(waited)}", "attention"))
    away = _stepped_span(now - (connection.since or now))
    words = "offline" if connection.trouble is None or connection.trouble.is_unreachable else "in trouble"
    return (*spans, (words, "broken"), (f" {away}", "dim"))


def _age(app: "ModelTuiApp") -> Line:
    """How old the list is, where it is older than it should be."""
    models = app.models
    if models.at is None or app.current_mode != "models":
        return ()
    age = app.now() - models.at
    if models.is_live and age < 3000 * app.services.config.screens.models_s:
        return ()
    return ((f"list of {_stepped_span(age) or '<10 s'} ago · ", "attention"),)


def _stepped_span(ms: int) -> str:
    """How long, in whole minutes once there is one: nothing ticks by the second for long."""
    return "" if ms < 10_000 else "<1 min" if ms < 60_000 else units.span(ms)
