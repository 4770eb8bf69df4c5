"""Of what type and for what purpose installed models are, by the one rule that holds for the catalog, too."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from modeltui.catalog.loading import load
from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.purposes import purpose_of_model, type_of_model
from modeltui.domain.catalog.series import Catalog, Series, Tag
from modeltui.domain.models import Model, ModelType

if TYPE_CHECKING:
    from modeltui.services.tree import Services


class Kind(NamedTuple):
    """A model's type and purpose; None is unknown."""

    type: ModelType | None = None
    purpose: Purpose | None = None


def kinds_of(services: "Services", models: Iterable[Model]) -> list[Kind]:
    """The kind of each model; some 2 ms and what their series take to read."""
    listed = list(models)
    catalog = load(services.paths, series_of(listed))
    return [kind_of(catalog, model) for model in listed]


def series_of(models: Iterable[Model]) -> frozenset[str]:
    """The series of the catalog that the models may belong to, as it names them."""
    return frozenset(model.name.series.casefold() for model in models if model.name is not None)


def kind_of(catalog: Catalog, model: Model) -> Kind:
    """The kind of one model, under a catalog that holds its series if there is one."""
    there = place_of(catalog, model)
    return Kind(type_of_model(model, there), purpose_of_model(model, there))


def place_of(catalog: Catalog, model: Model) -> tuple[Series, Tag | None] | None:
    """Where a model stands in a catalog: its tag, or at least its series."""
    if model.name is None:
        return None
    series = catalog.series_of(model.name)
    return catalog.find(model.name) or (None if series is None else (series, None))
