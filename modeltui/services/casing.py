"""Gathers what a judgement rests on beside where a model lies and how fast it is: a `Case`."""

from typing import NamedTuple

from modeltui.domain.advice.cases import Case
from modeltui.domain.advice.rates import Rates, is_moe, tokens_per_second
from modeltui.domain.advice.suitability import can_do
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.releases import is_long_after
from modeltui.domain.catalog.series import Series
from modeltui.domain.machines.machine import Machine
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.estimate import Placement
from modeltui.domain.memory.serving import Serving
from modeltui.services.subjects import Subject


class Here(NamedTuple):
    """A model on a machine: its facts, where it would lie there, and how fast memory is read there."""

    facts: Facts
    machine: Machine
    placement: Placement
    rates: Rates


def case_of(
    subject: Subject,
    series: Series | None,
    here: Here,
    serving: Serving,
    *,
    context: int,
    task: Task | None,
    held: int,
) -> Case:
    """The case of a subject; `series` where the catalog knows it, `held` in bytes (see `Case`)."""
    facts, machine, placement, rates = here
    least = None
    if rates.card_byte > rates.ram_byte and placement.layers:
        read = placement.gpu_bytes_read + placement.ram_bytes_read
        least = tokens_per_second(rates, 0, read, 0, placement.layers, is_moe(facts))
    return Case(
        context=context,
        trained=facts.trained_context,
        task=task,
        capabilities=subject.capabilities,
        requires=subject.requires,
        version=serving.version,
        is_younger=_is_younger(subject, series, serving),
        download=subject.download,
        disk_free=machine.disk_free,
        disk=machine.disk,
        ram_free=machine.ram_free + machine.ram_held,
        held=held,
        least_speed=least,
        is_made_for=_is_made_for(subject, series, task),
    )


def _is_made_for(subject: Subject, series: Series | None, task: Task | None) -> bool | None:
    """Whether its series is made for the task; a base model follows no instructions, but completes code."""
    if series is None or subject.tag is None or task is None:
        return None
    return can_do(series, subject.tag, task) and (task is Task.CODING or not subject.tag.is_base)


def _is_younger(subject: Subject, series: Series | None, serving: Serving) -> bool:
    """Whether nothing says which server it needs, it is not installed, and it came long after the server."""
    if series is None or subject.requires is not None or subject.download is None:
        return False
    return is_long_after(series.released, serving.version)
