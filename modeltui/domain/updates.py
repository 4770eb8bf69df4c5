"""What an update check found out about a model, and what of it a pull would overwrite."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from modeltui.domain.models import ModelDetails
from modeltui.domain.names import from_listed, same

DEFAULT_TEMPLATE = "{{ .Prompt }}"  # what a server shows for a model that has none


class Verdict(StrEnum):
    """How an installed model stands beside its registry; stored and in JSON, so never renamed."""

    NEWER = "newer"
    UNKNOWN = "unknown"
    LOCAL = "local"
    UP_TO_DATE = "up_to_date"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a registry's version of a model says beside its weights, cleaned as a server's own words are.

    `weights` are the digests of its layers of weights.
    """

    weights: frozenset[str] = frozenset()
    parameters: Mapping[str, object] = field(default_factory=dict)
    template: str | None = None
    system: str | None = None
    has_messages: bool = False
    has_adapter: bool = False


def own_parts(installed: ModelDetails, upstream: Parts) -> tuple[str, ...]:
    """What an installed model has of its own, in words: a pull of its name would overwrite it.

    Only what it has and the registry's version has not, or has otherwise: what that one adds loses nothing.
    """
    found = [
        f"parameter {key}"
        for key, value in installed.options.items()
        if _plain(value) != _plain(upstream.parameters.get(key))
    ]
    if (installed.system or None) != upstream.system:
        found += ["system prompt"] if installed.system else []
    if installed.template and installed.template != (upstream.template or DEFAULT_TEMPLATE):
        found.append("template")
    if not upstream.has_messages and _has_messages(installed):
        found.append("messages")
    if installed.adapters and not upstream.has_adapter:
        found.append("adapter")
    if (
        installed.weights
        and installed.weights not in upstream.weights
        and not _is_made_from_itself(installed)
    ):
        found.append(f"weights of {installed.base_model or 'a file'}")
    return tuple(found)


def is_within(window: str, minute: int) -> bool:
    """Whether a minute of the day lies in a window such as `22:30-05:00`, which may go over midnight.

    The first minute belongs to it, the last does not.
    """
    start, end = (int(time[:2]) * 60 + int(time[3:]) for time in window.split("-"))
    return start <= minute < end if start < end else minute >= start or minute < end


def _plain(value: object) -> object:
    """A parameter's value for comparing: one value in a list is that value, and the order is no matter."""
    if not isinstance(value, list | tuple):
        return value
    return value[0] if len(value) == 1 else sorted(map(str, value))


def _has_messages(installed: ModelDetails) -> bool:
    return any(line.startswith("MESSAGE ") for line in (installed.modelfile or "").splitlines())


def _is_made_from_itself(installed: ModelDetails) -> bool:
    """Made from an older version of its own name, as `/save` and `ollama create NAME` from NAME do."""
    base = from_listed(installed.base_model) if installed.base_model else None
    return same(base, installed.name)
