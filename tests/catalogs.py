"""Small catalogs for tests, and the shipped one read once."""

from functools import cache
from typing import Any

from modeltui.catalog.loading import load_base
from modeltui.domain.catalog.series import Catalog, Retired, Series, Shape, Tag, catalog_of


@cache
def shipped() -> Catalog:
    return load_base()


def tag(series: str, name: str, **facts: Any) -> Tag:
    return Tag(series, name, **facts)


def series(name: str, *tags: Tag, **facts: Any) -> Series:
    return Series(name, tags, **facts)


def small() -> Catalog:
    """Two series with everything that a form must carry."""
    shape = Shape("8B", {"parameter_size": "8B", "n_layers": 32, "source": "a; b"}, "instruct")
    full = series(
        "alpha",
        tag(
            "alpha",
            "8b",
            digest="0123456789ab",
            size=5_000_000_001,
            is_size_exact=True,
            weights=5_000_000_000,
        ),
        tag("alpha", "cloud", is_cloud=True, inputs=frozenset({"text", "image"}), note="“far”"),
        capabilities=frozenset({"tools", "completion"}),
        use_cases=frozenset({"general"}),
        notes=("one", "two"),
        succeeds=("beta",),
        shapes=(shape,),
        missed=1,
        is_retired=True,
        updated="2026-03",
        as_of="2026-08-21T00:00:00Z",
    )
    return catalog_of(
        [full, series("beta")], "2026-08-21T00:00:00Z", {"gone": Retired(("alpha",), "2026-01-01")}
    )
