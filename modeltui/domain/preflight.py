"""Says what is known of a pull before it begins, and whether its server's disk has room for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from modeltui.domain.names import ModelName
from modeltui.domain.units import size

_NAMED = 3  # of many in one sentence
_WORTH, _WORTH_BYTES = 100, 10**6  # less, and a smaller share, is no word: half of all have the same licence


class Fitness(NamedTuple):
    """How a model would run that is to be pulled: as `Fit` and `Needs` have it, and in words."""

    kind: str
    score: int | None
    needs: int | None
    context: int
    words: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """One pull before it begins, in bytes; None is unknown, and `gaps` say why, where it was to be found out.

    `total` is what the registry announces. `lacking`: what the server's disk must still take of each blob, by
    digest; none of a blob that is there. `free`: the room in `directory`, where that can be seen from here.
    `is_known` False: the registry has no such model or tag. `is_same`: what is installed under that name is
    what the registry announces, and whole. `fit` None: the machine or the model is unknown.
    """

    name: ModelName
    is_known: bool | None = None
    total: int | None = None
    lacking: Mapping[str, int] | None = None
    is_installed: bool | None = None
    is_same: bool | None = None
    directory: str | None = None
    free: int | None = None
    gaps: tuple[str, ...] = ()
    fit: Fitness | None = None

    @property
    def needed(self) -> int | None:
        """Bytes that the disk must still take."""
        return None if self.lacking is None else sum(self.lacking.values())

    @property
    def present(self) -> int | None:
        """Bytes of it that are there."""
        if self.total is None or self.needed is None:
            return None
        return max(0, self.total - self.needed)


@dataclass(frozen=True, slots=True)
class Shortage:
    """A disk that is too small for some pulls together; bytes."""

    names: tuple[ModelName, ...]
    needed: int
    free: int
    directory: str | None

    @property
    def words(self) -> str:
        """`needs 404 GB, 212 GB free`."""
        return f"needs {size(self.needed)}, {size(self.free)} free"

    @property
    def sentence(self) -> str:
        """The same with what needs it, and where: `qwen3:235b needs 404 GB, 212 GB free in /models`."""
        where = f" in {self.directory}" if self.directory else ""
        if len(self.names) == 1:
            return f"{self.names[0].short} {self.words}{where}"
        names = ", ".join(name.short for name in self.names[:_NAMED])
        more = f" and {len(self.names) - _NAMED} more" if len(self.names) > _NAMED else ""
        return f"{names}{more} together need {size(self.needed)}, {size(self.free)} free{where}"


def shortage(plans: Iterable[Preflight]) -> Shortage | None:
    """What of these pulls, on one server, its disk has no room for; None where it has, or that is unknown.

    A blob that two of them need is counted once.
    """
    known = [plan for plan in plans if plan.lacking is not None and plan.free is not None]
    lacking = {digest: count for plan in known for digest, count in (plan.lacking or {}).items()}
    free = min((plan.free for plan in known if plan.free is not None), default=0)
    needed = sum(lacking.values())
    if not known or needed <= free:
        return None
    names = tuple(plan.name for plan in known if plan.needed)
    return Shortage(names, needed, free, known[0].directory)


def words(plan: Preflight) -> str:
    """One line: `qwen3:8b: 5.2 GB, 1.1 GB of it there, 212 GB free, fits: gpu, 86`; empty: all unknown."""
    facts = facts_words(plan)
    if not facts:
        return ""
    return f"{plan.name.short} {facts}" if plan.is_same else f"{plan.name.short}: {facts}"


def facts_words(plan: Preflight) -> str:
    """The same without the name."""
    if plan.is_same:
        return f"is installed and up to date, {size(plan.total)}"
    said = []
    if plan.is_known is False:
        said.append("its registry knows no such model or tag")
    elif plan.total is not None:
        said.append(size(plan.total))
    if plan.total and plan.present == plan.total:
        said.append("all of it there")
    elif plan.total and plan.present and plan.present >= min(_WORTH_BYTES, plan.total / _WORTH):
        said.append(f"{size(plan.present)} of it there")
    if plan.free is not None:
        said.append(f"{size(plan.free)} free")
    if plan.fit is not None:
        said.append(plan.fit.words)
    return ", ".join([*said, *plan.gaps])
