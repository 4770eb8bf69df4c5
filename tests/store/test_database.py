"""The database file: made once, private, shared by processes, and never harmed when it cannot be used."""

import multiprocessing
import os
import resource
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import TypeVar

import pytest

from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.errors import StoreError
from modeltui.store.database import Database
from modeltui.store.facts import Facts
from modeltui.store.journal import Origin
from modeltui.store.locks import FileLock
from modeltui.store.schema import MIGRATIONS
from modeltui.store.store import Store

KEY = "http://127.0.0.1:11434"
NEW_IN_VERSION_2 = {"arrivals", "ends", "findings", "origins", "quarantine", "transfer_blobs", "updates"}
NEW_IN_VERSION_4 = {"measurements", "shapes"}
TABLES = {
    *("activity", "aliases", "current", "damaged", "details", "last_list", "loads"),
    *("servers", "transfer_attempts", "transfer_layers", "transfers"),
    *NEW_IN_VERSION_2,
    *NEW_IN_VERSION_4,
}
NEWER = len(MIGRATIONS) + 1
NOBODY = 65534

Answer = TypeVar("Answer")
Started = tuple[int | None, Callable[[], str | None]]
_barrier: Barrier


def _meet_at(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


@pytest.fixture(scope="module")
def pair() -> Iterator[ProcessPoolExecutor]:
    """Two processes of their own, which can wait for each other at `_barrier`."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, initializer=_meet_at, initargs=(spawn.Barrier(2, timeout=30),)) as two:
        yield two


def both(pair: ProcessPoolExecutor, work: Callable[[int, Path], Answer], path: Path) -> list[Answer]:
    """What `work(1, path)` and `work(2, path)` return, run at the same time; what one raises is raised."""
    runs = [pair.submit(work, number, path) for number in (1, 2)]
    return [run.result(timeout=60) for run in runs]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "modeltui.db"


def made(path: Path) -> None:
    """A database with some rows, closed again."""
    store = Store.open(path)
    assert store.trouble is None
    server = store.facts.server_id(KEY, "local")
    store.queue.enqueue(server, parse("llama3.2"), 1)
    for number in range(200):
        add(store, server, f"model-{number}")
    store.close()


def add(store: Store, server: int | None, subject: str) -> None:
    store.journal.add(
        at=1, user="ada", origin=Origin.COMMAND, server_id=server, action="load", subject=subject
    )


def trouble_of(store: Store) -> str | None:
    return store.trouble.message if store.trouble else None


def plain(path: Path, *statements: str) -> None:
    """Run statements as any other SQLite program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'"
        )
        return {row[0] for row in rows}


# --- made, and brought up to date -------------------------------------------------------------------


def nothing(path: Path) -> None:
    assert not path.exists()


def empty(path: Path) -> None:
    path.touch()


def without_tables(path: Path) -> None:
    plain(path, "VACUUM")
    assert path.stat().st_size > 0


def without_tables_but_wal(path: Path) -> None:
    plain(path, "PRAGMA journal_mode = WAL")


def with_a_rollback_journal(path: Path) -> None:
    made(path)
    plain(path, "PRAGMA journal_mode = DELETE")


@pytest.mark.parametrize(
    "before", [nothing, empty, without_tables, without_tables_but_wal, with_a_rollback_journal]
)
def test_what_is_there_is_brought_up_to_date(path: Path, before: Callable[[Path], None]) -> None:
    path.parent.mkdir(mode=0o700)
    before(path)
    for _ in range(2):
        store = Store.open(path)
        assert store.trouble is None
        assert store.facts.server_id(KEY, "local") == 1
        store.close()
        assert tables(path) == TABLES
        assert pragma(path, "user_version") == len(MIGRATIONS)
        assert pragma(path, "journal_mode") == "wal"
        assert pragma(path, "integrity_check") == "ok"


