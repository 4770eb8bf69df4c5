"""Says what of a download was still there when it was taken up again, and why the rest is not."""

import re

from modeltui.domain import units

_NEARLY = 0.9
_PRUNES_ALL_BEFORE = (0, 21)


def survival_words(before: int, now: int, version: str | None) -> str:
    """Words for a try that found `now` bytes where `before` had come; `version` is the server's.

    Source: Ollama's PruneLayers at the start of the server, and server/download.go: the offset of a part
    is written only when a chunk of it ends.
    """
    if now >= before * _NEARLY:
        return f"resumed at {units.size(now)}"
    if now > before * (1 - _NEARLY):
        return f"resumed at {units.size(now)}, {units.size(before - now)} are fetched again"
    if _number(version) is None:
        return "starts anew: what was there is gone"
    if (_number(version) or ()) < _PRUNES_ALL_BEFORE:
        rule = "Ollama before 0.21 does at each restart unless OLLAMA_NOPRUNE is set"
    else:
        rule = "Ollama does at a restart with parts older than an hour unless OLLAMA_NOPRUNE is set"
    return f"the server removed what was there ({rule})"


def _number(version: str | None) -> tuple[int, int] | None:
    """Major and minor; None for a version that says neither (0.0.0 is a build without one)."""
    match = re.match(r"(\d{1,6})\.(\d{1,6})\.", version or "")
    if match is None or version == "0.0.0":
        return None
    return int(match[1]), int(match[2])
