"""Recommended models side by side: one line a fact, with which of them is best at it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from modeltui.domain import units
from modeltui.domain.advice.reasons import Ranked


class Compared(NamedTuple):
    """One fact of each model, in words; `best` is the place of the one that leads, None where none does."""

    label: str
    values: tuple[str, ...]
    best: int | None


def compare(rows: Sequence[Ranked]) -> tuple[Compared, ...]:
    """Every fact that rows are told apart by; they must be of one list, so that scores are on one scale."""
    lines = [_numbers("score", rows, lambda row: float(row.score), lambda row: f"{row.score}")]
    names = [part.name for part in rows[0].parts] if rows else []
    for place, name in enumerate(names):
        lines.append(
            Compared(
                name,
                tuple(f"{row.parts[place].points} of {row.parts[place].most}" for row in rows),
                _best([float(row.parts[place].points) for row in rows]),
            )
        )
    lines += [
        _numbers("suits", rows, lambda row: row.suitability.value, lambda row: row.suitability.words),
        _numbers("tokens/s", rows, lambda row: row.tokens, _rate),
        _numbers("needs", rows, _less(lambda row: row.needs), lambda row: units.size(row.needs)),
        _numbers("download", rows, _less(lambda row: row.candidate.tag.size), lambda row: _download(row)),
        _numbers("context", rows, lambda row: row.candidate.trained, lambda row: _context(row)),
        _words("fit", rows, lambda row: row.kind.value),
        _words("quantization", rows, lambda row: row.candidate.tag.quantization),
        _words("released", rows, lambda row: _of_series(row, "released")),
        _words("license", rows, lambda row: _of_series(row, "license")),
        _words("by", rows, lambda row: row.suitability.source),
    ]
    return tuple(lines)


def _numbers(
    label: str,
    rows: Sequence[Ranked],
    value: Callable[[Ranked], float | None],
    words: Callable[[Ranked], str],
) -> Compared:
    return Compared(label, tuple(map(words, rows)), _best(list(map(value, rows))))


def _words(label: str, rows: Sequence[Ranked], words: Callable[[Ranked], str | None]) -> Compared:
    return Compared(label, tuple(words(row) or units.UNKNOWN for row in rows), None)


def _less(value: Callable[[Ranked], int | None]) -> Callable[[Ranked], float | None]:
    """For what is better when it is less."""

    def negated(row: Ranked) -> float | None:
        count = value(row)
        return None if count is None else -float(count)

    return negated


def _best(values: list[float | None]) -> int | None:
    """The place of the one highest value."""
    known = [value for value in values if value is not None]
    if len(known) < 2 or known.count(max(known)) > 1:
        return None
    return values.index(max(known))


def _of_series(row: Ranked, field: str) -> str | None:
    series = row.candidate.series
    found: str | None = getattr(series, field) if series is not None else None
    return found


def _rate(row: Ranked) -> str:
    if row.tokens is None:
        return units.UNKNOWN
    text = units.rate(row.tokens)
    return text if row.is_measured else f"~{text}"


def _download(row: Ranked) -> str:
    return "installed" if row.is_installed else units.size(row.candidate.tag.size)


def _context(row: Ranked) -> str:
    return units.context(row.candidate.trained)
