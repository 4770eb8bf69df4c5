"""Which tag of a series a person means who typed one that does not exist."""

import re
from dataclasses import dataclass

from modeltui.domain.catalog.nearness import distance, slips
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.catalog.tags import CHAT, parameters_of, quantization_of, size_word, words

# What Ollama itself takes for a size's short tag: Q4_K_M, for older series Q4_0. The others by nearness to
# it.
_USUAL = ("Q4_K_M", "MXFP4", "Q4_0", "Q4_K_S", "Q5_K_M", "Q6_K", "Q8_0", "Q3_K_M", "F16", "BF16")
_PRECISE = frozenset({"fp16", "f16"})
_BARE = frozenset({"base", "text", "code", "foundation"})
_APPLE = frozenset({"mlx", "nvfp4", "mxfp8", "coding"})
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Meant:
    """One tag where only one can be meant, else None with those that come near, the likeliest first.

    `size` is the size word that was typed and that the series does not have; None otherwise.
    """

    tag: Tag | None = None
    near: tuple[Tag, ...] = ()
    size: str | None = None


def meant(series: Series, typed: str) -> Meant:
    """What `typed`, no tag of the series, may mean.

    1. The tags that hold every word of it (`instruct`, `chat` and `it` are one word, `q4` is any quantization
       that begins so, `fp16` is `f16`). Of one size and variant: the short tag that is the very same model
       (`8b-instruct` is `8b`: one digest), else the one in the usual quantization. `instruct` alone is
       left out where the series has no such tag: its models are tuned anyway.
    2. A size that the series does not have: the nearest ones below and above it.
    3. A quantization that it does not have: those of the same size next to it.
    4. Else those of the size that was typed, then the tags a slip or two away, else the default one.
    """
    wanted = words(typed)
    size = next((word for word in wanted if size_word(word)), None)
    known_sizes = {(tag.parameter_size or "").casefold() for tag in series.tags}
    if (
        size is not None
        and size not in known_sizes
        and not any(size in words(tag.tag) for tag in series.tags)
    ):
        return Meant(near=_neighbours(series, size), size=size)
    found = _holding(series, wanted)
    if not found and not CHAT.isdisjoint(wanted):
        rest = tuple(word for word in wanted if word not in CHAT)
        looser = _holding(series, rest) if rest else list(series.tags)
        if looser and any(not CHAT.isdisjoint(words(tag.tag)) for tag in series.tags):
            return Meant(near=_shown(series, looser))
        found = looser
    if found:
        return _chosen(series, found, is_quantized=any(_is_quantization(word) for word in wanted))
    near = _misspelt(series, typed)
    rest = tuple(word for word in wanted if not _is_quantization(word))
    if rest and rest != wanted and (looser := _holding(series, rest)):
        near = (*(tag for tag in near if tag in looser), *_by_bits(looser, wanted))
    elif size is not None and (same := _holding(series, (size,))):
        near = (*(tag for tag in near if tag in same), *_shown(series, same), *near)
    # One model once, though it has several tags.
    once: dict[str, Tag] = {}
    for tag in near:
        once.setdefault(tag.digest or tag.tag, tag)
    return Meant(near=tuple(once.values())[:_SHOWN] or _standing_for(series, series.default))


def _holding(series: Series, wanted: tuple[str, ...]) -> list[Tag]:
    """The tags with all those words, without what nobody means who does not say so: cloud, Apple's, base."""
    found = [tag for tag in series.tags if all(_has(words(tag.tag), word) for word in wanted)]
    asked = frozenset(wanted)
    if "cloud" not in asked:
        found = [tag for tag in found if not tag.is_cloud] or found
    if _APPLE.isdisjoint(asked):
        found = [tag for tag in found if not tag.is_apple_only] or found
    if _BARE.isdisjoint(asked):
        found = [tag for tag in found if not tag.is_base] or found
    return found


def _has(parts: tuple[str, ...], word: str) -> bool:
    if word in parts:
        return True
    if word in CHAT:
        return not CHAT.isdisjoint(parts)
    if word in _PRECISE:
        return not _PRECISE.isdisjoint(parts)
    if word[0] == "q" and word[1:2].isdigit():
        bare = word.replace("_", "")
        return any(part[0] == "q" and part.replace("_", "").startswith(bare) for part in parts)
    return False


def _is_quantization(word: str) -> bool:
    return quantization_of(word) is not None or (word[0] == "q" and word[1:2].isdigit())


def _bits(word: str) -> int:
    """The bits a weight has by its quantization's name: 4 of q4_k_m, 16 of fp16."""
    found = re.search(r"\d+", word)
    return int(found[0][:3]) if found else 0


