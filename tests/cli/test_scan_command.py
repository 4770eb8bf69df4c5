"""`verify --scan` and `--release` as commands, and what a quarantined model is refused."""

from collections.abc import Callable, Iterator

import pytest
from commandline import Behind, Home, Ran, Stage, demo_stage, harmful, strings

from modeltui.demo.library import DemoModel, Library

Cli = Callable[..., Ran]

EVIL = DemoModel("evil:latest", "evil", template="{{ .Prompt }}\x1b]0;owned\x07", hours=1)
MADE = DemoModel("away:latest", remote_host="https://ollama.com:443", remote_model="x:1b", hours=2)
GOOD = DemoModel("good:latest", "good", hours=3)


@pytest.fixture
def evil(behind: Behind, home: Home) -> Iterator[Stage]:
    with demo_stage(behind, seed=Library((EVIL, MADE, GOOD), (EVIL,))) as stage:
        home.configure(stage.url)
        yield stage


def test_scan(evil: Stage, cli: Cli) -> None:
    ran = cli("verify", "--scan")
    assert ran.code == 3
    lines = ran.out.splitlines()
    assert lines[1].split()[:3] == ["evil:latest", "serious", "characters"]
    assert lines[2].split()[:3] == ["away:latest", "remote", "host"]
    assert lines[3] == "3 models scanned: something in 2, 1 in quarantine"
    assert "modeltui verify --release evil:latest" in ran.err
    assert "cannot be looked at from here" in ran.err
    assert not harmful(ran.out + ran.err)
    assert cli("verify", "--scan", "good").code == 0
    assert cli("verify", "--scan", "nothing").code == 5


def test_scan_as_json(evil: Stage, cli: Cli) -> None:
    ran = cli("verify", "--scan", "--json")
    assert ran.code == 3
    first = ran.json[0]
    assert set(first) == {"name", "digest", "quarantined", "reason", "released", "findings", "gaps"}
    assert (first["name"], first["quarantined"], first["released"]) == ("evil:latest", True, False)
    assert first["findings"] == [{"kind": "characters", "message": first["reason"], "serious": True}]
    assert not any(harmful(text) for text in strings(ran.json))


def test_a_quarantined_model_is_shown_refused_and_released(evil: Stage, cli: Cli) -> None:
    cli("verify", "--scan")
    listed = cli("ls", "--json").json
    assert {row["name"]: row["state"] for row in listed}["evil:latest"] == "quarantined"
    assert cli("ls", "quarantined").out.splitlines()[1].split()[:2] == ["!", "evil:latest"]
    for words in (("load", "evil"), ("switch", "evil"), ("switch", "--record-only", "evil")):
        ran = cli(*words, "--json")
        assert (ran.code, ran.error["code"]) == (1, "refusal")
        assert "evil:latest is quarantined" in ran.error["message"]
        assert "modeltui verify --release evil:latest" in ran.error["remedy"]
    assert cli("verify", "--release", "evil").code == 0
    assert cli("switch", "evil").code == 0
    again = cli("verify", "--scan", "evil")
    assert again.code == 0
    assert "released" in again.out
    assert cli("verify", "--release", "evil").code == 1
    actions = [row["action"] for row in cli("activity", "--json").json]
    assert {"quarantine", "release"} <= set(actions)


def test_a_pull_says_what_its_scan_found(evil: Stage, cli: Cli) -> None:
    cli("rm", "evil", "--yes")
    ran = cli("pull", "evil")
    assert ran.code == 0
    assert "quarantined: its template holds characters that steer a terminal" in ran.out
    assert not harmful(ran.out)


def test_one_thing_at_a_time(evil: Stage, cli: Cli) -> None:
    assert cli("verify", "--scan", "--quarantine").code == 2
    assert cli("verify", "--release", "evil", "--scan").code == 2
