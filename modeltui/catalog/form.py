"""The form of a catalog in a file: columns of tags as JSON, behind a line that vouches for them.

Chosen by measurement (tests/benchmarks/catalog_forms.py prints the table): rows are made from columns by
`zip`, which is several times faster than a JSON object a tag, and nothing has to be decompressed.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.series import Catalog, Retired, Series, Shape, Tag, catalog_of
from modeltui.domain.models import ModelType

# Raised with every change that an older or newer modeltui could not read.
FORM = 1
_MAGIC = "modeltui catalog"

# Columns with few different values are kept as places in a list of them.
_PLAIN = ("tag", "digest", "size", "weights")
_CODED = tuple(name for name in Tag._fields if name not in (*_PLAIN, "series"))
_DEFAULTS = {
    each.name: each.default if each.default is not MISSING else None
    for each in fields(Series)
    if each.name not in ("name", "tags")
} | {"capabilities": frozenset(), "use_cases": frozenset()}


class BrokenForm(ValueError):
    """A file is no catalog, a damaged one, or one of another form; the message says which."""


def encode(catalog: Catalog) -> str:
    """A catalog as the text of a file: a line of what it is, one of its content; `problems` are not kept."""
    body = json.dumps(_content(catalog), ensure_ascii=False, separators=(",", ":"))
    head = {"what": _MAGIC, "form": FORM, "sha256": _sum(body), "as_of": catalog.as_of}
    return f"{json.dumps(head)}\n{body}\n"


def decode(text: str, *, trusted: bool = False) -> Catalog:
    """The catalog of such a text; raises BrokenForm. `trusted`: one of our own making, not summed again."""
    head_line, _, rest = text.partition("\n")
    body = rest.rstrip("\n")
    head = _head(head_line)
    if not trusted and head.get("sha256") != _sum(body):
        raise BrokenForm("it is damaged, or was changed by hand")
    try:
        return _catalog(json.loads(body), _day(head))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise BrokenForm(f"its content makes no catalog ({type(error).__name__})") from None


def as_of(text: str) -> str | None:
    """When the catalog in such a text was read, without reading it; raises BrokenForm."""
    return _day(_head(text.partition("\n")[0]))


def _day(head: Mapping[str, Any]) -> str | None:
    found = head.get("as_of")
    return found if isinstance(found, str) else None


def _head(line: str) -> Mapping[str, Any]:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict) or head.get("what") != _MAGIC:
        raise BrokenForm("it is no catalog of modeltui")
    if head.get("form") != FORM:
        raise BrokenForm("another version of modeltui wrote it")
    return head


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


# --- writing ----------------------------------------------------------------------------------------


def _content(catalog: Catalog) -> dict[str, Any]:
    tags = list(catalog.tags)
    return {
        "retired": {name: [list(each.replaced_by), each.last_seen] for name, each in catalog.retired.items()},
        "series": [_series_row(series) for series in catalog.series.values()],
        "plain": {name: [getattr(tag, name) for tag in tags] for name in _PLAIN},
        "coded": {name: _coded([_flat(getattr(tag, name)) for tag in tags]) for name in _CODED},
    }


def _series_row(series: Series) -> dict[str, Any]:
    """What differs from the defaults; `tags` is how many of the columns' rows are this series'."""
    row: dict[str, Any] = {"name": series.name, "tags": len(series.tags)}
    for name, default in _DEFAULTS.items():
        value = getattr(series, name)
        if value != default:
            row[name] = [_shape_row(shape) for shape in value] if name == "shapes" else _flat(value)
    return row


def _shape_row(shape: Shape) -> list[Any]:
    return [shape.size, shape.row, *([shape.only_for] if shape.only_for else [])]


def _flat(value: object) -> Any:
    """A value as JSON has it; sets sorted, so that the same catalog is the same text."""
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _coded(values: list[Any]) -> tuple[list[Any], list[int]]:
    """The different values, and the place of each row's among them; no places where there is but one."""
    keys = [json.dumps(value) for value in values]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return [json.loads(key) for key in places], [places[key] for key in keys] if len(places) > 1 else []


# --- reading ----------------------------------------------------------------------------------------


def _catalog(content: Mapping[str, Any], day: str | None) -> Catalog:
    rows = content["series"]
    columns = _columns(content, rows)
    lengths = {len(column) for column in columns}
    if len(lengths) != 1:
        raise ValueError("columns of different lengths")
    tags = list(map(Tag._make, zip(*columns, strict=True)))
    series, at = [], 0
    for row in rows:
        series.append(_series(row, tuple(tags[at : at + row["tags"]])))
        at += row["tags"]
    retired = {name: Retired(tuple(by), seen) for name, (by, seen) in content["retired"].items()}
    return catalog_of(series, day, retired)


def _columns(content: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    names: list[str] = []
    for row in rows:
        names += [row["name"]] * row["tags"]
    found = {"series": names, **content["plain"]}
    for name, (values, places) in content["coded"].items():
        read = _READ.get(name)
        known = [read(value) if read and value is not None else value for value in values]
        found[name] = list(map(known.__getitem__, places)) if len(known) > 1 else known * len(names)
    return [found[name] for name in Tag._fields]


def _series(row: Mapping[str, Any], tags: tuple[Tag, ...]) -> Series:
    given = {
        name: read(value) if (read := _READ.get(name)) else value
        for name, value in row.items()
        if name != "tags"
    }
    return Series(tags=tags, **given)


def _shapes(rows: Iterable[list[Any]]) -> tuple[Shape, ...]:
    return tuple(Shape(*row) for row in rows)


_READ: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("inputs", "capabilities", "use_cases"), frozenset),
    **dict.fromkeys(("succeeds", "succeeded_by", "notes"), tuple),
    "type": ModelType,
    "purpose": Purpose,
    "shapes": _shapes,
}
