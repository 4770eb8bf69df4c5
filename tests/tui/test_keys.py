"""Keys: each means one thing on a screen, none hides a global one, and all can be changed by an id."""

from pathlib import Path

import pytest
from live import live
from textual.dom import DOMNode

from modeltui.tui.app import ModelTuiApp
from modeltui.tui.keymap import SCREENS, bindings, problems
from modeltui.tui.screens.catalog import CatalogScreen
from modeltui.tui.screens.catalogdetails import CatalogDetails
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.downloads import DownloadsScreen
from modeltui.tui.screens.models import ModelsScreen
from modeltui.tui.screens.recommend import RecommendScreen
from modeltui.tui.screens.running import RunningScreen
from modeltui.tui.widgets.table import Table

GLOBAL = [
    "1",
    "2",
    "3",
    "4",
    "5",
    "ctrl+p",
    ":",
    "?",
    "f1",
    "r",
    "z",
    "D",
    "S",
    "backspace",
    "q",
    "ctrl+c",
    "ctrl+z",
]
EVERYWHERE = ["s", "l", "u", "p", "d", "c", "U", "R", "n", "e", "y", "g"]
LIST = ["space", "/", "o"]
OF_SCREEN = {
    ModelsScreen: ["enter", "space", "/", "o", "G", "escape"],
    DownloadsScreen: ["enter", "h", "H", "x", "X", "t", "+", "-", "f", "a", "delete", "C", "escape", *LIST],
    RunningScreen: ["enter", "escape", *LIST],
    DetailsScreen: ["escape"],
    RecommendScreen: ["enter", "space", "i", "v", "t", "o", "x", "w", "escape"],
    CatalogScreen: ["enter", "space", "/", "o", "escape", "right", "left"],
    CatalogDetails: ["enter", "escape"],
}
NAMES = {"slash": "/", "colon": ":", "question_mark": "?", "plus": "+", "minus": "-"}


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_means_two_things(screen: type[DOMNode]) -> None:
    own = bindings(screen, Table)
    keys = [binding.key for binding in own]
    assert len(keys) == len(set(keys))
    assert not set(keys) & {binding.key for binding in bindings(ModelTuiApp)}


@pytest.mark.parametrize("screen", SCREENS)
def test_every_key_that_was_decided_is_there(screen: type[DOMNode]) -> None:
    keys = {NAMES.get(binding.key, binding.key) for binding in bindings(screen, Table)}
    assert {*EVERYWHERE, *OF_SCREEN[screen], "up", "down", "j", "k", "home", "end"} <= keys
    assert {NAMES.get(binding.key, binding.key) for binding in bindings(ModelTuiApp)} >= set(GLOBAL)


def test_every_binding_has_an_id_of_its_own() -> None:
    for screen in SCREENS:
        ids: dict[str, str] = {}
        for binding in bindings(ModelTuiApp, screen, Table):
            assert binding.id, binding
            assert ids.setdefault(binding.id, binding.action) == binding.action


async def test_a_key_given_to_two_things_is_said(tmp_path: Path) -> None:
    async with live(tmp_path, config='[keys]\nload = "s"\n') as shown:
        await shown.sees("[keys] s means two things: ")
        assert problems({"load": "s"}) == ["[keys] s means two things: switch and load"]


async def test_an_unknown_name_of_a_key_is_said(tmp_path: Path) -> None:
    async with live(tmp_path, config='[keys]\nfrobnicate = "F"\n') as shown:
        await shown.sees("[keys] frobnicate: no key has this name")
    assert problems({}) == []
