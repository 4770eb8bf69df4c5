"""A demonstration server with as many models as asked, in a process of its own; prints its URL.

    python tests/benchmarks/library_server.py MODELS RATE

With 0 models it has those of the demonstration. RATE is in bytes a second of one pull.
"""

import asyncio
import sys
from dataclasses import replace
from typing import Any

from modeltui.demo.library import DemoModel, Library
from modeltui.demo.server import DemoServer

FAMILIES = ("qwen", "llama", "gemma", "mistral", "phi")


def library(models: int) -> Library:
    """Models named like `m00010-qwen:7b`, each with weights of its own; by name and by age in one order."""
    one = DemoModel("one:7b", parameters=7_000_000_000, capabilities=("completion", "tools"))
    return Library(
        replace(
            one,
            name=f"m{number:05}-{FAMILIES[number % len(FAMILIES)]}:{number % 70 + 1}b",
            weights=f"weights {number}",
            size=(number % 70 + 1) * 600_000_000,
            hours=number + 3.5,  # an age that no measurement sees change
        )
        for number in range(models)
    )


async def serve(models: int, rate: float) -> None:
    more: dict[str, Any] = {"seed": library(models)} if models else {}
    async with DemoServer(rate=rate, small_layer_time=0.0, **more) as server:
        print(server.url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
