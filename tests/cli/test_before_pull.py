"""What `pull` says before it queues, and what it asks where the disk has no room."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commandline import Behind, Home, Ran, Stage, Terminal, demo_stage
from shelf import Shelf

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel
from modeltui.domain.names import parse
from modeltui.store.store import Store

Cli = Callable[..., Ran]

HUGE = DemoModel("huge:900t", "huge", 900 * 10**12)
"""More than any disk that a test runs on."""
SMALL = DemoModel("small-demo:latest", "small", 1_000_000)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
def here(behind: Behind, home: Home, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A server whose models directory is seen from here; what it moves comes at once."""
    home.environ["OLLAMA_MODELS"] = str(shelf.root)
    monkeypatch.setenv("OLLAMA_MODELS", str(shelf.root))
    with demo_stage(behind, rate=1e18, verify_rate=1e18) as stage:
        home.write_config(
            f'server = "demo"\n[servers.demo]\nurl = "{stage.url}"\nlocal = true\n'
            f'[registries."registry.ollama.ai"]\nbase_url = "{stage.url}"\n'
        )
        stage.publish(HUGE, SMALL)
        behind.call(lambda: shelf.add(stage.library, DemoModel("mine:1b"), b"weights"))
        yield stage


def test_what_is_new_what_is_there_and_what_is_unknown(cli: Cli, stage: Stage) -> None:
    ran = cli("pull", "tiny-demo", "qwen3:8b", "nowhere:1b")
    assert ran.code == 5
    assert ran.err.splitlines()[:3] == [
        "tiny-demo:latest: 2 MB",
        "qwen3:8b is installed and up to date, 5.23 GB",
        "nowhere:1b: its registry knows no such model or tag",
    ]
    assert [line.partition(" ")[0] for line in ran.out.splitlines()] == ["tiny-demo:latest", "qwen3:8b"]


def test_the_same_in_json(cli: Cli, stage: Stage) -> None:
    ran = cli("pull", "qwen3:8b", "tiny-demo", "--json")
    known = {line["name"]: line["before"] for line in ran.stream}
    assert all(line["before"] == known[line["name"]] for line in ran.stream)
    same, new = known["qwen3:8b"], known["tiny-demo:latest"]
    assert (same["installed"], same["up_to_date"], same["needed"]) == (True, True, 0)
    assert (new["installed"], new["known_to_registry"], new["present"]) == (False, True, 0)
    assert new["needed"] == new["total"] > 2_000_000
    assert (new["free"], new["directory"]) == (None, None)


def test_what_is_not_known_is_said_once_and_stops_nothing(cli: Cli, home: Home, stage: Stage) -> None:
    stage.trouble(Kind.STATUS, "/v2/*", value=500)
    ran = cli("pull", "tiny-demo")
    assert ran.code == 0
    assert ran.err.startswith("tiny-demo:latest: size unknown (HTTP 500)\n1 tiny-demo:latest: ")


def test_free_bytes_are_said(cli: Cli, here: Stage, shelf: Shelf) -> None:
    ran = cli("pull", "small-demo")
    assert ran.code == 0
    assert re.match(
        r"small-demo:latest: 1 MB, [\d.]+ [kMGT]?B free, fits: \w+, \d+ \(by its size alone\)\n", ran.err
    )
    before = cli("pull", "small-demo", "--json").stream[0]["before"]
    assert (before["directory"], before["up_to_date"]) == (str(shelf.root.resolve()), True)
    assert before["free"] > 0


def test_without_room_nothing_is_queued_without_a_yes(cli: Cli, here: Stage, shelf: Shelf) -> None:
    ran = cli("pull", "small-demo", "huge:900t")
    assert (ran.code, ran.out) == (6, "")
    where = re.escape(str(shelf.root.resolve()))
    message = (
        r"small-demo:latest, huge:900t together need 900 TB, [\d.]+ [GT]B free in " + where + r"\."
        r" Pull them all the same\? Nothing was done: a yes is needed"
    )
    assert re.search(f"^modeltui: {message}$", ran.err, re.MULTILINE)
    assert re.search(r"^  try  say --yes, or free \d+ TB there first$", ran.err, re.MULTILINE)
    ran = cli("pull", "huge:900t", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (6, "", "needs_yes")
    assert ran.error["message"].startswith("huge:900t needs 900 TB, ")
    assert cli("queue", "--json").json == []


def test_with_a_yes_it_is_pulled_all_the_same(cli: Cli, here: Stage) -> None:
    ran = cli("pull", "huge:900t", "--yes")
    assert ran.code == 0
    assert ran.out.startswith("huge:900t installed, digest checked, 900 TB")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1)])
def test_a_person_is_asked(home: Home, here: Stage, answer: str, code: int) -> None:
    with Terminal(home, "pull", "huge:900t", columns=200) as terminal:
        terminal.read_until(". Pull it all the same? [y/N] ")
        terminal.send(answer)
        ran = terminal.end()
    assert ran.code == code
    assert ("huge:900t" in here.installed) is (code == 0)
    assert len(home.queue()) == (code == 0)


def test_one_that_waits_for_room_says_how_to_insist(cli: Cli, home: Home, here: Stage) -> None:
    """Queued by a program that could not know; the runner looks for itself."""
    store = Store.open(home.paths.database)
    store.queue.enqueue(store.facts.server_id(here.url, "demo"), parse("huge:900t"), 1)
    store.close()
    ran = cli("queue", "run")
    assert ran.code == 1
    assert re.search(r"huge:900t: blocked: needs 900 TB, [\d.]+ [GT]B free\n", ran.err)
    assert "modeltui pull NAME --yes" in ran.err
    assert cli("pull", "huge:900t").code == 6
    assert cli("pull", "huge:900t", "--yes").code == 0
