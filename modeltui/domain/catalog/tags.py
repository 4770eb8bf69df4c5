"""What a tag's name says by itself: its size, its quantization, and what it is no good for.

The rules and their exceptions are those of the library's own names, seen in 7,312 of them on 2026-08-21.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from modeltui.domain.catalog.series import Tag

# `1m` is a context length; no model has fewer than ten million parameters.
_SIZE = re.compile(r"[ea]?(\d+(?:\.\d+)?)(x\d+(?:\.\d+)?)?([bt]|(?<=\d\d)m)")
_QUANTIZATION = re.compile(
    r"i?q\d(?:_(?:[01]|k(?:_(?:s|m|l|xl))?|xxs|xs|s|m|nl))?|(?:fp|f)(?:16|32)|bf16|int[48]|mxfp[48]|nvfp4",
    re.IGNORECASE,
)
_WRITTEN = {"FP16": "F16", "FP32": "F32", "Q8": "Q8_0"}
_FACTORS = {"m": 10**6, "b": 10**9, "t": 10**12}
# Experts share a part of each other: their product is no total. Totals by the makers' cards.
_EXPERTS = {"8x7b": 46_700_000_000, "8x22b": 140_600_000_000, "16x17b": 109 * 10**9, "128x17b": 400 * 10**9}
# The registry refuses these off macOS: HTTP 412 "this model requires macOS" (reports of March to May 2026).
_APPLE = frozenset({"mlx", "nvfp4", "mxfp8"})
# One word to whoever types a name: the model that was tuned to answer.
CHAT = frozenset({"instruct", "chat", "it"})
_BASE = frozenset({"base", "text", "foundation", "pretrain", "code"})
# Whole series of base models, by their makers' cards; their instruct tags are none.
BASE_SERIES = frozenset({"falcon2", "meditron", "starcoder", "starcoder2", "yarn-llama2", "yarn-mistral"})
# And one of a tuned model, whose `text` is the very file of its default tag.
_TUNED_SERIES = frozenset({"samantha-mistral"})


@lru_cache(maxsize=16384)
def words(tag: str) -> tuple[str, ...]:
    """The parts of a tag's name, case-folded: `8b-instruct-q4_K_M` is 8b, instruct, q4_k_m."""
    return tuple(part for part in tag.casefold().split("-") if part)


def size_word(tag: str) -> str | None:
    """The part that tells the size, case-folded (`8b`, `8x7b`, `e4b`, `270m`); None where none does."""
    return next((word for word in words(tag) if word[0] != "a" and _SIZE.fullmatch(word)), None)


def parameters_of(word: str) -> int | None:
    """A size word as a number: `8b` is 8,000,000,000, `8x7b` 46,700,000,000; None for any other word."""
    match = _SIZE.fullmatch(word.casefold())
    if match is None:
        return None
    first, times, unit = match.groups()
    return _EXPERTS.get(match[0]) if times else round(float(first) * _FACTORS[unit])


def active_of(tag: str) -> int | None:
    """What a name says about the parameters that are read for each token: `30b-a3b` says 3,000,000,000."""
    found = (parameters_of(word) for word in words(tag) if word[0] == "a")
    return next((count for count in found if count is not None), None)


def quantization_of(tag: str) -> str | None:
    """The quantization a name tells, as servers write it (`Q4_K_M`, `F16`); None is not full precision."""
    for word in reversed(words(tag)):
        if _QUANTIZATION.fullmatch(word):
            return _WRITTEN.get(word.upper(), word.upper())
    return None


def is_apple_only(tag: str, format: str | None = None) -> bool:  # noqa: A002
    """Whether only Apple's own chips run it: `mlx`, `nvfp4`, `mxfp8` and `-coding-` tags."""
    parts = words(tag)
    return format == "mlx" or not _APPLE.isdisjoint(parts) or "coding" in parts[1:-1]


def is_base(series: str, tag: str, capabilities: frozenset[str] = frozenset()) -> bool:
    """Whether it was only pre-trained and does not follow instructions, as far as names tell.

    `base`, `text`, `foundation` and `code` (the bare model of a coding series) say so, `python` only for
    codellama: other series so named are tuned. Embedding models never are (`278m-mpnet-base-v2`). Whole
    series of base models are `BASE_SERIES`. `with_base_twins` adds the short tags that stand for such a one.
    """
    parts = frozenset(words(tag))
    if "embedding" in capabilities or series in _TUNED_SERIES:
        return False
    if series in BASE_SERIES:
        return CHAT.isdisjoint(parts)
    return not _BASE.isdisjoint(parts) or (series == "codellama" and "python" in parts)


def with_base_twins(tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    """The tags of one series, those with the digest of a base model marked as such: `codegemma:2b`, say."""
    digests = {tag.digest for tag in tags if tag.is_base and tag.digest}
    if not digests:
        return tags
    return tuple(
        tag if tag.is_base or tag.digest not in digests else tag._replace(is_base=True) for tag in tags
    )


def tag_of_listing(
    series: str,
    tag: str,
    *,
    digest: str | None = None,
    size: int | None = None,
    context: int | None = None,
    inputs: frozenset[str] = frozenset(),
    is_cloud: bool = False,
    capabilities: frozenset[str] = frozenset(),
    siblings: Iterable[Tag] = (),
) -> Tag:
    """A tag of which only a row of the library's pages is known; everything else comes from its name.

    Parameters are those of a sibling of the same size, where there is one: names round, and few tell active
    ones.
    """
    size_label = size_word(tag)
    label = size_label.upper() if size_label else None
    like = next((each for each in siblings if label and each.parameter_size == label), None)
    return Tag(
        series=series,
        tag=tag,
        digest=digest,
        size=None if is_cloud else size,
        quantization=quantization_of(tag),
        parameter_size=label,
        parameters=like.parameters if like else parameters_of(size_label) if size_label else None,
        active_parameters=like.active_parameters if like else active_of(tag),
        context=context,
        inputs=inputs,
        is_cloud=is_cloud,
        is_apple_only=is_apple_only(tag),
        is_base=is_base(series, tag, capabilities),
    )
