"""What a tag's name says by itself."""

import pytest
from catalogs import shipped, tag
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.catalog import tags


@pytest.mark.parametrize(
    ("name", "word", "count"),
    [
        ("8b", "8b", 8_000_000_000),
        ("8B-instruct-q4_K_M", "8b", 8_000_000_000),
        ("0.6b", "0.6b", 600_000_000),
        ("270m-it-qat", "270m", 270_000_000),
        ("8x7b-text-v0.1", "8x7b", 46_700_000_000),
        ("128x17b", "128x17b", 400_000_000_000),
        ("3x9b", "3x9b", None),  # experts share parts: their product is no total
        ("e4b-it-q8_0", "e4b", 4_000_000_000),
        ("1t-cloud", "1t", 10**12),
        ("v1.5-code", None, None),
        ("medium-128k", None, None),
        ("latest", None, None),
        ("1m", None, None),  # a context length
        ("a3b", None, None),
    ],
)
def test_the_size(name: str, word: str | None, count: int | None) -> None:
    assert tags.size_word(name) == word
    assert (tags.parameters_of(word) if word else None) == count


@pytest.mark.parametrize(
    ("name", "active"),
    [
        ("30b-a3b-q4_K_M", 3_000_000_000),
        ("7b-a1b-h", 1_000_000_000),
        ("8b-instruct", None),
        ("a4b", 4_000_000_000),
    ],
)
def test_the_active_parameters(name: str, active: int | None) -> None:
    assert tags.active_of(name) == active


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("8b-instruct-q4_K_M", "Q4_K_M"),
        ("8b-q4_0", "Q4_0"),
        ("33b-q8", "Q8_0"),
        ("8b-fp16", "F16"),
        ("8b-bf16", "BF16"),
        ("27b-mxfp8", "MXFP8"),
        ("IQ2_XXS", "IQ2_XXS"),
        ("UD-Q4_K_XL", "Q4_K_XL"),
        ("8b", None),
        ("4b-it-qat", None),  # unknown is not full precision
        ("qwen-distill", None),
        ("q4_mine", None),
    ],
)
def test_the_quantization(name: str, quantization: str | None) -> None:
    assert tags.quantization_of(name) == quantization


def test_names_and_facts_of_the_library_agree() -> None:
    """The rules by name are what a refresh has for a new tag: they must be right for those that are known."""
    wrong = [
        each.name
        for each in shipped().tags
        if (told := tags.quantization_of(each.tag)) is not None
        and each.quantization is not None
        and told != each.quantization
    ]
    assert not wrong
    sizes = {
        each.series
        for each in shipped().tags
        if (word := tags.size_word(each.tag)) and each.parameter_size and word.upper() != each.parameter_size
    }
    assert sizes == {"llama4"}, "whose long tags tell the size of what is read"


def test_a_tag_of_a_listing() -> None:
    made = tags.tag_of_listing(
        "new", "30b-a3b-instruct-q4_K_M", digest="0123456789ab", size=19_000_000_000, context=262144
    )
    assert made == tag(
        "new",
        "30b-a3b-instruct-q4_K_M",
        digest="0123456789ab",
        size=19_000_000_000,
        context=262144,
        quantization="Q4_K_M",
        parameter_size="30B",
        parameters=30_000_000_000,
        active_parameters=3_000_000_000,
    )


def test_siblings_know_better_than_a_name() -> None:
    known = shipped().series["gpt-oss"].tags
    made = tags.tag_of_listing("gpt-oss", "20b-q8_0", siblings=known)
    assert (made.parameters, made.active_parameters) == (20_000_000_000, 3_600_000_000)
    assert tags.tag_of_listing("gpt-oss", "20b-q8_0").active_parameters is None


def test_nothing_of_a_cloud_tag_is_a_file() -> None:
    made = tags.tag_of_listing("x", "20b-cloud", size=384, is_cloud=True)
    assert (made.size, made.is_cloud) == (None, True)


def test_twins_of_base_models() -> None:
    short, long, other = (
        tag("codegemma", name, digest=digest) for name, digest in (("2b", "a"), ("2b-code", "a"), ("7b", "b"))
    )
    marked = tags.with_base_twins((short, long._replace(is_base=True), other))
    assert [each.is_base for each in marked] == [True, True, False]
    unknown = (tag("x", "1b"), tag("x", "1b-base", is_base=True))
    assert tags.with_base_twins(unknown) == unknown, "no digest is no likeness"


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_name_is_an_exception(name: str, series: str) -> None:
    made = tags.tag_of_listing(series, name)
    assert made.parameters is None or made.parameters >= 0
    assert made.name == f"{series}:{name}"
