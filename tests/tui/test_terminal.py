"""What a terminal can do, decided from the environment."""

import pytest

from modeltui.tui.terminal import colour, drop_fixed_size, glyph_set, refusal


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_without_screens_is_refused_with_what_to_use(term: str) -> None:
    words = refusal({"TERM": term}, True, True)
    assert words is not None and "modeltui ls" in words and "--help" in words and "\n" not in words


def test_the_refusal_names_the_terminal() -> None:
    assert "(TERM=dumb)" in (refusal({"TERM": "dumb"}, True, True) or "")
    assert "(TERM is not set)" in (refusal({}, True, True) or "")


@pytest.mark.parametrize(
    ("streams", "which"),
    [
        ((False, True, True), "standard input"),
        ((True, False, True), "standard output"),
        ((True, True, False), "standard error output"),
    ],
)
def test_a_pipe_is_refused(streams: tuple[bool, bool, bool], which: str) -> None:
    words = refusal({"TERM": "xterm"}, *streams)
    assert words is not None and which in words and "modeltui ls" in words


def test_any_other_terminal_is_taken() -> None:
    assert refusal({"TERM": "linux"}, True, True) is None
    assert refusal({"TERM": "xterm-256color"}, True, True, True) is None


@pytest.mark.parametrize("setting", ["unicode", "ascii"])
def test_the_configuration_decides_glyphs(setting: str) -> None:
    assert glyph_set(setting, {"TERM": "linux", "LANG": "C"}, "ascii") == setting
    assert glyph_set(setting, {"TERM": "xterm", "LANG": "C.UTF-8"}, "utf-8") == setting


@pytest.mark.parametrize(
    ("environ", "encoding", "glyphs"),
    [
        ({}, "utf-8", "unicode"),
        ({}, "UTF-8", "unicode"),
        ({}, "utf8", "unicode"),
        ({}, "ascii", "ascii"),
        ({}, "iso8859-1", "ascii"),
        ({}, None, "ascii"),
        ({"LANG": ""}, "utf-8", "unicode"),
        ({"LANG": "en_US.UTF-8"}, "utf-8", "unicode"),
        ({"LANG": "de_DE.utf8@euro"}, "utf-8", "unicode"),
        ({"LC_CTYPE": "UTF-8"}, "utf-8", "unicode"),  # macOS through ssh
        ({"LANG": "de_DE"}, "utf-8", "unicode"),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, "utf-8", "ascii"),
        ({"LANG": "ja_JP.eucJP"}, "utf-8", "ascii"),
        ({"LANG": "C"}, "utf-8", "ascii"),
        ({"LANG": "POSIX"}, "utf-8", "ascii"),
        ({"LC_ALL": "C"}, "utf-8", "ascii"),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "utf-8", "unicode"),
        ({"LC_ALL": "", "LC_CTYPE": "en_GB.UTF-8", "LANG": "C"}, "utf-8", "unicode"),
        ({"LC_ALL": "en_US.ISO-8859-1", "LC_CTYPE": "en_US.UTF-8", "LANG": "en_US.UTF-8"}, "utf-8", "ascii"),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "utf-8", "ascii"),  # LANG=C, and Python's own hand
        ({"LC_CTYPE": "C.UTF-8", "LANG": "en_US.UTF-8"}, "utf-8", "unicode"),
        ({"LC_CTYPE": "C.UTF-8"}, "utf-8", "unicode"),  # nothing was set, and Python's own hand
        ({"TERM": "linux", "LANG": "C.UTF-8"}, "utf-8", "ascii"),
        ({"TERM": "linux-16color"}, "utf-8", "ascii"),
        ({"TERM": "vt220"}, "utf-8", "ascii"),
        ({"TERM": "xterm-256color"}, "utf-8", "unicode"),
    ],
)
def test_glyphs_that_the_terminal_surely_has(
    environ: dict[str, str], encoding: str | None, glyphs: str
) -> None:
    assert glyph_set("auto", environ, encoding) == glyphs


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, "full"),
        ({"TERM": "xterm-kitty"}, "full"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "full"),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, "full"),
        ({"TERM": "xterm"}, "ansi"),
        ({"TERM": "xterm-16color"}, "ansi"),
        ({"TERM": "screen"}, "ansi"),
        ({"TERM": "vt100"}, "ansi"),
        ({"TERM": "linux"}, "ansi"),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "ansi"),
        ({"TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "standard"}, "ansi"),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "256"}, "full"),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "auto"}, "ansi"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "none"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "full"),
    ],
)
def test_colours(environ: dict[str, str], expected: str) -> None:
    assert colour(environ) == expected


@pytest.mark.parametrize("term", ["xterm-256color", "xterm-kitty", "xterm", "screen", "tmux-256color"])
@pytest.mark.parametrize("colorterm", ["", "truecolor"])
def test_colours_are_what_textual_makes_of_the_environment(term: str, colorterm: str) -> None:
    from rich.console import Console

    environ = {"TERM": term, "COLORTERM": colorterm}
    system = Console(force_terminal=True, _environ=environ).color_system
    assert colour(environ) == ("ansi" if system == "standard" else "full")


def test_a_fixed_size_and_an_empty_no_color_are_dropped() -> None:
    environ = {"COLUMNS": "80", "LINES": "24", "NO_COLOR": "", "TERM": "xterm"}
    drop_fixed_size(environ)
    assert environ == {"TERM": "xterm"}


def test_no_color_with_a_value_stays() -> None:
    environ = {"NO_COLOR": "1"}
    drop_fixed_size(environ)
    assert environ == {"NO_COLOR": "1"}
