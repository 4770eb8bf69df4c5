"""Reads the user's own catalogs, `catalog.d/*.toml`: what is said there overrides and extends the library.

    [series.llama3-local]                        # a name of the library, or one of your own:
    [series."me/notes"]                          # a namespace,
    [series."registry.lan:5000/team/helper"]     # a private registry,
    [series."hf.co/bartowski/Qwen2.5-7B-Instruct-GGUF"]

    type = "code"              # general, code, reasoning, vision, embedding, other
    purpose = "quality"        # speed, balanced, quality, specialized
    note = "what we use for reviews"

    [series."hf.co/bartowski/Qwen2.5-7B-Instruct-GGUF".tags.Q4_K_M]
    size = "4.7GB"             # or bytes
    parameters = "7.6B"
    context = "32k"

Files are read in the order of their names; a later one wins. What is wrong is one sentence with file and key,
and the rest counts. The keys are those of `SERIES_KEYS` and `TAG_KEYS`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modeltui.catalog.ownkeys import SERIES_KEYS, TAG_KEYS, Key
from modeltui.domain.catalog.series import Catalog, Series, catalog_of
from modeltui.domain.catalog.tags import tag_of_listing
from modeltui.domain.names import ModelName, parse
from modeltui.errors import InvalidName
from modeltui.text import clean_line

_MOST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """What one file says of one series: fields of `Series` by name, and of its tags by theirs."""

    file: str
    series: str
    fields: Mapping[str, Any]
    tags: Mapping[str, Mapping[str, Any]]


def read(directory: Path) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What the files of a directory say, in order, and what is wrong with them; never raises for a file."""
    changes: list[Change] = []
    problems: list[str] = []
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        return (), ()
    except OSError as error:
        return (), (f"{directory} cannot be read: {error.strerror}; it does not count",)
    for path in files:
        content = _content(path, problems)
        if content is not None:
            changes += _Reader(clean_line(str(path)), problems).read(content)
    return tuple(changes), tuple(problems)


def applied(catalog: Catalog, changes: Iterable[Change]) -> Catalog:
    """The catalog with the changes, one after the other; series that it does not have come last."""
    series = dict(catalog.series)
    for change in changes:
        key = change.series.casefold()
        known = series.get(key)
        series[key] = _changed(known, change) if known else _made(change)
    return catalog_of(series.values(), catalog.as_of, catalog.retired, catalog.problems)


def _changed(series: Series, change: Change) -> Series:
    fields = dict(change.fields)
    if "notes" in fields:
        fields["notes"] = (*fields["notes"], *series.notes)
    tags = {tag.tag: tag for tag in series.tags}
    for name, given in change.tags.items():
        known = series.tag(name)
        made = known or tag_of_listing(
            series.name, name, capabilities=series.capabilities, siblings=series.tags
        )
        tags[made.tag] = made._replace(**given)
    return replace(
        series,
        **{"source": f"{series.source}, changed by {change.file}", **fields, "tags": tuple(tags.values())},
    )


def _made(change: Change) -> Series:
    """A series of the user's own; what it says of tags is not all that a registry may hold."""
    capabilities = change.fields.get("capabilities", frozenset())
    tags = tuple(
        tag_of_listing(change.series, name, capabilities=capabilities)._replace(**given)
        for name, given in change.tags.items()
    )
    return Series(name=change.series, tags=tags, source=change.file, **change.fields)


def _content(path: Path, problems: list[str]) -> Mapping[str, Any] | None:
    """The tables of one file; None, and a problem, when it is no TOML or cannot be read."""
    shown = clean_line(str(path))
    try:
        if not path.is_file():  # a pipe would never end
            problems.append(f"{shown} is no file; it does not count")
            return None
        if path.stat().st_size > _MOST_BYTES:
            problems.append(f"{shown} is larger than {_MOST_BYTES:,} bytes; it does not count")
            return None
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        problems.append(f"{shown} cannot be read: {error.strerror}; it does not count")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why = clean_line(str(error), 200)
        problems.append(f"{shown} is no TOML: {why}; correct that line: until then it does not count")
    return None


class _Reader:
    """Checks one file against the keys, and notes what is wrong with file and key on the way."""

    def __init__(self, file: str, problems: list[str]) -> None:
        self.file = file
        self.problems = problems

    def read(self, content: Mapping[str, Any]) -> list[Change]:
        for key in content:
            if key != "series":
                self._wrong(clean_line(key, 80), 'is no key here; allowed: tables [series."NAME"]')
        tables = content.get("series", {})
        if not isinstance(tables, dict):
            self._wrong("series", 'must be tables: write [series."NAME"]')
            return []
        changes = [self._series(name, table) for name, table in tables.items()]
        return [change for change in changes if change is not None]

    def _series(self, written: str, table: object) -> Change | None:
        where = f"series.{_quoted(written)}"
        name = _name(written)
        if name is None:
            self._wrong(where, "is no name of a model without its tag, such as llama3.1 or hf.co/user/repo")
            return None
        if not isinstance(table, dict):
            self._wrong(where, f"must be a table: write [{where}]")
            return None
        tags: dict[str, Mapping[str, Any]] = {}
        given = table.get("tags", {})
        if not isinstance(given, dict):
            self._wrong(f"{where}.tags", f'must be tables: write [{where}.tags."TAG"]')
            given = {}
        for tag, facts in given.items():
            place = f"{where}.tags.{_quoted(tag)}"
            if _name(f"{name.series}:{tag}", has_tag=True) is None:
                self._wrong(place, "is no tag: letters, digits, “_”, “-” and “.”, at most 80")
            elif not isinstance(facts, dict):
                self._wrong(place, f"must be a table: write [{place}]")
            else:
                tags[tag] = self._fields(place, facts, TAG_KEYS)
        rest = {key: value for key, value in table.items() if key != "tags"}
        fields = self._fields(where, rest, SERIES_KEYS)
        return Change(self.file, name.series, fields, tags)

    def _fields(self, where: str, table: Mapping[str, Any], keys: Mapping[str, Key]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for written, value in table.items():
            key = keys.get(written)
            if key is None:
                self._wrong(f"{where}.{_quoted(written)}", f"is no key; allowed: {', '.join(sorted(keys))}")
                continue
            try:
                fields |= key.check(value)
            except (ValueError, TypeError, OverflowError):
                self._wrong(f"{where}.{written}", f"must be {key.allowed}")
        return fields

    def _wrong(self, key: str, what: str) -> None:
        self.problems.append(f"{self.file}: {key} {what}; it does not count")


def _name(written: str, *, has_tag: bool = False) -> ModelName | None:
    """A name of a series, or with its tag; None where Ollama's grammar refuses it."""
    try:
        name = parse(written)
    except InvalidName:
        return None
    return name if has_tag or ":" not in written.rpartition("/")[2] else None


def _quoted(written: str) -> str:
    """A key as TOML writes it."""
    shown = clean_line(written, 120)
    is_bare = shown.replace("-", "").replace("_", "").isalnum() and shown.isascii()
    return shown if is_bare else f'"{shown}"'
