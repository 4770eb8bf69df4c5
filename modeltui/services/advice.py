"""What a machine makes of any model: facts, placement, speed and fit together, each kept once it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modeltui.domain.advice.cases import Case, Mends
from modeltui.domain.advice.fit import FitKind, judge, points
from modeltui.domain.advice.rates import Calibration, Rates, rates_of
from modeltui.domain.advice.remedies import remedies
from modeltui.domain.advice.speed import Speed, speed, tokens_placed
from modeltui.domain.advice.tasks import Task
from modeltui.domain.advice.verdict import Verdict, used_of
from modeltui.domain.catalog import appleonly
from modeltui.domain.catalog.series import Catalog, Series, Tag
from modeltui.domain.catalog.siblings import smaller_tags
from modeltui.domain.machines.machine import KnownMachine, Machine, Origin
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.estimate import Placement, default_context, largest_context, place
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import LoadedModel, Model
from modeltui.services.casing import Here, case_of
from modeltui.services.experience import calibration_of, speed_seen
from modeltui.services.subjects import Subject, Subjects, key_of
from modeltui.store.measurements import Measurement


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Everything that verdicts rest on, at one moment.

    `shapes` are architecture facts as GGUF names them, by manifest digest; `measurements` are of this server,
    the oldest first. `notes` are what a person should know of how it came about.
    """

    machine: KnownMachine
    serving: Serving = field(default_factory=Serving)
    catalog: Catalog = field(default_factory=lambda: Catalog({}))
    installed: tuple[Model, ...] = ()
    loaded: tuple[LoadedModel, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    shapes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Numbers(NamedTuple):
    """A verdict without words, for thousands: bytes, tokens of context, tokens a second.

    `needs` is what it takes wholly on the GPU, `used` what it takes as it lies (domain.verdict.used_of).
    `least` (`least_speed`) and `is_younger`: see `Case`.
    """

    kind: FitKind
    score: int | None
    needs: int | None
    headroom: int | None
    tokens: float | None
    is_measured: bool
    context: int
    points: tuple[int, ...]
    least: float | None = None
    used: int | None = None
    is_younger: bool = False


UNKNOWN = Numbers(FitKind.UNKNOWN, None, None, None, None, False, 0, (0, 0, 0, 0, 0, 0))
_NO_MACHINE = Machine((), 0, 0)


class Advice:
    """Verdicts under one circumstance: no I/O, each made once, not for two threads at once."""

    def __init__(self, circumstance: Circumstance) -> None:
        self.circumstance = circumstance
        self.subjects = Subjects(circumstance.catalog, circumstance.installed, circumstance.shapes)
        self._placed: dict[tuple[str, int], Placement] = {}
        self._verdicts: dict[tuple[str, str, int, Task | None], Verdict] = {}
        self._numbers: dict[tuple[str, int | None, Task | None], Numbers] = {}
        self._made: tuple[Calibration | None, Rates | None] | None = None

    @property
    def machine(self) -> Machine | None:
        return self.circumstance.machine.machine

    @property
    def serving(self) -> Serving:
        return self.circumstance.serving

    @property
    def is_made_up(self) -> bool:
        """Whether the machine is a "what if": then nothing that is loaded or was measured speaks of it."""
        return self.machine is not None and self.machine.origin is Origin.SIMULATED

    @property
    def calibration(self) -> Calibration | None:
        """How the speeds measured here compare with the estimates; None without any."""
        return self._prepared()[0]

    @property
    def rates(self) -> Rates | None:
        """The machine in seconds a byte and a layer; None where no machine is known."""
        return self._prepared()[1]

    def verdict_of_tag(self, tag: Tag, context: int | None = None, task: Task | None = None) -> Verdict:
        """The verdict on a tag of the catalog; without `context` at the one that the server would take."""
        return self._verdict(self.subjects.of_tag(tag), context, task)

    def verdict_of_model(self, model: Model, context: int | None = None, task: Task | None = None) -> Verdict:
        """The verdict on an installed model; without `context` at the one that the server would take."""
        return self._verdict(self.subjects.of_model(model), context, task)

    def verdict_of_facts(
        self,
        name: str,
        facts: Facts | None,
        context: int | None = None,
        task: Task | None = None,
        *,
        unknown: str = "its size is unknown",
    ) -> Verdict:
        """The verdict on what is neither installed nor in the catalog; None for facts is an unknown size."""
        download = facts.file if facts else None
        subject = Subject(name, name, None, facts, None, None, download, unknown, None)
        return self._verdict(subject, context, task)

    def numbers_of_tag(self, tag: Tag, context: int | None = None, task: Task | None = None) -> Numbers:
        """The same verdict without its words; equal digests are judged once."""
        key = (key_of(tag), context, task)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self._counted(self.subjects.of_tag(tag), context, task)
        return found

    def numbers_of_model(self, model: Model, context: int | None = None, task: Task | None = None) -> Numbers:
        """The same verdict without its words."""
        key = (key_of(model), context, task)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self._counted(self.subjects.of_model(model), context, task)
        return found

    def context_of(self, facts: Facts) -> int:
        """The context that the server would take where none is asked for."""
        return default_context(facts, self.serving, self.machine or _NO_MACHINE)

    def _prepared(self) -> tuple[Calibration | None, Rates | None]:
        if self._made is None:
            machine, found = self.machine, None
            if machine is not None and not self.is_made_up:
                found = calibration_of(self.circumstance.measurements, self._estimated(rates_of(machine)))
            self._made = (found, rates_of(machine, found) if machine is not None else None)
        return self._made

    def _estimated(self, rates: Rates) -> dict[tuple[str, int | None], float]:
        """(digest, context) -> tokens a second by the uncorrected estimate, of what was measured here."""
        models = {model.digest: model for model in self.circumstance.installed if model.digest}
        found = {}
        for row in self.circumstance.measurements:
            model = models.get(row.digest)
            facts = self.subjects.facts_of_model(model) if model is not None and row.tokens else None
            if facts is None or model is None:
                continue
            placement = self._place(facts, row.context or self.context_of(facts), key_of(model))
            tokens = tokens_placed(rates, placement, facts) if placement is not None else None
            if tokens is not None:
                found[row.digest, row.context] = tokens
        return found

    def _place(self, facts: Facts, context: int, key: str) -> Placement | None:
        """Where a model would lie; None where no machine is known."""
        machine = self.machine
        if machine is None:
            return None
        found = self._placed.get((key, context))
        if found is None:
            found = self._placed[key, context] = place(facts, context, self.serving, machine)
        return found

    def _verdict(self, subject: Subject, context: int | None, task: Task | None) -> Verdict:
        facts, machine = subject.facts, self.machine
        if facts is None or machine is None:
            why = subject.unknown if facts is None else f"the machine is unknown: {self._why()}"
            fit = judge(None, none := Speed(None, basis=why), Case(context or 0), unknown=why)
            return Verdict(subject.name, facts, context or 0, None, none, fit, None, (why,))
        context = context or self.context_of(facts)
        if self._is_for_apple(subject, machine):
            fit = appleonly.refused(self._series(subject), subject.tag)
            return Verdict(subject.name, facts, context, None, Speed(None, basis=appleonly.WHY), fit, None)
        key = (subject.key, subject.name, context, task)
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = self._judged(subject, facts, machine, context, task)
        return found

    def _is_for_apple(self, subject: Subject, machine: Machine) -> bool:
        """Whether only Macs run it and this is none. What is installed here counts as any other: elsewhere
        the registry would have refused it.
        """
        is_theirs = appleonly.is_elsewhere(subject.tag, machine)
        return is_theirs and (subject.download is not None or self.is_made_up)

    def _series(self, subject: Subject) -> Series | None:
        tag = subject.tag
        return self.circumstance.catalog.series.get(tag.series.casefold()) if tag else None

    def _why(self) -> str:
        return self.circumstance.machine.why or "nothing is known of it"

    def _judged(
        self, subject: Subject, facts: Facts, machine: Machine, context: int, task: Task | None
    ) -> Verdict:
        placement, rates = self._place(facts, context, subject.key), self.rates
        assert placement is not None and rates is not None
        rate = self._seen(subject, context, placement) or speed(placement, facts, machine, rates=rates)
        wanted = FitKind.GPU if machine.cards else FitKind.CPU
        largest = largest_context(facts, self.serving, machine, wanted)
        mends = self._mends(subject, facts, machine, placement, largest, wanted)
        case = self._case(subject, Here(facts, machine, placement, rates), context, task)
        fit = judge(placement, rate, case, mends, is_embedding=facts.is_embedding)
        notes = (*placement.needs.assumptions, *machine.assumptions)
        return Verdict(subject.name, facts, context, placement, rate, fit, largest, notes)

    def _counted(self, subject: Subject, context: int | None, task: Task | None) -> Numbers:
        facts, rates, machine = subject.facts, self.rates, self.machine
        if facts is None or rates is None or machine is None:
            return UNKNOWN
        context = context or self.context_of(facts)
        if self._is_for_apple(subject, machine):
            return UNKNOWN._replace(kind=FitKind.NO, score=0, context=context)
        placement = self._place(facts, context, subject.key)
        assert placement is not None
        seen = self._seen(subject, context, placement)
        tokens = seen.tokens if seen is not None else tokens_placed(rates, placement, facts)
        case = self._case(subject, Here(facts, machine, placement, rates), context, task)
        got = points(placement, tokens, case, is_embedding=facts.is_embedding)
        score = None if placement.kind is FitKind.UNKNOWN else sum(got)
        return Numbers(
            *(placement.kind, score, placement.needs.total, placement.headroom, tokens),
            *(seen is not None, context, got, case.least_speed),
            used=used_of(placement),
            is_younger=case.is_younger,
        )

    def _seen(self, subject: Subject, context: int, placement: Placement) -> Speed | None:
        if self.is_made_up or not self.circumstance.measurements or subject.digest is None:
            return None
        return speed_seen(self.circumstance.measurements, subject.digest, context, placement.kind)

    def _case(self, subject: Subject, here: Here, context: int, task: Task | None) -> Case:
        held = sum(row.vram or 0 for row in self._others(subject))
        series = self._series(subject)
        return case_of(subject, series, here, self.serving, context=context, task=task, held=held)

    def _others(self, subject: Subject) -> list[LoadedModel]:
        """What is loaded beside a model, on the machine that is judged."""
        if self.is_made_up:
            return []
        digest = subject.digest
        return [
            row
            for row in self.circumstance.loaded
            if not (digest and row.digest and row.digest.startswith(digest))
        ]

    def _mends(
        self,
        subject: Subject,
        facts: Facts,
        machine: Machine,
        placement: Placement,
        largest: int | None,
        wanted: FitKind,
    ) -> Mends:
        """What would bring a model where it is wanted, or spare those that are loaded."""
        if placement.kind is wanted:
            others = self._others(subject)
            held = sum(row.vram or 0 for row in others)
            if wanted is FitKind.CPU:
                held = min(machine.ram_held, sum((row.size or 0) - (row.vram or 0) for row in others))
            others = others if placement.headroom < held else []
            return Mends(unload=tuple(row.shown for row in others))
        smaller = self._smaller(subject, facts, placement.needs.context, wanted)
        return remedies(facts, placement, self.serving, machine, wanted, largest=largest, smaller=smaller)

    def _smaller(self, subject: Subject, facts: Facts, context: int, wanted: FitKind) -> str | None:
        """The largest tag of the same series, size and variant that lies where it is wanted."""
        tag, series = subject.tag, self._series(subject)
        if tag is None or series is None:
            return None
        for smaller in sorted(smaller_tags(series, tag, facts.file), key=lambda each: -(each.size or 0)):
            other = self.subjects.facts_of_tag(smaller)
            placed = self._place(other, context, key_of(smaller)) if other is not None else None
            if placed is not None and placed.kind is wanted:
                return smaller.name
        return None
