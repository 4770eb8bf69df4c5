"""The words of the filter: what a person types, read once, and held against thousands of rows."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from modeltui.domain.models import ModelState, ModelType

# A model is in this state, or of this kind, or not, whatever its name says.
STATES = frozenset(
    {
        *(state.value for state in ModelState if state is not ModelState.NOT_LOADED),
        *("loaded", "current", "outdated", "installed", "fits"),
    }
)
# Words with a meaning of their own: a row has them or not, whatever else its text says.
WORDS = STATES | {
    *(kind.value for kind in ModelType),
    *("completion", "tools", "insert", "vision", "embedding", "thinking", "image", "audio"),
}
GIB = 2**30
_TYPE, _LICENSE = "type:", "license:"
# Asked for as a whole, as `type:code` is; the last one is how a model would run, by column FIT.
_WHOLE = (_TYPE, "purpose:", "fit:")
_NUMBER = r"([0-9]*(?:\.[0-9]*)?)"
_SIZE = re.compile(rf"([<>]=?){_NUMBER}([kmgt]?b?)")
_NEEDS = re.compile(rf"vram(?:([<>]=?){_NUMBER}(?:gi?b?)?)?")
_FACTORS = {"k": 10**3, "m": 10**6, "": 10**9, "g": 10**9, "t": 10**12}
_BILLION = 10**9
# As servers write them, with one decimal: 8.03 billion parameters are shown, and found, as 8B.
_GRAIN = _BILLION // 10

Range = tuple[float, float]


class Standing(NamedTuple):
    """What changes about a row while its texts stay: `words`, and the bytes of VRAM that it `needs`."""

    words: frozenset[str] = frozenset()
    needs: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a query is held against: texts and words case-folded, `size` and `needs` in bytes; None: unknown.

    A word that is not one of `WORDS` is searched as text: it becomes part of the haystack. `prose` is
    searched as text too, but no word of `WORDS` is ever found in it. `needs`: VRAM at the default context.
    """

    haystack: str
    size: int | None
    words: frozenset[str]
    prose: str = ""
    license: str = ""
    parameters: int | None = None
    needs: int | None = None

    def __post_init__(self) -> None:
        others = [word for word in self.words - WORDS if not word.startswith(_WHOLE)]
        missing = [word for word in others if word not in self.haystack]
        if missing:
            object.__setattr__(self, "haystack", " ".join([self.haystack, *sorted(missing)]))


@dataclass(frozen=True, slots=True)
class Query:
    """What must hold, all of it; made by `parse`.

    `texts` stand in the haystack or the prose, `words` there or among the words, `states` and `types`
    (`type:code`) only among the words, `licenses` in the licence; `sizes`, `parameters` and `needs` are the
    least and the most of a number, None when any will do, an unknown one too.
    """

    texts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    sizes: Range | None = None
    parameters: Range | None = None
    needs: Range | None = None

    @property
    def asks_for_fit(self) -> bool:
        """Whether rows can only be judged once their fit is known."""
        return (
            self.needs is not None or "fits" in self.states or any(w.startswith("fit:") for w in self.types)
        )

    def without_fit(self) -> "Query":
        """The rest of it: what can be judged before any fit is known."""
        return replace(
            self,
            states=tuple(word for word in self.states if word != "fits"),
            types=tuple(word for word in self.types if not word.startswith("fit:")),
            needs=None,
        )

    def matches(self, subject: Subject) -> bool:
        """Whether one subject matches; `select` is quicker for many."""
        return bool(select(self, (subject,), (0,)))


