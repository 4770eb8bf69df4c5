"""Whose turn it is: what shares bytes waits, a full disk holds its server, one that was away is awaited."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    FRESH,
    INSTALLED,
    MB,
    OTHER,
    Opener,
    Place,
    open_services,
    until,
)
from queue_stage import (  # type: ignore[import-not-found, unused-ignore]
    carry_out,
    put,
    reach,
    row,
    running,
    state,
    watched,
)
from shelf import Shelf  # type: ignore[import-not-found, unused-ignore]

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel, Library, manifest_of
from modeltui.demo.server import DemoServer
from modeltui.domain.causes import Cause
from modeltui.domain.names import parse
from modeltui.domain.transfers import CONNECTED, State, Wanted
from modeltui.errors import Refusal
from modeltui.services import carrying, presence
from modeltui.services.pulls import Pulls

ENDLESS = MB / 100
BIG = DemoModel("big:first", "big", 4 * MB, system="First.")
SAME = replace(BIG, name="big:second", system="Second.")
"""On the weights of BIG."""
ALSO = replace(BIG, name="big:third", system="Third.")
HUGE = replace(BIG, size=4000 * MB)
THREE = "[downloads]\nper_server = 3\n"


def words(place: Place, number: int) -> tuple[State, Cause | None, str]:
    transfer = row(place.services, number).transfer
    return transfer.state, transfer.cause, transfer.detail


# Tags that share blobs.


async def test_a_tag_waits_for_another_that_brings_its_bytes(open_place: Opener) -> None:
    place = await open_place(THREE, available=(BIG, SAME, FRESH), rate=ENDLESS)
    put(place, BIG.name, SAME.name, "fresh")
    waits = (State.WAITING, Cause.SHARED_LAYERS, "waits for big:first, which brings 4 MB of it")
    async with watched(place) as seen, running(place.services):
        await until(lambda: words(place, 2) == waits)
        await reach(place, State.PULLING, number=3)  # what shares nothing passes
        assert row(place.services, 2).transfer.total == manifest_of(SAME).size  # it was looked up ahead
        place.server.rate = 1e9
        place.pulls.ask(1, Wanted.PAUSE)  # who brings it no longer does
        await reach(place, State.INSTALLED, number=2)
        place.pulls.ask(1, Wanted.RUN)
        await reach(place, State.INSTALLED)
    assert row(place.services, 2).transfer.tries == 1
    assert not any(
        {1, 2} <= {each.number for each in rows if each.transfer.state in CONNECTED} for rows in seen.rows
    )


async def test_what_was_waited_for_is_not_fetched_again(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "SAVE_MS", 0)
    place = await open_place(THREE, available=(BIG, SAME, ALSO), rate=8 * MB)
    numbers = put(place, BIG.name, SAME.name, ALSO.name)
    async with watched(place) as seen:
        await carry_out(place.services)
    assert [state(place, number) for number in numbers] == [State.INSTALLED] * 3
    assert [row(place.services, number).transfer.tries for number in numbers] == [1, 1, 1]
    for rows in seen.rows:  # the others began when the bytes of the first were there
        first, *others = (next(each.transfer for each in rows if each.number == number) for number in numbers)
        if any(other.state in CONNECTED for other in others):
            assert first.is_final or first.done >= BIG.size


async def test_small_common_layers_are_not_worth_a_wait(open_place: Opener) -> None:
    other = replace(FRESH, name="cousin:latest", weights="cousin")  # the same template and licence
    place = await open_place(THREE, available=(FRESH, other), rate=ENDLESS)
    put(place, "fresh", "cousin")
    async with running(place.services):
        await reach(place, State.PULLING, number=2)
        assert state(place) is State.PULLING


async def test_without_look_ups_nothing_is_known_and_nothing_waits(open_place: Opener) -> None:
    tables = THREE + "[registry]\nlookup = false\n"
    place = await open_place(tables, available=(BIG, SAME), rate=ENDLESS)
    put(place, BIG.name, SAME.name)
    async with running(place.services):
        await reach(place, State.PULLING, number=2)
        assert state(place) is State.PULLING


async def test_a_registry_that_does_not_answer_holds_nothing_up_for_long(open_place: Opener) -> None:
    place = await open_place(THREE, available=(BIG, SAME), rate=ENDLESS)
    place.trouble(Kind.HANG, "/v2/*", times=None)
    put(place, BIG.name, SAME.name)
    async with running(place.services):
        await reach(place, State.PULLING, number=2)
        assert state(place) is State.PULLING


async def test_only_the_next_in_line_is_looked_up(open_place: Opener) -> None:
    models = tuple(DemoModel(f"m{n}:1b", f"m{n}") for n in range(6))
    place = await open_place(available=models, rate=ENDLESS)
    put(place, *(model.name for model in models))
    async with running(place.services):
        await until(lambda: place.services.store.queue.blobs(2) is not None)
        place.pulls.move(5, 1)
        await until(lambda: place.services.store.queue.blobs(5) is not None)
        known = [n for n in range(1, 7) if place.services.store.queue.blobs(n) is not None]
        assert known == [1, 2, 5]
        await until(lambda: row(place.services, 5).transfer.total == manifest_of(models[4]).size)


# A full disk.


async def test_a_full_disk_holds_the_queue_of_its_server(open_place: Opener) -> None:
    async with DemoServer(
        seed=Library(INSTALLED, [FRESH]), rate=1e9, small_layer_time=0, verify_rate=1e12
    ) as second:
        place = await open_place(f'[servers.box]\nurl = "{second.url}"\n', rate=20 * MB)
        config = next(each for each in place.services.config.servers if each.name == "box")
        box = await place.services.links.connect(config)
        place.trouble(Kind.NO_SPACE, after_bytes=MB)
        put(place, "fresh", "other:1b")
        place.pulls.enqueue(box, parse("fresh"))
        held = (State.BLOCKED, Cause.DISK, "the disk of demo is full")
        async with running(place.services):
            await until(lambda: words(place, 2) == held)
            assert "no space left on device" in row(place.services).transfer.detail
            await reach(place, State.INSTALLED, number=3)  # the disk of another server is another
            put(place, "coder:7b")
            await until(lambda: words(place, 4) == held)  # nor is what comes later tried
            place.pulls.ask(1, Wanted.CANCEL)  # nobody said that there is space now
            await reach(place, State.CANCELLED)
            put(place, "chat")
            await until(lambda: words(place, 5) == held)
            place.pulls.ask(4, Wanted.RUN)  # one for all
            for number in (2, 4, 5):
                await reach(place, State.INSTALLED, number=number)
        assert {row(place.services, number).transfer.tries for number in (2, 4, 5)} == {1}


async def test_a_full_disk_is_remembered_by_the_next_runner(open_place: Opener) -> None:
    place = await open_place(rate=20 * MB)
    place.trouble(Kind.NO_SPACE, after_bytes=MB)
    put(place, "fresh", "other:1b")
    await carry_out(place.services)
    assert [state(place, number) for number in (1, 2)] == [State.BLOCKED, State.BLOCKED]
    put(place, "coder:7b")
    await carry_out(place.services)
    assert state(place, 3) is State.BLOCKED
    place.pulls.ask(2, Wanted.RUN)  # and so with nobody at work
    assert [state(place, number) for number in (1, 2, 3)] == [State.WAITING] * 3
    await carry_out(place.services)
    assert [state(place, number) for number in (1, 2, 3)] == [State.INSTALLED] * 3
    resumed = [subject for action, subject, _ in place.activity if action == "resume"]
    assert resumed == ["2 other:1b", "1 fresh:latest", "3 coder:7b"]


async def test_a_runner_never_sees_half_of_a_resume(open_place: Opener) -> None:
    """One that did would find the disk full still, and block again what it was just told to let go on."""
    models = tuple(DemoModel(f"m{n}:1b", f"m{n}", 1000) for n in range(12))
    place = await open_place(available=models)
    place.trouble(Kind.STREAM_ERROR, value="write x-partial: no space left on device")
    numbers = put(place, *(model.name for model in models))

    def resume() -> None:
        services = open_services(place.paths, [])
        try:
            Pulls(services).ask(numbers[-1], Wanted.RUN)
        finally:
            services.store.close()

    async with running(place.services):
        await until(lambda: all(state(place, number) is State.BLOCKED for number in numbers))
        await asyncio.to_thread(resume)
        await until(lambda: all(state(place, number) is State.INSTALLED for number in numbers))


async def test_what_fills_a_disk_that_can_be_seen_is_named(open_place: Opener, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    place = await open_place(
        rate=20 * MB, local=True, installed=(), environ={"OLLAMA_MODELS": str(shelf.root)}
    )
    shelf.add(place.server.library, OTHER, b"weights" * 1000)
    weights = manifest_of(FRESH).weights
    shelf.file(f"{weights.replace(':', '-')}-partial", b"x" * 300_000)
    shelf.file(f"sha256-{'a' * 64}-partial", b"x" * 40_000)
    place.trouble(Kind.NO_SPACE, after_bytes=MB)
    put(place, "fresh")
    await carry_out(place.services)
    detail = row(place.services).transfer.detail
    head, _, tail = detail.partition("; ")
    assert head.endswith("no space left on device")
    assert tail.startswith("on that disk its own partial download takes 3")
    assert "others take 4" in tail
    assert tail.endswith("modeltui clean removes them")


# A server that was restarted.


@pytest.mark.parametrize(
    ("version", "prune", "expected"),
    [
        ("0.33.0-rc2", False, "resumed at "),
        ("0.20.7", True, "the server removed what was there (Ollama before 0.21 does at each restart"),
        ("0.24.0", True, "the server removed what was there (Ollama does at a restart with parts older"),
        ("0.0.0", True, "starts anew: what was there is gone"),
    ],
)
async def test_what_survived_a_restart_is_said(
    open_place: Opener, version: str, prune: bool, expected: str
) -> None:
    place = await open_place(available=(HUGE,), rate=40 * MB, version=version)
    put(place, HUGE.name)
    async with running(place.services):
        await until(lambda: row(place.services).transfer.done > MB)
        place.server.rate = ENDLESS
        await place.server.restart(prune=prune)
        await until(lambda: row(place.services).transfer.detail.startswith(expected))
        assert state(place) is State.PULLING


async def test_what_was_damaged_is_not_said_to_be_lost_in_a_restart(open_place: Opener) -> None:
    """The registry failed before; then the server itself removes what does not have its digest."""
    place = await open_place(rate=MB, version="0.24.0")
    place.trouble(Kind.STREAM_ERROR, value="pull model manifest: 500: oops")
    place.trouble(Kind.DIGEST_MISMATCH, times=None)
    put(place, "fresh")
    async with running(place.services):
        await until(lambda: " what was there" in row(place.services).transfer.detail)
        transfer = row(place.services).transfer
        assert (transfer.tries, transfer.detail) == (3, "starts anew: what was there is gone")


async def test_a_server_that_comes_back_keeps_nobody_waiting(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next try is minutes away, and the server there again: it is noticed."""
    monkeypatch.setattr(presence, "_RETURN_MS", 50)
    place = await open_place("[downloads]\nretries = 1\n", available=(HUGE,), rate=40 * MB)
    knocked = asyncio.Semaphore(0)

    def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocked.release()
        writer.close()

    put(place, HUGE.name)
    async with running(place.services):
        await until(lambda: row(place.services).transfer.done > MB)
        await place.server.stop()
        closed_door = await asyncio.start_server(hang_up, "127.0.0.1", place.server.port)
        for _ in range(2):
            await knocked.acquire()
        transfer = row(place.services).transfer
        assert transfer.state is State.RETRYING
        assert (transfer.retry_at or 0) - transfer.at >= 60_000
        closed_door.close()
        await closed_door.wait_closed()
        place.server.rate = 1e10
        await place.server.start()
        await reach(place, State.INSTALLED)


