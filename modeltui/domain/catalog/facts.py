"""What the catalog knows of one tag, put together as an estimate of memory and speed asks for it."""

from functools import lru_cache

from modeltui.domain.catalog.series import Series, Shape, Tag
from modeltui.domain.catalog.tags import words
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.shapes import architecture_of_row

# A row's own count is taken unless it is far from the tag's: then it counts something else (an encoder, say).
_NEAR = 0.35


def facts_of(series: Series, tag: Tag) -> Facts | None:
    """The facts of a tag; None where no file of a known size is: cloud tags, bare names of a user's.

    Without a row for its size the architecture is None, and the estimate falls back on the size.
    """
    if tag.size is None or tag.is_cloud:
        return None
    shape = shape_of(series, tag)
    architecture, source = _read(shape, series.name) if shape is not None else (None, _WITHOUT)
    counted = architecture.parameters if architecture else None
    if counted and tag.parameters and abs(counted - tag.parameters) > _NEAR * tag.parameters:
        counted = None
    return Facts(
        file=tag.size,
        is_size_exact=tag.is_size_exact,
        quantization=tag.quantization,
        architecture=architecture,
        parameters=counted or tag.parameters,
        active_parameters=tag.active_parameters,
        projector=tag.projector,
        # The site's label is the file's own number; rows of other origin scale theirs.
        trained_context=tag.context or series.context,
        is_embedding="embedding" in series.capabilities and "completion" not in series.capabilities,
        source=source,
    )


def shape_of(series: Series, tag: Tag) -> Shape | None:
    """The shape of a tag's size; before it the one that is made for a word of the tag's name."""
    found = None
    for shape in series.shapes:
        if shape.size == tag.parameter_size:
            if shape.only_for is None:
                found = found or shape
            elif shape.only_for in words(tag.tag):
                return shape
    return found


_WITHOUT = "not in the catalog for this size"


def _words(shape: Shape) -> str:
    origin = shape.row.get("hf_id") or shape.row.get("source") or "the catalog"
    is_borrowed = str(shape.row.get("basis", "")).startswith("base model")
    return f"that of its base model, {origin}" if is_borrowed else f"that of {origin}"


@lru_cache(maxsize=1024)
def _read(shape: Shape, series: str) -> tuple[Architecture | None, str]:
    """One conversion a shape: hundreds of tags share it."""
    architecture = architecture_of_row(shape.row, series)
    return architecture, _WITHOUT if architecture is None else _words(shape)
