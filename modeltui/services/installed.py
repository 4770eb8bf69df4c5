"""Finds the installed model that a person means by a name."""

from modeltui.domain.models import Model, find
from modeltui.domain.names import ModelName, from_typed, parse
from modeltui.errors import InvalidName, NoSuchModel


def installed(typed: str, models: tuple[Model, ...]) -> Model:
    """Find what a person means among installed models; raises NoSuchModel, InvalidName.

    A name that is installed exactly as typed wins over any reading of it as an address.
    """
    try:
        literal = find(models, parse(typed.strip()))
    except InvalidName:
        literal = None
    if literal is not None:
        return literal
    name = from_typed(typed)
    model = find(models, name)
    if model is None:
        near = near_names(name, models)
        remedy = f"modeltui ls lists what is installed; modeltui pull {name.short} tries to get it"
        if near:
            remedy = f"installed and near it: {', '.join(near)}"
        raise NoSuchModel(f"{name.short} is not installed", remedy=remedy)
    return model


def near_names(name: ModelName, models: tuple[Model, ...]) -> list[str]:
    """Up to three installed names like this one."""
    from difflib import get_close_matches  # most names that are typed are installed

    names = [model.name for model in models if model.name]
    # Without the tag: what ends in :latest, too, is not near for that.
    others = dict.fromkeys(each.series for each in names if each.series != name.series)
    near = (name.series, *get_close_matches(name.series, others, 3))
    return [each.short for series in near for each in names if each.series == series][:3]
