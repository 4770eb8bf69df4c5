"""What the developer's terminal says must not decide how a test's screen looks."""

import os

for name in ("NO_COLOR", "COLUMNS", "LINES", *(key for key in os.environ if key.startswith("TEXTUAL"))):
    os.environ.pop(name, None)
os.environ["TEXTUAL_ANIMATIONS"] = "none"
