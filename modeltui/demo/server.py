"""The life of the demonstration server: sockets, connections, routing, start, stop and restart.

    async with DemoServer() as server:
        ...  # an Ollama server at server.url

The registry answers on the same port: `{url}/v2/library/<model>/manifests/<tag>`.

Troubles are given by `faults=Faults(Fault(Kind.CUT, after_bytes=1_000_000))`, by `server.faults.add(...)`, or
over HTTP (modeltui.demo.faults has the table of kinds and values):

    curl -X POST   {url}/demo/faults  -d '{"kind": "stall", "path": "/api/pull", "after_bytes": 5000000}'
    curl -X POST   {url}/demo/faults  -d '{"kind": "status", "path": "/api/*", "value": 500, "times": null}'
    curl           {url}/demo/faults
    curl -X DELETE {url}/demo/faults
    curl -X POST   {url}/demo/restart -d '{"prune": true}'
"""

import asyncio
import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Self

from modeltui.demo import control, data, reading, registry, running, writing
from modeltui.demo.delivery import Delivery, status_answer, wait_before
from modeltui.demo.faults import Fault, Faults, Kind, Trouble
from modeltui.demo.http1 import Answer, BadRequest, Connection, Request, Stream, data_answer, text_answer
from modeltui.demo.library import DemoModel, Library
from modeltui.demo.mishaps import BY_MOVED_BYTES
from modeltui.demo.pulls import Pulls
from modeltui.demo.refusals import Dropped, Refusal
from modeltui.demo.runners import Scheduler
from modeltui.demo.speech import NEWER, OLDER, speech_of
from modeltui.demo.state import Asked, State
from modeltui.demo.transfers import Transfers

__all__ = ["NEWER", "OLDER", "DemoModel", "DemoServer", "Fault", "Faults", "Kind", "Library"]

Handler = Callable[[State, Asked], Awaitable[Answer | Stream]]

_ROUTES: dict[str, tuple[str, Handler]] = {
    "/": ("GET HEAD", reading.root),
    "/api/version": ("GET HEAD", reading.version),
    "/api/status": ("GET", reading.status),
    "/api/tags": ("GET HEAD", reading.tags),
    "/api/ps": ("GET", reading.ps),
    "/api/show": ("POST", reading.show),
    "/api/me": ("POST", reading.me),
    "/api/signout": ("POST", reading.signout),
    "/api/experimental/model-recommendations": ("GET", reading.recommendations),
    "/v1/models": ("GET", reading.openai_models),
    "/api/pull": ("POST", writing.pull),
    "/api/push": ("POST", writing.push),
    "/api/copy": ("POST", writing.copy),
    "/api/delete": ("DELETE", writing.delete),
    "/api/create": ("POST", writing.create),
    "/api/generate": ("POST", running.generate),
    "/api/chat": ("POST", running.chat),
    "/api/embed": ("POST", running.embed),
    "/demo/faults": ("GET POST DELETE", control.faults),
    "/demo/restart": ("POST", control.restart),
}
_PREFIXES: dict[str, tuple[str, Handler]] = {
    "/api/blobs/": ("HEAD POST", writing.blob),
    "/v2/": ("GET HEAD", registry.answer),
}
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal")


