"""Reads names of models from a file or from stdin, one a line, and says which line is none."""

import asyncio
import sys
from pathlib import Path

from modeltui.domain.names import from_typed
from modeltui.errors import InvalidName, UsageError
from modeltui.text import clean_line

STDIN = "-"
_MOST_BYTES = 2**20


async def named_in(place: str) -> list[str]:
    """The names in a file, `-` being stdin; blank lines and those that begin with # are left out.

    Raises UsageError for what cannot be read, InvalidName with file and line for what is no name.
    """
    shown = "stdin" if place == STDIN else clean_line(place)
    try:
        text = (await asyncio.to_thread(_read, place)).decode()  # a pipe may be slow, and ctrl+c ends it
    except OSError as error:
        raise UsageError(f"cannot read {shown}: {error.strerror}", remedy="modeltui pull --help") from None
    except UnicodeError:
        raise UsageError(f"{shown} is no text (UTF-8)", remedy="write one name a line") from None
    names = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        typed = line.strip()
        if not typed or typed.startswith("#"):
            continue
        try:
            from_typed(typed)
        except InvalidName as error:
            remedy = f"correct line {number}; nothing was queued"
            raise InvalidName(f"{shown}, line {number}: {error.message}", remedy=remedy) from None
        names.append(typed)
    return names


def _read(place: str) -> bytes:
    if place == STDIN:
        found = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        with Path(place).open("rb") as file:
            found = file.read(_MOST_BYTES + 1)
    if len(found) > _MOST_BYTES:
        raise UsageError(f"{clean_line(place)} is larger than {_MOST_BYTES} bytes: no list of names")
    return found
