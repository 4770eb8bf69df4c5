"""Published scores of library models, read when something asks for them and not before."""

import json
from pathlib import Path
from typing import Any

from modeltui.domain.catalog.series import QualityRow

_FILE = Path(__file__).parent / "data" / "quality.json"
_MANY = ("value", "note")  # nearly every row has its own


def quality_rows(series: str | None = None) -> tuple[QualityRow, ...]:
    """Every published score, or those of one series, in the order of the catalog (tens of milliseconds once).

    As published: nothing is averaged, compared or judged here. About 3 ms; read off the event loop.
    """
    rows = decode(_FILE.read_text(encoding="utf-8"))
    return rows if series is None else tuple(row for row in rows if row.series == series.casefold())


def encode(rows: tuple[QualityRow, ...]) -> str:
    """Rows as the text of the shipped file: a column a field, those with few different values by place."""
    content: dict[str, Any] = {}
    for name in QualityRow._fields:
        column = [getattr(row, name) for row in rows]
        if name in _MANY:
            content[name] = column
        else:
            places = {value: place for place, value in enumerate(dict.fromkeys(column))}
            content[name] = [list(places), [places[value] for value in column]]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def decode(text: str) -> tuple[QualityRow, ...]:
    """The rows of such a text."""
    content = json.loads(text)
    columns = []
    for name in QualityRow._fields:
        column = content[name]
        if name not in _MANY:
            values, places = column
            column = map(values.__getitem__, places)
        columns.append(column)
    return tuple(map(QualityRow._make, zip(*columns, strict=True)))
