"""Of what type and for what purpose installed models are, by the one rule that holds for the catalog, too."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from modeltui.catalog.kinds import Place, place_in, places
from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.purposes import purpose_of_model, type_of_model
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.models import Model, ModelType

if TYPE_CHECKING:
    from modeltui.services.tree import Services


class Kind(NamedTuple):
    """A model's type and purpose; None is unknown."""

    type: ModelType | None = None
    purpose: Purpose | None = None


def kinds_of(services: "Services", models: Iterable[Model]) -> list[Kind]:
    """The kind of each model, a few milliseconds for all, and more for who has catalogs of his own."""
    place = places(services.paths)
    return [_kind(model, place(model.name) if model.name is not None else None) for model in models]


def kind_of(catalog: Catalog, model: Model) -> Kind:
    """The kind of one model, for who has the catalog at hand."""
    return _kind(model, place_in(catalog, model.name) if model.name is not None else None)


def _kind(model: Model, there: Place | None) -> Kind:
    return Kind(type_of_model(model, there), purpose_of_model(model, there))
