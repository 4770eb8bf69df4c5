import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from modeltui.text import LINE_LIMIT, MARK, clean_line, clean_text, is_clean_line

# Format characters that are drawn (number signs around digits) may be treated either way.
_DRAWN = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
_BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
HARMFUL = (
    "\x1b\x9b\x07\b\x7f\x00\x85\u202e\u2066\u2069\u200b\ufeff\u2028\u00ad\u3164\ue0a0\U000e0041\ud800\udfff"
)


def test_examples() -> None:
    assert {clean_line(f"a{character}b") for character in HARMFUL} == {"a·b"}
    assert clean_line("模型 ünïcode ελ मॉडल qwen3:8b") == "模型 ünïcode ελ मॉडल qwen3:8b"
    assert clean_line("a\nb\tc\rd\r\ne") == "a b c d e"
    assert clean_line("\x1b]52;c;cm0gLXJm\x1b\\\x1b[31m") == "·]52;c;cm0gLXJm·\\·[31m"
    assert clean_text("one\r\ntwo\rthree\n\tfour\x1b[2J") == "one\ntwo\nthree\n\tfour·[2J"
    assert clean_text("abcdef", 3) == "abc\n…"


def test_no_character_of_unicode_steers_or_hides() -> None:
    survivors = []
    for code in range(0x110000):
        character = chr(code)
        category = unicodedata.category(character)
        unsafe = category in ("Cc", "Cs", "Co", "Zl", "Zp") or unicodedata.bidirectional(character) in _BIDI
        unsafe = unsafe or (category == "Cf" and code not in _DRAWN)
        if unsafe and clean_line(character) not in (MARK, " "):
            survivors.append(hex(code))
    assert survivors == []


def test_a_long_line_ends_in_an_ellipsis_and_is_not_read_to_its_end() -> None:
    assert clean_line("x" * LINE_LIMIT) == "x" * LINE_LIMIT
    cut = clean_line("x" * (LINE_LIMIT + 1))
    assert (len(cut), cut[-2:]) == (LINE_LIMIT, "x…")
    assert len(clean_line("\x1b" * 100_000_000)) == LINE_LIMIT


def test_what_cleaning_changes_is_not_clean() -> None:
    assert is_clean_line("llama3.2:latest")
    assert not any(map(is_clean_line, ("llama3.2\u200b:latest", "a\nb", "x" * (LINE_LIMIT + 1))))


@given(st.text(st.characters()))
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    line, text = clean_line(raw), clean_text(raw)
    assert is_clean_line(line)
    assert clean_text(text) == text
    assert not set("\x1b\x9b\r\x07\x00") & set(line + text)
    (line + text).encode()
