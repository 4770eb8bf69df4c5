"""A catalog from a file holds what one can hold, or is refused: who can write it can vouch for it, too."""

import hashlib
import json
from dataclasses import fields
from typing import Any

import pytest
from catalogs import shipped, small

from modeltui.catalog import form
from modeltui.catalog.soundness import require_sound
from modeltui.demo.twist import HOSTILE_TEXTS
from modeltui.domain.catalog.series import Series, Tag

WRONG: tuple[Any, ...] = (
    *(None, True, -1, 10**400, 1.5, "\x1b[2J", [1, None], {"a": "\u202e"}, ["\u200b"]),
    *(text for text in HOSTILE_TEXTS if "\ud800" not in text and not text.isprintable()),
)


def written(row: dict[str, Any], name: str = "alpha") -> bytes:
    """A file with one series, whose first line vouches for it."""
    head, retired, *_ = form.encode(small()).splitlines()
    body = f"{retired}\n{name}\t{json.dumps(row)}"
    vouched = {**json.loads(head), "sha256": hashlib.sha256(body.encode()).hexdigest()}
    return f"{json.dumps(vouched)}\n{body}\n".encode()


ROW: dict[str, Any] = json.loads(form.encode(small()).splitlines()[2].partition("\t")[2])


def test_what_is_shipped_and_what_is_whole_is_sound() -> None:
    require_sound(shipped())
    assert form.decode(written(ROW)).series["alpha"] == small().series["alpha"]


@pytest.mark.parametrize("key", [each.name for each in fields(Series)])
def test_no_field_of_a_series_is_believed(key: str) -> None:
    refused = 0
    for value in WRONG:
        try:
            found = form.decode(written({**ROW, key: value}))
        except form.BrokenForm:
            refused += 1
        else:
            require_sound(found)
    assert refused >= len(WRONG) - 2  # what may be nothing, a number, or true or false


@pytest.mark.parametrize("key", [name for name in Tag._fields if name != "series"])
def test_no_field_of_a_tag_is_believed(key: str) -> None:
    refused = 0
    for value in WRONG:
        rows = {kind: dict(ROW[kind]) for kind in ("plain", "coded")}
        if key in rows["plain"]:
            rows["plain"][key] = [value] * ROW["tags"]
        else:
            rows["coded"][key] = [[value], []]
        try:
            form.decode(written({**ROW, **rows}))
        except form.BrokenForm:
            refused += 1
    assert refused >= len(WRONG) - 2
