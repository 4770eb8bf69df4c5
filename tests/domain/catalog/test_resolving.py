"""What a typed name means, and that nothing is changed silently."""

import time

import pytest
from catalogs import series, shipped, tag
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.catalog.resolving import Meaning, resolve
from modeltui.domain.catalog.series import catalog_of
from modeltui.domain.names import parse
from modeltui.errors import InvalidName


@pytest.mark.parametrize("name", ["llama3.1:8b", "qwen3:30b-a3b", "gpt-oss:20b-cloud", "kimi-k3:cloud"])
def test_a_tag_is_what_it_is(name: str) -> None:
    found = resolve(name, shipped())
    assert (found.kind, found.name, found.words) == (Meaning.EXACT, name, "")
    assert not found.is_changed


def test_every_tag_of_the_library_is_what_it_is() -> None:
    for each in shipped().tags:
        assert resolve(each.name, shipped()).name == each.name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("llama3.1:8b-instruct", "llama3.1:8b"),  # one digest with 8b-instruct-q4_K_M
        ("llama3.1:8b-chat", "llama3.1:8b"),
        ("llama3.1:8B-Instruct", "llama3.1:8b"),
        ("llama3.1:instruct", "llama3.1:8b"),
        ("llama3.1:8b-q4_K_M", "llama3.1:8b-instruct-q4_K_M"),  # the quantization was said: it is kept
        ("llama3.1:8b-q8", "llama3.1:8b-instruct-q8_0"),
        ("llama3.1:70b-q3", "llama3.1:70b-instruct-q3_K_M"),
        ("llama3.1:8b-f16", "llama3.1:8b-instruct-fp16"),
        ("llama3.1:70b-text", "llama3.1:70b-text-q4_K_M"),
        ("gemma2:9b-it", "gemma2:9b"),
        ("gemma4:12b-instruct", "gemma4:12b"),
        ("qwen3:8b-q4", "qwen3:8b-q4_K_M"),
        ("qwen3:30b-q4", "qwen3:30b-a3b-thinking-2507-q4_K_M"),  # what 30b is, before the instruct build
        ("qwen3-coder:30b-a3b", "qwen3-coder:30b"),
        ("deepseek-r1:8b-distill", "deepseek-r1:8b-llama-distill-q4_K_M"),
        ("mistral-large-3:cloud", "mistral-large-3:675b-cloud"),
        ("llama3.1-8b", "llama3.1:8b"),
        ("qwen2.5-7b-instruct", "qwen2.5:7b-instruct"),
        ("DeepSeek-R1-Distill-Qwen-7B", "deepseek-r1:7b"),
    ],
)
def test_no_tag_but_one_can_be_meant(typed: str, name: str) -> None:
    found = resolve(typed, shipped())
    assert (found.kind, found.name) == (Meaning.MEANT, name)
    assert found.is_changed
    assert name in found.words
    assert found.words.endswith("is meant")
    assert shipped().find(name) is not None


def test_what_a_bare_name_stands_for_is_said() -> None:
    found = resolve("mixtral", shipped())
    assert (found.kind, found.name) == (Meaning.DEFAULT, "mixtral:latest")
    assert found.words == "mixtral:latest is mixtral:8x7b (8X7B, Q4_0, 26.4 GB)"
    assert not found.is_changed, "it is pulled as it was typed"
    assert found.note == "mistral-small3.2 has taken the place of mixtral"


@pytest.mark.parametrize(
    ("typed", "name", "words"),
    [
        ("granite4.1", "granite4.1:3b", "its default is granite4.1:3b (3B, Q4_K_M, 2.1 GB)"),
        ("granite4.1:latest", "granite4.1:3b", "granite4.1 has no tag latest"),
        ("glm-5.2", "glm-5.2:cloud", "it runs at ollama.com"),
    ],
)
def test_a_series_without_latest(typed: str, name: str, words: str) -> None:
    found = resolve(typed, shipped())
    assert (found.kind, found.name, found.is_changed) == (Meaning.DEFAULT, name, True)
    assert words in found.words


