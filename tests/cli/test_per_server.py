"""`queue per-server`: how many pulls run at once on a server, where that comes from, and the wish for it."""

from collections.abc import Callable

import pytest
from commandline import Home, Ran, Stage, until

from modeltui.demo.library import DemoModel
from modeltui.domain.transfers import CONNECTED

Cli = Callable[..., Ran]
NAMES = ("one:1b", "two:1b", "three:1b")
DEFAULT = {
    "server": "demo",
    "per_server": 1,
    "source": "default",
    "wished": None,
    "configured": 1,
    "configured_by": "default",
}


def test_what_holds_is_said(cli: Cli, stage: Stage) -> None:
    assert cli("queue", "per-server") == Ran(0, "demo: 1 at once (default)\n", "")
    assert cli("queue", "per-server", "--json").json == DEFAULT
    assert cli("activity", "--json").json == []  # to look is no action


def test_a_wish_is_kept_and_taken_back(cli: Cli, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "demo: 3 at once (wish, instead of 1 (default))\n"
    assert cli("queue", "per-server", "3") == Ran(0, said, "")
    assert cli("queue", "per-server").out == said
    monkeypatch.setenv("MODELTUI_DOWNLOADS__PER_SERVER", "2")
    wished = {"per_server": 3, "source": "wish", "wished": 3, "configured": 2}
    found = cli("queue", "per-server", "--json").json
    assert found == {**DEFAULT, **wished, "configured_by": "environment"}
    assert cli("queue", "per-server", "default").out == "demo: 2 at once (environment)\n"
    rows = cli("activity", "--json").json
    assert [(row["action"], row["object"], row["server"], row["origin"]) for row in rows] == [
        ("per-server", "as configured, 2 at once", "demo", "command"),
        ("per-server", "3 at once", "demo", "command"),
    ]


def test_each_server_has_its_own(cli: Cli, stage: Stage) -> None:
    """A server needs not answer for that."""
    assert cli("queue", "per-server", "4", "--server", "127.0.0.1:9").out.startswith("http://127.0.0.1:9: 4 ")
    assert cli("queue", "per-server", "--json").json == DEFAULT
    assert cli("--server", "127.0.0.1:9", "queue", "per-server", "--json").json["wished"] == 4


@pytest.mark.parametrize("count", ["0", "5", "-1", "1.5", "two", "", "٣", "99999999999999999999"])
def test_what_is_no_number_of_pulls(cli: Cli, stage: Stage, count: str) -> None:
    ran = cli("queue", "per-server", "--json", "--", count)
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "usage")
    assert "1, 2, 3 or 4, or default" in ran.error["message"]
    assert cli("queue", "per-server", "--json").json == DEFAULT
    assert cli("activity", "--json").json == []


def test_what_a_command_wishes_another_one_obeys(cli: Cli, stage: Stage, home: Home) -> None:
    stage.publish(*(DemoModel(name, name) for name in NAMES))
    stage.set_rate(10_000)

    def connected() -> list[str]:
        return [row.transfer.name.short for row in home.queue() if row.transfer.state in CONNECTED]

    with home.spawn("pull", *NAMES):
        until(lambda: connected() == ["one:1b"])
        assert cli("queue", "per-server", "2") == Ran(
            0, "demo: 2 at once (wish, instead of 1 (default))\n", ""
        )
        until(lambda: connected() == ["one:1b", "two:1b"])
        ran = cli("queue", "per-server", "1")
        assert ran.out == "demo: 1 at once (wish, instead of 1 (default))\n"
        assert ran.err == "2 are under way, and go on to their end\n"
        assert connected() == ["one:1b", "two:1b"]
