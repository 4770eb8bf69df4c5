"""`check`: verdicts on installed models, the catalog's and others, with a server and without one."""

from collections.abc import Callable

import pytest
from commandline import Home, Ran, Stage, harmful, strings

from modeltui.demo.library import DemoModel

Cli = Callable[..., Ran]

HARDWARE = '[servers.demo.hardware]\ngpus = ["24GB@936GB/s"]\nram = "64GB"\n'
KEYS = {
    *("name", "fit", "score", "context", "largest_context", "needs", "placement", "speed", "parts", "mends"),
    *("asked", "source", "assumptions", "machine", "serving", "suitability"),
}


@pytest.fixture
def known(stage: Stage, home: Home) -> Stage:
    """A server whose hardware is written down."""
    home.configure(stage.url, HARDWARE)
    return stage


def test_a_model_of_the_catalog_that_fits(known: Stage, cli: Cli) -> None:
    ran = cli("check", "qwen3:14b", "--context", "16k")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "qwen3:14b at a context of 16k"
    labels = [line[:10].strip() for line in lines[1:]]
    assert [label for label in labels if label] == [
        *("machine", "fit", "needs", "printed", "lies", "speed", "context", "score", "assumed")
    ]
    assert "gpu, " in lines[2] and "of 100" in lines[2]
    assert "41 of 41 layers on the GPU" in ran.out


def test_one_that_does_not_fit_is_an_answer_of_its_own(known: Stage, cli: Cli) -> None:
    ran = cli("check", "llama3.1:405b", "--hardware", "8GB+16GB", "--json")
    assert ran.code == 3
    assert set(ran.json) == KEYS
    assert (ran.json["fit"], ran.json["score"]) == ("no", 0)
    assert ran.json["machine"]["simulated"] is True
    assert ran.json["mends"]
    assert ran.json["speed"]["tokens_per_s"] is None


def test_a_split_model_says_what_would_mend_it(known: Stage, cli: Cli) -> None:
    ran = cli("check", "qwen3:32b", "--context", "16k", "--json")
    assert ran.code == 0 and ran.json["fit"] == "split"
    assert "q8_0" in ran.json["mends"][0]
    placement, needs = ran.json["placement"], ran.json["needs"]
    assert placement["vram"] + placement["ram"] > 20_201_253_829, "never less than the file"
    assert needs["low"] <= needs["total"] <= needs["high"]
    assert sum(part["points"] for part in ran.json["parts"]) == ran.json["score"]
    again = cli("check", "qwen3:32b", "--context", str(ran.json["largest_context"]), "--json")
    assert again.json["fit"] == "gpu"


def test_an_installed_model_is_judged_whatever_its_name(known: Stage, cli: Cli) -> None:
    for name in known.installed[:3]:
        ran = cli("check", name, "--json")
        assert ran.code in (0, 3)
        assert ran.json["name"] == name


def test_the_shape_of_an_installed_model_is_asked_of_its_server(known: Stage, cli: Cli) -> None:
    """Nobody has looked at it before: its digest is none of the catalog's."""
    ran = cli("check", "qwen3:8b", "--hardware", "24GB", "--json")
    assert ran.json["source"] == "the server's own facts of it"
    needs = ran.json["needs"]
    assert needs["high"] - needs["low"] < 0.1 * needs["total"], "a narrow band"


def test_how_suitable_it_is_is_said_with_its_source(known: Stage, cli: Cli) -> None:
    assert "suited    vision 3 (" in cli("check", "gemma3:4b", "--task", "vision").out
    assert "suited" not in cli("check", "gemma3:4b").out
    found = {row["task"]: row for row in cli("check", "llama3.1:8b", "--json").json["suitability"]}
    assert found["general"]["value"] > 0 and found["general"]["source"] == "published scores"
    assert found["embedding"]["high"] == 0
    guard = cli("check", "llama-guard3:8b", "--task", "general")
    assert "general: it has completion, but is made for something else" in guard.out


def test_vram_is_typed_as_cards_are_sold(known: Stage, cli: Cli) -> None:
    (card,) = cli("check", "qwen3:8b", "--vram", "8", "--json").json["machine"]["cards"]
    assert card["total"] == 8 * 2**30 and card["bandwidth_assumed"] is True


@pytest.mark.parametrize(
    "words",
    [
        ("--context", "much"),
        ("--context", "0"),
        ("--vram", "8", "--hardware", "24GB"),
        ("--hardware", "a potato"),
        ("--vram", "-3"),
        ("--task", "flying"),
    ],
)
def test_what_cannot_be_read_is_said(known: Stage, cli: Cli, words: tuple[str, ...]) -> None:
    ran = cli("check", "qwen3:14b", *words, "--json")
    assert ran.code == 2
    assert ran.error["message"] and ran.out == ""


