"""Cleaning: what lies there for nothing goes, what anybody writes, waits for or needs stays."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from demo_stage import FRESH, Opener, Place, now_ms, until
from shelf import Shelf

from modeltui.demo.faults import Kind as Kinds
from modeltui.demo.library import DemoModel
from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import LayerState, State, Wanted
from modeltui.errors import Refusal
from modeltui.services.cleaning import Cleaning, Kind
from modeltui.services.runner import Runner

CHAT = DemoModel("chat:latest", "chat", template="{{ .Prompt }}")
PART, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
async def here(open_place: Opener, shelf: Shelf) -> Place:
    """A server on this machine with one model, an old partial of two parts, and an old orphan."""
    place = await open_place(
        installed=(), available=(FRESH,), local=True, environ={"OLLAMA_MODELS": str(shelf.root)}
    )
    shelf.add(place.server.library, CHAT, b"chat")
    shelf.file(f"sha256-{PART}-partial", b"x" * 10_000, hours=2)
    shelf.file(f"sha256-{PART}-partial-0", b"{}", hours=3)
    shelf.put(b"orphan", hours=2)
    return place


@pytest.fixture
def cleaning(here: Place) -> Cleaning:
    return Cleaning(here.services, here.link, look_s=0.0)


def save(place: Place, state: State, cause: Cause | None = None, digest: str = PART) -> int:
    """A transfer of this server's queue that stands so, whose layer is `digest`."""
    row, _ = place.pulls.enqueue(place.link, parse("fresh"))
    layers = (LayerState(f"sha256:{digest}", 20_000, 10_000),)
    transfer = replace(row.transfer, state=state, cause=cause, layers=layers)
    place.services.store.queue.save(row.number, transfer)
    return int(row.number)


async def test_partials_and_orphans_go_and_models_stay(here: Place, shelf: Shelf, cleaning: Cleaning) -> None:
    plan = await cleaning.plan()
    assert [(each.kind, len(each.pile.files), each.kept) for each in plan.litter] == [
        (Kind.PARTIAL, 2, None),
        (Kind.ORPHAN, 1, None),
    ]
    held = sum(path.stat().st_blocks * 512 for path in shelf.blobs.iterdir() if PART in path.name)
    assert plan.removable[0].pile.held == held
    manifest = here.server.library.find("chat")
    assert manifest is not None
    done = await cleaning.clean(plan)
    assert len(done.removed) == 3
    assert done.left == ()
    assert done.freed == sum(each.pile.held for each in plan.removable)
    layers = manifest.manifest.all_layers
    assert shelf.names() == sorted(layer.digest.replace(":", "-") for layer in layers)
    action, subject, result = here.activity[-1]
    assert (action, result) == ("clean", "done")
    assert subject.startswith("3 files, ")
    assert (await cleaning.plan()).litter == ()


async def test_nothing_goes_while_our_own_pull_runs(here: Place, shelf: Shelf, cleaning: Cleaning) -> None:
    here.server.rate = 100_000
    here.pulls.enqueue(here.link, parse("fresh"))
    runner = Runner(here.services, random=lambda: 0.0)
    assert runner.acquire()
    plan = await cleaning.plan()
    stop = False
    running = asyncio.create_task(runner.run(lambda: stop))
    try:
        await until(lambda: here.pulls.all()[0].transfer.state is State.PULLING)
        with pytest.raises(Refusal, match="fresh:latest is being pulled") as refused:
            await cleaning.plan()
        assert "modeltui queue pause 1" in (refused.value.remedy or "")
        # One that was planned before waits for the end of the pull, and looks again.
        late = asyncio.create_task(cleaning.clean(plan))
        await until(lambda: bool(here.told))
        assert len(shelf.names()) == 3 + 3
        here.pulls.ask(1, Wanted.CANCEL)
        assert len((await asyncio.wait_for(late, 60)).removed) == 3
    finally:
        stop = True
        await asyncio.wait({running})


