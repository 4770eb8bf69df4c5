"""Looks at the keys that a person configured: names that no key has, and keys that would mean two things."""

from collections.abc import Mapping

from textual.binding import Binding
from textual.dom import DOMNode

from modeltui.tui.app import ModelTuiApp
from modeltui.tui.screens.catalog import CatalogScreen
from modeltui.tui.screens.catalogdetails import CatalogDetails
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.downloaddetails import TransferDetails
from modeltui.tui.screens.downloads import DownloadsScreen
from modeltui.tui.screens.help import HelpScreen
from modeltui.tui.screens.models import ModelsScreen
from modeltui.tui.screens.recommend import RecommendScreen
from modeltui.tui.screens.recommendpages import RecommendPage
from modeltui.tui.screens.running import RunningScreen
from modeltui.tui.widgets.document import Document
from modeltui.tui.widgets.filterline import FilterLine
from modeltui.tui.widgets.table import Table

SCREENS: tuple[type[DOMNode], ...] = (
    ModelsScreen,
    CatalogScreen,
    CatalogDetails,
    RecommendScreen,
    DownloadsScreen,
    RunningScreen,
    DetailsScreen,
)
LISTS: tuple[type[DOMNode], ...] = (Table, Document)
OTHERS: tuple[type[DOMNode], ...] = (FilterLine, HelpScreen, TransferDetails, RecommendPage)


def bindings(*kinds: type[DOMNode]) -> list[Binding]:
    """Every binding that these classes have or inherit of ours."""
    found: list[Binding] = []
    for kind in kinds:
        for base in kind.__mro__:
            if base.__module__.startswith("modeltui."):
                found += Binding.make_bindings(base.__dict__.get("BINDINGS", ()))
    return found


def problems(keys: Mapping[str, str]) -> list[str]:
    """What is wrong with `[keys]`, one sentence each."""
    known = {binding.id for binding in bindings(ModelTuiApp, *LISTS, *OTHERS, *SCREENS)}
    found = [f"[keys] {name}: no key has this name; ? lists the names" for name in keys if name not in known]
    for screen in SCREENS:
        owners: dict[str, str] = {}
        for binding in bindings(ModelTuiApp, Document if screen is DetailsScreen else Table, screen):
            name = binding.id or ""
            for key in keys.get(name, binding.key).split(","):
                other = owners.setdefault(key.strip(), name)
                sentence = f"[keys] {key.strip()} means two things: {other} and {name}"
                if other != name and sentence not in found:
                    found.append(sentence)
    return found
