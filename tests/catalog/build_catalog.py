"""Makes the catalog that modeltui ships from its sources in tests/data/catalog, corrected as said here.

    python tests/catalog/build_catalog.py

writes modeltui/catalog/data. A test holds the shipped files against what this makes, so that neither drifts.
Sources: catalog.json (the library's pages on 2026-08-21 and what was gathered about its models), series.csv
(release, lineage, role, licence, active parameters) and quality.csv (published scores).
"""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from modeltui.catalog import form, quality
from modeltui.domain.catalog.series import Catalog, QualityRow, Retired, Series, Shape, Tag, catalog_of
from modeltui.domain.catalog.tags import active_of, is_apple_only, is_base, with_base_twins

SOURCES = Path(__file__).parent.parent / "data" / "catalog"
SHIPPED = Path(form.__file__).parent / "data"

BILLION = 10**9

# --- corrections, each with its reason --------------------------------------------------------------

# The name of gemma3n's sizes is what is read for each token; the file holds more (its fp16 tag has 8.9 and
# 14 GB, two bytes a parameter). gemma4's small ones are built alike: per-layer embeddings are looked up, not
# read whole (its makers' "effective" parameters).
TOTAL = {("gemma3n", "E2B"): 4_460_000_000, ("gemma3n", "E4B"): 6_870_000_000}
ACTIVE = {
    ("gemma3n", "E2B"): 2 * BILLION,
    ("gemma3n", "E4B"): 4 * BILLION,
    ("gemma4", "E2B"): 2_300_000_000,
    ("gemma4", "E4B"): 4_500_000_000,
}
# Chips that the page lacks: ornith-1.5 calls tools and thinks, as the series before it does.
MORE_CAPABILITIES = {"ornith-1.5": frozenset({"tools", "thinking"})}
# What took the place of the names that left the library; nothing did for Google's cloud previews.
REPLACED_BY = {
    "deepseek-v3.2": ("deepseek-v4-flash", "deepseek-v4-pro"),
    "glm-4.6": ("glm-5.2",),
    "glm-4.7": ("glm-5.2",),
    "glm-5": ("glm-5.2",),
    "kimi-k2": ("kimi-k3", "kimi-k2.6"),
    "kimi-k2-thinking": ("kimi-k3", "kimi-k2.6"),
    "kimi-k2.5": ("kimi-k3", "kimi-k2.6"),
    "minimax-m2": ("minimax-m3",),
    "minimax-m2.1": ("minimax-m3",),
    "minimax-m2.5": ("minimax-m3",),
}
# Rows that hold for a size, though not for every tag of it: what differs where a word of the tag says so
# (reference of the row's own notes). An empty one: nothing is known, so nothing is borrowed.
GRANITE_H = {
    "n_heads": 32,
    "embedding_length": 2048,
    "model_type": "granitehybrid",  # as Ollama's files name it; the Hugging Face type is that of both kinds
    "hf_id": "ibm-granite/granite-4.0-h-micro",
    "note": "hybrid attention: 4 of 40 layers keep a KV cache",
}
OTHER_SHAPES: dict[str, tuple[dict[str, Any], ...]] = {
    "command-r": ({"parameter_size": "35B", "for": "v0.1", "n_kv_heads": 64},),
    "deepseek-r1": ({"parameter_size": "8B", "for": "llama", "of": "llama3.1"},),
    "granite4": (
        {"parameter_size": "3B", "for": "h", **GRANITE_H},
        {"parameter_size": "350M", "for": "h", "of": None},
        {"parameter_size": "1B", "for": "h", "of": None},
    ),
    "llava": (
        {"parameter_size": "7B", "for": "v1.5", "n_kv_heads": 32, "hf_id": "liuhaotian/llava-v1.5-7b"},
    ),
}
# IBM's cards: of granite4 only the tags with -h and the mixtures are hybrid, the others plain attention.
DENSE_GRANITE = ("350M", "1B", "3B")
# The files say less than their makers publish; what the file says is what a server gives.
SHORT_CONTEXT = "the library's file says a context of {} tokens, far below the one that its maker publishes"
SHORT = ("command-a", "command-r7b", "deepseek-v2.5")


def catalog() -> Catalog:
    """The whole catalog, made from the sources."""
    source = json.loads((SOURCES / "catalog.json").read_text(encoding="utf-8"))
    models = {model["name"]: model for model in source["models"]}
    with (SOURCES / "series.csv").open(encoding="utf-8", newline="") as file:
        more = {row["series"]: row for row in csv.DictReader(file)}
    read = source["as_of"][:19] + "Z"
    retired = {
        each["name"]: Retired(REPLACED_BY.get(each["name"], ()), each["last_seen"])
        for each in source["retired"]
    }
    series = (_series(model, more[name], read, _shapes(name, models)) for name, model in models.items())
    return catalog_of(series, read, retired)


def quality_rows() -> tuple[QualityRow, ...]:
    """The published scores as they stand in quality.csv."""
    with (SOURCES / "quality.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        QualityRow._make({**row, "value": float(row["value"])}[name] for name in COLUMNS) for row in rows
    )


COLUMNS = QualityRow._fields


