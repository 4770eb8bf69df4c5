"""Of what type and for what purpose installed models are, by the one rule that holds for the catalog, too."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from modeltui.catalog.loading import load
from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.purposes import purpose_of_model, type_of_model
from modeltui.domain.catalog.series import Catalog, Series, Tag
from modeltui.domain.models import Model, ModelType, names_by_digest
from modeltui.domain.names import ModelName

if TYPE_CHECKING:
    from modeltui.services.tree import Services

Place = tuple[Series, Tag | None]


class Kind(NamedTuple):
    """A model's type and purpose, None is unknown; its series' licence and prose, in lower case."""

    type: ModelType | None = None
    purpose: Purpose | None = None
    license: str = ""
    prose: str = ""


def kinds_of(services: "Services", models: Iterable[Model]) -> list[Kind]:
    """The kind of each model; some 2 ms and what their series take to read."""
    listed = list(models)
    return kinds_in(load(services.paths, series_of(listed)), listed)


def series_of(models: Iterable[Model]) -> frozenset[str]:
    """The series of the catalog that the models may belong to, as it names them."""
    return frozenset(model.name.series.casefold() for model in models if model.name is not None)


def kinds_in(catalog: Catalog, models: Sequence[Model]) -> list[Kind]:
    """The kind of each, under a catalog that holds their series; a copy is of the kind of its original."""
    names = names_by_digest(models)
    return [
        _kind(model, _place(catalog, (model.name, *names.get(model.digest or "", ())), model.digest))
        for model in models
    ]


def _kind(model: Model, there: Place | None) -> Kind:
    kind = type_of_model(model, there), purpose_of_model(model, there)
    return Kind(*kind) if there is None else Kind(*kind, (there[0].license or "").casefold(), there[0].prose)


def _place(catalog: Catalog, names: Iterable[ModelName | None], digest: str | None) -> Place | None:
    """Where one of the names stands: the very model, else the tag of the first name, or its series."""
    found = [place for name in names if name is not None for place in _places_of(catalog, name)]
    same = (
        place
        for place in found
        if place[1] and place[1].digest and (digest or "").startswith(place[1].digest)
    )
    return next(same, next(iter(found), None))


def _places_of(catalog: Catalog, name: ModelName) -> Iterator[Place]:
    series = catalog.series_of(name)
    if series is not None:
        yield catalog.find(name) or (series, None)
