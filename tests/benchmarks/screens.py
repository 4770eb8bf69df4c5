"""Measures the screens' budgets through a pseudo-terminal beside a bare Textual app, and prints a table.

    python tests/benchmarks/screens.py [--runs N] [--quick]

Each measurement has servers and directories of its own. Programs that are compared run in turn, or side
by side where they only rest; medians are compared. On a busy machine times swing; ratios, bytes, CPU less so.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import screen_keys
import screen_rest
import screen_start
from screen_stage import stage

PULL_RATE = 40_000_000
SMALL_GPU = '[servers.local.hardware]\ngpus = ["rtx 3060"]\nram = "64GB"\n[recommend]\npriority = "quality"\n'
"""A machine on which the best models lie partly in RAM."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement of ours and perhaps of the bare app; the budget in words and as a check."""

    what: str
    ours: float
    bare: float | None
    unit: str
    budget: str
    holds: Callable[[float, float, float], bool]
    """Of ours, the bare app's (0 where there is none) and a slack."""

    def is_within(self, slack: float = 1.0) -> bool:
        """Whether the budget, widened by `slack`, holds."""
        return self.holds(self.ours, self.bare or 0.0, slack)

    def __str__(self) -> str:
        bare = "" if self.bare is None else _number(self.bare)
        ratio = f"{self.ours / self.bare:.2f}" if self.bare else ""
        holds = ("yes" if self.is_within() else "NO") if self.budget else ""
        ours = _number(self.ours)
        return f"{self.what:50} {ours:>7} {bare:>7} {self.unit:4} {ratio:>6}  {self.budget:10} {holds}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _at_most(limit: float) -> Callable[[float, float, float], bool]:
    return lambda ours, bare, slack: ours <= limit * slack


def _times(limit: float) -> Callable[[float, float, float], bool]:
    return lambda ours, bare, slack: ours <= limit * slack * bare


def _above(limit: float) -> Callable[[float, float, float], bool]:
    return lambda ours, bare, slack: ours - bare <= limit * slack


def _nothing(ours: float, bare: float, slack: float) -> bool:
    """No byte at all; with slack the status line may tell of another latency."""
    return ours <= 100 * (slack - 1)


def _any(ours: float, bare: float, slack: float) -> bool:
    return True


def start_rows(runs: int, root: Path) -> list[Row]:
    taken = screen_start.measure(runs, root)
    bare = taken["bare"]
    return [
        Row("start: the frame", taken["frame"], bare, "ms", "<= 1.2 x", _times(1.2)),
        Row("start: the last known rows of 500", taken["known"], bare, "ms", "<= 1.3 x", _times(1.3)),
        Row("start: live rows, the very first", taken["first"], bare, "ms", "<= 1.6 x", _times(1.6)),
        Row("start: known rows said to be live", taken["again"], bare, "ms", "<= 1.6 x", _times(1.6)),
        Row(
            "resident memory after that",
            taken["memory"],
            taken["bare_memory"],
            "MB",
            "<= 1.6 x",
            _times(1.6),
        ),
    ]


def filter_rows(models: int, keys: int, root: Path) -> list[Row]:
    """The budgets are for 10,000 models; with fewer the same must hold."""
    with stage(root, models) as server, server.live() as terminal:
        costs, cpu = screen_keys.letters(terminal, keys)
    what = f"filter, {models} models: key to last byte"
    return [
        Row(f"{what}, median", costs.median, None, "ms", "<= 20", _at_most(20)),
        Row(f"{what}, p90", costs.p90, None, "ms", "<= 50", _at_most(50)),
        Row(f"filter, {models} models: CPU of a key", cpu, None, "ms", "<= 8", _at_most(8)),
        Row(f"filter, {models} models: bytes of a key", costs.size, None, "B", "", _any),
    ]


def catalog_rows(runs: int, keys: int, root: Path) -> list[Row]:
    """All tags of the shipped catalog, judged for this machine."""
    with stage(root, screen_start.MODELS) as server:
        visits = []
        for _ in range(runs):
            with server.live() as terminal:
                visits.append(screen_keys.first_visit(terminal))
        with server.live() as terminal:
            screen_keys.first_visit(terminal)
            costs, cpu = screen_keys.letters(terminal, keys, screen_keys.CATALOG_WORDS)
            moves = screen_keys.cursor(terminal, 2 * runs)
            back = screen_keys.screens(terminal, runs, "12")
    frame, rows = (median(times) for times in zip(*visits, strict=True))
    what = "filter, all tags of the catalog: key to last byte"
    return [
        Row("first visit of the catalog: the frame", frame, None, "ms", "<= 100", _at_most(100)),
        Row("first visit of the catalog: its rows", rows, None, "ms", "<= 300", _at_most(300)),
        Row(f"{what}, median", costs.median, None, "ms", "<= 20", _at_most(20)),
        Row(f"{what}, p90", costs.p90, None, "ms", "<= 50", _at_most(50)),
        Row("filter, all tags of the catalog: CPU of a key", cpu, None, "ms", "<= 8", _at_most(8)),
        Row("filter, all tags of the catalog: bytes of a key", costs.size, None, "B", "", _any),
        Row("cursor move in the catalog: the table", moves.size, None, "B", "<= 600", _at_most(600)),
        Row("cursor move, with the pane", moves.with_pane, None, "B", "<= 2000", _at_most(2000)),
        Row("screens 1 2: key to last byte", back.median, None, "ms", "<= 100", _at_most(100)),
    ]


