"""Reads hardware as people type it: `2x24GB`, `rtx 4090+64GB`, `none+16GB`, `m2 max 64GB`, `24GB@936GB/s`.

Sizes are nominal, as cards are sold: GB means GiB. Whatever was not typed and is needed is assumed in words.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from modeltui.domain.machines.cards import (
    GIB,
    apple_bandwidth,
    known_card,
    known_names,
    shared_bandwidth,
    usual_bandwidth,
)
from modeltui.domain.machines.machine import Backend, Card, Machine, Origin
from modeltui.errors import UsageError
from modeltui.text import clean_line

MOST_CARDS = 64
LARGEST_CARD = 1024 * GIB
LARGEST_RAM = 64 * 1024 * GIB
_MOST_GB_S = 100_000
_EXAMPLES = "write 24GB, 2x24GB, 24GB+64GB (VRAM + RAM), none+16GB, or a card's name such as rtx 4090"

_SIZE = re.compile(r"(?ia)(\d{1,12}(?:\.\d{1,6})?) ?(m|g|t)?(?:i?b)?")
_SIZE_AT_END = re.compile(r"(?ia)(?:^|(?<= ))(\d{1,12}(?:\.\d{1,6})?) ?[mgt](?:i?b)?$")
_GROUP = re.compile(r"(?ia)(?:(\d{1,9}) ?[x×*] ?)?([^@]+)(?:@ ?(\d{1,9}(?:\.\d{1,3})?) ?(?:gb/s|gb)?)?")
_BANDWIDTH = re.compile(r"(?ia)(\d{1,9}(?:\.\d{1,6})?) ?(?:gb/s|gb)?")
_CHIP = re.compile(r"(?ia)(?:apple )?m\d{1,2}(?: (?:pro|max|ultra))?")
_FACTORS = {"m": 1 << 20, "g": GIB, "t": 1 << 40}


@dataclass(frozen=True, slots=True)
class TypedCards:
    """Cards as typed, and what was taken for granted beside. `shared`: the RAM of which a card is a part."""

    cards: tuple[Card, ...]
    assumptions: tuple[str, ...] = ()
    shared: int | None = None


def parse_hardware(text: str, base: Machine | None = None) -> Machine:
    """The machine of a "what if": `CARDS[+RAM]`; raises UsageError in words for what is none or absurd.

    RAM that is not typed is that of `base`, else assumed; so are cores and the bandwidth of RAM.
    """
    written = " ".join(clean_line(text, 200).split())
    cards, plus, ram = written.partition("+")
    if not cards.strip() or (plus and not ram.strip()) or "+" in ram:
        raise _cannot(written)
    typed = parse_cards([cards])
    if typed.shared and ram:
        raise _cannot(written, "a machine whose GPU shares its memory has one size: write m2 max 64GB")
    typed_ram = parse_ram(ram.strip()) if ram else None
    return machine_with(typed, typed_ram, base, Origin.SIMULATED)


def machine_with(typed: TypedCards, ram: int | None, base: Machine | None, origin: Origin) -> Machine:
    """A machine of typed cards; `ram` in bytes, else that of `base`, else an assumed one."""
    assumptions = list(typed.assumptions)
    ram = typed.shared or ram
    free = None
    if ram is None and base is not None:
        ram, free = base.ram_total, base.ram_free
    if ram is None:
        ram = assumed_ram(typed.cards)
        assumptions.append(f"{ram // GIB} GB of RAM")
    carried = typed.cards[0].bandwidth if typed.shared else (base.ram_bandwidth if base else None)
    return Machine(
        cards=typed.cards,
        ram_total=ram,
        ram_free=usable_ram(ram) if free is None else min(free, ram),
        ram_bandwidth=carried,
        cores=base.cores if base else None,
        cpu=base.cpu if base and origin is not Origin.SIMULATED else None,
        disk_free=base.disk_free if base else None,
        disk=base.disk if base else None,
        is_unified=typed.shared is not None,
        origin=origin,
        assumptions=tuple(assumptions),
        ram_held=base.ram_held if base and free is not None else 0,
    )


def parse_cards(groups: Sequence[str]) -> TypedCards:
    """Cards from words such as `2x24GB` or `rtx 4090`, several divided by commas; raises UsageError.

    `none` means that there is no GPU.
    """
    words = [part.strip() for group in groups for part in clean_line(group, 200).split(",")]
    if [word.casefold() for word in words] == ["none"]:
        return TypedCards(())
    found = [_group(" ".join(word.split())) for word in words]
    cards = tuple(card for each in found for card in each.cards)
    if len(cards) > MOST_CARDS:
        raise _cannot(", ".join(words), f"at most {MOST_CARDS} cards")
    shared = next((each.shared for each in found if each.shared), None)
    if shared and len(cards) > 1:
        raise _cannot(", ".join(words), "a GPU that shares the machine's memory is the only one")
    assumptions = dict.fromkeys(words for each in found for words in each.assumptions)
    return TypedCards(cards, tuple(assumptions), shared)


def parse_ram(text: str) -> int:
    """Bytes of RAM, nominal; raises UsageError."""
    return _bytes(text, LARGEST_RAM, "RAM")


def parse_memory(text: str) -> int:
    """Bytes of one card's memory, nominal; raises UsageError."""
    return _bytes(text, LARGEST_CARD, "a card")


