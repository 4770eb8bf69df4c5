"""`pull` and `queue` with a runner apart: whatever happens to the command, the pull goes on."""

import signal
from collections.abc import Callable, Iterator

import pytest
from apart import (
    end_runners,
    is_installed,
    is_pulling,
    kill_runner,
    log_of,
    row_of,
    runner_lives,
    runners,
)
from commandline import Home, Ran, Stage, Terminal, until

from modeltui.demo.library import DemoModel
from modeltui.domain.transfers import State

Cli = Callable[..., Ran]

NAME = "slow-demo:latest"
SIZE = 40_000_000
ENDLESS, FAST = 200_000.0, 2_000_000_000.0


@pytest.fixture
def apart(stage: Stage, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A server from which nothing ever comes whole, and a runner apart that does not outlive the test."""
    home.environ["MODELTUI_DOWNLOADS__DETACHED"] = "true"
    monkeypatch.setenv("MODELTUI_DOWNLOADS__DETACHED", "true")
    monkeypatch.setenv("PYTHONPATH", home.environ["PYTHONPATH"])
    stage.publish(DemoModel(NAME, "slow", SIZE), DemoModel("other-demo:latest", "other", SIZE))
    stage.set_rate(ENDLESS)
    yield stage
    end_runners(home.paths)


def goes_on(home: Home) -> None:
    """Bytes still come, by the one runner that there ever was."""
    row = row_of(home.paths, NAME)
    assert row is not None
    least = row.transfer.done + 100_000
    until(lambda: is_pulling(home.paths, NAME, least))
    assert len(runners(home.paths)) == 1


def arrives(home: Home, stage: Stage) -> None:
    """It comes to its end, once the server is back and fast."""
    stage.stop()
    stage.set_rate(FAST)
    stage.start()
    until(lambda: is_installed(home.paths, NAME))


def test_a_pull_is_carried_out_apart_and_shown(home: Home, apart: Stage) -> None:
    apart.set_rate(FAST)
    ran = home.apart("pull", NAME, "other-demo")
    assert ran.code == 0
    assert [line.split()[:2] for line in ran.out.splitlines()] == [
        [NAME, "installed,"],
        ["other-demo:latest", "installed,"],
    ]
    assert set(apart.installed) >= {NAME, "other-demo:latest"}
    until(lambda: not runner_lives(home.paths))
    assert f"1 {NAME}: installed (digest checked)" in log_of(home.paths)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_leaves_the_pull_at_work_and_says_so(
    home: Home, apart: Stage, number: signal.Signals, code: int
) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        pull.signal(number)
        ran = pull.end()
    assert (ran.code, ran.out) == (code, "")
    words = "the pull goes on; modeltui queue shows it, modeltui queue cancel 1 ends it\n"
    assert ran.err.endswith(words)
    assert f"1 {NAME}: at " in ran.err
    assert runner_lives(home.paths)
    goes_on(home)


def test_kill_9_of_the_command_leaves_the_pull_at_work(home: Home, apart: Stage) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        pull.signal(signal.SIGKILL)
        assert pull.end().code == -9
    goes_on(home)
    arrives(home, apart)
    assert len(runners(home.paths)) == 1


def test_a_terminal_that_vanishes_leaves_the_pull_at_work(home: Home, apart: Stage) -> None:
    with Terminal(home, "pull", NAME) as terminal:
        terminal.read_until(" MB  ")
        terminal.hang_up()
        assert terminal.wait() == 129
    goes_on(home)


def test_ctrl_c_on_a_terminal_takes_the_bars_away(home: Home, apart: Stage) -> None:
    with Terminal(home, "pull", NAME) as terminal:
        terminal.read_until(" MB  ")
        terminal.send("\x03")
        ran = terminal.end()
    assert ran.code == 130
    last = ran.out.rpartition("\x1b[J")[2]
    assert f"1 {NAME}: at " in last and "the pull goes on; " in last


def test_a_runner_that_is_killed_is_started_again_by_who_watches(home: Home, apart: Stage) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        apart.set_rate(FAST)
        killed = kill_runner(home.paths)
        ran = pull.end(60)
    assert (ran.code, NAME in apart.installed) == (0, True)
    assert runners(home.paths)[0] == killed and len(runners(home.paths)) == 2
    (said,) = (line for line in ran.err.splitlines() if "the runner ended" in line)
    assert said.startswith("modeltui: the runner ended before the queue did, and is started again; the last")
    assert said.endswith(f"1 {NAME}: starting")


@pytest.mark.parametrize(
    "words",
    [
        *(("queue",), ("queue", "--json"), ("queue", "move", "1", "1"), ("pull", "other-demo")),
        *(
            ("ls",),
            ("ls", "--json"),
            ("activity",),
            ("show", "nowhere:1b"),
            ("ps", "--server", "127.0.0.1:9"),
        ),
    ],
    ids=str,
)
def test_whoever_comes_next_takes_up_what_a_killed_runner_left(
    home: Home, apart: Stage, words: tuple[str, ...]
) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        pull.signal(signal.SIGKILL)
        pull.end()
    kill_runner(home.paths)
    apart.set_rate(FAST)
    ran = home.apart(*words)
    assert ran.code == {"show": 5, "ps": 4}.get(words[0], 0)
    if words in (("queue",), ("queue", "move", "1", "1")):
        assert "waiting (interrupted)" in ran.out
    if words[0] != "pull" and "--json" not in words:
        assert ran.err.splitlines()[0] == "nobody carried the queue out: a runner is started"
    elif words == ("ls", "--json"):
        assert (ran.err, bool(ran.json)) == ("", True)
    until(lambda: is_installed(home.paths, NAME))


def test_who_comes_after_the_one_that_started_a_runner_starts_none(
    home: Home, cli: Cli, apart: Stage
) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        pull.signal(signal.SIGKILL)
        pull.end()
    kill_runner(home.paths)
    begun = len(runners(home.paths))
    assert cli("queue").err == "nobody carried the queue out: a runner is started\n"
    assert (cli("queue").err, cli("ls", "--json").err) == ("", "")
    until(lambda: is_pulling(home.paths, NAME))
    assert len(runners(home.paths)) == begun + 1


def test_wishes_from_another_terminal_are_obeyed_and_none_needs_a_runner(
    home: Home, cli: Cli, apart: Stage
) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        asked = cli("queue", "pause", "1")  # answered before or after the runner has obeyed
        assert (asked.code, asked.err) == (0, "")
        ran = pull.end()
    assert (ran.code, f"{NAME}: paused by you" in ran.err) == (1, True)
    until(lambda: not runner_lives(home.paths))
    apart.set_rate(FAST)
    ran = cli("queue", "resume", "1")
    assert ran == Ran(
        0, f"1 {NAME}: waiting (interrupted)\n", "nobody carried the queue out: a runner is started\n"
    ) or ran == Ran(0, f"1 {NAME}: waiting\n", "nobody carried the queue out: a runner is started\n")
    until(lambda: is_installed(home.paths, NAME))


def test_queue_run_beside_a_runner_watches_and_a_second_runner_ends(home: Home, apart: Stage) -> None:
    with home.spawn("pull", NAME) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        second = home.apart("queue", "run", "--headless")
        assert (second.code, second.out, second.err) == (0, "", "")
        with home.spawn("queue", "run") as third:
            until(lambda: third.talk_line().endswith("pulling\n"))
            arrives(home, apart)
            assert third.end().out.startswith(f"{NAME} installed, ")
        assert pull.end().code == 0
    assert len(runners(home.paths)) == 1


def test_two_pulls_and_the_json_of_a_queue_say_the_same(home: Home, apart: Stage) -> None:
    with home.spawn("pull", NAME, "--json") as first, home.spawn("pull", NAME, "--json") as second:
        assert first.first_line() and second.first_line()  # both have queued it, and found it queued
        until(lambda: is_pulling(home.paths, NAME))
        apart.stop()
        apart.set_rate(FAST)
        apart.start()
        rans = [first.end(60), second.end(60)]
    assert [ran.code for ran in rans] == [0, 0]
    last = [ran.stream[-1] for ran in rans]
    (listed,) = home.apart("queue", "--json").json
    for each in last:
        assert each["state"] == "installed"
        assert {key: each[key] for key in listed} == listed
    assert len(runners(home.paths)) == 1


def test_a_secret_that_the_runner_lacks_is_had_by_the_next(home: Home, apart: Stage) -> None:
    """As after a reboot: what starts first may have another environment than the one who asked."""
    home.configure(apart.url, of_server='token_env = "BOX_TOKEN"')
    secret = {"BOX_TOKEN": "hush-hush"}
    with home.spawn("pull", NAME, environ=secret) as pull:
        until(lambda: is_pulling(home.paths, NAME))
        pull.signal(signal.SIGKILL)
        pull.end()
    kill_runner(home.paths)
    assert home.apart("queue").code == 0
    until(lambda: (row := row_of(home.paths, NAME)) and row.transfer.state is State.BLOCKED)
    until(lambda: not runner_lives(home.paths))
    (row,) = home.apart("queue", "--json").json
    assert (row["cause"], "BOX_TOKEN is not set" in row["detail"]) == ("no_secret", True)
    apart.set_rate(FAST)
    with home.spawn("queue", "run", environ=secret) as run:
        assert run.end().code == 0
    assert is_installed(home.paths, NAME)
    assert "hush" not in log_of(home.paths)


def test_the_unit_is_printed(cli: Cli, apart: Stage, home: Home) -> None:
    ran = cli("queue", "unit")
    assert (ran.code, ran.err) == (0, "")
    assert f"MODELTUI_STATE_DIR={home.paths.state}" in ran.out
    found = cli("queue", "unit", "--json").json
    assert found == {"path": "~/.config/systemd/user/modeltui.service", "unit": ran.out, "timer": None}
    home.configure(apart.url, more='updates.auto = "check"')
    asked = cli("queue", "unit")
    assert asked.out.startswith(ran.out)
    assert "modeltui-update.timer" in asked.out


def test_no_file_of_it_is_open_to_others(home: Home, apart: Stage) -> None:
    apart.set_rate(FAST)
    assert home.apart("pull", NAME).code == 0
    for path in [home.paths.state, *home.paths.state.rglob("*")]:
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))
    row = row_of(home.paths, NAME)
    assert row is not None and row.transfer.state is State.INSTALLED
