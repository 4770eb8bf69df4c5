"""The runner: the queue is carried out through every trouble, in order, and says how each ended."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]
    CHAT,
    FRESH,
    INSTALLED,
    MB,
    Opener,
    Place,
    configure,
    lose_table,
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

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel, Library, manifest_of
from modeltui.demo.server import DemoServer
from modeltui.domain.causes import Cause
from modeltui.domain.names import ModelName, parse
from modeltui.domain.transfers import Manifest, State, Wanted
from modeltui.errors import Refusal, StoreError, UsageError
from modeltui.registry import manifests
from modeltui.services import carrying
from modeltui.services.runner import Runner
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer
from modeltui.store.store import Store

WEIGHTS = FRESH.size
SLOW = 4 * MB
"""Bytes a second that make the pull of FRESH last half a second."""
ENDLESS = MB / 100


@pytest.fixture
def every_byte_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "SAVE_MS", 0)


def assert_never_back(rows: list[QueuedTransfer]) -> None:
    for a, b in pairwise(rows):
        assert b.transfer.done >= a.transfer.done
        assert (b.transfer.percent or 0) >= (a.transfer.percent or 0)
    for each in rows:
        if each.transfer.state is not State.INSTALLED:
            assert each.transfer.percent != 100


# The usual way.


async def test_a_pull_is_carried_out_and_checked(open_place: Opener, every_byte_saved: None) -> None:
    place = await open_place(rate=SLOW)
    (number,) = put(place, "fresh")
    async with watched(place) as seen:
        await carry_out(place.services)
    transfer = row(place.services, number).transfer
    assert (transfer.state, transfer.cause, transfer.detail) == (State.INSTALLED, None, "digest checked")
    manifest = manifest_of(FRESH)
    assert (transfer.total, transfer.total_exact, transfer.percent) == (manifest.size, True, 100)
    assert row(place.services).announced_digest == manifest.digest
    assert "fresh:latest" in place.installed
    assert place.activity == [(action, "fresh:latest", "done") for action in ("queue", "check", "pull")]
    assert place.services.notices == []
    rows = seen.of()
    assert_never_back(rows)
    assert len({each.transfer.percent for each in rows}) > 4  # over the whole model, from its manifest
    order = [State.WAITING, State.STARTING, State.PULLING, State.VERIFYING, State.CHECKING, State.INSTALLED]
    found = seen.states()
    assert found == [each for each in order if each in found]
    assert {State.PULLING, State.INSTALLED} <= set(found)
    origins = {entry.action: entry.origin for entry in place.services.store.journal.latest(9)}
    assert origins == {"queue": "command", "check": "runner", "pull": "runner"}


@pytest.mark.parametrize("per_server", [1, 2])
async def test_so_many_at_once_and_in_order(open_place: Opener, per_server: int) -> None:
    models = tuple(DemoModel(f"m{n}:1b", f"m{n}", 500_000) for n in range(4))
    tables = f"[downloads]\nper_server = {per_server}\n"
    place = await open_place(tables, available=models, rate=2 * MB)
    numbers = put(place, *(model.name for model in models))
    place.pulls.move(numbers[3], 1)
    async with watched(place) as seen:
        await carry_out(place.services)
    assert seen.at_once() == per_server
    started = {n: row(place.services, n).transfer.started or 0 for n in numbers}
    assert sorted(numbers, key=lambda n: (started[n], n != numbers[3], n)) == [
        numbers[3],
        *numbers[:3],
    ]
    assert {state(place, n) for n in numbers} == {State.INSTALLED}


async def test_servers_do_not_wait_for_each_other(open_place: Opener) -> None:
    async with DemoServer(
        seed=Library(INSTALLED, [FRESH]), rate=2 * MB, small_layer_time=0, verify_rate=1e12
    ) as second:
        place = await open_place(f'[servers.box]\nurl = "{second.url}"\n', rate=2 * MB)
        config = next(each for each in place.services.config.servers if each.name == "box")
        box = await place.services.links.connect(config)
        put(place, "fresh")
        place.pulls.enqueue(box, parse("fresh"))
        async with watched(place) as seen:
            await carry_out(place.services)
        assert seen.at_once() == 2
        assert {state(place, 1), state(place, 2)} == {State.INSTALLED}
        assert "fresh:latest" in second.library.installed_names


async def test_an_update_is_a_pull_like_another(open_place: Opener) -> None:
    newer = replace(CHAT, system="Newer.")
    place = await open_place(available=(newer,))
    put(place, "chat")
    await carry_out(place.services)
    assert state(place) is State.INSTALLED
    entry = place.server.library.find("chat")
    assert entry is not None
    assert entry.manifest.digest == manifest_of(newer).digest


async def test_what_is_there_already_is_installed_at_once(place: Place) -> None:
    put(place, "chat")
    await carry_out(place.services)
    assert state(place) is State.INSTALLED


async def test_older_servers_pull_as_well(open_place: Opener) -> None:
    place = await open_place(version="0.24.0", small_layer_time=0.05)
    put(place, "fresh")
    await carry_out(place.services)
    assert state(place) is State.INSTALLED


# Troubles that a retry mends.

MENDED = [
    (Kind.CUT, None),
    (Kind.RESET, None),
    (Kind.NO_SUCCESS, None),
    (Kind.MALFORMED, None),
    (Kind.WRONG_TYPES, None),
    (Kind.MAX_RETRIES, None),
    (Kind.STATUS, 503),
    (Kind.STATUS, 500),
    (Kind.STREAM_ERROR, "read tcp 10.0.0.1:1->1.2.3.4:443: i/o timeout"),
    (Kind.STREAM_ERROR, "dial tcp: lookup registry.ollama.ai: no such host"),
    (Kind.STREAM_ERROR, "unexpected EOF"),
    (Kind.STREAM_ERROR, "pull model manifest: 500: <html>oops</html>"),
    (Kind.STREAM_ERROR, "something that nobody has ever read"),
]


@pytest.mark.parametrize(("kind", "value"), MENDED)
async def test_mended_by_a_retry(
    open_place: Opener, every_byte_saved: None, kind: Kind, value: object
) -> None:
    place = await open_place(rate=10 * MB)
    after = 0 if kind is Kind.MALFORMED else WEIGHTS // 3
    place.trouble(kind, after_bytes=after, times=2, value=value)
    put(place, "fresh")
    async with watched(place) as seen:
        await carry_out(place.services)
    transfer = row(place.services).transfer
    assert transfer.state is State.INSTALLED
    assert transfer.tries == 3
    attempts = place.services.store.queue.attempts(1)
    assert len(attempts) == 2
    assert {a.cause for a in attempts} <= {Cause.NETWORK, Cause.SERVER_FAILED, Cause.GARBLED}
    assert all(a.detail for a in attempts)
    assert_never_back(seen.of())
    assert place.activity[-1] == ("pull", "fresh:latest", "done")


@pytest.mark.parametrize("prune", [False, True])
async def test_a_restart_of_the_server_is_survived(
    open_place: Opener, every_byte_saved: None, prune: bool
) -> None:
    place = await open_place(rate=SLOW)
    put(place, "fresh")
    async with watched(place) as seen, running(place.services):
        await until(lambda: row(place.services).transfer.done > WEIGHTS // 3)
        await place.server.restart(prune=prune)
        await reach(place, State.INSTALLED)
    assert row(place.services).transfer.tries >= 2
    assert {a.cause for a in place.services.store.queue.attempts(1)} == {Cause.NETWORK}
    assert_never_back(seen.of())
    assert place.server.library.find("fresh") is not None


async def test_a_server_that_is_away_is_awaited(open_place: Opener) -> None:
    place = await open_place(rate=SLOW)
    put(place, "fresh")
    await place.server.stop()
    async with running(place.services):
        await until(lambda: row(place.services).transfer.tries >= 2)
        transfer = row(place.services).transfer
        assert transfer.cause in (Cause.NETWORK, None)
        await place.server.start()
        await reach(place, State.INSTALLED)


async def test_context_canceled_waits_a_second(open_place: Opener) -> None:
    place = await open_place()
    place.trouble(Kind.CONTEXT_CANCELED)
    put(place, "fresh")
    await carry_out(place.services)
    (attempt,) = place.services.store.queue.attempts(1)
    assert attempt.cause is Cause.CANCELED_BY_SERVER
    transfer = row(place.services).transfer
    assert transfer.state is State.INSTALLED
    assert transfer.ended is not None
    assert transfer.ended - attempt.at >= 1000


@pytest.mark.parametrize(
    ("kind", "value"), [(Kind.GO_BACK, None), (Kind.GO_BACK, 10 * WEIGHTS), (Kind.ROLLBACK, None)]
)
async def test_a_counter_that_goes_back_never_does_here(
    open_place: Opener, every_byte_saved: None, kind: Kind, value: int | None
) -> None:
    place = await open_place(rate=SLOW)
    place.trouble(kind, after_bytes=WEIGHTS // 2, value=value)
    put(place, "fresh")
    async with watched(place) as seen:
        await carry_out(place.services)
    assert state(place) is State.INSTALLED
    assert row(place.services).transfer.tries == 1
    assert_never_back(seen.of())


@pytest.mark.parametrize("kind", [Kind.STALL, Kind.HANG])
async def test_the_watchdog_drops_what_stands_still(open_place: Opener, kind: Kind) -> None:
    place = await open_place("[downloads]\nstall_s = 1\n", rate=20 * MB)
    place.trouble(kind, after_bytes=WEIGHTS // 2)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.tries) == (State.INSTALLED, 2)
    (attempt,) = place.services.store.queue.attempts(1)
    assert (attempt.cause, attempt.detail) == (Cause.NETWORK, "no byte for 1 s")


async def test_without_a_watchdog_a_short_stall_passes(open_place: Opener) -> None:
    place = await open_place("[downloads]\nstall_s = 0\n", rate=20 * MB)
    place.trouble(Kind.STALL, after_bytes=WEIGHTS // 2, value=0.5)
    put(place, "fresh")
    await carry_out(place.services)
    assert row(place.services).transfer.tries == 1


# What a retry cannot mend.


@pytest.mark.parametrize(
    ("name", "words", "cause"),
    [
        ("nowhere:1b", None, Cause.UNKNOWN_MODEL),
        ("fresh", "pull model manifest: 401: unauthorized: access denied", Cause.UNAUTHORIZED),
        (
            "fresh",
            "pull model manifest: 412: The model requires a newer version of Ollama",
            Cause.NEEDS_NEWER_SERVER,
        ),
        ("fresh", 'realm host "" does not match original host "x"', Cause.UNAUTHORIZED),
        ("fresh", "http: no Location header in response", Cause.UNSUPPORTED),
        ("fresh", "tls: first record does not look like a TLS handshake", Cause.PLAIN_HTTP_REGISTRY),
    ],
)
async def test_fails_at_once_with_its_cause(place: Place, name: str, words: str | None, cause: Cause) -> None:
    if words:
        place.trouble(Kind.STREAM_ERROR, value=words)
    put(place, name)
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.cause, transfer.tries) == (State.FAILED, cause, 1)
    assert transfer.detail
    assert transfer.ended is not None
    entry = place.services.store.journal.latest(1)[0]
    assert (entry.action, entry.result, entry.error) == ("pull", "failed", transfer.detail)


async def test_a_failed_one_is_tried_again_in_its_row(place: Place) -> None:
    place.trouble(Kind.STREAM_ERROR, value="pull model manifest: 401: no")
    put(place, "fresh")
    await carry_out(place.services)
    assert place.pulls.ask(1, Wanted.RUN).transfer.state is State.WAITING
    await carry_out(place.services)
    assert state(place) is State.INSTALLED
    assert len(place.services.store.queue.all()) == 1


async def test_an_insecure_registry_is_asked_so(open_place: Opener) -> None:
    name = "127.0.0.1:5001/library/fresh:latest"
    host = '[registries."127.0.0.1:5001"]\n'
    place = await open_place(host + "insecure = true\n", available=(replace(FRESH, name=name),))
    configure(place.paths, place.server.url, f'{host}insecure = true\nbase_url = "{place.server.url}"\n')
    services = open_services(place.paths, [])
    try:
        put(place, name)
        await carry_out(services)
        assert row(services).transfer.state is State.INSTALLED
    finally:
        await services.close()


async def test_a_full_disk_blocks_until_told_to_go_on(open_place: Opener) -> None:
    place = await open_place(rate=20 * MB)
    place.trouble(Kind.NO_SPACE, after_bytes=WEIGHTS // 2)
    put(place, "fresh", "other:1b")
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.cause) == (State.BLOCKED, Cause.DISK)
    assert "no space left on device" in transfer.detail
    again, is_new = place.pulls.enqueue(place.link, parse("fresh"))
    assert (again.number, is_new, again.transfer.state) == (1, False, State.WAITING)
    await carry_out(place.services)
    assert state(place) is State.INSTALLED


@pytest.mark.parametrize(
    ("times", "ends", "tries"), [(1, State.INSTALLED, 2), (2, State.INSTALLED, 3), (3, State.FAILED, 3)]
)
async def test_a_digest_mismatch_is_retried_twice(place: Place, times: int, ends: State, tries: int) -> None:
    place.trouble(Kind.DIGEST_MISMATCH, times=times)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = row(place.services).transfer
    told = place.services.store.queue.attempts(1)
    assert (transfer.state, transfer.tries) == (ends, tries), told
    if ends is State.FAILED:
        assert transfer.cause is Cause.DIGEST
        assert "digest mismatch" in transfer.detail
    assert ("fresh:latest" in place.installed) is (ends is State.INSTALLED)


@pytest.mark.parametrize("lookup", ["true", "false"])
async def test_success_alone_is_no_proof(open_place: Opener, lookup: str) -> None:
    place = await open_place(f"[registry]\nlookup = {lookup}\n")
    place.trouble(Kind.FALSE_SUCCESS)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.tries) == (State.INSTALLED, 2)
    (attempt,) = place.services.store.queue.attempts(1)
    assert attempt.cause is Cause.DAMAGED
    assert "cannot open it" in attempt.detail
    listing = await place.library.listing()
    found = listing.entry(parse("fresh"))
    assert found is not None
    assert found.damage is None


async def test_what_stays_damaged_fails_and_is_marked(place: Place) -> None:
    place.trouble(Kind.FALSE_SUCCESS, times=None)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.cause, transfer.tries) == (State.FAILED, Cause.DAMAGED, 2)
    found = (await place.library.listing()).entry(parse("fresh"))
    assert found is not None
    assert found.state == "damaged"


async def test_a_layer_that_is_missing_is_damage_though_the_model_opens(place: Place) -> None:
    """The server reads its weights; that another layer is gone only a look at each tells."""
    place.trouble(Kind.STATUS, f"/api/blobs/{manifest_of(FRESH).layers[1].digest}", value=404, times=None)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.cause) == (State.FAILED, Cause.DAMAGED)
    assert transfer.detail == "1 of 4 layers are not on the server"
    found = (await place.library.listing()).entry(parse("fresh"))
    assert found is not None
    assert found.damage == transfer.detail


async def test_success_that_is_not_listed_is_no_success(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/tags", value=[200, '{"models":[]}'])
    put(place, "fresh")
    await carry_out(place.services)
    (attempt,) = place.services.store.queue.attempts(1)
    assert attempt.detail == "the server says success and does not list it"
    assert state(place) is State.INSTALLED


async def test_a_check_that_cannot_be_made_is_made_again(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/tags", value=500)
    put(place, "fresh")
    await carry_out(place.services)
    (attempt,) = place.services.store.queue.attempts(1)
    assert attempt.detail.startswith("not checked: ")
    assert state(place) is State.INSTALLED


# Without the registry's word.


@pytest.mark.parametrize("how", ["off", "closed port"])
async def test_without_a_manifest_there_is_no_percent(
    open_place: Opener, every_byte_saved: None, how: str
) -> None:
    if how == "off":
        place = await open_place("[registry]\nlookup = false\n", rate=SLOW)
    else:
        place = await open_place(registry="http://127.0.0.1:1", rate=SLOW)
    put(place, "fresh")
    async with watched(place) as seen:
        await carry_out(place.services)
    pulling = [each.transfer for each in seen.of() if each.transfer.state is State.PULLING]
    assert pulling
    assert all(t.percent is None and not t.total_exact for t in pulling)
    assert max(t.done for t in pulling) > 0
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.percent) == (State.INSTALLED, 100)
    assert "no manifest" in transfer.detail
    notices = place.services.notices
    assert len(notices) == (0 if how == "off" else 1)
    assert all("its exact size is not known here" in notice for notice in notices)


async def test_a_hostile_registry_does_not_end_the_runner(place: Place) -> None:
    path = "/v2/library/fresh/manifests/latest"
    place.trouble(Kind.STATUS, path, value=[200, '{"layers": {"a": 1}, "config": "x"}'])
    put(place, "fresh")
    await carry_out(place.services)
    assert state(place) is State.INSTALLED
    assert len(place.services.notices) == 1


# Wishes.


async def test_pause_and_resume(open_place: Opener, every_byte_saved: None) -> None:
    place = await open_place(rate=MB)
    put(place, "fresh")
    async with watched(place) as seen, running(place.services):
        await until(lambda: row(place.services).transfer.done > WEIGHTS // 4)
        place.pulls.ask(1, Wanted.PAUSE)
        await reach(place, State.PAUSED)
        await until(lambda: bool(place.server.library.partials))  # the server saw it, and keeps the bytes
        kept = row(place.services).transfer
        assert (kept.cause, kept.wanted) == (Cause.BY_YOU, Wanted.PAUSE)
        place.server.rate = 1e9
        place.pulls.ask(1, Wanted.RUN)
        await reach(place, State.INSTALLED)
    assert_never_back(seen.of())
    assert row(place.services).transfer.tries == 2


async def test_a_paused_one_lets_the_next_go_first(open_place: Opener) -> None:
    place = await open_place()
    put(place, "fresh", "other:1b")
    place.pulls.ask(1, Wanted.PAUSE)
    assert state(place) is State.PAUSED
    await carry_out(place.services)
    assert (state(place, 1), state(place, 2)) == (State.PAUSED, State.INSTALLED)
    place.pulls.enqueue(place.link, parse("fresh"))  # asked for once more: it goes on
    await carry_out(place.services)
    assert state(place) is State.INSTALLED


async def test_a_tag_that_moved_while_it_was_paused(open_place: Opener) -> None:
    """What is checked is what the registry announces now, not what it did before the pause."""
    place = await open_place(rate=MB)
    put(place, "fresh")
    async with running(place.services):
        await until(lambda: row(place.services).transfer.done > 0)
        place.pulls.ask(1, Wanted.PAUSE)
        await reach(place, State.PAUSED)
        newer = place.server.library.publish(replace(FRESH, weights="newer", template="{{ .Newer }}"))
        place.server.rate = 1e9
        place.pulls.ask(1, Wanted.RUN)
        await reach(place, State.INSTALLED, State.FAILED)
    found = row(place.services)
    assert (found.transfer.state, found.transfer.detail) == (State.INSTALLED, "digest checked")
    assert found.announced_digest == newer.manifest.digest
    assert place.services.store.facts.damaged(place.link.id) == {}


@pytest.mark.parametrize("wish", [Wanted.PAUSE, Wanted.CANCEL])
async def test_a_wish_of_another_process_is_obeyed_within_a_second(open_place: Opener, wish: Wanted) -> None:
    place = await open_place(rate=ENDLESS)
    put(place, "fresh")
    other = Store.open(place.paths.database)
    try:
        async with running(place.services):
            await reach(place, State.PULLING)
            assert not place.server.library.partials
            other.queue.want(1, wish)
            await until(lambda: bool(place.server.library.partials), 1.0)  # its connection is closed
            await reach(place, State.PAUSED if wish is Wanted.PAUSE else State.CANCELLED)
    finally:
        other.close()
    transfer = row(place.services).transfer
    assert (transfer.cause, transfer.wanted) == (Cause.BY_YOU, wish)
    if wish is Wanted.CANCEL:
        assert "fresh:latest" not in place.installed
        entry = place.services.store.journal.latest(1)[0]
        assert (entry.action, entry.result, entry.error) == ("pull", "failed", "cancelled")


async def test_a_model_put_in_by_another_process_is_taken_up(open_place: Opener) -> None:
    place = await open_place(rate=SLOW)
    put(place, "fresh")
    other = Store.open(place.paths.database)
    try:
        async with running(place.services):
            await reach(place, State.PULLING)
            other.queue.enqueue(place.link.id, parse("other:1b"), 1)
            await until(lambda: state(place) is State.INSTALLED)
            await reach(place, State.INSTALLED, number=2)
    finally:
        other.close()


async def test_cancel_while_it_verifies_tells_that_it_is_installed(open_place: Opener) -> None:
    place = await open_place(verify_rate=WEIGHTS / 0.7)
    put(place, "fresh")
    async with running(place.services):
        await reach(place, State.VERIFYING)
        place.pulls.ask(1, Wanted.CANCEL)
        await reach(place, State.INSTALLED, State.CANCELLED)
    transfer = row(place.services).transfer
    assert "fresh:latest" in place.installed
    assert (transfer.state, transfer.detail) == (
        State.INSTALLED,
        "the server had finished it before the cancel",
    )


async def test_cancel_while_it_verifies_without_a_manifest(open_place: Opener) -> None:
    place = await open_place("[registry]\nlookup = false\n", verify_rate=WEIGHTS / 0.7)
    put(place, "fresh")
    async with running(place.services):
        await reach(place, State.VERIFYING)
        place.pulls.ask(1, Wanted.CANCEL)
        await reach(place, State.INSTALLED, State.CANCELLED)
    assert state(place) is State.INSTALLED


async def test_cancel_when_the_server_cannot_be_asked(open_place: Opener) -> None:
    place = await open_place(rate=ENDLESS)
    put(place, "fresh")
    async with running(place.services):
        await reach(place, State.PULLING)
        place.trouble(Kind.STATUS, "/api/tags", value=500, times=None)
        place.pulls.ask(1, Wanted.CANCEL)
        await reach(place, State.CANCELLED)
    assert "could not be asked what became of it" in row(place.services).transfer.detail


async def test_cancel_while_it_is_checked_waits_for_the_truth(place: Place) -> None:
    place.trouble(Kind.DELAY, "/api/show", value=0.5)
    put(place, "fresh")
    async with running(place.services):
        await reach(place, State.CHECKING)
        place.pulls.ask(1, Wanted.CANCEL)
        await reach(place, State.INSTALLED, State.CANCELLED)
    assert state(place) is State.INSTALLED


async def test_cancel_between_two_tries(open_place: Opener) -> None:
    place = await open_place("[downloads]\nretries = 1\n")  # then five minutes between tries
    place.trouble(Kind.CUT, times=None)
    put(place, "fresh")
    async with running(place.services):
        await reach(place, State.RETRYING)
        transfer = row(place.services).transfer
        assert transfer.cause is Cause.NETWORK
        assert transfer.retry_at is not None
        assert transfer.retry_at - place.services.clock() > 200_000
        place.pulls.ask(1, Wanted.CANCEL)
        await until(lambda: state(place) is State.CANCELLED, 1.0)


# Who carries out.


async def test_one_runner_a_state_directory(place: Place, another: Callable[..., Services]) -> None:
    put(place, "fresh")
    place.server.rate = ENDLESS
    second = Runner(another(), random=lambda: 0.0)
    async with running(place.services):
        await reach(place, State.PULLING)
        assert not second.acquire()
        assert place.pulls.runner_lives()
    assert not place.pulls.runner_lives()
    place.server.rate = 1e9
    assert second.acquire()
    async with asyncio.timeout(10):
        await second.run(lambda: False)  # ends by itself when nothing is left
    assert state(place) is State.INSTALLED
    assert Runner(place.services, random=lambda: 0.0).acquire()


async def test_an_interruption_leaves_the_queue_waiting(open_place: Opener) -> None:
    place = await open_place(rate=SLOW)
    put(place, "fresh", "other:1b")
    async with running(place.services):
        await until(lambda: row(place.services).transfer.done > 0)
    await until(lambda: bool(place.server.library.partials))
    first = row(place.services).transfer
    assert (first.state, first.wanted, first.detail) == (State.WAITING, Wanted.RUN, "interrupted")
    assert first.done > 0
    assert state(place, 2) is State.WAITING
    await carry_out(place.services)
    assert {state(place, 1), state(place, 2)} == {State.INSTALLED}


_PROCESS = """
import asyncio, os, sys, time
from pathlib import Path
from modeltui.config.reader import load
from modeltui.paths import paths_under
from modeltui.services.runner import Runner
from modeltui.services.tree import build
from modeltui.store.journal import Origin

