"""Which tags may be recommended for a task at all, and which of a series' many quantizations are looked at.

Never recommended: cloud tags, Apple's own formats elsewhere, base models, what is made for one other thing
(guards, OCR, translation, function calling, reward), embedding models for talk, and anything below three
bits a weight. Of each size the usual quantizations are looked at: the one that the site itself gives for
the size, those trained for it (QAT, MXFP4), Q4_K_M, Q6_K and Q8_0; Q3 only where a series has nothing else,
16 bits likewise. Where two builds of a size differ (an older revision, a draft for speculation) the one
that the site's own short name stands for is taken.
"""

import re
from collections.abc import Iterable

from modeltui.domain.advice.priors import size_word
from modeltui.domain.advice.quantization import is_too_coarse
from modeltui.domain.advice.suitability import can_do
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.catalog.tags import size_word as size_of_name

_QUANTIZATION = re.compile(r"(?i)[-_]?(?:i?q\d\w*|fp16|f16|bf16|fp32|f32|qat|mxfp[48]|nvfp4|int[48])$")
_USUAL = frozenset(("Q4_K_M", "Q6_K", "Q8_0", "MXFP4", None))  # None: QAT builds
_LAST_RESORTS = (
    frozenset(("Q5_K_M", "Q5_K_S", "Q4_K_S", "Q4_0", "Q4_1", "Q5_0", "Q5_1")),
    frozenset(("Q3_K_M", "Q3_K_L", "Q3_K_S")),
    frozenset(("F16", "BF16", "F32")),
)
# GGUF knows no such types: they are of the engine that runs on Apple's chips.
_OTHER_ENGINE = frozenset(("INT4", "INT8", "NVFP4", "MXFP8"))
# Whether they run everywhere is not known: never instead of the plain build.
_SPECIAL = ("-dflash", "-mtp", "-draft", "reward")


def may_be_asked(series: Series, tag: Tag, task: Task, *, is_apple: bool = False) -> bool:
    """Whether a tag could be recommended for the task, whatever the machine's size."""
    return (
        tag.size is not None
        and not tag.is_cloud
        and not tag.is_base
        and (is_apple or not (tag.is_apple_only or tag.quantization in _OTHER_ENGINE))
        and can_do(series, tag, task)
        and not is_too_coarse(tag)
        and not any(word in tag.tag for word in _SPECIAL)
    )


def candidates(series: Series, task: Task, *, is_apple: bool = False) -> tuple[Tag, ...]:
    """The tags of a series to choose from; equal digests once, under the name that people would type."""
    if not any(can_do(series, tag, task) for tag in series.tags):
        return ()
    by_size: dict[str, dict[str, Tag]] = {}
    builds: dict[str, list[str]] = {}  # by digest of a short name, every name that stands for it
    for tag in series.tags:
        if not is_quantized(tag) and tag.digest:
            builds[tag.digest] = []
    for tag in series.tags:
        if tag.digest in builds:
            builds[tag.digest].append(tag.tag)
        elif tag.quantization not in _USUAL and any(tag.quantization in each for each in _LAST_RESORTS):
            continue  # most of what there is, and hardly ever the one
        if may_be_asked(series, tag, task, is_apple=is_apple):
            _keep(by_size.setdefault(size_word(tag), {}), tag)
    found = [tag for tags in by_size.values() for tag in _usual(tags.values(), builds)]
    return tuple(found) or _resorts(series, task, is_apple=is_apple)


def is_quantized(tag: Tag) -> bool:
    """Whether a tag's name ends with a quantization."""
    name, known = tag.tag, tag.quantization
    if name[-1:] in "bBeEtT":  # 8b, instruct-e, latest: nearly all that have none
        return name.endswith("qat")
    if known is not None and name[-len(known) :].upper() == known:
        return True
    return _QUANTIZATION.search(name) is not None


def _keep(tags: dict[str, Tag], tag: Tag) -> None:
    """Equal digests once."""
    key = tag.digest or tag.tag
    before = tags.get(key)
    if before is None or _plainness(tag) < _plainness(before):
        tags[key] = tag


def _plainness(tag: Tag) -> tuple[int, bool, int, str]:
    """How much a name is the one to show: a size alone, without a quantization, short.

    `latest` comes before what is no size alone: any registry has it that has the series at all.
    """
    rank = 1 if tag.tag == "latest" else 0 if size_of_name(tag.tag) == tag.tag.casefold() else 2
    return (rank, is_quantized(tag), len(tag.tag), tag.tag)


def _stem(name: str) -> str:
    """The build without its quantization: `8b-instruct` of `8b-instruct-q4_K_M`."""
    return _QUANTIZATION.sub("", name.casefold())


def _usual(tags: Iterable[Tag], builds: dict[str, list[str]]) -> list[Tag]:
    """Of one size: the site's own choice, and the usual quantizations of the same build."""
    own = [tag for tag in tags if tag.digest in builds]
    others = [tag for tag in tags if tag.digest not in builds]
    if not own or not others:
        return own or others
    known = {_stem(name) for tag in own if tag.digest for name in builds[tag.digest]}
    return own + [tag for tag in others if _stem(tag.tag) in known]


def _resorts(series: Series, task: Task, *, is_apple: bool) -> tuple[Tag, ...]:
    """Of a series that offers nothing usual: the next best."""
    asked = [tag for tag in series.tags if may_be_asked(series, tag, task, is_apple=is_apple)]
    for resort in _LAST_RESORTS:
        found: dict[str, Tag] = {}
        for tag in asked:
            if tag.quantization in resort:
                _keep(found, tag)
        if found:
            return tuple(found.values())
    return ()
