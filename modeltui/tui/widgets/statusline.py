"""The line above the keys: what was just done, or how everything stands; and how the server answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.models import disk_total
from modeltui.tui.calm import calm_left, calm_span, calm_speed, latency_words, speed_words
from modeltui.tui.render import Line, Span, joined, spread, width_of
from modeltui.tui.state import Connection, Phase
from modeltui.tui.widgets.lines import Fitted

if TYPE_CHECKING:
    from modeltui.domain.transfers import Transfer
    from modeltui.services.library import Entry
    from modeltui.tui.app import ModelTuiApp


class StatusLine(Fitted):
    """A rule and one line."""

    DEFAULT_CSS = "StatusLine { height: 2; }"

    def __init__(self) -> None:
        super().__init__()
        self._left: list[Line] = []
        self._right: Line = ()
        self._has_age = False
        self._summed: tuple[tuple[Entry, ...], int] = ((), 0)
        self._speed: float | None = None
        self._remaining: int | None = None

    def show_state(self, app: "ModelTuiApp") -> None:
        """Say how everything stands now."""
        notice = _notice(app)
        self._left = [notice] if notice else self._summary(app)
        age = _age(app)
        self._has_age = bool(age)
        self._right = (*age, *_connection(app.connection, app.now()), (" ", ""))
        self.update()

    def show_time(self, app: "ModelTuiApp") -> None:
        """Bring up to date what time alone changes: pulls, the way to a server that is away, an old list."""
        is_old = self._has_age or bool(_age(app))
        if is_old or app.transfers or not app.connection.is_online:
            self.show_state(app)

    def _summary(self, app: "ModelTuiApp") -> list[Line]:
        entries = app.models.entries
        if self._summed[0] is not entries:
            self._summed = entries, disk_total([entry.model for entry in entries])
        return summary(app, self._pulls(app), self._summed[1])

    def _pulls(self, app: "ModelTuiApp") -> str:
        """How many pulls are under way, how fast together and how long still, in steps that are calm."""
        rows = [row.transfer for row in app.transfers if not row.transfer.is_resting]
        if not rows:
            self._speed = self._remaining = None
            return ""
        now = app.now()
        speed = sum(transfer.speed_at(now) or 0 for transfer in rows)
        self._speed = calm_speed(speed, self._speed)
        self._remaining = calm_left(_left_ms(rows, speed, now), self._remaining)
        words = f"↓ {len(rows)} pull{'s' if len(rows) > 1 else ''}"
        if self._speed is not None:
            words += f" {speed_words(self._speed)}"
        return words if self._remaining is None else f"{words}, {units.span(self._remaining)}"

    def fit(self, width: int) -> list[Line]:
        left, room = list(self._left), width - width_of(self._right) - 2
        while len(left) > 1 and width_of(joined(left)) > room:
            left.pop()  # the last is worth least, and half a number nothing
        return [(("─" * width, "dim"),), spread(((" ", ""), *joined(left)), self._right, width)]


def _left_ms(transfers: Sequence["Transfer"], speed: float, now: int) -> int | None:
    """How long all of them take (milliseconds); None where the speed or the size of one is unknown.

    Of several it is all that is missing at the `speed` of those that run: whether they come together or one
    after the other, it is the same line that they come through.
    """
    if len(transfers) == 1:
        return transfers[0].remaining_ms(now)
    left = 0
    for transfer in transfers:
        if transfer.total is None or not transfer.total_exact:
            return None
        left += max(0, transfer.total - transfer.seen)
    return round(left / speed * 1000) if speed >= 1 else None


def _notice(app: "ModelTuiApp") -> Line:
    text, ink = app.notice
    return ((text, ink or "strong"),) if text else ()


def summary(app: "ModelTuiApp", pulls: str, total: int) -> list[Line]:
    """The current model, the pulls under way, VRAM in use, and what there is: the first is worth most.

    On Downloads also how many run at once, where it is not the usual one.
    """
    models, parts = app.models, list[Line]()
    if app.connection.trouble is not None:
        parts.append(((app.connection.trouble.message, "attention"),))
    if models.missing is not None:
        parts.append(((f"! {models.missing.name.short} is missing", "attention"),))
    elif models.current is not None:
        parts.append((("current ", "dim"), (models.current.name.short, "accent")))
    if pulls:
        parts.append(((pulls, "accent"),))
    if app.current_mode == "downloads" and app.per_server > 1:
        parts.append(((f"{app.per_server} at once", "dim"),))
    if models.vram is not None and (vram := _vram(app, models.vram)):
        parts.append((("VRAM ", "dim"), *vram))
    if models.entries:
        count = len(models.entries)
        parts.append(((f"{count} model{'s' if count > 1 else ''} {units.size(total)}", "dim"),))
    return parts


def _vram(app: "ModelTuiApp", used: int) -> Line:
    """`19.6/25.8 GB` where the cards of the server's machine are known; else what is used, if anything is.

    What the server claims may be more than there is: that is marked.
    """
    machine = app.advice.advice.machine if app.advice is not None else None
    if machine is not None and machine.cards:
        total = machine.vram_total
        return ((units.part(used, total), "attention" if used > total else ""),)
    return ((units.size(used), ""),) if used else ()


def _connection(connection: Connection, now: int) -> Line:
    spans: tuple[Span, ...] = (("plain http · ", "attention"),) if connection.is_plain_remote else ()
    match connection.phase:
        case Phase.ONLINE:
            latency = "" if connection.latency_ms is None else f" {latency_words(connection.latency_ms)}"
            return (*spans, ("online", "good"), (latency, "dim"))
        case Phase.ASKING:
            waited = now - (connection.since or now)
            return (*spans, ("asking" if waited < 2000 else f"asking for {units.span(waited)}", "attention"))
    away = calm_span(now - (connection.since or now))
    words = "offline" if connection.trouble is None or connection.trouble.is_unreachable else "in trouble"
    return (*spans, (words, "broken"), (f" {away}", "dim"))


def _age(app: "ModelTuiApp") -> Line:
    """How old the list is, where it is older than it should be."""
    models = app.models
    if app.list_seen_at is None or app.current_mode != "models":
        return ()
    age = app.now() - app.list_seen_at
    if models.is_live and age < 3000 * app.services.config.screens.models_s:
        return ()
    return ((f"list of {calm_span(age) or '<10 s'} ago · ", "attention"),)