async def test_a_server_that_is_away_is_asked_whether_it_is_there_and_not_to_pull(
    open_place: Opener,
) -> None:
    place = await open_place(available=(HUGE,), rate=40 * MB)
    put(place, HUGE.name)
    place.trouble(Kind.CUT, after_bytes=MB // 2)
    place.trouble(Kind.RESET, "/api/version", times=None)
    # A second pull that is asked for ends everything.
    place.trouble(Kind.STREAM_ERROR, after_bytes=MB, value="unauthorized", times=None)
    async with running(place.services):
        await until(lambda: len(place.services.store.queue.attempts(1)) >= 4)
        assert {attempt.cause for attempt in place.services.store.queue.attempts(1)} == {Cause.NETWORK}
        place.server.faults.clear()
        place.server.rate = 1e10
        await reach(place, State.INSTALLED)


# The order.


async def test_moving_by_words(place: Place) -> None:
    numbers = put(place, *(f"m{n}:1b" for n in range(4)))

    def order() -> list[int]:
        return [each.number for each in place.pulls.all()]

    for wish, expected in (
        ("first", [3, 1, 2, 4]),
        ("down", [1, 3, 2, 4]),
        ("last", [1, 2, 4, 3]),
        ("down", [1, 2, 4, 3]),
        ("up", [1, 2, 3, 4]),
        (1, [3, 1, 2, 4]),
        ("up", [3, 1, 2, 4]),
    ):
        place.pulls.move(numbers[2], wish)
        assert order() == expected, wish
    place.pulls.ask(1, Wanted.CANCEL)
    with pytest.raises(Refusal, match="has no place"):
        place.pulls.move(1, "up")


async def test_the_first_in_line_is_the_next_to_start(open_place: Opener) -> None:
    models = tuple(DemoModel(f"m{n}:1b", f"m{n}", 500_000) for n in range(3))
    place = await open_place(available=models, rate=ENDLESS)
    put(place, *(model.name for model in models))
    async with running(place.services):
        await reach(place, State.PULLING)
        place.server.rate = 1e9
        place.pulls.move(3, "first")
        place.pulls.ask(1, Wanted.CANCEL)
        await reach(place, State.INSTALLED, number=2)
    started = {number: row(place.services, number).transfer.started or 0 for number in (2, 3)}
    assert started[3] < started[2]
