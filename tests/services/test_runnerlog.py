"""The runner's log: one clean line an event, private, bounded also while the runner lives."""

import os
from pathlib import Path

import pytest

from modeltui.services.runnerlog import RunnerLog, last_line

AT = 1_700_000_000_000
STAMP = "2023-11-14T22:13:20.000Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "runner.log"


def test_a_line_has_its_time_and_nothing_that_steers_a_terminal(path: Path) -> None:
    log = RunnerLog(path, clock=lambda: AT)
    log.write("1 qwen3:8b: starting")
    log.write("failed: \x1b[2J two\nlines \u202e")
    log.close()
    assert path.read_text("utf-8") == f"{STAMP} 1 qwen3:8b: starting\n{STAMP} failed: ·[2J two lines ·\n"
    assert last_line(path) == f"{STAMP} failed: ·[2J two lines ·"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_no_secret_is_written(path: Path) -> None:
    log = RunnerLog(path, clock=lambda: AT)
    log.write("GET https://me:hush-hush@box/v2?token=hush-hush refused: Bearer hush-hush-hush")
    log.close()
    assert "hush" not in path.read_text("utf-8")


def test_it_is_bounded_while_it_is_written(path: Path) -> None:
    log = RunnerLog(path, clock=lambda: AT, limit=2_000)
    for number in range(200):
        log.write(f"line {number}")
    log.close()
    older = path.with_name("runner.log.1")
    sizes = [each.stat().st_size for each in (path, older)]
    assert all(0 < size <= 2_000 for size in sizes)
    assert sorted(each.name for each in path.parent.iterdir()) == ["runner.log", "runner.log.1"]
    lines = (older.read_text("utf-8") + path.read_text("utf-8")).splitlines()
    numbers = [int(line.rpartition(" ")[2]) for line in lines]
    assert numbers == list(range(numbers[0], 200))
    assert {each.stat().st_mode & 0o777 for each in (path, older)} == {0o600}


def test_streams_lead_into_the_log_that_is_written_now(path: Path) -> None:
    stray = os.open(os.devnull, os.O_WRONLY)
    log = RunnerLog(path, clock=lambda: AT, streams=(stray,), limit=500)
    try:
        os.write(stray, b"a stray word\n")
        assert last_line(path) == "a stray word"
        for number in range(20):
            log.write(f"line {number}")
        os.write(stray, b"another stray word\n")
        assert last_line(path) == "another stray word"
    finally:
        log.close()
        os.close(stray)


def test_one_that_cannot_be_written_any_more_stops_nothing(path: Path) -> None:
    log = RunnerLog(path, clock=lambda: AT, limit=100)
    (path.with_name("runner.log.1") / "in the way").mkdir(parents=True)
    for _ in range(3):
        log.write("x" * 90)
    log.close()
    assert path.stat().st_size <= 200


def test_the_last_line_of_no_log_is_empty(path: Path) -> None:
    assert last_line(path) == ""
    RunnerLog(path, clock=lambda: AT).close()
    assert last_line(path) == ""
