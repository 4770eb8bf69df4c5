"""How transfers ended is kept until a person was told, whatever becomes of the queue."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.store.ends import KEPT_MS, End
from modeltui.store.store import Store

NOW = 1_700_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "modeltui.db")
    yield store
    store.close()


def ended(store: Store, name: str, state: State = State.INSTALLED, at: int = NOW, detail: str = "") -> int:
    """A transfer that came to its end; its number."""
    server = store.facts.server_id("http://127.0.0.1:11434", "local")
    row, _ = store.queue.enqueue(server, parse(name), at)
    store.queue.save(row.number, replace(row.transfer, state=state, detail=detail, ended=at, at=at))
    return row.number


def test_an_end_is_noted_once_and_survives_its_row(store: Store) -> None:
    number = ended(store, "a:1b", State.FAILED, detail="no such model")
    row = store.queue.get(number)
    assert row is not None
    store.queue.save(number, replace(row.transfer, detail="said once more"))
    store.queue.remove([number])
    (end,) = store.ends.untold()
    assert end == End(1, number, parse("a:1b"), State.FAILED, "a:1b: failed: no such model")
    assert store.ends.newer(0) == (end,)
    assert store.ends.newer(end.id) == ()
    assert store.ends.last_id() == end.id


def test_what_is_under_way_has_no_end(store: Store) -> None:
    server = store.facts.server_id("http://127.0.0.1:11434", "local")
    row, _ = store.queue.enqueue(server, parse("a:1b"), NOW)
    for state in (State.PULLING, State.RETRYING, State.BLOCKED, State.PAUSED):
        store.queue.save(row.number, replace(row.transfer, state=state, cause=Cause.NETWORK))
    assert store.ends.untold() == ()
    assert store.ends.last_id() == 0


def test_one_that_was_tried_again_ends_anew(store: Store) -> None:
    number = ended(store, "a:1b", State.FAILED)
    row = store.queue.get(number)
    assert row is not None
    store.ends.mark_told(store.ends.untold(), NOW)
    store.queue.save(number, replace(row.transfer, state=State.WAITING, ended=None))
    store.queue.save(number, replace(row.transfer, state=State.INSTALLED, ended=NOW + 1))
    assert [(end.number, end.state) for end in store.ends.untold()] == [(number, State.INSTALLED)]


def test_told_is_told_for_every_later_one_and_newer_for_who_was_there(tmp_path: Path, store: Store) -> None:
    first, second = ended(store, "a:1b"), ended(store, "b:1b")
    other = Store.open(tmp_path / "modeltui.db")
    last = other.ends.last_id()
    third = ended(store, "c:1b")
    store.ends.mark_told(store.ends.untold(), NOW)
    assert other.ends.untold() == ()
    assert [end.number for end in other.ends.newer(last)] == [third]
    assert [end.number for end in other.ends.newer(0)] == [first, second, third]
    other.close()


def test_a_command_that_told_its_own_leaves_the_others(store: Store) -> None:
    first, second = ended(store, "a:1b"), ended(store, "b:1b")
    store.ends.mark_told_of([first, 99])
    assert [end.number for end in store.ends.untold()] == [second]


def test_what_was_told_is_forgotten_after_a_day_and_nothing_else(store: Store) -> None:
    old, older = ended(store, "a:1b"), ended(store, "b:1b", at=NOW - 1)
    store.ends.mark_told_of([older])
    ended(store, "c:1b", at=NOW + KEPT_MS)
    store.ends.mark_told(store.ends.newer(2), NOW + KEPT_MS)
    assert [end.number for end in store.ends.newer(0)] == [old, 3]
    assert [end.number for end in store.ends.untold()] == [old]


def test_a_row_of_another_program_is_passed_over(store: Store) -> None:
    ended(store, "a:1b")
    with store.queue._database.writing() as connection:
        for name, state in (("b:1b", "of tomorrow"), ("no name!", "failed"), (b"\xff", "failed")):
            connection.execute(
                "INSERT INTO ends (transfer_id, at, name, state, words) VALUES (9, 1, ?, ?, 'x')",
                (name, state),
            )
    assert [end.name for end in store.ends.untold()] == [parse("a:1b")]


def test_a_cancel_is_known_to_who_wished_it(store: Store) -> None:
    number = ended(store, "a:1b", State.CANCELLED)
    assert store.ends.untold() == ()
    assert [end.number for end in store.ends.newer(0)] == [number]
