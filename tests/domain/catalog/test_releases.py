"""Which models are far younger than a server, by the months in which its versions came out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.catalog.releases import LONG_AFTER, is_long_after


@pytest.mark.parametrize(
    ("released", "version", "is_long"),
    [
        ("2024-12", (0, 1, 20), True),  # falcon3: 0.1.26 followed in February 2024
        ("2024-08", (0, 1, 20), False),
        ("2024-09", (0, 1, 20), True),
        ("2026-06", (0, 12, 3), True),
        ("2026-06", (0, 13, 5), False),
        ("2025-09", (0, 5, 13), False),
        ("2025-10", (0, 5, 13), True),
        ("2030-01", (0, 33, 0), False),  # newer than the table: nothing is certain
        ("2026-08-14", (0, 1, 0), True),
        ("2024", (0, 1, 0), False),
        (None, (0, 1, 0), False),
        ("2026-06", None, False),
    ],
)
def test_long_after(released: str | None, version: tuple[int, int, int] | None, is_long: bool) -> None:
    assert is_long_after(released, version) is is_long


versions = st.tuples(st.just(0), st.integers(0, 40), st.integers(0, 50))
months = st.builds("{:04}-{:02}".format, st.integers(2020, 2035), st.integers(1, 12))


@given(months, versions, versions)
def test_a_newer_server_never_makes_a_model_younger(
    month: str, one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    old, new = sorted((one, other))
    assert is_long_after(month, old) or not is_long_after(month, new)


def test_months_rise_with_versions() -> None:
    """The table itself: the first month that is long after a version never falls."""
    found = []
    for minor in range(1, 31):
        long = [f"{y}-{m:02}" for y in range(2023, 2028) for m in range(1, 13)]
        found.append(next((month for month in long if is_long_after(month, (0, minor, 0))), "9999"))
    assert found == sorted(found) and LONG_AFTER == 6
