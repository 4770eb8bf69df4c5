"""`outdated` and `upgrade` on the command line: what they print, ask, pull and leave."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import replace

from commandline import Home, Ran, Stage, Terminal

from modeltui.demo.faults import Kind

Cli = Callable[..., Ran]
KEYS = ["name", "verdict", "reason", "digest", "newer_digest", "pushed", "size", "missing", "own"]


def create(stage: Stage, name: str, source: str, **more: object) -> None:
    """What another client of the server does."""
    body = json.dumps({"model": name, "from": source, "stream": False, **more}).encode()
    with urllib.request.urlopen(f"{stage.url}/api/create", body, timeout=60) as answer:
        assert answer.status == 200


def digest_of(stage: Stage, name: str, *, published: bool = False) -> str:
    models = stage.library.available if published else stage.library.installed
    found: str = stage.behind.call(lambda: models[f"registry.ollama.ai/library/{name}"].manifest.digest)
    return found


def test_what_is_newer_is_a_table_and_exit_code_3(cli: Cli, stage: Stage) -> None:
    ran = cli("outdated")
    assert ran.code == 3
    assert [line.split() for line in ran.out.splitlines()] == [
        ["MODEL", "VERSION", "PUSHED", "SIZE", "TO", "FETCH"],
        ["gemma3:12b", "newer", "6", "h", "ago", "8.15", "GB", "747", "B"],
        ["nomic-embed-text:latest", "newer", "3", "d", "ago", "274", "MB", "274", "MB"],
    ]
    assert ran.err == ""
    listed = cli("ls", "outdated").out.splitlines()[1:]
    assert [line.split()[:2] for line in listed] == [["▲", "gemma3:12b"], ["▲", "nomic-embed-text:latest"]]
    assert "newer version" in cli("show", "gemma3:12b").out


def test_as_json_every_model_that_was_asked_about(cli: Cli, stage: Stage) -> None:
    ran = cli("outdated", "--json")
    assert (ran.code, ran.err) == (3, "")
    assert all(list(row) == KEYS for row in ran.json)
    found = {row["name"]: row for row in ran.json}
    assert len(found) == 11  # all but the one in the cloud
    newer = found["gemma3:12b"]
    assert (newer["verdict"], newer["reason"], newer["missing"], newer["own"]) == ("newer", None, 747, [])
    assert newer["newer_digest"] == digest_of(stage, "gemma3:12b", published=True)
    assert newer["pushed"].endswith("Z")
    assert found["assistant:latest"]["verdict"] == "local"
    assert found["qwen3:8b"] == {
        **dict.fromkeys(KEYS),
        **{key: found["qwen3:8b"][key] for key in ("digest", "pushed")},
        "name": "qwen3:8b",
        "verdict": "up_to_date",
        "own": [],
    }


def test_of_named_models_each_is_told(cli: Cli, stage: Stage) -> None:
    ran = cli("outdated", "qwen3:8b", "assistant")
    assert ran.code == 0
    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [
        ["assistant:latest", "local"],
        ["qwen3:8b", "up"],
    ]
    assert cli("outdated", "nothing").code == 5
    assert cli("outdated", "gemma3:12b", "qwen3:8b").code == 3


def test_when_nothing_is_newer(cli: Cli, stage: Stage) -> None:
    assert cli("upgrade", "--all", "--yes").code == 0
    ran = cli("outdated")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "2 local, 9 up to date\n"
    ran = cli("upgrade", "--all")
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing to upgrade\n")
    assert cli("upgrade", "--all", "--json").out == ""


def test_a_registry_without_an_answer(cli: Cli, stage: Stage) -> None:
    stage.trouble(Kind.STATUS, "/v2/library/*", value=500)
    ran = cli("outdated")
    assert ran.code == 0  # one of hf.co could be told
    assert len(ran.out.splitlines()) == 11
    assert f"{stage.url}: HTTP 500" in ran.out
    stage.trouble(Kind.STATUS, "/v2/*", value=500)
    assert cli("outdated").code == 1
    ran = cli("upgrade", "gemma3:12b", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "cannot be told" in ran.error["message"]
    ran = cli("upgrade", "--all", "--yes")
    assert ran.code == 0
    assert ran.err.count("cannot be told") == 11


def test_an_unreachable_server_is_4(cli: Cli, stage: Stage) -> None:
    stage.stop()
    assert cli("outdated").code == 4
    assert cli("upgrade", "--all", "--yes").code == 4


def test_one_is_upgraded_by_its_name(cli: Cli, stage: Stage) -> None:
    ran = cli("upgrade", "gemma3:12b", "qwen3:8b")
    assert ran.code == 0
    assert "qwen3:8b is up to date" in ran.err
    assert ran.out.startswith("gemma3:12b installed")
    assert digest_of(stage, "gemma3:12b") == digest_of(stage, "gemma3:12b", published=True)
    assert [row["name"] for row in cli("outdated", "--json").json if row["verdict"] == "newer"] == [
        "nomic-embed-text:latest"
    ]


def test_all_are_upgraded_after_a_yes(cli: Cli, stage: Stage, home: Home) -> None:
    ran = cli("upgrade", "--all")
    assert (ran.code, ran.out) == (6, "")
    question = "Upgrade 2 models (274 MB to fetch): gemma3:12b, nomic-embed-text:latest?"
    assert question in ran.err
    assert home.queue() == []
    with Terminal(home, "upgrade", "--all", columns=120) as terminal:
        terminal.read_until(f"{question} [y/N] ")
        terminal.send("y\r")
        done = terminal.end(60)
    assert done.code == 0
    assert "checking 11 models" in done.out
    assert "nomic-embed-text:latest installed" in done.out


def test_the_stream_of_json_is_that_of_pull(cli: Cli, stage: Stage) -> None:
    ran = cli("upgrade", "--all", "--yes", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert {row["name"] for row in ran.stream} == {"gemma3:12b", "nomic-embed-text:latest"}
    assert ran.stream[-1]["state"] == "installed"


def test_what_is_to_be_upgraded_must_be_said(cli: Cli, stage: Stage) -> None:
    for words in ((), ("--all", "gemma3:12b")):
        ran = cli("upgrade", *words)
        assert (ran.code, ran.out) == (2, "")
        assert "--all" in ran.err


def test_a_model_with_parameters_of_its_own_is_left(cli: Cli, stage: Stage, home: Home) -> None:
    create(stage, "gemma3:12b", "gemma3:12b", parameters={"num_ctx": 4096}, system="Mine.")
    gemma = stage.library.available["registry.ollama.ai/library/gemma3:12b"].model
    stage.publish(replace(gemma, hours=-1))  # pushed after that
    before = digest_of(stage, "gemma3:12b")

    (row,) = cli("outdated", "gemma3:12b", "--json").json
    assert (row["verdict"], row["own"]) == ("newer", ["parameter num_ctx", "system prompt", "template"])
    ran = cli("upgrade", "gemma3:12b")
    assert (ran.code, ran.out) == (1, "")
    assert "a pull would overwrite its own parameter num_ctx, system prompt, template" in ran.err
    assert "modeltui cp gemma3:12b NAME; modeltui pull gemma3:12b" in ran.err
    assert home.queue() == []

    ran = cli("upgrade", "--all", "--yes")
    assert ran.code == 0
    assert "gemma3:12b is not updated" in ran.err
    assert "nomic-embed-text:latest installed" in ran.out
    assert digest_of(stage, "gemma3:12b") == before
    # The way by hand, which is named, loses nothing.
    assert cli("cp", "gemma3:12b", "mine").code == 0
    assert cli("pull", "gemma3:12b").code == 0
    assert cli("show", "mine", "--system").out == "Mine.\n"
    assert cli("outdated", "gemma3:12b").code == 0


def test_what_was_pulled_here_is_known_to_be_nobody_s_own(cli: Cli, stage: Stage) -> None:
    """Who pushes a model that was made from another one pushes that mark, too."""
    tiny = stage.library.available["registry.ollama.ai/library/tiny-demo:latest"].model
    stage.publish(replace(tiny, parent="base:latest", system="Theirs."))
    assert cli("pull", "tiny-demo").code == 0
    stage.publish(replace(tiny, parent="base:latest", system="Theirs, newer.", hours=-1))
    assert cli("upgrade", "tiny-demo").code == 0
    assert cli("show", "tiny-demo", "--system").out == "Theirs, newer.\n"


def test_in_ascii_the_mark_is_a_letter_of_it(ascii_cli: Cli, stage: Stage) -> None:
    assert ascii_cli("outdated").code == 3
    assert "^  gemma3:12b" in ascii_cli("ls", "gemma3").out


# By itself, for a timer.


def test_by_itself_it_does_what_is_configured(cli: Cli, stage: Stage, home: Home) -> None:
    ran = cli("upgrade", "--auto")
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing was done: updates.auto is off\n")
    assert cli("ls", "outdated").out == ""

    home.configure(stage.url, '[updates]\nauto = "check"')
    ran = cli("upgrade", "--auto")
    assert (ran.code, ran.out, ran.err) == (0, "", "2 newer, 2 local, 7 up to date\n")
    assert len(cli("ls", "outdated").out.splitlines()) == 3
    assert home.queue() == []

    home.configure(stage.url, '[updates]\nauto = "pull"')
    assert cli("load", "gemma3:12b").code == 0
    ran = cli("upgrade", "--auto")
    assert ran.code == 0
    assert "gemma3:12b is not updated now: it is loaded" in ran.err
    assert ran.out.startswith("nomic-embed-text:latest installed")
    assert [row.transfer.name.short for row in home.queue()] == ["nomic-embed-text:latest"]
    ran = cli("upgrade", "--auto", "--json")
    assert (ran.code, ran.out) == (0, "")


def test_by_itself_is_about_no_model_in_particular(cli: Cli, stage: Stage) -> None:
    for words in (("--all",), ("gemma3:12b",)):
        assert cli("upgrade", "--auto", *words).code == 2
