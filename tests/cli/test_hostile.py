"""Every command against servers that lie, break, flood and never end: no crash, no harm, a true exit code."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace as altered
from typing import Any

import pytest
from commandline import DOCUMENTED, Behind, Home, Ran, Screen, Stage, Terminal, harmful, strings, until
from hostility import HOSTILITIES, shorten_limits
from replay import Connection, Request, Served, response, serving

from modeltui.demo.faults import Kind
from modeltui.demo.twist import HOSTILE_TEXTS

Cli = Callable[..., Ran]

# What each command asks beside the list of models.
COMMANDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("ls",): ("/api/tags", "/api/ps"),
    ("ps",): ("/api/ps",),
    ("show", "qwen3:8b"): ("/api/tags", "/api/ps", "/api/show"),
    ("show", "gpt-oss:120b-cloud"): ("/api/me",),
    ("rm", "qwen3:8b", "--yes", "--force"): ("/api/tags", "/api/show", "/api/delete"),
    ("cp", "qwen3:8b", "mine"): ("/api/tags", "/api/copy"),
    ("mv", "qwen3:8b", "mine"): ("/api/tags", "/api/copy", "/api/delete"),
    ("current",): ("/api/tags",),
    ("switch", "qwen3:8b"): ("/api/tags", "/api/ps", "/api/show", "/api/generate"),
    ("load", "qwen3:8b"): ("/api/ps", "/api/generate"),
    ("unload", "gemma3:12b"): ("/api/tags", "/api/ps", "/api/generate"),
    ("sync",): ("/api/tags", "/api/ps"),
    ("doctor",): ("/api/version", "/api/tags"),
    ("pull", "tiny-demo"): ("/api/version",),
    ("outdated",): ("/api/tags", "/api/show", "/v2/*"),
}

WORST = ("hostile strings", "wrong types", "half a body", "500 with words")
EVERYWHERE = (*WORST, "endless", "cut", "redirects", "hang")


def cases() -> Iterator[Any]:
    """Every way for `ls`; the worst ones for every path of every command, and for its whole server."""
    for command, paths in COMMANDS.items():
        for path in ("/api/*", *paths):
            chosen = HOSTILITIES if command == ("ls",) else EVERYWHERE if path == "/api/*" else WORST
            for name in chosen:
                # A pull whose stream is never good is tried until somebody ends it: see TestPull.
                if command[0] != "pull" or not HOSTILITIES[name][2] or path != "/api/*":
                    yield pytest.param(command, path, name, id=f"{' '.join(command[:2])} {path} {name}")


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits on time and bodies, only smaller; and retries without a pause."""
    shorten_limits(monkeypatch)
    monkeypatch.setattr("modeltui.services.loading.GONE_S", 0.5)
    monkeypatch.setattr("random.random", lambda: 0.0)


def check(ran: Ran, *, as_json: bool, on_terminal: bool = False) -> None:
    """What holds whatever a server says."""
    for text in (ran.out, ran.err):
        text.encode("utf-8")  # no lone surrogate
        assert harmful(text, on_terminal=on_terminal) == set()
        assert "Traceback" not in text
        assert "a defect of modeltui" not in text
    assert ran.code in DOCUMENTED
    if not as_json:
        assert max(map(len, (ran.out + ran.err).splitlines()), default=0) < 4000
        return
    for line in ran.out.splitlines():
        for text in strings(json.loads(line)):
            text.encode("utf-8")
            assert harmful(text) == set()
    if ran.code not in (0, 3) and not ran.out:
        assert ran.error["message"]
        for text in strings(ran.error):
            assert harmful(text) == set()


@pytest.mark.parametrize(("command", "path", "hostility"), list(cases()))
def test_a_command_survives(
    cli: Cli, stage: Stage, command: tuple[str, ...], path: str, hostility: str
) -> None:
    kind, value, is_answer = HOSTILITIES[hostility]
    if command[0] == "current":
        cli("switch", "gemma3:12b", "--record-only")
    if command[0] == "unload":
        cli("load", "gemma3:12b")
    stage.trouble(kind, path, value=value)
    for as_json in (False, True) if is_answer else (len(hostility + path) % 2 == 0,):
        ran = cli(*command, *(["--json"] if as_json else []))
        check(ran, as_json=as_json)
        if command[0] == "current":
            assert ran.code in (0, 3)  # the record is ours, whatever the server says
        elif not is_answer and path == "/api/*":
            assert ran.code in (1, 4)
    if is_answer:
        assert harmful(cli("activity").out) == set()


