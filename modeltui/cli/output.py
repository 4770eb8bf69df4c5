"""Writes answers to stdout and talk to stderr: text or JSON, coloured only on a terminal."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from modeltui.cli.table import Column, render
from modeltui.errors import ModeltuiError

STYLES = {"dim": "2", "good": "32", "attention": "33", "broken": "31", "strong": "1"}


class Output:
    """Where one command writes. `json` is what was asked for; `width` is None where nothing is cut."""

    def __init__(
        self,
        *,
        as_json: bool,
        environ: Mapping[str, str],
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self.json = as_json
        self.is_terminal = self._stdout.isatty()
        self.talks_to_terminal = self._stderr.isatty() and environ.get("TERM", "") not in ("", "dumb")
        self.colour = (
            self.is_terminal and not environ.get("NO_COLOR") and environ.get("TERM", "") not in ("", "dumb")
        )
        self.ascii = not _is_utf8(self._stdout) or not _is_utf8(self._stderr)
        self.width = _width(self._stdout, environ) if self.is_terminal else None
        self._environ = environ

    @property
    def talk_width(self) -> int:
        """Columns of the terminal that talk goes to, as it is now."""
        return _width(self._stderr, self._environ) or 80

    @property
    def talk_height(self) -> int:
        """Rows of the terminal that talk goes to, as it is now."""
        try:
            return os.get_terminal_size(self._stderr.fileno()).lines or 24
        except (OSError, ValueError):
            return 24

    def choose_glyphs(self, choice: str) -> None:
        """Follow the configuration: `ascii`, `unicode`, or `auto`, which goes by the streams' encoding."""
        if choice != "auto":
            self.ascii = choice == "ascii"

    def answer(self, value: Any) -> None:
        """A JSON value: one line for a pipe's sake, indented where a person reads."""
        indent = 2 if self.is_terminal else None
        self._answer(json.dumps(value, ensure_ascii=self.ascii, indent=indent, allow_nan=False))

    def answer_line(self, value: Any) -> None:
        """One line of a JSON stream, at once."""
        self._answer(json.dumps(value, ensure_ascii=self.ascii, allow_nan=False))
        self.flush()

    def flush(self) -> None:
        with self._answering():
            self._stdout.flush()

    def text(self, text: str) -> None:
        """A line (or lines) of the answer."""
        self._answer(self._plain(text))

    def table(self, columns: list[Column], rows: list[list[str]]) -> None:
        for number, line in enumerate(render(columns, rows, self.width)):
            self.text(self.style(line, "dim") if number == 0 else line)

    def say(self, text: str) -> None:
        """Talk: what happens beside the answer."""
        self._talk(self._plain(text) + "\n")

    def raw_talk(self, text: str) -> None:
        """Talk without a newline of its own (progress that repaints itself)."""
        self._talk(self._plain(text))

    def note(self, text: str) -> None:
        """Something a person should know, but nothing failed."""
        self.say(f"modeltui: {text}")

    def error(self, error: ModeltuiError) -> None:
        """What failed, where, and what to do."""
        if self.json:
            facts: dict[str, object] = {
                "code": error.code,
                "message": error.message,
                "url": error.url,
                "remedy": error.remedy,
            }
            if error.alternatives:
                facts["alternatives"] = list(error.alternatives)
            self._talk(json.dumps({"error": facts}, ensure_ascii=self.ascii) + "\n")
            return
        self.say(f"modeltui: {error.message}")
        if error.url:
            self.say(f"  at   {error.url}")
        if error.remedy:
            self.say(f"  try  {error.remedy}")

    def style(self, text: str, style: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.colour else text

    def _plain(self, text: str) -> str:
        if not self.ascii:
            return text
        known = text.replace(" · ", " - ").translate(_ASCII)
        return known.encode("ascii", "replace").decode("ascii")

    def _answer(self, text: str) -> None:
        with self._answering():
            self._stdout.write(text + "\n")

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Tell an answer that cannot be written (a full disk); a reader that has gone is not told."""
        try:
            yield
        except OSError as error:
            silence(self._stdout)
            if isinstance(error, BrokenPipeError):
                raise
            raise ModeltuiError(f"the answer cannot be written: {error.strerror}") from None

    def _talk(self, text: str) -> None:
        """Say it; that nobody can hear it any more (the terminal is gone) is no failure."""
        try:
            self._stderr.write(text)
            self._stderr.flush()
        except OSError:
            silence(self._stderr)


def silence(stream: TextIO) -> None:
    """Lead what is still to be written to nowhere, so that the end of the program does not fail on it."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


_ASCII = str.maketrans("●▲—…▇░“”·", '*^-~#.""?')


def _is_utf8(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "").replace("-", "").casefold() == "utf8"


def _width(stream: TextIO, environ: Mapping[str, str]) -> int | None:
    """The columns of a terminal: COLUMNS, else what the terminal says, else 80."""
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80 if stream.isatty() else None
