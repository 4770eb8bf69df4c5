"""Measures what keys cost: letters in the filter, cursor moves, other screens, a switch with proof."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from pseudoterminal import SILENCE_S, Burst, Terminal
from screen_stage import Stage

DOWN, UP, ENTER, ESCAPE, BACKSPACE = "\x1b[B", "\x1b[A", "\r", "\x1b", "\x7f"
REST_S = 0.12
"""Silence after which nothing more follows a key, the detail pane neither."""
PACE_S = 0.06
"""Seconds between two letters of somebody who types fast."""
WORDS = ("m000", "12", "llama", "7b", "-phi", "3")
CATALOG_WORDS = ("llama", "q4", "vision", "fits", "vram<8", "-instruct")
FAMOUS, ROWS = "llama3.1:", 20
"""The catalog's first row, and how many sizes at least are a screenful of it."""
RANKED, RANKS = "16k of ", 10
"""What stands in the row of every recommended model of a large context, and how many are a screenful."""
AT_REST_S = 1.5
JUDGED_S = 1.5
"""So long after the last byte every row of the catalog has been judged, too."""
Typed = tuple[str, str]
"""A key, and a text that its answer shows."""
LOADED = ("m00001-llama:2b", "m00000-qwen:1b")
"""The newest model comes last: it is the current one at the start, and cannot be switched to."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What one kind of key costs: milliseconds to the last byte and bytes, of those and with what follows."""

    median: float
    p90: float
    size: float
    with_pane: float

    @classmethod
    def of(cls, bursts: list[Burst], sizes: list[int]) -> "Keys":
        times = sorted(burst.ms for burst in bursts)
        return cls(
            statistics.median(times),
            times[round(0.9 * (len(times) - 1))],
            statistics.median(burst.size for burst in bursts),
            statistics.median(sizes),
        )


def pressed(terminal: Terminal, keys: Iterator[Typed], *, without_pane: bool = True) -> Keys:
    """Each key on its own: what follows the one before has come before the next is pressed."""
    bursts, sizes = [], []
    terminal.wait_quiet(REST_S)
    for key, shows in keys:
        before = terminal.mark
        bursts.append(terminal.press(key, shows, without_pane=without_pane))
        terminal.wait_quiet(REST_S)
        sizes.append(len(terminal.output(before)))
    return Keys.of(bursts, sizes)


def cursor(terminal: Terminal, moves: int) -> Keys:
    """Moves down and up again that do not scroll; the first ones warm up."""
    for key in (DOWN, UP):
        terminal.press(key)
    return pressed(terminal, islice(cycle([(DOWN, "")] * 8 + [(UP, "")] * 8), moves))


def letters(terminal: Terminal, keys: int, words: Sequence[str] = WORDS) -> tuple[Keys, float]:
    """Letters and backspaces in the filter: each on its own, and milliseconds of CPU at a typist's pace."""
    terminal.press("/")
    pressed(terminal, islice(_typed(words), 2 * len(words[0])))  # warms up
    costs = pressed(terminal, islice(_typed(words), keys))
    cpu = _cpu(terminal, keys, words)
    terminal.send(ESCAPE)
    terminal.wait_quiet(REST_S)
    return costs, cpu


def _typed(words: Sequence[str]) -> Iterator[Typed]:
    """Each word, and backspaces until it is gone; the filter line shows what is left."""
    for word in cycle(words):
        for end in range(1, len(word) + 1):
            yield word[end - 1], f"/ {word[:end]}"
        for end in reversed(range(len(word))):
            yield BACKSPACE, f"/ {word[:end]}"


def _cpu(terminal: Terminal, keys: int, words: Sequence[str]) -> float:
    before, at = terminal.cpu_seconds(), time.perf_counter()
    for key, _ in islice(_typed(words), keys):
        terminal.send(key)
        at += PACE_S
        time.sleep(max(0.0, at - time.perf_counter()))
    terminal.wait_quiet(SILENCE_S)
    spent: float = terminal.cpu_seconds() - before
    return spent * 1000 / keys


def first_visit(terminal: Terminal) -> tuple[float, float]:
    """Milliseconds from `2` until the empty catalog is painted, and until its rows are; once a program."""
    terminal.wait_quiet(AT_REST_S)  # what follows the first list is done
    before = terminal.mark
    sent = terminal.send("2")
    framed = terminal.wait_until(lambda text: "Reading the catalog" in text or FAMOUS in text, since=before)
    listed = terminal.wait_until(lambda text: text.count(" GB") >= ROWS and FAMOUS in text, since=before)
    terminal.wait_until(lambda text: "gpu " in text or "cpu " in text or "split" in text, since=before)
    terminal.wait_quiet(JUDGED_S)
    return (framed - sent) * 1000, (listed - sent) * 1000


def first_ranking(terminal: Terminal) -> tuple[float, float]:
    """Milliseconds from `3` until the frame of Recommend is painted, and until its rows are."""
    terminal.wait_quiet(AT_REST_S)
    before = terminal.mark
    sent = terminal.send("3")
    framed = terminal.wait_until(lambda text: "Ranking what would" in text or RANKED in text, since=before)
    listed = terminal.wait_until(lambda text: text.count(RANKED) >= RANKS, since=before)
    terminal.wait_quiet(JUDGED_S)
    return (framed - sent) * 1000, (listed - sent) * 1000


def helps(terminal: Terminal, rounds: int) -> tuple[Keys, Keys]:
    """Help on what is under the cursor, and back; the first round, which imports it, is not counted."""
    bursts = []
    for _ in range(2 * rounds + 2):
        terminal.wait_quiet(REST_S)
        bursts.append(terminal.press("?"))
    there, back = bursts[2::2], bursts[3::2]
    return Keys.of(there, [each.size for each in there]), Keys.of(back, [each.size for each in back])


def screens(terminal: Terminal, rounds: int, keys: str = "451") -> Keys:
    """Other screens and back; the first round, which makes the screens, is not counted."""
    for key in keys:
        terminal.press(key)
        terminal.wait_quiet(REST_S)
    turns = islice(cycle([(key, "") for key in keys]), len(keys) * rounds)
    return pressed(terminal, turns, without_pane=False)


def switches(server: Stage, runs: int) -> float:
    """Milliseconds from `s` on a loaded model until its row is marked as the current one: the median."""
    for name in LOADED:
        server.post("/api/generate", model=name, keep_alive=-1)
    with server.live() as terminal:
        return statistics.median(_switch(terminal, name) for name in islice(cycle(LOADED), runs))


def _switch(terminal: Terminal, name: str) -> float:
    for key in ("/", *name.partition("-")[0], ENTER):
        terminal.press(key)
    terminal.wait_quiet(REST_S)
    before = terminal.mark
    sent: float = terminal.send("s")
    # Its row alone is seen. Of the line that says so only what differs from the last one is sent.
    told: float = terminal.wait_until(lambda text: "●" in text, since=before)
    terminal.wait_quiet(REST_S)
    terminal.press(ESCAPE)
    return (told - sent) * 1000
