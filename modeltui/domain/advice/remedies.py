"""Finds what would bring a model where it is wanted: a smaller cache or context, a card to itself."""

from dataclasses import replace

from modeltui.domain.advice.cases import Mends
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.machines.machine import Machine
from modeltui.domain.machines.typedhardware import usable_card
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.estimate import Placement, place
from modeltui.domain.memory.serving import KvType, Serving


def remedies(
    facts: Facts,
    placement: Placement,
    serving: Serving,
    machine: Machine,
    wanted: FitKind,
    *,
    largest: int | None,
    smaller: str | None,
) -> Mends:
    """For a model that does not lie where it is wanted. `largest` is the largest context at which it would,
    `smaller` a tag of fewer bits that would; the rest is tried here.
    """
    context = placement.needs.context

    def lies(other: Serving, there: Machine) -> bool:
        return place(facts, context, other, there).kind is wanted

    quantized = replace(serving, kv_type=KvType.Q8_0)
    helps = serving.kv_type is KvType.F16 and bool(machine.cards) and lies(quantized, machine)
    idle = _idle(machine)
    return Mends(
        smaller=smaller,
        shorter=_in_thousands(largest) if largest is not None and largest < context else None,
        kv=KvType.Q8_0.value if helps else None,
        others=_free(idle) - _free(machine) if idle is not machine and lies(serving, idle) else None,
    )


def _idle(machine: Machine) -> Machine:
    """The same machine without other programs on its cards; itself where none hold more than the driver."""
    if machine.is_unified:
        return machine
    cards = tuple(
        replace(card, free=max(card.free, usable_card(card.total) - card.held)) for card in machine.cards
    )
    idle = replace(machine, cards=cards)
    return idle if _free(idle) - _free(machine) > machine.vram_total // 50 else machine


def _free(machine: Machine) -> int:
    return sum(card.free for card in machine.cards)


def _in_thousands(tokens: int) -> int:
    """A context as people say one: 19k rather than 20224."""
    return tokens // 1024 * 1024 or tokens
