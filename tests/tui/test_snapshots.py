"""How every screen looks, each at its hardest size: pictures to look at, then to keep.

`pytest tests/tui/test_snapshots.py --snapshot-update` takes them anew; look at each before it is committed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from still_app import in_utc, keys, remember_current, showing, still_app
from still_values import (
    AWAY,
    CHOICE,
    CONTRADICTED,
    DAMAGED,
    FACTS,
    FIRST,
    INSTALLED,
    NEEDS,
    QUEUE,
    REMEMBERED,
    REMOVALS,
    RUNNING,
    URL,
)
from textual.pilot import Pilot

from modeltui.errors import ServerFailed
from modeltui.services.changing import Changing
from modeltui.services.switching import Switching
from modeltui.tui.app import ModelTuiApp
from modeltui.tui.screens.details import DetailsScreen
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
    assert snap_compare(app, terminal_size=SMALL, run_before=showing(step, models=INSTALLED))


def test_models_with_the_pane(app: ModelTuiApp, snap_compare: Compare) -> None:
    step = keys("down", "down", "down", "down")
    assert snap_compare(
        app, terminal_size=WIDE, run_before=showing(step, models=INSTALLED, transfers=QUEUE[:1])
    )


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

    assert snap_compare(app, terminal_size=NORMAL, run_before=showing(open_it, models=INSTALLED))


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


def test_the_question_of_a_switch(
    app: ModelTuiApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Switching, "facts", answering(NEEDS))
    monkeypatch.setattr(Switching, "strange_alias", answering(None))
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
