"""What the words of the filter find in an installed model, on the command line and on the screens alike."""

from typing import TYPE_CHECKING

from modeltui.domain.models import ModelState
from modeltui.domain.query import Subject

if TYPE_CHECKING:
    from modeltui.services.library import Entry


def subject_of(entry: "Entry") -> Subject:
    """A model as the filter sees it; the size of one in the cloud is unknown."""
    model = entry.model
    shown = (model.shown, entry.alias_of, model.family, model.quantization, model.parameter_size)
    words = set(model.capabilities or ())
    if entry.state is not ModelState.NOT_LOADED:
        words.add(entry.state)
    if entry.loaded is not None:
        words.add("loaded")
    if entry.is_current:
        words.add("current")
    if entry.newer is not None:
        words.add("outdated")
    if entry.type is not None:
        words |= {entry.type, f"type:{entry.type}"}
    if model.quantization:
        words.add(model.quantization)
    return Subject(
        haystack=" ".join(part for part in shown if part).casefold(),
        size=None if model.is_cloud else model.size,
        words=frozenset(str(word).casefold() for word in words),
    )
