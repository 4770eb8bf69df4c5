"""Lays a model's bytes on cards and RAM: whole layers on as few cards as hold them, the output last."""

from collections.abc import Sequence
from dataclasses import dataclass

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.memory.costs import Way


@dataclass(frozen=True, slots=True)
class Load:
    """A model as something to lay: bytes of all repeating layers, of the output, of seeing, and what RAM
    holds anyway.

    `output_in_ram` is what the output costs where it stays in RAM (0 where it is the embedding, which is
    there anyway). `working` is what of `vision` may lie in the margin of its card.
    """

    layers: int
    layer_bytes: int
    output: int
    output_in_ram: int
    vision: int
    working: int
    always_in_ram: int
    state: int
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """A machine as room: bytes free on each card, what a driver's context takes of each, and the margin that
    the server leaves free of each beside it; RAM; whether both are one.
    """

    usable: Sequence[int]
    overheads: Sequence[int]
    margin: int
    ram_free: int
    is_unified: bool


@dataclass(frozen=True, slots=True)
class Laid:
    """Where everything went; bytes. `layers` counts the output layer as one more."""

    kind: FitKind
    way: Way
    by_card: tuple[int, ...]
    vram: int
    ram: int
    layers: int
    is_output_on_gpu: bool
    headroom: int


def lay(load: Load, room: Room) -> Laid:
    """The best that the room allows: gpu, else split, else cpu, else no (with the numbers of what would be
    tried).

    More room on any card, or one more card, never makes it worse: each kind's condition only gets easier.
    """
    order = sorted(range(len(room.usable)), key=lambda i: room.overheads[i] - room.usable[i])
    spare = [room.usable[i] - room.overheads[i] - room.margin for i in order]
    found = _whole(load, room, order, spare) or _split(load, room, order, spare)
    return found or _in_ram(load, room, spare)


def _whole(load: Load, room: Room, order: list[int], spare: list[int]) -> Laid | None:
    least = load.ways[-1]
    fixed = load.layer_bytes + load.output + load.vision + load.state
    inside = min(load.working, room.margin)
    for count in range(1, len(order) + 1):
        for way in load.ways:
            by_card = [0] * len(order)
            if count == 1:
                if spare[0] + inside < fixed + way.kv + way.compute:
                    continue
                by_card[order[0]] = fixed + way.kv + way.compute + room.overheads[order[0]]
            elif not _share_out(load, room, order[:count], spare[:count], way, by_card):
                continue
            vram = sum(by_card)
            if room.is_unified and vram + load.always_in_ram > room.ram_free:
                continue
            smallest = vram - count * (way.compute - least.compute) - (way.kv - least.kv)
            free = min(sum(room.usable), room.ram_free) if room.is_unified else sum(room.usable)
            return Laid(
                FitKind.GPU,
                way,
                tuple(by_card),
                vram,
                load.always_in_ram,
                load.layers + 1,
                True,
                free - smallest,
            )
    return None


def _share_out(
    load: Load, room: Room, order: list[int], spare: list[int], way: Way, by_card: list[int]
) -> bool:
    """Whole layers over several cards, output and sight on the first; False where they don't hold them."""
    total = load.layer_bytes + way.kv + load.state
    unit = -(-total // load.layers)
    inside = min(load.working, room.margin)
    capacities = _capacities(spare, unit, way.compute, load.output + load.vision - inside)
    if sum(capacities) < load.layers:
        return False
    laid = 0
    for place, taken in enumerate(_shares(load.layers, capacities)):
        if taken or place == 0:
            part = total * taken // load.layers
            laid += part
            by_card[order[place]] = part + way.compute + room.overheads[order[place]]
    by_card[order[0]] += load.output + load.vision + total - laid
    return True


def _split(load: Load, room: Room, order: list[int], spare: list[int]) -> Laid | None:
    """As many layers as the cards take; the part that sees goes to the first card or to RAM, whichever lets
    more layers in, then whichever leaves less in RAM: more room never takes a layer from the cards.
    """
    way = load.ways[-1]
    total = load.layer_bytes + way.kv + load.state
    unit = -(-total // load.layers)
    best: Laid | None = None
    inside = min(load.working, room.margin)
    for on_gpu in (load.vision, 0) if load.vision else (0,):
        capacities = _capacities(spare, unit, way.compute, on_gpu - (inside if on_gpu else 0))
        taken = min(load.layers, sum(capacities))
        if not taken:
            continue
        by_card = [0] * len(order)
        for place, share in enumerate(_shares(taken, capacities)):
            if share:
                by_card[order[place]] = unit * share + way.compute + room.overheads[order[place]]
        by_card[order[0]] += on_gpu
        rest = max(0, total - unit * taken)
        ram = rest + load.output_in_ram + load.always_in_ram + load.vision - on_gpu + way.compute
        vram = sum(by_card)
        if ram + (vram if room.is_unified else 0) > room.ram_free or (
            best is not None and (best.layers, -best.ram) >= (taken, -ram)
        ):
            continue
        whole = load.layer_bytes + load.output + load.vision + load.state + way.kv
        used = sum(1 for share in by_card if share)
        beside = sum(room.overheads[order[i]] + room.margin for i in range(used)) - inside
        short = sum(room.usable) - whole - used * way.compute - beside
        best = Laid(FitKind.SPLIT, way, tuple(by_card), vram, ram, taken, False, min(short, -1))
    return best


def _in_ram(load: Load, room: Room, spare: list[int]) -> Laid:
    """All of it in RAM; where that is too little, it lacks what neither RAM nor the cards have room for."""
    way = load.ways[-1]
    ram = (
        load.layer_bytes
        + load.output_in_ram
        + load.always_in_ram
        + load.vision
        + load.state
        + way.kv
        + way.compute
    )
    kind, headroom = FitKind.CPU, room.ram_free - ram
    if headroom < 0:
        on_cards = 0 if room.is_unified else sum(max(0, free - way.compute) for free in spare)
        kind, headroom = FitKind.NO, min(-1, headroom + on_cards)
    return Laid(kind, way, (0,) * len(room.usable), 0, ram, 0, False, headroom)


def _capacities(spare: list[int], unit: int, compute: int, first: int) -> list[int]:
    """Layers that each card could take; `first` bytes more lie on the first."""
    return [
        max(0, (free - compute - (0 if place else first)) // max(1, unit)) for place, free in enumerate(spare)
    ]


def _shares(layers: int, capacities: list[int]) -> list[int]:
    """`layers` over the cards in proportion to what each could take, as llama.cpp splits; never more than
    that.
    """
    most = sum(capacities)
    if most <= 0:
        return [0] * len(capacities)
    shares = [layers * each // most for each in capacities]
    left = layers - sum(shares)
    for place, each in enumerate(capacities):
        more = min(left, each - shares[place])
        shares[place] += more
        left -= more
    return shares
