"""Starting a server on this machine, with stand-ins of systemctl and ollama on a PATH of their own."""

import asyncio
import os
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    configure,
    open_services,
    until,
)

from modeltui.config.settings import ServerConfig
from modeltui.domain.endpoint import parse_endpoint
from modeltui.errors import ModeltuiError, Refusal
from modeltui.paths import paths_under
from modeltui.services.starting import Start, find_start, start
from modeltui.services.tree import Services

PATIENCE_S = 20.0
NOT_FOUND = "LoadState=not-found\nActiveState=inactive\nSubState=dead"
STOPPED = "LoadState=loaded\nActiveState=inactive\nSubState=dead"
FAILED = "LoadState=loaded\nActiveState=failed\nSubState=failed"
RUNNING = "LoadState=loaded\nActiveState=active\nSubState=running"
STARTING = "LoadState=loaded\nActiveState=activating\nSubState=start"
CRASHING = "LoadState=loaded\nActiveState=activating\nSubState=auto-restart"

SYSTEM = Start(("systemctl", "start", "ollama"), True, "its unit is stopped")
USER = Start(("systemctl", "--user", "start", "ollama"), True, "its unit is stopped")
SERVE = Start(("ollama", "serve"), True, "ollama is installed here", detached=True)


@dataclass
class Machine:
    """A user's directories, a PATH with nothing else on it, and a port where nobody listens."""

    root: Path
    server: ServerConfig
    services: Services

    @property
    def log(self) -> Path:
        return self.services.paths.state / "ollama-serve.log"

    @property
    def pid(self) -> int:
        """Of the stand-in that wrote it last; 0 before."""
        path = self.root / "pid"
        return int(path.read_text() or 0) if path.exists() else 0

    @property
    def calls(self) -> list[str]:
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def activity(self) -> list[tuple[str | None, str, str, str]]:
        rows = self.services.store.journal.latest(100)
        return [(row.server, row.action, row.object, row.result) for row in reversed(rows)]

    def put(self, name: str, script: str) -> None:
        """A program on the PATH; it notes how it was called."""
        path = self.root / "bin" / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {self.root}/calls\n{script}\n')
        path.chmod(0o755)

    def systemd(self, system: str = NOT_FOUND, user: str = NOT_FOUND, start: str = "exit 0") -> None:
        cases = f"show*) echo '{system}';; '--user show'*) echo '{user}';; *) {start};;"
        self.put("systemctl", f'case "$*" in {cases} esac')

    async def found(self, *, uid: int = 1000, platform: str = "linux") -> Start | None:
        return await find_start(
            self.services, self.server, uid=uid, platform=platform, root=self.root, ask_s=PATIENCE_S
        )

    async def refused(self, way: Start, *, wait_s: float = PATIENCE_S) -> ModeltuiError:
        with pytest.raises(ModeltuiError) as caught:
            await start(self.services, self.server, way, wait_s=wait_s, live_s=PATIENCE_S)
        return caught.value

    def lives(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end(self) -> None:
        """Kill what the stand-in with that pid started in its session."""
        if self.pid and self.lives():
            os.killpg(self.pid, signal.SIGKILL)


def machine_at(root: Path, **environ: str) -> Machine:
    (root / "bin").mkdir()
    paths = paths_under(root)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    configure(paths, f"http://{address}", local=None)
    usual = {"PATH": str(root / "bin"), "OLLAMA_HOST": f" '{address}' "}
    services = open_services(paths, [], usual | environ)
    return Machine(root, services.config.active, services)


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = machine_at(tmp_path)
    yield made
    made.end()
    await made.services.close()


def ended(pid: int) -> bool:
    """Whether a process that is not ours to reap has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# What is found.


async def test_on_a_machine_with_nothing_there_is_no_way(machine: Machine) -> None:
    assert await machine.found() is None


async def test_without_a_path_nothing_of_this_machine_is_found(machine: Machine) -> None:
    machine.services = replace(machine.services, environ={})
    assert await machine.found() is None


@pytest.mark.parametrize("local", [None, False])
async def test_a_server_elsewhere_is_not_started_here(machine: Machine, local: bool | None) -> None:
    machine.systemd(STOPPED)
    machine.put("ollama", "")
    elsewhere = parse_endpoint("http://192.0.2.1:11434")
    endpoint = elsewhere if local is None else machine.server.endpoint
    machine.server = replace(machine.server, endpoint=endpoint, local=local)
    assert await machine.found() is None
    assert machine.calls == []


@pytest.mark.parametrize(
    ("state", "why"),
    [(STOPPED, "its unit is stopped"), (FAILED, "its unit failed")],
    ids=["stopped", "failed"],
)
async def test_a_system_unit_is_started_by_root(machine: Machine, state: str, why: str) -> None:
    machine.systemd(state, STOPPED)
    machine.put("ollama", "")
    assert await machine.found(uid=0) == replace(SYSTEM, why=why)
    typed = ("sudo", "systemctl", "start", "ollama")
    assert await machine.found(uid=1000) == Start(typed, may_run=False, why=why)
    show = "systemctl show ollama.service --property=LoadState,ActiveState,SubState"
    assert machine.calls == [show, show]


async def test_who_we_are_is_asked_of_the_system(machine: Machine) -> None:
    machine.systemd(STOPPED)
    found = await find_start(machine.services, machine.server, ask_s=PATIENCE_S)
    assert found is not None
    assert found.may_run is (os.geteuid() == 0)


async def test_a_user_unit_is_started_by_its_user(machine: Machine) -> None:
    machine.systemd(NOT_FOUND, STOPPED)
    machine.put("ollama", "")
    assert await machine.found() == USER


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (RUNNING, "its unit runs, and does not answer here yet"),
        (STARTING, "its unit runs, and does not answer here yet"),
        (CRASHING, "its unit ends again and again, and systemd restarts it"),
    ],
    ids=["running", "starting", "crashing"],
)
async def test_a_unit_that_runs_has_a_journal_to_read(machine: Machine, state: str, why: str) -> None:
    machine.systemd(state)
    system = ("journalctl", "-u", "ollama", "-n", "50")
    assert await machine.found(uid=0) == Start(system, may_run=False, why=why)
    machine.systemd(NOT_FOUND, state)
    user = ("journalctl", "--user", "-u", "ollama", "-n", "50")
    assert await machine.found() == Start(user, may_run=False, why=why)


@pytest.mark.parametrize(
    "script",
    [
        "echo 'System has not been booted with systemd as init system' >&2; exit 1",
        "printf '\\377\\033[2J=loaded\\n'",
        "echo LoadState=masked",
    ],
    ids=["no systemd", "noise", "masked"],
)
async def test_without_a_unit_the_program_is_the_server(machine: Machine, script: str) -> None:
    machine.put("systemctl", script)
    machine.put("ollama", "")
    assert await machine.found() == SERVE


async def test_a_systemctl_that_cannot_be_run_is_none(machine: Machine) -> None:
    machine.put("systemctl", "")
    (machine.root / "bin/systemctl").write_text("#!/nowhere/sh\n")
    machine.put("ollama", "")
    assert await machine.found() == SERVE


async def test_a_systemd_that_does_not_answer_is_not_waited_for(machine: Machine) -> None:
    machine.put("systemctl", "exec /bin/sleep 60")
    machine.put("ollama", "")
    async with asyncio.timeout(PATIENCE_S):
        assert await find_start(machine.services, machine.server, platform="linux", ask_s=0.1) == SERVE


async def test_on_a_mac_the_app_comes_first(machine: Machine) -> None:
    machine.put("ollama", "")
    assert await machine.found(platform="darwin") == SERVE
    (machine.root / "Applications/Ollama.app").mkdir(parents=True)
    app = Start(("open", "-a", "Ollama"), True, "the Ollama app is installed here")
    assert await machine.found(platform="darwin") == app
    assert await machine.found(platform="linux") == SERVE


@pytest.mark.parametrize("variable", ["", "0.0.0.0:7", "user:word@box"])
async def test_the_address_is_typed_where_the_environment_says_another(
    machine: Machine, variable: str
) -> None:
    machine.put("ollama", "")
    machine.services = replace(
        machine.services, environ={**machine.services.environ, "OLLAMA_HOST": variable}
    )
    machine.server = replace(machine.server, endpoint=parse_endpoint("http://[::1]:7"))
    found = await machine.found()
    assert found == replace(SERVE, command=("OLLAMA_HOST=[::1]:7", "ollama", "serve"))
    assert found.typed == "OLLAMA_HOST=[::1]:7 ollama serve"


@pytest.mark.parametrize("url", ["https://127.0.0.1:7", "http://127.0.0.1:7/ollama"])
async def test_a_proxy_is_not_what_ollama_serve_would_be(machine: Machine, url: str) -> None:
    machine.put("ollama", "")
    machine.server = replace(machine.server, endpoint=parse_endpoint(url), local=True)
    assert await machine.found() is None
    machine.systemd(STOPPED)
    assert await machine.found(uid=0) == SYSTEM


# What is run.


async def test_a_unit_is_started_and_recorded(machine: Machine) -> None:
    machine.systemd(STOPPED)
    found = await machine.found(uid=0)
    assert found is not None
    await start(machine.services, machine.server, found)
    assert machine.calls[-1] == "systemctl start ollama"
    assert machine.activity == [("demo", "start", "systemctl start ollama", "done")]


async def test_what_needs_sudo_is_never_run(machine: Machine) -> None:
    machine.systemd(STOPPED)
    machine.put("sudo", "")
    found = await machine.found()
    assert found is not None
    error = await machine.refused(found)
    assert isinstance(error, Refusal)
    assert error.remedy == "sudo systemctl start ollama"
    assert not any("start" in call.split() for call in machine.calls)
    assert machine.activity == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "echo >&2; printf 'Job \\033[31mfailed\\nsee more\\n' >&2; exit 4",
            "(exit code 4): Job ·[31mfailed",
        ),
        ("exit 1", "(exit code 1): it does not say why"),
    ],
)
async def test_a_unit_that_fails_says_why(machine: Machine, script: str, words: str) -> None:
    machine.systemd(start=script)
    error = await machine.refused(SYSTEM)
    assert error.message == f"systemctl start ollama failed {words}"
    assert error.remedy == "journalctl -u ollama -n 50"
    error = await machine.refused(USER)
    assert error.message == f"systemctl --user start ollama failed {words}"
    assert error.remedy == "journalctl --user -u ollama -n 50"
    results = [result for *_, result in machine.activity]
    assert results == ["failed", "failed"]


async def test_a_command_that_is_gone_is_said(machine: Machine) -> None:
    error = await machine.refused(Start(("open", "-a", "Ollama"), True, "the app"))
    assert error.message == "open -a Ollama cannot be run: No such file or directory"
    assert error.remedy == "open -a Ollama"


async def test_a_start_that_takes_too_long_is_given_up(machine: Machine) -> None:
    machine.systemd(start="exec /bin/sleep 60")
    error = await machine.refused(SYSTEM, wait_s=0.1)
    assert error.message == "systemctl start ollama has not ended after 0.1 s"
    assert error.remedy == "journalctl -u ollama -n 50"
    assert machine.activity == [("demo", "start", "systemctl start ollama", "failed")]


def hold_up() -> None:
    """Keep the event loop so busy that a command runs before asyncio has done with starting it."""
    time.sleep(0.05)


@pytest.mark.parametrize("hold", [lambda: None, hold_up], ids=["running", "beginning"])
async def test_who_gives_up_ends_the_command_with_all_it_started(
    machine: Machine, hold: Callable[[], None]
) -> None:
    child = machine.root / "child"
    machine.systemd(start=f"/bin/sleep 60 & echo $! > {child}; echo $$ > {machine.root}/pid; wait")
    task = asyncio.create_task(start(machine.services, machine.server, SYSTEM))
    async with asyncio.timeout(PATIENCE_S):
        while not machine.pid:
            await asyncio.sleep(0)
            hold()
    assert machine.lives()
    task.cancel()
    await asyncio.wait({task}, timeout=PATIENCE_S)
    assert task.cancelled()
    await until(lambda: ended(int(child.read_text())))
    assert machine.activity == [("demo", "start", "systemctl start ollama", "failed")]


def serving(machine: Machine, words: str = "") -> None:
    machine.put("ollama", f"{words}\necho $$ > {machine.root}/pid\nexec /bin/sleep 60")


def test_a_served_server_outlives_us(tmp_path: Path) -> None:
    """Even the event loop's end, at which asyncio kills the children it knows."""
    made = machine_at(tmp_path, OLLAMA_MODELS="/models")
    serving(made, 'read x || echo "no input"; echo "$OLLAMA_HOST $OLLAMA_MODELS" >&2')
    previous = os.umask(0)
    try:

        async def work() -> None:
            found = await made.found()
            assert found == SERVE
            await start(made.services, made.server, found, live_s=0.05)
            await until(lambda: made.pid > 0)
            await made.services.close()

        asyncio.run(work())
        assert made.lives()
        assert os.getsid(made.pid) == made.pid != os.getsid(0)
        address = made.server.endpoint.url.removeprefix("http://")
        assert made.log.read_text().splitlines() == ["no input", f"{address} /models"]
        assert stat.S_IMODE(made.log.stat().st_mode) == 0o600
        assert made.calls == ["ollama serve"]
        made.end()
        asyncio.run(until(lambda: not made.lives()))  # reaped too: a zombie would still be there
    finally:
        os.umask(previous)
        made.end()


async def test_a_served_server_is_recorded_without_its_secret(machine: Machine) -> None:
    serving(machine)
    machine.server = replace(machine.server, token_env="NOT_SET")
    await start(machine.services, machine.server, SERVE, live_s=0.05)
    await until(lambda: machine.pid > 0)
    assert machine.activity == [(None, "start", "ollama serve", "done")]


async def test_a_server_that_ends_at_once_says_why(machine: Machine) -> None:
    machine.log.parent.mkdir(exist_ok=True)
    machine.log.write_text("of another day\n")
    machine.put("ollama", "printf 'one\\ntwo\\n\\n\\033[1mthree\\nError: address in use\\n'; exit 3")
    error = await machine.refused(SERVE)
    said = "two; ·[1mthree; Error: address in use"
    assert error.message == f"ollama serve ended at once (exit code 3): {said}"
    assert error.remedy == f"look at {machine.log}, or run it in a terminal: ollama serve"
    assert machine.log.read_text().startswith("of another day\none\n")
    assert machine.activity == [("demo", "start", "ollama serve", "failed")]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 0", "it does not say why"),
        ("i=0; while [ $i -lt 999 ]; do echo noise; i=$((i+1)); done; echo last", "noise; noise; last"),
    ],
)
async def test_only_the_end_of_the_log_is_told(machine: Machine, script: str, words: str) -> None:
    machine.put("ollama", script)
    error = await machine.refused(SERVE)
    assert error.message == f"ollama serve ended at once (exit code 0): {words}"


def _no_program(machine: Machine) -> str:
    return "ollama: No such file or directory"


def _no_log(machine: Machine) -> str:
    machine.put("ollama", "")
    machine.log.mkdir(parents=True)
    return f"{machine.log}: Is a directory"


@pytest.mark.parametrize("arrange", [_no_program, _no_log])
async def test_what_cannot_be_begun_is_said(machine: Machine, arrange: Callable[[Machine], str]) -> None:
    words = arrange(machine)
    error = await machine.refused(SERVE)
    assert error.message == f"ollama serve cannot be run: {words}"
    assert error.remedy == "ollama serve"
    assert machine.activity == [("demo", "start", "ollama serve", "failed")]
