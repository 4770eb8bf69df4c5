"""The border of trust: whatever JSON a server sends, nothing raises and every string that leaves is clean."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.events import Layer, ServerError, Status, Success
from modeltui.domain.models import Account, Chunk, Metrics, Model
from modeltui.domain.names import parse
from modeltui.ollama import wire
from modeltui.ollama.pull import decode
from modeltui.ollama.show import details, options
from modeltui.text import clean_line, clean_text, is_clean_line

NAME = parse("m")
LONG_TEXTS = {"template", "system", "license", "modelfile", "text", "thinking"}
HEX = "0123456789abcdef" * 4

_KEYS = """
models name model size digest details modified_at remote_host remote_model format family families
parameter_size quantization_level context_length parent_model capabilities size_vram expires_at model_info
general.architecture llama.context_length projector_info modelfile parameters template system license
requires messages done response thinking eval_count eval_duration total_duration done_reason plan embeddings
error message status total completed version email tensors
"""
KEYS = _KEYS.split()
WORDS = st.text(st.characters()) | st.sampled_from(
    [
        *[
            "llama",
            "tiny:latest",
            "unknown",
            "27.8B",
            "success",
            f"sha256:{HEX}",
            HEX,
            "\x1b[31m\x07",
            "a\u202eb",
        ],
        *[
            "2026-11-21T04:06:21.186372404Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-14:00",
            "2026-W01-1",
        ],
        *['stop "<|end|>"\nstop "\\xff\\U0011ffff\\ud800"\nnum_ctx 4096\nx 1e999', f"FROM /x/sha256-{HEX}"],
        *["\ud800", "9" * 5000],
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63), 10**400, 0.5])
LEAVES = st.none() | st.booleans() | NUMBERS | WORDS
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | WORDS, inner, max_size=6)
        | st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, inner))
    ),
    max_leaves=25,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS) | WORDS, JSON, max_size=8)

RAW = [wire.rows, wire.text, wire.error_words]  # the raw objects, long text, what is cleaned later
READERS: list[Callable[[Any], object]] = [
    *(wire.models, wire.loaded, options, wire.embedding, wire.account, wire.integer),
    *(wire.line, wire.time_ms, wire.hex_digest, wire.words, *RAW),
    lambda value: wire.models({"models": [value]}),
    lambda value: wire.loaded({"models": [value, value]}),
    lambda value: details(value, NAME),
    lambda value: details({"model_info": value, "details": value, "capabilities": value}, NAME),
    lambda value: details({"modelfile": value, "parameters": value, "license": [value]}, NAME),
    lambda value: wire.embedding({"embeddings": [value]}),
]
OBJECT_READERS: list[Callable[[dict[str, Any]], object]] = [
    *(wire.chunk, wire.metrics),
    lambda value: decode(value, 0, clean_line),
]


def _strings(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """(field, string) of everything in a result."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield name, key
            yield from _strings(inner, name)
    elif isinstance(value, (list, tuple, frozenset)):
        for inner in value:
            yield from _strings(inner, name)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _strings(getattr(value, field.name), field.name)


def _assert_clean(result: object) -> None:
    for field, text in _strings(result):
        if field in LONG_TEXTS:
            assert clean_text(text) == text
        elif field != "sent":  # what was listed, word for word; only a row with a name is acted on
            assert is_clean_line(text), (field, text)


@given(JSON)
def test_any_json_is_read_without_an_exception(value: Any) -> None:
    for read in READERS:
        result = read(value)
        if read not in RAW:
            _assert_clean(result)


@given(OBJECTS)
def test_any_object_is_read_without_an_exception(value: dict[str, Any]) -> None:
    for read in OBJECT_READERS:
        _assert_clean(read(value))
    shown, sent, name = wire.listed_name(value)
    assert is_clean_line(shown)
    assert name is None or (is_clean_line(sent) and parse(sent) == name)


@pytest.mark.parametrize("depth", [10, 300, 900])
def test_nesting_as_deep_as_json_decodes(depth: int) -> None:
    deep = json.loads("[" * depth + "1" + "]" * depth)
    objects = json.loads('{"error":' * depth + "1" + "}" * depth)
    for read in READERS:
        read(deep)
        read(objects)
        read({"models": deep, "model_info": {"a": deep}, "capabilities": deep, "license": deep})
    assert wire.error_words(objects) is None


def test_a_hostile_size_is_bounded() -> None:
    many = wire.models({"models": [{"name": "m"}] * 30_000})
    assert len(many) == 20_000
    shown = details({"model_info": {str(key): 1 for key in range(9_000)}}, NAME)
    assert len(shown.model_info) == 2_000
    assert len(wire.words(["x" * 999] * 999) or ()) == 1
    assert details({"model_info": {"a": [1] * 5_000}}, NAME).model_info == {}


# What each field makes of a value of the wrong type: unknown, the rest of the row stays.
ROW: dict[str, Any] = json.loads(
    """{"name": "tiny:latest", "model": "tiny:latest", "size": 5, "modified_at": "2026-11-21T04:06:21.5Z",
    "details": {"format": "gguf", "family": "llama", "parameter_size": "125K", "quantization_level": "F16",
    "context_length": 2048}, "capabilities": ["completion"], "remote_host": "https://ollama.com:443",
    "remote_model": "x"}"""
)
ROW["digest"] = HEX
READ = Model(
    *("tiny:latest", "tiny:latest", parse("tiny"), HEX, 5, 1_795_233_981_500, "gguf", "llama", "125K", "F16"),
    *(2048, frozenset({"completion"}), "https://ollama.com:443", "x"),
)
FIELD_OF = {"modified_at": "modified", "quantization_level": "quantization", "context_length": "context"}
WRONG: list[Any] = [None, True, -1, 1.5, float("nan"), float("inf"), 2**63, {}, {"a": 1}, [[]], "", 10**400]


