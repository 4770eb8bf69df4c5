"""Locks between processes: real ones, that wait, end, and are killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from stat import S_IMODE

import pytest

from modeltui.store.locks import FileLock

PATIENCE_S = 30.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "runner.lock"


def obey(to: Connection, path: Path, shared: bool) -> None:
    """Another process: do with the lock what is said, until there is nothing more to hear."""
    lock = FileLock(path, shared=shared)
    while True:
        try:
            order = to.recv()
        except EOFError:
            return
        if order == "try":
            to.send(lock.acquire(wait=False))
        elif order == "wait":
            to.send("waiting")
            to.send(lock.acquire(wait=True))
        else:
            lock.release()
            to.send(lock.is_held)


class Other:
    """Another process and its lock."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection

    def hears(self, order: str) -> object:
        self.connection.send(order)
        return self.says()

    def says(self) -> object:
        assert self.connection.poll(PATIENCE_S)
        return self.connection.recv()

    def is_silent(self) -> bool:
        return not self.connection.poll(0.1)

    def is_killed(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(PATIENCE_S)
        assert self.process.exitcode == -signal.SIGKILL


@contextmanager
def another(path: Path, *, shared: bool = False) -> Iterator[Other]:
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=obey, args=(theirs, path, shared))
    process.start()
    theirs.close()
    try:
        yield Other(process, mine)
    finally:
        mine.close()
        process.join(PATIENCE_S)
    assert process.exitcode in (0, -signal.SIGKILL)


def test_it_is_taken_and_given_back(path: Path) -> None:
    lock = FileLock(path)
    assert not lock.is_held
    assert lock.acquire(wait=False)
    assert lock.is_held
    assert lock.acquire(wait=False), "who has it has it"
    assert not FileLock(path).acquire(wait=False), "nor does another one of this process get it"
    lock.release()
    lock.release()
    assert not lock.is_held
    with FileLock(path) as other:
        assert other.is_held
        assert not lock.acquire(wait=False)
    assert not other.is_held
    assert lock.acquire(wait=False)
    lock.release()


def test_it_is_given_back_when_what_it_guards_fails(path: Path) -> None:
    lock = FileLock(path)
    with pytest.raises(KeyError), lock:
        raise KeyError
    assert not lock.is_held
    with FileLock(path) as other:
        assert other.is_held


def test_only_one_process_has_it(path: Path) -> None:
    with another(path) as other:
        assert other.hears("try") is True
        mine = FileLock(path)
        assert not mine.acquire(wait=False)
        assert not mine.is_held
        assert other.hears("release") is False
        assert mine.acquire(wait=False)
        assert other.hears("try") is False
        mine.release()
        assert other.hears("try") is True


def test_it_comes_back_when_its_holder_is_killed(path: Path) -> None:
    with another(path) as other:
        assert other.hears("try") is True
        mine = FileLock(path)
        assert not mine.acquire(wait=False)
        other.is_killed()
        assert mine.acquire(wait=False)
        mine.release()


def test_who_waits_gets_it_as_soon_as_it_is_free(path: Path) -> None:
    mine = FileLock(path)
    assert mine.acquire(wait=False)
    with another(path) as other:
        assert other.hears("wait") == "waiting"
        assert other.is_silent()
        mine.release()
        assert other.says() is True
        assert not mine.acquire(wait=False)


def test_who_waits_gets_it_from_the_dead(path: Path) -> None:
    with another(path) as holder, another(path) as heir:
        assert holder.hears("try") is True
        assert heir.hears("wait") == "waiting"
        assert heir.is_silent()
        holder.is_killed()
        assert heir.says() is True


def test_sharers_keep_out_who_wants_it_alone(path: Path) -> None:
    alone, sharing = FileLock(path), FileLock(path, shared=True)
    with another(path, shared=True) as other:
        assert other.hears("try") is True
        assert sharing.acquire(wait=False)
        assert not alone.acquire(wait=False)
        sharing.release()
        assert not alone.acquire(wait=False)
        assert other.hears("release") is False
        assert alone.acquire(wait=False)
        assert other.hears("try") is False
        alone.release()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_its_file_is_private_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with FileLock(path):
            pass
        with FileLock(path):
            pass
    finally:
        os.umask(before)
    assert oct(S_IMODE(path.stat().st_mode)) == "0o600"
    assert oct(S_IMODE(path.parent.stat().st_mode)) == "0o700"


@pytest.mark.parametrize("exists", [True, False])
def test_it_does_not_follow_a_link(path: Path, exists: bool) -> None:
    path.parent.mkdir()
    path.symlink_to("elsewhere")
    elsewhere = path.with_name("elsewhere")
    if exists:
        elsewhere.touch()
    lock = FileLock(path)
    with pytest.raises(OSError, match=r"runner\.lock"):
        lock.acquire(wait=False)
    assert not lock.is_held
    assert elsewhere.exists() == exists


def test_where_no_file_can_be_made(path: Path) -> None:
    path.parent.write_text("a file where the directory should be")
    with pytest.raises(OSError, match="state"), FileLock(path):
        pass


def test_what_a_holder_starts_does_not_hold_it(path: Path) -> None:
    """A program that a holder starts may live longer than the lock is held."""
    lock = FileLock(path)
    assert lock.acquire(wait=False)
    command = [sys.executable, "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, close_fds=False
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        lock.release()
        assert lock.acquire(wait=False)
        child.communicate("\n", timeout=PATIENCE_S)
    lock.release()
