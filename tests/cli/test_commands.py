"""Every command: what a person reads, what a script reads, and the exit code."""

import json
import re
import signal
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from commandline import Home, Ran, Stage, Terminal, cell_width, demo_stage

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel

Cli = Callable[..., Ran]
Is = Callable[[Any], bool]

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def text(value: Any) -> bool:
    return isinstance(value, str)


def count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def rate(value: Any) -> bool:
    return isinstance(value, float)


def truth(value: Any) -> bool:
    return isinstance(value, bool)


def moment(value: Any) -> bool:
    return isinstance(value, str) and MOMENT.fullmatch(value) is not None


def table(value: Any) -> bool:
    return isinstance(value, dict)


def null(value: Any) -> bool:
    return value is None


def words(value: Any) -> bool:
    return isinstance(value, list) and all(map(text, value))


def maybe(kind: Is) -> Is:
    return lambda value: value is None or kind(value)


def shaped(value: Any, shape: Mapping[str, Is]) -> None:
    """Assert that a JSON object has exactly these keys, each of its kind."""
    assert isinstance(value, dict), value
    assert set(value) == set(shape)
    assert {key: value[key] for key, kind in shape.items() if not kind(value[key])} == {}


LS: dict[str, Is] = {
    "name": text,
    "series": maybe(text),
    "size": maybe(count),
    "digest": maybe(text),
    "modified": maybe(moment),
    "format": maybe(text),
    "family": maybe(text),
    "parameter_count": maybe(count),
    "parameter_size": maybe(text),
    "quantization": maybe(text),
    "context": maybe(count),
    "capabilities": maybe(words),
    "type": maybe(text),
    "purpose": maybe(text),
    "state": text,
    "current": truth,
    "alias_of": maybe(text),
    "loaded": maybe(table),
    "last_used": maybe(moment),
    "performance": maybe(table),
}
LOADED: dict[str, Is] = {
    "vram": maybe(count),
    "ram": maybe(count),
    "context": maybe(count),
    "expires_at": maybe(moment),
    "by": maybe(text),
}
PERFORMANCE: dict[str, Is] = {
    "tokens_per_s": maybe(rate),
    "load_ms": maybe(count),
    "measured_at": maybe(moment),
    "uses": maybe(count),
    "success_rate": maybe(rate),
}
SHOW: dict[str, Is] = {
    **LS,
    "architecture": maybe(text),
    "context_set": maybe(count),
    "context_loaded": maybe(count),
    "embedding_length": maybe(count),
    "template": maybe(text),
    "system": maybe(text),
    "options": table,
    "license": maybe(text),
    "base_model": maybe(text),
    "requires": maybe(text),
    "weights": maybe(text),
    "shares_weights_with": words,
    "projector": maybe(table),
    "adapters": words,
    "remote_host": maybe(text),
    "remote_model": maybe(text),
    "signed_in_as": maybe(text),
    "path": maybe(text),
    "asked": text,
    "fit": maybe(table),
}
PS: dict[str, Is] = {
    "name": text,
    "digest": maybe(text),
    "family": maybe(text),
    "parameter_size": maybe(text),
    "quantization": maybe(text),
    "size": maybe(count),
    "vram": maybe(count),
    "ram": maybe(count),
    "context": maybe(count),
    "expires_at": maybe(moment),
    "kept_forever": truth,
    "state": text,
    "server_says": text,
    "hardware": text,
    "predicted": maybe(table),
}
SWITCH: dict[str, Is] = {
    "previous": maybe(text),
    "current": maybe(text),
    "status": text,
    "load_time_ms": maybe(count),
    "evicted": words,
    "released": maybe(text),
    "notes": words,
}
LOAD: dict[str, Is] = {
    "name": text,
    "load_time_ms": maybe(count),
    "state": text,
    "loaded": maybe(table),
    "evicted": words,
}
UNLOAD: dict[str, Is] = {"name": text, "status": text, "shared_with": words}
RM: dict[str, Is] = {
    "name": text,
    "deleted": truth,
    "freed": maybe(count),
    "shared_with": words,
    "current": truth,
    "loaded": truth,
}
TRANSFER: dict[str, Is] = {
    "number": count,
    "name": text,
    "pulled_as": text,
    "server": maybe(text),
    "state": text,
    "wanted": text,
    "cause": maybe(text),
    "detail": maybe(text),
    "position": maybe(count),
    "done": count,
    "total": maybe(count),
    "total_exact": truth,
    "present": maybe(count),
    "percent": maybe(count),
    "speed": maybe(rate),
    "remaining_ms": maybe(count),
    "average_speed": maybe(rate),
    "duration_ms": maybe(count),
    "attempts": count,
    "tries": count,
    "retry_at": maybe(moment),
    "created": moment,
    "started": maybe(moment),
    "ended": maybe(moment),
}
BEFORE: dict[str, Is] = {
    "known_to_registry": maybe(truth),
    "total": maybe(count),
    "present": maybe(count),
    "needed": maybe(count),
    "free": maybe(count),
    "directory": maybe(text),
    "installed": maybe(truth),
    "up_to_date": maybe(truth),
    "fit": maybe(table),
}
ACTIVITY: dict[str, Is] = {
    "at": moment,
    "user": text,
    "origin": text,
    "server": maybe(text),
    "action": text,
    "object": text,
    "result": text,
    "error": maybe(text),
}
CONFIG: dict[str, Is] = {"key": text, "value": lambda _: True, "source": text}
DOCTOR: dict[str, Is] = {"check": text, "result": text, "message": text, "remedy": maybe(text)}
CURRENT: dict[str, Is] = {
    "name": maybe(text),
    "since": maybe(moment),
    "previous": maybe(text),
    "installed": maybe(truth),
}
FINDING: dict[str, Is] = {"kind": text, "subject": text, "message": text, "remedy": maybe(text)}

SMALL = DemoModel("small-demo:latest", "small", 1_000_000, capabilities=("completion",))


def rows(ran: Ran) -> dict[str, str]:
    """The lines below a table's header, by the name in them."""
    return {word: line for line in ran.out.splitlines()[1:] for word in line.split() if ":" in word}


