"""Measures the check after a pull of a 20 GB model, beside a pull that runs, and prints a table.

    python tests/benchmarks/check_speed.py [--runs N] [--layers N,N]

The demonstration server is a process of its own. A model has about six layers; one that lies there tensor by
tensor has hundreds.
"""

import argparse
import asyncio
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modeltui.services.servers import Link
    from modeltui.services.tree import Services

BUDGET_S = 5.0
LAYERS = (6, 100, 1000)
SIZE = 20_000_000_000
NEXT_RATE = 100_000_000
NEXT = "next:70b"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: layers of the model, seconds of its check, bytes that the next pull got meanwhile."""

    layers: int
    seconds: float
    moved: int

    def is_within(self, slack: float = 1.0) -> bool:
        return self.seconds <= BUDGET_S * slack and self.moved > 0


def big(layers: int) -> str:
    return f"big-{layers}:20b"


async def serve(counts: list[int]) -> None:
    """Be the server: models of 20 GB whose blobs are all there, and one that a pull takes long for."""
    from modeltui.demo.library import DemoModel, Layer, Library, Manifest, manifest_of
    from modeltui.demo.server import DemoServer
    from modeltui.domain.names import parse

    library = Library(available=[DemoModel(NEXT, "next", 10**15)])
    for count in counts:
        model = DemoModel(big(count), f"big {count}", SIZE // count)
        made = manifest_of(model)
        kind = made.layers[0].media_type
        others = [f"sha256:{hashlib.sha256(f'{count} {n}'.encode()).hexdigest()}" for n in range(count - 1)]
        layers = (*made.layers, *(Layer(kind, digest, SIZE // count) for digest in others))
        written = {
            **json.loads(made.raw),
            "layers": [layer.entry() for layer in layers],
        }
        raw = json.dumps(written).encode()
        manifest = Manifest(layers, made.config, raw, hashlib.sha256(raw).hexdigest())
        library.blobs |= {layer.digest: layer.size for layer in manifest.all_layers}
        entry = library.write_manifest(parse(model.name), model, manifest)
        library.available[entry.name.key] = entry
    async with DemoServer(seed=library, rate=NEXT_RATE, small_layer_time=0.0) as server:
        print(server.url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


@contextmanager
def server_apart(counts: tuple[int, ...]) -> Iterator[str]:
    """The URL of a server in a process of its own."""
    words = [sys.executable, __file__, "--serve", *map(str, counts)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@asynccontextmanager
async def services_at(url: str) -> AsyncIterator["Services"]:
    """What a runner has, in directories of its own."""
    from modeltui.config.reader import load
    from modeltui.paths import paths_under, write_private
    from modeltui.services.tree import build
    from modeltui.store.journal import Origin

    def clock() -> int:
        return time.time_ns() // 1_000_000

    with tempfile.TemporaryDirectory() as place:
        paths = paths_under(Path(place))
        server = f'server = "b"\n[servers.b]\nurl = "{url}"\nlocal = false\n'
        write_private(paths.config_file, f'{server}[registries."registry.ollama.ai"]\nbase_url = "{url}"\n')
        config = load(paths, {})
        services = build(config, paths, environ={}, clock=clock, origin=Origin.RUNNER, tell=print)
        try:
            yield services
        finally:
            await services.close()


class NextPull:
    """A pull that runs meanwhile; `moved` is what has come of it."""

    def __init__(self, link: "Link") -> None:
        self._link = link
        self._grown = asyncio.Event()
        self.moved = 0

    async def run(self) -> None:
        from modeltui.domain.events import Layer
        from modeltui.domain.names import parse

        async with aclosing(self._link.api.pull(parse(NEXT))) as events:
            async for event in events:
                if isinstance(event, Layer) and event.completed > self.moved:
                    self.moved = event.completed
                    self._grown.set()

    async def grows(self) -> None:
        """Wait for its next bytes."""
        self._grown.clear()
        await asyncio.wait_for(self._grown.wait(), 60)


async def measure(url: str, counts: tuple[int, ...], runs: int) -> list[Row]:
    """The medians of the checks; they begin when bytes of the next pull are coming."""
    from modeltui.domain.names import parse
    from modeltui.domain.transfers import CheckResult
    from modeltui.services.checking import check_pulled
    from modeltui.services.preflight import announced

    async with services_at(url) as services:
        link = await services.active()
        following = NextPull(link)
        task = asyncio.create_task(following.run())
        found = []
        try:
            await following.grows()
            for count in counts:
                name = parse(big(count))
                manifest = await announced(services, name)
                assert len({blob.digest for blob in manifest.blobs}) == count + 1
                times, before = [], following.moved
                for _ in range(runs):
                    began = time.perf_counter()
                    finding = await check_pulled(services, link, name, manifest)
                    times.append(time.perf_counter() - began)
                    assert finding == (CheckResult.INSTALLED, "digest checked"), finding
                await following.grows()  # whatever is checked, it goes on
                found.append(Row(count, statistics.median(times), following.moved - before))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return found


def rows(runs: int, counts: tuple[int, ...] = LAYERS) -> list[Row]:
    with server_apart(counts) as url:
        return asyncio.run(measure(url, counts, runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--layers", default=",".join(map(str, LAYERS)))
    parser.add_argument("--serve", nargs="+", type=int, metavar="N")
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(arguments.serve))
        return
    print(f"{'layers':>7} {'check':>9}  {'budget':8} {'next pull got':>14}  holds")  # noqa: T201
    for row in rows(arguments.runs, tuple(map(int, arguments.layers.split(",")))):
        print(  # noqa: T201
            f"{row.layers:7} {row.seconds * 1000:6.0f} ms  <= {BUDGET_S:.0f} s   {row.moved / 1e6:11.0f} MB"
            f"  {'yes' if row.is_within() else 'NO'}"
        )


if __name__ == "__main__":
    main()
