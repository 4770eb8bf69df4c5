"""Series and tags of the catalog as JSON and as rows of a table."""

from typing import Any

from modeltui.cli.output import Output
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.series import Series
from modeltui.services.browsing import Found
from modeltui.services.filtering import capabilities_of
from modeltui.services.lookingup import LookedUp
from modeltui.services.offerwords import count_words

COLUMNS = [
    Column("", 0),
    Column("NAME", 0, is_name=True),
    Column("PARAMS", 4, right=True),
    Column("QUANT", 3),
    Column("SIZE", 0, right=True),
    Column("NEEDS", 1, right=True),
    Column("FIT", 0),
    Column("CONTEXT", 5, right=True),
    Column("CAN", 6, least=12),
    Column("LICENSE", 8, least=10),
    Column("PULLS", 7, right=True),
    Column("RELEASED", 9),
]
FIT_STYLES = {
    FitKind.GPU: "good",
    FitKind.CPU: "attention",
    FitKind.SPLIT: "attention",
    FitKind.NO: "broken",
    FitKind.UNKNOWN: "dim",
}


def row_of(found: Found, out: Output) -> list[str]:
    """One download as a row of `COLUMNS`."""
    series, tag = found.offer.series, found.offer.tag
    can = sorted(capabilities_of(series, tag) - {"completion"})
    return [
        "●" if found.is_installed else "",
        tag.name,
        tag.parameter_size or units.UNKNOWN,
        tag.quantization or units.UNKNOWN,
        "cloud" if tag.is_cloud else units.size(tag.size),
        units.size(found.numbers.needs),
        out.style(fit_words(found), FIT_STYLES[found.numbers.kind]),
        units.context(tag.context),
        " ".join(can),
        series.license or units.UNKNOWN,
        count_words(series.pulls),
        found.offer.date or units.UNKNOWN,
    ]


def fit_words(found: Found) -> str:
    """`gpu 87`; `no`; `—` where it is unknown."""
    numbers = found.numbers
    if found.offer.tag.is_apple_only:
        return "Apple only"
    if numbers.kind is FitKind.UNKNOWN:
        return units.UNKNOWN
    return numbers.kind.value if not numbers.score else f"{numbers.kind} {numbers.score}"


def offer_shape(found: Found) -> dict[str, Any]:
    """One download as JSON; null is unknown, `needs` is VRAM at `fit_context`."""
    series, tag, numbers = found.offer.series, found.offer.tag, found.numbers
    return {
        "name": tag.name,
        "series": series.name,
        "tag": tag.tag,
        "also": list(found.offer.also),
        "digest": tag.digest,
        "size": tag.size,
        "size_exact": tag.is_size_exact if tag.size is not None else None,
        "quantization": tag.quantization,
        "parameter_size": tag.parameter_size,
        "parameter_count": tag.parameters,
        "active_parameters": tag.active_parameters,
        "context": tag.context,
        "inputs": sorted(tag.inputs),
        "capabilities": sorted(capabilities_of(series, tag)),
        "type": found.offer.type,
        "purpose": found.offer.purpose,
        "publisher": series.publisher,
        "description": series.description,
        "license": series.license,
        "commercial": series.commercial,
        "released": series.released,
        "updated": series.updated,
        "pulls": series.pulls,
        "rank": series.rank,
        "cloud": tag.is_cloud,
        "apple_only": tag.is_apple_only,
        "base_model": tag.is_base,
        "superseded": series.is_retired,
        "installed": found.is_installed,
        "fit": numbers.kind,
        "fit_score": numbers.score,
        "fit_context": numbers.context or None,
        "needs": numbers.needs,
        "tokens_per_s": None if numbers.tokens is None else round(numbers.tokens, 2),
        "measured": numbers.is_measured,
        "note": tag.note,
        "source": series.source or None,
        "as_of": series.as_of,
    }


def series_shape(series: Series, tags: list[Found]) -> dict[str, Any]:
    """One series with all its downloads as JSON."""
    return {
        "name": series.name,
        "publisher": series.publisher,
        "description": series.description,
        "family": series.family,
        "capabilities": sorted(series.capabilities),
        "use_cases": sorted(series.use_cases),
        "license": series.license,
        "commercial": series.commercial,
        "context": series.context,
        "default_tag": series.default_tag,
        "pulls": series.pulls,
        "rank": series.rank,
        "released": series.released,
        "updated": series.updated,
        "line": series.line,
        "succeeds": list(series.succeeds),
        "succeeded_by": list(series.succeeded_by),
        "superseded": series.is_retired,
        "base_model": series.base_model,
        "role": series.role,
        "kind": series.kind,
        "requires": series.requires,
        "notes": list(series.notes),
        "url": series.url,
        "missed": series.missed,
        "source": series.source or None,
        "as_of": series.as_of,
        "tags": [offer_shape(found) for found in tags],
    }


def looked_up_shape(found: LookedUp) -> dict[str, Any]:
    """What a registry said of a tag as JSON."""
    return {
        "at": units.iso(found.at),
        "url": found.url,
        "digest": found.digest,
        "size": found.size,
        "parts": [{"kind": kind, "size": size} for kind, size in found.parts],
        "family": found.family,
        "parameter_size": found.parameter_size,
        "quantization": found.quantization,
    }
