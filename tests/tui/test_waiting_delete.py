"""A delete that waits for a pull says so beside the model, and d takes it back."""

from dataclasses import replace
from pathlib import Path

from live import live  # type: ignore[import-not-found, unused-ignore]

from modeltui.demo.library import DemoModel, Library
from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.services.pulls import Pulls

CHAT = DemoModel("chat:latest", "chat", 2_000_000, template="{{ .Prompt }}", hours=5)
SEEING = replace(CHAT, name="chat:seeing", projector=4_000_000_000)
"""On the weights of CHAT; its projector takes as long as the test."""
CODER = DemoModel("coder:latest", "coder", 3_000_000, hours=6)
NEWEST = DemoModel("newest:latest", "newest")
"""It becomes the current one by itself."""


async def test_d_waits_for_a_pull_and_takes_itself_back(tmp_path: Path) -> None:
    library = Library((CHAT, CODER, NEWEST), (CHAT, CODER, SEEING))
    async with live(tmp_path, seed=library, rate=1e6) as shown:
        app = shown.app
        Pulls(app.services).enqueue(await app.services.active(), parse(SEEING.name))
        queue = app.services.store.queue
        await shown.until(lambda: app.transfers and app.transfers[0].transfer.state is State.PULLING)
        await shown.until(lambda: queue.blobs(1) is not None)
        app.screen.go_to(CHAT.name)
        await shown.press("d")
        await shown.sees("Delete chat:latest from demo?")
        await shown.press("d")
        await shown.sees("deleted after the pull of chat:seeing", "d takes it back")
        assert app.doing[CHAT.name] == "after the pull of chat:seeing"
        # Another one, which shares nothing with the pull, goes meanwhile.
        app.screen.go_to(CODER.name)
        await shown.press("d")
        await shown.sees("Delete coder:latest from demo?")
        await shown.press("d")
        await shown.until(lambda: CODER.name not in library.installed_names)
        app.screen.go_to(CHAT.name)
        await shown.press("d")
        await shown.sees("the delete is taken back")
        await shown.until(lambda: CHAT.name not in app.doing)
        assert CHAT.name in library.installed_names
        assert queue.all()[0].transfer.tries == 1
