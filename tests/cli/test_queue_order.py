"""The queue's order on the command line, names from a file, and one transfer for what two ask for at once."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import Home, Ran, Stage

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel

Cli = Callable[..., Ran]
NAMES = ("one:1b", "two:1b", "three:1b")


@pytest.fixture
def held(cli: Cli, stage: Stage) -> Cli:
    """Three transfers that stand still."""
    stage.publish(*(DemoModel(name, name) for name in NAMES))
    stage.trouble(Kind.STREAM_ERROR, "/api/pull", value="write x-partial: no space left on device")
    assert cli("pull", *NAMES).code == 1
    return cli


def order(cli: Cli) -> list[int]:
    return [row["number"] for row in cli("queue", "--json").json]


def test_places_in_words(held: Cli) -> None:
    for place, expected in (
        ("first", [3, 1, 2]),
        ("down", [1, 3, 2]),
        ("last", [1, 2, 3]),
        ("up", [1, 3, 2]),
        ("1", [3, 1, 2]),
        ("99", [1, 2, 3]),
    ):
        assert [row["number"] for row in held("queue", "move", "3", place, "--json").json] == expected
    assert order(held) == [1, 2, 3]


@pytest.mark.parametrize("place", ["0", "-1", "sideways", "1.5", "99999999999"])
def test_what_is_no_place(held: Cli, place: str) -> None:
    ran = held("queue", "move", "3", place, "--json")
    assert (ran.code, ran.error["code"]) == (2, "usage")
    assert order(held) == [1, 2, 3]


def test_a_full_disk_is_said_of_each_and_one_resume_lets_all_go_on(held: Cli, stage: Stage) -> None:
    rows = held("queue", "--json").json
    assert [row["state"] for row in rows] == ["blocked"] * 3
    assert {row["cause"] for row in rows} == {"disk"}
    assert "2  two:1b    blocked: the disk of demo is full" in held("queue").out
    assert held("queue", "pause").code == 0
    assert {row["state"] for row in held("queue", "--json").json} == {"paused"}
    assert held("queue", "resume").code == 0
    stage.calm()
    assert held("queue", "run").code == 0
    assert set(NAMES) <= set(stage.installed)


def test_names_from_a_file(cli: Cli, stage: Stage, tmp_path: Path) -> None:
    stage.publish(*(DemoModel(name, name) for name in NAMES))
    listed = tmp_path / "names.txt"
    listed.write_text("# what we need\n\n  two:1b  \none:1b\r\ntwo:1b\n", encoding="utf-8-sig")
    ran = cli("pull", "three:1b", "--from", str(listed), "--json")
    assert ran.code == 0
    assert set(NAMES) <= set(stage.installed)
    assert [row["name"] for row in reversed(cli("queue", "--json").json)] == ["three:1b", "two:1b", "one:1b"]


def test_names_from_stdin(cli: Cli, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"tiny-demo\n")))
    assert cli("pull", "--from", "-").code == 0
    assert "tiny-demo:latest" in stage.installed


def test_a_wrong_line_is_named_and_nothing_is_queued(cli: Cli, stage: Stage, tmp_path: Path) -> None:
    listed = tmp_path / "names.txt"
    listed.write_text("tiny-demo\n\nno such name\n")
    ran = cli("pull", "--from", str(listed), "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "invalid_name")
    assert f"{listed}, line 3: " in ran.error["message"]
    assert cli("queue", "--json").json == []


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot read"), (b"\xff\xfe\x00", "no text"), (b"# nothing\n", "no model is named")],
)
def test_a_file_without_names(
    cli: Cli, stage: Stage, tmp_path: Path, content: bytes | None, says: str
) -> None:
    listed = tmp_path / "names.txt"
    if content is not None:
        listed.write_bytes(content)
    ran = cli("pull", "--from", str(listed), "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "usage")
    assert says in ran.error["message"]


def test_an_endless_file_is_no_list(cli: Cli, stage: Stage) -> None:
    ran = cli("pull", "--from", "/dev/zero", "--json")
    assert (ran.code, ran.error["code"]) == (2, "usage")
    assert "larger than" in ran.error["message"]


def test_two_processes_that_ask_for_the_same_have_one_transfer(home: Home, stage: Stage, cli: Cli) -> None:
    stage.set_rate(1e6)
    with home.spawn("pull", "tiny-demo") as first, home.spawn("pull", "tiny-demo") as second:
        ran = [first.end(60), second.end(60)]
    assert [each.code for each in ran] == [0, 0], ran
    rows = cli("queue", "--json").json
    # The second may come when the first is done: then there was nothing left to bring.
    assert len([row for row in rows if row["attempts"] or row["state"] != "installed"]) == 0
    together = [each for each in ran if "was in the queue already" in each.err]
    assert len(rows) == 2 - len(together)
