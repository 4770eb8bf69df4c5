"""What a typed name means, by the catalog and by what is installed, in words for the person who typed it.

Nothing is changed silently: `Resolution.words` says what is meant wherever it is not just what was typed, and
a name that the catalog cannot judge (hf.co, a private registry, somebody's namespace) is left as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from modeltui.domain import units
from modeltui.domain.catalog.meanttags import Meant, meant, of_size
from modeltui.domain.catalog.nearness import nearest, squashed
from modeltui.domain.catalog.series import Catalog, Series, Tag, is_library
from modeltui.domain.catalog.tags import size_word, words
from modeltui.domain.names import ModelName, from_typed

_NEAR = 5
_LEAST_WITHIN = 5  # letters of a name that is found within another


class Meaning(StrEnum):
    """How a typed name stands to the catalog."""

    EXACT = "exact"  # a tag of the catalog, or an installed model
    DEFAULT = "default"  # a series; its default tag is meant
    MEANT = "meant"  # no tag, but one that can be told
    SEVERAL = "several"  # no tag, and several may be meant
    RETIRED = "retired"  # a name that left the library
    UNKNOWN = "unknown"  # the catalog knows no such name of the library
    ELSEWHERE = "elsewhere"  # a name that is none of the library's


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a typed name means. `name` is Ollama's short form, tag and all.

    `name` is None where nothing can be chosen: several may be meant, or the name is gone. The catalog may be
    older than the library: whoever can ask a registry may still try what was typed. It is what was typed for
    a name that the catalog does not know or cannot judge. `words` is one sentence to say before anything
    happens, "" where there is nothing to say. `alternatives` are names, the likeliest first. `note` says what
    has taken the place of a series that is superseded, "" otherwise.
    """

    typed: str
    kind: Meaning
    name: str | None
    words: str = ""
    alternatives: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether Ollama would have read another name: then `words` must be said before anything happens."""
        return self.name is not None and self.name.casefold() != from_typed(self.typed).short.casefold()


def resolve(typed: str, catalog: Catalog, installed: Iterable[ModelName] = ()) -> Resolution:
    """What `typed` means; raises InvalidName for what is no name at all. Pure, and under 5 ms.

    `installed` are the models of the server: their names are exact whatever the catalog says.
    """
    name = from_typed(typed)
    here = list(installed)
    if any(each.key == name.key for each in here):
        return Resolution(typed, Meaning.EXACT, name.short, note=_successor(catalog.series_of(name), catalog))
    series = catalog.series_of(name)
    if series is None and not is_library(name):
        return Resolution(typed, Meaning.ELSEWHERE, name.short)
    if series is None:
        return _without_series(typed, name, catalog, here)
    return _in_series(typed, name, series, catalog)


def _in_series(typed: str, name: ModelName, series: Series, catalog: Catalog) -> Resolution:
    note = _successor(series, catalog)
    tag = series.tag(name.tag)
    if tag is not None:
        kind, said = Meaning.EXACT, ""
        if tag.name != name.short and is_library(name):
            said = f"{name.short} is written {tag.name}"
        elif tag.tag == "latest":
            kind, said = Meaning.DEFAULT, _default_words(name, series, tag)
        return Resolution(typed, kind, tag.name, said, note=note)
    default = series.default
    is_bare = name.tag.casefold() == "latest"
    if not is_library(name) and not (is_bare and series.tag(series.default_tag)):
        return Resolution(typed, Meaning.ELSEWHERE, name.short, note=note)
    if is_bare and default is not None:
        said = f"{series.name} has no tag latest; its default is {_described(default)}"
        return Resolution(typed, Meaning.DEFAULT, default.name, said, note=note)
    if not series.tags:
        return Resolution(typed, Meaning.UNKNOWN, name.short, note=note)
    found = meant(series, name.tag)
    if found.tag is not None:
        said = f"{name.short} is no tag; {_described(found.tag)} is meant"
        return Resolution(typed, Meaning.MEANT, found.tag.name, said, note=note)
    near = (*(tag.name for tag in found.near), *_same_size_elsewhere(series, found, catalog))
    return Resolution(typed, Meaning.SEVERAL, None, _several_words(name, series, found, near), near, note)


def _default_words(name: ModelName, series: Series, tag: Tag) -> str:
    """What a bare name stands for: the tag that says so, else its facts."""
    twins = [twin for twin in series.same_as(tag) if size_word(twin.tag)]
    twin = min(twins, key=lambda each: len(each.tag), default=None)
    meaning = _described(twin) if twin else _facts(tag)
    return f"{name.short} is {meaning}" if meaning else ""


def _described(tag: Tag) -> str:
    facts = _facts(tag)
    return f"{tag.name} ({facts})" if facts else tag.name


def _facts(tag: Tag) -> str:
    if tag.is_cloud:
        return "it runs at ollama.com"
    known = (tag.parameter_size, tag.quantization, units.size(tag.size) if tag.size else None)
    return ", ".join(part for part in known if part)


def _several_words(name: ModelName, series: Series, found: Meant, near: tuple[str, ...]) -> str:
    if found.size is not None:
        own = [tag.name for tag in found.near]
        neighbours = "its neighbour is" if len(own) == 1 else "its neighbours are"
        said = (
            f"{series.name} has no {found.size}; {neighbours} {_and(own)}"
            if own
            else f"{series.name} has no {found.size}"
        )
        others = near[len(own) :]
        return f"{said}; of that size is {others[0]}" if others else said
    return f"{series.name} has no tag {name.tag}" + (f"; it may mean {_or(list(near))}" if near else "")


def _same_size_elsewhere(series: Series, found: Meant, catalog: Catalog) -> tuple[str, ...]:
    """The newest of the same line that has the size asked for: llama3.1:8b for llama3.2:8b."""
    if found.size is None or series.line is None:
        return ()
    line = [each for each in catalog.series.values() if each.line == series.line and each.name != series.name]
    line.sort(
        key=lambda each: (not each.is_retired, each.role == series.role, each.released or ""), reverse=True
    )
    for each in line:
        tag = of_size(each, found.size)
        if tag is not None and tag.parameter_size and each.role == series.role:
            return (tag.name,)
    return ()


def _without_series(typed: str, name: ModelName, catalog: Catalog, installed: list[ModelName]) -> Resolution:
    retired = catalog.retired.get(name.model.casefold())
    if retired is not None:
        names = tuple(
            _as_typed(catalog.series[each], name) for each in retired.replaced_by if each in catalog.series
        )
        seen = f" (last listed on {retired.last_seen})" if retired.last_seen else ""
        took = f"{_or(list(names))} took its place" if names else "nothing in it took its place"
        said = f"{name.model} has left the library{seen}; {took}"
        return Resolution(typed, Meaning.RETIRED, None, said, names)
    if (split := _with_colon(name, catalog)) is not None:
        series, found = split
        said = f"there is no model {name.series}; {_described(found)} is meant"
        return Resolution(typed, Meaning.MEANT, found.name, said, note=_successor(series, catalog))
    near = _near_names(name, catalog, installed)
    of = f" of {catalog.as_of[:10]}" if catalog.as_of else ""
    said = f"the catalog{of} knows no {name.series}" + (f"; near it: {', '.join(near)}" if near else "")
    return Resolution(typed, Meaning.UNKNOWN, name.short, said, near)


def _as_typed(series: Series, name: ModelName) -> str:
    """A series with the typed tag, or what it means there, else its default one."""
    is_bare = name.tag.casefold() == "latest"
    tag = (None if is_bare else _tag_of(series, name)) or series.default
    return tag.name if tag else series.name


def _with_colon(name: ModelName, catalog: Catalog) -> tuple[Series, Tag] | None:
    """`llama3.1-8b` read as `llama3.1:8b`: a known series, a hyphen, and a size of it."""
    if name.tag.casefold() != "latest":
        return None
    model = name.model.casefold()
    for cut in sorted((at for at, letter in enumerate(model) if letter in "-_"), reverse=True):
        series = catalog.series.get(model[:cut])
        rest = model[cut + 1 :]
        if series is not None and rest and any(size_word(word) for word in words(rest)):
            tag = series.tag(rest) or meant(series, rest).tag
            return (series, tag) if tag is not None else None
    return None


def _near_names(name: ModelName, catalog: Catalog, installed: list[ModelName]) -> tuple[str, ...]:
    """Names of the library a slip away, those first that have the typed tag; installed ones too.

    Where none is near: the series whose name stands within a longer one (`Meta-Llama-3.1-8B-Instruct`).
    """
    ours = [each for each in installed if is_library(each)]
    here = {each.series: each.short for each in ours}
    here |= {each.series: each.short for each in ours if each.tag.casefold() == name.tag.casefold()}
    current = [key for key, series in catalog.series.items() if not series.is_retired]
    older = [key for key, series in catalog.series.items() if series.is_retired]
    names = list(dict.fromkeys((*here, *current, *older)))
    found = nearest(name.model, names, _NEAR)
    if not found:
        return _within(name, catalog)
    if name.tag.casefold() == "latest":
        # What is installed under the very name that was typed has another tag.
        return tuple(here[each] if each == name.series and each in here else each for each in found)
    with_tag = []
    for each in found:
        series = catalog.series.get(each.casefold())
        tag = _tag_of(series, name) if series else None
        if each in here or tag is not None:
            with_tag.append(tag.name if tag else here[each])
    return tuple(with_tag) or found


def _within(name: ModelName, catalog: Catalog) -> tuple[str, ...]:
    whole = squashed(name.model)
    inside = [key for key in catalog.series if len(squashed(key)) >= _LEAST_WITHIN and squashed(key) in whole]
    if not inside:
        return ()
    series = catalog.series[max(inside, key=lambda key: len(squashed(key)))]
    size = next((word for word in words(name.model) if size_word(word)), None)
    tag = meant(series, size).tag or series.tag(size) if size else None
    return (tag.name if tag else series.name,)


def _tag_of(series: Series, name: ModelName) -> Tag | None:
    """The typed tag in another series: as it is, or what it means there."""
    return series.tag(name.tag) or meant(series, name.tag).tag


def _successor(series: Series | None, catalog: Catalog) -> str:
    """What is newer than a series whose own successors cover all of it, the newest of them."""
    if series is None or not series.is_retired:
        return ""
    seen = {series.name}
    newest = series
    while newest.is_retired:
        following = [catalog.series[each] for each in newest.succeeded_by if each in catalog.series]
        following = [each for each in following if each.name not in seen]
        if not following:
            break
        newest = following[0]
        seen.add(newest.name)
    return f"{newest.name} has taken the place of {series.name}" if newest is not series else ""


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _or(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
