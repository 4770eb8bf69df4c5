"""The hardware under what runs: a line a GPU, one for the rest, and how busy it was; small changes paint
nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from modeltui.domain import units
from modeltui.domain.layout import cells, cut, pad
from modeltui.domain.machines.hardware import Gpu, Host, RunnerUse, VramVerdict
from modeltui.domain.machines.machine import Machine
from modeltui.services.monitoring import RunningNow
from modeltui.tui.render import Line, bar, cut_line, flowed, number, width_of
from modeltui.tui.widgets.history import History, plots_line
from modeltui.tui.widgets.lines import Fitted

PERCENT, DEGREES, WATTS = 5, 3, 10  # the steps that loads (processors: twice), heat, power have
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
        self._machine: Machine | None = None
        self._steady = Steady()
        self._history = History()

    def show_hardware(self, now: RunningNow | None, machine: Machine | None = None) -> None:
        """Show the hardware as of that look; nothing while there was none.

        `machine` is what is known of one that cannot be looked at: there the server's account must do.
        """
        if now is not None and now is not self._now and now.host is not None:
            self._history.note(now.at, _busy(now.host))
        self._now, self._machine = now, machine
        self.update()

    def fit(self, width: int) -> list[Line]:
        now = self._now
        if now is None:
            return [()]
        if now.host is None:
            told = flowed(((f" VRAM and RAM by the server's account: {now.why}", "dim"),), width)
            return [*_claimed_lines(now, self._machine, width), *told]
        most = max(2, self.app.size.height // 4)
        lines = hardware_lines(now.host, width, self._steady, most, now.runners)
        if plots := plots_line(self._history, now.at, _plotted(now.host), width):
            lines.append(plots)
        if now.verdict is VramVerdict.CONTRADICTED:
            lines += flowed(((f" ! {CONTRADICTED}", "attention"),), width)
        return lines


class Steady:
    """Numbers put through a step: what is shown changes only for a whole step's difference."""

    def __init__(self) -> None:
        self._shown: dict[str, float] = {}

    def value(self, key: str, value: float | None, step: float, grain: float = 0) -> float | None:
        """The value to show for what `key` names, rounded to its step, or to a finer `grain`."""
        if value is None:
            self._shown.pop(key, None)
            return None
        shown = self._shown.get(key)
        if shown is None or abs(value - shown) >= step:
            grain = grain or step
            shown = self._shown[key] = round(value / grain) * grain
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


def hardware_lines(
    host: Host, width: int, steady: Steady, most: int, runners: RunnerUse | None = None
) -> list[Line]:
    """One line a card, at most `most` of them, what could not be read of them, one for the rest, and one for
    the processes in which models run, where they are seen."""
    cards = list(host.gpus.cards)
    if len(cards) > most:
        cards = [*cards[: most - 1], _together(cards[most - 1 :])]
    readings = [_of_card(card, steady, is_only=len(cards) == 1) for card in cards]
    readings.append(_of_machine(host, steady))
    if runners is not None:
        readings.append(_of_runners(runners, host, steady))
    lines = _aligned(readings, width - 1)
    if host.gpus.note or not cards:
        lines.insert(len(cards), ((cut(f" {host.gpus.note or 'no GPU'}", width), "dim"),))
    return lines


def _of_card(card: Gpu, steady: Steady, *, is_only: bool) -> Reading:
    key = _key(card)
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
        busy=steady.value("cpu", host.cpu.percent, 2 * PERCENT),
        more=more,
    )


def _of_runners(runners: RunnerUse, host: Host, steady: Steady) -> Reading:
    """What the runners use of the machine's RAM, and of all its processors."""
    total = host.memory.total if host.memory else None
    share, memory = _memory("runners", runners.ram, total, steady)
    return Reading(
        name="runner" if runners.count == 1 else f"{runners.count} runners",
        word="RAM",
        share=share,
        memory=memory,
        busy_word="CPU",
        busy=steady.value("runners cpu", runners.percent, 2 * PERCENT),
        more=(),
    )


def _claimed_lines(now: RunningNow, machine: Machine | None, width: int) -> list[Line]:
    """The cards of a machine that is known and cannot be looked at, with what the server says it uses."""
    if machine is None or not machine.cards:
        return []
    claimed = sum(row.runner.vram or 0 for row in now.rows)
    total = machine.vram_total
    _, memory = _memory("claimed", claimed, total, Steady())
    count = f"{len(machine.cards)} x " if len(machine.cards) > 1 else ""
    name = f" {count}{machine.cards[0].name}  "
    line: Line = ((name, "strong"), ("VRAM ", "dim"), *bar(claimed / max(1, total), 10), ("  ", ""), *memory)
    return [cut_line(line, width)]


def _busy(host: Host) -> dict[str, float | None]:
    """Percentages to remember, by the keys of `_plotted`."""
    found: dict[str, float | None] = {_key(card): card.utilisation for card in host.gpus.cards}
    return {**found, "cpu": host.cpu.percent}


def _plotted(host: Host) -> list[tuple[str, str]]:
    """Label and key of each plot: the cards that tell their load, then the processors."""
    cards = [card for card in host.gpus.cards if card.utilisation is not None]
    labels = ["load"] if len(cards) == 1 else [f"load {card.index}" for card in cards]
    return [*zip(labels, map(_key, cards), strict=True), ("CPU", "cpu")]


def _key(card: Gpu) -> str:
    return card.uuid or str(card.index)


def _memory(key: str, used: int | None, total: int | None, steady: Steady) -> tuple[float | None, Line]:
    """The share in use, and `20.1/25.8 GB`: both numbers in one unit, with the same digits."""
    whole, _, unit = units.size(total).partition(" ")
    digits = len(whole.partition(".")[2])
    factor = {"TB": 10**12, "GB": 10**9, "MB": 10**6}.get(unit, 1)
    grain = factor / 10**digits  # the digit that is shown, as elsewhere: what rests reads the same
    shown = steady.value(key, used, max(grain, (total or 0) / 250), grain)
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
