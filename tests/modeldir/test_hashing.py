"""Digests of real files: as hashlib computes them, by several threads; errors are told, a stop ends it."""

import hashlib
import os
import sys
import threading
from pathlib import Path

import pytest

from modeltui.modeldir.hashing import CHUNK, Outcome, Reading, Supply, hash_files


def hashed(paths: list[Path], *, threads: int = 1, spare: bool = False) -> tuple[dict[str, Outcome], Reading]:
    outcomes: dict[str, Outcome] = {}
    reading = Reading(sum(path.stat().st_size for path in paths if path.is_file()))
    supply = Supply(paths)

    def found(path: Path, outcome: Outcome) -> None:
        outcomes[path.name] = outcome

    def work() -> None:
        hash_files(supply, reading, found, spare=spare)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return outcomes, reading


@pytest.mark.parametrize("spare", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_digests(tmp_path: Path, threads: int, spare: bool) -> None:
    expected, paths = {}, []
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7, 65 * CHUNK):
        content = (size.to_bytes(8, "big") * (size // 8 + 1))[:size]
        path = tmp_path / str(size)
        path.write_bytes(content)
        paths.append(path)
        expected[path.name] = f"sha256:{hashlib.sha256(content).hexdigest()}"
    outcomes, reading = hashed(paths, threads=threads, spare=spare)
    assert outcomes == expected
    assert reading.done == reading.total


def test_what_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    good, pipe = tmp_path / "good", tmp_path / "pipe"
    good.write_bytes(b"x")
    os.mkfifo(pipe)
    outcomes, _ = hashed([tmp_path / "gone", pipe, tmp_path, good])
    assert isinstance(outcomes["gone"], FileNotFoundError)
    assert isinstance(outcomes["pipe"], OSError)
    assert isinstance(outcomes[tmp_path.name], OSError)
    assert outcomes["good"] == f"sha256:{hashlib.sha256(b'x').hexdigest()}"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc/self/mem gives EIO on Linux")
def test_an_error_of_the_disk_is_told(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.symlink_to("/proc/self/mem")
    outcome = hashed([bad])[0]["bad"]
    assert isinstance(outcome, OSError)
    assert outcome.strerror == "Input/output error"


def test_a_stop_ends_it_after_the_piece_it_is_at(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(8 * CHUNK))
    found: list[Path] = []

    class Stopping(Reading):
        def add(self, count: int) -> None:
            super().add(count)
            self.stop()

    reading = Stopping(8 * CHUNK)
    hash_files(iter([path, path]), reading, lambda path, outcome: found.append(path), spare=False)
    assert reading.done == CHUNK
    assert found == []
