"""What the developer's terminal says must not decide how a test's screen looks."""

import gc
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_THEIRS = re.compile("TEXTUAL_(?!SNAPSHOT_)")  # the plugin for snapshots has its own

for name in ("NO_COLOR", "COLUMNS", "LINES", *filter(_THEIRS.match, os.environ)):
    os.environ.pop(name, None)
os.environ["TEXTUAL_ANIMATIONS"] = "none"
sys.path.insert(0, str(Path(__file__).parents[1] / "hardware"))  # the stand-in for NVIDIA's library


@pytest.fixture(autouse=True)
def collectable() -> Iterator[None]:
    """A program freezes what stands at its first paint: here many are started in one process, and end."""
    yield
    gc.unfreeze()
