"""The rows of Models: its columns, what stands in their cells, and the orders and groups of the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.models import ModelState, ModelType
from modeltui.domain.words import kept_words
from modeltui.services.library import Entry
from modeltui.tui.calm import calm_age
from modeltui.tui.render import Line, fit_cell, number
from modeltui.tui.widgets.table import Column

if TYPE_CHECKING:
    from modeltui.services.advice import Numbers
    from modeltui.services.kinds import Kind

COLUMNS = (
    Column("mark", "", 2),
    Column("name", "NAME", 22, is_name=True),
    Column("params", "PARAMS", 7, worth=5, right=True),
    Column("quant", "QUANT", 8, worth=2),
    Column("size", "SIZE", 8, right=True),
    Column("state", "STATE", 15),
    Column("speed", "TOK/S", 5, worth=1, right=True),
    Column("fit", "FIT", 8, worth=1),
    Column("context", "CTX", 5, worth=4, right=True),
    Column("type", "TYPE", 9, worth=6),
    Column("load", "LOAD", 8, worth=7, right=True),
    Column("modified", "MODIFIED", 10, worth=3, right=True),
)
ORDERS = ("modified", "name", "size", "state", "fit", "load")
ORDER_WORDS = {
    "modified": "newest first", "name": "by name", "size": "biggest first", "state": "loaded first",
    "fit": "best fit first", "load": "last loaded first",
}  # fmt: skip
INKS = {
    ModelState.GPU: "good",
    ModelState.SPLIT: "attention",
    ModelState.STOPPING: "attention",
    ModelState.DAMAGED: "broken",
    ModelState.QUARANTINED: "broken",
    ModelState.MISSING: "broken",
}
_RULE = 40


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A row of the table: a model, or with `rule` the line above those of one type.

    `fit` and `kind` are None until the catalog and the machine have been looked at.
    """

    entry: Entry
    key: str
    fit: "Numbers | None" = None
    kind: "Kind | None" = None
    rule: str = ""

    @property
    def is_rule(self) -> bool:
        return bool(self.rule)

    @property
    def type(self) -> ModelType | None:
        return self.entry.type if self.kind is None else self.kind.type


def columns_of(chosen: Sequence[str] | None) -> tuple[Column, ...]:
    """The configured columns in their order; all of them where nothing (or nothing known) is configured."""
    by_id = {column.id: column for column in COLUMNS}
    kept = tuple(by_id[name] for name in dict.fromkeys(chosen or ()) if name in by_id and name != "mark")
    if not any(column.is_name for column in kept):
        return COLUMNS
    return (by_id["mark"], *kept)


def cells_of(
    row: ModelRow, now: int, doing: str | None, *, is_marked: bool = False
) -> Mapping[str, Line | str]:
    """The cells of one row."""
    if row.is_rule:
        return {"rule": ((f"── {row.rule} {'─' * (_RULE - len(row.rule))}", "dim"),)}
    entry, fit, model = row.entry, row.fit, row.entry.model
    return {
        "mark": (*(_mark(entry) or ((" ", ""),)), ("+" if is_marked else " ", "accent")),
        "name": _name(entry),
        "params": model.parameter_size or ((units.UNKNOWN, "dim"),),
        "quant": model.quantization or ((units.UNKNOWN, "dim"),),
        "size": number(units.UNKNOWN if model.is_cloud else units.size(model.size)),
        "state": state_cell(entry, now, doing),
        "speed": number(units.rate(fit.tokens if fit is not None and fit.is_measured else None)),
        "fit": fit_cell(fit.kind, fit.score) if fit is not None else ((units.UNKNOWN, "dim"),),
        "context": number(units.context(model.context)),
        "type": ((row.type or units.UNKNOWN, "dim"),),
        "load": number(units.duration(entry.last_load.load_ms) if entry.last_load else units.UNKNOWN),
        "modified": ((calm_age(model.modified, now), "dim"),),
    }


def _mark(entry: Entry) -> Line:
    if entry.is_current:
        return (("●", "accent"),)
    if entry.damage or entry.model.name is None:
        return (("!", "broken"),)
    return (("▲", "attention"),) if entry.newer is not None else ()


def _name(entry: Entry) -> Line | str:
    shown = entry.model.shown
    if entry.alias_of:
        return ((shown.removesuffix(":latest"), ""), (f" -> {entry.alias_of}", "dim"))
    if entry.newer is not None and entry.is_current:  # its mark says that it is current
        return ((shown, ""), (" ▲", "attention"))
    return shown


def state_cell(entry: Entry, now: int, doing: str | None) -> Line:
    """The state as a word, and beside it how long it is kept or how much of it is not on the GPU."""
    if doing:
        return ((doing, "accent"),)
    runner, state = entry.loaded, entry.state
    if runner is None or state in (ModelState.DAMAGED, ModelState.QUARANTINED):
        return ((str(state), INKS.get(state, "dim")),)
    word = f"{state:5} "
    if state is ModelState.SPLIT and runner.gpu_share is not None:
        return ((word, INKS[state]), (f"{round((1 - runner.gpu_share) * 100)} % cpu", "dim"))
    return ((word, INKS.get(state, "")), (kept_words(runner.expires_at, now), "dim"))


def ordered(rows: Sequence[ModelRow], order: str) -> list[int]:
    """The indices of rows in an order; the unknown comes last, equal ones stay as the server has them."""
    places = range(len(rows))
    match order:
        case "name":
            return sorted(places, key=lambda at: rows[at].entry.model.shown.casefold())
        case "size":
            return sorted(places, key=lambda at: -(rows[at].entry.model.size or 0))
        case "state":
            return sorted(places, key=lambda at: rows[at].entry.loaded is None)
        case "fit":
            return sorted(places, key=lambda at: -_score(rows[at].fit))
        case "load":
            return sorted(places, key=lambda at: -(load.at if (load := rows[at].entry.last_load) else 0))
    return sorted(places, key=lambda at: -(rows[at].entry.model.modified or 0))


def _score(fit: "Numbers | None") -> int:
    return -1 if fit is None or fit.score is None else fit.score


def grouped(rows: Sequence[ModelRow], view: Sequence[int]) -> tuple[list[ModelRow], list[int]]:
    """The rows and a rule for each type, and the view of both; types as in ModelType, unknown last."""
    items, places = list(rows), []
    for kind in (*ModelType, None):
        members = [at for at in view if rows[at].type is kind]
        if members:
            word = str(kind or "unknown")
            places += [len(items), *members]
            items.append(ModelRow(rows[members[0]].entry, f"type {word}", rule=f"{word} {len(members)}"))
    return items, places
