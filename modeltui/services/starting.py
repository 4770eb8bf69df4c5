"""Finds the way to start an Ollama server on this machine, and starts it."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from modeltui.config.settings import ServerConfig
from modeltui.domain.endpoint import Endpoint, parse_endpoint
from modeltui.errors import ModeltuiError, Refusal, UsageError
from modeltui.paths import open_private, private_directory
from modeltui.services.servers import Link, end_command
from modeltui.services.tree import Services
from modeltui.text import clean_line

ASK_S = 2.0  # for systemd to say how a unit stands
WAIT_S = 20.0  # for the command that starts the server
LIVE_S = 0.5  # that `ollama serve` must live to count as started
_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Start:
    """What would bring the server up: the command as a person types it, and `why` in plain words.

    `may_run`: modeltui can run it by itself (never with sudo). `detached`: it is the server itself.
    """

    command: tuple[str, ...]
    may_run: bool
    why: str
    detached: bool = False

    @property
    def typed(self) -> str:
        return " ".join(self.command)


async def find_start(
    services: Services,
    server: ServerConfig,
    *,
    uid: int | None = None,
    platform: str = sys.platform,
    root: Path = Path("/"),
    ask_s: float = ASK_S,
) -> Start | None:
    """What would start a server that does not answer; None when it is elsewhere or nothing is found.

    A systemd unit comes before the app and the program: those would start a second server beside it.
    """
    from modeltui.hardware.here import is_here

    endpoint = server.endpoint
    here = await asyncio.to_thread(is_here, endpoint.host, endpoint.port, configured=server.local)
    if not here.here:
        return None
    if uid is None:
        uid = os.geteuid() if hasattr(os, "geteuid") else -1
    if systemctl := _program(services, "systemctl"):
        for scope in ((), ("--user",)):
            state = await _unit((systemctl, *scope), services.environ, ask_s)
            if state.get("LoadState") == "loaded":
                return _unit_start(scope, state, is_root=uid == 0)
    if platform == "darwin" and (root / "Applications/Ollama.app").exists():
        return Start(("open", "-a", "Ollama"), True, "the Ollama app is installed here")
    # Behind https or a path stands a proxy: `ollama serve` would not be the server of that URL.
    if endpoint.scheme == "http" and not endpoint.path and _program(services, "ollama"):
        return Start(_serve_command(services, endpoint), True, "ollama is installed here", detached=True)
    return None


async def start(
    services: Services, server: ServerConfig, way: Start, *, wait_s: float = WAIT_S, live_s: float = LIVE_S
) -> None:
    """Do what `find_start` found; raises ModeltuiError. Whether the server answers, the caller will see."""
    if not way.may_run:
        raise Refusal("modeltui does not run this by itself", remedy=way.typed)
    link: Link | None = None
    with suppress(ModeltuiError):  # a server whose secret is missing can be started all the same
        link = await services.links.connect(server)
    async with services.recorded(link, "start", way.typed):
        if way.detached:
            await asyncio.to_thread(_serve, services, server.endpoint, way, live_s)
        else:
            await _order(services, way, wait_s)


def _program(services: Services, name: str) -> str | None:
    return shutil.which(name, path=services.environ.get("PATH", ""))


async def _unit(systemctl: tuple[str, ...], environ: Mapping[str, str], ask_s: float) -> dict[str, str]:
    """How systemd sees ollama.service; nothing when it does not say."""
    words = (*systemctl, "show", "ollama.service", "--property=LoadState,ActiveState,SubState")
    try:
        _, output, _ = await _run(words, environ, ask_s)
    except (OSError, TimeoutError):
        return {}
    return {name: value for name, _, value in (line.partition("=") for line in _lines(output))}


def _unit_start(scope: tuple[str, ...], state: Mapping[str, str], *, is_root: bool) -> Start:
    active = state.get("ActiveState")
    if active == "activating" and state.get("SubState", "").startswith("auto-restart"):
        return Start(_journal(scope), False, "its unit ends again and again, and systemd restarts it")
    if active in ("active", "activating", "reloading", "refreshing"):
        return Start(_journal(scope), False, "its unit runs, and does not answer here yet")
    why = "its unit failed" if active == "failed" else "its unit is stopped"
    command = ("systemctl", *scope, "start", "ollama")
    may_run = is_root or bool(scope)
    return Start(command if may_run else ("sudo", *command), may_run, why)


def _journal(scope: tuple[str, ...]) -> tuple[str, ...]:
    return ("journalctl", *scope, "-u", "ollama", "-n", "50")


def _serve_command(services: Services, endpoint: Endpoint) -> tuple[str, ...]:
    """`ollama serve`, with the address where it would listen elsewhere without."""
    with suppress(UsageError):
        if parse_endpoint(services.environ.get("OLLAMA_HOST", "")) == endpoint:
            return ("ollama", "serve")
    return (f"OLLAMA_HOST={endpoint.url.removeprefix('http://')}", "ollama", "serve")


async def _order(services: Services, way: Start, wait_s: float) -> None:
    """Run a command that has something else start the server, and wait for its end."""
    scope = ("--user",) if "--user" in way.command else ()
    remedy = " ".join(_journal(scope)) if way.command[0] == "systemctl" else way.typed
    try:
        code, _, errors = await _run(way.command, services.environ, wait_s)
    except TimeoutError:
        raise ModeltuiError(f"{way.typed} has not ended after {wait_s:g} s", remedy=remedy) from None
    except OSError as error:
        raise ModeltuiError(f"{way.typed} cannot be run: {error.strerror}", remedy=remedy) from None
    if code != 0:
        words = next(iter(_lines(errors)), "it does not say why")
        raise ModeltuiError(f"{way.typed} failed (exit code {code}): {words}", remedy=remedy)


async def _run(words: tuple[str, ...], environ: Mapping[str, str], limit_s: float) -> tuple[int, str, str]:
    """Exit code, output and errors of a command in a session of its own; raises OSError and TimeoutError."""
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    beginning = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *words, env=environ, stdin=null, stdout=pipe, stderr=pipe, start_new_session=True
        )
    )
    try:
        async with asyncio.timeout(limit_s):
            process = await asyncio.shield(beginning)  # cancelled, it would wait for the command's children
            output, errors = await process.communicate()
    except BaseException:
        await end_command(await beginning)
        raise
    return process.returncode or 0, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


def _serve(services: Services, endpoint: Endpoint, way: Start, live_s: float) -> None:
    """Start `ollama serve` in a session of its own, its words in a log (blocks); raises ModeltuiError.

    Not by asyncio, which kills its children when the loop goes.
    """
    log = services.paths.state / "ollama-serve.log"
    words = (_program(services, "ollama") or "ollama", "serve")
    environ = {**services.environ, "OLLAMA_HOST": endpoint.url.removeprefix("http://")}
    null, same = subprocess.DEVNULL, subprocess.STDOUT
    try:
        private_directory(log.parent)
        with os.fdopen(open_private(log, os.O_RDWR | os.O_APPEND), "rb") as file:
            before = file.seek(0, os.SEEK_END)
            process = subprocess.Popen(
                words, env=environ, stdin=null, stdout=file, stderr=same, start_new_session=True
            )
            # Waits as long as the server lives, so that no zombie is left of it.
            waiting = threading.Thread(target=process.wait, name="ollama serve", daemon=True)
            waiting.start()
            waiting.join(live_s)
            if waiting.is_alive():
                return
            file.seek(max(before, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            said = _lines(file.read(_TAIL_BYTES).decode("utf-8", "replace"))
    except OSError as error:
        what = f"{error.filename or log}: {error.strerror}"
        raise ModeltuiError(f"{way.typed} cannot be run: {what}", remedy=way.typed) from None
    what = "; ".join(said[-3:]) or "it does not say why"
    message = f"{way.typed} ended at once (exit code {process.returncode}): {what}"
    raise ModeltuiError(message, remedy=f"look at {log}, or run it in a terminal: {way.typed}")


def _lines(text: str) -> list[str]:
    """The lines that say something, cleaned."""
    return [clean_line(line.strip(), 200) for line in text.splitlines() if line.strip()]
