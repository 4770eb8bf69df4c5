"""The rows of Running: which models a runner serves, and what its cells say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modeltui.domain import units
from modeltui.domain.advice.memorywords import deviation_words
from modeltui.domain.advice.runningfindings import Finding
from modeltui.domain.memory.predictions import CardUse, Prediction
from modeltui.domain.models import LoadedModel, Model, ModelState
from modeltui.domain.names import same
from modeltui.domain.query import Subject
from modeltui.domain.words import age_words, kept_words
from modeltui.services.library import Entry
from modeltui.services.monitoring import Running
from modeltui.services.words import where_words
from modeltui.tui.render import Line, joined, number

INKS = {ModelState.GPU: "good", ModelState.SPLIT: "attention", ModelState.STOPPING: "attention"}
FAR = 0.1  # of what was predicted: more is worth a look
GONE = "deleted: it leaves memory when its keep-alive ends, or when the server is restarted"
REPLACED = "replaced since it was loaded: it leaves memory when its keep-alive ends"


@dataclass(frozen=True, slots=True)
class RunningRow:
    """One runner, and the models that it serves, the one that it is listed by first.

    `gone` is what is said of it when none of them is installed any more, else empty.
    """

    running: Running
    serves: tuple[Entry, ...]
    gone: str
    key: str
    is_rule: bool = False

    @property
    def entry(self) -> Entry | None:
        """The model that the keys are about."""
        return self.serves[0] if self.serves else None

    @property
    def is_current(self) -> bool:
        return any(entry.is_current for entry in self.serves)

    @property
    def names(self) -> list[str]:
        """All names that stand for this runner."""
        return [self.key, *(entry.model.sent for entry in self.serves)]


def served_by(runner: LoadedModel, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that a runner serves as far as is known: by name, by digest, by weights."""
    digest = runner.digest

    def by_name(model: Model) -> bool:
        # The same name with another digest is what the name stood for before.
        return same(model.name, runner.name) and (not digest or not model.digest or model.digest == digest)

    first = [entry for entry in entries if by_name(entry.model)]
    weights = {entry.weights for entry in first} - {None}
    others = [
        entry
        for entry in entries
        if not same(entry.model.name, runner.name)
        and (
            (digest and entry.model.digest == digest)
            or entry.weights in weights
            or (entry.loaded is not None and entry.loaded.sent == runner.sent)
        )
    ]
    return (*first, *others)


ORDERS = {
    "": "as the server lists them", "name": "by name", "vram": "most VRAM first", "kept": "what leaves first",
}  # fmt: skip


def subject_of(row: RunningRow, now: int) -> Subject:
    """What the words of the filter are held against: names, where it lies, how long, family; its sizes."""
    runner = row.running.runner
    texts = [*row.names, where_words(row.running), kept_words(runner.expires_at, now), row.gone]
    texts += [runner.family or "", runner.quantization or "", "current" if row.is_current else ""]
    return Subject(" ".join(texts).casefold(), runner.size, frozenset(), needs=runner.vram)


def rank_of(row: RunningRow, order: str) -> tuple[float, str]:
    """By what a row is sorted, the smallest first: its name, its VRAM (the most first), or when it leaves."""
    runner = row.running.runner
    if order == "name":
        return 0, runner.shown.casefold()
    if order == "vram":
        return -(runner.vram or 0), ""
    return (math.inf if runner.expires_at is None else runner.expires_at), ""


def gone_words(runner: LoadedModel, entries: Sequence[Entry]) -> str:
    """What is said of a runner that serves no installed model."""
    return REPLACED if any(same(entry.model.name, runner.name) for entry in entries) else GONE


