"""What would free memory or gain speed on a server as it runs now, each with its gain by the estimate."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.rates import Rates
from modeltui.domain.advice.speed import tokens_placed
from modeltui.domain.machines.machine import Machine
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.estimate import Placement, largest_context, needs, place
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.units import context as context_words
from modeltui.domain.units import percent, rate, size, span

MOST = 3
IDLE_MS = 10 * 60_000  # so long unused a model is worth a word
_WHOLE = 0.999  # of a model on the GPU is all of it
_LEAST_BYTES, _LEAST_SHARE = 256_000_000, 0.02  # a gain worth a word, and that share of the memory
_LEAST_GAIN = 1.1  # times the speed
_LONG = 16384  # a context that may be more than anybody needs, where its cache is so much of the whole:
_DEAR = 0.3


class Mend(StrEnum):
    """What a finding proposes."""

    RELOAD = "reload"
    UNLOAD = "unload"
    FLASH = "flash_attention"
    KV = "kv_cache_type"
    PARALLEL = "num_parallel"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Runner:
    """One loaded model. Bytes by the server's account; `idle_ms` None: nobody watched it long enough."""

    name: str
    facts: Facts
    context: int
    vram: int
    size: int
    is_current: bool = False
    is_forever: bool = False
    idle_ms: int | None = None

    @property
    def share(self) -> float:
        """Of it on the GPU, 0 to 1."""
        return min(1.0, self.vram / self.size) if self.size else 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One proposal. `frees` in bytes and `gains` in tokens a second more are what it would bring.

    `name` is the model that it is about, "" for the whole server; `words` say it all.
    """

    mend: Mend
    name: str
    words: str
    frees: int = 0
    gains: float = 0.0


def findings(
    runners: Sequence[Runner], serving: Serving, machine: Machine, rates: Rates | None
) -> tuple[Finding, ...]:
    """At most three, each of another kind: what spilled first, then what frees most. Pure and certain:
    whatever is proposed was placed and found better.
    """
    found: list[Finding] = []
    for runner in sorted(runners, key=lambda each: each.share):
        if machine.cards and runner.share < _WHOLE and rates is not None:
            found += _for_spilled(runner, runners, serving, machine, rates)
    freeing = [*_idle(runners), *_serving(runners, serving, machine), *_long(runners, serving, machine)]
    least = max(_LEAST_BYTES, int(_LEAST_SHARE * (machine.vram_total or machine.ram_total)))
    found += sorted((each for each in freeing if each.frees >= least), key=lambda each: -each.frees)
    kept: dict[Mend, Finding] = {}
    for each in found:
        kept.setdefault(each.mend, each)
    return tuple(kept.values())[:MOST]


def room_of(runner: Runner, runners: Sequence[Runner], machine: Machine, *, without: str = "") -> Machine:
    """The machine as it is for one runner: what it holds itself counts as free, what others hold does not.

    `without` names another one that is taken as gone.
    """
    total = sum(each.vram for each in runners)
    ours = runner.vram + sum(each.vram for each in runners if each.name == without and each is not runner)
    cards = tuple(replace(card, held=card.held * ours // total if total else 0) for card in machine.cards)
    return replace(machine, cards=cards)


def _for_spilled(
    runner: Runner, runners: Sequence[Runner], serving: Serving, machine: Machine, rates: Rates
) -> Iterator[Finding]:
    """The first change, from the cheapest, that would bring a model wholly onto the GPU, or nearest to it."""
    here = room_of(runner, runners, machine)
    before = _as_it_lies(runner, serving, here, rates)
    if before is None:
        return
    lies = f"{runner.name}: {percent(1 - runner.share)} of it is in RAM"
    better: tuple[float, Finding] | None = None
    for mend, words, tried, how, context in _trials(runner, runners, serving, machine):
        placed = place(runner.facts, context, how, tried)
        tokens = tokens_placed(rates, placed, runner.facts)
        if tokens is None or tokens < _LEAST_GAIN * before:
            continue
        gain = f"about {rate(tokens)} instead of {rate(before)} tok/s"
        if placed.kind is FitKind.GPU:
            said = f"{lies}; {words} it would be all on the GPU, {gain}"
            yield Finding(mend, runner.name, said, gains=tokens - before)
            return
        if better is None or tokens > better[0]:
            said = f"{lies}; {words} less of it would be, {gain}"
            better = tokens, Finding(mend, runner.name, said, gains=tokens - before)
    if better is not None:
        yield better[1]


_Trial = tuple[Mend, str, Machine, Serving, int]


def _trials(
    runner: Runner, runners: Sequence[Runner], serving: Serving, machine: Machine
) -> Iterator[_Trial]:
    """Change, words, and under what it is placed; one change each, the one that costs least first."""
    here, context = room_of(runner, runners, machine), runner.context
    yield Mend.RELOAD, "unloaded and loaded anew (u, l)", here, serving, context
    others = [each for each in runners if each is not runner and each.vram and not each.is_current]
    for other in sorted(others, key=lambda each: (each.vram, each.name)):
        room = room_of(runner, runners, machine, without=other.name)
        yield Mend.UNLOAD, f"without {other.name} and loaded anew", room, serving, context
    for mend, words, how in _other_ways(serving):
        yield mend, f"with {words}", here, how, context
    shorter = largest_context(runner.facts, serving, here, FitKind.GPU)
    if shorter is not None and shorter < context:
        shorter = shorter // 1024 * 1024 or shorter
        yield Mend.CONTEXT, f"with a context of {context_words(shorter)}", here, serving, shorter


def _other_ways(serving: Serving) -> Iterator[tuple[Mend, str, Serving]]:
    """What could be set in the server's environment instead of what is."""
    if serving.flash_attention is False:
        yield Mend.FLASH, "OLLAMA_FLASH_ATTENTION=1", replace(serving, flash_attention=True)
    if serving.kv_type is KvType.F16:
        words = "OLLAMA_KV_CACHE_TYPE=q8_0"
        yield Mend.KV, words, replace(serving, kv_type=KvType.Q8_0)
        if not serving.flash_attention:
            both = replace(serving, kv_type=KvType.Q8_0, flash_attention=True)
            yield Mend.KV, f"{words} and OLLAMA_FLASH_ATTENTION=1", both
    if serving.num_parallel > 1:
        words = f"OLLAMA_NUM_PARALLEL=1 instead of {serving.num_parallel}"
        yield Mend.PARALLEL, words, replace(serving, num_parallel=1)