@pytest.mark.parametrize(
    ("typed", "near", "words"),
    [
        ("llama3.1:13b", ["llama3.1:8b", "llama3.1:70b"], "its neighbours are llama3.1:8b and llama3.1:70b"),
        ("llama3.1:13b-instruct-q4_0", ["llama3.1:8b", "llama3.1:70b"], "has no 13b"),
        (
            "llama3.2:8b",
            ["llama3.2:3b", "llama3.1:8b"],
            "its neighbour is llama3.2:3b; of that size is llama3.1:8b",
        ),
        ("llama3.1:900b", ["llama3.1:405b"], "its neighbour is llama3.1:405b"),
        ("gemma3:100m", ["gemma3:270m"], "its neighbour is gemma3:270m"),
        ("gpt-oss:cloud", ["gpt-oss:20b-cloud", "gpt-oss:120b-cloud"], "it may mean"),
        ("deepseek-r1:qwen", ["deepseek-r1:1.5b", "deepseek-r1:7b"], "it may mean"),
        ("qwen3:8b-instruct", ["qwen3:8b"], "it may mean qwen3:8b"),  # other sizes have an instruct build
        ("qwen3:8b-q5_K_M", ["qwen3:8b-q4_K_M", "qwen3:8b-q8_0"], "it may mean"),
        ("llama3.1:cloud", ["llama3.1:8b"], "it may mean llama3.1:8b"),
        ("phi4:mini", ["phi4:14b"], "phi4 has no tag mini"),
    ],
)
def test_several_may_be_meant(typed: str, near: list[str], words: str) -> None:
    found = resolve(typed, shipped())
    assert (found.kind, found.name) == (Meaning.SEVERAL, None)
    assert list(found.alternatives[: len(near)]) == near
    assert words in found.words
    assert all(shipped().find(name) for name in found.alternatives)


@pytest.mark.parametrize(
    ("typed", "near", "words"),
    [
        ("glm-4.6:cloud", ("glm-5.2:cloud",), "last listed on 2026-06-15"),
        ("glm-4.6", ("glm-5.2:cloud",), "glm-5.2:cloud took its place"),
        ("kimi-k2:1t-cloud", ("kimi-k3:cloud", "kimi-k2.6:cloud"), "kimi-k3:cloud or kimi-k2.6:cloud"),
        ("gemini-3-pro-preview", (), "nothing in it took its place"),
    ],
)
def test_a_name_that_left_the_library(typed: str, near: tuple[str, ...], words: str) -> None:
    found = resolve(typed, shipped())
    assert (found.kind, found.name, found.alternatives) == (Meaning.RETIRED, None, near)
    assert "has left the library" in found.words
    assert words in found.words


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("lama3.1:8b", "llama3.1:8b"),
        ("lama3.1:8b-instruct", "llama3.1:8b"),
        ("codelama:13b", "codellama:13b"),
        ("gptoss:20b", "gpt-oss:20b"),
        ("gemma-3:4b", "gemma3:4b"),
        ("mixtrla", "mixtral"),
        ("Meta-Llama-3.1-8B-Instruct", "llama3.1:8b"),
        ("deepseek", "deepseek-r1"),
    ],
)
def test_a_slip_gives_near_names_and_changes_nothing(typed: str, near: str) -> None:
    """It may be newer than the catalog: so it is tried as it was typed."""
    found = resolve(typed, shipped())
    assert (found.kind, found.name) == (Meaning.UNKNOWN, parse(typed).short)
    assert found.alternatives[0] == near
    assert near in found.words
    assert "2026-08-21" in found.words, "how old the catalog is"


def test_a_name_like_no_other() -> None:
    found = resolve("xyzzy", shipped())
    assert (found.kind, found.name, found.alternatives) == (Meaning.UNKNOWN, "xyzzy:latest", ())


def test_case_is_as_the_library_writes_it() -> None:
    found = resolve("Llama3.1:8B", shipped())
    assert (found.kind, found.name, found.words) == (
        Meaning.EXACT,
        "llama3.1:8b",
        "Llama3.1:8B is written llama3.1:8b",
    )


@pytest.mark.parametrize(
    "name",
    [
        "hf.co/bartowski/Qwen2.5-7B-Instruct-GGUF:Q4_K_M",
        "registry.lan:5000/team/llama3.1:13b",
        "me/llama3.1:13b",
        "me/glm-4.6:latest",
    ],
)
def test_names_that_are_none_of_the_librarys_are_left_alone(name: str) -> None:
    found = resolve(name, shipped())
    assert (found.kind, found.name, found.words) == (Meaning.ELSEWHERE, name, "")


