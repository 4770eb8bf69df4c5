"""`recommend`, `switch --task` and `setup` over a demonstration server."""

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commandline import ROOT, Behind, Home, Ran, Stage, demo_stage

from modeltui.demo.library import DemoModel, Library
from modeltui.domain.advice.scoring import PARTS
from modeltui.domain.advice.tasks import Priority, Task

Cli = Callable[..., Ran]

ROW = {
    *("place", "name", "series", "installed", "score", "parts", "suitability", "fit", "size", "needs"),
    *("trained_context", "largest_context", "speed", "slow", "near_the_one_above", "license", "commercial"),
    *("why", "also", "vram", "ram"),
}


def first(answer: Any) -> dict[str, Any]:
    row: dict[str, Any] = answer["rows"][0]
    return row


def test_words_and_options_say_the_same(stage: Stage, cli: Cli) -> None:
    words = cli("recommend", "8", "balanced", "coding", "--json")
    options = cli("recommend", "--vram", "8", "--priority", "balanced", "--task", "coding", "--json")
    assert words.code == options.code == 0
    assert words.json == options.json
    assert (words.json["task"], words.json["priority"], words.json["context"]) == (
        "coding",
        "balanced",
        16384,
    )


def test_json_of_a_recommendation(stage: Stage, cli: Cli) -> None:
    ran = cli("recommend", "24GB+64GB", "--json", "--limit", "3", "--context", "32k")
    answer = ran.json
    assert len(answer["rows"]) == 3 < answer["total"]
    assert answer["context"] == 32 * 1024
    for place, row in enumerate(answer["rows"], start=1):
        assert set(row) == ROW
        assert row["place"] == place
        assert row["fit"] in ("gpu", "split", "cpu")
        assert [part["name"] for part in row["parts"]] == list(PARTS)
        assert sum(part["points"] for part in row["parts"]) == row["score"]
        assert (
            0 <= row["suitability"]["low"] <= row["suitability"]["value"] <= row["suitability"]["high"] <= 10
        )
    assert answer["machine"]["simulated"] is True


def test_a_table_with_why_and_what_else(stage: Stage, cli: Cli) -> None:
    ran = cli("recommend", "8", "-n", "2")
    lines = ran.out.splitlines()
    assert lines[0].startswith("general · balanced · 16k · ")
    assert lines[1].split() == ["MODEL", "SCORE", "SUITS", "VRAM", "FIT", "TOK/S", "CONTEXT"]
    assert any(line.strip().startswith("also ") for line in lines)
    assert "--explain" in ran.err


def test_the_whole_score_taken_apart(stage: Stage, cli: Cli) -> None:
    ran = cli("recommend", "8", "-n", "1", "--explain")
    for part in PARTS:
        assert any(line.strip().startswith(f"{part} ") and " of " in line for line in ran.out.splitlines()), (
            part
        )


