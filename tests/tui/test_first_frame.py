"""The first frame on a real terminal: what is remembered stands in it where it stays."""

import re
import sys
from pathlib import Path

from live import live
from ptys import Pty, environ_for

from modeltui.tui.widgets.frame import Frame

_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


async def test_the_first_paint_has_all_that_there_is_room_for(tmp_path: Path) -> None:
    """The pane, too: a first layout for another width would be seen, and done and sent again."""
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        paths = shown.paths
    places = {"CONFIG": paths.config, "STATE": paths.state, "CACHE": paths.cache}
    environ = {f"MODELTUI_{word}_DIR": str(place) for word, place in places.items()}
    with Pty(120, 35) as terminal:
        terminal.spawn([sys.executable, "-m", "modeltui"], {**environ_for(tmp_path), **environ})
        terminal.read_until(b"offline")  # the demonstration server has gone
        seen = _SEQUENCE.sub(b"", bytes(terminal.received)).decode("utf-8", "replace")
    frame = seen.partition("1 Models")[2].partition("? help")[0]
    assert "assistant:latest" in frame
    assert "current since" in frame, "the pane came later"


async def test_on_every_screen_each_ink_can_be_told_from_the_ground(tmp_path: Path) -> None:
    """The first screen too: it is made before there are any styles."""
    async with live(tmp_path) as shown:
        for key in "12345":
            await shown.press(key)
            screen = shown.app.screen
            ground = screen.styles.background.rich_color
            inks = screen.query_one(Frame).inks
            assert {name: ink.color for name, ink in inks.items() if ink.color in (None, ground)} == {}
