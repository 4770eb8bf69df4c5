"""What could be pulled: series with their tags, as facts with their sources."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.models import ModelType
from modeltui.domain.names import DEFAULT_HOST, DEFAULT_NAMESPACE, ModelName, parse
from modeltui.errors import InvalidName

_TOLD = 3  # problems that are said at once


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a model's architecture: a `row` as `domain.shapes` reads it, for the tags of one size.

    `only_for`: a word that a tag's name must hold, where the size alone does not tell (`llama`, `v1.5`).
    """

    size: str
    row: Mapping[str, object] = field(hash=False)
    only_for: str | None = None


class Tag(NamedTuple):
    """One pullable tag. `digest` is the first 12 hex digits of the manifest's; sizes in bytes; unknown: None.

    `is_size_exact` is False where the size is a label of two digits. `is_apple_only` and `is_base` by the
    rules of `domain.tags`: never recommended (base: not for chat). `inputs` is what this very tag takes,
    whatever the series can do. `type` and `purpose` are only set where the user's catalog says so: ask
    `domain.purposes`.

    A NamedTuple, because the whole catalog is made at once and 7,000 frozen dataclasses take six
    times as long.
    """

    series: str
    tag: str
    digest: str | None = None
    size: int | None = None
    is_size_exact: bool = False
    weights: int | None = None
    projector: int | None = None
    quantization: str | None = None
    parameter_size: str | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    context: int | None = None
    inputs: frozenset[str] = frozenset()
    is_cloud: bool = False
    is_apple_only: bool = False
    is_base: bool = False
    type: ModelType | None = None
    purpose: Purpose | None = None
    note: str | None = None

    @property
    def name(self) -> str:
        """What is typed and pulled: `llama3.1:8b`."""
        return f"{self.series}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Series:
    """One name of the catalog with its tags, the default one known as `default_tag`. Times are as published.

    `released` is a month (`2025-02`), `as_of` the day or time at which its tags were read, `updated` when the
    site says that it changed (ISO 8601, cut to what it says: `2024`, `2026-03`), `missed` how many full
    refreshes in a row did not list it. `capabilities` are chips of the series, not facts of each tag. `role`
    is its one main use. `is_retired`: its own successors cover all of it. `source` says where the row comes
    from ("bundled", "ollama.com", a file of the user's). `type` and `purpose` are only set where the user's
    catalog says so: ask `domain.purposes`.
    """

    name: str
    tags: tuple[Tag, ...] = field(repr=False)
    publisher: str | None = None
    description: str | None = None
    family: str | None = None
    capabilities: frozenset[str] = frozenset()
    use_cases: frozenset[str] = frozenset()
    license: str | None = None
    commercial: str | None = None
    context: int | None = None
    default_tag: str = "latest"
    pulls: int | None = None
    rank: int | None = None
    released: str | None = None
    line: str | None = None
    succeeds: tuple[str, ...] = ()
    succeeded_by: tuple[str, ...] = ()
    base_model: str | None = None
    role: str | None = None
    kind: str | None = None
    is_retired: bool = False
    requires: str | None = None
    notes: tuple[str, ...] = ()
    url: str | None = None
    source: str = ""
    as_of: str | None = None
    updated: str | None = None
    missed: int = 0
    type: ModelType | None = None
    purpose: Purpose | None = None
    shapes: tuple[Shape, ...] = field(default=(), repr=False)

    def tag(self, tag: str) -> Tag | None:
        """The tag of that name, compared as Ollama does: without case."""
        wanted = tag.casefold()
        return next((each for each in self.tags if each.tag.casefold() == wanted), None)

    @property
    def default(self) -> Tag | None:
        """The tag that the series stands for when none is named, else its first; None where it has none."""
        return self.tag(self.default_tag) or next(iter(self.tags), None)

    @property
    def prose(self) -> str:
        """What is said of it, in lower case, for who searches in it."""
        said = (self.publisher, self.description, *sorted(self.use_cases))
        return " ".join(part for part in said if part).casefold()

    def same_as(self, tag: Tag) -> tuple[Tag, ...]:
        """The other tags that are the very same model: one digest."""
        if tag.digest is None:
            return ()
        return tuple(each for each in self.tags if each.digest == tag.digest and each.tag != tag.tag)


class Retired(NamedTuple):
    """A name that left the library: what took its place, best first, and the day it was last listed."""

    replaced_by: tuple[str, ...] = ()
    last_seen: str | None = None


class QualityRow(NamedTuple):
    """One published score, as published. `benchmark` names test and version: only equal texts compare.

    `size` is the size word of the tags it speaks for; "" where the series has one size. `kind` is
    `independent` or `maker` (a claim of a maker, about its own model or another's). `variant`, `note`: ""
    where nothing is said.
    """

    series: str
    size: str
    task: str
    benchmark: str
    value: float
    scale: str
    variant: str
    kind: str
    source: str
    date: str
    note: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every series by its name (as `ModelName.series` writes it, case-folded), the most pulled first.

    `retired` are names that left the library. `as_of` is when the library was read. `problems` are sentences
    about files that could not be used whole: a cached catalog, the user's own ones.
    """

    series: Mapping[str, Series]
    as_of: str | None = None
    retired: Mapping[str, Retired] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The first problems, and how many more there are: a faulty file may have hundreds."""
        more = len(self.problems) - _TOLD
        if more <= 0:
            return self.problems
        return (*self.problems[:_TOLD], f"{more} more problem{'' if more == 1 else 's'}: modeltui doctor")

    @property
    def tags(self) -> Iterator[Tag]:
        """Every tag, series by series."""
        return (tag for series in self.series.values() for tag in series.tags)

    def series_of(self, name: str | ModelName) -> Series | None:
        """The series that a name belongs to, whatever its tag; None for one that is unknown or no name."""
        parsed = _parsed(name)
        return self.series.get(parsed.series.casefold()) if parsed else None

    def find(self, name: str | ModelName) -> tuple[Series, Tag] | None:
        """The series and tag of a name; without a tag `latest`, as Ollama has it, else the default one."""
        parsed = _parsed(name)
        series = self.series.get(parsed.series.casefold()) if parsed else None
        if parsed is None or series is None:
            return None
        tag = series.tag(parsed.tag)
        if tag is None and isinstance(name, str) and ":" not in name.rpartition("/")[2]:
            tag = series.default
        return (series, tag) if tag is not None else None


def catalog_of(
    series: Iterable[Series],
    as_of: str | None = None,
    retired: Mapping[str, Retired] | None = None,
    problems: Iterable[str] = (),
) -> Catalog:
    """A catalog of these series, in their order; a later one of a name takes the place of an earlier."""
    by_name = {each.name.casefold(): each for each in series}
    return Catalog(by_name, as_of, dict(retired or {}), tuple(problems))


def is_library(name: ModelName) -> bool:
    """Whether a name belongs to Ollama's own library, the only place that the bundled catalog speaks for."""
    return name.host.casefold() == DEFAULT_HOST and name.namespace.casefold() == DEFAULT_NAMESPACE


def _parsed(name: str | ModelName) -> ModelName | None:
    if isinstance(name, ModelName):
        return name
    try:
        return parse(name)
    except InvalidName:
        return None
