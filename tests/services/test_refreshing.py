"""A refresh reads what is new, keeps what is known, and whatever goes wrong leaves the catalog as it was."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from demo_stage import Opener
from libsite import Site, SiteModel, SiteTag, serving

from modeltui.catalog.loading import REFRESHED, load, load_base
from modeltui.domain.catalog.series import Series
from modeltui.errors import Garbled, ModeltuiError, Refusal, ServerFailed, Unreachable
from modeltui.services.refreshing import Progress, Refreshed, refresh
from modeltui.services.tree import Services

OLD, NEW = "46e0c10c039e", "0123456789ab"
AGO = "Jul 30, 2020 1:02 AM UTC"
Refresh = Callable[[Site], "asyncio.Future[Refreshed]"]


def as_bundled(name: str) -> SiteModel:
    """A model's pages as they were when the catalog was bundled; its sizes are not looked at again."""
    series = load_base(None).series[name]
    tags = [SiteTag(tag.tag, tag.digest) for tag in series.tags]
    return SiteModel(name, tags, updated_title=AGO)


@pytest.fixture
def models() -> list[SiteModel]:
    """Two of the bundled models, unchanged; the rest is missing."""
    return [as_bundled("llama3.1"), as_bundled("qwen3")]


class Reading:
    """The services of one user, who refreshes from one site."""

    def __init__(self, services: Services, site: Site) -> None:
        self.site = site
        self.services = replace(services, clock=lambda: next(self._clock))
        self._clock = itertools.count(services.clock(), 60_000)
        self.progress: list[Progress] = []

    async def refresh(self) -> Refreshed:
        self.site.asked.clear()
        self.progress.clear()
        return await refresh(self.services, self.progress.append, pause_s=0)

    def series(self, name: str) -> Series:
        return load(self.services.paths).series[name]

    @property
    def file(self) -> Path:
        return self.services.paths.cache / REFRESHED


@pytest.fixture
async def reading(open_place: Opener, models: list[SiteModel]) -> AsyncIterator[Reading]:
    async with serving(Site(models)) as site:
        place = await open_place(f'[registries."ollama.com"]\nbase_url = "{site.url}"\n')
        yield Reading(place.services, site)


async def test_what_did_not_change_costs_one_page(reading: Reading) -> None:
    bundled = load_base(None)
    told = await reading.refresh()
    assert reading.site.asked == ["/library"]
    assert (told.pages, told.models, told.new, told.changed, told.unread) == (0, 2, (), (), ())
    assert told.before == bundled.as_of and told.as_of > (bundled.as_of or "")
    assert len(told.missing) == len(bundled.series) - 2 and told.retired == ()
    catalog = load(reading.services.paths)
    assert catalog.as_of == told.as_of and catalog.problems == ()
    kept = catalog.series["llama3.1"]
    assert kept.tags == bundled.series["llama3.1"].tags
    assert kept.shapes == bundled.series["llama3.1"].shapes
    assert (kept.pulls, kept.rank) == (118_700_000, 1)
    assert list(catalog.series)[:2] == ["llama3.1", "qwen3"]
    assert set(catalog.series) == set(bundled.series)
    assert reading.file.stat().st_mode & 0o777 == 0o600


async def test_new_and_changed_models_are_read(reading: Reading) -> None:
    reading.site.models.append(
        SiteModel(
            "fresh9", [SiteTag("latest", NEW), SiteTag("9b-q4_K_M", NEW), SiteTag("9b-cloud", OLD, "-")]
        )
    )
    llama = reading.site.model("llama3.1")
    llama.updated_title = "Nov 20, 2026 1:02 AM UTC"
    llama.tags[0] = SiteTag("latest", "ba9876543210", "5.1GB")
    told = await reading.refresh()
    assert sorted(reading.site.asked[1:]) == ["/library/fresh9/tags", "/library/llama3.1/tags"]
    assert (told.new, told.changed, told.pages) == (("fresh9",), ("llama3.1",), 2)
    assert [(step.read, step.of) for step in reading.progress] == [(0, 2), (1, 2), (2, 2)]
    fresh, known = reading.series("fresh9"), reading.series("llama3.1")
    assert [tag.quantization for tag in fresh.tags] == ["Q4_K_M", "Q4_K_M", None]
    assert (fresh.tags[0].parameters, fresh.tags[0].size) == (9_000_000_000, 4_900_000_000)
    assert (fresh.tags[2].is_cloud, fresh.tags[2].size) == (True, None)
    assert (fresh.default_tag, fresh.source, fresh.as_of) == ("latest", "ollama.com", told.as_of)
    latest = known.tags[0]
    assert (latest.digest, latest.size, latest.is_size_exact) == ("ba9876543210", 5_100_000_000, False)
    assert known.tags[1].is_size_exact and known.description
    assert (await reading.refresh()).pages == 0


