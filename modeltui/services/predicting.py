"""What was predicted of what runs, beside what it takes, and what would free memory or gain speed there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.runningfindings import IDLE_MS, Finding, Runner, findings
from modeltui.domain.machines.hardware import machine_of_host
from modeltui.domain.machines.machine import Machine, Origin
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.predictions import CardUse, Prediction, card_use, predict
from modeltui.domain.models import LoadedModel, Model, ModelState
from modeltui.domain.names import same
from modeltui.services.advice import Advice
from modeltui.services.monitoring import Running, RunningNow

_KINDS = {ModelState.GPU: FitKind.GPU, ModelState.SPLIT: FitKind.SPLIT, ModelState.CPU: FitKind.CPU}
_SHARES = ((0.999, FitKind.GPU), (0.001, FitKind.SPLIT))


@dataclass(frozen=True, slots=True)
class Outlook:
    """Predictions by the name that a runner is listed by, and findings, at one look.

    `cards` is what the driver says that Ollama holds, beside what was predicted, where it tells.
    """

    predictions: Mapping[str, Prediction] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    cards: CardUse | None = None


class Idleness:
    """For how long nobody has used a runner: each use moves the end of its keep-alive."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str | None], tuple[int | None, int, bool]] = {}

    def note(self, now: RunningNow) -> Mapping[str, int]:
        """Milliseconds since a runner was used last, by its name, as of this look.

        Without those that nobody saw used and nobody has watched for long: of them it is not known.
        """
        before, self._seen = self._seen, {}
        idle = {}
        for row in now.rows:
            key, expires = (row.runner.sent, row.runner.digest), row.runner.expires_at
            known = before.get(key)
            if known is None or known[0] != expires:
                known = (expires, now.at, known is not None)
            self._seen[key] = known
            since = max(0, now.at - known[1])
            if known[2] or since >= IDLE_MS:
                idle[row.runner.sent] = since
        return idle


def outlook(
    advice: Advice, now: RunningNow, *, current: Collection[str] = (), idle: Mapping[str, int] | None = None
) -> Outlook:
    """Some milliseconds for a handful of runners, no I/O. `idle`: see Idleness.

    `current` are digests and names of the current model. Findings are there where the machine is known.
    """
    machine = _machine_now(advice, now)
    known = [(row, facts) for row in now.rows if (facts := facts_of_runner(advice, row.runner)) is not None]
    predictions = {
        row.runner.sent: found
        for row, facts in known
        if (found := predict(facts, row.runner, advice.serving, machine, _kind(row))) is not None
    }
    on_cards = [predictions.get(row.runner.sent) for row in now.rows if row.state is not ModelState.CPU]
    is_split = any(_kind(row) is FitKind.SPLIT for row in now.rows)
    gpus = now.host.gpus if now.host is not None else None
    runners = [_runner(row, facts, now, current, idle or {}) for row, facts in known if row.runner.context]
    # What is contradicted by the hardware is no ground to advise on.
    is_believed = all(row.state is row.claim for row in now.rows)
    mends: tuple[Finding, ...] = ()
    if machine is not None and is_believed:
        mends = findings(runners, advice.serving, machine, advice.rates)
    return Outlook(predictions, mends, None if is_split else card_use(on_cards, gpus))


def facts_of_runner(advice: Advice, runner: LoadedModel) -> Facts | None:
    """The facts of the model that a runner was loaded as: of that digest, else of that name."""
    installed = advice.circumstance.installed
    model = _by_digest(installed, runner) or next((m for m in installed if _is_named(m, runner)), None)
    return advice.subjects.facts_of_model(model) if model is not None else None


def _by_digest(installed: tuple[Model, ...], runner: LoadedModel) -> Model | None:
    return next((model for model in installed if runner.digest and model.digest == runner.digest), None)


def _is_named(model: Model, runner: LoadedModel) -> bool:
    """The same name with another digest is what the name stood for before."""
    return same(model.name, runner.name) and (not runner.digest or not model.digest)


def _kind(row: Running) -> FitKind:
    """How it lies: as can be seen, and while it stops as the server says."""
    if row.state is not ModelState.STOPPING:
        return _KINDS.get(row.state, FitKind.UNKNOWN)
    share = row.runner.gpu_share
    if share is None:
        return FitKind.UNKNOWN
    return next((kind for least, kind in _SHARES if share >= least), FitKind.CPU)


def _machine_now(advice: Advice, now: RunningNow) -> Machine | None:
    """The machine with the free memory of this very look, where it is this one."""
    machine = advice.machine
    if machine is None or now.host is None or machine.origin is not Origin.MEASURED:
        return machine
    claimed = sum(row.runner.vram or 0 for row in now.rows)
    seen = machine_of_host(now.host, claimed, origin=Origin.MEASURED, ram_bandwidth=machine.ram_bandwidth)
    return machine if seen is None else replace(seen, assumptions=machine.assumptions)


def _runner(
    row: Running, facts: Facts, now: RunningNow, current: Collection[str], idle: Mapping[str, int]
) -> Runner:
    runner = row.runner
    return Runner(
        name=runner.shown,
        facts=facts,
        context=runner.context or 0,
        vram=runner.vram or 0,
        size=runner.size or 0,
        is_current=runner.sent in current or (runner.digest or "") in current,
        is_forever=runner.is_kept_forever(now.at),
        idle_ms=idle.get(runner.sent),
    )
