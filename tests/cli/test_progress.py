"""The progress of pulls: what a line holds, how it is repainted, and what is said where nothing can be."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from commandline import Home, Screen, Stage, Terminal, cell_width, harmful

from modeltui.cli.output import Output
from modeltui.cli.progress import Progress
from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel
from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import State, Transfer
from modeltui.store.queue import QueuedTransfer

NOW = 1_000_000
PULLING = Transfer(
    parse("hf.co/unsloth/Qwen3-GGUF:Q4_K_M"),
    state=State.PULLING,
    total=5_225_374_432,
    total_exact=True,
    done=2_900_000_000,
    speed=61_200_000.0,
    ends_at=NOW + 37_000,
    grown_at=NOW,
)


class TerminalText(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def row(transfer: Transfer, number: int = 1) -> QueuedTransfer:
    return QueuedTransfer(
        number=number,
        server_id=1,
        position=number,
        wishes=0,
        created=0,
        announced_digest=None,
        transfer=transfer,
    )


@pytest.fixture
def painted() -> Iterator[Any]:
    """Return what makes a progress on a terminal of a width, and the text that it gets."""

    def made(columns: int) -> tuple[Progress, TerminalText]:
        text = TerminalText()
        environ = {"TERM": "xterm", "COLUMNS": str(columns)}
        return Progress(Output(as_json=False, environ=environ, stdout=text, stderr=text), 10), text

    yield made


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (
            120,
            "  1 hf.co/unsloth/Qwen3-GGUF:Q4_K_M  ▇▇▇▇▇▇▇▇▇▇▇░░░░░░░░░  55 %"
            "  2.9 of 5.23 GB  61.2 MB/s  37 s left",
        ),
        (80, "  1 Qwen3-G…:Q4_K_M ▇▇▇▇▇░░░░░  55 %  2.9 of 5.23 GB  61.2 MB/s  37 s left"),
        (60, "  1 Qwen…:Q4_K_M  55 %  2.9 of 5.23 GB  37 s left"),
        (44, "  1 Qwen…:Q4_K_M  55 %  37 s left"),
    ],
)
def test_a_line_holds_bar_percent_bytes_speed_and_time_left(painted: Any, columns: int, line: str) -> None:
    progress, text = painted(columns)
    progress.update([row(PULLING)], NOW)
    assert re.sub(r"\d+ (s|min) left\n", "37 s left", text.getvalue()) == line
    assert cell_width(text.getvalue().rstrip("\n")) < columns


@pytest.mark.parametrize("columns", [120, 80, 60, 44, 20])
@pytest.mark.parametrize(
    "transfer",
    [
        PULLING,
        replace(PULLING, total=None, total_exact=False, speed=None),
        replace(PULLING, total_exact=False),
        replace(PULLING, speed=1.0, grown_at=NOW - 45_000),
        replace(PULLING, name=parse("x" * 80 + ":" + "y" * 80)),
        replace(PULLING, state=State.RETRYING, attempts=3, retry_at=NOW + 12_000, detail="no answer " * 40),
        replace(PULLING, state=State.RETRYING, attempts=10, detail="中" * 200),
        replace(PULLING, state=State.BLOCKED, cause=Cause.DISK, detail="no space left on device"),
        replace(PULLING, state=State.VERIFYING, done=5_225_374_432),
        replace(PULLING, state=State.WAITING, done=0, total=None, total_exact=False),
    ],
    ids=lambda transfer: str(transfer.state),
)
def test_no_line_ever_reaches_the_last_column(painted: Any, columns: int, transfer: Transfer) -> None:
    progress, text = painted(columns)
    progress.update([row(transfer)], NOW)
    assert cell_width(text.getvalue().rstrip("\n")) < columns


def test_lines_stand_below_each_other_whatever_they_say(painted: Any) -> None:
    progress, text = painted(100)
    waiting = replace(PULLING, state=State.WAITING, name=parse("tiny"))
    progress.update([row(PULLING), row(waiting, 2), row(replace(PULLING, speed=None), 13)], NOW)
    lines = text.getvalue().splitlines()
    assert len({line.index("░") - line.count("▇") for line in lines}) == 1


def test_only_what_changed_is_painted(painted: Any) -> None:
    progress, text = painted(80)
    rows = [row(PULLING, 1), row(PULLING, 2), row(PULLING, 3)]
    progress.update(rows, NOW)
    text.seek(0)
    text.truncate()
    progress.update(rows, NOW)
    assert text.getvalue() == ""
    rows[1] = row(replace(PULLING, done=4_000_000_000), 2)
    progress.update(rows, NOW)
    assert text.getvalue().startswith("\x1b[2A\r  2 ")
    assert text.getvalue().endswith("\x1b[K\x1b[2B\r")
    assert text.getvalue().count("Q4_K_M") == 1


def test_the_screen_shows_the_last_of_every_line_and_nothing_after_clear(painted: Any) -> None:
    progress, text = painted(80)
    for done in range(0, 5_000_000_000, 500_000_000):
        progress.update([row(replace(PULLING, done=done), n) for n in (1, 2)], NOW)
    screen = Screen(80)
    screen.feed(text.getvalue().replace("\n", "\r\n"))
    assert len(screen.lines) == 3
    assert all(" 86 % " in line and "4.5 of 5.23 GB" in line for line in screen.lines[:2])
    progress.clear()
    screen = Screen(80)
    screen.feed(text.getvalue().replace("\n", "\r\n"))
    assert screen.lines == [""]


def test_without_a_terminal_there_is_a_line_a_state_and_no_repetition() -> None:
    talk = io.StringIO()
    out = Output(as_json=False, environ={}, stdout=io.StringIO(), stderr=talk)
    progress = Progress(out, 10)
    for state in (State.WAITING, State.PULLING, State.PULLING, State.VERIFYING):
        for done in (1, 2, 3):
            progress.update([row(replace(PULLING, state=state, done=done))], NOW)
    assert talk.getvalue().count("\n") == 3
    assert "\x1b" not in talk.getvalue()


@pytest.mark.parametrize("columns", [80, 60])
def test_a_pull_on_a_terminal(home: Home, stage: Stage, columns: int) -> None:
    stage.publish(DemoModel("a:7b", "a", 40_000_000), DemoModel("b:7b", "b", 40_000_000))
    stage.set_rate(25_000_000)
    with Terminal(home, "pull", "a:7b", "b:7b", columns=columns) as terminal:
        ran = terminal.end()
    assert ran.code == 0
    assert harmful(ran.out, on_terminal=True) == set()
    screen = Screen(columns)  # a line that wraps is an error there
    screen.feed(ran.out.replace("\n", "\r\n"))
    *known, first, second, last = screen.lines
    assert known == ["a:7b: 40.0 MB", "b:7b: 40.0 MB"]
    assert (first.partition(",")[0], second.partition(",")[0], last) == (
        "a:7b installed",
        "b:7b installed",
        "",
    )
    assert " left" in ran.out and " of 40" in ran.out
    assert (" MB/s  " in ran.out) is (columns == 80)
    assert ("▇" in ran.out) is (columns == 80)
    # The second line waits while the first moves, and is not painted again.
    assert max(part.count("a:7b") for part in ran.out.split("b:7b")) >= 3


def test_a_stall_and_a_retry_are_told_on_the_terminal(home: Home, stage: Stage) -> None:
    stage.publish(DemoModel("first:7b", "first", 40_000_000))
    stage.set_rate(80_000_000)
    stage.trouble(Kind.RESET, "/api/pull", after_bytes=10_000_000, times=2)
    with Terminal(home, "pull", "first:7b") as terminal:
        ran = terminal.end()
    assert ran.code == 0
    assert "retry 1 of 10" in ran.out
    screen = Screen(80)
    screen.feed(ran.out.replace("\n", "\r\n"))
    assert screen.lines[1].startswith("first:7b installed, digest checked, 40.0 MB")


def test_a_dumb_terminal_gets_plain_lines(home: Home, stage: Stage) -> None:
    with Terminal(home, "pull", "tiny-demo", environ={"TERM": "dumb"}) as terminal:
        ran = terminal.end()
    assert ran.code == 0
    assert "\x1b" not in ran.out and "\r" not in ran.out
    assert ran.out.startswith("tiny-demo:latest: 2 MB\n1 tiny-demo:latest: waiting\n")
