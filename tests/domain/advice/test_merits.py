"""What speaks for a row of a recommendation, and the sentence that says so, on candidates made by hand."""

import re
from typing import Any

import pytest

from modeltui.catalog.loading import load_base
from modeltui.catalog.quality import quality_rows
from modeltui.domain.advice.fit import MEMORY, FitKind
from modeltui.domain.advice.merits import merit_of
from modeltui.domain.advice.quality import Basis, Level, Quality
from modeltui.domain.advice.scoring import Candidate, Wish
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.serving import Serving
from modeltui.services.advice import Advice, Circumstance
from modeltui.services.recommending import Recommending

GB = 10**9


def candidate(name: str = "one", *, sees: bool = False, basis: Basis = Basis.MAKER, **more: Any) -> Candidate:
    about = {"released": "2026-01", "commercial": "yes", "publisher": "Maker", **more.pop("about", {})}
    inputs = frozenset({"text", "image"} if sees else {"text"})
    chips = frozenset({"completion", *(["vision"] if sees else [])})
    tag = Tag(name, "8b", size=5 * GB, parameters=8 * GB, inputs=inputs)
    series = Series(name=name, tags=(tag,), role="chat", capabilities=chips, **about)
    given = {
        "value": 10.0,
        "kind": FitKind.GPU,
        "needs": 8 * GB,
        "headroom": 2 * GB,
        "tokens": 40.0,
        "is_measured": False,
        "memory": MEMORY,
        "trained": 131_072,
        **more,
    }
    return Candidate(name=name, series=series, tag=tag, level=Level(10.0, basis, 3), **given)


@pytest.mark.parametrize(
    ("better", "words"),
    [
        ({"is_installed": True}, "installed already"),
        ({"is_installed": True, "is_measured": True}, "measured here"),
        ({"tokens": 80.0}, "twice as fast"),
        ({"tokens": 41.0}, ""),
        ({"needs": 4 * GB}, "half of its memory"),
        ({"needs": 7 * GB}, ""),
        ({"sees": True}, "the first here that reads images"),
        ({"headroom": 4 * GB}, "leaves the most room on the GPU yet"),
        ({"headroom": 9 * GB, "kind": FitKind.SPLIT}, ""),
        ({"about": {"released": "2026-05"}}, "the newest yet (2026-05)"),
        ({"about": {"publisher": "Other"}}, "the highest placed from Other"),
        ({"basis": Basis.SCORES}, "known by better evidence than those above"),
        ({"tokens": None, "needs": None, "headroom": None, "trained": None}, ""),
    ],
)
def test_the_best_point_is_named(better: dict[str, Any], words: str) -> None:
    assert merit_of(candidate("two", **better), [candidate()], Task.CODING, 65_536) == words


def test_what_holds_of_one_above_is_no_point_against_all() -> None:
    first, second = candidate(), candidate("second", tokens=100.0, needs=2 * GB)
    assert merit_of(candidate("three", tokens=60.0), [first], Task.CODING, None) == "1.5 times as fast"
    mine = candidate("three", tokens=60.0, about={"released": "2026-05"})
    assert merit_of(mine, [first, second], Task.CODING, None) == "the newest yet (2026-05)"
    assert (
        merit_of(candidate("three", tokens=60.0), [first, second], Task.CODING, None) == "1.5 times as fast"
    )


def test_a_license_for_any_use_is_worth_saying_where_none_above_has_one() -> None:
    bound = candidate(about={"commercial": "conditions"})
    assert merit_of(candidate("two"), [bound], Task.CODING, None) == "the first under a license for any use"
    assert merit_of(candidate("two"), [bound, candidate()], Task.CODING, None) == ""


def test_a_longer_context_must_fit_and_be_more_than_any_above_was_trained_for() -> None:
    mine = candidate("two", trained=1 << 20)
    said = merit_of(mine, [candidate(trained=131_072)], Task.CODING, 262_144)
    assert said == "room for the longest context yet (256k)"
    assert merit_of(mine, [candidate(trained=131_072)], Task.CODING, 200_000) == ""
    assert merit_of(mine, [candidate(trained=None)], Task.CODING, 262_144) == ""


def test_images_are_no_point_where_all_read_them() -> None:
    assert merit_of(candidate("two", sees=True), [candidate(sees=True)], Task.CODING, None) == ""
    assert merit_of(candidate("two", sees=True), [candidate()], Task.VISION, None) == ""


@pytest.mark.parametrize("hardware", ["none+16GB", "8GB+16GB", "24GB+64GB", "80GB+128GB"])
def test_every_row_of_a_list_says_something_of_its_own(hardware: str) -> None:
    catalog = load_base()
    quality = Quality(catalog.series, quality_rows(), catalog.as_of)
    machine = KnownMachine(parse_hardware(hardware), "this machine")
    advice = Advice(Circumstance(machine, Serving((0, 33, 0)), catalog))
    recommending = Recommending(advice, quality)
    for task in Task:
        rows = recommending.recommend(Wish(task, Priority.BALANCED), 8).rows
        assert rows
        for row in rows:
            lead, _, facts = row.why.partition(": ")
            assert "another line" not in lead and not re.search(r"\d [kMGT]?B\b", lead), "bytes are said once"
            sizes = re.findall(r"[\d.]+ [kMGT]?B\b", facts)
            assert len(sizes) == (2 if row.kind is FitKind.SPLIT else 1), row.why
            if "GPU" in facts and row.kind is FitKind.GPU:
                assert row.needs is not None and machine.machine is not None
                assert row.needs <= sum(card.total for card in machine.machine.cards)
        plain = [row.why for row in rows if "behind in all" in row.why]
        assert len(plain) <= 2, plain