ROWS_OF_VERSION_1 = (
    "INSERT INTO servers VALUES (1, 'http://127.0.0.1:11434', 'local'), (2, 'http://box:11434', 'box')",
    "INSERT INTO transfers VALUES"
    " (7, 1, 'qwen3:8b', 'registry.ollama.ai/library/qwen3:8b', 3, 'pause', 4, 'paused', 'by_you', '', 0, 2,"
    " 5225374432, 1, 2900000000, 2800000000, NULL, NULL, NULL, 1, 0, 'ab', 100, 200, NULL, 900),"
    " (5, 2, 'phi4:latest', 'registry.ollama.ai/library/phi4:latest', 1, 'run', 0, 'installed', NULL,"
    " 'digest checked', 0, 1, 9053000000, 1, 9053000000, 9053000000, 61.5, NULL, NULL, 0, 0, 'cd',"
    " 10, 20, 80, 80)",
    "INSERT INTO transfer_layers VALUES (7, 'sha256:aa', 5225000000, 2800000000)",
    "INSERT INTO transfer_attempts VALUES (3, 7, 400, 'network', 'reset', 1000000)",
    "INSERT INTO current VALUES (1, 'qwen3:8b', 'ab', 50, 'phi4:latest')",
    "INSERT INTO aliases VALUES (1, 'registry.ollama.ai/library/current:latest', 'qwen3:8b', 'ab', 60)",
    "INSERT INTO activity VALUES (1, 70, 'ada', 'command', 1, 'pull', 'qwen3:8b', 'failed', 'reset')",
    "INSERT INTO details VALUES ('ab', '{}', 71)",
    "INSERT INTO damaged VALUES (1, 'ef', 'the server cannot open it', 0, 72)",
    "INSERT INTO loads VALUES (1, 'ab', 73, 6200, 6000000000, 5000000000, 8192)",
    "INSERT INTO last_list VALUES (1, '[]', 74)",
)
TABLES_OF_VERSION_1 = sorted(TABLES - NEW_IN_VERSION_2 - NEW_IN_VERSION_4)


def rows_of(path: Path, table: str, columns: str = "*") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()