@pytest.mark.parametrize("key", [*ROW, *ROW["details"]])
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_wrong_type_is_unknown_and_the_rest_stays(key: str, wrong: Any) -> None:
    row = json.loads(json.dumps(ROW))
    (row if key in row else row["details"])[key] = wrong
    details = ("format", "family", "parameter_size", "quantization", "context")
    gone: dict[str, Any] = dict.fromkeys(details if key == "details" else [FIELD_OF.get(key, key)])
    if key in ("name", "model"):
        gone = {}  # either of them is enough
    elif wrong == [[]] and key == "capabilities":
        gone = {key: frozenset()}
    assert wire.models({"models": [ROW, row]}) == (READ, replace(READ, **gone))


NAMELESS: list[Any] = [
    None,
    5,
    [],
    "",
    "a b",
    "hf.co/user",
    "tiny\u200b:latest",
    "x\x1b[31m",
    "é",
    "x" * 1000,
]


@pytest.mark.parametrize("raw", NAMELESS)
def test_what_is_no_name_is_shown_cleaned_and_offers_no_action(raw: Any) -> None:
    (model,) = wire.models({"models": [{"name": raw, "model": raw}]})
    assert model.name is None
    assert model.shown == (clean_line(raw) if isinstance(raw, str) and raw else "(no name)")


INTEGERS = [(0, 0), (5.0, 5), (2**63 - 1, 2**63 - 1), (True, None), ("5", None), (-1, None), (1e300, None)]
TIMES = [
    ("2026-11-21T04:06:21.186372404Z", 1_795_233_981_186),
    ("2026-11-21T06:06:21+02:00", 1_795_233_981_000),
    ("2318-12-03T03:53:38.313274258Z", 11_010_830_018_313),
    ("9999-12-31T23:59:59-14:00", 253_402_351_199_000),
    ("2026-11-21T04:06:21", None),  # of which time zone?
    *[(value, None) for value in ("0001-01-01T00:00:00Z", "yesterday", "9" * 70, 1_795_233_981)],
]
DIGESTS = [
    (HEX, HEX),
    (f"sha256:{HEX}", HEX),
    (HEX[:-1], None),
    (HEX.upper(), None),
    (f"{HEX}\n", None),
    (5, None),
]


def test_single_values() -> None:
    assert [wire.integer(value) for value, _ in INTEGERS] == [want for _, want in INTEGERS]
    assert [wire.time_ms(value) for value, _ in TIMES] == [want for _, want in TIMES]
    assert [wire.hex_digest(value) for value, _ in DIGESTS] == [want for _, want in DIGESTS]
    assert wire.text(["MIT", 5, "BSD"]) == "MIT\n\nBSD"
    assert (wire.words(None), wire.words(["completion", 5])) == (None, frozenset({"completion"}))
    assert wire.account({"name": "", "email": "a@b", "plan": 5}) == Account("a@b", None)
    assert wire.embedding({"embeddings": [[1, 2.5, "x", None]]}) == (1.0, 2.5)
    assert wire.error_words({"error": {"message": "m"}}) == "m"
    # Before 0.1.42 a zero size_vram was left out; one of a wrong type is unknown.
    without, wrong = wire.loaded({"models": [{"size": 5}, {"size": 5, "size_vram": "5"}]})
    assert (without.vram, wrong.vram) == (0, None)
    assert wire.chunk({"response": "a\x1bb", "done": "yes"}) == Chunk("a·b")
    last = wire.chunk({"done": True, "eval_count": 5, "done_reason": "length"})
    assert last == Chunk(metrics=Metrics(tokens=5, done_reason="length"))


PULL_LINES: list[tuple[dict[str, Any], object]] = [
    ({}, None),
    ({"status": 5}, None),
    ({"digest": "d", "total": "9"}, None),
    ({"status": "x", "digest": 5, "total": 9}, Status(0, "x")),
    ({"status": "pulling d", "digest": "d", "total": 9}, Layer(0, "d", 9, 0)),  # zero values are left out
    # OLLAMA_EXPERIMENT=client2: no status, and all layers side by side
    ({"digest": "d", "total": 9, "completed": 3}, Layer(0, "d", 9, 3, in_order=False)),
    ({"digest": "d", "total": 9, "completed": -1}, Layer(0, "d", 9, 0, in_order=False)),
    ({"code": "not_found", "error": 'model "x" not found'}, ServerError(0, 'model "x" not found')),
    ({"status": "success", "error": "a\x1bb"}, ServerError(0, "a·b")),
    ({"error": {"message": "in an object"}}, ServerError(0, "in an object")),
    ({"error": ["x"]}, ServerError(0, "an error without words")),
    ({"status": "success"}, Success(0)),
    ({"status": "SUCCESS"}, Status(0, "SUCCESS")),
]


@pytest.mark.parametrize(("line", "event"), PULL_LINES)
def test_pull_lines(line: dict[str, Any], event: object) -> None:
    assert decode(line, 0, clean_line) == event


def test_no_server_holds_thousands_of_models_loaded() -> None:
    """Each of them is compared with each installed one."""
    assert len(wire.loaded({"models": [{"name": f"m{i}", "size_vram": 1} for i in range(20_000)]})) == 1000
