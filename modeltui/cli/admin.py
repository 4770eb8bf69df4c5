"""`activity`, `config` and `doctor`: what was done, what is set, and whether all is well."""

import os
import sys
import textwrap
from argparse import Namespace

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.session import session
from modeltui.cli.table import Column
from modeltui.config.template import TEMPLATE
from modeltui.domain import units
from modeltui.errors import ModeltuiError, Refusal, UsageError
from modeltui.paths import user_paths, write_private
from modeltui.services.doctor import Check, Grade, examine

ACTIVITY = [
    Column("WHEN", 0),
    Column("ACTION", 0),
    Column("OBJECT", 0, is_name=True),
    Column("RESULT", 0, least=10),
    Column("SERVER", 2),
    Column("USER", 3),
    Column("FROM", 4),
]
SETTINGS = [Column("SETTING", 0, least=16), Column("VALUE", 0, least=10), Column("SOURCE", 0, least=10)]


async def activity(arguments: Namespace, out: Output) -> int:
    """The newest actions first."""
    if arguments.limit < 1:
        raise UsageError("--limit must be 1 or more")
    async with session(arguments, out) as services:
        if services.store.trouble is not None:
            services.notices.clear()  # the error says the same
            raise services.store.trouble
        server_id = services.links.id_of(services.config.active) if arguments.here else None
        rows = services.store.journal.latest(arguments.limit, server_id)
        if out.json:
            out.answer([shapes.activity(row) for row in rows])
        elif rows:
            now = services.clock()
            out.table(
                ACTIVITY,
                [
                    [
                        f"{units.span(now - row.at)} ago",
                        row.action,
                        row.object,
                        row.error or row.result,
                        row.server or "",
                        row.user,
                        row.origin,
                    ]
                    for row in rows
                ],
            )
        else:
            out.say("nothing has been done yet")
    return 0


async def config(arguments: Namespace, out: Output) -> int:
    """Show every setting with its source, write the commented template, or say where the file lies."""
    path = user_paths(os.environ).config_file
    if arguments.action == "path":
        out.answer({"path": str(path)}) if out.json else out.text(str(path))
        return 0
    if arguments.action == "init":
        if path.exists():
            raise Refusal(f"{path} exists and is never rewritten", remedy="edit it by hand")
        try:
            write_private(path, TEMPLATE)
        except OSError as error:
            raise ModeltuiError(f"{path} cannot be written: {error.strerror}") from None
        out.answer({"path": str(path)}) if out.json else out.text(f"written: {path}")
        return 0
    async with session(arguments, out) as services:
        settings = services.config.settings
        if out.json:
            out.answer([{"key": s.key, "value": _plain(s.value), "source": s.source} for s in settings])
        else:
            rows = [[s.key, _words(s.value), s.source] for s in settings]
            out.table(SETTINGS, rows)
    return 0


def _plain(value: object) -> object:
    """A setting as JSON."""
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, (bool, int, str, dict, type(None))) else str(value)


def _words(value: object) -> str:
    if value is None or value == {}:
        return units.UNKNOWN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(value)
    return " ".join(value) if isinstance(value, tuple) else str(value)


async def doctor(arguments: Namespace, out: Output) -> int:
    """Look at everything; exit code 1 when something is broken, 3 when something should be looked at."""
    async with session(arguments, out) as services:
        checks = [*await examine(services, measures_ram=arguments.measure_ram), *_terminal(out)]
        services.notices.clear()  # the checks have said it
    if out.json:
        out.answer(
            [{"check": c.subject, "result": c.grade, "message": c.words, "remedy": c.remedy} for c in checks]
        )
    else:
        marks = {Grade.OK: "ok", Grade.WARNING: "!", Grade.ERROR: "✗" if not out.ascii else "x"}
        for check in checks:
            style = {Grade.OK: "good", Grade.WARNING: "attention", Grade.ERROR: "broken"}[check.grade]
            first, *more = _flowed(check.words, out.width)
            out.text(f"{out.style(f'{marks[check.grade]:2}', style)}  {check.subject:13}  {first}")
            if check.remedy:
                more += _flowed(f"try: {check.remedy}", out.width)
            for line in more:
                out.text(f"{'':{_INDENT}}{line}")
    grades = {check.grade for check in checks}
    return 1 if Grade.ERROR in grades else 3 if Grade.WARNING in grades else 0


_INDENT = 19  # where the words of a check begin


def _flowed(words: str, width: int | None) -> list[str]:
    """The words of a check on a terminal of that width, broken at spaces: a path or a command stays whole."""
    if width is None:
        return [words]
    room = max(20, width - _INDENT)
    return textwrap.wrap(words, room, break_long_words=False, break_on_hyphens=False) or [""]


def _terminal(out: Output) -> list[Check]:
    """The terminal that we write to."""
    term = os.environ.get("TERM", "")
    words = f"TERM={term or 'unset'}, {sys.stdout.encoding}, {out.talk_width} columns"
    if os.environ.get("NO_COLOR"):
        words += ", NO_COLOR"
    if out.is_terminal and term in ("", "dumb"):
        remedy = "commands work; progress is told in lines"
        return [Check("terminal", Grade.WARNING, words, remedy)]
    if out.ascii:
        return [Check("terminal", Grade.WARNING, f"{words}: shown in ASCII", "export LC_ALL=C.UTF-8")]
    return [Check("terminal", Grade.OK, words)]
