"""Of what type and for what purpose installed models are, by the one rule that holds for the catalog, too."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from modeltui.catalog.kinds import places
from modeltui.domain.models import Model, ModelType
from modeltui.domain.purposes import purpose_of_model, type_of_model
from modeltui.domain.tasks import Purpose

if TYPE_CHECKING:
    from modeltui.services.tree import Services


class Kind(NamedTuple):
    """A model's type and purpose; None is unknown."""

    type: ModelType | None = None
    purpose: Purpose | None = None


def kinds_of(services: "Services", models: Iterable[Model]) -> list[Kind]:
    """The kind of each model, a few milliseconds for all, and more for who has catalogs of his own."""
    place = places(services.paths)
    found = []
    for model in models:
        there = place(model.name) if model.name is not None else None
        found.append(Kind(type_of_model(model, there), purpose_of_model(model, there)))
    return found