class TestLs:
    def test_the_table_is_aligned_and_stdout_holds_nothing_else(self, cli: Cli, stage: Stage) -> None:
        ran = cli("ls")
        header, *lines = ran.out.splitlines()
        assert (ran.code, ran.err, len(lines)) == (0, "", 12)
        assert header.split() == [
            "NAME",
            "PARAMS",
            "QUANT",
            "SIZE",
            "CONTEXT",
            "STATE",
            "TOK/S",
            "FIT",
            "LOAD",
            "TYPE",
            "MODIFIED",
        ]
        for title in ("NAME", "QUANT", "STATE", "TYPE"):
            place = header.index(title)
            assert all(line[place] != " " and line[place - 2 : place] == "  " for line in lines), title
        for title in ("PARAMS", "SIZE", "CONTEXT", "LOAD"):
            end = header.index(title) + len(title)
            assert all(line[end - 1] != " " and line[end : end + 2] in ("", "  ") for line in lines), title
        assert len({cell_width(line) for line in lines}) == 1

    def test_what_a_row_says(self, cli: Cli, stage: Stage) -> None:
        found = rows(cli("ls"))
        assert found["qwen3.5:27b"].split() == [
            "qwen3.5:27b",
            "27.8B",
            "Q4_K_M",
            "18.4",
            "GB",
            "256k",
            *"————",
            "general",
            "3",
            "d",
            "ago",
        ]
        assert " cloud " in found["gpt-oss:120b-cloud"]
        assert found["nomic-embed-text:latest"].split()[1:5] == ["136.73M", "F16", "274", "MB"]

    def test_json(self, cli: Cli, stage: Stage) -> None:
        cli("load", "qwen3:8b")
        ran = cli("ls", "--json")
        assert (ran.code, ran.err) == (0, "")
        for row in ran.json:
            shaped(row, LS)
        found = {row["name"]: row for row in ran.json}
        assert len(found) == 12
        shaped(found["qwen3:8b"]["loaded"], LOADED)
        shaped(found["qwen3:8b"]["performance"], PERFORMANCE)
        assert (found["qwen3:8b"]["state"], found["qwen3:8b"]["loaded"]["by"]) == ("gpu", "name")
        assert (found["gemma3:12b"]["state"], found["gemma3:12b"]["loaded"]) == ("—", None)
        assert found["qwen3:8b"]["capabilities"] == ["completion", "thinking", "tools"]
        assert found["hf.co/bartowski/Mistral-7B-Instruct-v0.3-GGUF:Q4_K_M"]["quantization"] is None

    def test_nothing_installed_is_no_failure(self, cli: Cli, stage: Stage) -> None:
        stage.behind.call(stage.library.installed.clear)
        ran = cli("ls")
        assert (ran.code, ran.out) == (0, "")
        assert "0 models" in ran.err and "modeltui pull NAME" in ran.err
        assert cli("ls", "--json").json == []

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            (["nomic"], {"nomic-embed-text:latest"}),
            (["QWEN3:8b"], {"qwen3:8b"}),
            (["loaded"], {"qwen3:8b"}),
            (["type:embedding"], {"nomic-embed-text:latest"}),
            (["cloud"], {"gpt-oss:120b-cloud"}),
            (["qwen3", "<6gb", "loaded"], {"qwen3:8b"}),
            (["qwen3 <6gb loaded"], {"qwen3:8b"}),
            (["no-such-model"], set()),
        ],
    )
    def test_words_filter_the_list(self, cli: Cli, stage: Stage, words: list[str], names: set[str]) -> None:
        cli("load", "qwen3:8b")
        ran = cli("ls", *words, "--json")
        assert (ran.code, ran.err) == (0, "")
        assert {row["name"] for row in ran.json} == names
        assert set(rows(cli("ls", *words))) == names

    def test_how_many_of_all_match_is_said_where_a_person_reads(self, home: Home, stage: Stage) -> None:
        with Terminal(home, "ls", "nomic") as terminal:
            ran = terminal.end()
        assert ran.out.splitlines()[-1].startswith("1 of 12 models, 274 MB on ")

    def test_a_filter_that_nothing_matches_is_no_failure(self, cli: Cli, stage: Stage) -> None:
        ran = cli("ls", "no-such-model")
        assert (ran.code, ran.out) == (0, "")
        assert ran.err.startswith("0 of 12 models, 0 B on ")
        assert "modeltui pull" not in ran.err

    def test_an_older_server_and_its_unknown_capabilities(self, cli: Cli, home: Home, behind: Any) -> None:
        with demo_stage(behind, version="0.24.0") as old:
            home.configure(old.url)
            ran = cli("ls", "--json")
            types = {row["name"]: row["type"] for row in ran.json}
            assert types["llama3.2:3b"] == "general"  # which the catalog knows
            assert types["assistant:latest"] == "general"  # another name of the same
            assert types["hf.co/bartowski/Mistral-7B-Instruct-v0.3-GGUF:Q4_K_M"] is None
            assert {row["context"] for row in ran.json} == {None}
            assert " — " in cli("ls").out

    def test_the_alias_reads_as_a_pointer(self, cli: Cli, home: Home, stage: Stage) -> None:
        home.configure(stage.url, more='current.alias = "follows"')
        assert cli("switch", "--record-only", "qwen3:8b").code == 0
        assert "follows -> qwen3:8b" in cli("ls").out
        found = {row["name"]: row for row in cli("ls", "--json").json}
        assert found["follows:latest"]["alias_of"] == "qwen3:8b"
        assert [name for name, row in found.items() if row["current"]] == ["qwen3:8b"]


