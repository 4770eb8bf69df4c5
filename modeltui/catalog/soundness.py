"""Whether a catalog that lay in a file holds what one can hold: right types, sane numbers, clean text."""

from collections.abc import Collection, Iterable
from itertools import chain
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from modeltui.domain.catalog.series import Catalog, Retired, Series, Tag
from modeltui.text import clean_text

_MOST = 10**18


def require_sound(catalog: Catalog) -> None:
    """Raise ValueError or TypeError where something is what no refresh can have written; some milliseconds.

    The sum of such a file only says that it is whole: whoever can write it can sum it, too.
    """
    series, retired = tuple(catalog.series.values()), catalog.retired
    for name, hint in get_type_hints(Series).items():
        if name not in ("tags", "shapes"):
            _require(hint, {getattr(each, name) for each in series})
    for kind, rows in ((Tag, catalog.tags), (Retired, retired.values())):
        for hint, column in zip(get_type_hints(kind).values(), zip(*rows, strict=True), strict=False):
            _require(hint, set(column))
    shapes = [(shape.size, shape.only_for, shape.row) for each in series for shape in each.shapes]
    _require(str, [*_texts(shapes), *retired, catalog.as_of or ""])


def _require(hint: Any, values: Collection[Any]) -> None:
    """Raise ValueError unless all values are what a field is annotated with."""
    allowed = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if not set(map(type, values)) <= {get_origin(each) or each for each in allowed}:
        raise ValueError("a value of a wrong type")
    if int in allowed and not all(0 <= value <= _MOST for value in values if value is not None):
        raise ValueError("a number beyond sense")
    if str in allowed:
        texts = [value for value in values if value is not None]
        whole = "".join(texts)
        if not (whole.isascii() and whole.isprintable()) and any(clean_text(each) != each for each in texts):
            raise ValueError("a text that could steer a terminal")
    for each in allowed:
        if get_origin(each) is not None:  # frozenset[str], tuple[str, ...]
            _require(get_args(each)[0], [*chain.from_iterable(values)])


def _texts(value: object) -> Iterable[str]:
    """Every text in a value of JSON."""
    if isinstance(value, str):
        yield value
    for each in chain.from_iterable(value.items()) if isinstance(value, dict) else ():
        yield from _texts(each)
    for each in value if isinstance(value, list | tuple) else ():
        yield from _texts(each)