def parse(text: str) -> Query:
    """Read what was typed; any text is a query.

    `<8gb`, `>=4gb`, `<500m` ask for the size of the file (decimal units, a bare number is GB), `>7b` for
    billions of parameters, `vram<8` for the VRAM needed at the default context (nominal GB, that is GiB, as
    cards are sold), `type:code`, `purpose:speed` and `fit:gpu` for just that, `license:apache` for a part of
    the licence, a word of `WORDS` for what it says, every other word for a part of the text. What is only
    half typed (`<`, `type:`, `vram<`) asks for nothing yet.
    """
    texts, words, states, types, licenses = [], [], [], [], []
    ranges: dict[str, Range] = {}

    def limit(of: str, sign: str, number: str, factor: int) -> None:
        if number.strip("."):
            least, most = ranges.get(of, (-math.inf, math.inf))
            count = _whole(float(number) * factor)
            if sign[0] == "<":
                most = min(most, count if sign == "<=" else count - 1)
            else:
                least = max(least, count if sign == ">=" else count + 1)
            ranges[of] = least, most

    for term in text.casefold().split():
        if size := _SIZE.fullmatch(term):
            sign, number, unit = size.groups()
            if unit == "b":
                limit("parameters", sign, number, _BILLION)
            else:
                limit("sizes", sign, number, _FACTORS[unit.removesuffix("b")])
        elif need := _NEEDS.fullmatch(term):
            limit("needs", need[1] or "", need[2] or "", GIB)
        elif term.startswith(_WHOLE):
            types += [term] if term not in _WHOLE else []
        elif term.startswith(_LICENSE):
            licenses += [term.removeprefix(_LICENSE)] if term != _LICENSE else []
        elif term in STATES:
            states.append(term)
        elif term in WORDS:
            words.append(term)
        else:
            texts.append(term)
    return Query(tuple(texts), tuple(words), tuple(states), tuple(types), tuple(licenses), **ranges)


def _whole(count: float) -> float:
    """Whole bytes, so that `<=4.1gb` holds a file of exactly that size."""
    return round(count) if math.isfinite(count) else count


def select(
    query: Query,
    subjects: Sequence[Subject],
    candidates: Iterable[int],
    standings: Sequence[Standing] | None = None,
) -> list[int]:
    """Those of `candidates` (places in `subjects`) that match, in their order.

    `standings`, one a subject, hold what changes more often than texts do; their words and their need count
    beside the subject's own. One pass a condition, each over what the last one left: the usual one, a piece
    of a name, takes less than a millisecond for 10,000 rows.
    """
    places = list(candidates)
    if query.sizes:
        least, most = query.sizes
        places = [p for p in places if (size := subjects[p].size) is not None and least <= size <= most]
    if query.parameters:
        least, most = query.parameters
        places = [
            p for p in places if (n := subjects[p].parameters) is not None and least <= _shown(n) <= most
        ]
    for text in query.texts:
        places = [p for p in places if text in subjects[p].haystack or text in subjects[p].prose]
    for text in query.licenses:
        places = [p for p in places if text in subjects[p].license]
    for word in query.words:
        places = [p for p in places if word in subjects[p].words or word in subjects[p].haystack]
    exact = frozenset((*query.states, *query.types))
    if exact and standings is None:
        places = [p for p in places if exact <= subjects[p].words]
    elif exact and standings is not None:
        places = [p for p in places if exact <= subjects[p].words | standings[p].words]
    if query.needs:
        least, most = query.needs
        places = [
            p for p in places if (n := _need(subjects, standings, p)) is not None and least <= n <= most
        ]
    return places


def _need(subjects: Sequence[Subject], standings: Sequence[Standing] | None, place: int) -> int | None:
    need = standings[place].needs if standings is not None else None
    return subjects[place].needs if need is None else need


def _shown(parameters: int) -> int:
    """A number of parameters as it is shown: from a billion on with one decimal."""
    return parameters if parameters < _BILLION else round(parameters / _GRAIN) * _GRAIN


def narrows(new: Query, old: Query) -> bool:
    """Whether every match of `new` is certainly one of `old`: then only those need to be looked at again.

    So `lla` narrows `ll`, but `vision` does not narrow `vis`: it also holds for rows without that text.
    """
    return (
        all(_is_within(getattr(new, key), getattr(old, key)) for key in ("sizes", "parameters", "needs"))
        and all(any(text in longer for longer in new.texts) for text in old.texts)
        and all(any(text in longer for longer in new.licenses) for text in old.licenses)
        and set(old.words) <= set(new.words)
        and set(old.states) <= set(new.states)
        and set(old.types) <= set(new.types)
    )


def _is_within(new: Range | None, old: Range | None) -> bool:
    return old is None or (new is not None and old[0] <= new[0] and new[1] <= old[1])
