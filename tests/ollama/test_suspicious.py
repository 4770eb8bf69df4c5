"""Hidden characters in `/api/show` are noticed before cleaning takes them out of what is shown."""

import pytest

from modeltui.domain.findings import Kind
from modeltui.domain.names import parse
from modeltui.ollama.wire import details


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
    shown = details({part: text}, parse("chat"))
    (finding,) = shown.suspicious
    assert (finding.kind, finding.is_serious) == (Kind.CHARACTERS, True)
    assert finding.words.startswith(f"its {part} holds")
    assert "\x1b" not in f"{shown.template}{shown.system}{shown.license}{shown.options}"


def test_ordinary_answers_and_wrong_types() -> None:
    ordinary = {"template": "{{ .Prompt }}\n", "parameters": 'stop "\\n\\n"\nstop "<|end|>"\ntop_k 40'}
    assert details(ordinary, parse("chat")).suspicious == ()
    assert details({"template": 5, "system": ["\x1b"], "license": None}, parse("chat")).suspicious == ()
