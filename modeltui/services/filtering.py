"""What the words of the filter find in a model, installed or of the catalog, on screens and in commands."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from modeltui.domain.models import ModelState
from modeltui.domain.query import Standing, Subject

if TYPE_CHECKING:
    from modeltui.domain.advice.fit import FitKind
    from modeltui.domain.catalog.series import Series, Tag
    from modeltui.domain.models import Model
    from modeltui.services.advice import Advice
    from modeltui.services.kinds import Kind
    from modeltui.services.library import Entry


def subject_of(entry: "Entry", kind: "Kind | None" = None) -> Subject:
    """An installed model as the filter sees it; the size of one in the cloud is unknown.

    `kind` is what the catalog makes of it; without it its type is that of the list, its purpose and all that
    is said of its series unknown.
    """
    model = entry.model
    of_type = kind.type if kind is not None else entry.type
    shown = (model.shown, entry.alias_of, model.family, model.quantization, model.parameter_size)
    words = {"installed", *(model.capabilities or ())}
    if entry.state is not ModelState.NOT_LOADED:
        words.add(entry.state)
    if entry.loaded is not None:
        words.add("loaded")
    if entry.is_current:
        words.add("current")
    if entry.newer is not None:
        words.add("outdated")
    if of_type is not None:
        words |= {of_type, f"type:{of_type}"}
    if kind is not None and kind.purpose is not None:
        words.add(f"purpose:{kind.purpose}")
    if model.quantization:
        words.add(model.quantization)
    return Subject(
        haystack=" ".join(part for part in shown if part).casefold(),
        size=None if model.is_cloud else model.size,
        words=frozenset(str(word).casefold() for word in words),
        prose=kind.prose if kind is not None else "",
        license=kind.license if kind is not None else "",
        parameters=entry.parameter_count,
    )


def subject_of_tag(
    series: "Series",
    tag: "Tag",
    *,
    also: Iterable[str] = (),
    type: str | None = None,  # noqa: A002
    purpose: str | None = None,
) -> Subject:
    """A tag of the catalog as the filter sees it, but for what changes: see `standing_of`.

    `also`: the other tags of its series that are the same download.
    """
    shown = (tag.name, *also, tag.quantization, tag.parameter_size, series.family)
    words = {*capabilities_of(series, tag)}
    words |= {type, f"type:{type}"} if type else set()
    words |= {f"purpose:{purpose}"} if purpose else set()
    words |= {ModelState.CLOUD.value} if tag.is_cloud else set()
    return Subject(
        haystack=" ".join(part for part in shown if part).casefold(),
        size=None if tag.is_cloud else tag.size,
        words=frozenset(str(word).casefold() for word in words),
        prose=series.prose,
        license=(series.license or "").casefold(),
        parameters=tag.parameters,
    )


def capabilities_of(series: "Series", tag: "Tag") -> frozenset[str]:
    """What a tag can do: the chips of its series, but that one sees only if its own inputs say so."""
    is_blind = bool(tag.inputs) and "image" not in tag.inputs
    return series.capabilities - {"vision"} if is_blind else series.capabilities


def standing_of(*, is_installed: bool, fit: "FitKind | None" = None, needs: int | None = None) -> Standing:
    """What changes about a tag: whether it is installed, how it would run, the VRAM that it needs (bytes).

    `fits` are all that would run, on GPU, CPU or both; `fit:gpu` and the like say which.
    """
    return _STANDINGS[is_installed, fit.value if fit else None]._replace(needs=needs)


def standings_of_models(models: Iterable["Model"], advice: "Advice") -> tuple[Standing, ...]:
    """How each of these installed models would run; one in the cloud needs nothing here."""
    found = []
    for model in models:
        numbers = None if model.is_cloud else advice.numbers_of_model(model)
        fit, needs = (numbers.kind, numbers.needs) if numbers else (None, None)
        found.append(standing_of(is_installed=True, fit=fit, needs=needs))
    return tuple(found)


def _words(is_installed: bool, fit: str | None) -> frozenset[str]:
    found = {"installed"} if is_installed else set()
    found |= {f"fit:{fit}"} if fit else set()
    found |= {"fits"} if fit in ("gpu", "split", "cpu") else set()
    return frozenset(found)


_STANDINGS = {
    (is_installed, fit): Standing(_words(is_installed, fit))
    for is_installed in (False, True)
    for fit in (None, "gpu", "split", "cpu", "no", "unknown")
}
