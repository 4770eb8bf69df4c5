"""Imports what the first list does without and the first act needs, apart from the event loop."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor


async def import_the_rest() -> None:
    """Return when all is there: a tenth of a second in which keys are answered."""
    with ThreadPoolExecutor(1, "imports") as apart:
        await asyncio.get_running_loop().run_in_executor(apart, _import)
    gc.freeze()  # modules stay: looking through them for garbage takes 20 ms each time


def _import() -> None:
    import modeltui.ollama.web
    import modeltui.tui.acts
    import modeltui.tui.flows
    import modeltui.tui.offerfacts
    import modeltui.tui.pulse
    import modeltui.tui.screens.catalog
    import modeltui.tui.screens.recommend  # noqa: F401
    from modeltui.http import make_client

    make_client("http://127.0.0.1", direct=True)  # httpx imports the rest of itself with its first client
