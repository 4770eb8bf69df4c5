"""The program on a demonstration server of its own, driven by a pilot, for the tests of the screens."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from modeltui.demo.server import DemoServer
from modeltui.paths import Paths, paths_under, write_private
from modeltui.tui.app import ModelTuiApp
from modeltui.tui.stage import open_stage

FAST: dict[str, Any] = {
    "rate": 2e9,
    "load_rate": 1e12,
    "verify_rate": 1e12,
    "small_layer_time": 0.0,
    "token_rate": 2000.0,
}


@dataclass
class Live:
    """The running program. `server` is None where no server is behind it."""

    app: ModelTuiApp
    pilot: Pilot[int]
    paths: Paths
    server: DemoServer | None

    @property
    def text(self) -> str:
        """What a person sees now, one line a row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    def line(self, part: str) -> str:
        """The first line that holds `part`."""
        return next((line for line in self.text.splitlines() if part in line), "")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text, as a paste of single keys."""
        names = {" ": "space", ":": "colon", ".": "full_stop", "-": "minus", "/": "slash"}
        names |= {">": "greater_than_sign", "<": "less_than_sign", "_": "underscore"}
        await self.press(*(names.get(character, character) for character in text))

    async def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something is so; shows the screen when it never comes to be."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not condition():
            assert loop.time() < deadline, f"it never came to be:\n{self.text}"
            await self.pilot.pause(0.02)

    async def sees(self, *parts: str) -> None:
        """Wait until all these texts are on the screen."""
        await self.until(lambda: all(part in self.text for part in parts))

    async def misses(self, part: str) -> None:
        """Wait until a text is no longer on the screen."""
        await self.until(lambda: part not in self.text)

    async def answered(self) -> None:
        """Wait until the server has answered."""
        await self.until(lambda: self.app.models.is_live and self.app.connection.is_online)
        await self.pilot.pause()


@asynccontextmanager
async def live(
    root: Path,
    *,
    size: tuple[int, int] = (120, 35),
    config: str = "",
    colour: str = "full",
    glyphs: str = "unicode",
    url: str | None = None,
    label: str = "demo",
    models: Path | None = None,
    wait: bool = True,
    **server: Any,
) -> AsyncIterator[Live]:
    """The program at a size; `url` instead of a server of its own, `server` as DemoServer takes it.

    `label` is the name that the configuration gives the server, `models` the directory of one that is here.
    """
    demo = DemoServer(**{**FAST, **server}) if url is None else None
    if demo is not None:
        await demo.start()
    try:
        address = demo.url if demo is not None else url
        paths = paths_under(root)
        name = json.dumps(label, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML quotes as JSON does
        lines = [f'server = {name}\n{config}\n[servers.{name}]\nurl = "{address}"\n']
        lines += [f"local = {'false' if models is None else 'true'}\n"]
        lines += [
            f'[registries."{host}"]\nbase_url = "{address}"\n' for host in ("registry.ollama.ai", "hf.co")
        ]
        write_private(paths.config_file, "".join(lines))
        places = {
            f"MODELTUI_{word}_DIR": str(getattr(paths, word.lower())) for word in ("CONFIG", "STATE", "CACHE")
        }
        inside = {"MODELTUI_DOWNLOADS__DETACHED": "false"}  # no process may outlive a test
        inside |= {} if models is None else {"OLLAMA_MODELS": str(models)}
        stage = open_stage(
            {"PATH": "/usr/bin:/bin", **inside, **places}, server=None, profile=None, tell=print
        )
        app = ModelTuiApp(stage, colour=colour, glyphs=glyphs, version="0")
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                shown = Live(app, pilot, paths, demo)
                if wait:
                    await shown.answered()
                yield shown
                await app.stop_workers()
        finally:
            await app.stage.close()
    finally:
        if demo is not None:
            await demo.stop()