async def test_nothing_goes_while_another_client_pulls(here: Place, shelf: Shelf, cleaning: Cleaning) -> None:
    shelf.file(f"sha256-{OTHER}-partial", b"x")
    with pytest.raises(Refusal, match="another client of the server seems to be pulling") as refused:
        await cleaning.plan()
    assert f"sha256-{OTHER}-partial was written" in refused.value.message
    later = replace(here.services, clock=lambda: now_ms() + 200_000)
    assert len((await Cleaning(later, here.link, look_s=0.0).plan()).removable) == 3


@pytest.mark.parametrize("name", [f"sha256-{PART}-partial", f"sha256-{OTHER}-partial"])
async def test_a_partial_that_grows_while_looked_at(here: Place, shelf: Shelf, name: str) -> None:
    """Its time is old, as a file system with coarse times may show it: its growth tells."""

    async def grow() -> None:
        size = 20_000
        while True:
            await asyncio.sleep(0.01)
            size += 1
            shelf.file(name, b"x" * size, hours=2)

    growing = asyncio.create_task(grow())
    try:
        with pytest.raises(Refusal, match="another client of the server"):
            await Cleaning(here.services, here.link, look_s=0.5).plan()
    finally:
        growing.cancel()
    assert f"sha256-{PART}-partial" in shelf.names()


@pytest.mark.parametrize(
    ("state", "cause"),
    [(State.PAUSED, Cause.BY_YOU), (State.RETRYING, Cause.NETWORK), (State.BLOCKED, Cause.NO_SECRET)],
)
async def test_what_a_transfer_goes_on_from_stays(
    here: Place, shelf: Shelf, cleaning: Cleaning, state: State, cause: Cause
) -> None:
    number = save(here, state, cause)
    plan = await cleaning.plan()
    assert [each.kept for each in plan.kept] == [f"transfer {number}, fresh:latest, goes on from it"]
    assert len((await cleaning.clean(plan)).removed) == 1
    assert f"sha256-{PART}-partial" in shelf.names()


@pytest.mark.parametrize(
    ("state", "cause"), [(State.BLOCKED, Cause.DISK), (State.FAILED, None), (State.CANCELLED, Cause.BY_YOU)]
)
async def test_a_partial_that_fills_the_disk_or_that_nobody_waits_for_goes(
    here: Place, cleaning: Cleaning, state: State, cause: Cause | None
) -> None:
    save(here, state, cause)
    assert [each.kept for each in (await cleaning.plan()).litter] == [None, None]


@pytest.mark.parametrize("cause", [Cause.BY_YOU, Cause.DISK])
@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_whole_layer_of_an_unfinished_transfer_stays(
    here: Place, shelf: Shelf, cleaning: Cleaning, cause: Cause, is_announced: bool
) -> None:
    """Seen by the server or announced by the registry; also where only the partial may go."""
    whole = shelf.put(b"whole", hours=9)
    number = save(here, State.PAUSED, cause, PART if is_announced else whole.removeprefix("sha256:"))
    if is_announced:
        here.services.store.queue.keep_blobs(number, [f"sha256:{PART}", whole])
    plan = await cleaning.plan()
    kept = {each.pile.digest: each.kept for each in plan.kept if each.kind is Kind.ORPHAN}
    assert kept == {whole: f"transfer {number}, fresh:latest, goes on from it"}
    assert await cleaning.clean(plan)
    assert shelf.path(whole).exists()


async def test_a_try_that_fails_at_once_does_not_disown_its_partial(
    here: Place, shelf: Shelf, cleaning: Cleaning
) -> None:
    """A real runner's try, no layer of which comes; the registry cannot be read."""
    number = save(here, State.PAUSED, Cause.BY_YOU)
    here.trouble(Kinds.STATUS, value=500, times=None)
    here.trouble(Kinds.STATUS, path="/v2/*", value=500, times=None)
    runner = Runner(here.services, random=lambda: 1.0)
    assert runner.acquire()
    stop = False
    running = asyncio.create_task(runner.run(lambda: stop))
    try:
        here.pulls.ask(number, Wanted.RUN)
        await until(lambda: bool(here.services.store.queue.attempts(number)))
        here.pulls.ask(number, Wanted.PAUSE)
        await until(lambda: here.pulls.all()[0].transfer.state is State.PAUSED)
    finally:
        stop = True
        await asyncio.wait({running})
    assert here.services.store.queue.blobs(number) is None
    plan = await cleaning.plan()
    assert [each.kept for each in plan.kept] == [f"transfer {number}, fresh:latest, goes on from it"]
    assert len((await cleaning.clean(plan)).removed) == 1
    assert f"sha256-{PART}-partial" in shelf.names()


