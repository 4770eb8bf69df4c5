"""The only maker of styled text from values: lines of spans become strips, never parsed as markup."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip
from textual.widget import Widget

from modeltui.domain import units
from modeltui.domain.layout import cells, cut
from modeltui.text import clean_line

Span = tuple[str, str]  # a text and its ink
Line = tuple[Span, ...]

INKS = ("dim", "accent", "good", "attention", "broken", "strong", "cursor", "key", "tab")
GROUNDED = frozenset({"cursor", "tab"})
FULL, EMPTY = "█", "░"
_LABEL = re.compile(r" *(?:\S+ )*?\S* {2,}(?=\S)| +")  # `  p  `, `  on this machine  `
_EIGHTHS = " ▏▎▍▌▋▊▉"

_ASCII = {
    ord(glyph): plain
    for glyph, plain in {
        "●": "*", "○": "-", "▲": "^", "!": "!", "✗": "x", "…": "~", "↓": "v", "│": "|", "·": "-", "─": "-",
        "—": "-", "▇": "#", "█": "#", "░": ".", "▏": "|", "▎": "|", "▍": "|", "▌": "|", "▋": "|", "▊": "#",
        "▉": "#", "▁": "_", "▂": "_", "▃": "_", "▄": "_", "▅": "#", "▆": "#", "┃": "|", "╱": "/", "°": " ",
        "╭": "+", "╮": "+", "╰": "+", "╯": "+", "▐": "|",
        "“": '"', "”": '"', "’": "'", "→": ">", "±": "~", "▼": "v", "▸": ">", "✓": "+", "▔": "-", "▕": "|",
        "↑": "^", "←": "<",
    }.items()
}  # fmt: skip


def width_of(line: Line) -> int:
    """Cells of a line."""
    return sum(cells(text) for text, _ in line)


def cut_line(line: Line, width: int) -> Line:
    """At most `width` cells of a line, with `…` where something is missing."""
    if width_of(line) <= width:
        return line
    kept: list[Span] = []
    for text, ink in line:
        room = width - width_of(tuple(kept))
        if cells(text) > room:
            kept.append((cut(text, room), ink))
            break
        kept.append((text, ink))
    return tuple(kept)


def spread(left: Line, right: Line, width: int) -> Line:
    """`left` and `right` at the two ends of a line; where both have no room `left` is cut."""
    room = width - width_of(right) - 1
    if room < 8:
        return cut_line(left, width)
    left = cut_line(left, room)
    return (*left, (" " * (width - width_of(left) - width_of(right)), ""), *right)


def flowed(line: Line, width: int) -> list[Line]:
    """A line as rows of at most `width` cells, broken at spaces.

    They go on where its text begins: behind a key or a label that two spaces set apart.
    """
    if width_of(line) <= width:
        return [line]
    rest = [(character, ink) for text, ink in line for character in text]
    label = _LABEL.match("".join(character for character, _ in rest))
    least = label.end() if label is not None and label.end() <= width // 2 else 0
    rows: list[Line] = []
    start: Line = ()
    while rest:
        count = _row_end(rest, width - width_of(start), 0 if rows else least)
        rows.append((*start, *rest[:count]))
        rest = rest[count:]
        while rest and rest[0][0] == " ":
            del rest[0]
        start = ((" " * least, ""),)
    return rows


def _row_end(rest: Sequence[Span], room: int, least: int) -> int:
    """How many characters make a row: up to the last space behind `least`, or as many as fit."""
    count = 0
    while count < len(rest) and (room := room - cells(rest[count][0])) >= 0:
        count += 1
    if count == len(rest):
        return count
    return next((at for at in range(count, least, -1) if rest[at][0] == " "), max(1, count))


def joined(parts: Sequence[Line], separator: str = " · ") -> Line:
    """Parts with a dim separator between them."""
    spans: list[Span] = []
    for part in parts:
        if spans:
            spans.append((separator, "dim"))
        spans.extend(part)
    return tuple(spans)


def number(text: str) -> Line:
    """A number with its unit dimmer: `17.4 GB`."""
    value, space, unit = text.partition(" ")
    return ((value, ""), (space + unit, "dim")) if unit else ((text, "dim" if text == "—" else ""),)


def fit_cell(kind: str, score: int | None) -> Line:
    """How a model would run, and how well: `gpu    86`; eight cells."""
    ink = "attention" if kind in ("split", "no") else "dim" if kind == "unknown" else ""
    if score is None:
        return ((units.UNKNOWN if kind == "unknown" else kind, ink),)
    return ((f"{kind:5}", ink), (f"{score:>3}", "dim"))


def bar(share: float | None, width: int, ink: str = "") -> Line:
    """A bar of `width` cells in steps of an eighth of a cell; `share` from 0 to 1, None all empty."""
    eighths = 0 if share is None else round(max(0.0, min(1.0, share)) * width * 8)
    whole, part = divmod(eighths, 8)
    full = FULL * whole + (_EIGHTHS[part] if part else "")
    return ((full, ink), (EMPTY * (width - len(full)), "dim"))


def strip(line: Line, width: int, base: Style, inks: Mapping[str, Style]) -> Strip:
    """Exactly `width` cells of a line, harmless whatever it holds; neighbours of one style are joined."""
    line = cut_line(tuple((harmless(text), ink) for text, ink in line), width)
    missing = width - width_of(line)
    runs: list[tuple[str, Style]] = []
    for text, ink in (*line, (" " * missing, "")):
        style = base + inks[ink] if ink else base
        if not text:
            continue
        if runs and (runs[-1][1] == style or (text.isspace() and _is_seen_alike(runs[-1][1], style))):
            runs[-1] = (runs[-1][0] + text, runs[-1][1])
        else:
            runs.append((text, style))
    return Strip([Segment(text, style) for text, style in runs], width)


def _is_seen_alike(before: Style, style: Style) -> bool:
    """Whether a blank looks the same in both: a style less is some forty bytes less."""
    return before.bgcolor == style.bgcolor and not (
        before.underline or before.reverse or style.underline or style.reverse
    )


def harmless(text: str) -> str:
    """The text, cleaned where it holds what a terminal would obey.

    What servers say is clean already; configuration, the store and the machine's own words may not be.
    """
    if text.isascii() and text.isprintable():
        return text
    return clean_line(text, len(text))


def inks_of(widget: Widget) -> dict[str, Style]:
    """The styles of all inks as the widget's theme has them; only the cursor's has a background."""
    found = {}
    for ink in INKS:
        style = widget.get_component_rich_style(f"ink--{ink}")
        found[ink] = style if ink in GROUNDED else _without_ground(style)
    return found


def _without_ground(style: Style) -> Style:
    return Style(
        color=style.color, bold=style.bold, dim=style.dim, underline=style.underline, reverse=style.reverse
    )


@lru_cache(4096)
def as_ascii(text: str) -> str:
    """The same cells in ASCII: known glyphs by their stand-ins, the rest as `?`."""
    text = text.translate(_ASCII)
    if text.isascii():
        return text
    return "".join(each if each.isascii() else "?" * cells(each) for each in text)


class AsciiFilter(LineFilter):
    """Keeps everything that is painted within ASCII, for terminals that show nothing else."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(as_ascii(segment.text), segment.style, segment.control) if segment.text else segment
            for segment in segments
        ]
