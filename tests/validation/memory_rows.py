"""Rows of measured memory as the program would know them: facts, serving, context and where the model lay."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.series import Catalog, Series, Shape, Tag
from modeltui.domain.machines.machine import Backend, Card
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.memory.shapes import architecture_of_row

# The last patch of a series of releases, for versions given as "0.11.x" or "0.12".
_LAST_PATCH = {3: 14, 5: 13, 6: 8, 9: 6, 11: 11, 12: 11, 13: 5, 15: 6, 17: 7}
# GiB of cards that rows name: a program knows its card.
_CARDS = (
    ("H100", 80),
    ("H200", 141),
    ("A100", 80),
    ("MI300X", 192),
    ("4090", 24),
    ("3090", 24),
    ("5090", 32),
)
Version = tuple[int, int, int]


@cache
def catalog() -> Catalog:
    return load_base(None)


def serving_of_row(row: dict[str, str]) -> Serving:
    """How the row's server ran."""
    return Serving(
        version=version_of(row["ollama_version"]),
        num_parallel=whole_number(row["num_parallel"]) or 1,
        kv_type=_kv_type(row["kv_cache_type"]),
        flash_attention=_flash(row["flash_attention"]),
    )


def facts_of_row(row: dict[str, str]) -> Facts:
    """What the program would know of the row's model."""
    series, tags, shape = _look_up(row)
    architecture = architecture_of_row(shape.row, series) if shape is not None else None
    architecture = _with_columns(row, architecture, series)
    label = _bytes(row["weights_bytes_or_gb"])
    exact = [
        tag
        for tag in tags
        if tag.is_size_exact and tag.size and label and abs(tag.size - label) <= 0.03 * label
    ]
    same = [tag for tag in exact if (tag.quantization or "").upper() == row["quant"].split(" ")[0].upper()]
    found = next(iter(same or exact), None)
    named = catalog().find(row["model_tag"].split(" ")[0])
    file = (
        found.size if found is not None and found.size else label or (named[1].size if named else None) or 0
    )
    return Facts(
        file=file,
        is_size_exact=found is not None,
        quantization=row["quant"].split(" ")[0] or None,
        architecture=architecture,
        parameters=_count(row["parameter_count_b"]),
        projector=found.projector if found is not None else _projector(tags, label),
        is_embedding="embed" in row["model_tag"],
    )


def _projector(tags: Iterable[Tag], label: int | None) -> int | None:
    """A separate projector's size from a tag that is nearly as large."""
    return next(
        (
            tag.projector
            for tag in tags
            if tag.projector and tag.size and label and abs(tag.size - label) < 0.2 * label
        ),
        None,
    )


def _look_up(row: dict[str, str]) -> tuple[str, list[Tag], Shape | None]:
    """The row's series by name, its tags of that size, and the shape that has the row's layers and width."""
    text = re.sub(r"\(.*?\)", "", row["model_tag"]).strip().casefold()
    wanted = (whole_number(row["n_layers"]), whole_number(row["embedding_length"]))
    series = _series_named(text)
    if series is None:
        return text.rpartition("/")[2], [], None
    is_library = "gguf" not in row["model_tag"].casefold()
    size = re.search(r"(?<![\w.])e?\d+(?:\.\d+)?[bm](?!\w)", text.partition(":")[2] or text)
    shapes = [shape for shape in series.shapes if wanted[0] is None or _matches(shape, wanted)]
    if size and len(shapes) > 1:
        shapes = [shape for shape in shapes if (shape.size or "").casefold() == size.group()] or shapes
    if not shapes:
        shapes = list(_shapes_of(catalog().series.values(), wanted, series.family))
        shapes = shapes or list(_shapes_of(catalog().series.values(), wanted))
    tags = [
        tag for tag in series.tags if size is None or (tag.parameter_size or "").casefold() == size.group()
    ]
    # A file of someone else's is no library file: neither its exact sizes nor its packing are known.
    name = series.name if is_library else f"{series.name} gguf"
    return name, tags if is_library else [], shapes[0] if shapes else None


def _series_named(text: str) -> Series | None:
    name = text.partition(":")[0]
    if name in catalog().series:
        return catalog().series[name]
    plain = re.sub(r"(?<=[a-z])-(?=\d)", "", text.rpartition("/")[2])
    names = {re.sub(r"(?<=[a-z])-(?=\d)", "", each): each for each in catalog().series}
    inside = [
        each
        for each in names
        if plain.startswith(each) or re.search(rf"(?<!\w){re.escape(each)}(?!\w)", plain)
    ]
    return catalog().series[names[max(inside, key=len)]] if inside else None


