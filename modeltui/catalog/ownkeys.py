"""The keys of a user's catalog: what each may be, and which fields of a series or tag it sets."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.purposes import ROLES
from modeltui.domain.models import ModelType
from modeltui.text import clean_line, clean_text

_MOST_TEXT = 2000
_MOST_TOKENS = 1 << 30
_MOST_COUNT = 10**18
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b", re.IGNORECASE)
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmbt])", re.IGNORECASE)
_TOKENS = re.compile(r"(\d+)\s*([km])", re.IGNORECASE)
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")  # a year 0 would outweigh every other age
_VERSION = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4}){0,2}")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})", re.IGNORECASE)
_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_NUMBERS = {"k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_CONTEXTS = {"k": 1 << 10, "m": 1 << 20}

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """What one key may be: a check that returns the fields it sets or raises ValueError, and words."""

    check: Callable[[object], Fields]
    allowed: str


def _text(field: str) -> Key:
    def check(value: object) -> Fields:
        if not isinstance(value, str) or not value.strip():
            raise ValueError
        return {field: clean_line(value.strip(), _MOST_TEXT)}

    return Key(check, "a text that is not empty")


def _pattern(field: str, pattern: re.Pattern[str], allowed: str) -> Key:
    def check(value: object) -> Fields:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise ValueError
        return {field: value}

    return Key(check, allowed)


def _words(field: str, *known: str, kind: type = frozenset) -> Key:
    def check(value: object) -> Fields:
        if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
            raise ValueError
        words = [clean_line(word.strip().casefold(), 80) for word in value]
        if known and not set(words) <= set(known):
            raise ValueError
        return {field: kind(words)}

    return Key(check, f"a list of {', '.join(known)}" if known else "a list of texts")


def _one_of(field: str, *known: str) -> Key:
    def check(value: object) -> Fields:
        if value not in known:
            raise ValueError
        return {field: value}

    return Key(check, _or(known))


def _enum(field: str, kind: type[StrEnum]) -> Key:
    def check(value: object) -> Fields:
        if not isinstance(value, str):
            raise ValueError
        return {field: kind(value)}

    return Key(check, _or(tuple(kind)))


def _truth(field: str) -> Key:
    def check(value: object) -> Fields:
        if not isinstance(value, bool):
            raise ValueError
        return {field: value}

    return Key(check, "true or false")


def _number(
    field: str,
    pattern: re.Pattern[str],
    factors: Mapping[str, int],
    most: int,
    allowed: str,
) -> Key:
    """A whole number above 0, or one with a unit as a text."""

    def check(value: object) -> Fields:
        if isinstance(value, str):
            match = pattern.fullmatch(value.strip())
            if match is None:
                raise ValueError
            count = round(float(match[1]) * factors[match[2].casefold()])
        elif isinstance(value, int) and not isinstance(value, bool):
            count = value
        else:
            raise ValueError
        if not 0 < count <= most:
            raise ValueError
        return {field: count}

    return Key(check, allowed)


def _size() -> Key:
    by_unit = _number("size", _SIZE, _BYTES, _MOST_COUNT, 'a number of bytes, or a size such as "4.7GB"')

    def check(value: object) -> Fields:
        return {**by_unit.check(value), "is_size_exact": not isinstance(value, str)}

    return Key(check, by_unit.allowed)


def _parameters() -> Key:
    number = _number("parameters", _COUNT, _NUMBERS, _MOST_COUNT, 'a number, or one such as "7.6B"')

    def check(value: object) -> Fields:
        found = number.check(value)
        billions = found["parameters"] / 10**9
        label = f"{billions:.3g}B" if billions >= 1 else f"{billions * 1000:.3g}M"
        return {**found, "parameter_size": label}

    return Key(check, number.allowed)


def _digest() -> Key:
    def check(value: object) -> Fields:
        match = _DIGEST.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError
        return {"digest": match[1][:12].casefold()}

    return Key(check, "12 to 64 hexadecimal digits")


def _notes() -> Key:
    def check(value: object) -> Fields:
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise ValueError
        return {"notes": tuple(clean_text(text.strip(), _MOST_TEXT) for text in texts)}

    return Key(check, "a text, or a list of texts")


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


_CONTEXT = _number("context", _TOKENS, _CONTEXTS, _MOST_TOKENS, 'a number of tokens, or one such as "32k"')
_EVERYWHERE = {
    "type": _enum("type", ModelType),
    "purpose": _enum("purpose", Purpose),
    "context": _CONTEXT,
}
SERIES_KEYS: Mapping[str, Key] = {
    **_EVERYWHERE,
    **{
        name: _text(name)
        for name in ("publisher", "description", "family", "license", "line", "base_model", "url")
    },
    "default_tag": _text("default_tag"),
    "capabilities": _words(
        "capabilities", "completion", "tools", "thinking", "vision", "audio", "embedding", "insert"
    ),
    "use_cases": _words("use_cases"),
    "succeeds": _words("succeeds", kind=tuple),
    "succeeded_by": _words("succeeded_by", kind=tuple),
    "commercial": _one_of("commercial", "yes", "conditions", "no", "unknown"),
    "kind": _one_of("kind", "dense", "moe", "hybrid"),
    "role": _one_of("role", *sorted(ROLES)),
    "released": _pattern("released", _MONTH, 'a month such as "2026-05"'),
    "requires": _pattern("requires", _VERSION, 'a version of Ollama such as "0.9.1"'),
    "retired": _truth("is_retired"),
    "note": _notes(),
}
TAG_KEYS: Mapping[str, Key] = {
    **_EVERYWHERE,
    "size": _size(),
    "parameters": _parameters(),
    "active_parameters": _number(
        "active_parameters", _COUNT, _NUMBERS, _MOST_COUNT, 'a number, or one such as "3B"'
    ),
    "quantization": _text("quantization"),
    "inputs": _words("inputs", "text", "image", "audio", "video"),
    "digest": _digest(),
    "base": _truth("is_base"),
    "apple_only": _truth("is_apple_only"),
    "note": _text("note"),
}