def test_no_such_model(known: Stage, cli: Cli) -> None:
    ran = cli("check", "nosuchmodel:1b", "--json")
    assert ran.code == 5 and ran.error["code"] == "no_such_model"
    near = cli("check", "llama3.1:13b", "--json")
    assert near.code == 5
    assert "llama3.1:8b" in near.error["remedy"] and "llama3.1:70b" in near.error["remedy"]


def test_a_resolved_name_is_said(known: Stage, cli: Cli) -> None:
    ran = cli("check", "llama3.1:8b-instruct")
    assert ran.code == 0
    assert ran.out.startswith("llama3.1:8b")
    assert "llama3.1:8b" in ran.err
    shape = cli("check", " llama3.1:8b-instruct", "--json").json
    assert (shape["asked"], shape["name"]) == ("llama3.1:8b-instruct", "llama3.1:8b")


def test_what_a_bare_name_stands_for_is_said(known: Stage, cli: Cli) -> None:
    ran = cli("check", "mixtral")
    assert ran.code == 0
    assert "mixtral:latest is mixtral:8x7b (8X7B, Q4_0, 26.4 GB)" in ran.err


ELSEWHERE = "hf.co/someone/something:Q4_K_M"


@pytest.mark.parametrize(("size", "kind"), [(4_900_000_000, "gpu"), (400_000_000_000, "no")])
def test_what_lies_elsewhere_is_judged_by_the_size_that_its_registry_says(
    known: Stage, cli: Cli, size: int, kind: str
) -> None:
    known.publish(DemoModel(ELSEWHERE, "something", size, "llama", 8_030_000_000))
    ran = cli("check", ELSEWHERE, "--context", "8k", "--json")
    assert (ran.code, ran.json["fit"]) == (3 if kind == "no" else 0, kind)
    assert ran.json["source"] == "its size alone, as its registry says"
    needs = ran.json["needs"]
    assert needs["total"] > size
    assert needs["high"] - needs["low"] > 0.04 * needs["total"], "what it keeps of a context is a guess"


def test_a_registry_that_is_away_leaves_its_size_unknown(known: Stage, home: Home, cli: Cli) -> None:
    words = f"its size is unknown; try: modeltui catalog show {ELSEWHERE} --lookup"
    known.stop()
    ran = cli("check", ELSEWHERE, "--hardware", "24GB", "--json")
    assert (ran.code, ran.json["fit"], ran.json["score"]) == (3, "unknown", None)
    assert ran.json["parts"][0]["why"] == words
    assert "hf.co" in ran.err or known.url in ran.err


def test_no_registry_is_asked_where_that_is_forbidden(known: Stage, home: Home, cli: Cli) -> None:
    known.publish(DemoModel(ELSEWHERE, "something", 4_900_000_000))
    home.configure(known.url, "[registry]\nlookup = false\n" + HARDWARE)
    ran = cli("check", ELSEWHERE, "--json")
    assert (ran.code, ran.json["fit"]) == (3, "unknown")
    assert "registry.lookup is off" in ran.json["parts"][0]["why"]


def test_a_tag_that_its_registry_does_not_have_is_no_model(known: Stage, cli: Cli) -> None:
    ran = cli("check", ELSEWHERE, "--json")
    assert (ran.code, ran.out) == (5, "")
    assert ran.error["message"] == f"there is no model {ELSEWHERE}: its registry has no such tag"


def test_a_server_that_is_away_is_no_reason_not_to_answer(known: Stage, cli: Cli) -> None:
    known.stop()
    ran = cli("check", "qwen3:14b", "--context", "8k")
    assert ran.code == 0
    assert "judged without what the server knows" in ran.err
    simulated = cli("check", "qwen3:14b", "--hardware", "none+16GB", "--json")
    assert (simulated.code, simulated.json["fit"]) == (0, "cpu")


def test_a_context_beyond_reason_makes_no_wrong_number(known: Stage, cli: Cli) -> None:
    ran = cli("check", "qwen3:8b", "--context", "1000000000", "--json")
    assert ran.code in (0, 3)
    assert "NaN" not in ran.out and not any(harmful(text) for text in strings(ran.json))


def test_on_the_demonstration_server(cli: Cli) -> None:
    ran = cli("check", "qwen3:14b", "--demo", "--json")
    assert ran.code == 0 and ran.json["fit"] == "gpu"


def test_a_context_that_the_server_would_cut_is_said(known: Stage, cli: Cli) -> None:
    ran = cli("check", "qwen3:14b", "--context", "1m")
    assert ran.out.splitlines()[0] == "qwen3:14b at a context of 1024k, which the server cuts to 40k"
