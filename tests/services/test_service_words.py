"""What services answer, in the words that a person reads on the command line and on the screens."""

import subprocess
import sys
from dataclasses import replace

import pytest

from modeltui.domain.models import LoadedModel, Model, ModelDetails, ModelState, ModelType
from modeltui.domain.names import parse
from modeltui.services.changing import Removal
from modeltui.services.inspecting import Facts
from modeltui.services.library import Entry
from modeltui.services.loading import Loaded, Unloaded
from modeltui.services.monitoring import Running
from modeltui.services.switching import Switched, SwitchFacts
from modeltui.services.words import (
    detail_lines,
    freed_words,
    loaded_words,
    model_state_words,
    removal_words,
    switch_lines,
    switched_words,
    unloaded_words,
    where_words,
    why_dear,
)
from modeltui.store.facts import Load

NOW = 1_700_000_000_000
NAME = parse("coder:7b")
MODEL = Model(shown="coder:7b", sent="coder:7b", name=NAME, size=4_700_000_000, digest="abc")
SPLIT = LoadedModel(
    shown="coder:7b",
    sent="coder:7b",
    name=NAME,
    size=8_000_000_000,
    vram=6_000_000_000,
    expires_at=NOW + 300_000,
    context=4096,
)
ENTRY = Entry(
    model=MODEL,
    state=ModelState.NOT_LOADED,
    type=ModelType.CODE,
    is_current=False,
    loaded=None,
    loaded_by=None,
    last_load=None,
    alias_of=None,
    damage=None,
    parameter_count=None,
    weights=None,
)
LOAD = Load(at=NOW, load_ms=6200, size=5_200_000_000, vram=5_200_000_000, context=4096)
FACTS = SwitchFacts(
    model=MODEL,
    previous="chat:latest",
    is_loaded=False,
    sibling=None,
    last_load=None,
    may_unload=(),
    alias=None,
    hook=False,
)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (ENTRY, "—"),
        (replace(ENTRY, state=ModelState.CLOUD), "cloud"),
        (replace(ENTRY, state=ModelState.SPLIT, loaded=SPLIT), "split 25 % cpu  5 min"),
        (replace(ENTRY, state=ModelState.GPU, loaded=replace(SPLIT, expires_at=None)), "gpu"),
        (replace(ENTRY, state=ModelState.DAMAGED, loaded=SPLIT), "damaged"),
    ],
)
def test_a_state_with_what_goes_with_it(entry: Entry, words: str) -> None:
    assert model_state_words(entry, NOW) == words


def test_the_lines_of_a_model() -> None:
    details = ModelDetails(
        context=32_768, options={"num_ctx": 8192, "stop": ["</s>", "<|end|>"]}, base_model="base:7b"
    )
    loaded = replace(ENTRY, state=ModelState.SPLIT, loaded=SPLIT, is_current=True)
    lines = dict(detail_lines(Facts(loaded, details, ("twin:7b",), "/models/coder", None), NOW))
    assert lines["name"] == "coder:7b  (current)"
    assert lines["state"] == ("split 25 % cpu  5 min  (6 GB VRAM, 2 GB RAM by the server's account)")
    assert lines["context"] == "32k, set to 8k, loaded with 4k"
    assert (lines["shares weights"], lines["based on"]) == ("twin:7b", "base:7b")
    assert (lines["type"], lines["capabilities"], lines["weights"]) == ("code", "—", "—")
    assert (lines["  num_ctx"], lines["  stop"]) == ("8192", "</s>  <|end|>")


def test_a_model_that_is_not_loaded_says_so() -> None:
    lines = dict(detail_lines(Facts(ENTRY, ModelDetails(), (), None, None), NOW))
    assert lines["state"] == "not loaded"
    assert "signed in as" not in lines and "manifest file" not in lines


def test_what_nobody_said_of_a_model_is_said_in_one_line() -> None:
    said = ModelDetails(base_model="base:7b", projector={"general.type": "mmproj"})
    lines = dict(detail_lines(Facts(ENTRY, said, (), "/models/coder", None), NOW))
    assert lines["not known"] == "adapters, last used"
    lines = dict(detail_lines(Facts(ENTRY, ModelDetails(), (), None, None), NOW))
    assert lines["not known"] == "base model, adapters, projector, path on disk, last used"
    cloud = replace(ENTRY, model=replace(MODEL, remote_host="https://ollama.com"), state=ModelState.CLOUD)
    lines = dict(detail_lines(Facts(cloud, ModelDetails(), (), None, None), NOW))
    assert lines["not known"] == "base model, last used", "it has no files here"