def _series(
    model: Mapping[str, Any], more: Mapping[str, str], read: str, shapes: tuple[Shape, ...]
) -> Series:
    name = model["name"]
    capabilities = frozenset(model["capabilities"]) | MORE_CAPABILITIES.get(name, frozenset())
    active = {
        size.upper(): round(float(count) * BILLION)
        for size, _, count in (part.partition(":") for part in more["active_parameters_b"].split(";") if part)
    }
    tags = with_base_twins(tuple(_tag(name, tag, capabilities, active) for tag in model["tags"]))
    return Series(
        name=name,
        tags=tags,
        publisher=more["maker"] or model["publisher"],
        description=model["description"],
        family=model["family"],
        capabilities=capabilities,
        use_cases=frozenset(model["use_cases"]),
        # series.csv fills the nulls, and wins: it corrects minimax-m2.7, qwen2.5vl, mistral-small and others.
        license=more["license"] or model["license"],
        commercial=more["commercial"] or None,
        context=model["context_length"],
        default_tag=model["default_tag"],
        pulls=model["pulls"],
        rank=model["popularity_rank"],
        released=more["released"] or None,
        line=more["line"] or None,
        succeeds=_names(more["succeeds"]),
        succeeded_by=_names(more["succeeded_by"]),
        base_model=more["base_model"] or None,
        role=more["role"],
        kind=more["kind"],
        is_retired=more["retired"] == "yes",
        requires=model["min_ollama_version"],
        notes=tuple(_notes(model, more, tags)),
        url=model["url"],
        source="bundled",
        as_of=read,
        updated=_updated(model["updated_relative"], read),
        shapes=shapes,
    )


def _updated(words: str, read: str) -> str:
    """What the page says in words ("3 months ago") as a date cut to what it says: `2026-05`."""
    at = date.fromisoformat(read[:10])
    count, unit = (words.split()[0], words.split()[1].rstrip("s")) if words != "yesterday" else ("1", "day")
    days = {"hour": 0, "day": 1, "week": 7, "month": 30.44, "year": 365.25}[unit] * int(count)
    length = {"month": 7, "year": 4}.get(unit, 10)
    return (at - timedelta(days=days)).isoformat()[:length]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(";") if name)


def _notes(model: Mapping[str, Any], more: Mapping[str, str], tags: tuple[Tag, ...]) -> Iterator[str]:
    if more["note"]:
        yield more["note"]
    if model["license_hint"]:
        yield f"licence of {model['license_hint']}"
    if model["name"] in SHORT:
        contexts = sorted({tag.context for tag in tags if tag.context})
        yield SHORT_CONTEXT.format(" or ".join(map(str, contexts)))


def _tag(series: str, row: Mapping[str, Any], capabilities: frozenset[str], active: Mapping[str, int]) -> Tag:
    name, label = row["tag"], row["parameter_size"]
    size = row["size_bytes"] or (round(row["size_gb"] * BILLION) if row["size_gb"] else None)
    nominal = round(row["parameters_b"] * BILLION) if row["parameters_b"] else None
    stated = round(row["active_parameters_b"] * BILLION) if row["active_parameters_b"] else active_of(name)
    return Tag(
        series=series,
        tag=name,
        digest=row["digest"],
        size=size,
        is_size_exact=row["size_bytes"] is not None,
        weights=row.get("weights_bytes"),
        projector=row.get("projector_bytes"),
        quantization=row["quantization"],
        parameter_size=label,
        parameters=TOTAL.get((series, label), nominal),
        active_parameters=ACTIVE.get((series, label)) or active.get((label or "").upper()) or stated,
        context=row["context_length"],
        inputs=frozenset(row["input"]),
        is_cloud=row["cloud"],
        is_apple_only=is_apple_only(name, row.get("format")),
        is_base=is_base(series, name, capabilities),
    )


def _shapes(series: str, models: Mapping[str, Mapping[str, Any]]) -> tuple[Shape, ...]:
    """The rows of a series, corrected, and those that hold for some tags of a size only."""
    rows = {row["parameter_size"]: row for row in models[series]["architectures"]}
    if series == "granite4":
        for size in DENSE_GRANITE:
            if size in rows:
                rows[size] = {**rows[size], "model_type": "granite", "note": None}
    shapes = [_shape(row) for row in rows.values()]
    for other in OTHER_SHAPES.get(series, ()):
        size = other["parameter_size"]
        like = {**rows.get(size, {}), "note": None, "parameters_total": None}
        if "of" in other:
            of = models.get(other["of"] or "", {}).get("architectures", ())
            like = next((row for row in of if row["parameter_size"] == size), {})
        shapes.append(_shape({**like, **other}))
    return tuple(shapes)


def _shape(row: Mapping[str, Any]) -> Shape:
    """What is known of it, with where that is from as one text."""
    known = {key: value for key, value in row.items() if value is not None and key not in NOT_OF_ITS_ROW}
    return Shape(row["parameter_size"], {**known, "source": "; ".join(row.get("source", ()))}, row.get("for"))


NOT_OF_ITS_ROW = ("source", "for", "of", "parameter_size")


def main() -> None:
    SHIPPED.mkdir(exist_ok=True)
    for name, text in (
        ("library.json", form.encode(catalog())),
        ("quality.json", quality.encode(quality_rows())),
    ):
        (SHIPPED / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
