"""How suitable models are for the tasks, by what a whole catalog and the published scores tell."""

from collections.abc import Iterable, Iterator

from modeltui.catalog.quality import quality_rows
from modeltui.domain.advice.quality import Quality
from modeltui.domain.advice.suitability import Suitability
from modeltui.domain.catalog.series import Catalog


def quality_of(catalog: Catalog) -> Quality:
    """The levels of its models, made as they are asked for; 5 ms, and 10 more for the first of each task.

    A catalog of a few series would say something else of them: scores compare models.
    """
    return Quality(catalog.series, quality_rows(), catalog.as_of)


def suit_lines(suits: Iterable[Suitability]) -> Iterator[tuple[str, str]]:
    """Label and text of each task that a model is made for, and then of what it is not."""
    others = []
    for suited in suits:
        if suited.high == 0:
            others.append(suited.task.value)
        else:
            yield suited.task.value, f"{suited.words}; {suited.why}"
    if others:
        yield "not made for", ", ".join(others)
