"""The pages over Recommend: one model's score with every reason, and models side by side."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from modeltui.domain import units
from modeltui.domain.advice.comparing import compare
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.scoring import Wish
from modeltui.domain.advice.suitability import Suitability
from modeltui.domain.advice.verdictwords import lines_of
from modeltui.domain.catalog.series import Catalog, catalog_of
from modeltui.domain.layout import pad, shortened
from modeltui.domain.names import from_listed
from modeltui.tui.catalogview import shelf_of
from modeltui.tui.render import Line, bar
from modeltui.tui.screens.base import BaseScreen
from modeltui.tui.screens.catalogdetails import CatalogDetails
from modeltui.tui.widgets.document import Document
from modeltui.tui.widgets.lines import Lines

LABEL, POINTS, BAR = 13, 7, 8
LEAST, MOST = 14, 30  # cells of a model's column
COMPARED = 2  # models at least
BESIDE = {"fit", "score"}  # what the list has in words of its own


class RecommendPage(BaseScreen):
    """Read, not chosen. `lines` makes it for a width; `title` stands above it."""

    MODE = "recommend"
    AUTO_FOCUS = "Document"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "app.back", "back", key_display="esc", id="close"),
    ]

    def __init__(self, title: Line, lines: Callable[[int], list[Line]]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def body(self) -> Iterable[Widget]:
        yield Lines(self._title, (), classes="title")
        yield Document(self._lines(self.app.size.width - 2))

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(Document).show(self._lines(event.size.width - 2))


def wish_words(wish: Wish) -> str:
    return f"{wish.task} · {wish.priority} · {units.context(wish.context)} context"


def offer_page(row: Ranked, catalog: Catalog | None) -> CatalogDetails | None:
    """The series of a row in the catalog, the cursor on its tag; None for what the catalog does not have."""
    found = from_listed(row.name)
    known = catalog.find(found) if catalog is not None and found is not None else None
    if catalog is None or known is None:
        return None
    series = known[0]
    shelf = shelf_of(catalog_of([series], catalog.as_of, {}, ()))  # of one series: no need for all rows
    at = shelf.find(row.name)
    return CatalogDetails(shelf, at) if at is not None else None


def beside(marked: Sequence[Ranked], row: Ranked, rows: Sequence[Ranked]) -> list[Ranked]:
    """What is compared: what is marked; of fewer than two also the row under the cursor, and the first."""
    chosen = list(marked)
    for other in (row, *rows):
        if len(chosen) < COMPARED and other not in chosen:
            chosen.append(other)
    return sorted(chosen, key=lambda each: each.place)


# One score


def score_page(row: Ranked, wish: Wish, suits: Sequence[Suitability], hardware: str | None) -> RecommendPage:
    """Everything that a score rests on."""
    lines = score_lines(row, suits)
    return RecommendPage(score_title(row, wish, hardware), lambda _: lines)


def score_title(row: Ranked, wish: Wish, hardware: str | None) -> Line:
    what_if = f" · what if: {hardware}" if hardware is not None else ""
    return (
        (row.name, "strong"),
        (f"  {row.score} of 100", "accent"),
        (f"  {wish_words(wish)}{what_if}", "dim"),
    )


def score_lines(row: Ranked, suits: Sequence[Suitability]) -> list[Line]:
    lines: list[Line] = [((row.why, ""),)]
    if row.is_near:
        words = "The one above is ahead by less than anybody knows: take the one that you like better."
        lines.append(((words, "dim"),))
    lines.append(())
    for part in row.parts:
        points = f"{part.points:>3}/{part.most}"
        lines.append(
            (
                (f"{part.name:{LABEL}}", "dim"),
                (f"{points:{POINTS}}", "strong"),
                *bar(part.points / part.most, BAR),
                ("  ", ""),
                (part.why, ""),
            )
        )
        if part.mend:
            lines.append(((" " * (LABEL + POINTS + BAR + 2), ""), ("mend  ", "attention"), (part.mend, "")))
    lines += _section("memory and speed", _verdict_lines(row))
    lines += _section("how suitable, 0 to 10", [_suits_line(each) for each in suits])
    lines += _section("the model", _fact_lines(row))
    others = [labelled(each.kind, f"{each.name}: {each.words}") for each in row.also]
    return lines + _section("beside it", others)


def _section(heading: str, lines: Sequence[Line]) -> list[Line]:
    return [(), ((heading, "strong"),), *lines] if lines else []


def labelled(label: str, value: str, ink: str = "") -> Line:
    return ((f"  {label:{LABEL}}", "dim"), (value, ink))


def _verdict_lines(row: Ranked) -> list[Line]:
    """Needs, place, speed and what was assumed; the fit's own score stays with `modeltui check`."""
    lines: list[Line] = [labelled("fit", row.kind.value)]
    skipped = False
    for label, text in lines_of(row.verdict):
        skipped = label in BESIDE or (skipped and not label)
        if not skipped:
            lines.append(labelled(label, text))
    return lines


def _suits_line(suited: Suitability) -> Line:
    value, ink = f"{suited.words:9}", "" if suited.value is not None else "dim"
    return ((f"  {suited.task.value:{LABEL}}", "dim"), (value, ink), (suited.why, "dim"))


def _fact_lines(row: Ranked) -> list[Line]:
    candidate = row.candidate
    series, tag = candidate.series, candidate.tag
    facts: list[tuple[str, str | None]] = [
        ("installed", "yes" if row.is_installed else f"no: {units.size(tag.size)} to pull"),
        ("quantization", tag.quantization),
        ("parameters", tag.parameter_size),
        ("trained for", None if candidate.trained is None else f"{units.context(candidate.trained)} context"),
    ]
    if series is not None:
        commercial = f", commercial use: {series.commercial}" if series.commercial else ""
        facts += [
            ("licence", f"{series.license}{commercial}" if series.license else None),
            ("publisher", series.publisher),
            ("released", series.released),
            ("what it is", series.description),
        ]
    return [labelled(label, value or units.UNKNOWN, "" if value else "dim") for label, value in facts]


# Side by side


def comparison(rows: Sequence[Ranked], wish: Wish, hardware: str | None) -> RecommendPage:
    """The same facts of several models of one ranking, the best of each marked."""
    what_if = f" · what if: {hardware}" if hardware is not None else ""
    title = ((f"{len(rows)} models side by side", "strong"), (f"  {wish_words(wish)}{what_if}", "dim"))
    return RecommendPage(title, lambda width: compared_lines(rows, width))


def compared_lines(rows: Sequence[Ranked], width: int) -> list[Line]:
    """One line a fact, as many models as have room; what has none is said."""
    room = width - LABEL
    seen = rows[: max(1, room // (LEAST + 2))]
    column = min(MOST, room // len(seen) - 2)
    head = "".join(pad(shortened(row.name, column), column + 2) for row in seen)
    lines: list[Line] = [((f"{'':{LABEL}}", ""), (head, "strong"))]
    for fact in compare(seen):
        spans: list[tuple[str, str]] = [(pad(fact.label, LABEL), "dim")]
        for at, value in enumerate(fact.values):
            is_best = at == fact.best
            ink = "good" if is_best else "dim" if value == units.UNKNOWN else ""
            spans.append((pad(pad(f"{'▸' if is_best else ' '}{value}", column), column + 2), ink))
        lines.append(tuple(spans))
    lines += [(), (("▸", "good"), (" the best of them, where one is", "dim"))]
    if len(seen) < len(rows):
        missing = ", ".join(row.name for row in rows[len(seen) :])
        lines.append(((f"no room for {missing}", "attention"),))
    return lines
