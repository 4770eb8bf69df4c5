"""Progress of transfers as people read it: bars that repaint themselves on a terminal, else lines."""

from modeltui.cli.output import Output
from modeltui.domain import units
from modeltui.domain.layout import cut, pad, shortened
from modeltui.domain.transfers import QUIET_MS, State, Transfer
from modeltui.domain.words import bytes_words, state_words
from modeltui.store.queue import QueuedTransfer

BAR, SHORTEST_BAR = 20, 6
FACTS = len("999 MB of 99.9 GB  99.9 MB/s  59 min left")
SPEED = len("  99.9 MB/s")


class Progress:
    """What is shown of a set of transfers while they run; repaints only lines that changed."""

    def __init__(self, out: Output, retries: int) -> None:
        self._out = out
        self._retries = retries
        self._lines: list[str] = []
        self._told: dict[int, str] = {}

    def update(self, rows: list[QueuedTransfer], now: int) -> None:
        """Show how the transfers stand."""
        if self._out.talks_to_terminal:
            self._repaint([self._line(row, now) for row in self._visible(rows)])
            return
        for row in rows:
            words = (
                f"{row.number} {row.transfer.name.short}: {state_words(row.transfer, None, self._retries)}"
            )
            if self._told.get(row.number) != words:
                self._told[row.number] = words
                self._out.say(words)

    def _visible(self, rows: list[QueuedTransfer]) -> list[QueuedTransfer]:
        """As many as the terminal has rows for, what is under way first: a line scrolled off stays."""
        room = max(1, self._out.talk_height - 1)
        return rows if len(rows) <= room else sorted(rows, key=lambda row: row.transfer.is_final)[:room]

    def clear(self) -> None:
        """Take the bars away: what remains is said in plain lines."""
        if self._lines:
            self._out.raw_talk(f"\x1b[{len(self._lines)}A\r\x1b[J")
            self._lines = []

    def _repaint(self, lines: list[str]) -> None:
        if len(lines) != len(self._lines):
            self.clear()
            self._out.raw_talk("".join(f"{line}\n" for line in lines))
        else:
            paint = []
            for place, (old, new) in enumerate(zip(self._lines, lines, strict=True)):
                if old != new:
                    up = len(lines) - place
                    paint.append(f"\x1b[{up}A\r{new}\x1b[K\x1b[{up}B\r")
            self._out.raw_talk("".join(paint))
        self._lines = lines

    def _line(self, row: QueuedTransfer, now: int) -> str:
        """Name, bar, percent, bytes, speed, time left; where it is narrow bar, speed and bytes go first."""
        transfer, width = row.transfer, self._out.talk_width - 1
        facts = [state_words(transfer, now, self._retries)]
        # All widths follow from the terminal's alone, so that no line moves when its facts change.
        room = width - FACTS - 13
        name_width = max(12, min(32, room - BAR // 2))
        bar_width = min(BAR, room - name_width)
        if transfer.state is State.PULLING:
            words = facts[0]
            facts = [bytes_words(transfer)] if room + SPEED >= name_width else []
            left = transfer.remaining_ms(now)
            if transfer.quiet_ms(now) >= QUIET_MS or transfer.is_finishing:
                facts.append(words)
            else:
                facts += [units.speed(transfer.speed)] if room >= name_width else []
                facts += [f"{units.span(left)} left"] if left is not None else []
        tail = "  ".join(facts)
        percent = f"{transfer.percent:3d} %" if transfer.percent is not None else "     "
        name = pad(shortened(transfer.name.short, name_width), name_width)
        head = f"{row.number:>3} {name}"
        bar = f"{_bar(transfer, bar_width)} " if bar_width >= SHORTEST_BAR else ""
        return cut(f"{head} {bar}{percent}  {tail}", width)


def _bar(transfer: Transfer, width: int) -> str:
    full = (transfer.percent or 0) * width // 100
    return "▇" * full + "░" * (width - full)