def test_a_cloud_model_says_who_is_signed_in_and_has_no_size() -> None:
    cloud = replace(ENTRY, model=replace(MODEL, remote_host="https://ollama.com"), state=ModelState.CLOUD)
    lines = dict(detail_lines(Facts(cloud, ModelDetails(), (), None, None), NOW))
    assert (lines["size"], lines["signed in as"], lines["state"]) == ("—", "nobody", "cloud")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Running(SPLIT, ModelState.SPLIT, ModelState.SPLIT), "split  25 % cpu"),
        (Running(SPLIT, ModelState.GPU, ModelState.GPU), "gpu"),
        (Running(SPLIT, ModelState.CPU, ModelState.SPLIT), "ram (the server says 75 % gpu)"),
        (
            Running(replace(SPLIT, vram=None), ModelState.UNKNOWN, ModelState.GPU),
            "unknown (the server says ? % gpu)",
        ),
    ],
)
def test_where_a_model_really_is(row: Running, words: str) -> None:
    assert where_words(row) == words


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (
            Loaded(NAME, 6200, SPLIT, ("chat:latest",)),
            "coder:7b loaded in 6.2 s · unloaded for it: chat:latest · kept for 5 min · 6 GB VRAM, 2 GB RAM",
        ),
        (
            Loaded(NAME, None, replace(SPLIT, expires_at=NOW * 9), ()),
            "coder:7b was loaded before · kept for ever · 6 GB VRAM, 2 GB RAM",
        ),
        (Loaded(NAME, 380, None, ()), "coder:7b loaded in 380 ms"),
        (
            Loaded(NAME, 380, replace(SPLIT, expires_at=None), ()),
            "coder:7b loaded in 380 ms · 6 GB VRAM, 2 GB RAM",
        ),
    ],
)
def test_a_load_in_words(done: Loaded, words: str) -> None:
    assert loaded_words(done, NOW) == words


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (Unloaded(NAME, "unloaded"), "coder:7b unloaded"),
        (Unloaded(NAME, "not_loaded"), "coder:7b was not loaded"),
        (
            Unloaded(NAME, "stopping", ("twin:7b",)),
            "coder:7b is stopping: it leaves memory when its request ends · its runner served twin:7b, too",
        ),
    ],
)
def test_an_unload_in_words(done: Unloaded, words: str) -> None:
    assert unloaded_words(done) == words


@pytest.mark.parametrize(
    ("facts", "stranger", "lines"),
    [
        (FACTS, None, ["  needs   4.7 GB on disk"]),
        (
            replace(FACTS, last_load=LOAD),
            None,
            [
                "  needs   4.7 GB on disk; its last load held 5.2 GB (5.2 GB of it in VRAM)",
                "  takes   about 6.2 s (last load)",
            ],
        ),
        (
            replace(FACTS, is_loaded=True, alias="current", hook=True),
            None,
            [
                "  needs   4.7 GB on disk",
                "  takes   no time: it is loaded",
                "  alias   current -> coder:7b",
                "  hook    runs afterwards",
            ],
        ),
        (
            replace(FACTS, sibling="twin:7b", may_unload=("a", "b"), alias="current"),
            "current",
            [
                "  needs   4.7 GB on disk",
                "  shares  its weights with twin:7b, which is loaded",
                "  may unload  a, b",
                "  alias   current was not written by modeltui: it stays, unless you say yes to it",
            ],
        ),
        (
            replace(FACTS, model=replace(MODEL, remote_host="https://ollama.com")),
            None,
            ["  runs in the cloud: nothing is loaded"],
        ),
    ],
)
def test_what_decides_a_switch(facts: SwitchFacts, stranger: str | None, lines: list[str]) -> None:
    assert switch_lines(facts, stranger, record_only=False) == ["switch  chat:latest -> coder:7b", *lines]


def test_a_switch_that_is_only_recorded_needs_nothing() -> None:
    assert switch_lines(replace(FACTS, previous=None), None, record_only=True) == [
        "switch  none -> coder:7b",
        "  only recorded, not loaded",
    ]


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (Switched(None, "coder:7b", "recorded", None, ()), "recorded, not loaded"),
        (Switched(None, "coder:7b", "loaded", None, ()), "it was loaded"),
        (
            Switched("chat", "coder:7b", "loaded", 6200, ("chat",), released="old"),
            "loaded in 6.2 s · unloaded for it: chat · released old",
        ),
    ],
)
def test_a_switch_in_words(done: Switched, words: str) -> None:
    assert switched_words(done) == f"current model: coder:7b · {words}"


@pytest.mark.parametrize(
    ("freed", "shared_with", "words"),
    [
        (4_700_000_000, (), "frees 4.7 GB"),
        (None, ("twin:7b",), "frees only what is not shared: its weights stay for twin:7b"),
        (0, ("a", "b"), "frees nothing: its layers stay for a, b"),
        (None, (), "frees only what is not counted with the one above: they share their weights"),
    ],
)
def test_what_a_removal_frees(freed: int | None, shared_with: tuple[str, ...], words: str) -> None:
    removal = Removal(MODEL, freed, shared_with, is_current=False, is_loaded=False)
    assert freed_words(removal) == words
    assert removal_words(removal) == f"coder:7b: {words}"


@pytest.mark.parametrize(
    ("is_current", "is_loaded", "why"),
    [
        (True, False, "the current model"),
        (False, True, "loaded"),
        (True, True, "the current model and loaded"),
    ],
)
def test_why_a_removal_is_asked_twice(is_current: bool, is_loaded: bool, why: str) -> None:
    removal = Removal(MODEL, 1_000, (), is_current, is_loaded)
    assert why_dear(removal) == why
    assert removal_words(removal) == f"coder:7b: frees 1 kB · {why}"


def test_the_words_cost_no_services() -> None:
    """A screen that only says what it has been given loads nothing that could fetch it."""
    code = "import modeltui.services.words, sys; print(*(m for m in sys.modules if m.startswith('modeltui')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {module.split(".")[1] for module in done.stdout.split() if "." in module}
    assert ours <= {"domain", "services", "text", "errors"}
    assert sum(module.startswith("modeltui.services.") for module in done.stdout.split()) == 1