def columns_of(path: Path, table: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


def test_a_database_of_version_1_loses_nothing(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    plain(path, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"BEGIN; {MIGRATIONS[0]}; PRAGMA user_version = 1; COMMIT")
    plain(path, *ROWS_OF_VERSION_1)
    assert tables(path) == set(TABLES_OF_VERSION_1)
    columns = {table: columns_of(path, table) for table in TABLES_OF_VERSION_1}
    before = {table: rows_of(path, table) for table in TABLES_OF_VERSION_1}
    assert all(before.values())

    store = Store.open(path)
    assert store.trouble is None
    paused, installed = store.queue.get(7), store.queue.get(5)
    assert paused is not None and installed is not None
    assert paused.is_resting, "its wishes were obeyed before anyone counted that"
    transfer = paused.transfer
    assert (transfer.state, transfer.done, transfer.tries) == (State.PAUSED, 2_900_000_000, 2)
    assert (transfer.present, transfer.moved, transfer.active_ms, transfer.pulled_as) == (None, 0, 0, None)
    assert (installed.transfer.state, installed.transfer.ended) == (State.INSTALLED, 80)
    assert [attempt.detail for attempt in store.queue.attempts(7)] == ["reset"]
    assert store.queue.enqueue(1, parse("next"), 1000)[0].number == 8, "a number is never given twice"
    store.close()

    assert pragma(path, "user_version") == len(MIGRATIONS)
    assert pragma(path, "integrity_check") == "ok"
    assert tables(path) == TABLES
    plain(path, "DELETE FROM transfers WHERE id = 8")
    for table in TABLES_OF_VERSION_1:
        assert rows_of(path, table, columns[table]) == before[table], table


def test_a_database_of_version_2_loses_nothing_and_wishes_nothing(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    plain(path, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"BEGIN; {''.join(MIGRATIONS[:2])}; PRAGMA user_version = 2; COMMIT")
    plain(path, "INSERT INTO servers VALUES (1, 'http://127.0.0.1:11434', 'local'), (2, 'http://b:1', 'b')")
    store = Store.open(path)
    assert store.trouble is None
    assert store.facts.servers() == {1: (KEY, "local"), 2: ("http://b:1", "b")}
    assert store.facts.per_server() == {}
    store.close()
    assert pragma(path, "user_version") == len(MIGRATIONS)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_everything_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "share" / "modeltui" / "modeltui.db"
    before = os.umask(umask)
    try:
        store = Store.open(path)
        server = store.facts.server_id(KEY, "local")
    finally:
        os.umask(before)
    assert store.trouble is None
    add(store, server, "llama3.2")
    modes = {found.name: oct(S_IMODE(found.stat().st_mode)) for found in (tmp_path / "share").rglob("*")}
    store.close()
    files = ("modeltui.db", "modeltui.db-wal", "modeltui.db-shm", "modeltui.db.lock")
    assert modes == {"modeltui": "0o700"} | dict.fromkeys(files, "0o600")
    assert oct(S_IMODE((tmp_path / "share").stat().st_mode)) == "0o700"


def test_rights_that_someone_gave_are_kept(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o750)
    path.touch()
    path.chmod(0o640)
    Store.open(path).close()
    assert (oct(S_IMODE(path.parent.stat().st_mode)), oct(S_IMODE(path.stat().st_mode))) == ("0o750", "0o640")


# --- several processes ------------------------------------------------------------------------------


def start_first(number: int, root: Path) -> list[tuple[str | None, bool, set[str]]]:
    """Twenty first starts: trouble, whether the queue took what the other one wants too, what is read."""
    found = []
    for turn in range(20):
        _barrier.wait()
        store = Store.open(root / str(turn) / "state" / "modeltui.db")
        server = store.facts.server_id(KEY, "local")
        store.queue.enqueue(server, parse(f"from-{number}"), turn)
        _, is_new = store.queue.enqueue(server, parse("from-both"), turn)
        names = {row.transfer.name.model for row in store.queue.all()}
        found.append((trouble_of(store), is_new, names))
        store.close()
    return found


def test_two_first_starts_at_the_same_moment(pair: ProcessPoolExecutor, tmp_path: Path) -> None:
    one, two = both(pair, start_first, tmp_path)
    for turn, (first, second) in enumerate(zip(one, two, strict=True)):
        path = tmp_path / str(turn) / "state" / "modeltui.db"
        assert (first[0], second[0]) == (None, None)
        assert sorted([first[1], second[1]]) == [False, True], "one of them put it there"
        assert first[2] >= {"from-1", "from-both"}
        assert second[2] >= {"from-2", "from-both"}
        assert tables(path) == TABLES
        store = Store.open(path)
        assert list(store.facts.servers().values()) == [(KEY, "local")]
        rows = [(row.number, row.transfer.name.model) for row in store.queue.all()]
        assert [number for number, _ in rows] == [1, 2, 3]
        assert {name for _, name in rows} == {"from-1", "from-2", "from-both"}
        store.close()


def write_much(number: int, path: Path) -> None:
    store = Store.open(path)
    _barrier.wait()
    server = store.facts.server_id(KEY, "local")
    for turn in range(100):
        store.queue.enqueue(server, parse(f"from-{number}:{turn}"), turn)
        add(store, server, f"{number}-{turn}")
    store.close()


def test_two_processes_write_two_hundred_times_each(pair: ProcessPoolExecutor, path: Path) -> None:
    both(pair, write_much, path)
    store = Store.open(path)
    rows = store.queue.all()
    assert {row.transfer.name.short for row in rows} == {
        f"from-{number}:{turn}" for number in (1, 2) for turn in range(100)
    }
    assert [row.number for row in rows] == [row.position for row in rows] == list(range(1, 201))
    assert len({entry.object for entry in store.journal.latest(1000)}) == 200
    store.close()


def switch(number: int, path: Path) -> list[tuple[str, str | None]]:
    """A hundred switches at the same moment as the other; what stands there when both are done."""
    store = Store.open(path)
    server = store.facts.server_id(KEY, "local")
    found = []
    for turn in range(100):
        _barrier.wait()
        store.facts.set_current(server, parse(f"from-{number}:{turn}"), None, turn)
        _barrier.wait()
        current = store.facts.current(server)
        assert current is not None
        found.append((current.name.short, current.previous))
    store.close()
    return found


def test_the_later_of_two_switches_names_the_other_as_previous(pair: ProcessPoolExecutor, path: Path) -> None:
    one, two = both(pair, switch, path)
    assert one == two
    for turn, pairing in enumerate(one):
        assert set(pairing) == {f"from-1:{turn}", f"from-2:{turn}"}


def open_and_close(_: int, path: Path) -> dict[int, tuple[str, str]]:
    store = Store.open(path)
    servers = store.facts.servers()
    store.close()
    return servers


def test_a_second_opening_in_a_process_costs_the_first_nothing(pair: ProcessPoolExecutor, path: Path) -> None:
    """POSIX drops all locks of a process on a file when it closes any descriptor of it."""
    first, second = Store.open(path), Store.open(path)
    pair.submit(open_and_close, 1, path).result(timeout=60)
    first.facts.server_id(KEY, "local")
    assert pair.submit(open_and_close, 1, path).result(timeout=60) == {1: (KEY, "local")}
    assert second.facts.servers() == {1: (KEY, "local")}
    first.close()
    second.close()


def test_the_version_of_data_tells_that_someone_wrote(path: Path) -> None:
    here, there = Store.open(path), Store.open(path)
    server = there.facts.server_id(KEY, "local")
    before = here.version_of_data()
    assert here.version_of_data() == before
    here.facts.servers()
    assert here.version_of_data() == before, "reading is no change"
    add(there, server, "llama3.2")
    after = here.version_of_data()
    assert after != before
    add(here, server, "llama3.2")
    assert here.version_of_data() != after
    here.close()
    there.close()


# --- a newer modeltui -------------------------------------------------------------------------------


def upgraded(path: Path) -> None:
    made(path)
    plain(path, "CREATE TABLE of_tomorrow (x)", f"PRAGMA user_version = {NEWER}")


def write_as_newer_and_die(_: int, path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("INSERT INTO of_tomorrow VALUES ('kept')")
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_newer_one_left_unfinished_is_kept(path: Path) -> None:
    upgraded(path)
    dying = multiprocessing.get_context("spawn").Process(target=write_as_newer_and_die, args=(1, path))
    dying.start()
    dying.join(60)
    assert dying.exitcode == -signal.SIGKILL
    assert path.with_name("modeltui.db-wal").stat().st_size > 0
    store = Store.open(path)
    assert store.trouble is not None
    assert "newer modeltui" in store.trouble.message
    store.close()
    assert pragma(path, "user_version") == NEWER
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT x FROM of_tomorrow").fetchall() == [("kept",)]


@contextmanager
def answering(work: Callable[[Connection, Path], None], path: Path) -> Iterator[Started]:
    """A process that runs `work`: its id, and a function that waits for its answer."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()

    def answer() -> str | None:
        assert mine.poll(60)
        received: str | None = mine.recv()
        return received

    process = spawn.Process(target=work, args=(theirs, path))
    process.start()
    theirs.close()
    yield process.pid, answer
    process.join(60)
    assert process.exitcode == 0


def say_the_trouble(to: Connection, path: Path) -> None:
    store = Store.open(path)
    to.send(trouble_of(store))
    store.close()


def test_a_newer_one_that_comes_first_while_the_lock_is_waited_for(path: Path) -> None:
    lock = path.with_name("modeltui.db.lock")
    with answering(say_the_trouble, path) as (pid, answer):
        with FileLock(lock):
            wait_until_open(pid, lock)
            plain(path, "CREATE TABLE of_tomorrow (x)", f"PRAGMA user_version = {NEWER}")
        message = answer()
    assert message is not None
    assert "newer modeltui" in message
    assert tables(path) == {"of_tomorrow"}
    assert pragma(path, "user_version") == NEWER


def wait_until_open(pid: int | None, path: Path) -> None:
    """Wait until a process has a file open; where no /proc tells that, go on at once."""
    descriptors = Path(f"/proc/{pid}/fd")
    deadline = time.monotonic() + 30
    while descriptors.is_dir():
        with suppress(OSError):
            if path in [link.readlink() for link in descriptors.iterdir()]:
                return
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --- files that cannot be used ----------------------------------------------------------------------


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def a_note(path: Path) -> None:
    path.write_text("remember the milk\n")


def overwritten(path: Path) -> None:
    """The header is whole, a page of rows is not."""
    made(path)
    harm_the_page_of(path, "activity")


def harm_the_page_of(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


def cut(path: Path, size: int) -> None:
    made(path)
    assert path.stat().st_size > size
    os.truncate(path, size)


def cut_within_the_header(path: Path) -> None:
    cut(path, 50)


def cut_within_a_page(path: Path) -> None:
    cut(path, 4096 * 3 + 1000)


def cut_between_pages(path: Path) -> None:
    cut(path, 4096 * 2)


def of_another_program(path: Path) -> None:
    plain(path, "CREATE TABLE servers (address)", "INSERT INTO servers VALUES ('mine')")


def a_directory(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_a_database(path: Path) -> None:
    made(path.with_name("elsewhere.db"))
    path.symlink_to("elsewhere.db")


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("elsewhere.db")


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("a file where the directory should be")


def a_lock_that_is_a_directory(path: Path) -> None:
    path.touch()
    path.with_name("modeltui.db.lock").mkdir()


def snapshot(directory: Path) -> dict[str, object]:
    """Everything in a directory: the bytes of files, the targets of links."""
    found: dict[str, object] = {}
    for entry in sorted(directory.rglob("*")):
        about = entry.lstat()
        if entry.is_symlink():
            found[str(entry)] = entry.readlink()
        else:
            found[str(entry)] = entry.read_bytes() if S_ISREG(about.st_mode) else about.st_mode
    return found


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (garbage, "damaged (file is not a database)"),
        (a_note, "damaged (file is not a database)"),
        (overwritten, "damaged ("),
        (cut_within_the_header, "damaged ("),
        (cut_within_a_page, "damaged ("),
        (cut_between_pages, "damaged ("),
        (upgraded, f"newer modeltui (format {NEWER}, this one knows {len(MIGRATIONS)})"),
        (of_another_program, "table servers already exists"),
        (a_directory, "not a regular file"),
        (a_pipe, "not a regular file"),
        (a_link_to_a_database, "not a regular file"),
        (a_link_to_nothing, "not a regular file"),
        (below_a_file, "cannot be used"),
        (a_lock_that_is_a_directory, "cannot be used"),
    ],
)
def test_a_file_that_cannot_be_used_stays_as_it_is(
    path: Path, harm: Callable[[Path], None], words: str
) -> None:
    path.parent.mkdir()
    harm(path)
    before = snapshot(path.parent.parent)
    store = Store.open(path)
    assert store.trouble is not None
    assert str(path) in store.trouble.message
    assert words in store.trouble.message
    assert store.trouble.remedy
    remembers_until_closed(store)
    after = snapshot(path.parent.parent)
    assert {name: after.get(name) for name in before} == before
    assert set(after) - set(before) <= {f"{path}.lock"}


def remembers_until_closed(store: Store) -> None:
    """It works, in memory."""
    server = store.facts.server_id(KEY, "local")
    store.queue.enqueue(server, parse("llama3.2"), 1)
    add(store, server, "llama3.2")
    assert [row.number for row in store.queue.open()] == [1]
    assert [entry.object for entry in store.journal.latest(9)] == ["llama3.2"]
    store.close()


def read_only(path: Path) -> None:
    path.chmod(0o400)


def in_a_read_only_directory(path: Path) -> None:
    path.parent.chmod(0o500)


def missing_in_a_read_only_directory(path: Path) -> None:
    path.unlink()
    path.parent.chmod(0o500)


@contextmanager
def open_to_anyone() -> Iterator[Path]:
    """A directory that others can reach, too: pytest's belong to its user alone."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory


def say_the_trouble_as_nobody(to: Connection, path: Path) -> None:
    """Rights mean nothing to root: as root, become someone else first."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    say_the_trouble(to, path)


@pytest.mark.parametrize("harm", [read_only, in_a_read_only_directory, missing_in_a_read_only_directory])
def test_a_file_that_may_not_be_written(harm: Callable[[Path], None]) -> None:
    with open_to_anyone() as directory:
        path = directory / "state" / "modeltui.db"
        made(path)
        path.with_name("modeltui.db.lock").unlink()
        if os.geteuid() == 0:
            os.chown(path.parent, NOBODY, NOBODY)
            os.chown(path, NOBODY, NOBODY)
        harm(path)
        before = snapshot(directory)
        with answering(say_the_trouble_as_nobody, path) as (_, answer):
            message = answer()
        assert message is not None
        assert message.startswith(f"the database {path} cannot be used: ")
        assert snapshot(directory) == before
        path.parent.chmod(0o700)


def test_damage_in_a_large_file_is_told_when_it_is_met(path: Path) -> None:
    """Looking through a large file at every start would take too long."""
    made(path)
    store = Store.open(path)
    store.facts.set_last_list(store.facts.server_id(KEY, "local"), ["x" * 5_000_000], 1)
    store.close()
    harm_the_page_of(path, "activity")
    before = path.read_bytes()
    store = Store.open(path)
    assert store.trouble is None
    assert store.facts.servers() == {1: (KEY, "local")}
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.journal.latest(1)
    assert str(path) in caught.value.message
    assert caught.value.remedy is not None
    assert f"{path}.damaged" in caught.value.remedy
    store.close()
    assert path.read_bytes() == before


# --- writing ----------------------------------------------------------------------------------------


def servers_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT key FROM servers ORDER BY key")]


INSERT = "INSERT INTO servers (key, name) VALUES (?, 'a name')"


def test_a_transaction_is_whole_or_not_at_all(path: Path) -> None:
    database = Database.open(path)
    with pytest.raises(KeyError), database.writing() as connection:
        connection.execute(INSERT, ("lost",))
        raise KeyError
    with pytest.raises(KeyError), database.writing() as outer:
        outer.execute(INSERT, ("lost with what is inside",))
        with database.writing() as inner:
            inner.execute(INSERT, ("lost, too",))
        raise KeyError
    with database.writing() as outer:
        outer.execute(INSERT, ("kept",))
        with database.writing() as inner:
            inner.execute(INSERT, ("kept, too",))
    database.close()
    assert servers_in(path) == ["kept", "kept, too"]


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("INSERT INTO nowhere VALUES (?)", (1,)),
        ("INSERT INTO servers (key, name) VALUES ('k', NULL)", ()),
        ("INSERT INTO current VALUES (77, 'x', NULL, 1, NULL)", ()),
        (INSERT, (2**63,)),
        (INSERT, ("\ud800",)),
    ],
)
def test_every_failure_is_an_error_that_names_the_file(
    path: Path, statement: str, values: tuple[object, ...]
) -> None:
    database = Database.open(path)
    with pytest.raises(StoreError, match="cannot be used") as caught:
        database.rows(statement, values)
    assert str(path) in caught.value.message
    with pytest.raises(StoreError, match="cannot be used"), database.writing() as connection:
        connection.execute(INSERT, ("lost",))
        connection.execute(statement, values)
    database.close()
    assert servers_in(path) == []


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """As on a full disk: no file may grow beyond `size`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [50_000, 10_000_000], ids=["at the commit", "before it"])
def test_a_disk_that_is_full_for_a_while(path: Path, size: int) -> None:
    database = Database.open(path)
    facts = Facts(database)
    with files_up_to(30_000), pytest.raises(StoreError, match=r"(disk I/O error|disk is full)$"):
        facts.set_details("of a model", {"text": "x" * size}, 1)
    facts.set_details("of another", {}, 1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT digest FROM details").fetchall() == [("of another",)]
    database.close()


def test_a_memory_holds_the_same_rules_as_a_file(path: Path) -> None:
    path.mkdir(parents=True)
    store = Store.open(path)
    server = store.facts.server_id(KEY, "local")
    with pytest.raises(StoreError, match="in memory"):
        add(store, 77, "of no server")
    row, _ = store.queue.enqueue(server, parse("llama3.2"), 1)
    store.queue.add_attempt(row.number, row.transfer)
    store.queue.save(row.number, replace(row.transfer, state=State.FAILED))
    assert store.queue.remove([row.number]) == 1
    assert store.queue.attempts(row.number) == ()
    store.close()
