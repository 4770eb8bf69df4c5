"""Pulls that are interrupted in every way: the queue keeps them, says how to go on, and does."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from commandline import Home, Process, Ran, Stage, Terminal, until

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel
from modeltui.domain.transfers import State

Cli = Callable[..., Ran]

NAME = "slow-demo:latest"
SIZE = 40_000_000
SLOW, FAST = 2_000_000.0, 2_000_000_000.0


@pytest.fixture
def slow(stage: Stage) -> Stage:
    """A server from which slow-demo takes twenty seconds."""
    stage.publish(DemoModel(NAME, "slow", SIZE), DemoModel("other-demo:latest", "other", SIZE))
    stage.set_rate(SLOW)
    return stage


def kept(home: Home) -> int:
    """The bytes of the interrupted transfer, which waits."""
    row = home.row(NAME)
    assert row is not None
    assert (row.transfer.state, row.transfer.detail) == (State.WAITING, "interrupted")
    assert 0 < row.transfer.done < SIZE
    done: int = row.transfer.done
    return done


def goes_on(home: Home, stage: Stage) -> None:
    """`queue run` finishes it from where it stood."""
    stage.set_rate(FAST)
    ran = home.apart("queue", "run")
    assert (ran.code, NAME in stage.installed) == (0, True)
    assert ran.out.startswith("slow-demo:latest installed, digest checked, 40.0 MB in ")
    row = home.row(NAME)
    assert row is not None and row.transfer.state is State.INSTALLED


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_leaves_the_queue_intact_and_says_how_to_go_on(
    home: Home, slow: Stage, number: signal.Signals, code: int
) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: home.is_pulling(NAME))
        began = time.monotonic()
        pull.signal(number)
        ran = pull.end()
        assert time.monotonic() - began < 3
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.endswith("interrupted; go on with: modeltui queue run\n")
    assert f"1 {NAME}: kept at " in ran.err
    assert "Traceback" not in ran.err
    kept(home)
    goes_on(home, slow)


def test_json_says_it_on_stderr_too_and_the_stream_stays_json(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME, "--json") as pull:
        until(lambda: home.is_pulling(NAME))
        pull.signal(signal.SIGTERM)
        ran = pull.end()
    assert ran.code == 143
    assert {line["state"] for line in ran.stream} <= {"waiting", "starting", "pulling"}
    assert "modeltui queue run" in ran.err


def test_nohup_goes_on(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME, ignoring=signal.SIGHUP) as pull:
        until(lambda: home.is_pulling(NAME))
        pull.signal(signal.SIGHUP)
        done = home.queue()[0].transfer.done
        until(lambda: home.is_pulling(NAME, done + 1_000_000))
        assert pull.is_running
        pull.signal(signal.SIGTERM)
        assert pull.end().code == 143


def test_a_terminal_that_vanishes(home: Home, slow: Stage) -> None:
    with Terminal(home, "pull", NAME) as terminal:
        terminal.read_until(" MB  ")
        until(lambda: home.is_pulling(NAME))
        terminal.hang_up()
        assert terminal.wait() == 129
    kept(home)
    goes_on(home, slow)


def test_ctrl_c_on_a_terminal_takes_the_bars_away(home: Home, slow: Stage) -> None:
    with Terminal(home, "pull", NAME) as terminal:
        terminal.read_until(" MB  ")
        terminal.send("\x03")
        ran = terminal.end()
    assert ran.code == 130
    last = ran.out.rpartition("\x1b[J")[2]
    assert "kept at " in last and last.endswith("interrupted; go on with: modeltui queue run\n")


def test_kill_9_leaves_a_row_that_reads_as_waiting_and_goes_on(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: home.is_pulling(NAME, 1_000_000))
        pull.signal(signal.SIGKILL)
        assert pull.end().code == -9
    assert home.queue()[0].transfer.state is State.PULLING  # nobody could say anything else
    ran = home.apart("queue")
    assert "waiting (interrupted)" in ran.out
    assert ran.err == "nobody carries the queue out now: modeltui queue run\n"
    row = home.apart("queue", "--json").json[0]
    assert (row["state"], row["done"] >= 1_000_000, row["speed"]) == ("waiting", True, None)
    goes_on(home, slow)


def test_a_second_signal_ends_at_once(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME, environ={"PYTHONWARNINGS": ""}) as pull:  # sockets need not be closed
        until(lambda: home.is_pulling(NAME))
        pull.signal(signal.SIGINT)
        pull.signal(signal.SIGINT)
        ran = pull.end()
    assert ran.code in (130, -2)
    assert "Traceback" not in ran.err
    goes_on(home, slow)


def test_the_server_dies_mid_pull_and_comes_back(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: home.is_pulling(NAME))
        slow.stop()
        until(lambda: (row := home.row(NAME)) and row.transfer.state is State.RETRYING)
        assert pull.is_running
        slow.set_rate(FAST)
        slow.start()
        ran = pull.end()
    assert (ran.code, NAME in slow.installed) == (0, True)
    assert f"1 {NAME}: retry 1 of 10 (" in ran.err
    assert ran.out.startswith("slow-demo:latest installed, digest checked, 40.0 MB")


def test_a_stalled_pull_is_begun_again(home: Home, slow: Stage) -> None:
    home.configure(slow.url, more="downloads.stall_s = 1")
    slow.set_rate(100_000_000)
    slow.trouble(Kind.STALL, "/api/pull", after_bytes=10_000_000, times=1)
    ran = home.apart("pull", NAME)
    assert ran.code == 0
    assert "retry 1 of 10 (no byte for 1 s)" in ran.err


def test_two_pulls_share_a_runner_and_the_second_takes_over(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME) as first:
        until(lambda: home.is_pulling(NAME))
        with home.spawn("pull", "other-demo") as second:
            until(lambda: home.row("other-demo:latest"))
            slow.set_rate(FAST)  # for what begins from now on: the first goes on slowly
            first.signal(signal.SIGINT)
            assert first.end().code == 130
            ran = second.end()
    assert ran.code == 0
    assert ran.out.startswith("other-demo:latest installed, ")
    assert f"also in the queue: {NAME}" in ran.err


def test_two_pulls_at_once_both_end_well(home: Home, slow: Stage) -> None:
    slow.set_rate(80_000_000)
    with home.spawn("pull", NAME) as first, home.spawn("pull", "other-demo") as second:
        rans = [first.end(), second.end()]
    assert [ran.code for ran in rans] == [0, 0]
    assert {NAME, "other-demo:latest"} <= set(slow.installed)
    assert {row.transfer.state for row in home.queue()} == {State.INSTALLED}


def test_two_pulls_of_the_same_name_are_one(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME) as first:
        until(lambda: home.is_pulling(NAME))
        with home.spawn("pull", NAME) as second:
            until(lambda: _says(second, "was in the queue already, as 1"))
            slow.stop()
            slow.set_rate(FAST)
            slow.start()
            assert (first.end().code, second.end().code) == (0, 0)
    assert len(home.queue()) == 1


def _says(process: Process, text: str) -> bool:
    return text in process.talk_line()


def test_pause_resume_and_cancel_from_another_terminal(home: Home, cli: Cli, slow: Stage) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: home.is_pulling(NAME))
        assert cli("queue", "pause", "1").out == f"1 {NAME}: pausing\n"
        ran = pull.end()
    assert (ran.code, f"{NAME}: paused by you" in ran.err) == (1, True)
    with home.spawn("pull", NAME) as pull:  # asking for it again is resuming it
        until(lambda: home.is_pulling(NAME))
        began = time.monotonic()
        assert cli("queue", "cancel", "1").out == f"1 {NAME}: cancelling\n"
        until(lambda: (row := home.row(NAME)) and row.transfer.wanted == "cancel")
        until(lambda: not slow.server._transfers._running, 5)
        assert time.monotonic() - began < 2
        ran = pull.end()
    assert (ran.code, f"{NAME}: cancelled" in ran.err) == (1, True)


def test_a_server_that_is_off_queues_nothing(home: Home, slow: Stage) -> None:
    slow.stop()
    ran = home.apart("pull", NAME)
    assert (ran.code, ran.out) == (4, "")
    assert slow.url in ran.err and "ollama serve" in ran.err
    assert home.queue() == []


def test_a_server_that_hangs_at_the_start(home: Home, slow: Stage) -> None:
    slow.trouble(Kind.HANG, "/api/version")
    began = time.monotonic()
    ran = home.apart("pull", NAME, "--json")
    assert 4 < time.monotonic() - began < 9
    assert (ran.code, ran.out, ran.error["code"]) == (4, "", "timed_out")
    assert "no answer for 5 s" in ran.error["message"]
    assert home.queue() == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_command_that_hangs_ends_with_the_signal(
    home: Home, slow: Stage, number: signal.Signals, code: int
) -> None:
    slow.trouble(Kind.HANG, "/api/generate")
    with home.spawn("load", "qwen3:8b") as load:
        until(lambda: not [fault for fault in slow.server.faults.waiting if fault.times])
        until(lambda: _catches_signals(load))
        load.signal(number)
        ran = load.end(5)
    assert (ran.code, ran.out) == (code, "")
    assert "Traceback" not in ran.err


def _catches_signals(process: Process) -> bool:
    """Whether the process has its signal handlers: Python catches SIGTERM by then."""
    status = subprocess.run(
        ["grep", "SigCgt", f"/proc/{process.pid}/status"], capture_output=True, text=True, check=False
    )
    caught = int(status.stdout.split()[1], 16) if status.stdout else 0
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_a_signal_before_anything_is_set_up_is_quiet(home: Home, stage: Stage) -> None:
    for delay in (0.02, 0.08, 0.15):
        with home.spawn("ls") as ls:
            time.sleep(delay)  # wherever it stands by now, it must end silently
            ls.signal(signal.SIGTERM)
            ran = ls.end(5)
        assert ran.code in (0, 143, -signal.SIGTERM)
        assert ran.err == ""


def test_what_is_left_behind_is_private(home: Home, slow: Stage) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: home.is_pulling(NAME))
        pull.signal(signal.SIGKILL)
        pull.end()
    for path in [home.paths.state, *home.paths.state.rglob("*")]:
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))
    assert os.access(home.paths.database, os.W_OK)
