"""Names: Ollama's own cases (types/model/name_test.go, modelref_test.go), the traps, any text."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.names import ModelName, from_listed, from_typed, parse, same
from modeltui.errors import InvalidName
from modeltui.text import is_clean_line

PART80, PART350 = "8" * 80, "3" * 350

# TestParseNameParts (there without defaults, here with them) and the valid ones of TestNameIsValid.
PARTS = f"""
registry.ollama.ai/library/dolphin:7b-v2.6-q6_K | registry.ollama.ai library dolphin 7b-v2.6-q6_K
scheme://host:port/namespace/model:tag          | host:port namespace model tag
host/namespace/model:tag                        | host namespace model tag
host:port/namespace/model:tag                   | host:port namespace model tag
host/namespace/model                            | host namespace model latest
host:port/namespace/model                       | host:port namespace model latest
namespace/model                                 | registry.ollama.ai namespace model latest
model                                           | registry.ollama.ai library model latest
h/nn/mm:t                                       | h nn mm t
h/n/m:t                                         | h n m t
{PART80}/{PART80}/{PART80}:{PART80}             | {PART80} {PART80} {PART80} {PART80}
{PART350}/{PART80}/{PART80}:{PART80}            | {PART350} {PART80} {PART80} {PART80}
_why/_the/_lucky:_stiff                         | _why _the _lucky _stiff
host:https/namespace/model:tag                  | host:https namespace model tag
"""
# TestNameIsValid, TestNameIsValidPart, TestIsValidNamespace, and what is one beyond their limits.
INVALID = [
    *[
        "",
        "n/m:",
        "@t",
        "m@d",
        "^",
        "mm:",
        "/nn/mm",
        "//",
        "//mm",
        "hh//",
        "//mm:@",
        "00@",
        "@",
        ".",
        "..",
        "-h",
    ],
    *["-hh/nn/mm:tt", "hh/-nn/mm:tt", "hh/nn/-mm:tt", "hh/nn/mm:-tt", "host/name:space/model:tag", "h/a./m"],
    *["a:123/aa/bb/cc", "a:b/m", "a/b:c/d@e", "a/b:c/d@sha256-100", "m:t:u", "m:t/", "http://m", "a/b/c/d"],
    *[f"h/n/m:{'8' * 81}", f"h/n/{'8' * 81}", f"h/{'8' * 81}/m", f"{'3' * 351}/n/m", "../../etc/passwd"],
    *[
        "localhost:5000/m",
        "hf.co/user",
        " m",
        "m ",
        "m\n",
        "m m",
        "a\tb",
        "mödel",
        "m\x00",
        "m\u200b",
        "m:１",
    ],
]
SHORTEST = """
registry.ollama.ai/library/model:latest | model:latest
registry.ollama.ai/library/model:tag    | model:tag
registry.ollama.ai/namespace/model:tag  | namespace/model:tag
host/namespace/model:tag                | host/namespace/model:tag
host/library/model:tag                  | host/library/model:tag
REGISTRY.ollama.ai/Library/Model        | Model:latest
"""
# What people type or paste: TestParseRef, TestNormalizePullName, TestParseSourceSuffix; then the traps.
TYPED = """
gpt-oss:20b:cloud                  | gpt-oss:20b-cloud
gpt-oss:20b-cloud                  | gpt-oss:20b-cloud
gpt-oss:20b:CLOUD                  | gpt-oss:20b-cloud
gpt-oss:20b:local                  | gpt-oss:20b
qwen3:local                        | qwen3:latest
qwen3:cloud                        | qwen3:cloud
my-cloud-model                     | my-cloud-model:latest
gpt-oss:clod                       | gpt-oss:clod
localhost:11434/library/foo:cloud  | localhost:11434/library/foo:cloud
llama3.2                           | llama3.2:latest
https://ollama.com/library/llama3.2 | llama3.2:latest
https://ollama.com/library/llama3.2:1b | llama3.2:1b
https://www.ollama.com/library/llama3.2/tags | llama3.2:latest
https://ollama.com/library/qwen3:8b?x=1#y | qwen3:8b
ollama.com/library/llama3.2        | llama3.2:latest
https://ollama.com/library/gpt-oss:120b-cloud | gpt-oss:120b-cloud
HTTPS://OLLAMA.COM/someone/model/  | someone/model:latest
https://huggingface.co/u/r         | hf.co/u/r:latest
https://huggingface.co/u/r/tree/main | hf.co/u/r:latest
https://hf.co/u/r.gguf:Q4_K_M      | hf.co/u/r.gguf:Q4_K_M
hf.co/u/r:Q4_K_M                   | hf.co/u/r:Q4_K_M
huggingface.co/u/r                 | huggingface.co/u/r:latest
http://localhost:5000/library/m:t  | localhost:5000/library/m:t
"""
# Typed, the words of the refusal, and of its remedy.
REFUSED = """
                         | a model name is missing           | for example
