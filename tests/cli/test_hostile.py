"""Every command against servers that lie, break, flood and never end: no crash, no harm, a true exit code."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace as altered
from pathlib import Path
from typing import Any

import pytest
from commandline import DOCUMENTED, Behind, Home, Ran, Screen, Stage, Terminal, harmful, strings, until
from everything import left_out
from hostility import HOSTILITIES, shorten_limits
from replay import Connection, Request, Served, response, serving
from shelf import Shelf

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel
from modeltui.demo.twist import HOSTILE_TEXTS
from modeltui.domain.transfers import State
from modeltui.services.cleaning import Cleaning

Cli = Callable[..., Ran]
Ready = Callable[[tuple[str, ...]], tuple[str, ...]]

# Of a registry and of the library's site, more than of a server.
LOOKUP, REFRESH = ("catalog", "show", "qwen3:8b", "--lookup"), ("catalog", "refresh")
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
    ("switch", "--task", "coding"): ("/api/tags", "/api/generate"),
    ("load", "qwen3:8b"): ("/api/ps", "/api/generate"),
    ("unload", "gemma3:12b"): ("/api/tags", "/api/ps", "/api/generate"),
    ("sync",): ("/api/tags", "/api/ps"),
    ("doctor",): ("/api/version", "/api/tags"),
    ("pull", "tiny-demo"): ("/api/version",),
    ("outdated",): ("/api/tags", "/api/show", "/v2/*"),
    ("upgrade", "--all", "--yes"): ("/api/show", "/v2/*"),
    ("verify",): ("/api/tags", "/v2/*"),
    ("verify", "--scan"): ("/api/show",),
    ("clean", "--yes"): ("/api/tags",),
    ("check", "qwen3:8b"): ("/api/tags",),
    ("recommend", "--limit", "2"): ("/api/tags",),
    ("catalog", "qwen3:8b"): ("/api/tags",),
    LOOKUP: ("/v2/*",),
    REFRESH: ("/library*",),
    ("setup", "--yes"): ("/api/version", "/api/tags"),
}
# The same commands in their other forms.
VARIANTS = (
    ("ls", "fits", "license:apache"),
    *(
        ("show", "qwen3:8b", f"--{part}")
        for part in ("license", "template", "system", "parameters", "modelfile")
    ),
    ("cp", "qwen3:8b", "mine", "--yes"),
    ("mv", "mine", "other", "--yes"),
    ("switch", "auto", "--record-only", "--yes"),
    ("switch", "gemma3:12b", "--release", "--keep-alive", "30m"),
    ("load", "qwen3:8b", "--keep-alive", "forever"),
    ("unload", "--all"),
    ("pull", "--from", "NAMES", "--yes"),
    ("outdated", "qwen3:8b"),
    ("upgrade", "--auto"),
    ("verify", "--release", "chat"),
    ("verify", "--quarantine", "--yes"),
    ("clean", "--dry-run"),
    ("check", "qwen3:14b", "--context", "16k", "--task", "coding", "--hardware", "2x24GB+64GB"),
    ("check", "hf.co/unsloth/Qwen3-4B-GGUF:Q8_0", "--vram", "8"),
    ("catalog", "fits", "qwen3:8b", "--sort", "fit", "--limit", "3", "--vram", "8"),
    ("catalog", "show", "qwen3", "--hardware", "none+16GB"),
    ("recommend", "8", "--task", "coding", "--priority", "speed", "--context", "8k", "--explain"),
    ("recommend", "--hardware", "24GB"),
    ("recommend", "--vram", "16"),
    ("setup", "--task", "coding", "--priority", "speed", "--context", "8k", "--vram", "8"),
    ("setup", "--hardware", "24GB+64GB"),
    ("doctor", "--measure-ram"),
)
# What asks no server but tells what one said, in an order in which each has something to do; exit codes.
UNASKING: dict[tuple[str, ...], int] = {
    ("activity", "--limit", "50"): 0,
    ("activity", "--here"): 0,
    ("config",): 0,
    ("config", "show"): 0,
    ("config", "path"): 0,
    ("config", "init"): 1,
    ("queue",): 0,
    ("queue", "ls"): 0,
    ("queue", "unit"): 0,
    ("queue", "per-server", "2"): 0,
    ("queue", "retry", "1"): 0,
    ("queue", "move", "1", "first"): 0,
    ("queue", "pause", "1"): 0,
    ("queue", "resume", "1"): 0,
    ("queue", "run"): 5,
    ("queue", "cancel", "1"): 1,
    ("queue", "cancel", "--all", "--yes"): 0,
    ("queue", "clear"): 0,
}
APART = ("queue", "run", "--headless", "--ahead"), ("demo", "--port", "PORT", "--old")
# What can be answered without a server.
ANSWERED = {"current": (0, 3), "check": (0, 3), "recommend": (0, 3), "catalog": (0,)}

WORST = ("hostile strings", "wrong types", "half a body", "500 with words")
EVERYWHERE = (*WORST, "endless", "cut", "redirects", "hang")


def cases() -> Iterator[Any]:
    """Every way for `ls`; the worst ones for every path of every command, and for its whole server."""
    for command, paths in COMMANDS.items():
        for path in ("/api/*", *paths) if command not in (LOOKUP, REFRESH) else paths:
            chosen: Iterable[str] = EVERYWHERE if path in ("/api/*", "/library*") else WORST
            if command == ("ls",):
                chosen = HOSTILITIES
            elif command[0] in ("recommend", "catalog") and path == "/api/tags":
                chosen = WORST[:2]
            elif command[0] in ("pull", "setup") and path == "/api/*":
                # A pull whose stream is never good is tried until somebody ends it: see TestPull.
                chosen = [name for name in EVERYWHERE if not HOSTILITIES[name][2]]
            # Those first whose answers change nothing.
            names = sorted(chosen, key=lambda name: HOSTILITIES[name][2])
            yield pytest.param(command, path, names, id=f"{' '.join(command)} {path}")


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits on time and bodies, only smaller; and retries without a pause."""
    shorten_limits(monkeypatch)
    monkeypatch.setattr("modeltui.services.loading.GONE_S", 0.5)
    monkeypatch.setattr("modeltui.registry.library.PAUSE_S", 0.0)
    monkeypatch.setattr("modeltui.registry.library._PAGE_S", 0.3)
    monkeypatch.setattr("modeltui.registry.library._LARGEST_PAGE", 200_000)
    monkeypatch.setattr("random.random", lambda: 0.0)


