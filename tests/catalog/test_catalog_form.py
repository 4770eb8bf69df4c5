"""The form of a catalog's file: everything comes back, and whatever is not whole is refused."""

import json
import string
from dataclasses import replace
from typing import Any

import pytest
from catalogs import series, shipped, small, tag
from hypothesis import given
from hypothesis import strategies as st

from modeltui.catalog import form
from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.series import Catalog, Series, Tag, catalog_of
from modeltui.domain.models import ModelType
from modeltui.text import clean_line


def test_everything_comes_back() -> None:
    assert form.decode(form.encode(small()).encode()) == small()


def test_the_whole_library_comes_back() -> None:
    assert form.decode(form.encode(shipped()).encode()) == shipped()


WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).map(clean_line)
NAMES = st.text(string.ascii_lowercase + string.digits + ".-", min_size=1, max_size=8)
NUMBERS = st.none() | st.integers(1, 10**15)
TAGS = st.builds(
    Tag,
    series=st.just(""),
    tag=NAMES,
    digest=st.none() | WORDS,
    size=NUMBERS,
    is_size_exact=st.booleans(),
    weights=NUMBERS,
    projector=NUMBERS,
    quantization=st.none() | WORDS,
    parameter_size=st.none() | WORDS,
    parameters=NUMBERS,
    active_parameters=NUMBERS,
    context=NUMBERS,
    inputs=st.frozensets(WORDS, max_size=2),
    is_base=st.booleans(),
    type=st.none() | st.sampled_from(ModelType),
    purpose=st.none() | st.sampled_from(Purpose),
    note=st.none() | WORDS,
)


@st.composite
def any_series(draw: st.DrawFn) -> Series:
    name = draw(NAMES)
    return Series(
        name,
        tuple(each._replace(series=name) for each in draw(st.lists(TAGS, max_size=4))),
        publisher=draw(st.none() | WORDS),
        capabilities=draw(st.frozensets(WORDS, max_size=3)),
        notes=tuple(draw(st.lists(WORDS, max_size=2))),
        pulls=draw(NUMBERS),
        type=draw(st.none() | st.sampled_from(ModelType)),
    )


@given(st.lists(any_series(), max_size=4))
def test_any_catalog_comes_back(rows: list[Series]) -> None:
    catalog = catalog_of(rows, "2026-01-01T00:00:00Z")
    assert form.decode(form.encode(catalog).encode()) == catalog


def test_the_same_catalog_is_the_same_text() -> None:
    """Sets have no order; a file that changes without a reason could not be compared."""
    many = frozenset(string.ascii_letters)
    one = catalog_of([series("a", tag("a", "1b", inputs=many), capabilities=many)])
    other = catalog_of([series("a", tag("a", "1b", inputs=frozenset(sorted(many))), capabilities=many)])
    assert form.encode(one) == form.encode(other)


def test_its_day_is_known_without_reading_it() -> None:
    assert form.as_of(form.encode(small()).encode()) == "2026-08-21T00:00:00Z"
    assert form.as_of(form.encode(Catalog({})).encode()) is None


def damaged(text: str) -> list[tuple[str, str]]:
    head, body = text.split("\n", 1)
    other_form = json.dumps({**json.loads(head), "form": form.FORM + 1})
    return [
        ("", "no catalog of modeltui"),
        ("{}", "no catalog of modeltui"),
        ("[1]\n[2]", "no catalog of modeltui"),
        ("{\n" + body, "no catalog of modeltui"),
        (other_form + "\n" + body, "another version"),
        (head, "damaged"),
        (text[:-40], "damaged"),
        (text.replace("alpha", "Alpha"), "damaged"),
    ]


@pytest.mark.parametrize(("text", "why"), damaged(form.encode(small())))
def test_what_is_not_whole_is_refused(text: str, why: str) -> None:
    with pytest.raises(form.BrokenForm, match=why):
        form.decode(text.encode())


def _without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}


@pytest.mark.parametrize(
    "change",
    [
        lambda row: [],
        lambda row: _without(row, "tags"),
        lambda row: _without(row, "coded"),
        lambda row: {**row, "plain": _without(row["plain"], "size")},
        lambda row: {**row, "plain": {**row["plain"], "size": [1]}},
        lambda row: {**row, "coded": {**row["coded"], "context": [[None, 1], [7, 7]]}},
        lambda row: {**row, "colour": "red"},
    ],
)
def test_content_that_makes_no_catalog_is_refused(change: Any) -> None:
    """Even one with a right sum: another program's, or a slip of ours."""
    head, retired, first, *others = form.encode(small()).rstrip("\n").split("\n")
    name, row = first.split("\t")
    for lines in (
        [retired, f"{name}\t{json.dumps(change(json.loads(row)))}", *others],
        ['{"x": []}', first, *others],
        [retired, name, *others],
    ):
        body = "\n".join(lines)
        signed = json.dumps({**json.loads(head), "sha256": form._sum(body.encode())})
        with pytest.raises(form.BrokenForm, match="makes no catalog"):
            form.decode(f"{signed}\n{body}\n".encode())


def test_some_series_are_read_without_the_others() -> None:
    text = form.encode(small()).encode()
    assert list(form.decode(text).series) == ["alpha", "beta"]
    for only in ({"beta"}, {"alpha", "unknown"}, set[str]()):
        found = form.decode(text, only=only)
        assert found == replace(
            small(), series={name: each for name, each in small().series.items() if name in only}
        )


@given(st.text(max_size=200))
def test_any_text_is_refused_with_words(text: str) -> None:
    with pytest.raises(form.BrokenForm) as caught:
        form.decode(text.encode())
    assert str(caught.value)
