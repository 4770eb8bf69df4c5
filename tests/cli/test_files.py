"""`verify` and `clean` as commands: what they say, their JSON and exit codes, on real files."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from commandline import Behind, Home, Ran, Screen, Stage, Terminal, cell_width, demo_stage, harmful
from shelf import Shelf

from modeltui.demo.library import DemoModel
from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.domain.units import size
from modeltui.modeldir.reading import ASIDE

Cli = Callable[..., Ran]

CHAT = DemoModel("chat:latest", "chat", template="{{ .Prompt }}", licence="MIT")
CODER = DemoModel("coder:7b", "coder")
PART = f"sha256-{'a' * 64}-partial"


@dataclass
class Local:
    """A server on this machine, and its files."""

    stage: Stage
    shelf: Shelf
    chat: str
    coder: str

    def spoil(self, digest: str) -> None:
        path = self.shelf.path(digest)
        path.write_bytes(b"!" + path.read_bytes()[1:])

    def publish(self, name: str) -> None:
        """Let the registry have what is installed under a name."""
        key, library = parse(name).key, self.stage.library
        self.stage.behind.call(lambda: library.available.update({key: library.installed[key]}))


@pytest.fixture
def local(behind: Behind, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Local]:
    shelf = Shelf(tmp_path / "models")
    with demo_stage(behind) as stage:
        behind.call(stage.library.installed.clear)
        chat = behind.call(lambda: shelf.add(stage.library, CHAT, b"chat" * 1000)).weights
        coder = behind.call(lambda: shelf.add(stage.library, CODER, b"code" * 1000)).weights
        home.write_config(
            f'server = "demo"\n[servers.demo]\nurl = "{stage.url}"\nlocal = true\n'
            f'[registries."registry.ollama.ai"]\nbase_url = "{stage.url}"\n'
        )
        home.environ["OLLAMA_MODELS"] = str(shelf.root)
        monkeypatch.setenv("OLLAMA_MODELS", str(shelf.root))
        yield Local(stage, shelf, chat, coder)


def test_verify_good(local: Local, cli: Cli) -> None:
    ran = cli("verify")
    assert ran.code == 0
    assert re.fullmatch(r"2 models, 6 files, \S+ kB read in .*: every byte is as it should be\n", ran.out)
    assert ran.err == ""


def test_verify_as_json(local: Local, cli: Cli) -> None:
    good = cli("verify", "--json").json
    assert set(good) == {
        *("directory", "models", "files", "size", "duration_ms", "corrupt", "missing", "orphaned", "partial"),
        *("being_written", "unreadable", "unknown", "quarantined", "queued"),
        "not_pulled",
    }
    assert (good["directory"], good["models"], good["files"]) == (str(local.shelf.root), 2, 6)
    assert isinstance(good["duration_ms"], int)
    local.spoil(local.chat)
    local.shelf.path(local.coder).unlink()
    local.shelf.file(PART, b"12345", hours=2)
    ran = cli("verify", "--json")
    assert ran.code == 3
    found = ran.json
    assert found["corrupt"] == [
        {"digest": local.chat, "size": 4000, "models": ["chat:latest"], "moved_to": None}
    ]
    assert found["missing"] == [
        {"digest": local.coder, "size": 4000, "models": ["coder:7b"], "moved_to": None}
    ]
    (partial,) = found["partial"]
    assert set(partial) == {"digest", "files", "size", "on_disk", "modified"}
    assert (partial["files"], partial["size"]) == ([PART], 5)
    assert partial["modified"].endswith("Z")
    assert ran.err == ""


def test_verify_says_what_is_wrong_and_what_mends_it(local: Local, cli: Cli) -> None:
    local.spoil(local.chat)
    local.shelf.path(local.coder).unlink()
    local.shelf.put(b"loose", hours=30)
    local.publish("coder:7b")
    ran = cli("verify")
    assert ran.code == 3
    short = local.chat.replace(":", "-")[:19]
    assert re.search(rf"^corrupt +{short} +4 kB +chat:latest$", ran.out, re.M)
    assert re.search(r"^missing +sha256-\w{12} +4 kB +coder:7b$", ran.out, re.M)
    assert re.search(r"^orphaned +sha256-\w{12} +\S+ k?B +1 d$", ran.out, re.M)
    assert "1 corrupt, 1 missing, 1 orphaned" in ran.out
    assert "modeltui verify --quarantine" in ran.err
    assert "modeltui clean" in ran.err
    assert "modeltui pull coder:7b" in ran.err
    assert "!" in cli("ls").out


def test_verify_of_one_and_of_an_unknown_one(local: Local, cli: Cli) -> None:
    local.spoil(local.chat)
    assert cli("verify", "coder:7b").code == 0
    assert cli("verify", "chat").code == 3
    assert cli("verify", "nothing").code == 5


def test_quarantine_moves_and_pulls_again(local: Local, home: Home, cli: Cli) -> None:
    local.spoil(local.chat)
    local.publish("chat")
    ran = cli("verify", "--quarantine", "--yes")
    assert ran.code == 3
    moved = local.shelf.root / ASIDE / local.chat.replace(":", "-")
    assert moved.exists()
    assert not local.shelf.path(local.chat).exists()
    assert f"moved aside: {moved}" in ran.err
    assert [row.transfer.name.short for row in home.queue()] == ["chat:latest"]
    assert [row.transfer.state for row in home.queue()] == [State.INSTALLED]
    assert "installed" in ran.out


def test_quarantine_as_json_queues_and_does_not_wait(local: Local, home: Home, cli: Cli) -> None:
    local.spoil(local.chat)
    local.publish("chat")
    found = cli("verify", "--quarantine", "--yes", "--json").json
    assert found["corrupt"][0]["moved_to"] == str(local.shelf.root / ASIDE / local.chat.replace(":", "-"))
    assert found["queued"] == [row.number for row in home.queue()] == [1]
    assert found["not_pulled"] == []


def test_what_was_made_here_is_not_pulled_over_itself(local: Local, home: Home, cli: Cli) -> None:
    """One name that no registry has, and one under which the registry has a model without what is added."""
    local.stage.publish(CHAT)
    own = replace(CHAT, name="own:latest", system="Mine.")
    for model in (replace(CHAT, system="Be brief."), own):
        local.stage.behind.call(
            lambda model=model: local.shelf.add(local.stage.library, model, b"chat" * 1000)
        )
    local.spoil(local.chat)
    ran = cli("verify", "--quarantine", "--yes")
    assert ran.code == 3
    assert home.queue() == []
    url = local.stage.url
    assert (
        f"own:latest was made here ({url} has no such tag): pull its base, then create it anew\n" in ran.err
    )
    assert f"chat:latest may have been made here ({url} has something else under its name)" in ran.err
    again = cli("verify", "--yes", "--json").json
    assert again["queued"] == []
    assert again["not_pulled"] == [
        {
            "model": "chat:latest",
            "made_here": None,
            "reason": f"{url} has something else under its name",
        },
        {"model": "own:latest", "made_here": True, "reason": f"{url} has no such tag"},
    ]


@pytest.mark.parametrize("is_published", [True, False])
def test_without_a_registry_what_is_known_to_be_published_is_pulled(
    local: Local, home: Home, cli: Cli, is_published: bool
) -> None:
    home.environ["MODELTUI_REGISTRY__LOOKUP"] = "false"
    if is_published:
        local.publish("chat")
        assert cli("pull", "chat").code == 0
        assert cli("queue", "clear").code == 0
    local.spoil(local.chat)
    found = cli("verify", "--quarantine", "--yes", "--json").json
    assert len(found["queued"]) == len(home.queue()) == is_published
    assert len(found["not_pulled"]) == (not is_published)


def test_what_else_lies_there_is_said(local: Local, cli: Cli) -> None:
    local.shelf.file(PART, b"12345")
    local.shelf.file("sha256-4711", b"?")
    local.spoil(local.chat)
    assert cli("verify", "--quarantine").code == 3
    coder = local.shelf.path(local.coder)
    coder.unlink()
    coder.symlink_to(coder)
    ran = cli("verify")
    assert re.search(r"^partial +sha256-a{12} +\S+ k?B +\d+ s +being written$", ran.out, re.M)
    assert "1 files of no known kind lie in" in ran.err
    assert "1 files in quarantine hold " in ran.err
    assert f"not read: {coder}" in ran.err
    local.shelf.file(PART, b"12345", hours=9)
    doubtful = local.shelf.manifest_path("chat:broken")
    doubtful.write_text("{")
    assert "no file is called orphaned: a manifest cannot be read" in cli("clean", "--dry-run").err


def test_quarantine_without_a_yes_tells_how_to_pull(local: Local, home: Home, cli: Cli) -> None:
    local.spoil(local.chat)
    local.publish("chat")
    ran = cli("verify", "--quarantine")
    assert ran.code == 3
    assert "pull again what lacks a file: modeltui pull chat:latest" in ran.err
    assert home.queue() == []
    ran = cli("verify", "--json")
    assert ran.json["missing"][0]["models"] == ["chat:latest"]
    assert ran.json["quarantined"] == [local.chat.replace(":", "-")]


def test_a_server_elsewhere(stage: Stage, cli: Cli) -> None:
    for command in ("verify", "clean"):
        ran = cli(command, "--json")
        assert ran.code == 1
        assert ran.error["code"] == "refusal"
        assert "cannot be looked at from here" in ran.error["message"]
        assert ran.error["remedy"]


def test_the_bar_on_a_terminal(local: Local, home: Home) -> None:
    local.shelf.add(None, DemoModel("big:1b", "big"), bytes(60_000_000))
    for columns in (80, 40):
        with Terminal(home, "verify", columns=columns) as terminal:
            ran = terminal.end()
        assert ran.code == 0
        assert "verifying" in ran.out
        assert not harmful(ran.out, on_terminal=True)
        screen = Screen(columns)
        bars, _, rest = ran.out.rpartition("\r\x1b[K")
        screen.feed(bars)
        assert all(cell_width(line) < columns for line in screen.lines)
        assert rest.endswith("every byte is as it should be\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(local: Local, home: Home, number: signal.Signals) -> None:
    with local.shelf.path(local.chat).open("r+b") as file:
        file.truncate(2_000_000_000_000)  # sparse: minutes of reading, no byte of disk
    with Terminal(home, "verify") as terminal:
        terminal.read_until("left")
        if number is signal.SIGINT:
            terminal.send("\x03")
        else:
            terminal.signal(number)
        assert terminal.wait() == 128 + number


def test_clean(local: Local, home: Home, cli: Cli) -> None:
    local.shelf.file(PART, b"12345", hours=50)
    loose = local.shelf.put(b"loose", hours=2)
    files = (local.shelf.blobs / PART, local.shelf.path(loose))
    held = size(sum(path.stat().st_blocks * 512 for path in files))
    before = local.shelf.names()
    shown = cli("clean", "--dry-run")
    assert shown.code == 0
    assert re.search(r"^partial +sha256-a{12} +\S+ k?B +2 d$", shown.out, re.M)
    assert re.search(r"^orphan +sha256-\w{12} +\S+ k?B +2 h$", shown.out, re.M)
    asked = cli("clean")
    assert asked.code == 6
    assert f"Remove these 2 ({held})" in asked.err
    assert local.shelf.names() == before
    done = cli("clean", "--yes")
    assert done.code == 0
    assert done.out.endswith(f"removed 2 files, {held} are free again\n")
    assert len(local.shelf.names()) == len(before) - 2
    again = cli("clean")
    assert (again.code, again.out) == (0, f"nothing lies in {local.shelf.root} that could be removed\n")
    assert "clean" in cli("activity").out


def test_clean_as_json(local: Local, cli: Cli) -> None:
    local.shelf.file(PART, b"12345", hours=50)
    planned = cli("clean", "--dry-run", "--json").json
    assert set(planned) == {"directory", "found", "doubts", "unreadable", "removed", "left", "freed"}
    assert set(planned["found"][0]) == {"kind", "digest", "files", "size", "on_disk", "modified", "kept"}
    assert (planned["removed"], planned["freed"]) == ([], None)
    done = cli("clean", "--yes", "--json").json
    assert done["removed"] == [PART]
    assert done["freed"] == planned["found"][0]["on_disk"]
    assert cli("clean", "--json").json["freed"] is None


def test_clean_while_another_client_pulls(local: Local, cli: Cli) -> None:
    local.shelf.file(PART, b"12345")
    ran = cli("clean", "--yes", "--json")
    assert ran.code == 1
    assert "another client of the server seems to be pulling" in ran.error["message"]
    assert PART in local.shelf.names()


def test_clean_asks_on_a_terminal(local: Local, home: Home) -> None:
    local.shelf.file(PART, b"12345", hours=50)
    for answer, code in (("\n", 1), ("y\n", 0)):
        with Terminal(home, "clean") as terminal:
            terminal.read_until("[y/N]")
            terminal.send(answer)
            assert terminal.end().code == code
        assert (PART in local.shelf.names()) == (code == 1)


def test_in_ascii(local: Local, ascii_cli: Cli) -> None:
    local.spoil(local.chat)
    ran: Ran = ascii_cli("verify", "--json")
    assert json.loads(ran.out)["corrupt"]
    assert ascii_cli("verify").code == 3