REFUSALS = ("401", "403", "404", "redirects")  # of a pull: nothing that a retry mends
CODES = {
    "half a body": (1, "garbled"),
    "no json": (1, "garbled"),
    "endless": (1, "garbled"),
    "redirects": (1, "garbled"),
    "a page": (1, "garbled"),
    "500": (1, "server_failed"),
    "401": (1, "refused"),
    "403": (1, "refused"),
    "404": (1, "unsupported"),
    "reset": (4, "unreachable"),
    "cut": (4, "unreachable"),
    "hang": (4, "timed_out"),
}


@pytest.mark.parametrize("hostility", CODES)
def test_each_kind_has_its_error_address_and_remedy(cli: Cli, stage: Stage, hostility: str) -> None:
    kind, value, _ = HOSTILITIES[hostility]
    stage.trouble(kind, value=value)
    ran = cli("ls", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (CODES[hostility][0], "", CODES[hostility][1])
    assert str(ran.error["url"]).startswith(stage.url)
    assert ran.error["message"].startswith("cannot list ")
    human = cli("ls")
    assert human.out == ""
    assert "modeltui: cannot list the models: " in human.err and f"\n  at   {stage.url}/api/" in human.err


class TestPull:
    @pytest.mark.parametrize(
        "hostility",
        [
            name
            for name, (kind, value, _) in HOSTILITIES.items()
            if kind is not Kind.HANG and name not in REFUSALS
        ],
    )
    def test_one_bad_stream_is_mended_by_the_next_try(self, cli: Cli, stage: Stage, hostility: str) -> None:
        kind, value, _ = HOSTILITIES[hostility]
        stage.trouble(kind, "/api/pull", value=value, times=1, after_bytes=0)
        ran = cli("pull", "tiny-demo")
        check(ran, as_json=False)
        assert (ran.code, "tiny-demo:latest" in stage.installed) == (0, True)

    @pytest.mark.parametrize("hostility", ["hostile strings", "no json", "500 with words"])
    def test_a_stream_that_is_always_bad_is_tried_until_somebody_ends_it(
        self, cli: Cli, home: Home, stage: Stage, hostility: str
    ) -> None:
        kind, value, _ = HOSTILITIES[hostility]
        home.configure(stage.url, more="downloads.retries = 2")
        stage.trouble(kind, "/api/pull", value=value)

        def end() -> None:
            try:
                until(lambda: any(row.transfer.tries >= 2 for row in home.queue()), 10)
            finally:
                os.kill(os.getpid(), signal.SIGINT)

        ending = threading.Thread(target=end)
        ending.start()
        ran = cli("pull", "tiny-demo")
        ending.join()
        assert ran.code == 130
        check(altered(ran, code=0), as_json=False)
        assert [row.transfer.tries >= 2 for row in home.queue()] == [True]
        check(cli("queue"), as_json=False)
        check(cli("queue", "--json"), as_json=True)

    def test_the_registry_is_no_more_trusted(self, cli: Cli, stage: Stage) -> None:
        for kind in (Kind.HOSTILE, Kind.WRONG_TYPES, Kind.MALFORMED, Kind.ENDLESS, Kind.RESET):
            stage.trouble(kind, "/v2/*", value=50_000_000 if kind is Kind.ENDLESS else None, times=1)
            check(cli("show", "llama3.3:70b", "--json"), as_json=True)
        stage.trouble(Kind.STATUS, "/v2/*", value=302)
        ran = cli("pull", "tiny-demo")
        check(ran, as_json=False)
        assert ran.code == 0
        assert "its exact size is not known here" in ran.err


@pytest.mark.parametrize("kind", [Kind.HOSTILE, Kind.WRONG_TYPES])
@pytest.mark.parametrize(
    "command", [("ls",), ("ps",), ("show", "gemma3:12b"), ("doctor",), ("sync",)], ids=lambda c: c[0]
)
def test_on_a_terminal(screen: Cli, stage: Stage, command: tuple[str, ...], kind: Kind) -> None:
    screen("load", "gemma3:12b")
    paths = ["/api/show"] if command[0] == "show" else ["/api/tags", "/api/ps", "/api/version"]
    for path in paths:
        stage.trouble(kind, path)
    for columns in (120, 80, 44, 10):
        check(screen(*command, columns=columns), as_json=False, on_terminal=True)


@pytest.mark.parametrize(
    ("command", "kind", "path"),
    [
        (("ls",), Kind.HOSTILE, "/api/tags"),
        (("show", "qwen3:8b"), Kind.HOSTILE, "/api/show"),
        (("pull", "tiny-demo"), Kind.HOSTILE, "/api/pull"),
        (("ps",), Kind.MALFORMED, "/api/ps"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_through_a_real_terminal(
    home: Home, stage: Stage, command: tuple[str, ...], kind: Kind, path: str
) -> None:
    stage.trouble(kind, path, times=1)
    with Terminal(home, *command) as terminal:
        ran = terminal.end()
    check(ran, as_json=False, on_terminal=True)
    if command[0] == "pull":
        screen = Screen(80)
        screen.feed(ran.out.replace("\n", "\r\n"))


def test_a_name_that_is_no_name_offers_no_action(cli: Cli, stage: Stage) -> None:
    stage.trouble(Kind.HOSTILE, "/api/tags")
    names = [row["name"] for row in cli("ls", "--json").json]
    assert any(name.endswith("…") and len(name) == 512 for name in names)  # 5,000 characters were sent
    for name in [*names, *HOSTILE_TEXTS]:
        for command in (("load", name), ("rm", name, "--yes"), ("show", name), ("switch", name)):
            # What was typed may be anything, and what is said about it is clean all the same.
            ran = cli(*command)
            check(ran, as_json=False)
            assert ran.code in (1, 2, 5)


@pytest.mark.parametrize("text", [text for text in HOSTILE_TEXTS if "\x00" not in text])
@pytest.mark.parametrize(
    "command",
    [
        ("TEXT",),
        ("--TEXT",),
        ("--server", "TEXT", "ls"),
        ("--profile", "TEXT", "ls"),
        ("pull", "TEXT"),
        ("cp", "TEXT", "x"),
        ("cp", "qwen3:8b", "TEXT"),
        ("load", "qwen3:8b", "--keep-alive", "TEXT"),
        ("queue", "cancel", "TEXT"),
        ("activity", "-n", "TEXT"),
    ],
    ids=" ".join,
)
def test_hostile_words_on_the_command_line(
    cli: Cli, stage: Stage, command: tuple[str, ...], text: str
) -> None:
    for as_json in (False, True):
        words = [word.replace("TEXT", text) for word in command]
        ran = cli(*(["--json"] if as_json else []), *words)
        check(ran, as_json=as_json)
        assert ran.code in (2, 5)


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("http://169.254.169.254/secret", "redirected (HTTP 307), not followed"),
        ("/api/tags", "redirected (HTTP 307), not followed"),
        ("http://host/\x1b[2J", "redirected (HTTP 307), not followed"),
    ],
)
def test_a_redirect_is_followed_nowhere(
    cli: Cli, home: Home, behind: Behind, location: str, says: str
) -> None:
    async def answer(request: Request, connection: Connection) -> None:
        await connection.send(response("", 307, None, f"Location: {location}"))

    context = serving(answer)

    async def begin() -> Served:
        return await context.__aenter__()

    async def end() -> None:
        await context.__aexit__(None, None, None)

    served = behind.do(begin())
    home.configure(served.url)
    ran = cli("ls")
    behind.do(end())
    check(ran, as_json=False)
    assert ran.code == 1
    assert says in ran.err
    assert {request.target for request in served.requests} <= {"/api/tags", "/api/ps"}
    assert len(served.requests) <= 2
