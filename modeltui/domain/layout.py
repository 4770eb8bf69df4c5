"""How text is fitted into terminal cells: how wide it is, where it is cut, and how it is filled up."""

import re
import unicodedata

_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")  # our own: foreign text holds none
_ON_THE_LAST = frozenset({"Mn", "Me"})  # marks that stand on the character before them


def cells(text: str) -> int:
    """How many terminal cells a text takes; colours take none."""
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def _cell(character: str) -> int:
    if unicodedata.category(character) in _ON_THE_LAST:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """At most `width` cells of a text, with `…` where something is missing; its colours stay."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    if text.isascii() and "\x1b" not in text:
        return text[: width - 1] + "…"
    kept, room = [], width - 1
    for place, part in enumerate(_COLOUR.split(text)):
        if place % 2:
            kept.append(part)
            continue
        for character in part:
            if room < 0:
                break
            room -= _cell(character)
            kept.append(character if room >= 0 else "…")
    return "".join(kept)


def shortened(name: str, width: int) -> str:
    """At most `width` cells of a model name, which loses its path before its tag.

    `hf.co/unsloth/Qwen3-GGUF:Q4_K_M` becomes `hf.co/…/Qwen3-GGUF:Q4_K_M`, then `Qwen3-G…:Q4_K_M`.
    """
    if cells(name) <= width:
        return name
    if name.endswith(":latest") and len(name) > len(":latest"):  # the tag that every name means without one
        return shortened(name.removesuffix(":latest"), width)
    first, *path = name.split("/")
    if path:
        for short in (f"{first}/…/{path[-1]}" if len(path) > 1 else name, f"…/{path[-1]}"):
            if cells(short) <= width:
                return short
        name = path[-1]
    series, colon, tag = name.rpartition(":")
    room = width - cells(tag) - 1
    if colon and room >= 2:
        return f"{cut(series, room)}:{tag}"
    return cut(name, width)


def pad(text: str, width: int, right: bool = False) -> str:
    """Exactly `width` cells: spaces behind a shorter text (`right`: before it), a longer one cut.

    A model name is `shortened` first, so that what is cut is not its tag.
    """
    if text.isascii() and len(text) <= width and "\x1b" not in text:
        return text.rjust(width) if right else text.ljust(width)
    text = cut(text, width)
    space = " " * (width - cells(text))
    return space + text if right else text + space
