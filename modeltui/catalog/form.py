"""The form of a catalog in a file: a line of JSON a series, behind a line that vouches for them.

Chosen by measurement (tests/benchmarks/catalog_forms.py prints the table): a line has its tags in columns,
from which `zip` makes rows several times faster than from a JSON object a tag, and nothing has to be
decompressed. Who wants a few series passes over the other lines unread.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, fields
from io import BytesIO
from typing import Any

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.series import Catalog, Retired, Series, Shape, Tag, catalog_of
from modeltui.domain.models import ModelType

# Raised with every change that an older or newer modeltui could not read.
FORM = 2
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
    """A catalog as the text of a file: what it is, the names that left it, a line a series; no `problems`."""
    retired = {name: [list(each.replaced_by), each.last_seen] for name, each in catalog.retired.items()}
    lines = [_dumped(retired), *(f"{name}\t{_line(series)}" for name, series in catalog.series.items())]
    body = "\n".join(lines)
    head = {"what": _MAGIC, "form": FORM, "sha256": _sum(body.encode()), "as_of": catalog.as_of}
    return f"{json.dumps(head)}\n{body}\n"


def decode(content: bytes, *, trusted: bool = False, only: Collection[str] | None = None) -> Catalog:
    """The catalog of such a file; raises BrokenForm. `trusted`: one of our own making, not summed again.

    `only` are the series that are wanted, by their names in it.
    """
    lines = BytesIO(content)
    head = _head(lines.readline())
    if not trusted and head.get("sha256") != _sum(content[lines.tell() :].rstrip(b"\n")):
        raise BrokenForm("it is damaged, or was changed by hand")
    try:
        found = _catalog(lines, _day(head), only)
        if not trusted:
            from modeltui.catalog.soundness import require_sound  # which the bundled one needs not

            require_sound(found)
        return found
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise BrokenForm(f"its content makes no catalog ({type(error).__name__})") from None


def as_of(content: bytes) -> str | None:
    """When the catalog in such a file was read, by its first line alone; raises BrokenForm."""
    return _day(_head(content.partition(b"\n")[0]))


def _day(head: Mapping[str, Any]) -> str | None:
    found = head.get("as_of")
    return found if isinstance(found, str) else None


def _head(line: bytes) -> Mapping[str, Any]:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or head.get("what") != _MAGIC:
        raise BrokenForm("it is no catalog of modeltui")
    if head.get("form") != FORM:
        raise BrokenForm("another version of modeltui wrote it")
    return head


def _sum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# --- writing ----------------------------------------------------------------------------------------


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _line(series: Series) -> str:
    """What differs from the defaults; `tags` is how many rows the columns have."""
    tags = series.tags
    row: dict[str, Any] = {"name": series.name, "tags": len(tags)}
    for name, default in _DEFAULTS.items():
        value = getattr(series, name)
        if value != default:
            row[name] = [_shape_row(shape) for shape in value] if name == "shapes" else _flat(value)
    row["plain"] = {name: [getattr(tag, name) for tag in tags] for name in _PLAIN}
    row["coded"] = {name: _coded([_flat(getattr(tag, name)) for tag in tags]) for name in _CODED}
    return _dumped(row)


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


def _catalog(lines: BytesIO, day: str | None, only: Collection[str] | None) -> Catalog:
    retired = {name: Retired(tuple(by), seen) for name, (by, seen) in json.loads(lines.readline()).items()}
    series = []
    for line in lines:
        name, _, row = line.partition(b"\t")
        if only is None or name.decode() in only:
            series.append(_series(json.loads(row)))
    return catalog_of(series, day, retired)


def _series(row: dict[str, Any]) -> Series:
    columns = _columns(row["name"], row.pop("tags"), row.pop("plain"), row.pop("coded"))
    tags = tuple(map(Tag._make, zip(*columns, strict=True)))
    given = {name: read(value) if (read := _READ.get(name)) else value for name, value in row.items()}
    return Series(tags=tags, **given)


def _columns(series: str, rows: int, plain: Mapping[str, Any], coded: Mapping[str, Any]) -> list[list[Any]]:
    if rows != len(plain["tag"]):
        raise ValueError("columns of another length")
    found = {"series": [series] * rows, **plain}
    for name, (values, places) in coded.items():
        read = _READ.get(name)
        known = [read(value) if read and value is not None else value for value in values]
        found[name] = list(map(known.__getitem__, places)) if len(known) > 1 else known * rows
    return [found[name] for name in Tag._fields]


def _shapes(rows: Iterable[list[Any]]) -> tuple[Shape, ...]:
    return tuple(Shape(*row) for row in rows)


_READ: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("inputs", "capabilities", "use_cases"), frozenset),
    **dict.fromkeys(("succeeds", "succeeded_by", "notes"), tuple),
    "type": ModelType,
    "purpose": Purpose,
    "shapes": _shapes,
}
