"""The list of a server as it was seen last: its rows in the store, and what has changed since."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from modeltui.domain.models import Model
from modeltui.domain.names import ModelName, from_listed, same
from modeltui.text import clean_line, is_clean_line

_LISTED = tuple(field.name for field in fields(Model) if field.name != "name")
_WORDS = ("digest", "format", "family", "parameter_size", "quantization", "remote_host", "remote_model")
_NUMBERS = ("size", "modified", "context")


def as_json(model: Model) -> dict[str, Any]:
    """A row of the list as it is remembered for the next start."""
    row = {field: getattr(model, field) for field in _LISTED}
    row["capabilities"] = None if model.capabilities is None else sorted(model.capabilities)
    return row


def from_json(row: Any) -> Model | None:
    """The inverse of `as_json`; None for what is no row of a list.

    Another version of modeltui may have written it, or a hand: a wrong type is unknown, as on the wire.
    """
    if not isinstance(row, dict) or not isinstance(row.get("sent"), str):
        return None
    sent, listed = row["sent"], row.get("capabilities")
    name = from_listed(sent) if is_clean_line(sent) else None
    known: dict[str, Any] = {
        field: clean_line(row[field]) for field in _WORDS if isinstance(row.get(field), str)
    }
    known |= {field: row[field] for field in _NUMBERS if type(row.get(field)) is int and row[field] >= 0}
    capabilities = None
    if isinstance(listed, list):
        capabilities = frozenset(clean_line(word, 64) for word in listed if isinstance(word, str))
    shown = name.short if name else clean_line(sent) or "(no name)"
    return Model(shown, sent, name, capabilities=capabilities, **known)


def is_row_of(row: Any, name: ModelName) -> bool:
    """Whether a remembered row is that of a model."""
    return isinstance(row, dict) and isinstance(row.get("sent"), str) and same(from_listed(row["sent"]), name)


def changed(before: Sequence[Any], models: tuple[Model, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the remembered list that are gone, and those that have another digest now."""
    digests = {model.sent: model.digest for model in models}
    removed, replaced = [], []
    for row in before:
        sent = row.get("sent") if isinstance(row, dict) else None
        if not isinstance(sent, str):
            continue
        if sent not in digests:
            removed.append(clean_line(sent))
        elif row.get("digest") and row["digest"] != digests[sent]:
            replaced.append(clean_line(sent))
    return tuple(removed), tuple(replaced)
