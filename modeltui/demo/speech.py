"""What differs between the two recorded servers, 0.24.0 and 0.33.0-rc2, and nothing else.

Every field was read from the recordings in tests/data/recorded, where both answer the same request.
"""

import re
from dataclasses import dataclass

NEWER = "0.33.0-rc2"
OLDER = "0.24.0"
_CHANGED_IN = (0, 30)


@dataclass(frozen=True, slots=True)
class Speech:
    """The manner of one server version; times in seconds."""

    version: str
    lists_capabilities: bool
    """`/api/tags` has `capabilities`, `details.context_length` and `details.embedding_length` (0.30)."""
    small_layer_time: float
    """The least time of a layer: 1 s in 0.24 (its last event repeats), 45 ms in 0.33 (no event at all)."""
    rounds_up: bool
    """A layer's time is a whole multiple of `small_layer_time` (0.24 looks only once a second)."""
    names_tag_of_missing: bool
    """`/api/show` of a missing model says `model 'x:latest' not found`, not `model 'x' not found`."""
    reloads_beyond_limit: bool
    """A `num_ctx` above the model's own limit makes a reload, though the result is the same (0.24)."""


def speech_of(version: str, small_layer_time: float | None = None) -> Speech:
    """Return the manner of `version`: the newer from 0.30 on, else the older; unknown words are newer."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    newer = len(numbers) < 2 or numbers == (0, 0) or numbers >= _CHANGED_IN
    default = 0.045 if newer else 1.0
    return Speech(
        version=version,
        lists_capabilities=newer,
        small_layer_time=default if small_layer_time is None else small_layer_time,
        rounds_up=not newer,
        names_tag_of_missing=newer,
        reloads_beyond_limit=not newer,
    )
