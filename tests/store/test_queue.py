"""The queue: one row a wanted model, numbers that people can rely on, wishes that nobody overwrites."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from modeltui.domain.causes import Cause
from modeltui.domain.events import Announced, Asked, Layer, Started
from modeltui.domain.names import ModelName, parse
from modeltui.domain.reducer import reduce
from modeltui.domain.transfers import FINAL, Blob, LayerState, Manifest, State, Transfer, Wanted
from modeltui.store.queue import Attempt, Queue, QueuedTransfer
from modeltui.store.store import Store

LLAMA, QWEN, PHI = parse("llama3.2"), parse("qwen3:8b"), parse("phi4")
HERE, THERE = 1, 2
OPEN = sorted(set(State) - FINAL)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "modeltui.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(path)
    assert store.trouble is None
    assert store.facts.server_id("http://127.0.0.1:11434", "local") == HERE
    assert store.facts.server_id("http://gpubox:11434", "gpubox") == THERE
    yield store
    store.close()


@pytest.fixture
def queue(store: Store) -> Queue:
    return store.queue


def put(queue: Queue, *names: ModelName) -> list[int]:
    """Their numbers."""
    return [queue.enqueue(HERE, name, at)[0].number for at, name in enumerate(names, 100)]


def end(queue: Queue, number: int, state: State = State.CANCELLED, at: int = 900) -> None:
    queue.save(number, replace(of(queue, number).transfer, state=state, ended=at))


def of(queue: Queue, number: int) -> QueuedTransfer:
    row = queue.get(number)
    assert row is not None
    return row


def numbers(rows: tuple[QueuedTransfer, ...]) -> list[int]:
    return [row.number for row in rows]


def test_a_new_row(queue: Queue) -> None:
    row, is_new = queue.enqueue(HERE, LLAMA, 123)
    assert is_new
    assert row == QueuedTransfer(
        number=1,
        server_id=HERE,
        position=1,
        wishes=0,
        created=123,
        announced_digest=None,
        transfer=Transfer(name=LLAMA, at=123),
    )
    assert queue.get(1) == row
    assert queue.get(2) is None


def test_the_same_model_twice_is_one_row(queue: Queue) -> None:
    first, _ = queue.enqueue(HERE, LLAMA, 1)
    assert queue.enqueue(HERE, LLAMA, 2) == (first, False)
    assert queue.enqueue(HERE, parse("LLAMA3.2:Latest"), 3) == (first, False), "one model, typed otherwise"
    assert numbers(queue.all()) == [1]


def test_another_tag_and_another_server_are_other_rows(queue: Queue) -> None:
    queue.enqueue(HERE, LLAMA, 1)
    assert queue.enqueue(HERE, parse("llama3.2:3b"), 2)[1]
    assert queue.enqueue(THERE, LLAMA, 3)[1]
    assert [(row.server_id, row.transfer.name.short) for row in queue.all()] == [
        (HERE, "llama3.2:latest"),
        (HERE, "llama3.2:3b"),
        (THERE, "llama3.2:latest"),
    ]


@pytest.mark.parametrize("state", OPEN)
def test_as_long_as_it_is_open_it_is_not_put_there_again(queue: Queue, state: State) -> None:
    (number,) = put(queue, LLAMA)
    queue.save(number, replace(of(queue, number).transfer, state=state))
    row, is_new = queue.enqueue(HERE, LLAMA, 2)
    assert (row.number, row.transfer.state, is_new) == (number, state, False)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_when_it_is_over_it_is_put_there_again(queue: Queue, state: State) -> None:
    (number,) = put(queue, LLAMA)
    end(queue, number, state)
    row, is_new = queue.enqueue(HERE, LLAMA, 2)
    assert is_new
    assert row.number == number + 1
    assert row.transfer.state is State.WAITING
    assert of(queue, number).transfer.state is state


def test_a_number_is_never_given_twice(path: Path, queue: Queue) -> None:
    first, second = put(queue, LLAMA, QWEN)
    end(queue, first)
    end(queue, second)
    assert queue.remove([first, second]) == 2
    assert queue.all() == ()
    assert put(queue, LLAMA) == [3]
    end(queue, 3)
    queue.remove([3])
    again = Store.open(path)
    assert put(again.queue, LLAMA) == [4], "nor after a restart"
    again.close()


def test_only_what_is_over_is_removed(queue: Queue) -> None:
    put(queue, LLAMA, QWEN, PHI)
    end(queue, 1)
    queue.add_attempt(1, of(queue, 1).transfer)
    queue.add_attempt(2, of(queue, 2).transfer)
    assert queue.remove([1, 2, 77]) == 1
    assert numbers(queue.all()) == [2, 3]
    assert queue.attempts(1) == ()
    assert len(queue.attempts(2)) == 1


def test_the_order(queue: Queue) -> None:
    put(queue, LLAMA, QWEN, PHI, parse("mistral"), parse("gemma3"))
    end(queue, 1, State.FAILED, at=500)
    end(queue, 4, State.INSTALLED, at=700)
    end(queue, 3, State.CANCELLED, at=600)
    assert numbers(queue.open()) == [2, 5]
    assert numbers(queue.all()) == [2, 5, 4, 3, 1], "then the finished, the latest first"


@pytest.mark.parametrize(
    ("number", "place", "order"),
    [
        (4, 1, [4, 1, 2, 3]),
        (1, 4, [2, 3, 4, 1]),
        (1, 2, [2, 1, 3, 4]),
        (3, 2, [1, 3, 2, 4]),
        (2, 2, [1, 2, 3, 4]),
        (3, 0, [3, 1, 2, 4]),
        (3, -5, [3, 1, 2, 4]),
        (2, 99, [1, 3, 4, 2]),
        (77, 1, [1, 2, 3, 4]),
    ],
)
def test_moving(queue: Queue, number: int, place: int, order: list[int]) -> None:
    put(queue, *(parse(f"m:{n}") for n in range(4)))
    queue.move(number, place)
    assert numbers(queue.open()) == order
    assert numbers(queue.all()) == order
    row, _ = queue.enqueue(HERE, LLAMA, 9)
    assert numbers(queue.open()) == [*order, row.number], "the next one comes last"


def test_places_are_counted_among_the_open_ones(queue: Queue) -> None:
    put(queue, *(parse(f"m:{n}") for n in range(5)))
    end(queue, 1)
    end(queue, 3)
    queue.move(5, 2)
    assert numbers(queue.open()) == [2, 5, 4]


def test_progress_leaves_wish_and_place_alone(path: Path, queue: Queue) -> None:
    """The runner saves what it read a moment ago; meanwhile a screen has written."""
    put(queue, LLAMA, QWEN)
    read_before = of(queue, 2).transfer
    assert read_before.wanted is Wanted.RUN
    screen = Store.open(path)
    screen.queue.want(2, Wanted.PAUSE)
    screen.queue.move(2, 1)
    screen.close()
    queue.save(2, replace(read_before, state=State.PULLING, done=5))
    row = of(queue, 2)
    assert (row.transfer.wanted, row.wishes, row.position) == (Wanted.PAUSE, 1, 1)
    assert (row.transfer.state, row.transfer.done) == (State.PULLING, 5)


def test_a_wish_said_again_counts_again(queue: Queue) -> None:
    put(queue, LLAMA, QWEN)
    for times, wanted in enumerate([Wanted.PAUSE, Wanted.PAUSE, Wanted.RUN, Wanted.CANCEL], 1):
        queue.want(1, wanted)
        row = of(queue, 1)
        assert (row.transfer.wanted, row.wishes) == (wanted, times)
    assert (of(queue, 2).transfer.wanted, of(queue, 2).wishes) == (Wanted.RUN, 0)


MANIFEST = Manifest("f" * 64, (Blob("sha256:aa", 1000), Blob("sha256:bb", 200)))


def under_way(name: ModelName) -> Transfer:
    """A transfer that has read its manifest and a part of its first layer."""
    transfer = Transfer(name=name, at=1000)
    for event in (
        Started(1000),
        Announced(1001, MANIFEST),
        Layer(1100, "sha256:aa", 1000, 100),
        Layer(2000, "sha256:aa", 1000, 700),
    ):
        transfer, _ = reduce(transfer, event)
    assert transfer.state is State.PULLING
    return transfer


def layers_in(path: Path) -> list[tuple[int, str, int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM transfer_layers ORDER BY transfer_id, digest").fetchall()


def test_layers_are_kept_beside_the_row(path: Path, store: Store) -> None:
    put(store.queue, LLAMA, QWEN)
    transfer = under_way(LLAMA)
    store.queue.save(1, transfer)
    assert layers_in(path) == [(1, "sha256:aa", 1000, 700)]
    transfer, _ = reduce(transfer, Layer(3000, "sha256:bb", 200, 50))
    store.queue.save(1, transfer)
    assert layers_in(path) == [(1, "sha256:aa", 1000, 1000), (1, "sha256:bb", 200, 50)]
    store.queue.save(2, under_way(QWEN))
    end(store.queue, 1)
    store.queue.remove([1])
    assert layers_in(path) == [(2, "sha256:aa", 1000, 700)]


def test_a_new_try_keeps_what_earlier_ones_have_seen(path: Path, queue: Queue) -> None:
    """A try that ends before its first layer, and one to which the server says nothing of the first layer."""
    put(queue, LLAMA)
    queue.save(1, under_way(LLAMA))
    for state in (State.STARTING, State.RETRYING, State.STARTING):
        queue.save(1, replace(under_way(LLAMA), state=state, layers=()))
        assert layers_in(path) == [(1, "sha256:aa", 1000, 700)]
    queue.save(1, replace(under_way(LLAMA), layers=(LayerState("sha256:bb", 200, 50),)))
    assert layers_in(path) == [(1, "sha256:aa", 1000, 700), (1, "sha256:bb", 200, 50)]


def test_layers_go_that_a_registry_does_not_announce(path: Path, queue: Queue) -> None:
    """The tag has moved between two tries."""
    put(queue, LLAMA, QWEN)
    queue.save(1, under_way(LLAMA))
    queue.save(2, under_way(QWEN))
    queue.keep_blobs(1, ["sha256:aa", "sha256:bb"])
    assert len(layers_in(path)) == 2
    queue.keep_blobs(1, ["sha256:bb", "sha256:cc"])
    assert layers_in(path) == [(2, "sha256:aa", 1000, 700)]


def test_the_announced_digest_stays(queue: Queue) -> None:
    put(queue, LLAMA)
    transfer = under_way(LLAMA)
    queue.save(1, transfer)
    assert of(queue, 1).announced_digest == MANIFEST.digest
    queue.save(1, replace(transfer, manifest=None))
    assert of(queue, 1).announced_digest == MANIFEST.digest, "a runner that starts anew knows no manifest"
    queue.save(1, replace(transfer, manifest=replace(MANIFEST, digest="e" * 64)))
    assert of(queue, 1).announced_digest == "e" * 64


def test_attempts_in_their_order(queue: Queue) -> None:
    put(queue, LLAMA, QWEN)
    assert queue.attempts(1) == ()
    broken = replace(under_way(LLAMA), cause=Cause.NETWORK, detail="connection reset")
    queue.add_attempt(1, broken)
    queue.add_attempt(2, replace(broken, at=2500))
    queue.add_attempt(1, replace(broken, at=2001, cause=None, detail="", done=900))
    assert queue.attempts(1) == (
        Attempt(2000, Cause.NETWORK, "connection reset", 700),
        Attempt(2001, None, "", 900),
    )


def test_everything_is_there_after_a_restart(path: Path, queue: Queue) -> None:
    put(queue, LLAMA, QWEN, PHI)
    retrying = Transfer(
        name=LLAMA,
        pulled_as=replace(LLAMA, host="elsewhere.lan:5000"),
        state=State.RETRYING,
        cause=Cause.NETWORK,
        detail="the connection ended",
        attempts=3,
        tries=7,
        total=2**40,
        total_exact=True,
        done=2**39,
        present=2**20,
        moved=2**39,
        active_ms=60_000,
        is_finishing=True,
        ends_at=99_000,
        retry_at=77_000,
        speed=1234.5,
        digest_failures=1,
        damages=2,
        started=500,
        ended=None,
        at=70_000,
    )
    queue.save(1, retrying)
    end(queue, 2, State.FAILED, at=800)
    queue.want(3, Wanted.PAUSE)
    before = queue.all()
    again = Store.open(path)
    assert again.queue.all() == before
    assert again.queue.open() == queue.open()
    assert of(again.queue, 1).transfer == retrying
    again.close()


def arrivals_in(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT at, server_id, name, digest, size, moved, active_ms FROM arrivals ORDER BY id"
        ).fetchall()


def test_what_an_installed_pull_took_is_kept_for_ever_and_once(path: Path, queue: Queue) -> None:
    put(queue, LLAMA, QWEN, PHI)
    installed = replace(
        under_way(LLAMA), state=State.INSTALLED, moved=900, active_ms=3_000, total=1_200, ended=5_000
    )
    for _ in range(3):  # a save that failed halfway is made again
        queue.save(1, installed)
    end(queue, 2, State.FAILED)
    elsewhere = replace(PHI, host="other.lan")
    queue.save(3, Transfer(PHI, pulled_as=elsewhere, state=State.INSTALLED, ended=6_000))
    kept = [
        (5_000, HERE, "llama3.2:latest", MANIFEST.digest, 1_200, 900, 3_000),
        (6_000, HERE, elsewhere.short, None, None, 0, 0),
    ]
    assert arrivals_in(path) == kept
    queue.remove([1, 2, 3])
    assert queue.all() == ()
    assert arrivals_in(path) == kept


def test_every_state_and_every_cause_can_be_kept(queue: Queue) -> None:
    names = [parse(f"m:{n}") for n, _ in enumerate(Cause)]
    for number, cause in zip(put(queue, *names), Cause, strict=True):
        queue.save(number, replace(of(queue, number).transfer, cause=cause))
        assert of(queue, number).transfer.cause is cause
    for state in State:
        queue.save(1, replace(of(queue, 1).transfer, state=state))
        assert of(queue, 1).transfer.state is state


def test_a_failed_one_is_tried_again_in_its_row(queue: Queue) -> None:
    put(queue, LLAMA)
    end(queue, 1, State.FAILED)
    transfer, _ = reduce(of(queue, 1).transfer, Asked(1000, Wanted.RUN))
    queue.save(1, transfer)
    assert numbers(queue.open()) == [1]
    assert queue.enqueue(HERE, LLAMA, 1001)[1] is False


def test_a_foreign_name_comes_back_as_it_went(queue: Queue) -> None:
    name = parse("Registry.LAN:5000/Team/Model_x:Q4_K_M")
    row, _ = queue.enqueue(HERE, name, 1)
    assert row.transfer.name == name
    assert queue.enqueue(HERE, parse("registry.lan:5000/team/model_x:q4_k_m"), 2) == (row, False)


def test_two_servers_have_one_order(queue: Queue) -> None:
    queue.enqueue(HERE, LLAMA, 1)
    queue.enqueue(THERE, LLAMA, 2)
    queue.enqueue(HERE, QWEN, 3)
    positions = [row.position for row in queue.all()]
    assert all(one < other for one, other in pairwise(positions))


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("is_heard", [True, False])
def test_whether_there_is_work_is_told_without_reading_the_rows(
    store: Store, queue: Queue, state: State, is_heard: bool
) -> None:
    assert not store.has_work()
    (number,) = put(queue, LLAMA)
    queue.want(number, Wanted.RUN)
    transfer = replace(of(queue, number).transfer, state=state)
    queue.save(number, transfer, of(queue, number).wishes if is_heard else None)
    assert store.has_work() is not of(queue, number).is_resting
