"""Measures the start of the screens: the frame, the last known and the first live rows, and memory then."""

import statistics
from collections import defaultdict
from pathlib import Path

from pseudoterminal import Terminal, plain
from screen_stage import ONLINE, Stage, screenful, stage

MODELS = 500
FRAME = "Models"
DELAY_S = 30.0
"""How long the server keeps an answer back, so that what is seen is what was remembered."""
LATER_S = 1.5
"""By then everything that is imported after the first list is there, and is counted as memory, too."""

Taken = dict[str, float]


def measure(runs: int, root: Path) -> Taken:
    """Medians of each: milliseconds since the process was asked for, and MB; the programs run in turn."""
    taken: dict[str, list[float]] = defaultdict(list)
    with stage(root, MODELS) as server:
        with server.live() as terminal:
            terminal.quit()  # what it has read warms the bare app up, too
        for run in range(runs):
            both = {**_bare(server), **_known(server), **_first(server, f"first{run}"), **_again(server)}
            for word, value in both.items():
                taken[word].append(value)
    return {word: statistics.median(values) for word, values in taken.items()}


def _bare(server: Stage) -> Taken:
    """The bare app to its full paint: the last of its visible rows."""
    with server.bare() as terminal:
        painted = screenful(terminal)
        terminal.wait_quiet(0.3)
        return {"bare": _ms(terminal, painted), "bare_memory": terminal.memory() / 1e6}


def _known(server: Stage) -> Taken:
    """The state directory knows the server, which keeps its answers back."""
    with server.delayed(DELAY_S), server.screens() as terminal:
        framed = terminal.wait_until(lambda text: FRAME in text)
        painted = screenful(terminal)
        assert ONLINE not in plain(terminal.output()), "live rows came in spite of the delay"
        return {"frame": _ms(terminal, framed), "known": _ms(terminal, painted)}


def _first(server: Stage, home: str) -> Taken:
    """The very first start, in empty directories."""
    with server.screens(home) as terminal:
        painted = screenful(terminal)
        terminal.wait_until(lambda text: ONLINE in text)
        terminal.wait_quiet(LATER_S)
        return {"first": _ms(terminal, painted), "memory": terminal.memory() / 1e6}


def _again(server: Stage) -> Taken:
    """Any later start: until it is said that the rows are live."""
    with server.screens() as terminal:
        return {"again": _ms(terminal, terminal.wait_until(lambda text: ONLINE in text))}


def _ms(terminal: Terminal, at: float) -> float:
    began: float = terminal.began
    return (at - began) * 1000
