"""The queue's history and layers as screens read them, again and again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modeltui.domain.names import parse
from modeltui.domain.transfers import LayerState, State, Wanted
from modeltui.store.journal import Origin
from modeltui.store.queue import QueuedTransfer
from modeltui.store.store import Store

NOW = 1_700_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "modeltui.db")
    yield store
    store.close()


def row(store: Store, name: str, **state: object) -> QueuedTransfer:
    server = store.facts.server_id("http://127.0.0.1:11434", "local")
    queued, _ = store.queue.enqueue(server, parse(name), NOW)
    store.queue.save(queued.number, replace(queued.transfer, **state))  # type: ignore[arg-type]
    found = store.queue.get(queued.number)
    assert found is not None
    return found


def test_the_history_is_read_anew_only_when_it_changed(tmp_path: Path, store: Store) -> None:
    done = row(store, "a:1b", state=State.INSTALLED, ended=NOW, at=NOW)
    under_way = row(store, "b:1b", state=State.PULLING)
    first = store.queue.all()
    assert [each.number for each in first] == [under_way.number, done.number]
    store.queue.save(under_way.number, replace(under_way.transfer, done=5, at=NOW + 1))
    second = store.queue.all()
    assert second[1] is first[1]
    assert second[0] != first[0]

    other = Store.open(tmp_path / "modeltui.db")

    def cancel() -> None:
        cancelled = replace(under_way.transfer, state=State.CANCELLED, ended=NOW + 2, at=NOW + 2)
        other.queue.save(under_way.number, cancelled)

    changes: list[Callable[[], object]] = [
        cancel,
        lambda: other.queue.save(done.number, replace(done.transfer, state=State.WAITING, ended=None)),
        lambda: other.queue.save(done.number, replace(done.transfer, state=State.FAILED, at=NOW + 9)),
        lambda: other.queue.want(done.number, Wanted.RUN),
        lambda: other.queue.remove([under_way.number]),
    ]
    for change in changes:
        change()
        assert store.queue.all() == other.queue.all()
    assert [each.number for each in store.queue.all()] == [done.number]
    other.close()


def test_the_layers_the_biggest_first(store: Store) -> None:
    small, big = LayerState("sha256:aa", 10, 10), LayerState("sha256:bb", 900, 7)
    queued = row(store, "a:1b", state=State.PULLING, layers=(small, big))
    assert store.queue.layers(queued.number) == (big, small)
    with store.queue._database.writing() as connection:
        connection.execute("UPDATE transfer_layers SET total = 'many' WHERE digest = 'sha256:aa'")
    assert store.queue.layers(queued.number) == (big,)
    assert store.queue.layers(99) == ()


def test_what_was_done_with_one_model(store: Store) -> None:
    here = store.facts.server_id("http://127.0.0.1:11434", "local")
    there = store.facts.server_id("http://gpubox:11434", "gpubox")
    for at, server, action, subject in (
        (NOW - 1, here, "pull", "a:1b"),
        (NOW, here, "queue", "a:1b"),
        (NOW + 1, here, "pause", "7 a:1b"),
        (NOW + 2, there, "pull", "a:1b"),
        (NOW + 3, here, "pull", "b:1b"),
        (NOW + 4, here, "resume", "7 a:1b"),
    ):
        store.journal.add(
            at=at, user="ann", origin=Origin.COMMAND, server_id=server, action=action, subject=subject
        )
    about = store.journal.about(("a:1b", "7 a:1b"), here, NOW, 10)
    assert [deed.action for deed in about] == ["resume", "pause", "queue"]
    assert about[0].server == "local"
    assert len(store.journal.about(("a:1b", "7 a:1b"), here, NOW, 2)) == 2


def test_several_reads_see_one_state(tmp_path: Path, store: Store) -> None:
    """A row that ends between two reads is neither missing nor there twice."""
    queued = row(store, "a:1b", state=State.PULLING)
    other = Store.open(tmp_path / "modeltui.db")
    database = store.queue._database
    with database.reading():
        before = store.queue.open()
        other.queue.save(queued.number, replace(queued.transfer, state=State.INSTALLED, ended=NOW))
        assert (store.queue.open(), store.queue.finished()) == (before, ())
        with database.reading():  # joins it
            assert store.queue.open() == before
    assert [each.transfer.state for each in store.queue.all()] == [State.INSTALLED]
    other.close()
