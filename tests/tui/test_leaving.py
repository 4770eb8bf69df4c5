"""A small program on a real terminal, which signals, a vanished and a stalled terminal must end in order."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ptys import Pty, environ_for

from modeltui.tui import leaving as module
from modeltui.tui.leaving import Leaving

GRACE_S = 1.0
PROGRAM = """
import asyncio, os, sqlite3, sys
from textual import work
from textual.app import App
from textual.widgets import Static
from modeltui.tui.leaving import Leaving

manner, grace_s, directory = sys.argv[1], float(sys.argv[2]), sys.argv[3]
leaving = Leaving(grace_s=grace_s)

class Probe(App[int]):
    BINDINGS = [("f", "fall_asleep", "sleep"), ("ctrl+z", "suspend_process", "suspend")]
    count = 0

    def compose(self):
        yield Static("READY")

    def on_mount(self):
        self.app_suspend_signal.subscribe(self, lambda app: leaving.suspend(), immediate=True)
        self.app_resume_signal.subscribe(self, self.resume)
        open(f"{directory}/pid", "w").write(str(os.getpid()))
        if manner == "noisy":
            self.set_interval(0.01, self.paint)

    def resume(self, app):
        leaving.resume()
        self.refresh()  # Textual now and then does not
        open(f"{directory}/resumed", "w").close()

    def paint(self):
        self.count += 1
        line = chr(97 + self.count % 26) * self.size.width + "\\n"
        self.query_one(Static).update(line * self.size.height)

    def action_fall_asleep(self):
        locked = sqlite3.connect(f"{directory}/database", isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        self.bell()
        self.set_timer(0.1, self.wait_for_lock)
        self.locked = locked

    def wait_for_lock(self):
        open(f"{directory}/asleep", "w").close()
        sqlite3.connect(f"{directory}/database", timeout=60, isolation_level=None).execute("BEGIN IMMEDIATE")

    async def leave(self, code):
        open(f"{directory}/asked", "a").write(f"{code}\\n")
        if manner != "stubborn":
            await asyncio.sleep(0.05)
            self.exit(code, return_code=code)

async def main():
    app, loop = Probe(), asyncio.get_running_loop()
    leaving.install(lambda code: loop.call_soon_threadsafe(lambda: app.call_next(app.leave, code)))
    try:
        await app.run_async()
    finally:
        leaving.uninstall()
    if leaving.code is not None:
        open(f"{directory}/in_order", "w").close()
    return leaving.code

if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    code = loop.run_until_complete(main())
    loop.close()
    sys.exit(code)
"""


def until(trace: Path) -> None:
    deadline = time.monotonic() + 60
    while not trace.exists():
        assert time.monotonic() < deadline, f"no {trace}"
        time.sleep(0.01)


class Probe:
    """The program on a terminal, and the traces that it leaves."""

    def __init__(self, pty: Pty, directory: Path) -> None:
        self.pty = pty
        self._directory = directory

    def start(
        self, manner: str = "plain", grace_s: float = GRACE_S, ignoring: signal.Signals | None = None
    ) -> Pty:
        program = self._directory / "program.py"
        program.write_text(PROGRAM, "utf-8")
        argv = [sys.executable, str(program), manner, str(grace_s), str(self._directory)]
        self.pty.spawn(argv, environ_for(self._directory), ignoring=ignoring)
        self.pty.read_until(b"READY")
        return self.pty

    def has(self, trace: str) -> bool:
        return (self._directory / trace).exists()

    def until(self, trace: str) -> None:
        until(self._directory / trace)

    @property
    def asked(self) -> list[int]:
        path = self._directory / "asked"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def ends_with(self, code: int, *, within: float = 10.0) -> None:
        began = time.monotonic()
        assert self.pty.wait() == code
        assert time.monotonic() - began < within


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Probe]:
    with Pty() as pty:
        yield Probe(pty, tmp_path)


SIGNALS = [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]


@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=lambda value: str(value))
def test_a_signal_ends_it_in_order_and_the_terminal_is_as_before(
    probe: Probe, number: signal.Signals, code: int
) -> None:
    pty = probe.start(grace_s=30)  # its pace is not what is tested
    assert {"raw mode", "alternate screen", "mouse", "hidden cursor", "focus events"} <= set(pty.left_on())
    pty.kill(number)
    probe.ends_with(code)
    assert (probe.asked, probe.has("in_order")) == ([code], True)
    assert pty.left_on() == []


def test_a_program_that_does_not_end_is_ended_and_the_terminal_is_as_before(probe: Probe) -> None:
    pty = probe.start("stubborn")
    pty.kill(signal.SIGTERM)
    probe.ends_with(143, within=GRACE_S + 8)
    assert (probe.asked, probe.has("in_order")) == ([143], False)
    assert pty.left_on() == []


def test_held_up_in_c_it_is_ended_all_the_same(probe: Probe) -> None:
    pty = probe.start()
    pty.send("f")
    probe.until("asleep")
    pty.kill(signal.SIGTERM)
    probe.ends_with(143, within=GRACE_S + 8)
    assert probe.asked == []
    assert pty.left_on() == []


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGTERM)])
def test_asked_twice_by_a_person_it_is_out_at_once(
    probe: Probe, numbers: tuple[signal.Signals, signal.Signals]
) -> None:
    pty = probe.start("stubborn", grace_s=60)
    pty.kill(numbers[0])
    probe.until("asked")
    pty.kill(numbers[1])
    probe.ends_with(128 + numbers[0])
    assert pty.left_on() == []


def test_a_hang_up_and_then_sigterm_is_no_second_question(probe: Probe) -> None:
    pty = probe.start("stubborn")
    began = time.monotonic()
    pty.kill(signal.SIGHUP)
    probe.until("asked")
    pty.kill(signal.SIGTERM)
    probe.ends_with(129)
    assert (time.monotonic() - began >= GRACE_S, probe.asked) == (True, [129])


@pytest.mark.parametrize("ignoring", [None, signal.SIGHUP], ids=["as usual", "nohup"])
@pytest.mark.parametrize("manner", ["plain", "noisy"])
def test_a_terminal_that_vanishes(probe: Probe, manner: str, ignoring: signal.Signals | None) -> None:
    pty = probe.start(manner, ignoring=ignoring)
    pty.hang_up()
    probe.ends_with(129)
    assert probe.asked == [129]
    assert pty.cpu_s is not None and pty.cpu_s < 3


def test_what_nohup_ignores_stays_ignored(probe: Probe) -> None:
    pty = probe.start(ignoring=signal.SIGHUP)
    pty.kill(signal.SIGHUP)
    before = pty.count
    pty.resize(60, 20)
    pty.read_until(b"READY", since=before)
    pty.kill(signal.SIGTERM)
    probe.ends_with(143)


def gone(directory: Path) -> None:
    """Wait until the program has ended, whose parent is a shell."""
    state = Path(f"/proc/{(directory / 'pid').read_text()}/stat")
    deadline = time.monotonic() + 5
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while ") Z" not in (now := state.read_text()):
            assert time.monotonic() < deadline, f"it lives on: {now}"
            time.sleep(0.02)


@pytest.fixture
def suspended(tmp_path: Path) -> Iterator[Pty]:
    """A shell on a terminal that has the program as its job, suspended."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    with Pty(columns=200) as pty:
        shell = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
        pty.spawn(shell, {**environ_for(tmp_path), "PS1": "$ ", "HISTFILE": ""})
        pty.read_until(b"$ ")
        pty.send(f"{sys.executable} {program} plain 60 {tmp_path}\n")
        pty.read_until(b"READY")
        pty.send("\x1a")
        pty.read_until(b"Stopped")
        assert pty.left_on() == []
        yield pty


def test_suspended_and_killed_by_its_shell_it_goes(suspended: Pty, tmp_path: Path) -> None:
    suspended.send("kill %1\n")
    gone(tmp_path)
    assert suspended.left_on() == []


def test_suspended_and_continued_it_is_ended_in_order(suspended: Pty, tmp_path: Path) -> None:
    at = suspended.count
    suspended.send("fg; echo code $((1000 + $?))\n")
    suspended.read_until(b"READY", since=at)
    until(tmp_path / "resumed")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    suspended.read_until(b"code 1143", since=at)
    assert (tmp_path / "in_order").exists()
    assert suspended.left_on() == []


def test_suspended_it_does_not_outlive_its_terminal(suspended: Pty, tmp_path: Path) -> None:
    suspended.hang_up()
    gone(tmp_path)


def stall(pty: Pty) -> None:
    """Stop reading, and wait until the program has come to a stand."""
    pty.stall()
    tick, before, quiet_since = os.sysconf("SC_CLK_TCK"), -1, time.monotonic()
    deadline = time.monotonic() + 20
    while time.monotonic() - quiet_since < 0.5:
        assert time.monotonic() < deadline, "it works on"
        fields = Path(f"/proc/{pty.pid}/stat").read_text().rpartition(")")[2].split()
        spent = (int(fields[11]) + int(fields[12])) * 10 // tick
        if spent != before:
            before, quiet_since = spent, time.monotonic()
        time.sleep(0.02)


def test_a_terminal_that_does_not_read_and_later_does(probe: Probe) -> None:
    pty = probe.start("noisy")
    stall(pty)
    began = time.monotonic()
    pty.kill(signal.SIGTERM)
    probe.ends_with(143)
    assert time.monotonic() - began >= GRACE_S, "its event loop waits for the terminal"
    pty.drain()
    assert pty.left_on() == []


def test_a_terminal_that_does_not_read_and_then_vanishes(probe: Probe) -> None:
    pty = probe.start("noisy", ignoring=signal.SIGHUP)
    stall(pty)
    pty.hang_up()
    probe.ends_with(129)


# In this process


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Exit codes with which the process would have ended."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    return codes


@contextlib.contextmanager
def installed(asked: list[int], grace_s: float = 60) -> Iterator[Leaving]:
    subject = Leaving(grace_s)
    subject.install(asked.append)
    try:
        yield subject
    finally:
        subject.uninstall()


def wait_for(codes: list[int]) -> None:
    deadline = time.monotonic() + 60
    while not codes:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_everything_is_as_before_after_uninstall(ended: list[int]) -> None:
    def state() -> object:
        handlers = [signal.getsignal(number) for number, _ in SIGNALS]
        woke = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(woke)
        return handlers, woke, len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    before = state()
    asked: list[int] = []
    with installed(asked) as subject:
        os.kill(os.getpid(), signal.SIGWINCH)
        os.kill(os.getpid(), signal.SIGHUP)
        wait_for(asked)
        assert (asked, subject.code) == ([129], 129)
    subject.uninstall()
    assert state() == before
    assert ended == []


def test_nothing_came(ended: list[int]) -> None:
    asked: list[int] = []
    with installed(asked) as subject:
        pass
    assert (subject.code, asked, ended) == (None, [], [])


def test_the_deadline_holds_where_nobody_can_be_asked(
    ended: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_say_last_words", lambda: None)

    def closed(code: int) -> None:
        raise RuntimeError("Event loop is closed")

    subject = Leaving(0.05)
    subject.install(closed)
    os.kill(os.getpid(), signal.SIGTERM)
    wait_for(ended)
    subject.uninstall()
    assert ended == [143]


def test_without_any_standard_stream_it_does_not_fail(tmp_path: Path) -> None:
    program = (
        "import os, signal, time; from modeltui.tui.leaving import Leaving\n"
        "for number in (0, 1, 2): os.close(number)\n"
        "Leaving(0.05).install(lambda code: None); os.kill(os.getpid(), signal.SIGTERM); time.sleep(20)"
    )
    with Pty() as pty:
        pty.spawn([sys.executable, "-c", program], environ_for(tmp_path))
        assert pty.wait() == 143