class TestShow:
    def test_json_tells_everything(self, cli: Cli, stage: Stage) -> None:
        ran = cli("show", "qwen3:8b", "--json")
        assert (ran.code, ran.err) == (0, "")
        shaped(ran.json, SHOW)
        assert ran.json["options"]["stop"] == ["<|im_start|>", "<|im_end|>"]
        assert (ran.json["context"], ran.json["parameter_count"]) == (40_960, 8_190_735_360)
        assert ran.json["weights"].startswith("sha256:")
        reviewer = cli("show", "code-reviewer", "--json").json
        assert reviewer["shares_weights_with"] == ["qwen3:8b"]
        assert (reviewer["asked"], reviewer["name"]) == ("code-reviewer", "code-reviewer:latest")

    def test_unknown_is_null_and_a_cloud_model_has_nobody_signed_in(self, cli: Cli, stage: Stage) -> None:
        ran = cli("show", "gpt-oss:120b-cloud", "--json")
        shaped(ran.json, SHOW)
        assert (ran.json["template"], ran.json["license"], ran.json["path"]) == (None, None, None)
        assert ran.json["remote_model"] == "gpt-oss:120b"

    def test_the_page_is_aligned_and_long_texts_are_cut_with_a_hint(self, cli: Cli, stage: Stage) -> None:
        long = replace(SMALL, licence="\n".join(f"line {n}" for n in range(40)), system="Be brief.")
        stage.publish(long)
        assert cli("pull", "small-demo").code == 0
        ran = cli("show", "small-demo")
        facts = ran.out.split("\n\n")[0].splitlines()
        assert facts[0] == "name              small-demo:latest"
        assert all(line[17] == " " and line[18] != " " for line in facts)
        assert "system\n  Be brief.\n" in ran.out
        assert "… 34 more lines: --license prints it whole" in ran.out
        assert "line 39" not in ran.out

    @pytest.mark.parametrize(
        ("part", "holds"),
        [
            ("license", "TERMS ..."),
            ("template", "{{ .Content }}"),
            ("system", "You review code."),
            ("parameters", "temperature                    0.6"),
            ("modelfile", "FROM "),
        ],
    )
    def test_one_part_alone(self, cli: Cli, stage: Stage, part: str, holds: str) -> None:
        ran = cli("show", "code-reviewer", f"--{part}")
        assert (ran.code, ran.err) == (0, "")
        assert holds in ran.out

    def test_what_a_parameter_says_twice_is_two_lines(self, cli: Cli, stage: Stage) -> None:
        body = {
            "model": "chatty",
            "from": "qwen3:8b",
            "parameters": {"stop": ["<|user|>", "</s>"]},
            "stream": False,
        }
        with urllib.request.urlopen(
            f"{stage.url}/api/create", json.dumps(body).encode(), timeout=60
        ) as answer:
            assert answer.status == 200
        said = [line.split() for line in cli("show", "chatty", "--parameters").out.splitlines()]
        assert [each for each in said if each[0] == "stop"] == [["stop", "<|user|>"], ["stop", "</s>"]]

    def test_a_model_that_is_not_there_has_its_neighbours_named(self, cli: Cli, stage: Stage) -> None:
        ran = cli("show", "qwen3:9b", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (5, "", "no_such_model")
        assert "qwen3:8b" in str(ran.error["remedy"])

    def test_one_that_could_be_pulled_says_its_size(self, cli: Cli, stage: Stage) -> None:
        ran = cli("show", "llama3.3:70b")
        assert ran.code == 5
        assert "pull it, 40.0 GB: modeltui pull llama3.3:70b" in ran.err

    def test_a_damaged_model_says_so(self, cli: Cli, stage: Stage) -> None:
        ran = cli("show", "phi4-mini:3.8b", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (1, "", "refusal")
        assert "damaged" in ran.error["message"]
        assert " damaged " in rows(cli("ls"))["phi4-mini:3.8b"]


class TestPsLoadUnload:
    def test_load_then_ps_then_unload(self, cli: Cli, stage: Stage) -> None:
        ran = cli("load", "qwen3:8b", "--keep-alive", "30m")
        assert (ran.code, ran.err) == (0, "")
        assert re.fullmatch(
            r"qwen3:8b loaded in \d+ ms · kept for \d+ min · 10.4 GB VRAM, 0 B RAM\n", ran.out
        )
        ran = cli("ps")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines()[0].split() == [
            "MODEL",
            "WHERE",
            "VRAM",
            "RAM",
            "CONTEXT",
            "KEPT",
            "PREDICTED",
        ]
        assert rows(ran)["qwen3:8b"].split()[1:4] == ["gpu", "10.4", "GB"]
        assert cli("unload", "qwen3:8b") == Ran(0, "qwen3:8b unloaded\n", "")
        ran = cli("ps")
        assert (ran.code, ran.out) == (0, "")
        assert "nothing is loaded on demo" in ran.err

    def test_json(self, cli: Cli, stage: Stage) -> None:
        ran = cli("load", "qwen3:8b", "--keep-alive", "forever", "--json")
        shaped(ran.json, LOAD)
        shaped(ran.json["loaded"], LOADED)
        assert (ran.code, ran.err, ran.json["state"]) == (0, "", "gpu")
        ran = cli("ps", "--json")
        shaped(ran.json[0], PS)
        assert (ran.json[0]["kept_forever"], ran.json[0]["hardware"]) == (True, "no_hardware_known")
        predicted = ran.json[0]["predicted"]
        assert abs(predicted["deviation"]) < 0.1 and predicted["needs"] > 5_000_000_000
        assert abs(ran.json[0]["size"] / predicted["printed"] - 1 - predicted["deviation"]) < 0.001
        ran = cli("load", "qwen3:8b", "--json")
        assert ran.json["load_time_ms"] is None  # it was loaded
        ran = cli("unload", "qwen3:8b", "gemma3:12b", "--json")
        for row in ran.json:
            shaped(row, UNLOAD)
        assert [row["status"] for row in ran.json] == ["unloaded", "not_loaded"]
        assert cli("ps", "--json").json == []

    def test_unload_says_what_else_leaves_with_the_weights(self, cli: Cli, stage: Stage) -> None:
        cli("show", "code-reviewer")
        cli("load", "qwen3:8b")
        ran = cli("stop", "qwen3:8b")
        assert ran.out.startswith("qwen3:8b unloaded · ") and "code-reviewer:latest" in ran.out

    def test_unload_all(self, cli: Cli, stage: Stage) -> None:
        cli("load", "nomic-embed-text")
        cli("load", "llama3.2:3b")
        ran = cli("unload", "--all", "--json")
        assert {row["name"] for row in ran.json} == {"nomic-embed-text:latest", "llama3.2:3b"}
        assert cli("unload", "--all", "--json").json == []

    def test_one_that_fails_does_not_stop_the_others(self, cli: Cli, stage: Stage) -> None:
        cli("load", "llama3.2:3b")
        ran = cli("unload", "nope", "llama3.2:3b", "--json")
        assert (ran.code, ran.error["code"]) == (5, "no_such_model")
        assert [row["status"] for row in ran.json] == ["unloaded"]

    def test_what_a_load_evicted_is_said(self, cli: Cli, stage: Stage) -> None:
        cli("load", "gpt-oss:20b")
        ran = cli("load", "qwen3.5:27b")
        assert "unloaded for it: gpt-oss:20b" in ran.out

    @pytest.mark.parametrize("command", [("unload",), ("unload", "--all", "qwen3:8b")])
    def test_names_or_all(self, cli: Cli, stage: Stage, command: tuple[str, ...]) -> None:
        assert cli(*command).code == 2

    def test_a_cloud_model_is_not_loaded(self, cli: Cli, stage: Stage) -> None:
        ran = cli("load", "gpt-oss:120b-cloud", "--json")
        assert (ran.code, ran.error["code"]) == (1, "refusal")


class TestCurrentSwitch:
    def test_none_is_a_no(self, cli: Cli, stage: Stage) -> None:
        ran = cli("current")
        assert (ran.code, ran.out) == (3, "")
        assert "no model is current: modeltui switch NAME" in ran.err
        ran = cli("current", "--json")
        shaped(ran.json, CURRENT)
        assert (ran.code, set(ran.json.values())) == (3, {None})

    def test_switch_tells_facts_first_and_the_name_is_kept_for_programs(
        self, cli: Cli, home: Home, stage: Stage
    ) -> None:
        ran = cli("switch", "qwen3:8b")
        assert ran.code == 0
        assert ran.err.startswith("switch  none -> qwen3:8b\n  needs   5.23 GB on disk\n")
        assert re.fullmatch(r"current model: qwen3:8b · loaded in \d+ ms\n", ran.out)
        assert cli("current") == Ran(0, "qwen3:8b\n", "")
        assert (home.paths.current / "demo").read_text() == "qwen3:8b\n"
        ran = cli("current", "--json")
        shaped(ran.json, CURRENT)
        assert (ran.json["name"], ran.json["previous"], ran.json["installed"]) == ("qwen3:8b", None, True)

    def test_switch_json(self, cli: Cli, stage: Stage) -> None:
        ran = cli("switch", "qwen3:8b", "--json")
        shaped(ran.json, SWITCH)
        assert (ran.code, ran.err, ran.json["status"], ran.json["previous"]) == (0, "", "loaded", None)
        ran = cli("switch", "gemma3:12b", "--release", "--json")
        shaped(ran.json, SWITCH)
        assert (ran.json["previous"], ran.json["released"]) == ("qwen3:8b", "qwen3:8b")
        ran = cli("switch", "--record-only", "llama3.2:3b", "--json")
        shaped(ran.json, SWITCH)
        assert (ran.json["status"], ran.json["load_time_ms"]) == ("recorded", None)

    def test_a_load_that_fails_leaves_the_previous_one(self, cli: Cli, stage: Stage) -> None:
        cli("switch", "--record-only", "qwen3:8b")
        stage.trouble(Kind.STREAM_ERROR, "/api/generate", value="llama runner process has terminated")
        ran = cli("switch", "gemma3:12b", "--json")
        assert ran.code == 1
        shaped(ran.json, SWITCH)
        assert (ran.json["status"], ran.json["current"]) == ("failed", "qwen3:8b")
        assert "llama runner process has terminated" in ran.error["message"]
        assert cli("current").out == "qwen3:8b\n"

    @pytest.mark.parametrize(
        ("model", "code", "says"),
        [
            ("nomic-embed-text", 1, "does not generate"),
            ("phi4-mini:3.8b", 1, "damaged"),
            ("nope", 5, "not installed"),
        ],
    )
    def test_only_to_what_can_generate(
        self, cli: Cli, stage: Stage, model: str, code: int, says: str
    ) -> None:
        ran = cli("switch", model, "--json")
        assert (ran.code, ran.out) == (code, "")
        assert says in ran.error["message"]

    def test_a_cloud_model_is_only_recorded(self, cli: Cli, stage: Stage) -> None:
        assert cli("switch", "gpt-oss:120b-cloud", "--json").json["status"] == "recorded"

    def test_release_keeps_what_stands_on_the_same_weights(self, cli: Cli, stage: Stage) -> None:
        cli("switch", "qwen3:8b")
        ran = cli("switch", "code-reviewer", "--release", "--json")
        assert ran.json["released"] is None
        assert "same weights" in ran.json["notes"][0]

    def test_auto_pull(self, cli: Cli, home: Home, stage: Stage) -> None:
        home.configure(stage.url, more="current.auto_pull = true")
        stage.publish(SMALL)
        assert cli("switch", "small-demo").code == 0
        assert cli("current").out == "small-demo:latest\n"

    def test_a_removed_current_model_is_missing(self, cli: Cli, stage: Stage) -> None:
        cli("switch", "--record-only", "qwen3:8b")
        stage.behind.call(lambda: stage.library.remove("registry.ollama.ai/library/qwen3:8b"))
        ran = cli("current")
        assert (ran.code, ran.out) == (3, "qwen3:8b\n")
        assert "missing on the server: modeltui pull qwen3:8b" in ran.err
        ran = cli("current", "--json")
        assert (ran.code, ran.json["installed"]) == (3, False)
        ran = cli("sync", "--json")
        shaped(ran.json[0], FINDING)
        assert (ran.code, ran.json[0]["kind"]) == (3, "current_missing")

    def test_with_the_server_off_the_record_is_still_told(self, cli: Cli, stage: Stage) -> None:
        cli("switch", "--record-only", "qwen3:8b")
        stage.stop()
        ran = cli("current", "--json")
        assert (ran.code, ran.json["name"], ran.json["installed"]) == (0, "qwen3:8b", None)
        assert "cannot list the models: connection refused" in ran.err


class TestSync:
    def test_all_well(self, cli: Cli, stage: Stage) -> None:
        assert cli("sync") == Ran(0, "everything is as remembered on demo\n", "")
        assert cli("sync", "--json").json == []

    def test_what_changed_outside_is_said_and_taken_over(self, cli: Cli, stage: Stage) -> None:
        cli("switch", "gemma3:12b")
        newer = stage.library.available["registry.ollama.ai/library/gemma3:12b"]
        stage.behind.call(lambda: stage.library.install(newer.name, newer.model))
        cli("load", "nomic-embed-text")
        stage.behind.call(lambda: stage.library.remove("registry.ollama.ai/library/nomic-embed-text:latest"))
        ran = cli("sync", "--json")
        for row in ran.json:
            shaped(row, FINDING)
        assert ran.code == 3
        assert {row["kind"] for row in ran.json} == {"current_replaced", "deleted_but_loaded"}
        ran = cli("sync")
        assert (ran.code, ran.out.count("\n")) == (3, 1)
        assert "nomic-embed-text:latest was deleted while it was loaded" in ran.out


class TestRm:
    def test_without_a_yes_nothing_is_done(self, cli: Cli, stage: Stage) -> None:
        ran = cli("rm", "qwen3:8b")
        assert (ran.code, ran.out) == (6, "")
        assert "Delete qwen3:8b from demo?" in ran.err and "--yes" in ran.err
        ran = cli("rm", "qwen3:8b", "--json")
        assert (ran.code, ran.out, ran.error["code"], ran.error["remedy"]) == (
            6,
            "",
            "needs_yes",
            "say --yes",
        )
        assert "qwen3:8b" in stage.installed

    def test_yes(self, cli: Cli, stage: Stage) -> None:
        ran = cli("rm", "gemma3:12b", "--yes")
        assert ran == Ran(0, "deleted gemma3:12b · frees 8.15 GB\n", "gemma3:12b: frees 8.15 GB\n")
        ran = cli("rm", "-y", "qwen2.5-coder:7b", "gpt-oss:20b", "--json")
        for row in ran.json:
            shaped(row, RM)
        assert (ran.code, ran.err, [row["deleted"] for row in ran.json]) == (0, "", [True, True])
        assert not {"gemma3:12b", "qwen2.5-coder:7b", "gpt-oss:20b"} & set(stage.installed)

    def test_the_current_and_the_loaded_one_need_a_second_yes(self, cli: Cli, stage: Stage) -> None:
        cli("switch", "qwen3:8b")
        ran = cli("rm", "qwen3:8b", "--yes", "--json")
        assert (ran.code, ran.error["remedy"]) == (6, "say --force")
        assert "the current model and loaded" in ran.error["message"]
        assert "qwen3:8b" in stage.installed
        ran = cli("rm", "qwen3:8b", "--yes", "--force", "--json")
        assert (ran.code, ran.json[0]["current"], ran.json[0]["loaded"]) == (0, True, True)
        assert cli("ps", "--json").json == []
        assert cli("current").code == 3

    def test_shared_layers_are_not_freed(self, cli: Cli, stage: Stage) -> None:
        ran = cli("rm", "assistant", "--yes", "--json")
        assert (ran.json[0]["freed"], ran.json[0]["shared_with"]) == (0, ["llama3.2:3b"])
        ran = cli("rm", "code-reviewer", "--yes", "--json")
        assert (ran.json[0]["freed"], ran.json[0]["shared_with"]) == (None, ["qwen3:8b"])

    def test_a_name_that_is_not_there_stops_all(self, cli: Cli, stage: Stage) -> None:
        assert cli("rm", "qwen3:8b", "nope", "--yes").code == 5
        assert "qwen3:8b" in stage.installed

    def test_one_that_fails_does_not_stop_the_others(self, cli: Cli, stage: Stage) -> None:
        stage.trouble(Kind.STATUS, "/api/delete", name="qwen3:8b", value=[500, '{"error": "busy disk"}'])
        ran = cli("rm", "qwen3:8b", "gemma3:12b", "--yes", "--json")
        assert (ran.code, [row["deleted"] for row in ran.json]) == (1, [False, True])
        assert "busy disk" in ran.error["message"]


class TestCpMv:
    @pytest.mark.parametrize(("command", "verb"), [("cp", "copied"), ("mv", "renamed")])
    def test_human_and_json(self, cli: Cli, stage: Stage, command: str, verb: str) -> None:
        assert cli(command, "qwen3:8b", "mine") == Ran(0, f"{verb} qwen3:8b to mine:latest\n", "")
        assert ("qwen3:8b" in stage.installed) is (command == "cp")
        ran = cli(command, "mine", "yours:1", "--json")
        assert (ran.code, ran.err) == (0, "")
        shaped(ran.json, {"source": text, "destination": text})

    @pytest.mark.parametrize("command", ["cp", "mv"])
    def test_a_name_that_is_taken_needs_a_yes(self, cli: Cli, stage: Stage, command: str) -> None:
        ran = cli(command, "qwen3:8b", "gemma3:12b", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (6, "", "needs_yes")
        assert cli(command, "qwen3:8b", "gemma3:12b", "--yes").code == 0

    @pytest.mark.parametrize("command", ["cp", "mv"])
    @pytest.mark.parametrize(
        ("source", "destination", "code", "error"),
        [
            ("nope", "mine", 5, "no_such_model"),
            ("qwen3:8b", "no name", 2, "invalid_name"),
            ("qwen3:8b", "mine:cloud", 2, "invalid_name"),
            ("qwen3:8b", "QWEN3:8B", 1, "refusal"),
        ],
    )
    def test_refused(
        self, cli: Cli, stage: Stage, command: str, source: str, destination: str, code: int, error: str
    ) -> None:
        before = stage.installed
        ran = cli(command, source, destination, "--json", "--yes")
        assert (ran.code, ran.out, ran.error["code"]) == (code, "", error)
        assert stage.installed == before

    def test_a_rename_takes_the_record_along(self, cli: Cli, stage: Stage) -> None:
        cli("switch", "--record-only", "qwen3:8b")
        cli("mv", "qwen3:8b", "mine")
        assert cli("current") == Ran(0, "mine:latest\n", "")

    def test_a_copy_that_is_not_there_leaves_the_original(self, cli: Cli, stage: Stage) -> None:
        stage.trouble(Kind.STATUS, "/api/copy", value=[200, ""])  # a proxy that says yes to everything
        ran = cli("mv", "qwen3:8b", "mine", "--json")
        assert (ran.code, ran.error["code"]) == (1, "server_failed")
        assert "qwen3:8b" in stage.installed


class TestPullAndQueue:
    def test_several_names_at_once(self, cli: Cli, stage: Stage) -> None:
        stage.publish(SMALL)
        ran = cli("pull", "tiny-demo", "small-demo")
        assert ran.code == 0
        first, second = ran.out.splitlines()
        assert re.fullmatch(r"tiny-demo:latest installed, digest checked, 2 MB in \d+ ms", first)
        assert re.fullmatch(r"small-demo:latest installed, digest checked, 1 MB in \d+ ms", second)
        assert ran.err.startswith(
            "tiny-demo:latest: 2 MB\nsmall-demo:latest: 1 MB\n"
            "1 tiny-demo:latest: waiting\n2 small-demo:latest: waiting\n"
        )
        assert ran.err.endswith("2 small-demo:latest: installed (digest checked)\n")

    def test_the_json_stream(self, cli: Cli, stage: Stage) -> None:
        ran = cli("pull", "tiny-demo", "--json")
        assert (ran.code, ran.err) == (0, "")
        for line in ran.stream:
            shaped(line.pop("before"), BEFORE)
            shaped(line, TRANSFER)
        assert (ran.stream[0]["state"], ran.stream[-1]["state"]) == ("waiting", "installed")
        assert (ran.stream[-1]["percent"], ran.stream[-1]["server"]) == (100, "demo")
        assert [line["done"] for line in ran.stream] == sorted(line["done"] for line in ran.stream)

    def test_names_as_people_type_them_are_told(self, cli: Cli, stage: Stage) -> None:
        ran = cli("pull", "https://ollama.com/library/tiny-demo")
        assert ran.code == 0
        assert ran.err.startswith("https://ollama.com/library/tiny-demo means tiny-demo:latest\n")

    @pytest.mark.parametrize(
        ("kind", "code", "state", "cause", "remedy"),
        [
            (Kind.NO_SPACE, 1, "blocked", "disk", "free space on the server's disk"),
            (Kind.STREAM_ERROR, 1, "failed", "needs_newer_server", "upgrade Ollama on the server"),
        ],
    )
    def test_what_a_retry_cannot_mend_ends_at_once_with_the_remedy(
        self, cli: Cli, stage: Stage, kind: Kind, code: int, state: str, cause: str, remedy: str
    ) -> None:
        stage.trouble(kind, "/api/pull", value="pull model manifest: 412: newer", after_bytes=1000)
        stage.set_rate(100_000)
        ran = cli("pull", "tiny-demo")
        assert (ran.code, ran.out) == (code, "")
        assert f"  try  {remedy}" in ran.err
        row = cli("queue", "--json").json[0]
        assert (row["state"], row["cause"]) == (state, cause)

    def test_an_unknown_model_is_5(self, cli: Cli, stage: Stage) -> None:
        ran = cli("pull", "no-such-model:1b")
        assert (ran.code, ran.out) == (5, "")
        assert "no-such-model:1b: failed" in ran.err
        ran = cli("pull", "no-such-model:2b", "tiny-demo", "--json")
        assert (ran.code, {line["name"]: line["state"] for line in ran.stream}["tiny-demo:latest"]) == (
            5,
            "installed",
        )

    def test_an_invalid_name_queues_nothing(self, cli: Cli, stage: Stage) -> None:
        ran = cli("pull", "tiny-demo", "no name", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (2, "", "invalid_name")
        assert cli("queue", "--json").json == []

    def test_the_queue_and_its_wishes(self, cli: Cli, stage: Stage) -> None:
        stage.publish(SMALL)
        stage.set_rate(100_000)
        stage.trouble(Kind.NO_SPACE, "/api/pull", after_bytes=1000)
        assert cli("pull", "tiny-demo", "small-demo").code == 1
        ran = cli("queue")
        assert (ran.code, ran.err) == (0, "")
        header, first, second = ran.out.splitlines()
        assert header.split() == ["MODEL", "STATE", "PERCENT", "BYTES", "SPEED", "SERVER", "ENDED"]
        assert first.startswith("1  tiny-demo:latest   blocked: ") and second.startswith(
            "2  small-demo:latest"
        )
        ran = cli("queue", "ls", "--json")
        for row in ran.json:
            shaped(row, TRANSFER)
        assert [(row["number"], row["position"]) for row in ran.json] == [(1, 1), (2, 2)]

        ran = cli("queue", "move", "2", "1", "--json")
        assert [row["number"] for row in ran.json] == [2, 1]
        ran = cli("queue", "resume", "2", "--json")
        assert (ran.json[0]["number"], ran.json[0]["state"]) == (2, "waiting")
        assert "nobody carries the queue out now: modeltui queue run" in cli("queue").err
        ran = cli("queue", "pause", "2")
        nobody = "nobody carries the queue out now: modeltui queue run\n"  # the first waits, too
        assert ran == Ran(0, "2 small-demo:latest: paused by you\n", nobody)
        ran = cli("queue", "resume")
        assert ran.out == "2 small-demo:latest: waiting\n1 tiny-demo:latest: waiting\n"
        assert ran.err == nobody
        ran = cli("queue", "cancel", "1", "--json")
        assert (ran.json[0]["state"], ran.json[0]["cause"], ran.json[0]["position"]) == (
            "cancelled",
            "by_you",
            None,
        )
        assert cli("queue", "clear", "2").code == 1  # not finished
        assert cli("queue", "clear", "--json").json == {"removed": 1}

        stage.calm()
        stage.set_rate(1e9)
        ran = cli("queue", "run")
        assert (ran.code, ran.out.startswith("small-demo:latest installed")) == (0, True)
        assert cli("queue", "run") == Ran(0, "", "nothing in the queue waits to be pulled\n")
        assert cli("queue", "clear") == Ran(0, "1 finished transfer forgotten\n", "")
        assert cli("queue") == Ran(0, "", "the queue is empty\n")

    def test_retry_takes_the_failed_ones_up_again(self, cli: Cli, stage: Stage) -> None:
        stage.trouble(Kind.STREAM_ERROR, "/api/pull", value="unauthorized", times=1)
        assert cli("pull", "tiny-demo").code == 1
        assert [row["state"] for row in cli("queue", "retry", "--json").json] == ["waiting"]
        assert cli("queue", "run").code == 0

    def test_retry_leaves_alone_what_was_pulled_since(self, cli: Cli, stage: Stage) -> None:
        stage.trouble(Kind.STREAM_ERROR, "/api/pull", value="unauthorized", times=2)
        assert [cli("pull", "tiny-demo").code for _ in range(3)] == [1, 1, 0]
        assert cli("queue", "retry", "--json").json == []
        stage.trouble(Kind.STREAM_ERROR, "/api/pull", value="unauthorized", times=2)
        assert [cli("pull", "tiny-demo").code for _ in range(2)] == [1, 1]
        assert [row["number"] for row in cli("queue", "retry", "--json").json] == [5]

    @pytest.mark.parametrize(
        ("command", "code"),
        [
            (("queue", "pause", "7"), 2),
            (("queue", "cancel"), 2),
            (("queue", "move", "7", "1"), 2),
            (("queue", "clear", "7"), 2),
            (("queue", "pause", "one"), 2),
        ],
    )
    def test_numbers_that_are_not_there(
        self, cli: Cli, stage: Stage, command: tuple[str, ...], code: int
    ) -> None:
        ran = cli(*command, "--json")
        assert (ran.code, ran.error["code"]) == (code, "usage")
        assert ran.out in ("", "[]\n")  # a list of what was done


class TestActivityConfigDoctor:
    def test_activity(self, cli: Cli, stage: Stage) -> None:
        assert cli("activity") == Ran(0, "", "nothing has been done yet\n")
        assert cli("activity", "--json").json == []
        cli("cp", "qwen3:8b", "mine")
        cli("pull", "no-such-model:1b")
        ran = cli("activity")
        assert ran.out.splitlines()[0].split() == [
            "WHEN",
            "ACTION",
            "OBJECT",
            "RESULT",
            "SERVER",
            "USER",
            "FROM",
        ]
        ran = cli("activity", "--json")
        for row in ran.json:
            shaped(row, ACTIVITY)
        assert [(row["action"], row["result"], row["origin"]) for row in ran.json] == [
            ("pull", "failed", "runner"),
            ("queue", "done", "command"),
            ("copy", "done", "command"),
        ]
        assert ran.json[2]["object"] == "qwen3:8b -> mine:latest"
        assert len(cli("activity", "-n", "1", "--json").json) == 1
        assert len(cli("activity", "--here", "--json").json) == 3
        assert cli("activity", "-n", "0").code == 2

    def test_config(self, cli: Cli, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MODELTUI_DOWNLOADS__PER_SERVER", "2")
        ran = cli("config", "--json")
        assert (ran.code, ran.err) == (0, "")
        for row in ran.json:
            shaped(row, CONFIG)
        found = {row["key"]: (row["value"], row["source"]) for row in ran.json}
        assert found["downloads.per_server"] == (2, "environment")
        assert found["downloads.retries"] == (10, "default")
        assert found["server"][0] == "demo"
        ran = cli("config")
        assert ran.out.splitlines()[0].split() == ["SETTING", "VALUE", "SOURCE"]
        assert re.search(r"^downloads\.per_server +2 +environment$", ran.out, re.MULTILINE)

    def test_config_path_and_init(self, cli: Cli, home: Home) -> None:
        path = home.paths.config_file
        assert cli("config", "path") == Ran(0, f"{path}\n", "")
        assert cli("config", "path", "--json").json == {"path": str(path)}
        assert cli("config", "init").code == 0
        assert path.stat().st_mode & 0o777 == 0o600
        before = path.read_text()
        ran = cli("config", "init", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (1, "", "refusal")
        assert path.read_text() == before

    def test_a_broken_config_names_file_and_line(self, cli: Cli, home: Home) -> None:
        home.write_config("server = \n")
        ran = cli("ls", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (2, "", "config")
        assert str(home.paths.config_file) in ran.error["message"] and "line 1" in ran.error["message"]

    def test_doctor_all_well(self, cli: Cli, stage: Stage) -> None:
        ran = cli("doctor", "--json")
        assert (ran.code, ran.err) == (0, "")
        for row in ran.json:
            shaped(row, DOCTOR)
        assert {row["result"] for row in ran.json} == {"ok"}
        checks = {row["check"] for row in ran.json}
        assert checks == {
            *("configuration", "database", "rights", "server", "models"),
            *("gpu", "machine", "catalog", "terminal"),
        }
        ran = cli("doctor")
        assert (ran.code, ran.err) == (0, "")
        assert all(re.match(r"ok  [a-z]+ +\S", line) for line in ran.out.splitlines())

    def test_doctor_warns_with_3_and_fails_with_1(self, cli: Cli, home: Home, stage: Stage) -> None:
        cli("show", "phi4-mini:3.8b")
        home.paths.state.chmod(0o755)
        home.configure(stage.url, more="unheard_of = 1")
        ran = cli("doctor", "--json")
        warnings = {row["check"]: row["remedy"] for row in ran.json if row["result"] == "warning"}
        assert ran.code == 3
        assert warnings == {
            "configuration": "correct or remove them",
            "rights": f"chmod 700 {home.paths.state}",
            "models": "modeltui pull phi4-mini:3.8b",
        }
        assert "    " + " " * 15 + f"try: chmod 700 {home.paths.state}" in cli("doctor").out

    def test_on_a_narrow_terminal_words_go_on_below_and_a_command_stays_whole(
        self, home: Home, cli: Cli, stage: Stage
    ) -> None:
        cli("ls")
        home.paths.state.chmod(0o755)
        with Terminal(home, "doctor", columns=60) as terminal:
            ran = terminal.end()
        lines = ran.out.replace("\r", "").splitlines()
        assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= 60 or "/" in line for line in lines)
        assert f"chmod 700 {home.paths.state}" in re.sub(r"\s+", " ", ran.out)
        gpu = next(number for number, line in enumerate(lines) if "the server is not on" in line)
        assert lines[gpu + 1].startswith(" " * 19) and lines[gpu + 1][19] != " "
        stage.stop()
        ran = cli("doctor", "--json")
        assert (ran.code, [row["check"] for row in ran.json if row["result"] == "error"]) == (1, ["server"])


class TestOptionsAndNames:
    @pytest.mark.parametrize(
        "command",
        [
            ("--json", "ls"),
            ("ls", "--json"),
            ("--server", "URL", "--json", "ls"),
            ("ls", "--server", "URL", "--json"),
            ("--server=URL", "ls", "--json"),
            ("--server", "demo", "list", "--json"),
            ("--json", "queue", "ls"),
            ("queue", "--json", "ls"),
            ("queue", "ls", "--json"),
            ("queue", "list", "--json"),
        ],
    )
    def test_global_options_stand_anywhere(self, cli: Cli, stage: Stage, command: tuple[str, ...]) -> None:
        ran = cli(*(word.replace("URL", stage.url) for word in command))
        assert (ran.code, ran.err) == (0, "")
        assert isinstance(ran.json, list)

    @pytest.mark.parametrize("command", [("--demo", "ls", "--json"), ("ls", "--demo", "--json")])
    def test_demo_needs_and_touches_nothing(self, cli: Cli, home: Home, command: tuple[str, ...]) -> None:
        ran = cli(*command)
        assert (ran.code, ran.err, len(ran.json)) == (0, "", 12)
        assert list(home.root.iterdir()) == []

    def test_a_server_named_by_its_address_needs_no_name(self, cli: Cli, home: Home, stage: Stage) -> None:
        home.paths.config_file.unlink()
        assert cli("--server", stage.url, "ls", "--json").code == 0
        assert cli("--server", stage.url.removeprefix("http://"), "ls", "--json").code == 0

    def test_ollama_host(self, cli: Cli, home: Home, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        home.paths.config_file.unlink()
        monkeypatch.setenv("OLLAMA_HOST", stage.url.removeprefix("http://"))
        assert len(cli("ls", "--json").json) == 12

    def test_an_unknown_server_is_5(self, cli: Cli, stage: Stage) -> None:
        ran = cli("ls", "--server", "nowhere", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (5, "", "no_such_server")
        assert "demo" in str(ran.error["remedy"])

    def test_a_profile(self, cli: Cli, home: Home, stage: Stage) -> None:
        home.configure(stage.url, more="[profiles.fast]\ndownloads.per_server = 4")
        found = {row["key"]: row["value"] for row in cli("config", "--profile", "fast", "--json").json}
        assert found["downloads.per_server"] == 4
        assert cli("--profile", "none", "config").code == 2

    @pytest.mark.parametrize(("one", "other"), [("ls", "list"), ("unload", "stop")])
    def test_aliases(self, cli: Cli, stage: Stage, one: str, other: str) -> None:
        end = () if one == "ls" else ("qwen3:8b",)
        assert cli(one, *end, "--json").json == cli(other, *end, "--json").json


ASKING_THE_SERVER: list[tuple[str, ...]] = [
    ("ls",),
    ("ps",),
    ("show", "qwen3:8b"),
    ("pull", "tiny-demo"),
    ("rm", "qwen3:8b", "--yes"),
    ("cp", "qwen3:8b", "mine"),
    ("mv", "qwen3:8b", "mine"),
    ("switch", "qwen3:8b"),
    ("load", "qwen3:8b"),
    ("unload", "qwen3:8b"),
    ("sync",),
]


@pytest.mark.parametrize("command", ASKING_THE_SERVER, ids=lambda command: command[0])
class TestServerOff:
    def test_4_with_the_address_and_what_to_do(
        self, cli: Cli, stage: Stage, command: tuple[str, ...]
    ) -> None:
        stage.stop()
        ran = cli(*command)
        assert (ran.code, ran.out) == (4, "")
        assert re.search(r"^modeltui: cannot .*: connection refused$", ran.err, re.MULTILINE)
        assert f"\n  at   {stage.url}/api/" in ran.err
        assert "ollama serve" in ran.err
        ran = cli(*command, "--json")
        assert (ran.code, ran.error["code"]) == (4, "unreachable")
        assert ran.out in ("", "[]\n")  # a list of what was done
        assert str(ran.error["url"]).startswith(stage.url)
        assert cli("queue", "--json").json == []

    def test_it_comes_back(self, cli: Cli, stage: Stage, command: tuple[str, ...]) -> None:
        stage.stop()
        assert cli(*command).code == 4
        stage.start()
        assert cli(*command).code == 0


class TestQuestions:
    @pytest.mark.parametrize(
        ("answer", "code", "is_gone"),
        [("y\n", 0, True), ("YES\n", 0, True), ("n\n", 1, False), ("\n", 1, False), ("\x04", 1, False)],
        ids=["y", "YES", "n", "enter", "end of input"],
    )
    def test_rm(self, home: Home, stage: Stage, answer: str, code: int, is_gone: bool) -> None:
        with Terminal(home, "rm", "qwen2.5-coder:7b") as terminal:
            terminal.read_until("Delete qwen2.5-coder:7b from demo? [y/N] ")
            terminal.send(answer)
            ran = terminal.end()
        assert ran.code == code
        assert ("qwen2.5-coder:7b" not in stage.installed) is is_gone
        assert ("not done: the answer was no" in ran.out) is not is_gone

    def test_the_second_question_for_the_current_model(self, cli: Cli, home: Home, stage: Stage) -> None:
        cli("switch", "--record-only", "qwen3:8b")
        with Terminal(home, "rm", "qwen3:8b") as terminal:
            terminal.read_until("Delete qwen3:8b from demo? [y/N] ")
            terminal.send("y\n")
            terminal.read_until("Really delete qwen3:8b (the current model)? [y/N] ")
            terminal.send("\n")
            assert terminal.end().code == 1
        assert "qwen3:8b" in stage.installed

    def test_cp_over_a_name(self, home: Home, stage: Stage) -> None:
        with Terminal(home, "cp", "qwen3:8b", "gemma3:12b") as terminal:
            terminal.read_until("gemma3:12b exists. Overwrite it? [y/N] ")
            terminal.send("y\n")
            ran = terminal.end()
        assert ran.code == 0
        assert "copied qwen3:8b to gemma3:12b" in ran.out

    @pytest.mark.parametrize(("answer", "points"), [("y\n", "qwen3:8b"), ("\n", "llama3.2:3b")])
    def test_an_alias_that_someone_else_wrote(
        self, home: Home, stage: Stage, answer: str, points: str
    ) -> None:
        home.configure(stage.url, more='current.alias = "assistant"')
        with Terminal(home, "switch", "--record-only", "qwen3:8b") as terminal:
            terminal.read_until("was not written by modeltui. Point it here? [y/N] ")
            terminal.send(answer)
            assert terminal.end().code == 0
        installed = stage.library.installed
        prefix = "registry.ollama.ai/library/"
        assert installed[f"{prefix}assistant:latest"].manifest == installed[f"{prefix}{points}"].manifest

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=str)
    def test_a_signal_ends_the_question(self, home: Home, stage: Stage, number: signal.Signals) -> None:
        with Terminal(home, "rm", "qwen3:8b") as terminal:
            terminal.read_until("[y/N] ")
            if number is signal.SIGINT:
                terminal.send("\x03")
            else:
                terminal.signal(number)
            ran = terminal.end(5)
        assert ran.code == 128 + number
        assert ran.out.endswith("\n")
        assert "qwen3:8b" in stage.installed

    def test_json_never_asks(self, home: Home, stage: Stage) -> None:
        with Terminal(home, "rm", "qwen3:8b", "--json") as terminal:
            ran = terminal.end()
        assert ran.code == 6
        assert json.loads(ran.out)["error"]["code"] == "needs_yes"
