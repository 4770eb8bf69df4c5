"""Alone responsible for cleaning foreign text, so that nothing a server sends can steer a terminal."""

import re
from functools import cache

LINE_LIMIT = 512
TEXT_LIMIT = 1_000_000
MARK = "·"

# Control characters, surrogates, private use, line and paragraph separators, and every character
# that is invisible by Unicode's property Default_Ignorable_Code_Point (zero width, bidi, tags, fillers).
_UNSAFE_SETS = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
_BREAKS = re.compile(r"\r\n|[\n\r\t]")


def clean_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Return `text` as one harmless line of at most `limit` characters; a longer one ends in `…`.

    Newlines and tabs become spaces, everything a terminal could obey or hide becomes `·`.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text  # nearly all that servers say, at a fifth of the cost
    head = text[: limit + 1]
    cleaned = _unsafe().sub(MARK, _BREAKS.sub(" ", head))
    return cleaned if len(text) <= limit else cleaned[: limit - 1] + "…"


def clean_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` with its lines kept and everything a terminal could obey or hide as `·`."""
    head = text[:limit].replace("\r\n", "\n").replace("\r", "\n")
    cleaned = _unsafe_in_text().sub(MARK, head)
    return cleaned if len(text) <= limit else cleaned + "\n…"


def is_clean_line(text: str) -> bool:
    """Whether cleaning would leave `text` as it is: only then is what is shown also what is sent."""
    return clean_line(text) == text


@cache
def _unsafe() -> re.Pattern[str]:
    """Compiled when a text is not plain ASCII: every command would pay for it."""
    return re.compile(f"[{_UNSAFE_SETS}]")


@cache
def _unsafe_in_text() -> re.Pattern[str]:
    return re.compile(f"(?![\n\t])[{_UNSAFE_SETS}]")
