"""How near two names are."""

from functools import cache

import pytest
from catalogs import shipped
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.catalog.nearness import distance, nearest

WORD = st.text("ab1.", max_size=7)


@cache
def plain_distance(one: str, other: str) -> int:
    """Optimal string alignment by its definition."""
    if not one or not other:
        return len(one) + len(other)
    ways = [
        plain_distance(one[:-1], other) + 1,
        plain_distance(one, other[:-1]) + 1,
        plain_distance(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    ]
    if len(one) > 1 and len(other) > 1 and one[-2:] == other[-1:-3:-1]:
        ways.append(plain_distance(one[:-2], other[:-2]) + 1)
    return min(ways)


@given(WORD, WORD, st.integers(0, 8))
def test_it_is_the_distance_and_none_beyond(one: str, other: str, most: int) -> None:
    expected = plain_distance(one, other)
    assert distance(one, other, most) == (expected if expected <= most else None)


@given(WORD, WORD)
def test_it_is_the_same_both_ways(one: str, other: str) -> None:
    assert distance(one, other, 9) == distance(other, one, 9)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("lama3.1", "llama3.1"),
        ("llama31", "llama3.1"),
        ("llama-3.1", "llama3.1"),
        ("LLAMA3.1", "llama3.1"),
        ("mixtrla", "mixtral"),
        ("gptoss", "gpt-oss"),
        ("qwen-coder", "qwen3-coder"),
        ("nomic-embed", "nomic-embed-text"),
        ("deepseek", "deepseek-r1"),
        ("codelama", "codellama"),
        ("starcoder_2", "starcoder2"),
        ("embeddinggema", "embeddinggemma"),
    ],
)
def test_what_people_mistype(typed: str, first: str) -> None:
    current = [name for name, series in shipped().series.items() if not series.is_retired]
    assert nearest(typed, [*current, *shipped().series])[0] == first


def test_far_is_not_near() -> None:
    assert nearest("xyzzy", shipped().series) == ()
    assert nearest("", shipped().series) == ()
    assert nearest("...", shipped().series) == ()


def test_few_and_in_order() -> None:
    assert nearest("ab", ["abz", "abc", "ab", "zz"], limit=2) == ("ab", "abz")


@given(st.text(max_size=600))
def test_no_text_is_an_exception(text: str) -> None:
    assert len(nearest(text, list(shipped().series)[:40])) <= 5
