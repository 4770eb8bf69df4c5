"""When versions of Ollama came out, and with that which models are far younger than a server."""

import re
from collections.abc import Sequence
from functools import lru_cache

from modeltui.domain.memory.firstversions import Version

# Months of the tags in the repository of Ollama (git for-each-ref refs/tags, without release candidates),
# read in 2026-11 [S]. A version between two rows came out between their months.
_CAME_OUT: Sequence[tuple[Version, str]] = (
    ((0, 1, 0), "2023-09"),
    ((0, 1, 10), "2023-11"),
    ((0, 1, 16), "2023-12"),
    ((0, 1, 20), "2024-01"),
    ((0, 1, 26), "2024-02"),
    ((0, 1, 32), "2024-04"),
    ((0, 1, 38), "2024-05"),
    ((0, 1, 48), "2024-06"),
    ((0, 2, 0), "2024-07"),
    ((0, 4, 0), "2024-11"),
    ((0, 5, 0), "2024-12"),
    ((0, 6, 0), "2025-03"),
    ((0, 7, 0), "2025-05"),
    ((0, 10, 0), "2025-07"),
    ((0, 11, 0), "2025-08"),
    ((0, 12, 0), "2025-09"),
    ((0, 13, 0), "2025-11"),
    ((0, 14, 0), "2026-01"),
    ((0, 16, 0), "2026-02"),
    ((0, 18, 0), "2026-03"),
    ((0, 20, 0), "2026-04"),
    ((0, 23, 0), "2026-05"),
    ((0, 30, 0), "2026-06"),
    ((0, 32, 0), "2026-07"),
)
# Judged: within half a year a model of a known shape mostly runs on what was there when it came.
LONG_AFTER = 6


@lru_cache(maxsize=1024)
def is_long_after(released: str | None, version: Version | None) -> bool:
    """Whether a model (`2025-07`, more digits may follow) came over half a year after a server's version.

    False wherever that is not certain: an unknown version or month, and a version newer than the table.
    """
    month = _months(released)
    if month is None or version is None:
        return False
    later = next((_months(at) for known, at in _CAME_OUT if known > version), None)
    return later is not None and month - later > LONG_AFTER


def _months(text: str | None) -> int | None:
    found = re.match(r"(\d{4})-(\d{2})", text or "", re.ASCII)
    return int(found[1]) * 12 + int(found[2]) if found else None
