"""The published scores: as published, and only read when asked for."""

import subprocess
import sys

import build_catalog
from catalogs import shipped
from hypothesis import given
from hypothesis import strategies as st

from modeltui.catalog import quality
from modeltui.domain.catalog.series import QualityRow

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
ROWS = st.builds(QualityRow, *[TEXTS] * 4, st.floats(allow_nan=False, allow_infinity=False), *[TEXTS] * 6)


def test_all_of_them_as_published() -> None:
    rows = quality.quality_rows()
    assert rows == build_catalog.quality_rows()
    assert len(rows) == 1514
    assert {row.kind for row in rows} == {"independent", "maker"}
    assert all(type(row.value) is float for row in rows)


def test_every_series_and_size_is_in_the_catalog() -> None:
    for row in quality.quality_rows():
        series = shipped().series[row.series]
        sizes = {(tag.parameter_size or "").casefold() for tag in series.tags}
        assert row.size == "" or row.size.casefold() in sizes, row


def test_those_of_one_series() -> None:
    rows = quality.quality_rows("Qwen3")
    assert rows
    assert rows == tuple(row for row in quality.quality_rows() if row.series == "qwen3")
    assert quality.quality_rows("no such") == ()


@given(st.lists(ROWS, max_size=5))
def test_any_rows_come_back(rows: list[QualityRow]) -> None:
    assert quality.decode(quality.encode(tuple(rows))) == tuple(rows)


READ_AND_LIST = """
import sys
from modeltui.catalog import loading
loading.load_base()
print("modeltui.catalog.quality" in sys.modules)
"""


def test_the_catalog_does_not_read_them() -> None:
    command = [sys.executable, "-c", READ_AND_LIST]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