https://ollama.com/      | a model name is missing           | for example
m:cloud:local            | use either :local or :cloud, not both |
m:1b-cloud:cloud         | use either :local or :cloud, not both |
hf.co/user               | a host needs three parts          | hf.co/library/MODEL
localhost:5000/m         | a host needs three parts          | localhost:5000/library/MODEL
m@sha256:0123            | a digest (@…) cannot be named     | name a tag
a/b/c/d                  | its host “a/b” is not allowed     | [host/namespace/]model[:tag]
m:                       | its tag is empty                  | letters, digits
x/foo:bar-cloud/baz      | its namespace “foo:bar-cloud” is not allowed | letters, digits
"""


def _rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.split("|")] for row in table.strip("\n").splitlines()]


@pytest.mark.parametrize(("text", "parts"), _rows(PARTS))
def test_parts(text: str, parts: str) -> None:
    assert parse(text) == ModelName(*parts.split())


@pytest.mark.parametrize("text", INVALID)
def test_invalid(text: str) -> None:
    assert from_listed(text) is None
    with pytest.raises(InvalidName):
        parse(text)


@pytest.mark.parametrize(("text", "short"), _rows(SHORTEST))
def test_shortest(text: str, short: str) -> None:
    assert (parse(text).short, parse(text).series) == (short, short.rpartition(":")[0])


@pytest.mark.parametrize(("text", "short"), _rows(TYPED))
def test_typed(text: str, short: str) -> None:
    assert from_typed(f" {text}\n").short == short


@pytest.mark.parametrize(("text", "words", "remedy"), _rows(REFUSED))
def test_a_refusal_says_what_is_wrong(text: str, words: str, remedy: str) -> None:
    with pytest.raises(InvalidName) as caught:
        from_typed(text)
    assert words in caught.value.message
    assert remedy in (caught.value.remedy or "")


def test_equality_is_of_keys() -> None:
    for one in (
        "llama3.2:latest",
        "registry.ollama.ai/library/llama3.2",
        "LLAMA3.2",
        "Library/llama3.2:LATEST",
    ):
        assert same(parse(one), parse("llama3.2"))
    for other in ("llama3.2:1b", "someone/llama3.2", "ollama.com/library/llama3.2"):
        assert not same(parse(other), parse("llama3.2"))
    assert not same(parse("hf.co/u/r"), parse("huggingface.co/u/r"))
    assert not same(None, None)
    assert parse("LLAMA3") != parse("llama3")


def test_cloud_is_read_from_the_tag_only() -> None:
    cloud = ["gpt-oss:120b-cloud", "qwen3:cloud", "qwen3:CLOUD", "h/n/m:x-Cloud"]
    here = ["my-cloud-model", "cloud", "m:cloudy", "n-cloud/m", "m:latest"]
    assert [name for name in cloud + here if parse(name).is_cloud] == cloud


_FIRST = string.ascii_letters + string.digits + "_"


def _part(more: str, longest: int) -> st.SearchStrategy[str]:
    return st.builds(str.__add__, st.sampled_from(_FIRST), st.text(_FIRST + more, max_size=longest - 1))


NAMES = st.builds(
    ModelName,
    _part("-.:", 350) | st.sampled_from(["registry.ollama.ai", "Registry.OLLAMA.ai", "hf.co"]),
    _part("-", 80) | st.sampled_from(["library", "LIBRARY"]),
    _part("-.", 80),
    _part("-.", 80),
)


@given(NAMES)
def test_names_come_back(name: ModelName) -> None:
    assert parse(name.full) == name
    assert parse(name.short).key == name.key == parse(name.key).key
    assert is_clean_line(name.short) or len(name.short) > 512


@given(st.text(st.sampled_from("aZ0_-.:/@ \t\n\x1bö\u202e\ud800")) | st.text(st.characters()))
def test_any_text_is_a_name_or_an_invalid_one(text: str) -> None:
    for read in (parse, from_typed):
        try:
            name = read(text)
        except InvalidName as error:
            assert is_clean_line(error.message + (error.remedy or ""))
        else:
            assert parse(name.full) == name
