"""How every screen looks, each at its hardest size: pictures to look at, then to keep.

`pytest tests/tui/test_snapshots.py --snapshot-update` takes them anew; look at each before it is committed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogs import shipped
from ranked_values import WISH, answered
from still_app import Step, in_utc, keys, remember_current, showing, still_app
from still_values import (
    AWAY,
    CHOICE,
    CONTRADICTED,
    CURRENT,
    DAMAGED,
    FACTS,
    FIRST,
    GB,
    INSTALLED,
    JUDGED,
    NEEDS,
    QUEUE,
    REMEMBERED,
    REMOVALS,
    RUNNING,
    URL,
)
from textual.pilot import Pilot

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.series import Tag
from modeltui.domain.machines.machine import KnownMachine
from modeltui.errors import ServerFailed
from modeltui.services.advice import Advice, Circumstance, Numbers
from modeltui.services.aliasing import Alias
from modeltui.services.changing import Changing
from modeltui.services.switching import Switching
from modeltui.tui.advising import advised
from modeltui.tui.app import ModelTuiApp
from modeltui.tui.ranker import Ranks
from modeltui.tui.screens.catalog import CatalogScreen
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.recommend import RecommendScreen
from modeltui.tui.state import Models

Compare = Callable[..., bool]
TINY, SMALL, NORMAL, WIDE = (60, 20), (80, 24), (100, 30), (120, 35)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with in_utc(monkeypatch):
        yield


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelTuiApp]:
    with still_app(tmp_path, monkeypatch) as app:
        yield app


def answering(value: object) -> Callable[..., Any]:
    """A method of a service that needs no server."""

    async def answer(*_: object, **__: object) -> object:
        return value

    return answer


def test_models_in_every_state(app: ModelTuiApp, snap_compare: Compare) -> None:
    """Marked rows, and a filter that is open."""
    step = keys("down", "down", "space", "down", "space", "slash", "m")
    assert snap_compare(app, terminal_size=SMALL, run_before=showing(step, models=INSTALLED, advice=JUDGED))


def test_models_with_the_pane(app: ModelTuiApp, snap_compare: Compare) -> None:
    step = keys("down")
    shown = showing(step, models=INSTALLED, transfers=QUEUE[:1], advice=JUDGED)
    assert snap_compare(app, terminal_size=WIDE, run_before=shown)


def test_models_as_they_were(app: ModelTuiApp, snap_compare: Compare) -> None:
    """The server is away: remembered rows with their age."""
    assert snap_compare(app, terminal_size=SMALL, run_before=showing(connection=AWAY, models=REMEMBERED))


def test_models_in_ascii_and_without_colour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with still_app(tmp_path, monkeypatch, colour="none", glyphs="ascii") as app:
        step = keys("down", "space")
        assert snap_compare(
            app, terminal_size=SMALL, run_before=showing(step, models=INSTALLED, transfers=QUEUE)
        )


def test_the_first_start_without_a_server(app: ModelTuiApp, snap_compare: Compare) -> None:
    assert snap_compare(app, terminal_size=TINY, run_before=showing(connection=FIRST))


def test_no_model_and_an_error(app: ModelTuiApp, snap_compare: Compare) -> None:
    error = ServerFailed(
        "the server failed: write /root/.ollama/models/blobs: no space left on device",
        url=f"{URL}/api/pull",
        remedy="free space on the server's disk, then resume it: modeltui queue resume",
    )

    async def fail(pilot: Pilot[object]) -> None:
        app.tell_error(error)

    nothing = Models(at=INSTALLED.at, is_live=True, loaded=())
    assert snap_compare(app, terminal_size=TINY, run_before=showing(fail, models=nothing))


def test_details_of_a_damaged_model(app: ModelTuiApp, snap_compare: Compare) -> None:
    async def open_it(pilot: Pilot[object]) -> None:
        app.show_details(DAMAGED.model.sent)

    assert snap_compare(app, terminal_size=TINY, run_before=showing(open_it, models=INSTALLED))


def test_details_of_the_current_model(app: ModelTuiApp, snap_compare: Compare) -> None:
    async def open_it(pilot: Pilot[object]) -> None:
        app.show_details(FACTS.entry.model.sent)
        await pilot.pause()
        assert isinstance(app.screen, DetailsScreen)
        app.screen.facts = FACTS
        app.screen.show_state()

    shown = showing(open_it, models=INSTALLED, advice=JUDGED)
    assert snap_compare(app, terminal_size=NORMAL, run_before=shown)


def test_downloads_in_every_state(app: ModelTuiApp, snap_compare: Compare) -> None:
    step = keys("4", "down", "down", "down", "down", "down", "down", "down", "down", "down")
    assert snap_compare(app, terminal_size=SMALL, run_before=showing(step, models=INSTALLED, transfers=QUEUE))


def test_running_elsewhere(app: ModelTuiApp, snap_compare: Compare) -> None:
    """The last one belongs to no model, which is said from the second look on."""

    async def step(pilot: Pilot[object]) -> None:
        await keys("5", "down", "down")(pilot)
        app.running_now = replace(RUNNING, at=RUNNING.at + 1)

    assert snap_compare(
        app, terminal_size=TINY, run_before=showing(step, models=INSTALLED, running_now=RUNNING)
    )


def test_running_here_where_the_server_claims_too_much(app: ModelTuiApp, snap_compare: Compare) -> None:
    step = keys("5")
    assert snap_compare(
        app, terminal_size=WIDE, run_before=showing(step, models=INSTALLED, running_now=CONTRADICTED)
    )


def fixed_numbers(advice: Advice, tag: Tag) -> Numbers:
    """Numbers of a card of 16 GB that no change of the estimates moves."""
    needs = None if tag.size is None else tag.size * 6 // 5
    kind = FitKind.UNKNOWN if needs is None else FitKind.GPU if needs < 16 * GB else FitKind.SPLIT
    score = None if needs is None else max(10, 99 - needs // GB)
    return Numbers(kind, score, needs, 0, None, False, 4096, ())


@pytest.fixture
def judged(app: ModelTuiApp, monkeypatch: pytest.MonkeyPatch) -> Step:
    """A step that opens the catalog of the package, on a machine that nobody knows, with fixed numbers."""
    for module in ("judging", "offerfacts", "screens.catalogdetails"):
        monkeypatch.setattr(f"modeltui.tui.{module}.numbers_of", fixed_numbers)

    async def run(pilot: Pilot[object]) -> None:
        app.catalog = shipped()
        known = KnownMachine(None, "", "it is elsewhere")
        installed = (CURRENT.model,)
        app.advice = advised(Circumstance(known, catalog=shipped(), installed=installed))
        await pilot.press("2")
        screen = app.screen
        assert isinstance(screen, CatalogScreen)
        while screen._search is None or not screen._search.judged.is_whole:
            await pilot.pause(0.02)
        await pilot.pause()

    return run


def test_the_catalog_where_words_choose_tags(app: ModelTuiApp, snap_compare: Compare, judged: Step) -> None:
    async def step(pilot: Pilot[object]) -> None:
        await judged(pilot)
        await keys("slash", *"qwen3.5 <40gb", "enter", "down", "space", "down")(pilot)

    assert snap_compare(app, terminal_size=SMALL, run_before=showing(step, models=INSTALLED))


def test_the_catalog_with_the_pane(app: ModelTuiApp, snap_compare: Compare, judged: Step) -> None:
    async def step(pilot: Pilot[object]) -> None:
        await judged(pilot)
        await keys("down", "right", "down")(pilot)
        await pilot.pause(0.2)

    assert snap_compare(app, terminal_size=WIDE, run_before=showing(step, models=INSTALLED))


def test_a_series_of_the_catalog(app: ModelTuiApp, snap_compare: Compare, judged: Step) -> None:
    async def step(pilot: Pilot[object]) -> None:
        await judged(pilot)
        await keys("slash", *"gpt-oss:", "enter", "enter")(pilot)
        await pilot.pause(0.2)

    assert snap_compare(app, terminal_size=NORMAL, run_before=showing(step, models=INSTALLED))


def test_the_question_of_a_switch(
    app: ModelTuiApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Switching, "facts", answering(NEEDS))
    monkeypatch.setattr(Switching, "foreseen", answering(NEEDS))
    monkeypatch.setattr(Alias, "stranger", answering(None))
    remember_current(app, CHOICE)
    assert snap_compare(app, terminal_size=TINY, run_before=showing(keys("down", "s"), models=INSTALLED))


def test_the_question_of_deleting_many(
    app: ModelTuiApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Changing, "plan_removal", answering(REMOVALS))
    assert snap_compare(app, terminal_size=SMALL, run_before=showing(keys("d"), models=INSTALLED))


def test_a_name_that_is_none(app: ModelTuiApp, snap_compare: Compare) -> None:
    step = keys("p", *"llama3!2", "enter")
    assert snap_compare(app, terminal_size=TINY, run_before=showing(step, models=INSTALLED))


def test_the_palette(app: ModelTuiApp, snap_compare: Compare) -> None:
    assert snap_compare(app, terminal_size=SMALL, run_before=showing(keys("ctrl+p"), models=INSTALLED))


def test_the_help(app: ModelTuiApp, snap_compare: Compare) -> None:
    step = keys("down", "down", "question_mark")
    assert snap_compare(app, terminal_size=SMALL, run_before=showing(step, models=INSTALLED))


def test_a_ranking_with_its_reasons(
    app: ModelTuiApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured, installed, current, in the queue, split and too slow; one row marked."""
    monkeypatch.setattr(Ranks, "look", lambda _: None)

    async def step(pilot: Pilot[object]) -> None:
        await keys("3")(pilot)
        assert isinstance(app.screen, RecommendScreen)
        app.screen._wishes.wish = WISH
        app.screen.answered = answered()
        app.screen.show_state()
        await keys("space", "home")(pilot)

    assert snap_compare(app, terminal_size=WIDE, run_before=showing(step, models=INSTALLED, transfers=QUEUE))


def test_a_ranking_for_other_hardware(
    app: ModelTuiApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ranks, "look", lambda _: None)

    async def step(pilot: Pilot[object]) -> None:
        await keys("3")(pilot)
        assert isinstance(app.screen, RecommendScreen)
        app.screen._wishes.wish = WISH
        app.screen._wishes.hardware = "rtx 4090+64GB"
        app.screen.answered = answered(hardware="rtx 4090+64GB")
        app.screen.show_state()
        await keys("down", "down", "down")(pilot)

    assert snap_compare(app, terminal_size=TINY, run_before=showing(step, models=INSTALLED))


def test_the_whole_score(app: ModelTuiApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ranks, "look", lambda _: None)

    async def step(pilot: Pilot[object]) -> None:
        await keys("3")(pilot)
        assert isinstance(app.screen, RecommendScreen)
        app.screen._wishes.wish = WISH
        app.screen.answered = answered()
        app.screen.show_state()
        await keys("i")(pilot)

    assert snap_compare(app, terminal_size=SMALL, run_before=showing(step, models=INSTALLED))
