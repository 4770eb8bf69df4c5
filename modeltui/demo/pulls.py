"""What `/api/pull` does and says: status order, layers, verifying, the manifest, and its troubles.

The order of lines and what goes without an event are those of the recordings (pull_*.json).
"""

import asyncio
import hashlib
import ipaddress
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from modeltui.demo.faults import Kind, Trouble
from modeltui.demo.library import Installed, Layer, Library
from modeltui.demo.mishaps import Job
from modeltui.demo.refusals import Refusal
from modeltui.demo.transfers import Transfers
from modeltui.domain import names
from modeltui.errors import InvalidName

TICK = 0.06
"""Seconds between two events of a layer."""

_KNOWN_HOSTS = ("registry.ollama.ai", "hf.co", "huggingface.co")

Line = dict[str, Any]
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


def pulled_name(text: str) -> names.ModelName:
    """Read the name as PullHandler does, suffixes `:cloud` and `:local` included; raises Refusal 400."""
    base, source = _split_source(text)
    if source and _split_source(base)[1]:
        raise Refusal(400, f'use either :local or :cloud, not both: "{text}"')
    if source == "cloud":
        base = f"{base}-cloud" if base.rfind(":") > base.rfind("/") else text
    try:
        return names.parse(base)
    except InvalidName:
        raise Refusal(400, "invalid model name") from None


def _split_source(text: str) -> tuple[str, str]:
    before, colon, suffix = text.rpartition(":")
    lowered = suffix.lower()
    return (before, lowered) if colon and lowered in ("cloud", "local") else (text, "")


class Pulls:
    """Carries out pulls; `verify_rate` is in bytes per second of what was new.

    `asked`: the last pulls that were asked for, each with its `insecure`.
    """

    def __init__(
        self,
        library: Library,
        transfers: Transfers,
        *,
        verify_rate: float,
        spawn: Spawn,
        clock: Callable[[], float],
    ) -> None:
        self._library = library
        self._transfers = transfers
        self._verify_rate = verify_rate
        self._spawn = spawn
        self._clock = clock
        self.asked: deque[tuple[str, bool]] = deque(maxlen=100)

    async def pull(
        self, name: names.ModelName, trouble: Trouble, *, insecure: bool
    ) -> AsyncGenerator[Line, None]:
        """Yield the lines of a pull; raises Refusal (an in-stream error) or Dropped (the line is cut)."""
        self.asked.append((name.short, insecure))
        yield {"status": "pulling manifest"}
        job = Job(trouble, self._clock)
        job.strike()
        remote = self._manifest(name, insecure=insecure)
        for layer in remote.manifest.all_layers:
            async with aclosing(self._layer(layer, job)) as lines:
                async for line in lines:
                    yield line
        yield {"status": "verifying sha256 digest"}
        # A client that leaves now cancels nothing (recorded): the rest goes on as the server's own task.
        await asyncio.shield(self._spawn(self._finish(name, remote, job)))
        if job.failure:
            raise Refusal(500, job.failure)
        yield {"status": "writing manifest"}
        if job.removed_layers:
            yield {"status": "removing unused layers"}
        if not trouble.get(Kind.NO_SUCCESS):
            yield {"status": "success"}

    def _manifest(self, name: names.ModelName, *, insecure: bool) -> Installed:
        remote = self._library.available.get(name.key)
        scheme = "http" if insecure else "https"
        path = f"{name.host}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"
        get = f'pull model manifest: Get "{scheme}://{path}": '
        numeric = _is_numeric(name.host)
        if remote is not None:
            if numeric and not insecure:
                raise Refusal(500, f"{get}tls: first record does not look like a TLS handshake")
            return remote
        if name.is_cloud:
            raise Refusal(500, f"{get}dial tcp: lookup {name.host} on 127.0.0.53:53: no such host")
        hosts = {entry.name.host for entry in self._library.available.values()}
        if name.host in hosts or name.host in _KNOWN_HOSTS:
            raise Refusal(500, "pull model manifest: file does not exist")
        if numeric:
            raise Refusal(500, f"{get}dial tcp {name.host}: connect: connection refused")
        host = name.host.partition(":")[0]
        raise Refusal(500, f"{get}dial tcp: lookup {host} on 127.0.0.53:53: no such host")

    async def _layer(self, layer: Layer, job: Job) -> AsyncGenerator[Line, None]:
        if layer.digest in self._library.blobs:
            yield _progress(layer, layer.size)
            return
        transfer = self._transfers.join(layer)
        try:
            last, ended = transfer.completed, False
            while not ended:
                ahead = job.bytes_until_next()
                await asyncio.sleep(min(TICK, self._transfers.until_end(transfer), ahead / transfer.rate))
                ended = self._transfers.look(transfer)
                came = max(0, transfer.completed - last)
                job.moved += came
                # What was to strike on the way strikes, though a late look finds all of it there.
                job.strike(None if ended and came < ahead else transfer)
                last = transfer.completed
                if not ended:
                    yield _progress(layer, last)
        finally:
            self._transfers.leave(transfer)
        job.fetched.append(layer)

    async def _finish(self, name: names.ModelName, remote: Installed, job: Job) -> None:
        await asyncio.sleep(sum(layer.size for layer in job.fetched) / self._verify_rate)
        library, trouble, manifest = self._library, job.trouble, remote.manifest
        if trouble.get(Kind.DIGEST_MISMATCH):
            bad = (job.fetched or manifest.all_layers)[0].digest
            library.blobs.pop(bad, None)
            got = hashlib.sha256(b"damaged on the way").hexdigest()
            job.failure = f"digest mismatch, file must be downloaded again: want {bad}, got sha256:{got}"
            return
        before = library.installed.get(name.key)
        library.write_manifest(name, remote.model, manifest)
        if before is not None:
            kept = {layer.digest for layer in manifest.all_layers}
            job.removed_layers = any(layer.digest not in kept for layer in before.manifest.all_layers)
            library.drop_unused(before.manifest.all_layers)
        if trouble.get(Kind.FALSE_SUCCESS):
            library.blobs.pop(manifest.weights, None)


def _progress(layer: Layer, completed: int) -> Line:
    line = {"status": f"pulling {layer.digest[7:19]}", "digest": layer.digest, "total": layer.size}
    # Go's omitempty: a zero is not written.
    return line | {"completed": completed} if completed else line


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host.rpartition(":")[0] or host)
    except ValueError:
        return False
    return True
