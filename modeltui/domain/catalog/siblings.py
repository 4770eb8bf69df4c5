"""What tells the tags of one series apart: their variant, what they can do, and which server can run them."""

import re
from collections.abc import Iterator
from functools import lru_cache

from modeltui.domain.catalog.series import Series, Tag

_QUANTIZED = re.compile(r"(?i)(?:^|-)(?:(?:ud-)?i?q\d\w*|f16|fp16|bf16|f32|mxfp\d|nvfp4|int\d|qat)$")
_VERSION = re.compile(r"\d{1,6}(?:\.\d{1,6}){0,2}")


@lru_cache(maxsize=512)
def version_of(text: str | None) -> tuple[int, int, int] | None:
    """`0.6`, `v0.12.3-rc1` as three numbers; None for what is no version."""
    found = _VERSION.search(text or "")
    if found is None:
        return None
    first, second, third = [*map(int, found[0].split(".")), 0, 0][:3]
    return first, second, third


def capabilities_of(series: Series, tag: Tag) -> frozenset[str]:
    """What a tag can do: its series' chips, but it reads images only if this very tag takes them."""
    found = set(series.capabilities)
    if tag.inputs and not any("image" in each.casefold() for each in tag.inputs):
        found.discard("vision")
    if "embedding" not in found:
        found.add("completion")
    return frozenset(found)


def smaller_tags(series: Series, of: Tag, size: int) -> Iterator[Tag]:
    """Tags of the same model in fewer bits: same parameters and variant, under nine tenths of the bytes."""
    variants = {_variant(tag.tag) for tag in (of, *series.same_as(of))}
    for tag in series.tags:
        if tag.is_cloud or tag.is_apple_only or not tag.size or tag.size > 0.9 * size:
            continue
        if tag.is_base != of.is_base or tag.parameters != of.parameters:
            continue
        if _variant(tag.tag) in variants:
            yield tag


def plain_twin(series: Series, of: Tag) -> Tag | None:
    """The first tag of the same size that is a file for any machine, instead of one for Apple's chips."""
    for tag in series.tags:
        is_plain = bool(tag.size) and not (tag.is_cloud or tag.is_apple_only)
        if is_plain and (tag.parameter_size, tag.is_base) == (of.parameter_size, of.is_base):
            return tag
    return None


def _variant(tag: str) -> str:
    """A tag's name without its quantization: `8b-instruct-q4_K_M` is an `8b-instruct`."""
    return _QUANTIZED.sub("", tag).casefold()
