"""A verdict as lines for a person: fit, needs, place, speed, score and what it assumes, on screens and in
commands."""

from collections.abc import Iterator

from modeltui.domain.advice.speed import Speed
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.machines.machine import KnownMachine, Machine
from modeltui.domain.memory.estimate import Placement
from modeltui.domain.units import context as context_words
from modeltui.domain.units import rate, size


def lines_of(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Label and text, line by line; an empty label goes on with the one before."""
    placement, fit = verdict.placement, verdict.fit
    yield "fit", fit.kind.value if fit.score is None else f"{fit.kind.value}, {fit.score} of 100"
    if placement is not None:
        yield from _memory_lines(placement)
        yield "speed", _speed_words(verdict.speed)
        if verdict.largest_context:
            where = "on the GPU" if placement.by_card else "in RAM"
            largest = verdict.largest_context // 1024 * 1024 or verdict.largest_context
            yield "context", f"up to {context_words(largest)} would lie wholly {where}"
    label = "score"
    for part in fit.parts:
        points = f"{part.points}/{part.most}" if fit.score is not None else ""
        yield label, f"{part.name:8}{points:>6}  {part.why}"
        label = ""
    label = "mend"
    for mend in fit.mends:
        yield label, mend
        label = ""
    label = "assumed"
    if verdict.facts is not None and verdict.facts.source:
        yield label, f"its shape: {verdict.facts.source}"
        label = ""
    for note in verdict.notes:
        yield label, note
        label = ""


def split_lines(verdict: Verdict) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The same where other facts of the model stand beside it: what it comes to, and what that rests on."""
    if verdict.placement is None:
        why = f": {verdict.fit.parts[0].why}" if verdict.fit.parts else ""
        return [("fit", f"{verdict.fit.kind.value}{why}")], []
    brief, rest, under = list[tuple[str, str]](), list[tuple[str, str]](), ""
    for label, text in lines_of(verdict):
        under = label or under
        word = {"context": "longest", "lies": "would lie"}.get(label, label)
        (rest if under in ("score", "assumed") else brief).append((word, text))
    return brief, rest


def machine_words(known: KnownMachine) -> str:
    """The machine in one line: `RTX 3090 (25.8 GB), RAM 64 GB: this machine`."""
    machine = known.machine
    if machine is None:
        return f"unknown machine ({known.why})" if known.why else "unknown machine"
    return f"{_hardware_words(machine)}: {known.words}"


def _hardware_words(machine: Machine) -> str:
    counted: dict[tuple[str, int], int] = {}
    for card in machine.cards:
        counted[card.name, card.total] = counted.get((card.name, card.total), 0) + 1
    words = [
        f"{f'{count} x ' if count > 1 else ''}{name} ({size(total)})"
        for (name, total), count in counted.items()
    ]
    return ", ".join([*(words or ["no GPU"]), f"RAM {size(machine.ram_total)}"])


def _memory_lines(placement: Placement) -> Iterator[tuple[str, str]]:
    needs = placement.needs
    is_in_ram = placement.kind == "cpu"  # no driver takes its part, and the embedding is one of the weights
    moved = placement.ram - needs.total if is_in_ram else 0
    total, low, high = (size(max(0, each + moved)) for each in (needs.total, needs.low, needs.high))
    yield "needs", f"{total} ({low} to {high})"
    parts = {
        "weights": needs.weights + (moved + needs.overhead if is_in_ram else 0),
        "KV cache": needs.kv,
        "state": needs.state,
        "compute": needs.compute,
        "projector": needs.projector,
        "overhead": 0 if is_in_ram else needs.overhead,
    }
    yield "", ", ".join(f"{name} {size(count)}" for name, count in parts.items() if count)
    if needs.embedding_in_ram and not is_in_ram:
        yield "", f"and {size(needs.embedding_in_ram)} of token embedding in RAM"
    yield "printed", f"ollama ps will say {size(needs.printed)}"
    cards = [size(taken) for taken in placement.by_card]
    if placement.vram:
        spread = f" ({' + '.join(cards)})" if len(cards) > 1 else ""
        layers = f"{placement.layers_on_gpu} of {placement.layers} layers on the GPU"
        yield "lies", f"{layers}: {size(placement.vram)} there{spread}, {size(placement.ram)} in RAM"
    elif placement.kind == "cpu":
        yield "lies", f"in RAM: {size(placement.ram)}"


def _speed_words(speed: Speed) -> str:
    if speed.tokens is None:
        words = f"unknown: {speed.basis}" if speed.prompt is None else speed.basis
    else:
        words = f"{'' if speed.is_measured else 'about '}{rate(speed.tokens)} tokens/s"
        if speed.low is not None and speed.high is not None and speed.low < speed.high:
            words += f" ({rate(speed.low)} to {rate(speed.high)})"
        words += f", {speed.basis}"
    return words if speed.prompt is None else f"{words}; prompts about {rate(speed.prompt)} tokens/s"
