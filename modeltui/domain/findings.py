"""What a scan can find, and the characters in foreign text that steer a terminal or hide what is written."""

import re
from dataclasses import dataclass
from enum import StrEnum

from modeltui.text import clean_line

# What a terminal obeys, what turns the order of reading round, and tags, which no eye sees and a model reads.
_STEERING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0001\U000e0020-\U000e007f]"
)
# Invisible as well, and common in texts of some languages or by mistake.
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u2060-\u2064\ufeff]")
_MOST_NAMED = 4


class Kind(StrEnum):
    """What a finding is about; stored, so never renamed."""

    HEADER = "header"
    TENSORS = "tensors"
    LAYERS = "layers"
    CHARACTERS = "characters"
    REMOTE_HOST = "remote_host"
    ADAPTER = "adapter"
    LICENCE = "licence"
    PUBLISHER = "publisher"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a scan found, in clean words. A serious one keeps a model from being loaded."""

    kind: Kind
    words: str
    is_serious: bool = False


def characters(what: str, text: str | None) -> tuple[Finding, ...]:
    """Control, bidi and other invisible characters in a text that a person should be able to trust."""
    found = []
    for pattern, words, is_serious in (
        (_STEERING, "holds characters that steer a terminal or hide words", True),
        (_INVISIBLE, "holds invisible characters", False),
    ):
        seen = sorted(set(pattern.findall(text or "")))
        if seen:
            codes = ", ".join(f"U+{ord(each):04X}" for each in seen[:_MOST_NAMED])
            more = f" and {len(seen) - _MOST_NAMED} more" if len(seen) > _MOST_NAMED else ""
            found.append(Finding(Kind.CHARACTERS, f"{clean_line(what)} {words} ({codes}{more})", is_serious))
    return tuple(found)
