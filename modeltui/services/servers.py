"""Opens the way to servers: resolves their secrets when first needed, and keeps one client a server."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modeltui.config.settings import ServerConfig
from modeltui.domain.endpoint import Endpoint, parse_endpoint
from modeltui.domain.server import Server
from modeltui.errors import ConfigError, StoreError, UsageError
from modeltui.store.store import Store

_COMMAND_S = 30.0


class MissingSecret(ConfigError):
    """A server's token cannot be had here; names the variable or the command, never its output."""

    code = "no_secret"


@dataclass(frozen=True, slots=True)
class Link:
    """A server as services use it: its label, its id in the store, and its API.

    `is_short_lived`: a command gave its token, which may expire.
    """

    id: int
    name: str
    endpoint: Endpoint
    api: Server
    local: bool | None
    is_short_lived: bool = False


class Links:
    """The servers of one process."""

    def __init__(
        self,
        servers: tuple[ServerConfig, ...],
        store: Store,
        *,
        environ: Mapping[str, str],
        clock: Callable[[], int],
        note: Callable[[str], None],
    ) -> None:
        self._note = note
        self._servers = servers
        self._store = store
        self._environ = environ
        self._clock = clock
        self._open: dict[str, Link] = {}

    async def connect(self, server: ServerConfig) -> Link:
        """The link to a server, made on first use; raises ConfigError when its secret is missing."""
        link = self._open.get(server.endpoint.url)
        if link is None:
            token = await self._token(server)
            if (made_meanwhile := self._open.get(server.endpoint.url)) is not None:
                return made_meanwhile
            link = self._open[server.endpoint.url] = self._made(server, token)
        return link

    def _made(self, server: ServerConfig, token: str | None) -> Link:
        from modeltui.http import Access
        from modeltui.ollama.client import OllamaServer

        headers = tuple(server.headers.items())
        if token:
            headers = (*headers, ("Authorization", f"Bearer {token}"))
        access = Access(headers, server.ca_file, server.client_cert)
        api = OllamaServer(server.endpoint, clock=self._clock, access=access)
        return Link(
            *(self.id_of(server), server.name, server.endpoint, api, server.local),
            is_short_lived=_expires(server),
        )

    async def connect_by_id(self, server_id: int, *, anew: bool = False) -> Link | None:
        """The link to a server of the store; None when the configuration no longer has it.

        `anew`: where a command gives the token it gives one now, in a link that the caller closes.
        """
        known = self._store.facts.servers().get(server_id)
        if known is None:
            return None
        key, name = known
        for server in self._servers:
            if server.endpoint.url == key:
                if anew and _expires(server):
                    return self._made(server, await self._token(server))
                return await self.connect(server)
        # Named by its address only, by --server or OLLAMA_HOST: there was nothing configured to lose.
        if name not in (key, "local"):
            return None
        try:
            return await self.connect(ServerConfig(name, parse_endpoint(key)))
        except UsageError:
            return None

    def id_of(self, server: ServerConfig) -> int:
        """Its id in the store; 0, which nothing hangs on, when the store cannot be read."""
        try:
            return self._store.facts.server_id(server.endpoint.url, server.name)
        except StoreError as error:
            self._note(f"{error.message}; nothing will be remembered")
            return 0

    async def close(self) -> None:
        for link in self._open.values():
            await link.api.close()
        self._open.clear()

    async def _token(self, server: ServerConfig) -> str | None:
        token = None
        if server.token_env:
            token = self._environ.get(server.token_env, "").strip()
            if not token:
                raise MissingSecret(
                    f"the token of server {server.name} is missing: {server.token_env} is not set",
                    remedy=f"export {server.token_env}=…",
                )
        elif server.token_command:
            token = await self._output(server.name, server.token_command)
        if token and not (token.isascii() and token.isprintable()):
            raise MissingSecret(f"the token of server {server.name} holds characters no header can carry")
        return token

    async def _output(self, name: str, command: tuple[str, ...] | str) -> str:
        """The first line that a token command prints; neither it nor the command's words are ever shown."""
        words = ("sh", "-c", command) if isinstance(command, str) else command
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise MissingSecret(
                f"token_command of server {name} cannot be run: {error.strerror}",
                remedy=f"correct servers.{name}.token_command",
            ) from None
        try:
            async with asyncio.timeout(_COMMAND_S):
                output, _ = await process.communicate()
        except BaseException as error:
            await end_command(process)
            if not isinstance(error, TimeoutError):
                raise
            raise MissingSecret(f"token_command of server {name} did not end in {_COMMAND_S:.0f} s") from None
        lines = output.decode("utf-8", "replace").strip().splitlines()
        if process.returncode != 0 or not lines:
            raise MissingSecret(
                f"token_command of server {name} gave no token (exit code {process.returncode})",
                remedy=f"run servers.{name}.token_command by hand",
            )
        return lines[0].strip()


def _expires(server: ServerConfig) -> bool:
    """Whether a command gives its token; a variable does not change while a process lives."""
    return bool(server.token_command) and not server.token_env


async def end_command(process: asyncio.subprocess.Process) -> None:
    """Kill a command that has a session of its own, with everything that it started there.

    A child that lives on would hold the pipe open, and with it whoever waits for the end.
    """
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.returncode is None:  # Windows
        process.kill()
    await process.wait()
