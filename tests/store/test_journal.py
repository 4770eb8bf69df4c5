"""Activity: every row readable and harmless, whatever went into it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from modeltui.store.journal import Entry, Journal, Origin
from modeltui.store.store import Store
from modeltui.text import clean_line

HERE, THERE = 1, 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "modeltui.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(path)
    assert store.trouble is None
    store.facts.server_id("http://127.0.0.1:11434", "local")
    store.facts.server_id("http://gpubox:11434", "gpubox")
    yield store
    store.close()


@pytest.fixture
def journal(store: Store) -> Journal:
    return store.journal


def add(
    journal: Journal,
    subject: str = "llama3.2:latest",
    *,
    at: int = 1,
    user: str = "ada",
    server: int | None = HERE,
    error: str | None = None,
) -> Entry:
    """The entry as it is read back."""
    journal.add(
        at=at,
        user=user,
        origin=Origin.COMMAND,
        server_id=server,
        action="pull",
        subject=subject,
        error=error,
    )
    return journal.latest(1)[0]


def test_what_was_done(journal: Journal) -> None:
    assert add(journal, at=1234) == Entry(
        at=1234,
        user="ada",
        origin=Origin.COMMAND,
        server="local",
        action="pull",
        object="llama3.2:latest",
        result="done",
        error=None,
    )


def test_what_failed(journal: Journal) -> None:
    entry = add(journal, error="no space left on device")
    assert (entry.result, entry.error) == ("failed", "no space left on device")


@pytest.mark.parametrize("origin", Origin)
def test_where_it_came_from(journal: Journal, origin: Origin) -> None:
    journal.add(at=1, user="ada", origin=origin, server_id=None, action="clear", subject="2 rows")
    assert [(entry.origin, entry.server) for entry in journal.latest(1)] == [(origin, None)]


def test_the_newest_come_first(journal: Journal) -> None:
    for number in range(5):
        add(
            journal, f"m:{number}", at=100 - number
        )  # a clock may go back: what counts is the order of writing
    assert [entry.object for entry in journal.latest(3)] == ["m:4", "m:3", "m:2"]
    assert len(journal.latest(99)) == 5


def test_of_one_server(journal: Journal) -> None:
    add(journal, "here")
    add(journal, "there", server=THERE)
    add(journal, "nowhere", server=None)
    assert [entry.object for entry in journal.latest(9, THERE)] == ["there"]
    assert [entry.object for entry in journal.latest(9, HERE)] == ["here"]
    assert [entry.object for entry in journal.latest(9)] == ["nowhere", "there", "here"]


def test_a_server_is_shown_by_its_label_of_today(store: Store) -> None:
    add(store.journal, server=THERE)
    store.facts.server_id("http://gpubox:11434", "cellar")
    assert [entry.server for entry in store.journal.latest(1)] == ["cellar"]


@pytest.mark.parametrize(
    ("foreign", "kept"),
    [
        ("an \x1b[2Jescape", "an ·[2Jescape"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("C1 \x9b31m", "C1 ·31m"),
        ("turned \u202eround", "turned ·round"),
        ("no\u200bthing", "no·thing"),
        ("half \ud83d a pair", "half · a pair"),
        ("nul\0", "nul·"),
    ],
)
def test_nothing_in_a_row_steers_a_terminal(journal: Journal, foreign: str, kept: str) -> None:
    entry = add(journal, foreign, user=foreign, error=foreign)
    assert (entry.object, entry.user, entry.error) == (kept, kept, kept)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("https://bob:hunter2secret@gpubox/api failed", "https://***@gpubox/api failed"),
        ("GET http://gpubox/?api_key=hunter2secret&x=1", "GET http://gpubox/?api_key=***&x=1"),
        ("Authorization: Bearer hunter2secret refused", "Authorization: Bearer *** refused"),
        ("Authorization: Bearer\nhunter2secret refused", "Authorization: Bearer *** refused"),
        ("x" * 500 + " https://bob:hunter2secret@gpubox", "x" * 500 + " https://***@gpubox"),
    ],
)
def test_no_secret_gets_into_the_file(path: Path, store: Store, words: str, kept: str) -> None:
    entry = add(store.journal, words, error=words)
    assert entry.object == entry.error == clean_line(kept)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert "hunter2secret" not in "\n".join(connection.iterdump())
    assert b"hunter2secret" not in path.read_bytes()


def test_long_words_are_cut(journal: Journal) -> None:
    entry = add(journal, "o" * 5000, user="u" * 5000, error="e" * 5000)
    assert entry.object == "o" * 511 + "…"
    assert entry.error == "e" * 511 + "…"
    assert entry.user == "u" * 63 + "…"
