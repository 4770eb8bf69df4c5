"""What tells the tags of one series apart."""

import pytest

from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.catalog.siblings import capabilities_of, plain_twin, smaller_tags, version_of


def tag(name: str, size: int, **facts: object) -> Tag:
    return Tag("m", name, size=size, parameters=8_000_000_000, **facts)  # type: ignore[arg-type]


Q8 = tag("8b-instruct-q8_0", 8_500_000_000)
SERIES = Series(
    "m",
    (
        tag("8b", 4_900_000_000, digest="aaaaaaaaaaaa"),
        tag("8b-instruct-q4_K_M", 4_900_000_000, digest="aaaaaaaaaaaa"),
        Q8,
        tag("8b-instruct-q2_K", 3_200_000_000),
        tag("8b-text-q4_0", 4_700_000_000, is_base=True),
        tag("8b-other-q4_0", 4_700_000_000),
        tag("8b-instruct-mlx", 4_000_000_000, is_apple_only=True),
        tag("8b-cloud", 0, is_cloud=True),
        Tag("m", "70b-instruct-q2_K", size=2_000_000_000, parameters=70_000_000_000),
    ),
)


def test_smaller_quantizations_are_of_the_same_size_and_variant() -> None:
    assert [each.tag for each in smaller_tags(SERIES, Q8, 8_500_000_000)] == [
        "8b-instruct-q4_K_M",
        "8b-instruct-q2_K",
    ]


def test_a_short_tag_is_known_by_the_full_one_of_its_digest() -> None:
    assert [each.tag for each in smaller_tags(SERIES, SERIES.tags[0], 4_900_000_000)] == ["8b-instruct-q2_K"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("0.6", (0, 6, 0)),
        ("v0.12.3-rc1", (0, 12, 3)),
        ("Ollama 0.20.1 or later", (0, 20, 1)),
        (None, None),
        ("none", None),
    ],
)
def test_versions_are_read(text: str | None, version: tuple[int, int, int] | None) -> None:
    assert version_of(text) == version


def test_a_tag_reads_images_only_if_it_takes_them() -> None:
    series = Series("m", (), capabilities=frozenset({"vision", "tools"}))
    seeing, blind = (tag("x", 1, inputs=frozenset(each)) for each in ({"text", "image"}, {"text"}))
    assert capabilities_of(series, seeing) == {"vision", "tools", "completion"}
    assert capabilities_of(series, blind) == {"tools", "completion"}
    assert capabilities_of(Series("e", (), capabilities=frozenset({"embedding"})), blind) == {"embedding"}


def test_what_is_made_for_apple_has_a_twin_for_any_machine() -> None:
    theirs = tag("8b-instruct-nvfp4", 5_000_000_000, is_apple_only=True, parameter_size="8B")
    plain = tag("8b", 4_900_000_000, parameter_size="8B")
    others = (
        tag("8b-cloud", 0, is_cloud=True, parameter_size="8B"),
        tag("70b", 1, parameter_size="70B"),
        tag("8b-text", 1, is_base=True, parameter_size="8B"),
    )
    assert plain_twin(Series("m", (theirs, *others, plain)), theirs) == plain
    assert plain_twin(Series("m", (theirs, *others)), theirs) is None
