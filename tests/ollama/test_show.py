"""What `/api/show` says of one model: typed options, facts, and hidden characters noticed before cleaning."""

import pytest

from modeltui.domain.findings import Kind
from modeltui.domain.models import ModelDetails
from modeltui.domain.names import parse
from modeltui.ollama.show import details, options

NAME = parse("m")
HEX = "0123456789abcdef" * 4

PARAMETERS = r"""stop                           "<|end|>"
stop                           "a \"b\"\tc é \x1b[31m"
temperature                    0.7
num_ctx                        16384
mirostat                       true
odd                            <nil>
huge                           1e999
novalue
"""


def test_options_are_typed_and_repeat_as_lists() -> None:
    assert options(PARAMETERS) == {
        "huge": "1e999",
        "mirostat": True,
        "num_ctx": 16384,
        "odd": "<nil>",
        "stop": ["<|end|>", 'a "b" c é ·[31m'],
        "temperature": 0.7,
    }
    assert options(None) == {}


def test_details() -> None:
    blob = f"sha256-{HEX}"
    shown = details(
        {
            "details": {
                "parent_model": f"/root/.ollama/models/blobs/{blob}",
                "quantization_level": "unknown",
            },
            "model_info": {
                "general.architecture": "llama",
                "general.parameter_count": 31_793_664,
                "llama.context_length": 32_768,
                "llama.embedding_length": 512,
                "tokens": None,
                "mixed": [1, "a", None, [2], {"x": 1}],
                "nested": {"x": 1},
            },
            "modelfile": f"# FROM nothing\nFROM /x/blobs/{blob}\nADAPTER /y/{blob}\nSYSTEM FROM me",
        },
        NAME,
    )
    assert (shown.base_model, shown.quantization) == (None, None)  # a path is no name
    assert (shown.architecture, shown.parameter_count) == ("llama", 31_793_664)
    assert (shown.context, shown.embedding_length) == (32_768, 512)
    assert (shown.weights, shown.adapters) == (f"sha256:{HEX}", (f"sha256:{HEX}",))
    assert set(shown.model_info) >= {"general.architecture", "mixed"}
    assert not {"tokens", "nested"} & set(shown.model_info)
    assert shown.model_info["mixed"] == [1, "a"]
    assert shown.capabilities is None  # before 0.6.4: unknown, not none
    assert details({"details": {"parent_model": "llama3.2"}}, NAME).base_model == "llama3.2"
    assert details(None, NAME) == ModelDetails(name=NAME)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("template", "{{ .Prompt }}\x1b[2J"),
        ("system", "You are\u202e kind"),
        ("license", "MIT\x9b31m"),
        ("parameters", 'stop                           "\\x1b[2J"'),
        ("parameters", 'stop                           "\\u202e"'),
    ],
)
def test_each_text_is_looked_at(part: str, text: str) -> None:
    shown = details({part: text}, NAME)
    (finding,) = shown.suspicious
    assert (finding.kind, finding.is_serious) == (Kind.CHARACTERS, True)
    assert finding.words.startswith(f"its {part} holds")
    assert "\x1b" not in f"{shown.template}{shown.system}{shown.license}{shown.options}"


def test_ordinary_answers_and_wrong_types() -> None:
    ordinary = {"template": "{{ .Prompt }}\n", "parameters": 'stop "\\n\\n"\nstop "<|end|>"\ntop_k 40'}
    assert details(ordinary, NAME).suspicious == ()
    assert details({"template": 5, "system": ["\x1b"], "license": None}, NAME).suspicious == ()
