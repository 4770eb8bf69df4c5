"""How an installed model lies in memory, or would: a bar of the machine's memory and the words beside it."""

from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.memorywords import lies_words, speed_words
from modeltui.domain.models import ModelState
from modeltui.tui.render import Line, bar, fit_cell, flowed, joined

if TYPE_CHECKING:
    from modeltui.domain.advice.verdict import Verdict
    from modeltui.domain.machines.machine import Machine
    from modeltui.domain.models import LoadedModel
    from modeltui.services.library import Entry
    from modeltui.tui.advising import Advised

BAR = 8
_PLACES = {ModelState.GPU: "all on the GPU", ModelState.CPU: "all in RAM"}
_DEAR = (FitKind.SPLIT, FitKind.NO)


def fit_lines(entry: "Entry", advised: "Advised", width: int, bars: int = BAR) -> list[Line]:
    """Lines of at most `width` cells: memory, where it lies or would, fit and speed, what would mend it."""
    if entry.model.is_cloud or entry.damage or entry.model.name is None:
        return []
    verdict = advised.advice.verdict_of_model(entry.model)
    placement, machine = verdict.placement, advised.advice.machine
    if machine is None:
        return flowed((("fit unknown: what the server runs on is not known; enter says why", "dim"),), width)
    if placement is None:
        why = verdict.fit.parts[0].why if verdict.fit.parts else units.UNKNOWN
        return flowed((("fit unknown: ", "dim"), (why, "dim")), width)
    lines: list[Line] = []
    runner = entry.loaded
    if runner is not None and entry.state in (ModelState.GPU, ModelState.SPLIT, ModelState.CPU):
        lines.append(_loaded_bar(runner, machine, bars))
        lines += flowed(((_loaded_words(entry, runner, machine), ""),), width)
    else:
        lines.append(needs_bar(verdict, machine, bars))
        ink = "attention" if verdict.fit.kind in _DEAR else ""
        lines += flowed(((lies_words(placement), ink),), width)
    lines += flowed(_fit(verdict), width)
    if verdict.fit.kind in _DEAR and verdict.fit.parts and (mend := verdict.fit.parts[0].mend):
        lines += flowed((("better: ", "dim"), (mend, "dim")), width)
    return lines


def needs_bar(verdict: "Verdict", machine: "Machine", bars: int = BAR) -> Line:
    """`needs ██████▏░ 19.6 of 25.8 GB`: of the cards, or of RAM where there are none."""
    assert verdict.placement is not None
    placement = verdict.placement
    needed = placement.vram if placement.kind == "gpu" else placement.needs.total
    total = machine.vram_total or machine.ram_total
    ink = "attention" if needed > total else ""
    where = "" if machine.cards else " RAM"
    return (
        ("needs ", "dim"),
        *bar(needed / max(1, total), bars, ink),
        (f" {of_words(needed, total)}{where}", ""),
    )


def of_words(count: int | None, total: int) -> str:
    """Both in the unit of the whole: `19.6 of 25.8 GB`."""
    whole, _, unit = units.size(total).partition(" ")
    if count is None:
        return f"{units.UNKNOWN} of {whole} {unit}"
    factor = {"TB": 10**12, "GB": 10**9, "MB": 10**6}.get(unit, 1)
    value = count / factor
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 0.095 else 2}f} of {whole} {unit}"


def _loaded_bar(runner: "LoadedModel", machine: "Machine", bars: int) -> Line:
    if machine.cards and runner.vram:
        share = of_words(runner.vram, machine.vram_total)
        return (("VRAM ", "dim"), *bar(runner.vram / max(1, machine.vram_total), bars), (f" {share}", ""))
    share = of_words(runner.size, machine.ram_total)
    return (("RAM ", "dim"), *bar((runner.size or 0) / max(1, machine.ram_total), bars), (f" {share}", ""))


def _loaded_words(entry: "Entry", runner: "LoadedModel", machine: "Machine") -> str:
    words = _PLACES.get(entry.state, f"{units.size(runner.ram)} of it in RAM")
    free = sum(card.free for card in machine.cards)
    return f"{words}, {units.size(free)} free" if machine.cards and entry.state is ModelState.GPU else words


def _fit(verdict: "Verdict") -> Line:
    """`gpu 86 · about 38 tok/s at 32k`."""
    kind = " ".join("".join(text for text, _ in fit_cell(verdict.fit.kind, verdict.fit.score)).split())
    speed, context = speed_words(verdict.speed), f"at {units.context(verdict.context)}"
    rest: Line = ((f"{speed} ", ""), (context, "dim")) if speed else ((context, "dim"),)
    return joined([((kind, "attention" if verdict.fit.kind in _DEAR else ""),), rest])
