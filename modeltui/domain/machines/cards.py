"""What known cards are made of: memory and bandwidth by name, for cards that are typed or can't be asked.

A card that can be asked tells its own clock and bus width, so this table is never asked about it. Names must
match whole: a laptop's card shares its name with a desktop's that is twice as fast.

Sources: NVIDIA's, AMD's, Intel's and Apple's own data sheets and product pages, as gathered in Wikipedia's
"List of Nvidia graphics processing units", "List of AMD graphics processing units" and "Apple silicon";
bandwidth is bus width times data rate, decimal GB/s. Compute capability: developer.nvidia.com/cuda-gpus.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from modeltui.domain.machines.machine import Backend

GIB = 1 << 30

# Name | GiB:GB/s, the most usual first | compute capability.
_NVIDIA = """
gtx 1050 ti|4:112|6.1
gtx 1060|6:192 3:192|6.1
gtx 1070|8:256|6.1
gtx 1070 ti|8:256|6.1
gtx 1080|8:320|6.1
gtx 1080 ti|11:484|6.1
titan xp|12:548|6.1
titan v|12:653|7.0
gtx 1650|4:128|7.5
gtx 1650 super|4:192|7.5
gtx 1660|6:192|7.5
gtx 1660 super|6:336|7.5
gtx 1660 ti|6:288|7.5
rtx 2060|6:336 12:336|7.5
rtx 2060 super|8:448|7.5
rtx 2070|8:448|7.5
rtx 2070 super|8:448|7.5
rtx 2080|8:448|7.5
rtx 2080 super|8:496|7.5
rtx 2080 ti|11:616|7.5
titan rtx|24:672|7.5
rtx 3050|8:224 6:168|8.6
rtx 3060|12:360 8:240|8.6
rtx 3060 ti|8:448|8.6
rtx 3070|8:448|8.6
rtx 3070 ti|8:608|8.6
rtx 3080|10:760 12:912|8.6
rtx 3080 ti|12:912|8.6
rtx 3090|24:936|8.6
rtx 3090 ti|24:1008|8.6
rtx 4060|8:272|8.9
rtx 4060 ti|8:288 16:288|8.9
rtx 4070|12:504|8.9
rtx 4070 super|12:504|8.9
rtx 4070 ti|12:504|8.9
rtx 4070 ti super|16:672|8.9
rtx 4080|16:717|8.9
rtx 4080 super|16:736|8.9
rtx 4090|24:1008|8.9
rtx 4090 d|24:1008|8.9
rtx 5050|8:320|12.0
rtx 5060|8:448|12.0
rtx 5060 ti|16:448 8:448|12.0
rtx 5070|12:672|12.0
rtx 5070 ti|16:896|12.0
rtx 5080|16:960|12.0
rtx 5090|32:1792|12.0
rtx 5090 d|32:1792|12.0
rtx 3050 laptop|4:192 6:168|8.6
rtx 3050 ti laptop|4:192|8.6
rtx 3060 laptop|6:336|8.6
rtx 3070 laptop|8:448|8.6
rtx 3070 ti laptop|8:448|8.6
rtx 3080 laptop|8:448 16:448|8.6
rtx 3080 ti laptop|16:512|8.6
rtx 4050 laptop|6:192|8.9
rtx 4060 laptop|8:256|8.9
rtx 4070 laptop|8:256|8.9
rtx 4080 laptop|12:432|8.9
rtx 4090 laptop|16:576|8.9
rtx 5050 laptop|8:384|12.0
rtx 5060 laptop|8:384|12.0
rtx 5070 laptop|8:384|12.0
rtx 5070 ti laptop|12:672|12.0
rtx 5080 laptop|16:896|12.0
rtx 5090 laptop|24:896|12.0
quadro p4000|8:243|6.1
quadro p5000|16:288|6.1
quadro p6000|24:432|6.1
quadro rtx 4000|8:416|7.5
quadro rtx 5000|16:448|7.5
quadro rtx 6000|24:672|7.5
quadro rtx 8000|48:672|7.5
rtx a2000|12:288 6:288|8.6
rtx a4000|16:448|8.6
rtx a4500|20:640|8.6
rtx a5000|24:768|8.6
rtx a5500|24:768|8.6
rtx a6000|48:768|8.6
rtx 2000 ada|16:224|8.9
rtx 4000 ada|20:360|8.9
rtx 4000 sff ada|20:280|8.9
rtx 4500 ada|24:432|8.9
rtx 5000 ada|32:576|8.9
rtx 6000 ada|48:960|8.9
rtx pro 4000 blackwell|24:672|12.0
rtx pro 4500 blackwell|32:896|12.0
rtx pro 5000 blackwell|48:1344|12.0
rtx pro 6000 blackwell|96:1792|12.0
m40|24:288 12:288|5.2
p4|8:192|6.1
p40|24:347|6.1
p100|16:732|6.0
v100|16:900 32:900|7.0
t4|16:320|7.5
a2|16:200|8.6
a10|24:600|8.6
a10g|24:600|8.6
a16|16:200|8.6
a30|24:933|8.0
a40|48:696|8.6
a100|80:1935 40:1555|8.0
a100 pcie|80:1935 40:1555|8.0
a100 sxm4|80:2039 40:1555|8.0
l4|24:300|8.9
l40|48:864|8.9
l40s|48:864|8.9
h100|80:3350|9.0
h100 hbm3|80:3350|9.0
h100 sxm5|80:3350|9.0
h100 pcie|80:2039|9.0
h100 nvl|94:3938|9.0
h20|96:4000|9.0
h200|141:4800|9.0
h200 nvl|141:4800|9.0
gh200|96:4000 144:4900|9.0
b200|180:8000|10.0
"""
_AMD = """
rx 580|8:256 4:256|
rx 5700 xt|8:448|
rx 6600|8:224|
rx 6600 xt|8:256|
rx 6650 xt|8:280|
rx 6700 xt|12:384|
rx 6750 xt|12:432|
rx 6800|16:512|
rx 6800 xt|16:512|
rx 6900 xt|16:512|
rx 6950 xt|16:576|
rx 7600|8:288|
rx 7600 xt|16:288|
rx 7700 xt|12:432|
rx 7800 xt|16:624|
rx 7900 gre|16:576|
rx 7900 xt|20:800|
rx 7900 xtx|24:960|
rx 9060 xt|16:320 8:320|
rx 9070|16:640|
rx 9070 xt|16:640|
vii|16:1024|
pro w6800|32:512|
pro w7800|32:576|
pro w7900|48:864|
ai pro r9700|32:640|
instinct mi50|16:1024 32:1024|
instinct mi60|32:1024|
instinct mi100|32:1229|
instinct mi210|64:1638|
instinct mi300x|192:5300|
instinct mi325x|256:6000|
"""
_INTEL = """
arc a770|16:560 8:512|
arc b580|12:456|
"""
# Chip | GB/s. Where a chip is sold with two widths the narrower counts.
_APPLE = """
m1|68
m1 pro|200
m1 max|400
m1 ultra|800
m2|100
m2 pro|200
m2 max|400
m2 ultra|800
m3|100
m3 pro|150
m3 max|300
m3 ultra|819
m4|120
m4 pro|273
m4 max|410
m5|153
"""
# The wider of those that are sold in two, by the number of processor cores (Apple, technical specifications).
_WIDER = {("m3 max", 16): 400e9, ("m4 max", 16): 546e9}
# Memory that a whole machine shares, by the GPU's name.
_SHARED = {"gb10": 273e9}

# What cards of a size usually carry, GiB -> GB/s; never falling, and rather the slower of the usual ones (GTX
# 1050 Ti, GTX 1060, RTX 4060, RTX 3060, RTX A4000, RTX A4500, RTX A5000 and A6000, A100, H200).
_USUAL = ((4, 112), (6, 192), (8, 272), (12, 360), (16, 400), (20, 640), (24, 768), (80, 1935), (141, 4800))

_FILLING = re.compile(
    r"\b(?:nvidia|geforce|amd|ati|radeon|intel|tesla|corporation|graphics|gpu|generation|edition|workstation"
    r"|server|max q workstation|tm|r|nvswitch)\b"
)
_SIZE = re.compile(r"\b(\d+) ?gi?b\b")


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card as it is sold. Memory in bytes, bandwidth in bytes a second."""

    name: str
    total: int
    bandwidth: float
    backend: Backend
    compute: tuple[int, int] | None


