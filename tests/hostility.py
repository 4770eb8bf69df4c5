"""Servers that lie, break, flood and never end, for the tests of the command line and of the screens."""

import json
import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from modeltui.demo.faults import Kind
from modeltui.ollama.calls import Call

# Kind, value, and whether an answer can be had at all from a server like that.
HOSTILITIES: dict[str, tuple[Kind, Any, bool]] = {
    "hostile strings": (Kind.HOSTILE, None, True),
    "wrong types": (Kind.WRONG_TYPES, None, True),
    "half a body": (Kind.MALFORMED, None, False),
    "no json": (Kind.MALFORMED, "\x1b]0;gone\x07not json \u202e\u009b31m", False),
    "other json": (Kind.MALFORMED, '["\\u001b[2J", null, 1e999]', False),
    "deep json": (Kind.MALFORMED, "[" * 100_000, False),
    "endless": (Kind.ENDLESS, 10_000_000, False),
    "redirects": (Kind.STATUS, 302, False),
    "a page": (Kind.STATUS, [200, "<!DOCTYPE html><html><title>\x1b[31mSign in\x85</title></html>"], False),
    "500": (Kind.STATUS, 500, False),
    "500 with words": (Kind.STATUS, [500, '{"error": "\\u001b[2J\\ud800 \\u202efailed"}'], False),
    "500 with 5,000 words": (Kind.STATUS, [500, json.dumps({"error": "word " * 5000})], False),
    "500 with types": (Kind.STATUS, [500, '{"error": {"message": ["\\u001b[2J"]}}'], False),
    "401": (Kind.STATUS, 401, False),
    "403": (Kind.STATUS, 403, False),
    "404": (Kind.STATUS, 404, False),
    "reset": (Kind.RESET, None, False),
    "cut": (Kind.CUT, None, False),
    "hang": (Kind.HANG, None, False),
}

# What a terminal must never be sent from elsewhere: categories of Unicode, not the program's own list.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_INVISIBLE = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe0f\uffa0")


def harmful_characters(text: str) -> set[str]:
    """The characters of `text` that could steer a terminal or hide."""
    return {c for c in set(text) if c in _INVISIBLE or unicodedata.category(c) in _HARMFUL}


def shorten_limits(monkeypatch: pytest.MonkeyPatch, *, most: int = 200_000) -> None:
    """The same limits on time and bodies, only smaller."""

    def short(*words: Any, **more: Any) -> Call:
        call = Call(*words, **more)
        return replace(call, quiet_s=call.quiet_s and 0.3, total_s=call.total_s and 3.0)

    monkeypatch.setattr("modeltui.ollama.client.Call", short)
    monkeypatch.setattr("modeltui.ollama.calls.MOST_BODY", most)
    monkeypatch.setattr("modeltui.ollama.calls.MOST_LINE", 100_000)
