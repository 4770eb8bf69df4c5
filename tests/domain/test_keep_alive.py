from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.server import Keep, KeepAlive, parse_keep_alive
from modeltui.errors import UsageError
from modeltui.text import is_clean_line

READ: dict[str, KeepAlive] = {
    **dict.fromkeys(["30m", "1800s", " 30M "], timedelta(minutes=30)),
    **dict.fromkeys(["1h30m", "90m"], timedelta(minutes=90)),
    "1d2h3m4s": timedelta(days=1, hours=2, minutes=3, seconds=4),
    **dict.fromkeys(["0", "0s", "0m"], timedelta(0)),
    **dict.fromkeys(["forever", "Always", "-1"], Keep.FOREVER),
    "default": Keep.SERVER_DEFAULT,
}
REFUSED = [
    *["", " ", "30", "-5m", "m", "1.5h", "30m1h", "5 m", "10ms", "1w", "never", "1e3s", "9999999m", "+5m"],
    *["\x1b[31m", "5m\u202e", "0x10s", "x" * 5000],
]


def test_read() -> None:
    assert {typed: parse_keep_alive(typed) for typed in READ} == READ


@pytest.mark.parametrize("typed", REFUSED)
def test_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="cannot read the keep-alive") as caught:
        parse_keep_alive(typed)
    assert is_clean_line(caught.value.message)
    assert "30m" in (caught.value.remedy or "")


@given(st.text(st.sampled_from("0123456789dhms -.")) | st.text(st.characters()))
def test_any_text_is_read_or_refused(typed: str) -> None:
    try:
        meant = parse_keep_alive(typed)
    except UsageError as error:
        assert is_clean_line(error.message)
    else:
        assert isinstance(meant, Keep) or meant >= timedelta(0)
