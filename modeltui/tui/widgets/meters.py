"""The hardware under what runs: one line a GPU, one for RAM, processor and disk; small changes paint nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual.geometry import Region

from modeltui.domain import units
from modeltui.domain.hardware import Gpu, Host, VramVerdict
from modeltui.domain.layout import cells, cut, pad
from modeltui.services.monitoring import RunningNow
from modeltui.tui.render import Line, Span, bar, cut_line, joined, width_of
from modeltui.tui.widgets.lines import Fitted

PERCENT, DEGREES, WATTS = 5, 2, 10  # the steps that are shown
LOAD_BAR = 5
NAMES = (24, 16, 9)  # how wide the names of cards may be, where there is room
GAP = "  "
CONTRADICTED = "the server claims more VRAM than this machine's GPUs hold or have in use"
_MAKERS = re.compile(r"(?i)^(NVIDIA|AMD|Intel(\(R\))?|Apple)\s+|\b(GeForce|Radeon|Tesla|Graphics|Quadro)\s+")


@dataclass(frozen=True, slots=True)
class Field:
    """A part of a meter's line; the highest `worth` goes first where there is no room, 0 never."""

    line: Line
    worth: int = 0


class Meters(Fitted):
    """Shows the hardware of this machine where the server runs on it, else why it does not."""

    DEFAULT_CSS = "Meters { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._now: RunningNow | None = None
        self._steady = Steady()

    def show_hardware(self, now: RunningNow | None) -> None:
        """Show the hardware as of that look; None where there was none yet."""
        self._now = now
        self.update()

    def show(self, lines: Sequence[Line]) -> None:
        """As `Lines.show`, and of a line that differs only the part that does."""
        old = self.lines
        if len(old) != len(lines):
            super().show(lines)
            return
        self._lines = tuple(lines)
        for y, (before, after) in enumerate(zip(old, self._lines, strict=True)):
            if (differing := differing_part(before, after)) is not None:
                first, end = differing
                self.refresh(Region(first, y, end - first, 1))

    def fit(self, width: int) -> list[Line]:
        now = self._now
        if now is None:
            return [()]
        if now.host is None:
            words = f" VRAM and RAM by the server's account: {now.why}"
            return [((cut(words, width), "dim"),)]
        most = max(2, self.app.size.height // 4)
        lines = hardware_lines(now.host, width, self._steady, most)
        if now.verdict is VramVerdict.CONTRADICTED:
            lines.append(((cut(f" ! {CONTRADICTED}", width), "attention"),))
        return lines


class Steady:
    """Numbers put through a step: one leaves the step it is shown at only for a whole step's difference."""

    def __init__(self) -> None:
        self._shown: dict[str, float] = {}

    def value(self, key: str, value: float | None, step: float) -> float | None:
        """The value to show for what `key` names."""
        if value is None:
            self._shown.pop(key, None)
            return None
        shown = self._shown.get(key)
        if shown is None or abs(value - shown) >= step:
            shown = self._shown[key] = round(value / step) * step
        return shown


def hardware_lines(host: Host, width: int, steady: Steady, most: int) -> list[Line]:
    """One line a card, at most `most` of them, what could not be read of them, and one line for the rest."""
    cards = list(host.gpus.cards)
    if len(cards) > most:
        cards = [*cards[: most - 1], _together(cards[most - 1 :])]
    shown = [_short(card.name) for card in cards]
    if len(cards) > 1:
        shown = [f"{card.index} {name}" if card.index >= 0 else name for card, name in zip(cards, shown, strict=True)]
    rows = [(name, _card_fields(card, steady)) for name, card in zip(shown, cards, strict=True)]
    rows.append(("this machine", _machine_fields(host, steady)))
    lines = _aligned(rows, width)
    if host.gpus.note or not host.gpus.cards:
        lines.insert(len(cards), ((cut(f" {host.gpus.note or 'no GPU'}", width), "dim"),))
    return lines


def _short(name: str) -> str:
    """A card's name without its maker's: `RTX 4090`."""
    short = name
    while (shorter := _MAKERS.sub("", short, count=1)) != short and shorter.strip():
        short = shorter
    return short.strip()


def _together(cards: Sequence[Gpu]) -> Gpu:
    """Several cards as one."""

    def total(values: Sequence[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    loads = total([card.utilisation for card in cards])
    return replace(
        cards[0],
        index=-1,
        name=f"{len(cards)} more",
        total=total([card.total for card in cards]),
        used=total([card.used for card in cards]),
        utilisation=None if loads is None else loads // len(cards),
        temperature=max((card.temperature for card in cards if card.temperature is not None), default=None),
        power_mw=total([card.power_mw for card in cards]),
        power_limit_mw=total([card.power_limit_mw for card in cards]),
    )


# The fields of a line, and how those of all lines stand under each other


def _card_fields(card: Gpu, steady: Steady) -> list[Field]:
    key = f"{card.index} {card.uuid}"
    load = steady.value(f"{key} load", card.utilisation, PERCENT)
    heat = steady.value(f"{key} heat", card.temperature, DEGREES)
    power = None if card.power_mw is None else steady.value(f"{key} power", card.power_mw / 1000, WATTS)
    fields = [
        *_memory_fields("VRAM", f"{key} vram", card.used, card.total, steady),
        Field(((" load ", "dim"), *bar(None if load is None else load / 100, LOAD_BAR)), worth=2),
        Field(_percent(load, "load"), worth=1),
    ]
    if heat is not None:
        fields.append(Field(((f"{heat:3.0f}", ""), (" °C", "dim")), worth=3))
    if power is not None:
        limit = "" if card.power_limit_mw is None else f"/{card.power_limit_mw / 1000:.0f}"
        fields.append(Field(((f"{power:3.0f}{limit}", ""), (" W", "dim")), worth=4))
    return fields


def _machine_fields(host: Host, steady: Steady) -> list[Field]:
    memory, busy = host.memory, steady.value("cpu", host.cpu.percent, PERCENT)
    used, total = (memory.total - memory.available, memory.total) if memory else (None, None)
    fields = [
        *_memory_fields(" RAM", "ram", used, total, steady),
        Field(((" CPU  ", "dim"), *bar(None if busy is None else busy / 100, LOAD_BAR)), worth=2),
        Field(_percent(busy, "CPU"), worth=1),
    ]
    if host.disks and host.disks[0].free is not None:
        free = host.disks[0].free
        step = 10 ** max(6, len(str(free)) - 3)
        fields.append(Field((("disk ", "dim"), (f"{units.size(steady.value('disk', free, step))}", ""), (" free", "dim")), 3))
    return fields


def _memory_fields(word: str, key: str, used: int | None, total: int | None, steady: Steady) -> list[Field]:
    """A bar and `20.1/25.8 GB`, both numbers in one unit and with the same digits."""
    number, _, unit = units.size(total).partition(" ")
    digits = len(number.partition(".")[2])
    factor = {"TB": 10**12, "GB": 10**9, "MB": 10**6}.get(unit, 1)
    shown = steady.value(key, used, max(factor / 10**digits, (total or 0) / 250))
    words = units.UNKNOWN if shown is None else f"{shown / factor:.{digits}f}"
    share = shown / total if shown is not None and total else None
    return [
        Field(((f"{word} ", "dim"), ("\0", ""), *bar(share, 0))) if False else Field(((f"{word} ", "dim"),)),
        Field(((f"{words:>{len(number)}}/{number}", ""), (f" {unit}", "dim"))),
    ]