def parse_overhead(text: str) -> int:
    """Bytes of a card's memory that a server leaves alone, nominal, 0 for none; raises UsageError."""
    match = _SIZE.fullmatch(text.strip())
    return 0 if match and float(match[1]) == 0 else _bytes(text, LARGEST_CARD, "a card")


def parse_bandwidth(text: str) -> float:
    """Bytes a second from decimal GB/s, as data sheets have it: `51.2` or `51.2GB/s`; raises UsageError."""
    match = _BANDWIDTH.fullmatch(text.strip())
    carried = float(match[1]) * 1e9 if match else 0.0
    if not 1e9 <= carried <= _MOST_GB_S * 1e9:
        raise UsageError(
            f"cannot read the bandwidth “{clean_line(text, 40)}”: it is between 1 and {_MOST_GB_S} GB/s",
            remedy="write 51.2GB/s",
        )
    return carried


def usable_card(total: int) -> int:
    """What nobody uses on an idle card without a screen: the driver keeps about 2 % for itself.

    (memory.reserved of nvidia-smi: 0.3 to 0.8 GB on cards of 12 to 80 GB)
    """
    return total - total // 50


def usable_ram(total: int) -> int:
    """What programs can have of RAM where a server and nothing else runs: all but 2 GiB, or a quarter."""
    return total - min(2 * GIB, total // 4)


def wired_share(total: int) -> float:
    """The share of a Mac's memory that its GPU may use unless iogpu.wired_limit_mb says otherwise.

    Newer systems allow more (11.8 of 16 GiB, 107.5 of 128); this counts on what all of them allow.
    Source: recommendedMaxWorkingSetSize as Metal reports it and llama.cpp prints it: 11.5 of 17.2 GB and 22.9
    of 34.4 GB (two thirds), 28.9 of 38.7 GB, 51.5 of 68.7 GB and 103 of 137 GB (three quarters).
    """
    return 2 / 3 if total <= 32 * GIB else 3 / 4


def assumed_ram(cards: Sequence[Card]) -> int:
    """RAM for a machine of which only the cards are known: as much as they have, and at least 16 GiB."""
    return max(16 * GIB, sum(card.total for card in cards))


def _group(text: str) -> TypedCards:
    match = _GROUP.fullmatch(text)
    if match is None:
        raise _cannot(text)
    count = int(match[1] or 1)
    if not 1 <= count <= MOST_CARDS:
        raise _cannot(text, f"between 1 and {MOST_CARDS} cards")
    carried = parse_bandwidth(match[3]) if match[3] else None
    one = _card(match[2].strip(), carried)
    if one.shared and count > 1:
        raise _cannot(text, "a GPU that shares the machine's memory is the only one")
    return replace(one, cards=one.cards * count)


def _card(text: str, carried: float | None) -> TypedCards:
    if text[:1].isdigit() and known_card(f"rtx {text}") is not None:
        text = f"rtx {text}"
    if _SIZE.fullmatch(text):
        return _of_size(parse_memory(text), carried)
    size = _SIZE_AT_END.search(text)
    total = None if size is None else _bytes(size[0], LARGEST_RAM, "memory")
    name = (text if size is None else text[: size.start()]).strip()
    if not re.match(r"[A-Za-z0-9]", name):
        raise _cannot(text)
    if _CHIP.fullmatch(name) or shared_bandwidth(name) is not None:
        return _shared(name, total, carried)
    if total is not None and total > LARGEST_CARD:
        raise _cannot(text, f"a card has at most {LARGEST_CARD // GIB} GB")
    known = known_card(name, total)
    if known is None and (other := known_card(name)) is not None:
        raise _cannot(text, f"a card {_shown(other.name)} has {other.total // GIB} GB")
    if known is not None:
        bandwidth = carried or known.bandwidth
        shown, whole = _shown(known.name), total or known.total
        card = Card(shown, whole, usable_card(whole), 0, bandwidth, known.backend, known.compute)
        return TypedCards((card,))
    if total is None:
        near = difflib.get_close_matches(name.casefold(), known_names(), n=3)
        hint = f"did you mean {', '.join(near)}? Else write its size: {name} 24GB" if near else _EXAMPLES
        raise UsageError(f"there is no card “{name}” that is known here", remedy=hint)
    named = _of_size(total, carried)
    return replace(named, cards=(replace(named.cards[0], name=name),))


def _of_size(total: int, carried: float | None) -> TypedCards:
    """A card of which only the size is known: CUDA, and the bandwidth of usual cards of that size."""
    bandwidth = carried or usual_bandwidth(total)
    size = f"{total / GIB:.4g} GB"
    card = Card(f"{size} card", total, usable_card(total), 0, bandwidth, is_bandwidth_assumed=carried is None)
    if carried:
        return TypedCards((card,))
    return TypedCards((card,), (f"{bandwidth / 1e9:.0f} GB/s for a card of {size}",))


def _shared(name: str, total: int | None, carried: float | None) -> TypedCards:
    """A GPU that computes in the machine's own memory, of which `total` is all."""
    if total is None:
        raise _cannot(name, f"its memory is needed, too: {name} 32GB")
    if total < GIB:
        raise _cannot(name, "a machine has at least 1 GB")
    is_apple = _CHIP.fullmatch(name) is not None
    bandwidth = carried or (apple_bandwidth(name) if is_apple else shared_bandwidth(name))
    usable = int(total * wired_share(total)) if is_apple else usable_ram(total)
    shown = f"Apple {name.casefold().removeprefix('apple ').title()}" if is_apple else name.upper()
    backend = Backend.METAL if is_apple else Backend.CUDA
    assumptions = () if bandwidth else (f"the bandwidth of {shown} is not known",)
    return TypedCards((Card(shown, usable, usable, 0, bandwidth, backend),), assumptions, total)


def _bytes(text: str, most: int, of: str) -> int:
    match = _SIZE.fullmatch(" ".join(text.split()))
    if match is None:
        raise _cannot(text)
    size = float(match[1]) * _FACTORS[(match[2] or "g").lower()]
    if size < (1 << 26):
        raise _cannot(text, f"{of} has at least 64 MB{'' if of == 'RAM' else '; no GPU is written none'}")
    if size > most:
        raise _cannot(text, f"{of} has at most {most // GIB} GB")
    return int(size)


def _shown(name: str) -> str:
    """A name of the table as makers write it: `RTX 4070 Ti Super`, `A100`."""
    words = name.split()
    small = {"ti", "super", "laptop", "ada", "blackwell", "titan", "quadro", "instinct", "pro", "arc"}
    return " ".join(word.title() if word in small else word.upper() for word in words)


def _cannot(text: str, why: str = "") -> UsageError:
    said = f": {why}" if why else ""
    return UsageError(f"cannot read the hardware “{clean_line(text, 80)}”{said}", remedy=_EXAMPLES)
