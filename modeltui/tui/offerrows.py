"""The columns and cells of what could be pulled: rows of the catalog, and tags of one series."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.catalog.series import Tag
from modeltui.domain.layout import cells, shortened
from modeltui.domain.machines.machine import Machine
from modeltui.services.browsing import is_apple
from modeltui.services.filtering import capabilities_of
from modeltui.services.offerwords import count_words
from modeltui.tui.holdings import Holdings
from modeltui.tui.render import Line, fit_cell, number
from modeltui.tui.widgets.table import Column

if TYPE_CHECKING:
    from modeltui.services.advice import Numbers
    from modeltui.tui.catalogview import CatalogRow

VRAM, RAM = "VRAM", "RAM"
COLUMNS = (
    Column("mark", "", 2),
    Column("name", "NAME", 26, is_name=True),
    Column("tags", "TAGS", 4, worth=5, right=True),
    Column("params", "PARAMS", 6, worth=2, right=True),
    Column("quant", "QUANT", 8, worth=3),
    Column("size", "SIZE", 7, right=True),
    Column("needs", VRAM, 7, worth=1, right=True),
    Column("fit", "FIT", 8),
    Column("context", "CTX", 5, worth=4, right=True),
    Column("can", "CAN", 22, worth=9),
    Column("license", "LICENSE", 14, worth=8),
    Column("pulls", "PULLS", 6, worth=6, right=True),
    Column("date", "RELEASED", 8, worth=7),
)
TAG_COLUMNS = (
    Column("mark", "", 2),
    Column("tag", "TAG", 20, is_name=True),
    Column("params", "PARAMS", 6, worth=3, right=True),
    Column("quant", "QUANT", 8, worth=2),
    Column("size", "SIZE", 8, right=True),
    Column("needs", VRAM, 8, worth=1, right=True),
    Column("fit", "FIT", 8),
    Column("context", "CTX", 5, worth=4, right=True),
)
_UNKNOWN: Line = ((units.UNKNOWN, "dim"),)
_NOT_SAID = frozenset({"completion"})  # almost all can


def cells_of(
    row: "CatalogRow",
    numbers: "Numbers | None",
    holdings: Holdings,
    machine: Machine | None,
    *,
    name_width: int,
    is_marked: bool = False,
) -> dict[str, Line | str]:
    """The cells of one download; the series in the name of what is not its lead is dim."""
    series, tag = row.offer.series, row.offer.tag
    can = sorted(capabilities_of(series, tag) - _NOT_SAID)
    return {
        "mark": (*_mark(row, holdings), ("+" if is_marked else " ", "accent")),
        "name": name_line(tag, name_width, is_lead=row.is_lead),
        "tag": tag.tag,
        "tags": ((str(row.tags), "dim"),) if row.tags else "",
        "params": tag.parameter_size or _UNKNOWN,
        "quant": tag.quantization or _UNKNOWN,
        "size": (("cloud", "dim"),) if tag.is_cloud else number(units.size(tag.size)),
        "needs": number(units.size(numbers.needs if numbers is not None else None)),
        "fit": fit_of(tag, numbers, machine),
        "context": number(units.context(tag.context)),
        "can": ((" ".join(can), "dim"),) if can else _UNKNOWN,
        "license": ((series.license or units.UNKNOWN, "dim"),),
        "pulls": ((count_words(series.pulls), "dim"),),
        "date": (((row.offer.date or units.UNKNOWN)[:7], "dim"),),
    }


def by_machine(columns: Sequence[Column], machine: Machine | None) -> tuple[Column, ...]:
    """The columns; a machine without a GPU has RAM where others have VRAM."""
    has_cards = machine is None or bool(machine.cards)
    return tuple(each if has_cards or each.title != VRAM else replace(each, title=RAM) for each in columns)


def name_line(tag: Tag, width: int, *, is_lead: bool) -> Line:
    """A name in `width` cells, which loses of its series before its tag."""
    shown = shortened(tag.name, width)
    if is_lead or not shown.endswith(f":{tag.tag}"):
        return ((shown, ""),)
    series = shown[: len(shown) - len(tag.tag) - 1]
    return ((series, "dim"), (f":{tag.tag}", "")) if cells(series) else ((shown, ""),)


def fit_of(tag: Tag, numbers: "Numbers | None", machine: Machine | None) -> Line:
    """How a tag would run; one of Apple's own format only does so there."""
    if tag.is_apple_only and not is_apple(machine):
        return (("mac only", "dim"),)
    return _UNKNOWN if numbers is None else fit_cell(numbers.kind, numbers.score)


def state_words(row: "CatalogRow", holdings: Holdings) -> list[str]:
    """How a download stands with the server: installed, current, newer known, being pulled."""
    entry, words = holdings.entry_of(row), []
    if entry is not None:
        words = ["current" if entry.is_current else "installed"]
        if entry.newer is not None:
            words.append("a newer version is known (U)")
        elif holdings.is_other_version(row):
            words.append("in another version than the catalog's")
    if holdings.is_pulled(row):
        words.append("being pulled")
    return words


def _mark(row: "CatalogRow", holdings: Holdings) -> Line:
    if holdings.is_pulled(row):
        return (("↓", "accent"),)
    entry = holdings.entry_of(row)
    if entry is None:
        return ((" ", ""),)
    if entry.is_current:
        return (("●", "accent"),)
    if entry.newer is not None:
        return (("▲", "attention"),)
    return (("○", "good"),)