def _by_bits(tags: list[Tag], wanted: tuple[str, ...]) -> list[Tag]:
    """Tags in the order in which their quantizations are near the one that was typed."""
    typed = next(_bits(word) for word in wanted if _is_quantization(word))
    return sorted(tags, key=lambda tag: abs(_bits(quantization_word(tag) or tag.quantization or "") - typed))


def _chosen(series: Series, found: list[Tag], *, is_quantized: bool) -> Meant:
    default = series.default
    sizes = {tag.parameter_size for tag in found}
    if len(sizes) > 1:
        # No size was typed: that of the default tag, where the words hold for it too.
        if default is None or all(tag.digest != default.digest for tag in found):
            return Meant(near=_shown(series, found))
        found = [tag for tag in found if tag.parameter_size == default.parameter_size]
    short = _short_digests(series)
    standing = [tag for tag in found if tag.digest is not None and tag.digest in short]
    if standing:
        # Before a short tag of a variant (`30b-instruct`) the one that is named by its size alone (`30b`).
        best = min(standing, key=lambda tag: (len(words(short[tag.digest or ""].tag)), _by_quantization(tag)))
        return Meant(tag=best if is_quantized else short[best.digest or ""])
    variants = {_variant(tag) for tag in found}
    best = min(found, key=lambda tag: (len(words(tag.tag)), _by_quantization(tag)))
    return Meant(tag=best) if len(variants) == 1 else Meant(near=_shown(series, found))


def quantization_word(tag: Tag) -> str | None:
    """The part of a tag's name that tells its quantization, case-folded."""
    return next((word for word in words(tag.tag) if quantization_of(word)), None)


def _variant(tag: Tag) -> frozenset[str]:
    """The words of a tag's name beside its quantization."""
    return frozenset(words(tag.tag)).difference({quantization_word(tag) or ""})


def _short_digests(series: Series) -> dict[str, Tag]:
    """The tags whose names tell no quantization, by digest: the shortest one that tells a size, if any."""
    found: dict[str, Tag] = {}
    for tag in sorted(series.tags, key=lambda tag: (size_word(tag.tag) is None, len(tag.tag))):
        if tag.digest and quantization_word(tag) is None:
            found.setdefault(tag.digest, tag)
    return found


def _by_quantization(tag: Tag) -> int:
    known = tag.quantization or ""
    return _USUAL.index(known) if known in _USUAL else len(_USUAL)


def of_size(series: Series, size: str) -> Tag | None:
    """The tag that stands for a size of the series: named like it, else the first one that runs here."""
    folded = size.casefold()
    exact = series.tag(folded)
    if exact is not None:
        return exact
    found = [tag for tag in series.tags if (tag.parameter_size or "").casefold() == folded]
    plain = [tag for tag in found if not (tag.is_apple_only or tag.is_cloud or tag.is_base)]
    return next(iter(plain or found), None)


def _neighbours(series: Series, size: str) -> tuple[Tag, ...]:
    """The sizes next below and next above, as the tags that stand for them."""
    wanted = parameters_of(size)
    sizes: dict[str, Tag] = {}
    for tag in series.tags:
        if tag.parameter_size and tag.parameters and tag.parameter_size not in sizes:
            stands = of_size(series, tag.parameter_size)
            if stands is not None:
                sizes[tag.parameter_size] = stands
    known = sorted(sizes.values(), key=lambda tag: tag.parameters or 0)
    if wanted is None:
        return tuple(known[:_SHOWN])
    below = [tag for tag in known if (tag.parameters or 0) <= wanted]
    above = [tag for tag in known if (tag.parameters or 0) > wanted]
    return (*below[-1:], *above[:1])


def _shown(series: Series, found: list[Tag]) -> tuple[Tag, ...]:
    """A few of many, one a size and variant, in the usual quantization."""
    short = _short_digests(series)
    kept: dict[object, Tag] = {}
    for tag in sorted(found, key=_by_quantization):
        stands = short.get(tag.digest or "", tag)
        kept.setdefault(_variant(tag), stands)
    return tuple(dict.fromkeys(kept.values()))[:_SHOWN]


def _misspelt(series: Series, typed: str) -> tuple[Tag, ...]:
    wanted = typed.casefold()
    most = slips(wanted)
    found = [
        (steps, tag)
        for tag in series.tags
        if (steps := distance(wanted, tag.tag.casefold(), most)) is not None
    ]
    found.sort(key=lambda each: each[0])
    return tuple(tag for _, tag in found[:_SHOWN])


def _standing_for(series: Series, tag: Tag | None) -> tuple[Tag, ...]:
    """The tag that says what `latest` stands for, where there is one."""
    return () if tag is None else (_short_digests(series).get(tag.digest or "", tag),)