async def test_no_blob_is_an_orphan_where_nothing_proves_the_directory(
    open_place: Opener, shelf: Shelf
) -> None:
    """OLLAMA_MODELS of this shell names one without manifests, and the server lists nothing."""
    shelf.put(b"of another server", hours=9)
    shelf.file(f"sha256-{PART}-partial", b"x", hours=2)
    place = await open_place(installed=(), local=True, environ={"OLLAMA_MODELS": str(shelf.root)})
    plan = await Cleaning(place.services, place.link, look_s=0.0).plan()
    assert [each.kind for each in plan.litter] == [Kind.PARTIAL]
    assert "nothing that would prove" in (plan.doubts or "")


async def test_what_comes_to_be_wanted_after_the_plan_stays(
    here: Place, shelf: Shelf, cleaning: Cleaning
) -> None:
    plan = await cleaning.plan()
    shelf.add(here.server.library, DemoModel("late:1b", "late"), b"orphan")
    shelf.file(f"sha256-{PART}-partial-0", b"{1}", hours=3)
    done = await cleaning.clean(plan)
    assert [file.name for file in done.removed] == [f"sha256-{PART}-partial"]


async def test_no_blob_is_an_orphan_while_a_manifest_is_not_known(
    here: Place, shelf: Shelf, cleaning: Cleaning
) -> None:
    shelf.manifest_path("chat:broken").write_text("{")
    plan = await cleaning.plan()
    assert [each.kind for each in plan.litter] == [Kind.PARTIAL]
    assert "a manifest cannot be read" in (plan.doubts or "")
    shelf.manifest_path("chat:broken").unlink()
    here.server.library.install(parse("unseen"), DemoModel("unseen:latest", "unseen"))
    plan = await cleaning.plan()
    assert [each.kind for each in plan.litter] == [Kind.PARTIAL]
    assert "lists unseen:latest, whose manifest is not there" in (plan.doubts or "")


async def test_young_orphans_stay(here: Place, shelf: Shelf, cleaning: Cleaning) -> None:
    shelf.put(b"being created")
    assert len((await cleaning.plan()).litter) == 2


async def test_links_are_told_and_stay(here: Place, shelf: Shelf, cleaning: Cleaning, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shelf.file(f"sha256-{OTHER}-partial", b"x", hours=5).rename(outside)
    (shelf.blobs / f"sha256-{OTHER}-partial").symlink_to(outside)
    plan = await cleaning.plan()
    assert [each.pile.held for each in plan.litter if OTHER in each.pile.digest] == [0]
    done = await cleaning.clean(plan)
    assert [each.why for each in done.left] == ["not a file of the server's own"]
    assert outside.exists()
    assert here.activity[-1][2] == "failed"


async def test_where_nothing_may_be_removed(
    here: Place, shelf: Shelf, cleaning: Cleaning, tmp_path: Path
) -> None:
    plan = await cleaning.plan()
    shelf.blobs.rename(tmp_path / "moved")
    shelf.blobs.symlink_to(tmp_path / "moved")
    with pytest.raises(Refusal, match="nothing was removed"):
        await cleaning.clean(plan)
    assert here.activity[-1][0::2] == ("clean", "failed")
    assert len(shelf.names()) == 3 + 3


async def test_a_server_elsewhere_is_left_alone(open_place: Opener, tmp_path: Path) -> None:
    place = await open_place(local=False, environ={"OLLAMA_MODELS": str(tmp_path)})
    with pytest.raises(Refusal, match="cannot be looked at from here"):
        await Cleaning(place.services, place.link).plan()
