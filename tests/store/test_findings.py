"""Findings, quarantine and origins in a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modeltui.domain.findings import Finding, Kind
from modeltui.domain.names import parse
from modeltui.domain.scan import Origin
from modeltui.store.database import Database
from modeltui.store.store import Store

BAD = Finding(Kind.HEADER, "its header is broken", True)
NOTE = Finding(Kind.ADAPTER, "an adapter")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "modeltui.db")
    store.facts.server_id("http://a:1", "a")
    yield store
    store.close()


def test_findings_replace_the_last_ones(store: Store) -> None:
    store.findings.set_of(1, "d", [NOTE, BAD], 5)
    assert store.findings.of(1, "d") == (BAD, NOTE)
    store.findings.set_of(1, "d", [NOTE], 6)
    assert store.findings.of(1, "d") == (NOTE,)
    assert store.findings.of(1, "other") == store.findings.of(2, "d") == ()


def test_what_is_serious_is_held_until_it_is_gone_or_released(store: Store) -> None:
    store.findings.set_of(1, "d", [NOTE], 5)
    assert store.findings.held(1, "d") is None
    store.findings.set_of(1, "d", [BAD, NOTE], 6)
    assert store.findings.held(1, "d") == BAD.words
    assert store.facts.held(1) == store.facts.known(1).held == {"d": BAD.words}
    store.findings.set_of(1, "d", [], 7)
    assert store.facts.held(1) == {}
    store.findings.set_of(1, "d", [BAD], 8)
    store.findings.release(1, "d", 9)
    assert store.findings.held(1, "d") is None
    store.findings.set_of(1, "d", [BAD], 10)
    assert store.findings.held(1, "d") is None, "a person has decided"
    store.findings.set_of(1, "d", [], 11)
    store.findings.set_of(1, "d", [BAD], 12)
    assert store.findings.held(1, "d") is None


def test_origins(store: Store) -> None:
    name = parse("chat")
    assert store.findings.origin(1, name) is None
    store.findings.set_origin(1, name, "d", Origin("Qwen", None, "x"), 5)
    assert store.findings.origin(1, parse("CHAT:latest")) == ("d", Origin("Qwen", None, "x"))
    store.findings.set_origin(1, name, "e", Origin(None, "MIT", None), 6)
    assert store.findings.origin(1, name) == ("e", Origin(None, "MIT", None))


def test_a_kind_of_another_version_is_left_out(store: Store, tmp_path: Path) -> None:
    store.findings.set_of(1, "d", [BAD], 5)
    database = Database.open(tmp_path / "modeltui.db")
    with database.writing() as connection:
        connection.execute("UPDATE findings SET kind = 'smell'")
    database.close()
    assert store.findings.of(1, "d") == ()