def known_card(name: str, total: int | None = None) -> KnownCard | None:
    """The card of that whole name, as drivers or people write it; None where the table has none.

    `total` in bytes tells variants apart, as a size within the name does; without either it is the most usual
    one. A size that no variant comes near (8 %) is another card.
    """
    variants = _table().get(_key(name))
    if variants is None:
        return None
    if total is None:
        written = _SIZE.search(_plain(name))
        if written is None:
            return variants[0]
        total = int(written[1]) * GIB
    nearest = min(variants, key=lambda card: abs(card.total - total))
    return nearest if abs(nearest.total - total) <= 0.08 * nearest.total else None


def known_names() -> tuple[str, ...]:
    """Every name in the table, as people may type it."""
    return tuple(variants[0].name for variants in _table().values())


def apple_bandwidth(chip: str, cores: int | None = None) -> float | None:
    """Bytes a second of an Apple chip's memory, by its whole name (`Apple M2 Max`); None where unknown."""
    plain = " ".join(_plain(chip).replace("apple", " ").split())
    return _WIDER.get((plain, cores or 0)) or _chips().get(plain)


def shared_bandwidth(name: str) -> float | None:
    """Bytes a second of the memory that a GPU of that name shares with its machine."""
    return _SHARED.get(_key(name))


def usual_bandwidth(total: int) -> float:
    """What a card of so many bytes may be expected to carry, bytes a second; never falls with size."""
    carried = _USUAL[0][1]
    for gib, gigabytes in _USUAL:
        if total >= 0.97 * gib * GIB:
            carried = gigabytes
    return carried * 1e9


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name[:200].casefold()).strip()


def _key(name: str) -> str:
    """A name without makers, sizes and spaces: `NVIDIA GeForce RTX 4090` and `rtx4090` are the same."""
    return _FILLING.sub(" ", _SIZE.sub(" ", _plain(name))).replace(" ", "")


@lru_cache(maxsize=1)
def _table() -> Mapping[str, tuple[KnownCard, ...]]:
    found = {}
    for backend, lines in ((Backend.CUDA, _NVIDIA), (Backend.ROCM, _AMD), (Backend.OTHER, _INTEL)):
        for line in lines.split("\n"):
            if line:
                name, variants, compute = line.split("|")
                found[_key(name)] = tuple(_variants(name, variants, backend, compute))
    return found


def _variants(name: str, variants: str, backend: Backend, compute: str) -> list[KnownCard]:
    major, _, minor = compute.partition(".")
    capability = (int(major), int(minor)) if compute else None
    pairs = [variant.split(":") for variant in variants.split()]
    return [
        KnownCard(name, int(gib) * GIB, float(carried) * 1e9, backend, capability) for gib, carried in pairs
    ]


@lru_cache(maxsize=1)
def _chips() -> Mapping[str, float]:
    pairs = [line.split("|") for line in _APPLE.split("\n") if line]
    return {chip: float(carried) * 1e9 for chip, carried in pairs}