@pytest.mark.parametrize("columns", [44, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(stage: Stage, screen: Cli, columns: int) -> None:
    ran = screen("recommend", "24", columns=columns, NO_COLOR="1")
    answer = [line for line in ran.out.splitlines() if not line.startswith(("modeltui:", "5 of", "general"))]
    assert answer and all(len(line) <= columns for line in answer)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lots",), "no size of VRAM, no task and no priority"),
        (("8", "16"), "the same thing"),
        (("coding", "--task", "vision"), "two say the task"),
        (("--vram", "8", "--hardware", "24GB"), "the same thing"),
        (("--context", "long"), "no context"),
        (("--vram", "-1"), ""),
        (("--limit", "0"), "no number of rows"),
        (("--task", "cooking"), "cooking"),
    ],
)
def test_what_is_no_wish(stage: Stage, cli: Cli, words: tuple[str, ...], said: str) -> None:
    ran = cli("recommend", *words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_nothing_fits(stage: Stage, cli: Cli) -> None:
    ran = cli("recommend", "none+0.2GB")
    assert ran.code == 3
    assert "nothing fits" in ran.out
    assert cli("recommend", "none+0.2GB", "--json").json["rows"] == []


def test_a_server_elsewhere_is_asked_for_by_what_it_has(stage: Stage, cli: Cli) -> None:
    ran = cli("recommend")
    assert ran.code == 3
    assert "--hardware" in ran.out
    answer = cli("recommend", "--json").json
    assert answer["rows"] == [] and answer["machine"]["why"]


def test_without_a_server_the_catalog_and_typed_hardware_are_enough(stage: Stage, cli: Cli) -> None:
    stage.stop()
    ran = cli("recommend", "24GB+64GB", "coding", "--json")
    assert ran.code == 0 and first(ran.json)["fit"] == "gpu"


def test_what_is_configured_is_what_is_wished(home: Home, stage: Stage, cli: Cli) -> None:
    home.configure(stage.url, '[recommend]\ntask = "vision"\npriority = "speed"\ncontext = "8k"\n')
    answer = cli("recommend", "12GB+32GB", "--json").json
    assert (answer["task"], answer["priority"], answer["context"]) == ("vision", "speed", 8192)
    assert cli("recommend", "12GB+32GB", "--task", "coding", "--json").json["task"] == "coding"


def test_words_of_the_parser_are_those_of_the_domain() -> None:
    from modeltui.config.keys import KEYS

    for key, words in (("recommend.task", Task), ("recommend.priority", Priority)):
        for word in words:
            assert KEYS[key].check(word.value) == word.value
        assert all(word.value in KEYS[key].allowed for word in words)


# --- switch


def test_switch_picks_the_best_installed_and_says_which_and_why(home: Home, stage: Stage, cli: Cli) -> None:
    home.configure(stage.url, of_server='[servers.demo.hardware]\ngpus = ["24GB"]\nram = "64GB"')
    ran = cli("switch", "--task", "coding", "--record-only")
    assert ran.code == 0, ran.err
    picked = cli("current").out.strip()
    assert picked in stage.installed
    assert f"{picked}: " in ran.err and "coding" in ran.err


def test_switch_to_auto_by_what_is_configured(home: Home, stage: Stage, cli: Cli) -> None:
    home.configure(stage.url, of_server='[servers.demo.hardware]\ngpus = ["24GB"]\nram = "64GB"')
    ran = cli("switch", "auto", "--record-only", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["current"] in stage.installed


def test_switch_where_the_machine_is_unknown_goes_by_quality(stage: Stage, cli: Cli) -> None:
    assert cli("switch", "--task", "general", "--record-only").code == 0


@pytest.mark.parametrize(
    "words", [("switch",), ("switch", "a", "--task", "coding"), ("switch", "--task", "embedding")]
)
def test_switch_to_what_is_not_said(stage: Stage, cli: Cli, words: tuple[str, ...]) -> None:
    assert cli(*words).code == 2


# --- setup

SMALL = '[servers.demo.hardware]\ngpus = []\nram = "3GB"'


def test_setup_takes_a_current_model_among_the_installed(stage: Stage, cli: Cli) -> None:
    ran = cli("setup", "--yes")
    assert ran.code == 0, ran.err
    current = cli("current").out.strip()
    assert current in ran.out and current in stage.installed
    again = cli("setup", "--json")
    assert again.code == 0
    assert again.stream[-1] == {
        "status": "ready",
        "started": None,
        "recommended": None,
        "pulled": None,
        "current": current,
    }


def test_setup_pulls_the_recommended_one_to_an_empty_server(behind: Behind, home: Home, cli: Cli) -> None:
    with demo_stage(behind, seed=Library((), ())) as stage:
        home.configure(stage.url, of_server=SMALL)
        offer = json.loads(cli("recommend", "--json").out)["rows"][0]
        stage.publish(DemoModel(offer["name"], "small", 3_000_000))
        asked = cli("setup")
        assert asked.code == 6 and stage.installed == []
        assert offer["name"] in asked.err and "to pull" in asked.err
        ran = cli("setup", "--yes", "--json")
        assert ran.code == 0, ran.err
        assert ran.stream[-1]["pulled"] == offer["name"] == ran.stream[-1]["current"]
        assert ran.stream[-1]["recommended"]["name"] == offer["name"]
        assert stage.installed == [offer["name"]]
        assert cli("current").out.strip() == offer["name"]


def test_setup_where_nothing_can_be_recommended(behind: Behind, home: Home, cli: Cli) -> None:
    with demo_stage(behind, seed=Library((), ())) as stage:
        home.configure(stage.url)
        ran = cli("setup", "--yes")
        assert ran.code == 3
        assert "--vram" in ran.err


def test_setup_without_a_server_says_what_would_start_it(stage: Stage, cli: Cli) -> None:
    stage.stop()
    ran = cli("setup", "--yes", "--json")
    assert ran.code == 4
    assert ran.error["code"] == "unreachable"


@pytest.fixture
def startable(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server here that does not run; `ollama serve` would start it. The address it would have."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    programs = tmp_path / "bin"
    programs.mkdir()
    pid = tmp_path / "pid"
    stand_in = programs / "ollama"
    stand_in.write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib, sys\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        f"os.environ['PYTHONPATH'] = {str(ROOT)!r}\n"
        f"os.execv(sys.executable, [sys.executable, '-m', 'modeltui', 'demo', '--port', '{port}'])\n",
        "utf-8",
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    url = f"http://127.0.0.1:{port}"
    home.write_config(f'server = "here"\n[servers.here]\nurl = "{url}"\nlocal = true\n')
    yield url
    if pid.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGTERM)


def test_setup_starts_the_server_that_is_here_after_a_yes(startable: str, cli: Cli) -> None:
    asked = cli("setup")
    assert asked.code == 6
    assert "ollama serve" in asked.err and startable in asked.err
    ran = cli("setup", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert "ollama serve" in ran.stream[-1]["started"]
    assert ran.stream[-1]["current"] == cli("current").out.strip()


def test_memory_is_what_lies_on_the_card_and_the_rest_apart(stage: Stage, cli: Cli) -> None:
    """8.59 GB are on the card: a row that lies there needs no more of it."""
    for row in cli("recommend", "8GB+64GB", "--json", "--limit", "20").json["rows"]:
        assert row["vram"] <= 8 * 2**30
        assert row["needs"] == row["vram"] + (0 if row["fit"] == "gpu" else row["ram"])
    head = cli("recommend", "2GB+64GB", "quality", "-n", "3").out.splitlines()[1].split()
    assert head[3:6] == ["VRAM", "RAM", "FIT"]
    assert cli("recommend", "none+16GB", "-n", "3").out.splitlines()[1].split()[3:5] == ["RAM", "FIT"]


def test_faults_of_a_catalog_of_ones_own_are_told_shortly(home: Home, stage: Stage, cli: Cli) -> None:
    own = home.paths.config / "catalog.d"
    own.mkdir(parents=True, exist_ok=True)
    faults = "\n".join(f"nonsense{number} = 1" for number in range(30))
    (own / "mine.toml").write_text(f"[series.mine]\n{faults}\n")
    for words in (("recommend", "8", "-n", "1"), ("check", "qwen3:8b"), ("catalog", "qwen3")):
        told = [
            line for line in cli(*words).err.splitlines() if "nonsense" in line or "more problems" in line
        ]
        assert len(told) == 4, words
        assert told[-1].endswith("27 more problems: modeltui doctor")
