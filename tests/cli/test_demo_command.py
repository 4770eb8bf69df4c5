"""`modeltui demo`: a server in the foreground that other terminals use, gone without a trace at its end."""

import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import Home, Ran, Stage

Cli = Callable[..., Ran]
WORDS = re.compile(r"^  \. (/\S+/env)$", re.MULTILINE)


def sourced(path: Path) -> dict[str, str]:
    """What a shell has after `. path`, for the plain file that it is."""
    lines = path.read_text("utf-8").splitlines()
    found = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    assert set(found) == {"MODELTUI_CONFIG_DIR", "MODELTUI_STATE_DIR", "MODELTUI_CACHE_DIR"}
    return found


def test_its_address_alone_on_stdout_and_a_way_in_for_others(home: Home) -> None:
    with home.spawn("demo", "--json") as demo:
        told = json.loads(demo.first_line())
        assert set(told) == {"url", "version", "environment"}
        environment = Path(told["environment"])
        assert environment.parent.stat().st_mode & 0o777 == 0o700
        assert environment.stat().st_mode & 0o777 == 0o600
        ran = home.apart("ls", "--json", environ=sourced(environment))
        assert (ran.code, ran.err, len(ran.json)) == (0, "", 12)
        ran = home.apart("pull", "tiny-demo", environ=sourced(environment))
        assert ran.code == 0
        assert "tiny-demo:latest installed, digest checked" in ran.out
        assert demo.is_running
        demo.signal(signal.SIGINT)
        ran = demo.end()
    assert (ran.code, ran.err) == (130, "")
    assert not environment.parent.exists()
    assert list(home.root.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_every_end_takes_the_directories_along(home: Home, number: signal.Signals, code: int) -> None:
    with home.spawn("demo", "--old") as demo:
        url = demo.first_line().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        ran = home.apart("ps", "--server", url, "--json")
        assert (ran.code, ran.json) == (0, [])
        demo.signal(number)
        ran = demo.end()
    assert (ran.code, ran.out) == (code, "")  # its first line was read before
    assert "Ollama 0.24" in ran.err and "until ctrl+c" in ran.err
    match = WORDS.search(ran.err)
    assert match is not None
    assert not Path(match[1]).parent.exists()


def test_a_port_of_ones_own(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with home.spawn("demo", "--port", str(port)) as demo:
        assert demo.first_line() == f"http://127.0.0.1:{port}\n"


def test_a_port_that_is_in_use(cli: Cli, stage: Stage) -> None:
    ran = cli("demo", "--port", str(stage.server.port), "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (1, "", "failed")
    assert "in use" in ran.error["message"]
    assert ran.error["remedy"] == "choose another: --port N"


@pytest.mark.parametrize(
    "words",
    [("pull", "gemma3:12b", "llama3.1:8b"), ("upgrade", "--all", "--yes")],
    ids=lambda words: words[0],
)
def test_a_pull_that_is_interrupted_in_a_demonstration_promises_nothing(
    home: Home, words: tuple[str, ...]
) -> None:
    with home.spawn(*words, "--demo", "--json") as pull:
        pull.first_line()
        pull.signal(signal.SIGTERM)
        ran = pull.end()
    assert ran.code == 143
    assert ran.err.endswith("interrupted; nothing is kept of a demonstration\n")
    assert "queue run" not in ran.err