def recommend_rows(runs: int, seconds: float, root: Path) -> list[Row]:
    """The ranking for a machine with a GPU on which some models lie in part."""
    with stage(root, screen_start.MODELS) as server:
        visits = []
        for _ in range(runs):
            with server.live(added=SMALL_GPU) as terminal:
                visits.append(screen_keys.first_ranking(terminal))
        with server.live(added=SMALL_GPU) as terminal:
            screen_keys.first_ranking(terminal)
            moves = screen_keys.cursor(terminal, 2 * runs)
            terminal.wait_quiet(screen_keys.AT_REST_S)
            idle = screen_rest.over(seconds, terminal)[0]
            back = screen_keys.screens(terminal, runs, "13")
    frame, rows = (median(times) for times in zip(*visits, strict=True))
    return [
        Row("first visit of Recommend: the frame", frame, None, "ms", "<= 100", _at_most(100)),
        Row("first visit of Recommend: its rows", rows, None, "ms", "<= 300", _at_most(300)),
        Row("cursor move in Recommend: the table", moves.size, None, "B", "<= 600", _at_most(600)),
        Row("cursor move, with the score", moves.with_pane, None, "B", "<= 2000", _at_most(2000)),
        Row("screens 1 3: key to last byte", back.median, None, "ms", "<= 100", _at_most(100)),
        Row("screens 1 3: p90", back.p90, None, "ms", "", _any),
        Row(f"Recommend idle over {seconds:.0f} s: bytes", idle.size, None, "B/s", "0", _nothing),
    ]


def key_rows(runs: int, root: Path) -> list[Row]:
    with stage(root, screen_start.MODELS) as server:
        with server.live() as terminal:
            cursor = screen_keys.cursor(terminal, 2 * runs)
            screens = screen_keys.screens(terminal, runs)
            there, back = screen_keys.helps(terminal, runs)
        with server.bare_at_rest() as terminal:
            bare = screen_keys.cursor(terminal, 2 * runs)
        switch = screen_keys.switches(server, max(2, runs // 2))
    return [
        Row("cursor move: the table", cursor.size, bare.size, "B", "<= 600", _at_most(600)),
        Row("cursor move: with the pane", cursor.with_pane, bare.with_pane, "B", "<= 2000", _at_most(2000)),
        Row("cursor move: key to last byte", cursor.median, bare.median, "ms", "", _any),
        Row("screens 1 4 5: key to last byte", screens.median, None, "ms", "<= 100", _at_most(100)),
        Row("screens 1 4 5: p90", screens.p90, None, "ms", "", _any),
        Row("screens 1 4 5: bytes", screens.size, None, "B", "", _any),
        Row("help: key to last byte", there.median, None, "ms", "<= 50", _at_most(50)),
        Row("help: bytes", there.size, None, "B", "", _any),
        Row("back from help: key to last byte", back.median, None, "ms", "<= 50", _at_most(50)),
        Row("switch to a loaded model, with proof", switch, None, "ms", "<= 1000", _at_most(1000)),
    ]


def idle_rows(seconds: float, root: Path) -> list[Row]:
    with stage(root, screen_start.MODELS) as server:
        ours, bare = screen_rest.idle(server, seconds)
    what = f"idle over {seconds:.0f} s"
    return [
        Row(f"{what}: bytes", ours.size, bare.size, "B/s", "0", _nothing),
        Row(f"{what}: CPU", ours.cpu, bare.cpu, "%", "<= 0.3 over", _above(0.3)),
    ]


def download_rows(seconds: float, root: Path) -> list[Row]:
    with stage(root, 0, PULL_RATE) as server:
        cost = screen_rest.downloads(server, seconds)
    return [
        Row("three pulls on Downloads: bytes", cost.size, None, "B/s", "<= 1024", _at_most(1024)),
        Row("three pulls on Downloads: CPU", cost.cpu, None, "%", "", _any),
    ]


def meter_rows(seconds: float, root: Path) -> list[Row]:
    with stage(root, 0) as server:
        cost = screen_rest.meters(server, seconds)
    return [
        Row("live meters of two GPUs on Running: bytes", cost.size, None, "B/s", "<= 200", _at_most(200)),
        Row("live meters of two GPUs on Running: CPU", cost.cpu, None, "%", "", _any),
    ]


def parts(runs: int, quick: bool) -> dict[str, Callable[[Path], list[Row]]]:
    """The measurements by name, each made in an empty directory."""
    keys = 12 if quick else 120
    few = {} if quick else {"filter-50": lambda root: filter_rows(50, keys, root)}
    return {
        "start": lambda root: start_rows(runs, root),
        **few,
        "filter-10000": lambda root: filter_rows(10_000, keys, root),
        "catalog": lambda root: catalog_rows(runs, keys, root),
        "recommend": lambda root: recommend_rows(runs, 3 if quick else 60, root),
        "keys": lambda root: key_rows(runs, root),
        "idle": lambda root: idle_rows(3 if quick else 60, root),
        "downloads": lambda root: download_rows(3 if quick else 10, root),
        "meters": lambda root: meter_rows(10 if quick else 60, root),
    }


def rows(runs: int = 2, quick: bool = True, only: str = "") -> Iterator[Row]:
    """All measurements, or those whose name begins with `only`, each as soon as it is made."""
    for name, measure in parts(runs, quick).items():
        if name.startswith(only):
            with tempfile.TemporaryDirectory() as root:
                yield from measure(Path(root))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="as the test: two runs, short, the long list only",
    )
    parser.add_argument("--only", default="", help=f"one of {', '.join(parts(1, True))}, or how they begin")
    wishes = parser.parse_args()
    print(f"{'what':50} {'ours':>7} {'bare':>7} {'':4} {'ratio':>6}  {'budget':10} holds")  # noqa: T201
    for row in rows(2 if wishes.quick else wishes.runs, wishes.quick, wishes.only):
        print(row, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
