"""What the developer's terminal says must not decide how a test's screen looks."""

import os
import re
import sys
from pathlib import Path

_THEIRS = re.compile("TEXTUAL_(?!SNAPSHOT_)")  # the plugin for snapshots has its own

for name in ("NO_COLOR", "COLUMNS", "LINES", *filter(_THEIRS.match, os.environ)):
    os.environ.pop(name, None)
os.environ["TEXTUAL_ANIMATIONS"] = "none"
sys.path.insert(0, str(Path(__file__).parents[1] / "hardware"))  # the stand-in for NVIDIA's library
