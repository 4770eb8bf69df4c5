"""Mending: every trouble that a server can make ends with the model installed, or with its true reason."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from itertools import pairwise

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    FRESH,
    MB,
    Opener,
    Place,
    now_ms,
    until,
)
from queue_stage import (  # type: ignore[import-not-found, unused-ignore]  # likewise
    carry_out,
    put,
    reach,
    row,
    running,
    state,
    watched,
)

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel, manifest_of
from modeltui.domain import units
from modeltui.domain.causes import Cause
from modeltui.domain.transfers import State, Transfer, Wanted
from modeltui.domain.words import end_words, remedy_of, state_words
from modeltui.services import carrying

BIG = DemoModel("big:70b", "big", 500 * MB)
HF = replace(FRESH, name="hf.co/someone/Some-GGUF:Q4_K_M")
FACE = replace(HF, name="huggingface.co/someone/Some-GGUF:Q4_K_M")
REALM = 'pull model manifest: realm host "huggingface.co" does not match original host "hf.co"'
HOUR_MS, FIVE_MINUTES_MS = 3_600_000, 300_000
FOUR_AT_ONCE = "[downloads]\nper_server = 4\n"


@pytest.fixture
def every_byte_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "SAVE_MS", 0)


def pulled(place: Place, number: int = 1) -> Transfer:
    transfer: Transfer = row(place.services, number).transfer
    return transfer


def causes(place: Place, number: int = 1) -> set[Cause | None]:
    return {attempt.cause for attempt in place.services.store.queue.attempts(number)}


# Errors within the stream, each as servers word it.

MENDED = [
    ("max retries exceeded: EOF", Cause.NETWORK),
    ("max retries exceeded: net/http: TLS handshake timeout", Cause.NETWORK),
    ("max retries exceeded: lookup x.r2.cloudflarestorage.com: no such host", Cause.NETWORK),
    ("read tcp 10.0.0.1:1->2.2.2.2:443: i/o timeout", Cause.NETWORK),
    ("read tcp 10.0.0.1:1->2.2.2.2:443: connection reset by peer", Cause.NETWORK),
    ("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", Cause.NETWORK),
    ("unexpected EOF", Cause.NETWORK),
    ("pull model manifest: 500: <html>oops</html>", Cause.NETWORK),
    (
        'pull model manifest: realm host "ollama.com" does not match original host "registry.ollama.ai"',
        Cause.NETWORK,
    ),
    ("context canceled", Cause.CANCELED_BY_SERVER),
    ("digest mismatch, file must be downloaded again: want sha256:ab, got sha256:cd", Cause.DIGEST),
    ("a failure that nobody has seen", Cause.SERVER_FAILED),
]
FATAL = [
    ("pull model manifest: file does not exist", Cause.UNKNOWN_MODEL, "check the name"),
    ('pull model manifest: 401: {"error":"Invalid username or password."}', Cause.UNAUTHORIZED, "signin"),
    ("unauthorized: access denied", Cause.UNAUTHORIZED, "signin"),
    ('pull model manifest: realm host "" does not match original host "x"', Cause.UNAUTHORIZED, "signin"),
    ('realm host "auth.lan" does not match original host "registry.lan"', Cause.REALM, "check the name"),
    ("pull model manifest: 412: it requires a newer version of Ollama", Cause.NEEDS_NEWER_SERVER, "upgrade"),
    (
        'pull model manifest: 400: {"error":"The specified tag is a sharded GGUF."}',
        Cause.REGISTRY_REFUSED,
        "quantization",
    ),
    (
        'pull model manifest: 400: {"error":"Repository is not GGUF or is not compatible with llama.cpp"}',
        Cause.REGISTRY_REFUSED,
        "another tag",
    ),
    (
        'pull model manifest: 400: {"error":"The specified tag is not available in the repository."}',
        Cause.REGISTRY_REFUSED,
        "another tag",
    ),
    ("http: no Location header in response", Cause.UNSUPPORTED, "redirects"),
    (
        "this model requires MLX support, but the MLX runtime is not available",
        Cause.UNSUPPORTED,
        "this server can run",
    ),
    ("tls: first record does not look like a TLS handshake", Cause.PLAIN_HTTP_REGISTRY, "insecure = true"),
]


async def test_every_in_stream_error_ends_installed_or_with_its_reason(open_place: Opener) -> None:
    count = len(MENDED) + len(FATAL)
    models = tuple(DemoModel(f"m{number}:1b", f"m{number}", MB) for number in range(1, count + 1))
    place = await open_place(FOUR_AT_ONCE, available=models)
    for model, words in zip(models, [each[0] for each in (*MENDED, *FATAL)], strict=True):
        place.trouble(Kind.STREAM_ERROR, name=model.name, value=words)
    numbers = put(place, *(model.name for model in models))
    await carry_out(place.services, 60)
    for number, (words, cause) in zip(numbers, MENDED, strict=False):
        assert (pulled(place, number).state, causes(place, number)) == (State.INSTALLED, {cause}), words
        (attempt,) = place.services.store.queue.attempts(number)
        assert attempt.detail == words
    for number, (words, cause, remedy) in zip(numbers[len(MENDED) :], FATAL, strict=True):
        transfer = pulled(place, number)
        assert (transfer.state, transfer.cause, transfer.tries) == (State.FAILED, cause, 1), words
        assert words in transfer.detail
        assert remedy in (remedy_of(transfer) or "")
    assert place.installed.count("m1:1b") == 1


async def test_a_server_that_is_too_old_is_named_with_its_version(open_place: Opener) -> None:
    place = await open_place(version="0.24.0", small_layer_time=0.05)
    words = (
        "pull model manifest: 412: The model you are attempting to pull requires a newer version of Ollama."
    )
    place.trouble(Kind.STREAM_ERROR, value=words)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = pulled(place)
    assert (transfer.state, transfer.cause) == (State.FAILED, Cause.NEEDS_NEWER_SERVER)
    assert transfer.detail == f"needs a newer Ollama: this server is 0.24.0 ({words})"


async def test_a_server_that_does_not_tell_its_version_fails_as_well(place: Place) -> None:
    place.trouble(Kind.STREAM_ERROR, value="pull model manifest: 412: newer, please")
    place.trouble(Kind.STATUS, "/api/version", value=500, times=None)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = pulled(place)
    assert (transfer.cause, transfer.detail) == (
        Cause.NEEDS_NEWER_SERVER,
        "pull model manifest: 412: newer, please",
    )


# Hugging Face under its two names.


async def test_hugging_face_is_asked_by_its_other_name(open_place: Opener) -> None:
    """And what is looked for afterwards is what was installed: the model of the other name."""
    place = await open_place(available=(HF, FACE))
    place.trouble(Kind.STREAM_ERROR, name=HF.name, value=REALM, times=None)
    put(place, HF.name)
    await carry_out(place.services)
    transfer = pulled(place)
    assert (transfer.state, transfer.detail, transfer.tries) == (State.INSTALLED, "digest checked", 2)
    assert (transfer.name.short, transfer.sent.short) == (HF.name, FACE.name)
    assert end_words(transfer).startswith(f"{HF.name} installed as {FACE.name}, digest checked")
    assert FACE.name in place.installed
    assert HF.name not in place.installed
    assert place.activity[-1] == ("pull", FACE.name, "done")
    assert causes(place) == {Cause.REALM}


async def test_hugging_face_is_asked_by_its_other_name_only_once(open_place: Opener) -> None:
    place = await open_place(available=(HF, FACE))
    place.trouble(Kind.STREAM_ERROR, value=REALM, times=None)
    put(place, HF.name)
    await carry_out(place.services)
    transfer = pulled(place)
    assert (transfer.state, transfer.cause, transfer.tries) == (State.FAILED, Cause.REALM, 2)
    assert "huggingface.co/settings/keys" in (remedy_of(transfer) or "")


# Lines that break.


async def test_reset_every_20_mb_for_500_mb(open_place: Opener, every_byte_saved: None) -> None:
    place = await open_place(available=(BIG,), rate=160 * MB)
    place.trouble(Kind.RESET, after_bytes=20 * MB, times=24)
    put(place, BIG.name)
    async with watched(place) as seen:
        await carry_out(place.services, 60)
    transfer = pulled(place)
    assert (transfer.state, transfer.detail) == (State.INSTALLED, "digest checked")
    # As many tries as it takes: where this machine stands still, one brings more than 20 MB.
    assert 1 < transfer.tries <= 25
    assert len(place.services.store.queue.attempts(1)) == transfer.tries - 1
    assert causes(place) == {Cause.NETWORK}
    assert not transfer.present
    assert transfer.moved <= manifest_of(BIG).size
    rows = [each.transfer for each in seen.of()]
    assert all(before.done <= after.done for before, after in pairwise(rows))
    assert all((before.percent or 0) <= (after.percent or 0) for before, after in pairwise(rows))
    # Each try brought new bytes: none of them counts as one in vain, so nothing waits for minutes.
    assert max(each.attempts for each in rows) < 10


async def test_a_black_hole_is_given_up_and_survived(open_place: Opener) -> None:
    """Connections are accepted and never answered, whatever is asked; then the server is back."""
    place = await open_place("[downloads]\nstall_s = 1\n")
    put(place, "fresh")
    await place.server.stop()
    async with black_hole(place.server.port), running(place.services):
        await until(lambda: bool(place.services.store.queue.attempts(1)), 30)
        (attempt, *_) = place.services.store.queue.attempts(1)
        assert attempt.cause is Cause.NETWORK
        assert attempt.detail.startswith("no byte for ")
    await place.server.start()
    await carry_out(place.services)
    assert pulled(place).state is State.INSTALLED


@asynccontextmanager
async def black_hole(port: int) -> AsyncIterator[None]:
    """Something on a port that accepts connections and is never heard of again."""
    connections: list[asyncio.StreamWriter] = []

    def swallow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    server = await asyncio.start_server(swallow, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for writer in connections:
            writer.transport.abort()
        await server.wait_closed()


# Answers that are none.


async def test_garbage_and_endless_lines(open_place: Opener) -> None:
    troubles = [
        (Kind.MALFORMED, None),
        (Kind.MALFORMED, "\x00\xff\ufffd not JSON"),
        (Kind.MALFORMED, "x" * (10 * MB)),
        (Kind.MALFORMED, '{"status":' + "[" * 100_000),
        (Kind.MALFORMED, "[1, 2]"),
        (Kind.ENDLESS, 200 * MB),
    ]
    models = tuple(DemoModel(f"m{number}:1b", f"m{number}", MB) for number in range(len(troubles)))
    place = await open_place(FOUR_AT_ONCE, available=models)
    for model, (kind, value) in zip(models, troubles, strict=True):
        place.trouble(kind, name=model.name, value=value)
    numbers = put(place, *(model.name for model in models))
    await carry_out(place.services, 60)
    for number in numbers:
        assert (pulled(place, number).state, causes(place, number)) == (State.INSTALLED, {Cause.GARBLED})
        (attempt,) = place.services.store.queue.attempts(number)
        assert 0 < len(attempt.detail) <= 512


async def test_strings_of_a_hostile_server_are_cleaned(place: Place) -> None:
    place.trouble(Kind.STREAM_ERROR, value="\x1b[2J\u202ebad\u200b [red]unauthorized[/]\nmore " + "x" * 5000)
    put(place, "fresh")
    await carry_out(place.services)
    transfer = pulled(place)
    assert transfer.cause is Cause.UNAUTHORIZED
    assert transfer.detail.startswith("·[2J·bad· [red]unauthorized[/] more x")
    assert len(transfer.detail) <= 512


# Cancelling.


async def test_a_cancel_closes_the_connection_within_a_second(open_place: Opener) -> None:
    """Made three times: a machine that stands still for a moment is no slow cancel."""
    models = tuple(DemoModel(f"m{number}:1b", f"m{number}", MB) for number in range(3))
    place = await open_place(available=models, rate=MB / 100)
    took = []
    async with running(place.services):
        for number, model in zip(put(place, *(model.name for model in models)), models, strict=True):
            weights = manifest_of(model).weights
            await until(lambda n=number: state(place, n) is State.PULLING)
            began = time.monotonic()
            place.pulls.ask(number, Wanted.CANCEL)
            await until(lambda w=weights: w in place.server.library.partials)
            took.append(time.monotonic() - began)
    assert min(took) < 1
    assert not any(model.name in place.installed for model in models)


async def test_a_cancel_that_a_verifying_server_ignores_ends_as_installed(open_place: Opener) -> None:
    """However long it verifies: closing the connection then cancels nothing."""
    place = await open_place(available=(BIG,), rate=1e10, verify_rate=BIG.size / 4)
    put(place, BIG.name)
    async with running(place.services):
        await reach(place, State.VERIFYING)
        place.pulls.ask(1, Wanted.CANCEL)
        await reach(place, State.CHECKING)
        assert state_words(pulled(place), None, 10) == "looking whether it had finished"
        await until(lambda: pulled(place).is_final, 30)
    transfer = pulled(place)
    assert BIG.name in place.installed
    assert (transfer.state, transfer.detail) == (
        State.INSTALLED,
        "the server had finished it before the cancel",
    )


async def test_a_cancel_of_a_server_that_verifies_too_long_says_what_is_not_known(open_place: Opener) -> None:
    model = DemoModel("some:3b", "some", 50 * MB)
    place = await open_place(available=(model,), rate=1e9, verify_rate=model.size / 60)
    put(place, model.name)
    async with running(place.services):
        await reach(place, State.VERIFYING)
        place.pulls.ask(1, Wanted.CANCEL)
        await until(lambda: pulled(place).is_final, 30)
    transfer = pulled(place)
    assert (transfer.state, transfer.detail) == (
        State.CANCELLED,
        "it was being verified: the server may still install it",
    )


@pytest.mark.parametrize(
    ("wanted", "look", "ends"),
    [
        (Wanted.CANCEL, "what_cancel_did", State.CANCELLED),
        (Wanted.PAUSE, "check_pulled", State.PAUSED),
    ],
)
async def test_a_defect_of_the_look_leaves_nothing_looking_for_ever(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, look: str, ends: State
) -> None:
    is_asked = asyncio.Event()

    async def breaks(*_: object, **__: object) -> None:
        await is_asked.wait()
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(carrying, look, breaks)
    place = await open_place(rate=1 if wanted is Wanted.CANCEL else 1e9)
    put(place, "fresh")
    async with running(place.services):
        await reach(place, State.PULLING if wanted is Wanted.CANCEL else State.CHECKING)
        place.pulls.ask(1, wanted)
        await until(lambda: row(place.services).obeyed == row(place.services).wishes)
        await reach(place, State.CHECKING)
        is_asked.set()
        await reach(place, ends)
    assert pulled(place).detail == "a defect of modeltui: KeyError: 'nobody foresaw this'"


# A clock that is set back.


async def test_a_clock_that_is_set_back_stops_neither_what_is_saved_nor_retries(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an hour, as at the first contact with a time server: while it pulls, and while it waits."""
    ahead = 2 * HOUR_MS

    def clock() -> int:
        return int(now_ms()) + ahead

    monkeypatch.setattr("demo_stage.now_ms", clock)
    place = await open_place("[downloads]\nretries = 1\n", available=(BIG,), rate=10 * MB)
    place.trouble(Kind.STREAM_ERROR, value="nobody has seen this", after_bytes=250 * MB)
    put(place, BIG.name)
    async with running(place.services):
        await until(lambda: pulled(place).done > MB)
        ahead -= HOUR_MS
        before = pulled(place)
        await until(lambda: pulled(place).done > before.done + 5 * MB)
        assert pulled(place).at < before.at
        place.server.rate = 1e10
        await reach(place, State.RETRYING)
        ahead -= HOUR_MS
        await until(lambda: (pulled(place).retry_at or 0) <= clock() + FIVE_MINUTES_MS)
        assert (state(place), pulled(place).tries) == (State.RETRYING, 1)
        ahead += FIVE_MINUTES_MS
        await reach(place, State.INSTALLED)
    assert pulled(place).tries == 2