async def main():
    paths = paths_under(Path(sys.argv[1]))
    clock = lambda: time.time_ns() // 1_000_000
    services = build(load(paths, {}), paths, environ={}, clock=clock, origin=Origin.RUNNER, tell=print)
    runner = Runner(services, random=lambda: 0.0)
    assert runner.acquire()
    await runner.run(lambda: False)

asyncio.run(main())
"""


async def test_what_a_killed_runner_left_is_taken_up(open_place: Opener, tmp_path: Path) -> None:
    place = await open_place(rate=SLOW)
    put(place, "fresh")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _PROCESS, str(tmp_path))
    try:
        await until(lambda: row(place.services).transfer.done > 0)
        assert place.pulls.runner_lives()
        assert not Runner(place.services, random=lambda: 0.0).acquire()
    finally:
        process.kill()
        await process.wait()
    assert state(place) is State.PULLING  # what it wrote last
    (shown,) = place.pulls.all()
    assert shown.transfer.state is State.WAITING  # and what is true
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.tries) == (State.INSTALLED, 2)


async def test_a_runner_without_a_lock_says_so(place: Place) -> None:
    place.paths.runner_lock.mkdir()
    put(place, "fresh")
    await carry_out(place.services)
    assert state(place) is State.INSTALLED
    assert any("run only one modeltui" in notice for notice in place.services.notices)


async def test_a_pull_waits_for_a_delete(place: Place) -> None:
    from modeltui.services.transferlock import delete_lock

    put(place, "fresh")
    async with AsyncExitStack() as deleting:
        await deleting.enter_async_context(delete_lock(place.services, place.link))
        async with running(place.services):
            put(place, "other:1b")
            await asyncio.sleep(0.6)  # two turns of the runner
            assert {state(place, 1), state(place, 2)} == {State.WAITING}
            await deleting.aclose()
            await reach(place, State.INSTALLED, number=2)


async def test_a_pull_without_a_lock_goes_on(place: Place) -> None:
    (place.paths.state / "locks").write_text("no directory")
    put(place, "fresh")
    await carry_out(place.services)
    assert state(place) is State.INSTALLED


# Secrets and servers that are not there.


async def test_a_missing_secret_blocks_until_the_environment_has_it(open_place: Opener) -> None:
    place = await open_place()
    put(place, "fresh")
    tables = f'[servers.demo]\nurl = "{place.server.url}"\ntoken_env = "BOX_TOKEN"\n'
    configure(place.paths, place.server.url, tables)
    without, having = (
        open_services(place.paths, []),
        open_services(place.paths, [], {"BOX_TOKEN": "hush-hush"}),
    )
    try:
        await carry_out(without)
        transfer = row(place.services).transfer
        assert (transfer.state, transfer.cause) == (State.BLOCKED, Cause.NO_SECRET)
        assert "BOX_TOKEN is not set" in transfer.detail
        await carry_out(having)
        assert state(place) is State.INSTALLED
        assert "hush-hush" not in place.paths.database.read_bytes().decode("latin-1")
    finally:
        await without.close()
        await having.close()


async def test_a_server_that_left_the_configuration_blocks(open_place: Opener) -> None:
    async with DemoServer() as second:
        place = await open_place(f'[servers.box]\nurl = "{second.url}"\n')
        config = next(each for each in place.services.config.servers if each.name == "box")
        box = await place.services.links.connect(config)
        place.pulls.enqueue(box, parse("tiny-demo"))
        configure(place.paths, place.server.url)
        later = open_services(place.paths, [])
        try:
            await carry_out(later)
        finally:
            await later.close()
        transfer = row(place.services).transfer
        assert (transfer.state, transfer.cause) == (State.BLOCKED, Cause.NO_SERVER)
        assert transfer.detail == "its server is no longer configured"


async def test_a_server_whose_certificate_cannot_be_read_blocks(open_place: Opener) -> None:
    place = await open_place('[servers.box]\nurl = "https://127.0.0.1:9"\nca_file = "/nowhere/ca.pem"\n')
    config = next(each for each in place.services.config.servers if each.name == "box")
    server_id = place.services.links.id_of(config)
    place.services.store.queue.enqueue(server_id, parse("fresh"), 1)
    await carry_out(place.services)
    transfer = row(place.services).transfer
    assert (transfer.state, transfer.cause) == (State.BLOCKED, Cause.NO_SERVER)
    assert "ca_file" in transfer.detail


# A store that fails meanwhile.


async def test_a_store_that_breaks_ends_the_runner_with_its_error(open_place: Opener) -> None:
    place = await open_place(rate=ENDLESS)
    put(place, "fresh")
    runner = Runner(place.services, random=lambda: 0.0)
    assert runner.acquire()
    task = asyncio.create_task(runner.run(lambda: False))
    await reach(place, State.PULLING)
    lose_table(place.paths, "transfer_attempts", "transfer_layers", "transfers")
    with pytest.raises(StoreError):
        async with asyncio.timeout(5):
            await task
    assert not place.pulls.runner_lives()
    await until(lambda: bool(place.server.library.partials))  # nothing is left connected


async def test_who_cannot_read_the_queue_is_not_the_runner(place: Place) -> None:
    put(place, "fresh")
    runner = Runner(place.services, random=lambda: 0.0)
    with sqlite3.connect(place.paths.database) as other:
        other.execute("ALTER TABLE transfers RENAME TO lost")
    with pytest.raises(StoreError):
        runner.acquire()
    assert not place.pulls.runner_lives()
    with sqlite3.connect(place.paths.database) as other:
        other.execute("ALTER TABLE lost RENAME TO transfers")
    other.close()
    await carry_out(place.services)
    assert state(place) is State.INSTALLED


# The queue as people use it.


async def test_the_queue_as_people_use_it(place: Place) -> None:
    first, second = put(place, "fresh", "other:1b")
    assert put(place, "FRESH:latest") == [first]
    place.pulls.move(second, 1)
    assert [each.number for each in place.pulls.all()] == [second, first]
    assert not place.pulls.runner_lives()
    with pytest.raises(Refusal) as refused:
        place.pulls.clear([first])
    assert refused.value.remedy == f"cancel it first: modeltui queue cancel {first}"
    assert place.pulls.clear([]) == 0
    assert place.pulls.ask(first, Wanted.CANCEL).transfer.state is State.CANCELLED
    with pytest.raises(Refusal, match="nothing is left to cancel"):
        place.pulls.ask(first, Wanted.CANCEL)
    with pytest.raises(Refusal, match="it has no place"):
        place.pulls.move(first, 1)
    for number in (99, -1):
        with pytest.raises(UsageError, match="there is no transfer"):
            place.pulls.get(number)
    await carry_out(place.services)
    with pytest.raises(Refusal, match="nothing is left to resume"):
        place.pulls.ask(second, Wanted.RUN)
    assert place.pulls.clear([first]) == 1
    assert place.pulls.clear([]) == 1
    assert place.pulls.all() == ()
    actions = [action for action, _, _ in place.activity]
    assert actions == ["queue", "queue", "move", "cancel", "check", "pull", "clear", "clear"]


async def test_an_old_row_is_not_tried_again_beside_a_new_one(place: Place) -> None:
    (old,) = put(place, "fresh")
    place.pulls.ask(old, Wanted.CANCEL)
    (new,) = put(place, "fresh")
    with pytest.raises(Refusal, match=f"in the queue again, as {new}"):
        place.pulls.ask(old, Wanted.RUN)
    assert state(place, old) is State.CANCELLED


async def test_wishes_where_no_lock_can_be_made(place: Place) -> None:
    place.paths.runner_lock.mkdir()
    (number,) = put(place, "fresh")
    assert place.pulls.ask(number, Wanted.PAUSE).transfer.state is State.PAUSED
    assert not place.pulls.runner_lives()


async def test_what_nobody_foresaw_in_one_transfer_stops_that_one_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = manifests.look_up

    async def defective(name: ModelName, base_url: str) -> Manifest:
        if name.model == "fresh":
            raise ZeroDivisionError("nobody foresaw this\x1b[31m")
        return await looked_up(name, base_url)

    monkeypatch.setattr(manifests, "look_up", defective)
    for name in ("fresh", "other:1b"):
        place.pulls.enqueue(place.link, parse(name))
    await carry_out(place.services)
    assert [state(place, 1), state(place, 2)] == [State.BLOCKED, State.INSTALLED]
    transfer = place.pulls.get(1).transfer
    assert transfer.cause is Cause.DEFECT
    assert transfer.detail == "a defect of modeltui: ZeroDivisionError: nobody foresaw this·[31m"