def cells_of(
    row: RunningRow,
    now: int,
    doing: str | None,
    predicted: Prediction | None = None,
    *,
    is_wide: bool,
    is_marked: bool = False,
) -> Mapping[str, Line | str]:
    """The cells of one runner; where the hardware contradicts the server its numbers are not believed."""
    runner, state, claim = row.running.runner, row.running.state, row.running.claim
    vram, ram = runner.vram or None, runner.ram or None
    where, ink = where_words(row.running), INKS.get(state, "")
    if state is not claim:
        vram, ram, ink = None, runner.size if state is ModelState.CPU else None, "attention"
        place = where.partition(" (")[0]
        where = where if is_wide else f"{place}, not gpu" if state is ModelState.CPU else place
    kept = "stopping" if state is ModelState.STOPPING else kept_words(runner.expires_at, now)
    mark, mark_ink = ("●", "accent") if row.is_current else ("!", "attention") if row.gone else (" ", "")
    return {
        "mark": ((mark, mark_ink), ("+" if is_marked else " ", "accent")),
        "name": runner.shown,
        "where": ((doing, "accent"),) if doing else ((where, ink),),
        "vram": number(units.size(vram)),
        "ram": number(units.size(ram)),
        "context": number(units.context(runner.context)),
        "kept": ((kept or units.UNKNOWN, "" if kept else "dim"),),
        "predicted": predicted_cell(predicted),
    }


def predicted_cell(predicted: Prediction | None) -> Line:
    """What the server was expected to say of it, and how far it is above that: `19.2 GB (+2 %)`."""
    if predicted is None:
        return ((units.UNKNOWN, "dim"),)
    share = predicted.deviation
    if share is None:
        return number(units.size(predicted.printed))
    ink = "attention" if abs(share) > FAR else "dim"
    return (*number(units.size(predicted.printed)), (f" ({deviation_words(share)})", ink))


def predicted_sum(cards: CardUse) -> Line:
    """The sum that was predicted for all cards, and how far the driver's is above it."""
    return (*number(units.size(cards.predicted)), (f" ({deviation_words(cards.deviation)})", "dim"))


def spilled_words(row: RunningRow, *, has_cards: bool) -> str:
    """What of a runner lies in RAM though there is a GPU; "" where nothing does, as far as can be seen."""
    runner, state = row.running.runner, row.running.state
    if not has_cards or state is not row.running.claim or state not in (ModelState.SPLIT, ModelState.CPU):
        return ""
    how = f"{units.size(runner.ram)} of it" if state is ModelState.SPLIT else f"all {units.size(runner.ram)}"
    return f"spilled: {how} in RAM"


def about(
    row: RunningRow,
    now: int,
    predicted: Prediction | None = None,
    *,
    has_cards: bool = False,
    is_brief: bool = False,
) -> Line:
    """One line about a runner: what is wrong with it, or what else is known; `is_brief`: a column tells the
    prediction.
    """
    runner, entry = row.running.runner, row.entry
    if row.gone:
        return ((f" {runner.shown} {row.gone}", "attention"),)
    parts: list[Line] = []
    if row.running.state is not row.running.claim:
        parts.append(((where_words(row.running), "attention"),))
    if words := spilled_words(row, has_cards=has_cards):
        parts.append(((words, "attention"),))
    if predicted is not None:
        parts.append((("needs ", "dim"), *number(units.size(predicted.really))))
        if not is_brief:
            parts.append((("predicted ", "dim"), *predicted_cell(predicted)))
    facts = (runner.parameter_size, runner.family, runner.quantization)
    parts += [((fact, ""),) for fact in facts if fact]
    others = [each.model.shown for each in row.serves if not same(each.model.name, runner.name)]
    if others:
        parts.append((("serves also ", "dim"), (", ".join(others[:3]), "")))
    if entry is not None and (last := entry.last_load) is not None:
        took, age = units.duration(last.load_ms), age_words(last.at, now)
        parts.append((("last load ", "dim"), (took, ""), (f", {age}", "dim")))
    return ((" ", ""), *joined(parts))


def alike(before: Sequence[Finding], found: Sequence[Finding]) -> bool:
    """Whether they propose the same of the same models."""
    return [(each.mend, each.name) for each in before] == [(each.mend, each.name) for each in found]


def is_too_old(version: str | None) -> bool:
    """Whether a server is of before 0.1.38, which brought `/api/ps`."""
    parts = (version or "").split("-")[0].split(".")
    return len(parts) == 3 and all(map(str.isdecimal, parts)) and tuple(map(int, parts)) < (0, 1, 38)
