"""What stands in the queue: texts of its rows, in steps that are calm to read and cheap to send."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from modeltui.domain import units
from modeltui.domain.layout import cells
from modeltui.domain.query import Subject
from modeltui.domain.transfers import ACTIVE, QUIET_MS, State, Transfer, Wanted
from modeltui.domain.words import age_words, bytes_words, end_words, state_words
from modeltui.store.queue import QueuedTransfer
from modeltui.tui.calm import STEP_MS, calm_left, calm_speed, speed_words
from modeltui.tui.render import Line, bar, joined, number
from modeltui.tui.widgets.queuetable import QueueRow
from modeltui.tui.widgets.table import Column

BAR = 15
AT_ONCE = 1  # rows whose progress may be sent in one second: one takes up to 800 bytes
CREEP_MS = 3_000  # from then on bytes are worth a row, though the percent stands
_DAY = 86_400_000
_APART = ("They are carried out by a program of their own: this one may end meanwhile,", "also unasked.")
_INSIDE = ("Pulls run inside this program until it ends;", "what is left goes on at the next start.")

COLUMNS = (
    Column("number", "", 2, worth=1, right=True),
    Column("name", "MODEL", 17, is_name=True),
    Column("state", "STATE", 22),
    Column("bar", "PROGRESS", BAR, worth=3),
    Column("percent", "%", 4, right=True),
    Column("done", "DONE", 8, worth=6, right=True),
    Column("size", "SIZE", 8, worth=4, right=True),
    Column("speed", "SPEED", 8, worth=5, right=True),
    Column("left", "LEFT", 6, worth=2, right=True),
)
ORDERS = {
    "number": "in the order of the queue", "name": "by name", "state": "by state: what runs or failed first",
    "size": "biggest first",
}  # fmt: skip
STATES = (
    State.CHECKING, State.VERIFYING, State.PULLING, State.STARTING, State.RETRYING, State.BLOCKED,
    State.PAUSED, State.WAITING, State.FAILED, State.CANCELLED, State.INSTALLED,
)  # fmt: skip
INKS = {
    State.PULLING: "accent",
    State.VERIFYING: "accent",
    State.CHECKING: "accent",
    State.RETRYING: "attention",
    State.BLOCKED: "attention",
    State.FAILED: "broken",
}


def empty_lines(*, is_apart: bool) -> list[Line]:
    """What is said where there is no row; `is_apart`: pulls do not depend on this program."""
    return [
        (("Nothing is being pulled.", "strong"),),
        (),
        (
            ("  p", "key"),
            ("  pulls a model: type or paste its name, for example ", ""),
            ("llama3.2", "strong"),
        ),
        (),
        *(((line, "dim"),) for line in (_APART if is_apart else _INSIDE)),
    ]


class Pace:
    """Decides when a row is painted anew: at once when its words change, seldom when only bytes come."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._rows: dict[int, QueueRow] = {}
        self._calm: dict[int, tuple[float | None, int | None]] = {}

    def rows(
        self, queue: Iterable[QueuedTransfer], now: int, notes: Mapping[int, tuple[str, ...]], *, at_once: int
    ) -> list[QueueRow]:
        """The rows of what is open; of at most `at_once` the progress moves, the longest due first."""
        found: dict[int, QueueRow] = {}
        due: list[tuple[int, QueuedTransfer, str]] = []
        for queued in queue:
            key, words = queued.number, words_of(queued.transfer, now, self._retries)
            before = self._rows.get(key)
            if before is None or before.words != words or before.notes != notes.get(key, ()):
                found[key] = self._row(queued, words, now, notes.get(key, ()))
                continue
            found[key] = before
            if self._is_due(queued.transfer, before, now):
                due.append((before.at, queued, words))
        for _, queued, words in sorted(due, key=lambda each: each[0])[:at_once]:
            found[queued.number] = self._row(queued, words, now, notes.get(queued.number, ()))
        self._rows = found
        self._calm = {number: calm for number, calm in self._calm.items() if number in found}
        return list(found.values())

    def _is_due(self, transfer: Transfer, before: QueueRow, now: int) -> bool:
        """Whether the numbers of a row are worth their bytes."""
        had_speed = self._calm[int(before.key)][0] is not None
        has_speed = transfer.speed_at(now) is not None
        stands_long = not 0 <= now - before.at < CREEP_MS
        return transfer.percent != before.percent or has_speed != had_speed or stands_long

    def _row(self, queued: QueuedTransfer, words: str, now: int, notes: tuple[str, ...]) -> QueueRow:
        speed, left = self._calm.get(queued.number, (None, None))
        transfer = queued.transfer
        speed = calm_speed(transfer.speed_at(now), speed)
        left = calm_left(transfer.remaining_ms(now), left)
        self._calm[queued.number] = (speed, left)
        ink = "attention" if words.startswith("stalled") else INKS.get(transfer.state, "dim")
        painted: dict[str, Line | str] = {
            "number": ((str(queued.number), "dim"),),
            "name": transfer.name.short,
            "state": ((words, ink), *((f" · {note}", "dim") for note in notes)),
            "bar": bar_cell(transfer),
            "percent": number(units.UNKNOWN if transfer.percent is None else f"{transfer.percent} %"),
            "done": number(done_words(transfer)),
            "size": number(units.size(transfer.total)),
            "speed": number(speed_words(speed)),
            "left": number(units.span(left)),
        }
        return QueueRow(str(queued.number), queued, words, notes, transfer.percent, now, painted)