# What is counted, and kept.


async def test_what_was_there_is_named_and_kept(open_place: Opener) -> None:
    place = await open_place(available=(BIG,), rate=1)
    manifest = manifest_of(BIG)
    place.server.library.partials[manifest.weights] = 300 * MB
    put(place, BIG.name)
    async with running(place.services):
        await until(lambda: pulled(place).present is not None)
        begun = pulled(place)
        assert state_words(begun, None, 10) == "pulling, 300 MB there"
        place.pulls.ask(1, Wanted.PAUSE)
        await reach(place, State.PAUSED)
        place.server.rate = 1e9
        place.pulls.ask(1, Wanted.RUN)
        await until(lambda: pulled(place).is_final)
    transfer = pulled(place)
    assert (transfer.state, transfer.present) == (State.INSTALLED, begun.present)
    assert transfer.moved <= manifest.size - 300 * MB
    assert " installed, digest checked, 500 MB (300 MB of it were there) in " in end_words(transfer)
    kept = (BIG.name, manifest.digest, manifest.size, transfer.moved, transfer.active_ms)
    assert arrivals(place) == [kept]
    assert place.pulls.clear([1]) == 1
    assert arrivals(place) == [kept]


async def test_a_small_part_that_was_there_is_named_too(open_place: Opener) -> None:
    """Less than a fast line brings before a first look: how fast this one is tells the two apart."""
    model = replace(BIG, name="middling:1b", weights="middling", size=100 * MB)
    place = await open_place(available=(model, FRESH), rate=MB)
    place.server.library.partials[manifest_of(model).weights] = 20 * MB
    put(place, model.name)
    async with running(place.services):
        await until(lambda: pulled(place).present)
        begun = pulled(place)
        assert 10 * MB < (begun.present or 0) < 21 * MB
        assert state_words(begun, None, 10) == f"pulling, {units.size(begun.present)} there"
        place.pulls.ask(1, Wanted.PAUSE)
        await reach(place, State.PAUSED)
        place.server.rate = 1e9
        place.pulls.ask(1, Wanted.RUN)
        await reach(place, State.INSTALLED)
    transfer = pulled(place)
    assert transfer.present == begun.present
    assert (transfer.present or 0) + transfer.moved <= manifest_of(model).size
    assert f"({units.size(begun.present)} of it were there)" in end_words(transfer)


def arrivals(place: Place) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(place.paths.database)) as connection:
        return connection.execute("SELECT name, digest, size, moved, active_ms FROM arrivals").fetchall()


async def test_the_small_last_layers_of_an_older_server(open_place: Opener, every_byte_saved: None) -> None:
    model = replace(FRESH, name="some:3b", size=100 * MB)
    place = await open_place(available=(model,), version="0.24.0", small_layer_time=0.3, rate=100 * MB)
    put(place, model.name)
    async with watched(place) as seen:
        await carry_out(place.services, 30)
    rows = [each.transfer for each in seen.of()]
    finishing = [each for each in rows if each.is_finishing]
    assert finishing
    assert {state_words(each, None, 10) for each in finishing} == {"finishing"}
    assert len({(each.speed, each.ends_at) for each in finishing}) == 1  # neither follows those layers
    assert all(each.percent == 99 for each in finishing)
    assert rows[-1].state is State.INSTALLED


async def test_what_is_there_already_is_said_so(place: Place) -> None:
    put(place, "chat")
    await carry_out(place.services)
    transfer = pulled(place)
    assert (transfer.present, transfer.moved) == (transfer.total, 0)
    assert "(all of it was there)" in end_words(transfer)