async def test_what_is_missing_twice_is_retired_and_comes_back(reading: Reading) -> None:
    qwen = reading.site.models.pop()
    first = await reading.refresh()
    assert "qwen3" in first.missing and "qwen3" not in load(reading.services.paths).retired
    second = await reading.refresh()
    assert "qwen3" in second.retired and "qwen3" in load(reading.services.paths).retired
    assert reading.series("qwen3").tags
    assert (await reading.refresh()).retired == ()
    reading.site.models.append(qwen)
    await reading.refresh()
    assert reading.series("qwen3").missed == 0
    assert "qwen3" not in load(reading.services.paths).retired


async def test_a_page_that_fails_leaves_its_model_as_it_was(reading: Reading) -> None:
    for number in range(3):
        reading.site.models.append(SiteModel(f"new{number}", [SiteTag("latest", NEW)]))
    reading.site.model("llama3.1").updated_title = None
    reading.site.model("llama3.1").updated = "2 minutes ago"
    reading.site.pages["/library/llama3.1/tags"] = "<html>under construction</html>"
    reading.site.faults["/library/new1/tags"] = [500, 500, 500]
    before = reading.series("llama3.1")
    told = await reading.refresh()
    assert {each.name for each in told.unread} == {"llama3.1", "new1"}
    assert told.new == ("new0", "new2")
    assert reading.series("llama3.1").tags == before.tags and reading.series("llama3.1").as_of == before.as_of
    del reading.site.pages["/library/llama3.1/tags"]
    again = await reading.refresh()
    assert again.unread == () and again.pages == 2 and again.new == ("new1",)


def fewer(site: Site) -> None:
    site.models.append(SiteModel("fresh9", [SiteTag("latest", NEW)], stated=2))


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (lambda site: site.pages.update({"/library": "<html></html>"}), Garbled),
        (lambda site: site.faults.update({"/library": [500] * 3}), ServerFailed),
        (fewer, Refusal),
    ],
)
async def test_what_cannot_be_understood_changes_nothing(
    reading: Reading, harm: Callable[[Site], None], error: type[ModeltuiError]
) -> None:
    await reading.refresh()
    before = reading.file.read_bytes()
    harm(reading.site)
    with pytest.raises(error):
        await reading.refresh()
    assert reading.file.read_bytes() == before


async def test_a_site_that_is_away_changes_nothing(open_place: Opener) -> None:
    place = await open_place('[registries."ollama.com"]\nbase_url = "http://127.0.0.1:1"\n')
    with pytest.raises(Unreachable):
        await refresh(place.services, lambda _: None, pause_s=0)
    assert load(place.services.paths) == load_base(None)


async def test_who_ends_it_leaves_what_was(reading: Reading) -> None:
    await reading.refresh()
    before = reading.file.read_bytes()
    reading.site.models += [SiteModel(f"new{number}", [SiteTag("latest", NEW)]) for number in range(20)]
    reading.site.delay_s = 0.05
    begun = asyncio.Event()

    def told(step: Progress) -> None:
        reading.progress.append(step)
        if step.read:
            begun.set()

    reading.progress.clear()
    task = asyncio.create_task(refresh(reading.services, told, pause_s=0))
    async with asyncio.timeout(30):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert reading.file.read_bytes() == before
    assert len(reading.progress) < 20


async def test_a_directory_that_cannot_be_written_is_told(reading: Reading) -> None:
    cache = reading.services.paths.cache
    cache.parent.mkdir(parents=True, exist_ok=True)
    if cache.exists():
        cache.rmdir()
    cache.write_text("a file")
    with pytest.raises(ModeltuiError, match="cannot be kept"):
        await reading.refresh()


async def test_a_clock_that_is_behind_makes_no_older_catalog(reading: Reading) -> None:
    reading.services = replace(reading.services, clock=lambda: 1_000_000_000_000)
    told = await reading.refresh()
    assert told.as_of > (load_base(None).as_of or "")
    assert load(reading.services.paths).as_of == told.as_of