@pytest.fixture
def ready(cli: Cli, home: Home, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ready:
    """Gives each command something to do, before its server goes bad; returns the line as it is typed."""

    def made(command: tuple[str, ...]) -> tuple[str, ...]:
        hardware = '[servers.demo.hardware]\ngpus = ["24GB"]\nram = "64GB"\n[updates]\nauto = "pull"\n'
        home.configure(stage.url, of_server=f'{hardware}[registries."ollama.com"]\nbase_url = "{stage.url}"')
        if command[0] in ("verify", "clean"):
            home.write_config(home.paths.config_file.read_text().replace("local = false", "local = true"))
            monkeypatch.setattr(Cleaning.__init__, "__kwdefaults__", {"look_s": 0.0})
            stage.behind.call(stage.library.installed.clear)
            shelf = Shelf(tmp_path / "models")
            weights = b"weights" if command[0] == "clean" else b"spoilt"
            digest = stage.behind.call(
                lambda: shelf.add(stage.library, DemoModel("chat"), b"weights")
            ).weights
            shelf.path(digest).write_bytes(weights)
            shelf.file(f"sha256-{'a' * 64}-partial", b"12345", hours=50)
            monkeypatch.setenv("OLLAMA_MODELS", str(shelf.root))
        if command[0] == "current":
            cli("switch", "gemma3:12b", "--record-only")
        if command[0] == "unload":
            cli("load", "gemma3:12b")
        if command[:2] == ("mv", "mine"):
            cli("cp", "qwen3:8b", "mine")
        if "--release" in command and command[0] == "verify":
            cli("verify", "--scan")
        monkeypatch.setattr("modeltui.hardware.rambandwidth.measure_ram_bandwidth", lambda: 2e10)
        names = tmp_path / "names"
        names.write_text("tiny-demo\n", "utf-8")
        return tuple(str(names) if word == "NAMES" else word for word in command)

    return made


def check(ran: Ran, *, as_json: bool, on_terminal: bool = False, when: str = "") -> None:
    """What holds whatever a server says."""
    for text in (ran.out, ran.err):
        text.encode("utf-8")  # no lone surrogate
        assert harmful(text, on_terminal=on_terminal) == set(), when
        assert "Traceback" not in text, when
        assert "a defect of modeltui" not in text, when
    assert ran.code in DOCUMENTED, when
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


def test_no_command_and_no_option_is_left_out() -> None:
    assert left_out([*COMMANDS, *VARIANTS, *UNASKING, *APART]) == set()


@pytest.mark.parametrize(("command", "path", "hostilities"), list(cases()))
def test_a_command_survives(
    cli: Cli, stage: Stage, ready: Ready, command: tuple[str, ...], path: str, hostilities: list[str]
) -> None:
    line = ready(command)
    for hostility in hostilities:
        kind, value, is_answer = HOSTILITIES[hostility]
        stage.trouble(kind, path, value=value)
        for as_json in (False, True) if is_answer else (len(hostility + path) % 2 == 0,):
            ran = cli(*line, *(["--json"] if as_json else []))
            check(ran, as_json=as_json, when=hostility)
            if path == "/api/*" and command[0] in ANSWERED:
                assert ran.code in ANSWERED[command[0]], hostility  # it is ours, whatever the server says
            elif not is_answer and path == "/api/*":
                assert ran.code in (1, 4), hostility
        stage.calm()
    assert harmful(cli("activity").out) == set()
    if path == "/api/*":
        does_its_work(cli(*line))


def does_its_work(ran: Ran) -> None:
    """On a good server it has something to do: else it would be no feat to survive a bad one."""
    assert ran.code in (0, 3), ran
    assert ran.out or "nothing is loaded" in ran.err


@pytest.mark.parametrize("command", VARIANTS, ids=" ".join)
def test_its_other_forms_survive(cli: Cli, stage: Stage, ready: Ready, command: tuple[str, ...]) -> None:
    does_its_work(cli(*ready(command)))
    line = ready(command)
    for hostility, as_json in (("hostile strings", True), ("wrong types", False), ("500 with words", True)):
        kind, value, _ = HOSTILITIES[hostility]
        # A pull whose stream is never good is tried until somebody ends it.
        stage.trouble(kind, "/api/version" if command[0] == "pull" else "/api/*", value=value)
        check(cli(*line, *(["--json"] if as_json else [])), as_json=as_json, when=hostility)
        stage.calm()


WORDS = "\x1b[2J\u202e\x9b pull model manifest: file does not exist \x07\u200b" + "long " * 1000


def test_what_is_told_later_is_harmless_too(
    cli: Cli, home: Home, stage: Stage, tmp_path: Path, ready: Ready
) -> None:
    """The queue, the activity and the rest repeat what a server said, on a terminal too."""
    ready(("queue",))
    stage.trouble(Kind.STREAM_ERROR, "/api/pull", value=WORDS)
    stage.trouble(Kind.STREAM_ERROR, "/api/copy", value=WORDS)
    assert cli("pull", "tiny-demo").code == 5
    assert cli("cp", "qwen3:8b", "mine").code in (1, 5)
    home.paths.config_file.rename(tmp_path / "config.toml")
    assert cli("config", "init").code == 0
    (tmp_path / "config.toml").replace(home.paths.config_file)
    for command in UNASKING:
        for as_json in (False, True):
            ran = cli(*command, *(["--json"] if as_json else []))
            check(ran, as_json=as_json)
            if not as_json:  # each for the first time
                assert ran.code == UNASKING[command], (command, ran)
    said = cli("activity", "--json").out
    assert "pull model manifest" in said and "modeltui" not in said


def test_a_runner_on_its_own_survives(home: Home, cli: Cli, stage: Stage) -> None:
    stage.trouble(Kind.STREAM_ERROR, "/api/pull", value=WORDS)
    assert cli("pull", "tiny-demo").code == 5
    cli("queue", "retry", "1")
    for kind in (Kind.HOSTILE, Kind.WRONG_TYPES):
        stage.trouble(kind, "/v2/*")
    ran = home.apart("queue", "run", "--headless", "--ahead")
    check(ran, as_json=False)
    assert [row.transfer.state for row in home.queue()] == [State.FAILED]
    log = (home.paths.state / "runner.log").read_text("utf-8")
    assert "pull model manifest" in log and harmful(log) == set()


def test_a_demonstration_that_cannot_begin_says_so(cli: Cli, stage: Stage) -> None:
    port = stage.url.rpartition(":")[2]
    for more in ([], ["--json"]):
        ran = cli("demo", "--port", port, "--old", *more)
        check(ran, as_json=bool(more))
        assert ran.code == 1


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


@pytest.mark.parametrize("command", [("ls",), ("unload", "gemma3:12b")], ids=" ".join)
def test_of_two_failures_the_list_s_own_is_told(cli: Cli, stage: Stage, command: tuple[str, ...]) -> None:
    """Both are asked at once, and what is loaded fails first."""
    stage.trouble(Kind.DELAY, "/api/tags", value=0.2)
    stage.trouble(Kind.CUT)
    for _ in range(2):
        ran = cli(*command)
        assert ran.err.startswith("modeltui: cannot list the models: "), ran
        assert "loaded" not in ran.err
        stage.calm()
        stage.trouble(Kind.DELAY, "/api/tags", value=0.2)
        stage.trouble(Kind.STATUS, value=500)


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


@pytest.mark.parametrize(
    "command",
    [
        ("TEXT",),
        ("--TEXT",),
        ("--server", "TEXT", "ls"),
        ("--profile", "TEXT", "ls"),
        ("pull", "TEXT"),
        ("pull", "--from", "TEXT"),
        ("cp", "TEXT", "x"),
        ("cp", "qwen3:8b", "TEXT"),
        ("switch", "TEXT"),
        ("load", "qwen3:8b", "--keep-alive", "TEXT"),
        ("outdated", "TEXT"),
        ("upgrade", "TEXT"),
        ("verify", "--release", "TEXT"),
        ("check", "TEXT"),
        ("check", "qwen3:8b", "--hardware", "TEXT"),
        ("check", "qwen3:8b", "--context", "TEXT"),
        ("recommend", "TEXT"),
        ("recommend", "--hardware", "24GB TEXT"),
        ("recommend", "--task", "TEXT"),
        ("catalog", "--vram", "TEXT"),
        ("catalog", "show", "TEXT"),
        ("setup", "--hardware", "TEXT"),
        ("queue", "cancel", "TEXT"),
        ("queue", "move", "1", "TEXT"),
        ("queue", "per-server", "TEXT"),
        ("config", "TEXT"),
        ("demo", "--port", "TEXT"),
        ("activity", "-n", "TEXT"),
        ("ls", "TEXT"),
        ("catalog", "TEXT"),
    ],
    ids=" ".join,
)
def test_hostile_words_on_the_command_line(cli: Cli, stage: Stage, command: tuple[str, ...]) -> None:
    for number, text in enumerate(text for text in HOSTILE_TEXTS if "\x00" not in text):
        as_json = number % 2 == 0
        words = [word.replace("TEXT", text) for word in command]
        ran = cli(*(["--json"] if as_json else []), *words)
        check(ran, as_json=as_json)
        # A word that is looked for is found nowhere, and a few of them are numbers or no words at all.
        assert ran.code in ((2, 5) if command[:2] not in (("ls", "TEXT"), ("catalog", "TEXT")) else (0,)), (
            text
        )


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
