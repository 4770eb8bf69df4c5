import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain import units

# Words, and the numbers they stand for.
SIZES = (
    "— | 0 B | 512 B | 999 B | 1 kB | 1.5 kB | 274 MB | 999 MB | 1 GB | 4.66 GB | 9.99 GB | 10.0 GB | 25.8 GB"
)
BYTES = [
    *(None, -5, 512, 999, 1000, 1500, 274_000_000, 999_400_000, 999_500_000, 4_661_211_808, 9_994_000_000),
    *(9_996_000_000, 24 * 2**30),
]
DURATIONS = (
    "— | 0 ms | 380 ms | 999 ms | 6.2 s | 59 s | 1 min | 1 min 52 s | 1 h | 3 h 10 min | 1 d | 2 d 4 h"
)
LENGTHS = [
    None,
    -1,
    380,
    999.4,
    6240,
    59_999,
    60_000,
    112_000,
    3_600_000,
    11_400_000,
    86_400_000,
    187_200_000,
]
SPANS = ["—", "0 s", "0 s", "0 s", "6 s", "59 s", "1 min", "1 min", "1 h", "3 h", "1 d", "2 d"]
TIMES = {
    "1970-01-01T00:00:00.000Z": 0,
    "2026-11-21T04:08:00.458Z": 1_795_234_080_458,
    "9999-12-31T23:59:59.000Z": 253_402_300_799_000,
}


def test_words() -> None:
    assert [units.size(count) for count in BYTES] == SIZES.split(" | ")
    rough = [units.rough_speed(speed) for speed in (0.4, 7, 999, 6_140_000, 72_321_428.5, 117e6, 1.26e9)]
    assert rough == ["0 B/s", "7 B/s", "1 kB/s", "6.1 MB/s", "72 MB/s", "120 MB/s", "1.3 GB/s"]
    assert units.size(1_200_000_000_000) == "1.2 TB"
    assert [units.duration(ms) for ms in LENGTHS] == DURATIONS.split(" | ")
    assert [units.span(ms) for ms in LENGTHS] == SPANS
    assert [units.iso(at) for at in TIMES.values()] == list(TIMES)
    assert [units.iso(at) for at in (None, -1, 253_402_300_800_000)] == [None] * 3
    assert [units.speed(None), units.speed(61_200_000.0)] == ["—", "61.2 MB/s"]
    contexts = [units.context(tokens) for tokens in (None, 0, 2000, 2048, 40_960, 131_072, 1025)]
    assert contexts == ["—", "0", "2000", "2k", "40k", "128k", "1025"]
    assert [units.counted(number, "pull") for number in (0, 1, 2)] == ["0 pulls", "1 pull", "2 pulls"]
    assert [units.percent(share) for share in (None, 0, 0.574, 1)] == ["—", "0 %", "57 %", "100 %"]


def test_for_ever_is_more_than_a_hundred_years() -> None:
    assert units.is_forever(11_017_994_018_313, 1_795_234_080_458)  # what 0.24.0 answered to keep_alive -1
    assert not units.is_forever(units.FOREVER_MS, 0)
    assert not units.is_forever(-1, 0)


@given(st.integers(1, 10**18))
def test_a_size_is_right_to_three_digits(count: int) -> None:
    number, unit = units.size(count).split()
    factor = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert abs(float(number) * factor - count) <= 0.0051 * count
    assert len(number.replace(".", "")) <= 4 or unit == "TB"


@given(st.integers(-(10**20), 10**20))
def test_no_whole_number_is_too_much(number: int) -> None:
    for told in (units.size, units.duration, units.span, units.context, units.speed):
        assert told(number)
    assert units.iso(number) is None or number >= 0


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [("16k", 16_384), ("16 K", 16_384), ("4096", 4096), (" 1m ", 1024**2), ("1", 1), ("1048576k", 1024**3)],
)
def test_a_context_as_typed(typed: str, tokens: int) -> None:
    assert units.parse_context(typed) == tokens


@pytest.mark.parametrize(
    "typed", ["", "0", "0k", "-1", "16kb", "1.5k", "long", "٣k", "1048577k", "9" * 30, "nan"]
)
def test_what_is_no_context(typed: str) -> None:
    with pytest.raises(ValueError, match="no context"):
        units.parse_context(typed)


def test_a_context_that_is_shown_can_be_typed() -> None:
    for tokens in (1, 2000, 4096, 40_960, 131_072, 1024**2):
        assert units.parse_context(units.context(tokens)) == tokens


def test_rates_have_two_digits() -> None:
    rates = [None, 0.0, 0.04, 3.14, 9.94, 9.96, 38.4, 99.4, 99.6, 129.7, 245.0, 1234.0]
    words = ["—", "0.0", "0.0", "3.1", "9.9", "10", "38", "99", "100", "130", "240", "1200"]
    assert [units.rate(each) for each in rates] == words


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [
        (19_600_000_000, 24 * 2**30, "19.6/25.8 GB"),
        (0, 24 * 2**30, "0.0/25.8 GB"),
        (900_000_000, 8 * 2**30, "0.90/8.59 GB"),
        (3, 512, "3/512 B"),
    ],
)
def test_a_part_is_in_the_unit_and_the_digits_of_the_whole(count: int, total: int, words: str) -> None:
    assert units.part(count, total) == words