def words_of(transfer: Transfer, now: int, retries: int) -> str:
    """The state in words, or the wish that it is about to obey; what counts seconds goes in steps."""
    if transfer.wanted is Wanted.PAUSE and transfer.state in ACTIVE - {State.CHECKING}:
        return "pausing"
    if transfer.wanted is Wanted.CANCEL and transfer.state in ACTIVE:
        return "cancelling"
    quiet = transfer.quiet_ms(now)
    if quiet >= QUIET_MS:
        now -= quiet % STEP_MS
    elif transfer.state is State.RETRYING and transfer.retry_at is not None and transfer.retry_at > now:
        now -= -(transfer.retry_at - now) % STEP_MS
    return state_words(transfer, now, retries)


def bar_cell(transfer: Transfer) -> Line:
    """A bar where the sum is known; else that it may be more."""
    if transfer.percent is None:
        if not transfer.total:
            return ((units.UNKNOWN, "dim"),)
        value, _, unit = units.size(transfer.total).partition(" ")
        while cells(f"at least {value} {unit}") > BAR:
            value = value[:-1].rstrip(".")  # rounded up it would be too much
        return ((f"at least {value} {unit}", "dim"),)
    share = min(0.99, transfer.done / transfer.total) if transfer.total else 0.0
    return bar(share, BAR, "accent" if transfer.state in ACTIVE else "")


def done_words(transfer: Transfer) -> str:
    """What has come, no finer than the size is written."""
    if not transfer.done:
        return units.UNKNOWN
    total = transfer.total or 0
    step = next((step for step in (10**12, 10**9, 10**6, 10**3) if total >= step), 1)
    digits = 2 if total < 10 * step else 1 if total < 100 * step else 0
    grain = max(1, step // 10**digits)
    return units.size(transfer.done // grain * grain or transfer.done)


def numbers_line(row: QueueRow) -> Line:
    """The bytes and the speed of a row whose columns for them have no room."""
    assert row.queued is not None and row.cells is not None
    speed = row.cells["speed"]
    parts: list[Line] = [((bytes_words(row.queued.transfer), "dim"),)] if row.queued.transfer.total else []
    if row.queued.transfer.state is State.PULLING and not isinstance(speed, str) and len(speed) > 1:
        parts.append(tuple((text, "dim") for text, _ in speed))
    return joined(parts)


def history_words(transfer: Transfer) -> str:
    """How it ended: what, how much, how long, how fast."""
    words = end_words(transfer).removeprefix(transfer.name.short).lstrip(": ")
    if transfer.state is State.CANCELLED and transfer.done:
        words += f", {bytes_words(transfer)} had come"
    return words


def when_words(at: int | None, now: int) -> str:
    """The time of day for today, else how long ago (UTC milliseconds, in the zone of this machine)."""
    if at is not None and 0 <= now - at < _DAY:
        then, here = datetime.fromtimestamp(at / 1000), datetime.fromtimestamp(now / 1000)
        if then.date() == here.date():
            return f"today {then:%H:%M}"
    return age_words(at, now)


def history_cells(row: QueueRow, now: int) -> Mapping[str, Line | str]:
    """The cells of what has ended."""
    assert row.queued is not None
    transfer = row.queued.transfer
    is_failed, is_good = transfer.state is State.FAILED, transfer.state is State.INSTALLED
    return {
        "number": (("✗", "broken"),) if is_failed else (),
        "name": transfer.name.short,
        "how": (
            (row.words, "" if is_failed or is_good else "dim"),
            *((f" · {note}", "dim") for note in row.notes),
        ),
        "when": ((when_words(transfer.ended or transfer.at, now), "dim"),),
    }


def subject_of(row: QueueRow, server: str) -> Subject:
    """What the words of the filter are held against: name, state, cause, server; and the size."""
    assert row.queued is not None
    transfer = row.queued.transfer
    cause = str(transfer.cause or "").replace("_", " ")
    texts = (transfer.name.short, transfer.state, row.said, cause, transfer.detail or "", server)
    return Subject(" ".join(texts).casefold(), transfer.total, frozenset())


def rank_of(row: QueueRow, order: str) -> tuple[int, str]:
    """By what a row is sorted, the smallest first: its name, its state, or its size, the biggest first."""
    assert row.queued is not None
    transfer = row.queued.transfer
    if order == "name":
        return 0, transfer.name.short.casefold()
    return (STATES.index(transfer.state) if order == "state" else -(transfer.total or 0)), ""


def alike(some: Sequence[QueuedTransfer], others: Sequence[QueuedTransfer]) -> bool:
    """Whether two readings of the queue differ in progress at most."""
    return len(some) == len(others) and all(
        one is other
        or (
            one.number == other.number
            and one.transfer.state is other.transfer.state
            and one.transfer.wanted is other.transfer.wanted
            and one.transfer.attempts == other.transfer.attempts
            and one.transfer.detail == other.transfer.detail
        )
        for one, other in zip(some, others, strict=True)
    )
