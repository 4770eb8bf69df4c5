"""Decides once, before Textual starts, what this terminal can do: screens at all, glyphs, colours."""

from collections.abc import Mapping, MutableMapping
from typing import Literal

Glyphs = Literal["unicode", "ascii"]
Colour = Literal["none", "ansi", "full"]

_COMMANDS = "use commands such as modeltui ls, modeltui ps, modeltui pull NAME (modeltui --help lists them)"
# What Python puts into LC_CTYPE itself where the locale is C (PEP 538): beside LANG=C nobody said it.
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
_C_LOCALES = frozenset({"C", "POSIX"})


def refusal(
    environ: Mapping[str, str], stdin_is_tty: bool, stdout_is_tty: bool, stderr_is_tty: bool = True
) -> str | None:
    """Why no screens can be shown here and what to do instead, or None. Textual paints on stderr."""
    streams = {"input": stdin_is_tty, "output": stdout_is_tty, "error output": stderr_is_tty}
    for stream, is_tty in streams.items():
        if not is_tty:
            return f"the screens need a terminal, and the standard {stream} is none: {_COMMANDS}"
    term = environ.get("TERM", "")
    if term in ("", "dumb"):
        which = f"TERM={term}" if term else "TERM is not set"
        return f"this terminal ({which}) cannot show screens: {_COMMANDS}"
    return None


def glyph_set(setting: str, environ: Mapping[str, str], encoding: str | None) -> Glyphs:
    """The glyphs of the configuration (`unicode`, `ascii`); for `auto`, those that the terminal surely has.

    `encoding` is the one of the output stream. It alone tells nothing: Python takes UTF-8 under LANG=C.
    """
    if setting != "auto":
        return "ascii" if setting == "ascii" else "unicode"
    fits = _is_utf8(encoding or "") and not _has_few_glyphs(_term(environ)) and _locale_is_utf8(environ)
    return "unicode" if fits else "ascii"


def colour(environ: Mapping[str, str]) -> Colour:
    """`none` by NO_COLOR, `ansi` for the terminal's own 16 colours, `full` for 256 and more.

    The same answer as rich.console.Console gives from COLORTERM and TERM, and as TEXTUAL_COLOR_SYSTEM, which
    Textual obeys; but a console has 16 colours whatever COLORTERM says.
    """
    if environ.get("NO_COLOR"):
        return "none"
    wanted = environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    if wanted != "auto":
        return "full" if wanted in ("256", "truecolor") else "ansi"
    term = _term(environ)
    if _has_few_glyphs(term):
        return "ansi"
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "full"
    return "full" if term.rpartition("-")[2] in ("256color", "kitty") else "ansi"


def drop_fixed_size(environ: MutableMapping[str, str]) -> None:
    """Take away what Textual would misread, given that it paints on a terminal.

    Exported COLUMNS and LINES would be its size for ever, and an empty NO_COLOR, which by
    https://no-color.org is not set, would take the colours away.
    """
    for variable in ("COLUMNS", "LINES"):
        environ.pop(variable, None)
    if environ.get("NO_COLOR") == "":
        del environ["NO_COLOR"]


def _term(environ: Mapping[str, str]) -> str:
    return environ.get("TERM", "").strip().lower()


def _has_few_glyphs(term: str) -> bool:
    """A console of the kernel, or a terminal of the VT line."""
    return term == "linux" or term.startswith(("linux-", "vt"))


def _is_utf8(charset: str) -> bool:
    return charset.replace("-", "").replace("_", "").casefold() in ("utf8", "cp65001")


def _locale_is_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale allows UTF-8: none is set (containers), it names no charset, or this one."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG", "")
    if not environ.get("LC_ALL") and locale in _COERCED and environ.get("LANG") in _C_LOCALES:
        return False
    if locale in _C_LOCALES:
        return False
    charset = locale.partition(".")[2].partition("@")[0]
    return not charset or _is_utf8(charset)