def _matches(shape: Shape, wanted: tuple[int | None, int | None]) -> bool:
    return (shape.row.get("n_layers"), shape.row.get("embedding_length")) == wanted


def _shapes_of(
    series: Iterable[Series], wanted: tuple[int | None, int | None], family: str | None = None
) -> Iterator[Shape]:
    for each in series:
        if family is None or each.family == family:
            yield from (shape for shape in each.shapes if _matches(shape, wanted))


def _with_columns(row: dict[str, str], found: Architecture | None, series: str) -> Architecture | None:
    """The row's own columns over the catalog's; a shape of the columns alone where the catalog has none."""
    layers = whole_number(row["n_layers"])
    if layers is None:
        return found
    key, _, value = row["head_dim"].partition("/")
    columns: dict[str, object] = {
        "n_layers": layers,
        "n_heads": whole_number(row["n_heads"]),
        "n_kv_heads": whole_number(row["n_kv_heads"]),
        "head_dim": whole_number(key) if not value else None,
        "embedding_length": whole_number(row["embedding_length"]),
        "parameter_size": re.sub(r".*?(\d[\d.]*b).*", r"\1", series),
        "parameters_total": _count(row["parameter_count_b"]),
    }
    if found is None:
        return architecture_of_row(
            columns | {"model_type": "deepseek_v2" if value else _kind_by_name(series)}, series
        )
    if (
        found.kv_heads
        and set(found.kv_heads) <= {0, whole_number(row["n_kv_heads"])}
        and found.key_length in (whole_number(key), None)
    ):
        return found
    if found.is_embedding or found.window_key_length:
        return found
    heads = whole_number(row["n_kv_heads"]) or 1
    return replace(
        found,
        kv_heads=tuple(heads if each else 0 for each in found.kv_heads),
        key_length=whole_number(key),
        value_length=whole_number(value) or whole_number(key),
    )


def _kind_by_name(name: str) -> str:
    """A Hugging Face type by the start of a name, for models that the catalog does not know."""
    return next(
        (
            kind
            for start, kind in (
                ("embeddinggemma", "gemma3_text"),
                ("qwen3", "qwen3"),
                ("qwen", "qwen2"),
                ("gemma3", "gemma3"),
                ("gemma2", "gemma2"),
            )
            if start in name
        ),
        "llama",
    )


def version_of(text: str) -> Version | None:
    """A version from words: the upper end of a range, the last patch of a series, the newest of its era for
    "0.30+".
    """
    if "PR branch" in text and "0.24" in text:
        return (0, 30, 0)  # A branch of 19 May 2026 that became 0.30.0 on 1 June: it runs llama-server.
    found = re.findall(r"0\.(\d+)(?:\.(\d+|x))?(\+?)", text)
    if not found:
        return None
    minor, patch, more = found[-1]
    if more:
        return (0, 32, 15) if int(minor) >= 30 else (0, 24, 0)
    return (0, int(minor), int(patch) if patch.isdigit() else _LAST_PATCH.get(int(minor), 9))


def processor(row: dict[str, str]) -> tuple[FitKind, tuple[Card, ...]]:
    """Where it lay, and on what card where the row names the platform (none: not said)."""
    split = row["processor_split"]
    where = f"{split} {row['ollama_version']}"
    layers = re.search(r"(\d+)/(\d+)\b", split)
    kind = FitKind.GPU
    if re.match(r"(100% )?CPU", split):
        kind = FitKind.CPU
    elif "%/" in split or (layers and layers[1] != layers[2]) or ("% GPU)" in split and "100%" not in split):
        kind = FitKind.SPLIT
    if re.search(r"Metal|mac|M\d Max", where):
        return kind, (Card("", 0, 0, backend=Backend.METAL),)
    known = next((size for name, size in _CARDS if name in f"{where} {row['note']}"), None)
    if known is not None or re.search(r"CUDA|ROCm|RTX", where):
        return kind, (Card("", (known or 0) << 30, 0, backend=Backend.CUDA),)
    return kind, ()


def _kv_type(text: str) -> KvType:
    return next((kind for kind in KvType if text.startswith(kind)), KvType.F16)


def _flash(text: str) -> bool | None:
    return (
        True if text.startswith("on") and "default" not in text else False if text.startswith("off") else None
    )


def whole_number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _count(text: str) -> int | None:
    return int(float(text) * 1e9) if re.fullmatch(r"[\d.]+", text) else None


def _bytes(text: str) -> int | None:
    found = re.match(r"([\d.]+)\s*(GiB|GB|MB|MiB)", text)
    if not found:
        return None
    return int(float(found.group(1)) * {"GB": 1e9, "MB": 1e6, "GiB": 2**30, "MiB": 2**20}[found.group(2)])
