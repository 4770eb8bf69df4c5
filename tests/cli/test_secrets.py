"""A marked secret that the server echoes wherever it can is in no output, no database and no state file."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from commandline import Behind, Home, Ran
from everything import left_out
from replay import STREAM_END, Connection, Request, Served, chunk, response, serving, stream_head

Cli = Callable[..., Ran]

TOKEN = "MARKED-tok/en+abc=="
HEADER = "MARKED header value"
WORDS = ("MARKED", "header value", "tok/en", "tok\\/en")

COMMANDS: list[tuple[str, ...]] = [
    ("ls",),
    ("ls", "fits"),
    ("ps",),
    ("show", "echo:1"),
    ("show", "echo:1", "--template"),
    ("show", "echo:1", "--license"),
    ("pull", "echo:1"),
    ("outdated",),
    ("upgrade", "--all", "--yes"),
    ("rm", "echo:1", "--yes", "--force"),
    ("cp", "echo:1", "mine"),
    ("mv", "echo:1", "mine"),
    ("switch", "echo:1"),
    ("switch", "--task", "coding", "--record-only"),
    ("current",),
    ("load", "echo:1"),
    ("unload", "echo:1"),
    ("sync",),
    ("verify",),
    ("verify", "--scan"),
    ("verify", "--release", "echo:1"),
    ("clean", "--dry-run"),
    ("check", "echo:1"),
    ("recommend", "--hardware", "24GB", "--limit", "1"),
    ("catalog", "echo"),
    ("catalog", "show", "qwen3:8b", "--lookup"),
    ("catalog", "refresh"),
    ("setup",),
    ("queue",),
    ("queue", "ls"),
    ("queue", "pause"),
    ("queue", "resume"),
    ("queue", "retry"),
    ("queue", "move", "1", "first"),
    ("queue", "per-server"),
    ("queue", "unit"),
    ("queue", "cancel", "1"),
    ("queue", "run"),
    ("queue", "clear"),
    ("activity",),
    ("config",),
    ("config", "show"),
    ("config", "path"),
    ("config", "init"),
    ("doctor",),
    ("demo", "--port", "PORT"),
]


RANKING = ("recommend", "catalog")


class Echo:
    """Answers with the secrets that it was sent: as errors of every status, or as facts in good answers."""

    def __init__(self) -> None:
        self.manner = "facts"
        self.port = ""
        self.heard: set[str] = set()
        self.heard_elsewhere: set[str] = set()

    async def answer(self, request: Request, connection: Connection) -> None:
        said = f"{request.headers.get('authorization')} {request.headers.get('x-secret')}"
        is_server = request.target.startswith("/api/")
        (self.heard if is_server else self.heard_elsewhere).add(said)
        secret = TOKEN if is_server else "MARKED"  # a registry knows none of ours, and may have its own
        if self.manner == "facts":
            await connection.send(self._facts(request, said))
        elif self.manner == "escaped facts":
            escaped = self._facts(request, said.replace("M", "MM")).replace(b"MM", b"\\u004d")
            _, _, body = escaped.partition(b"\r\n\r\n")
            await connection.send(response(body))
        elif self.manner == "stream":
            if request.target != "/api/pull":
                await connection.send(self._facts(request, said))
                return
            await connection.send(stream_head())
            for line in ({"status": said}, {"status": "x", "digest": said, "total": 5, "completed": 1}):
                await connection.send(chunk(json.dumps(line) + "\n"))
            await connection.send(chunk(json.dumps({"error": f"unauthorized: {said}"}) + "\n") + STREAM_END)
        elif self.manner.startswith("3"):
            await connection.send(response("", 302, None, f"Location: http://{secret}@host/{said}"))
        elif self.manner == "page":
            await connection.send(response(f"<html><title>{said}</title></html>", 502, "text/html"))
        elif self.manner == "garbage":
            await connection.send(response(f"not json {said}"))
        elif self.manner == "no http":
            await connection.send(f"{said}\r\n\r\n".encode())
        else:
            error = json.dumps({"error": f"you sent {said} and http://me:{secret}@host/?token={secret}"})
            await connection.send(response(error, int(self.manner)))

    def _facts(self, request: Request, said: str) -> bytes:
        details = {"family": said, "format": said, "parameter_size": said, "quantization_level": said}
        row = {"name": "echo:1", "model": "echo:1", "digest": "a" * 64, "size": 5, "details": details}
        strange = {**row, "name": f"x {said}", "model": f"x {said}", "digest": said}
        bodies = {
            "/api/version": {"version": said},
            "/api/tags": {"models": [row, strange]},
            "/api/ps": {"models": [{**row, "size_vram": 5, "expires_at": "2099-01-01T00:00:00Z"}, strange]},
            "/api/show": {
                "template": said,
                "license": said,
                "system": said,
                "parameters": f"stop {said}",
                "modelfile": f"FROM {said}",
                "details": details,
                "capabilities": ["completion", said],
                "model_info": {"general.architecture": said},
            },
        }
        answer: bytes = response(json.dumps(bodies.get(request.target, {"status": "success", "done": True})))
        return answer


@pytest.fixture
def echo(behind: Behind, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Echo]:
    """A server that says all it hears, configured with a header and a token."""
    echo = Echo()
    context = serving(echo.answer)

    async def begin() -> Served:
        return await context.__aenter__()

    async def end() -> None:
        await context.__aexit__(None, None, None)

    served = behind.do(begin())
    echo.port = str(served.port)
    monkeypatch.setenv("ECHO_TOKEN", TOKEN)
    monkeypatch.setattr("modeltui.services.loading.GONE_S", 0.3)
    monkeypatch.setattr("modeltui.registry.library.PAUSE_S", 0.0)
    home.configure(
        served.url,
        of_server=f'token_env = "ECHO_TOKEN"\nheaders = {{ X-Secret = "{HEADER}" }}\n'
        f'[registries."ollama.com"]\nbase_url = "{served.url}"',
    )
    text = home.paths.config_file.read_text("utf-8").replace("local = false", "local = true")
    home.write_config(text)
    yield echo
    behind.do(end())
    assert echo.heard == {f"Bearer {TOKEN} {HEADER}"}  # it was really sent, every time
    assert echo.heard_elsewhere <= {"None None"}  # and never to a registry or to the library's site


def leaks(home: Home, *rans: Ran) -> list[str]:
    """Where a mark is found: outputs, and every byte below the home but the file in which it was written."""
    found = [ran.out + ran.err for ran in rans if any(word in ran.out + ran.err for word in WORDS)]
    for path in home.root.rglob("*"):
        if path.is_file() and path != home.paths.config_file:
            data = path.read_bytes()
            found += [f"{path}: {word}" for word in WORDS if word.encode() in data]
    return found


def test_no_command_is_left_out() -> None:
    assert {each for each in left_out(COMMANDS) if " --" not in each} == set()


MANNERS = (
    *("facts", "escaped facts", "stream", "page", "garbage", "no http"),
    *("302", "400", "401", "403", "404", "405", "429", "500", "503"),
)


@pytest.mark.parametrize("manner", MANNERS)
def test_no_command_repeats_it(cli: Cli, home: Home, echo: Echo, manner: str) -> None:
    rans = []
    for number, command in enumerate(COMMANDS):
        if command[0] == "pull" and manner.endswith("facts"):
            continue  # its stream never says success with a digest: see `stream`
        if command[0] in RANKING and manner not in ("facts", "escaped facts", "500", "302", "page"):
            continue  # which take their time, and do without a server that does not answer
        echo.manner = "facts" if command[0] == "switch" and manner == "stream" else manner
        words = [echo.port if word == "PORT" else word for word in command]
        for as_json in (False, True):
            # An error is made in one place, whatever the form: of many manners each has its turn.
            if manner != "facts" and (number + MANNERS.index(manner)) % 2 == as_json:
                continue
            rans.append(cli(*words, *(["--json"] if as_json else [])))
            assert "Traceback" not in rans[-1].err and "defect" not in rans[-1].err, rans[-1]
    assert leaks(home, *rans) == []
    assert any("***" in ran.out + ran.err for ran in rans) or manner == "302"


def test_the_error_keeps_what_is_no_secret(cli: Cli, echo: Echo) -> None:
    echo.manner = "500"
    error = cli("ls", "--json").error
    assert error["message"].startswith("cannot list the models: you sent ***")


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (("ls", "--server", "http://me:MARKED@host:1"), ""),
        (("ls", "--server", "http://host:1/?token=MARKED"), ""),
        (("ls",), "http://me:MARKED@host:1"),
        (("ls",), "http://host:1/?api_key=MARKED"),
        (("pull", "http://me:MARKED@host/x/y"), ""),
    ],
)
def test_an_address_with_a_secret_is_refused_without_it(
    cli: Cli, home: Home, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], variable: str
) -> None:
    if variable:
        monkeypatch.setenv("OLLAMA_HOST", variable)
    rans = [cli(*words), cli(*words, "--json")]
    assert {ran.code for ran in rans} <= {2, 4}
    assert leaks(home, *rans) == []


def test_a_missing_token_names_the_variable(cli: Cli, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.configure("http://127.0.0.1:9", of_server='token_env = "ECHO_TOKEN"')
    ran = cli("ls", "--json")
    assert (ran.code, ran.error["code"]) == (2, "no_secret")
    assert "ECHO_TOKEN is not set" in ran.error["message"]
    monkeypatch.setenv("ECHO_TOKEN", "MARKED\x1b[2J")
    ran = cli("ls", "--json")
    assert (ran.code, ran.error["code"]) == (2, "no_secret")
    assert leaks(home, ran) == []


def test_a_token_command_is_never_shown(cli: Cli, home: Home) -> None:
    home.configure("http://127.0.0.1:9", of_server='token_command = ["sh", "-c", "echo MARKED; exit 3"]')
    rans = [cli("ls"), cli("config"), cli("config", "--json"), cli("doctor"), cli("activity", "--json")]
    assert rans[0].code == 2
    assert "gave no token (exit code 3)" in rans[0].err
    assert leaks(home, *rans) == []
    assert re.search(r"servers\.demo\.token_command +\*\*\*", rans[1].out)