def _as_it_lies(runner: Runner, serving: Serving, here: Machine, rates: Rates) -> float | None:
    """Tokens a second with as many layers on the GPU as the server says, wherever we would put them."""
    placed = place(runner.facts, runner.context, serving, here)
    if placed.layers <= 0:
        return None
    layers = min(placed.layers - 1, round(placed.layers * runner.share))
    read = placed.gpu_bytes_read + placed.ram_bytes_read
    on_gpu = int(read * layers / placed.layers)
    kind = FitKind.SPLIT if layers else FitKind.CPU
    lying: Placement = replace(
        placed, kind=kind, layers_on_gpu=layers, gpu_bytes_read=on_gpu, ram_bytes_read=read - on_gpu
    )
    return tokens_placed(rates, lying, runner.facts)


def _idle(runners: Iterable[Runner]) -> Iterator[Finding]:
    """Models that stay in memory for nobody: the record does not name them, and nobody asks them."""
    for runner in sorted(runners, key=lambda each: -each.size):
        idle = runner.idle_ms or 0
        if runner.is_current or not (runner.is_forever or idle >= IDLE_MS):
            continue
        if runner.is_forever and runner.idle_ms is not None and idle < IDLE_MS:
            continue
        unused = f"nobody used it for {span(idle)}" if idle >= IDLE_MS else ""
        kept = "it is kept for ever" if runner.is_forever else ""
        why = " and ".join(part for part in (kept, unused) if part)
        frees = runner.vram or runner.size
        yield Finding(Mend.UNLOAD, runner.name, f"{runner.name}: {why}; u frees {size(frees)}", frees)


def _serving(runners: Sequence[Runner], serving: Serving, machine: Machine) -> Iterator[Finding]:
    """What the server's environment costs over all that is loaded."""
    before = sum(_total(each, serving, machine) for each in runners)
    for mend, words, how in _other_ways(serving):
        frees = before - sum(_total(each, how, machine) for each in runners)
        yield Finding(mend, "", f"{words} would free {size(max(0, frees))} of what is loaded", frees)


def _long(runners: Iterable[Runner], serving: Serving, machine: Machine) -> Iterator[Finding]:
    """Contexts whose cache is a large part of the whole; whether they are needed only a person knows."""
    for runner in runners:
        needed = needs(runner.facts, runner.context, serving, machine.cards[:1])
        if runner.context < _LONG or needed.kv < _DEAR * needed.total:
            continue
        half = runner.context // 2
        frees = needed.total - needs(runner.facts, half, serving, machine.cards[:1]).total
        instead = f"{context_words(half)} instead of {context_words(runner.context)}"
        words = f"{runner.name}: a context of {instead} would free {size(max(0, frees))}"
        yield Finding(Mend.CONTEXT, runner.name, words, frees)


def _total(runner: Runner, serving: Serving, machine: Machine) -> int:
    return needs(runner.facts, runner.context, serving, machine.cards[:1]).total