def test_a_series_of_the_users_own() -> None:
    """What a user writes down of a private registry is not all that it holds."""
    own = series(
        "registry.lan/team/helper", tag("registry.lan/team/helper", "8b", size=5 * 10**9), default_tag="8b"
    )
    open_ended = series("hf.co/me/x", tag("hf.co/me/x", "Q4_K_M"))
    catalog = catalog_of([own, open_ended])
    assert resolve("registry.lan/team/helper:8b", catalog).kind is Meaning.EXACT
    bare = resolve("registry.lan/team/helper", catalog)
    assert (bare.kind, bare.name) == (Meaning.DEFAULT, "registry.lan/team/helper:8b")
    assert bare.words == (
        "registry.lan/team/helper has no tag latest; its default is registry.lan/team/helper:8b (5 GB)"
    )
    assert resolve("registry.lan/team/helper:9b", catalog).kind is Meaning.ELSEWHERE
    assert resolve("hf.co/me/x", catalog).name == "hf.co/me/x:latest"


def test_what_is_installed_is_exact_whatever_the_catalog_says() -> None:
    for name in ("llama3.1:13b", "glm-4.6:cloud", "lama3.1:8b", "qwen3:8b-instruct"):
        found = resolve(name, shipped(), [parse("other:1b"), parse(name)])
        assert (found.kind, found.name, found.words) == (Meaning.EXACT, name, "")


def test_the_very_name_with_another_tag_is_near_with_that_tag() -> None:
    found = resolve("tiny", shipped(), [parse("tiny:chat")])
    assert found.alternatives[0] == "tiny:chat"
    assert "tiny:chat, " in found.words


def test_installed_names_are_near_names_too() -> None:
    here = [parse("notes:8b"), parse("me/notas2:8b"), parse("lama3:8b")]
    assert resolve("notas:8b", shipped(), here).alternatives == ("notes:8b",)
    assert set(resolve("lama3.1:8b", shipped(), here).alternatives) >= {"llama3.1:8b", "lama3:8b"}


def test_superseded_series_say_by_what() -> None:
    assert resolve("qwen2.5:7b", shipped()).note == "qwen3.5 has taken the place of qwen2.5"
    assert resolve("qwen3.5:9b", shipped()).note == ""


def test_a_circle_of_successors_ends() -> None:
    one = series("a", tag("a", "1b"), succeeded_by=("b",), is_retired=True)
    other = series("b", tag("b", "1b"), succeeded_by=("a", "gone"), is_retired=True)
    assert resolve("a:1b", catalog_of([one, other])).note == "b has taken the place of a"


@pytest.mark.parametrize("typed", ["", "two words", "a:b:c:d", "x@sha256:1"])
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(InvalidName):
        resolve(typed, shipped())


NAMES = st.builds(
    "{}{}{}".format,
    st.sampled_from([*list(shipped().series)[:30], "lama", "x", "me/x"]),
    st.sampled_from([":", "-", ""]),
    st.text("0123456789bqK_M.-instruct", max_size=12),
)


@given(NAMES)
def test_whatever_is_typed(typed: str) -> None:
    try:
        found = resolve(typed, shipped())
    except InvalidName:
        return
    if found.is_changed or found.name is None:
        assert found.words, "nothing is changed silently"
    if found.kind is Meaning.MEANT:
        assert found.name is not None and shipped().find(found.name) is not None
    for name in found.alternatives:
        assert shipped().series_of(name) is not None
    if found.name is not None and "-" not in typed:
        assert found.name.partition(":")[0] == parse(typed).series or found.kind is not Meaning.UNKNOWN


@pytest.mark.parametrize(
    "typed",
    ["lama3.1:8b-instruct", "llama3.1:8b-instruct-q4_k_n", "q" * 80 + ":" + "x" * 80, "qwen3:" + "b" * 80],
)
def test_it_is_quick(typed: str) -> None:
    """5 ms a name; the best of a few, ten times that for a busy machine."""
    resolve(typed, shipped())
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        resolve(typed, shipped())
        best = min(best, time.perf_counter() - start)
    assert best < 0.05


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("qwen3-coder:480b-cloud", "qwen3-coder:480b"),
        ("llama3.1:70b-foo", "llama3.1:70b"),
        ("qwen3:8b-instuct", "qwen3:8b"),
    ],
)
def test_the_size_that_was_typed_comes_first(typed: str, first: str) -> None:
    assert resolve(typed, shipped()).alternatives[0] == first
