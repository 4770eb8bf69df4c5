"""The hardware under what runs: a line a GPU and one for the rest; small changes paint nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from modeltui.domain import units
from modeltui.domain.hardware import Gpu, Host, VramVerdict
from modeltui.domain.layout import cells, cut, pad
from modeltui.services.monitoring import RunningNow
from modeltui.tui.render import Line, bar, cut_line, flowed, number, width_of
from modeltui.tui.widgets.lines import Fitted

PERCENT, DEGREES, WATTS = 5, 2, 10  # the steps that loads, heat and power are shown in
NAME, LONGEST_NAME = 9, 24  # the cells of a name: so many at least, and at most, where there is room
BUSY_BAR = 5
CONTRADICTED = "the server claims more VRAM than this machine's GPUs hold or have in use"
_MAKERS = re.compile(r"(?i)\b(NVIDIA|AMD|Intel|GeForce|Radeon|Tesla|Quadro|Graphics)\s+")


class Meters(Fitted):
    """Shows the hardware of this machine where the server runs on it, else why it does not."""

    DEFAULT_CSS = "Meters { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._now: RunningNow | None = None
        self._steady = Steady()

    def show_hardware(self, now: RunningNow | None) -> None:
        """Show the hardware as of that look; nothing while there was none."""
        self._now = now
        self.update()

    def fit(self, width: int) -> list[Line]:
        now = self._now
        if now is None:
            return [()]
        if now.host is None:
            return flowed(((f" VRAM and RAM by the server's account: {now.why}", "dim"),), width)
        lines = hardware_lines(now.host, width, self._steady, most=max(2, self.app.size.height // 4))
        if now.verdict is VramVerdict.CONTRADICTED:
            lines += flowed(((f" ! {CONTRADICTED}", "attention"),), width)
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


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of meters: a memory (share of 1, words), how busy (percent), and more beside."""

    name: str
    word: str
    share: float | None
    memory: Line
    busy_word: str
    busy: float | None
    more: tuple[Line, ...]


def hardware_lines(host: Host, width: int, steady: Steady, most: int) -> list[Line]:
    """One line a card, at most `most` of them, what could not be read of them, and one for the rest."""
    cards = list(host.gpus.cards)
    if len(cards) > most:
        cards = [*cards[: most - 1], _together(cards[most - 1 :])]
    readings = [_of_card(card, steady, is_only=len(cards) == 1) for card in cards]
    lines = _aligned([*readings, _of_machine(host, steady)], width - 1)
    if host.gpus.note or not cards:
        lines.insert(len(cards), ((cut(f" {host.gpus.note or 'no GPU'}", width), "dim"),))
    return lines


def _of_card(card: Gpu, steady: Steady, *, is_only: bool) -> Reading:
    key = card.uuid or str(card.index)
    name = _MAKERS.sub("", card.name).strip() or card.name
    share, memory = _memory(f"{key} memory", card.used, card.total, steady)
    heat = steady.value(f"{key} heat", card.temperature, DEGREES)
    power = steady.value(f"{key} power", None if card.power_mw is None else card.power_mw / 1000, WATTS)
    limit = "" if card.power_limit_mw is None else f"/{card.power_limit_mw / 1000:.0f}"
    watts = 7 if limit else 3
    more: list[Line] = []
    if heat is not None:
        more.append(((f"{heat:3.0f}", ""), (" °C", "dim")))
    if power is not None:
        more.append(((f"{f'{power:.0f}{limit}':>{watts}}", ""), (" W", "dim")))
    return Reading(
        name=name if is_only or card.index < 0 else f"{card.index} {name}",
        word="VRAM",
        share=share,
        memory=memory,
        busy_word="load",
        busy=steady.value(f"{key} load", card.utilisation, PERCENT),
        more=tuple(more),
    )


def _of_machine(host: Host, steady: Steady) -> Reading:
    ram, disk = host.memory, host.disks[0].free if host.disks else None
    share, memory = _memory(
        "ram", ram.total - ram.available if ram else None, ram.total if ram else None, steady
    )
    more: tuple[Line, ...] = ()
    if disk is not None:
        free = steady.value("disk", disk, 10 ** max(6, len(str(disk)) - 3))
        more = ((("disk ", "dim"), *number(units.size(free)), (" free", "dim")),)
    return Reading(
        name="this machine",
        word="RAM",
        share=share,
        memory=memory,
        busy_word="CPU",
        busy=steady.value("cpu", host.cpu.percent, PERCENT),
        more=more,
    )


def _memory(key: str, used: int | None, total: int | None, steady: Steady) -> tuple[float | None, Line]:
    """The share in use, and `20.1/25.8 GB`: both numbers in one unit, with the same digits."""
    whole, _, unit = units.size(total).partition(" ")
    digits = len(whole.partition(".")[2])
    factor = {"TB": 10**12, "GB": 10**9, "MB": 10**6}.get(unit, 1)
    shown = steady.value(key, used, max(factor / 10**digits, (total or 0) / 250))
    words = units.UNKNOWN if shown is None else f"{shown / factor:.{digits}f}"
    share = shown / total if shown is not None and total else None
    return share, ((f"{words:>{len(whole)}}/{whole}", ""), (f" {unit}" if unit else "", "dim"))


def _together(cards: Sequence[Gpu]) -> Gpu:
    """Several cards as one, for which there is no room."""

    def total(values: Sequence[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    load = total([card.utilisation for card in cards])
    return replace(
        cards[0],
        index=-1,
        uuid="together",
        name=f"{len(cards)} more",
        total=total([card.total for card in cards]),
        used=total([card.used for card in cards]),
        utilisation=None if load is None else load // len(cards),
        temperature=max((card.temperature for card in cards if card.temperature is not None), default=None),
        power_mw=total([card.power_mw for card in cards]),
        power_limit_mw=total([card.power_limit_mw for card in cards]),
    )


def _aligned(readings: Sequence[Reading], width: int) -> list[Line]:
    """The readings under each other. Where there is no room names are shortened first; then power, heat,
    the bar of the load and the load itself go."""
    cells_of_bar = 16 if width >= 110 else 10
    memory = max(width_of(reading.memory) for reading in readings)
    fixed = 1 + 2 + 5 + cells_of_bar + 2 + memory
    busy = 2 + 5 + BUSY_BAR + 1 + 5
    more = max(sum(2 + width_of(each) for each in reading.more) for reading in readings)
    longest = max(cells(reading.name) for reading in readings)
    names = min(longest, max(NAME, min(LONGEST_NAME, width - fixed - busy - more)))
    room = width - fixed - names
    lines = []
    for reading in readings:
        name = "here" if reading.name == "this machine" and names < len("this machine") else reading.name
        line: Line = (
            (f" {pad(name, names)}  ", "strong"),
            (f"{reading.word:4} ", "dim"),
            *bar(reading.share, cells_of_bar),
            (" " * (2 + memory - width_of(reading.memory)), ""),
            *reading.memory,
        )
        if room >= busy - BUSY_BAR - 1:
            line = (*line, (f"  {reading.busy_word:4} ", "dim"))
            if room >= busy:
                line = (
                    *line,
                    *bar(None if reading.busy is None else reading.busy / 100, BUSY_BAR),
                    (" ", ""),
                )
            shown = units.UNKNOWN if reading.busy is None else f"{reading.busy:.0f}"
            line = (*line, (f"{shown:>3}", ""), ("  " if reading.busy is None else " %", "dim"))
        for each in reading.more if room >= busy else ():
            if width_of(line) + 2 + width_of(each) > width:
                break
            line = (*line, ("  ", ""), *each)
        lines.append(cut_line(line, width))
    return lines
