"""What is said of a pull before it begins, and when a disk is too small for some."""

import pytest

from modeltui.domain.names import parse
from modeltui.domain.preflight import Preflight, Shortage, shortage, words

NAME = parse("qwen3:8b")
GB = 10**9
MODELS = "/var/lib/ollama"


def plan(name: str = "qwen3:8b", free: int | None = None, **lacking: int) -> Preflight:
    return Preflight(parse(name), True, 5 * GB, lacking, directory=MODELS if free else None, free=free)


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        (
            Preflight(NAME, True, 5_200_000_000, {"a": 4_100_000_000}, False, None, MODELS, 212 * GB),
            "qwen3:8b: 5.2 GB, 1.1 GB of it there, 212 GB free",
        ),
        (Preflight(NAME, True, 5 * GB, {"a": 5 * GB}), "qwen3:8b: 5 GB"),
        (Preflight(NAME, True, 5 * GB, {"a": 5 * GB - 1200}), "qwen3:8b: 5 GB"),
        (Preflight(NAME, True, 5 * GB, {}, is_same=False), "qwen3:8b: 5 GB, all of it there"),
        (Preflight(NAME, True, 5 * GB, {"w": 5 * GB - 10**6}), "qwen3:8b: 5 GB, 1 MB of it there"),
        (Preflight(NAME, True, 5 * GB, {"w": 5 * GB - 10**6 + 1}), "qwen3:8b: 5 GB"),
        (Preflight(NAME, True, 10**6, {"w": 990_000}), "qwen3:8b: 1 MB, 10.0 kB of it there"),
        (Preflight(NAME, True, 10**6, {"w": 990_001}), "qwen3:8b: 1 MB"),
        (Preflight(NAME, True, 5 * GB, {}, is_same=True), "qwen3:8b is installed and up to date, 5 GB"),
        (Preflight(NAME, False, free=3 * GB), "qwen3:8b: its registry knows no such model or tag, 3 GB free"),
        (
            Preflight(NAME, free=3 * GB, gaps=("size unknown (no answer in time)",)),
            "qwen3:8b: 3 GB free, size unknown (no answer in time)",
        ),
        (Preflight(NAME), ""),
    ],
)
def test_one_line(plan: Preflight, line: str) -> None:
    assert words(plan) == line


@pytest.mark.parametrize(
    "plans",
    [
        [],
        [plan(a=9 * GB)],  # the disk cannot be seen
        [Preflight(NAME, True, 9 * GB, None, free=GB)],  # what is there is not known
        [plan(free=9 * GB, a=9 * GB)],
        [plan(free=9 * GB, a=6 * GB, b=GB), plan("other:1b", free=9 * GB, a=6 * GB, c=2 * GB)],
    ],
)
def test_room_enough_or_nothing_known(plans: list[Preflight]) -> None:
    assert shortage(plans) is None


def test_what_needs_more_than_there_is() -> None:
    short = shortage([plan(free=212 * GB, a=404 * GB)])
    assert short == Shortage((NAME,), 404 * GB, 212 * GB, MODELS)
    assert short.words == "needs 404 GB, 212 GB free"
    assert short.sentence == f"qwen3:8b needs 404 GB, 212 GB free in {MODELS}"


def test_several_together_and_what_they_share_once() -> None:
    small, there = plan("a:1b", free=9 * GB, w=6 * GB), plan("b:1b", free=9 * GB)
    twin = plan("c:1b", free=9 * GB, w=6 * GB, x=4 * GB)
    short = shortage([small, there, twin])
    assert short is not None
    assert short.sentence == f"a:1b, c:1b together need 10.0 GB, 9 GB free in {MODELS}"
    many = shortage([plan(f"m{n}:1b", free=GB, **{f"w{n}": GB}) for n in range(5)])
    assert many is not None
    assert many.sentence == f"m0:1b, m1:1b, m2:1b and 2 more together need 5 GB, 1 GB free in {MODELS}"
