"""A demonstration whole: the server, and directories of its own whose configuration leads to it."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from modeltui.demo.server import DemoServer
from modeltui.paths import Paths, paths_under, write_private

RATE = 200_000_000
# The machine that the server pretends to be: its GPU holds as much as DemoServer's `gpu_memory`.
_HARDWARE = """
[servers.demo.hardware]
gpus = ["made-up GPU 24GB@936GB/s"]
ram = "64GB"
ram_bandwidth = "51.2GB/s"
cores = 16
"""
_KEEPS = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "COLUMNS", "NO_COLOR")


@asynccontextmanager
async def demonstration(environ: Mapping[str, str]) -> AsyncIterator[tuple[Paths, Mapping[str, str]]]:
    """A running server with directories of its own, gone at the end; and the environment to use with it.

    Nothing may outlive it, so its pulls run in the program itself.
    """
    async with DemoServer(rate=RATE) as server:
        with demo_directories(server) as paths:
            kept = {key: environ[key] for key in _KEEPS if key in environ}
            yield replace(paths, is_temporary=True), {**kept, "MODELTUI_DOWNLOADS__DETACHED": "false"}


@contextlib.contextmanager
def demo_directories(server: DemoServer) -> Iterator[Paths]:
    """Directories whose configuration leads to a demonstration server, and to it as the registries."""
    registries = "".join(
        f'[registries."{host}"]\nbase_url = "{server.url}"\n' for host in ("registry.ollama.ai", "hf.co")
    )
    with tempfile.TemporaryDirectory(prefix="modeltui-demo-") as root:
        paths = paths_under(Path(root))
        # Its GPU is made up, so what this machine's hardware says of it must not count.
        here = f'server = "demo"\n[servers.demo]\nurl = "{server.url}"\nlocal = false\n'
        here += _HARDWARE
        write_private(paths.config_file, here + registries)
        yield paths
