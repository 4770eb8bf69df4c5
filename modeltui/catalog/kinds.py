"""What type and purpose rest on, of every series, in a file so small that a mere list can afford to read it.

The whole catalog takes longer to read than a list of models may take; this says the same of each of them.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from modeltui.domain.catalog.series import Catalog, Series, Tag, is_library
from modeltui.domain.catalog.tags import is_base, size_word
from modeltui.domain.names import ModelName
from modeltui.paths import Paths

_FILE = Path(__file__).parent / "data" / "kinds.json"
OWN = "catalog.d"  # as loading.OWN, which takes longer to import than all of this
Place = tuple[Series, Tag | None]


def places(paths: Paths) -> Callable[[ModelName], Place | None]:
    """Where a name stands in the catalog, with no more facts than its type and purpose need.

    A user with catalogs of his own has the whole one read: it may say anything about any name.
    """
    if any((paths.config / OWN).glob("*.toml")):
        from modeltui.catalog.loading import load

        return partial(place_in, load(paths))
    known: dict[str, dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))

    def place(name: ModelName) -> Place | None:
        row = known.get(name.model.casefold()) if is_library(name) else None
        return None if row is None else _thin(name, row)

    return place


def encode(catalog: Catalog) -> str:
    """The text of the shipped file, made from the shipped catalog."""
    return (
        json.dumps({key: _row(series) for key, series in catalog.series.items()}, separators=(",", ":"))
        + "\n"
    )


def place_in(catalog: Catalog, name: ModelName) -> Place | None:
    """Where a name stands in a catalog: its tag, or at least its series."""
    series = catalog.series_of(name)
    return catalog.find(name) or (None if series is None else (series, None))


def _row(series: Series) -> dict[str, Any]:
    """What purposes ask of a series; of its tags those facts that their names do not tell."""
    row: dict[str, Any] = {"role": series.role, "can": sorted(series.capabilities)}
    row["uses"] = sorted(series.use_cases)
    row["active"] = {
        tag.parameter_size: tag.active_parameters
        for tag in series.tags
        if tag.active_parameters and tag.parameter_size
    }
    told = {tag.tag for tag in series.tags if is_base(series.name, tag.tag, series.capabilities)}
    row["base"] = sorted(tag.tag for tag in series.tags if tag.is_base and tag.tag not in told)
    row["sizes"] = {
        tag.tag: tag.parameter_size
        for tag in series.tags
        if tag.active_parameters and (size_word(tag.tag) or "").upper() != tag.parameter_size
    }
    return {key: value for key, value in row.items() if value}


def _thin(name: ModelName, row: dict[str, Any]) -> Place:
    model, tag = name.model.casefold(), name.tag
    can = frozenset(row.get("can", ()))
    series = Series(
        model, (), capabilities=can, use_cases=frozenset(row.get("uses", ())), role=row.get("role")
    )
    size = row.get("sizes", {}).get(tag) or (size_word(tag) or "").upper()
    return series, Tag(
        series=model,
        tag=tag,
        parameter_size=size or None,
        active_parameters=row.get("active", {}).get(size),
        is_base=is_base(model, tag, can) or tag in row.get("base", ()),
    )