class DemoServer:
    """An Ollama-compatible server without models: names, sizes and times only.

    `rate` is bytes per second of one blob's transfer, `load_rate` of loading weights, `verify_rate` of
    checking what was pulled; `gpu_memory` bytes, 0 for none; `small_layer_time` seconds, None as the version
    has it; `token_rate` tokens per second, None to follow from the size of the model.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        version: str = NEWER,
        seed: Library | None = None,
        rate: float = 60_000_000,
        load_rate: float = 3_000_000_000,
        gpu_memory: int = 25_769_803_776,
        faults: Faults | None = None,
        small_layer_time: float | None = None,
        verify_rate: float = 1_500_000_000,
        token_rate: float | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.faults = Faults() if faults is None else faults
        self.library = data.default_library() if seed is None else seed
        speech = speech_of(version, small_layer_time)
        self._scheduler = Scheduler(speech, gpu_memory=gpu_memory, load_rate=load_rate)
        self._transfers = Transfers(self.library, speech, rate, _clock)
        pulls = Pulls(self.library, self._transfers, verify_rate=verify_rate, spawn=self._spawn, clock=_clock)
        self._state = State(
            speech, self.library, self._scheduler, pulls, self.faults, token_rate, self._restart_soon
        )
        self._server: asyncio.Server | None = None
        self._open = False
        self._connections: set[asyncio.Task[None]] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self._restarts: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address, known once the server is started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def rate(self) -> float:
        """Bytes per second of each transfer that begins from now on."""
        return self._transfers.rate

    @rate.setter
    def rate(self, value: float) -> None:
        self._transfers.rate = value

    @property
    def pulls_asked(self) -> list[tuple[str, bool]]:
        """The pulls that were asked for: the name, and whether over plain http (`insecure`)."""
        return list(self._state.pulls.asked)

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._open = True
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the socket, drop all connections and end everything under way."""
        await _end(self._restarts)
        await self._halt()

    async def restart(self, *, prune: bool) -> None:
        """Drop all connections and what is loaded, keep the models; `prune` removes partials and orphans."""
        await self._halt()
        if prune:
            self.library.prune()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _halt(self) -> None:
        server, self._server, self._open = self._server, None, False
        if server is not None:
            server.close()
        await _end(self._connections)
        await _end(self._jobs)
        self._transfers.stop_all()
        self._scheduler.drop_all()
        if server is not None:
            await server.wait_closed()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that outlives its request, such as the end of a pull."""
        return _keep(self._jobs, work)

    def _restart_soon(self, prune: bool) -> None:
        async def later() -> None:
            await asyncio.sleep(0.05)  # so that the answer to the wish gets out
            await self.restart(prune=prune)

        _keep(self._restarts, later())

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not a coroutine: asyncio would make the task itself, and stop() could not wait for it.
        if not self._open:
            writer.transport.abort()  # accepted while the server was closing
            return
        _keep(self._connections, self._serve(Connection(reader, writer)))

    async def _serve(self, connection: Connection) -> None:
        try:
            while (request := await connection.request()) is not None:
                if not await self._answer(connection, request) or not request.keeps_alive:
                    break
        except BadRequest:
            with suppress(OSError):
                connection.head(400, {"Content-Length": "0", "Connection": "close"})
                await connection.send(b"")
        except OSError:
            pass
        except asyncio.CancelledError:
            connection.abort()
            raise
        finally:
            await connection.close()

    async def _answer(self, connection: Connection, request: Request) -> bool:
        """Answer one request while watching whether its client leaves; False ends the connection."""
        work = asyncio.create_task(self._deliver(connection, request))
        watch = asyncio.create_task(connection.left())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            finished = work.done()
        finally:
            await _end({work, watch})
        if not finished or work.cancelled():
            return False
        try:
            work.result()
        except Dropped as dropped:
            if dropped.reset:
                connection.reset()
            return False
        except OSError:
            return False
        return True

    async def _deliver(self, connection: Connection, request: Request) -> None:
        if not self._allowed(request):
            await Delivery(connection, request, Trouble()).deliver(Answer(403))
            return
        # The knobs themselves are never troubled.
        ours = request.path.startswith("/demo/")
        trouble = Trouble() if ours else self.faults.take(request.path, _name_in(request))
        await wait_before(trouble)
        result = await self._result(request, trouble)
        in_answer = trouble.without(BY_MOVED_BYTES) if request.path == "/api/pull" else trouble
        await Delivery(connection, request, in_answer).deliver(result)

    async def _result(self, request: Request, trouble: Trouble) -> Answer | Stream:
        if fault := trouble.get(Kind.STATUS):
            return status_answer(fault.value, request.path)
        route = _ROUTES.get(request.path)
        if route is None:
            route = next((way for start, way in _PREFIXES.items() if request.path.startswith(start)), None)
        if route is None:
            return text_answer("404 page not found", 404)
        methods, handler = route
        if request.method not in methods.split():
            return text_answer("405 method not allowed", 405)
        try:
            return await handler(self._state, Asked(request, trouble))
        except Refusal as refusal:
            return data_answer(refusal.data, refusal.status)

    def _allowed(self, request: Request) -> bool:
        """Apply allowedHostsMiddleware: a server on loopback refuses Host headers from elsewhere."""
        if not _is_address(self.host, local=True) and self.host != "localhost":
            return True
        given = request.headers.get("host", "").lower()
        host = given.rpartition(":")[0] if given.rpartition(":")[2].isdigit() else given
        host = host.strip("[]")
        if host in ("", "localhost", socket.gethostname().lower()) or host.endswith(_LOCAL_SUFFIXES):
            return True
        return _is_address(host, local=False)


def _is_address(host: str, *, local: bool) -> bool:
    """Whether `host` is an IP address of this machine (`local`), or also of a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or (not local and (address.is_private or address.is_unspecified))


def _name_in(request: Request) -> str:
    """Return the model a request is about, for the choice of faults only; empty when it can't be told."""
    try:
        fields = json.loads(request.body)
    except ValueError:
        return ""
    if not isinstance(fields, dict):
        return ""
    return str(fields.get("model") or fields.get("name") or fields.get("source") or "")


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = [task for task in tasks if not task.done()]
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
