"""Verifying and quarantine: real files under a real demonstration server, broken in every way."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from demo_stage import Opener, Place, until
from shelf import Shelf

from modeltui.demo.library import DemoModel
from modeltui.domain.models import ModelState
from modeltui.errors import ModeltuiError, NoSuchModel, Refusal
from modeltui.modeldir.reading import ASIDE
from modeltui.services.modelfiles import model_files
from modeltui.services.serving import with_the_servers
from modeltui.services.verifying import Verified, Verifying

CHAT = DemoModel("chat:latest", "chat", template="{{ .Prompt }}", licence="MIT")
WRITER = replace(CHAT, name="writer:latest", system="You write.")
CODER = DemoModel("coder:7b", "coder")

Verify = Callable[..., Awaitable[Verified]]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
async def here(open_place: Opener, shelf: Shelf) -> Place:
    """A server on this machine with three models, two of which share their weights."""
    place = await open_place(
        installed=(), available=(), local=True, environ={"OLLAMA_MODELS": str(shelf.root)}
    )
    for model, weights in ((CHAT, b"chat" * 100_000), (WRITER, b"chat" * 100_000), (CODER, b"code" * 9)):
        shelf.add(place.server.library, model, weights)
    return place


@pytest.fixture
def verify(here: Place) -> Verify:
    async def verified(*names: str) -> Verified:
        verifying = Verifying(here.services, here.link)
        return await verifying.verify(await verifying.plan(names))

    return verified


def weights(place: Place, name: str) -> str:
    found = place.server.library.find(name)
    assert found is not None
    return str(found.manifest.weights)


def spoil(shelf: Shelf, digest: str) -> None:
    """One bit of a blob turns, as on a failing disk."""
    path = shelf.path(digest)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


async def states(place: Place) -> dict[str, ModelState]:
    return {entry.model.shown: entry.state for entry in (await place.library.listing()).entries}


async def test_all_good(here: Place, shelf: Shelf, verify: Verify) -> None:
    found = await verify()
    assert found.is_good
    assert (found.models, found.root) == (3, shelf.root)
    assert found.blobs == len(shelf.names())
    assert found.size == sum(path.stat().st_size for path in shelf.blobs.iterdir())
    assert here.activity == [("verify", "all models", "done")]


async def test_a_corrupt_blob_is_found_with_all_its_models(here: Place, shelf: Shelf, verify: Verify) -> None:
    digest = weights(here, "chat")
    spoil(shelf, digest)
    found = await verify()
    (fault,) = found.corrupt
    assert (fault.digest, fault.size, fault.models) == (digest, 400_000, ("chat:latest", "writer:latest"))
    assert not found.is_good
    assert found.missing == ()
    assert (await states(here))["chat:latest"] is ModelState.DAMAGED
    assert (await states(here))["coder:7b"] is ModelState.NOT_LOADED
    assert here.activity[-1] == ("verify", "all models", "failed")
    spoil(shelf, digest)
    assert (await verify()).is_good
    assert (await states(here))["chat:latest"] is ModelState.NOT_LOADED


async def test_a_missing_blob_and_a_cut_one(here: Place, shelf: Shelf, verify: Verify) -> None:
    shelf.path(weights(here, "coder:7b")).unlink()
    with shelf.path(weights(here, "chat")).open("r+b") as file:
        file.truncate(7)
    found = await verify()
    assert [(fault.size, fault.models) for fault in found.missing] == [(36, ("coder:7b",))]
    assert [fault.size for fault in found.corrupt] == [7]
    assert found.broken_models == ("chat:latest", "coder:7b", "writer:latest")
    assert found.lacking_models == ("coder:7b",)


async def test_only_what_was_named_is_read(here: Place, shelf: Shelf, verify: Verify) -> None:
    spoil(shelf, weights(here, "chat"))
    shelf.put(b"loose", hours=3)
    found = await verify("coder:7b")
    assert found.is_good
    assert found.size < 1000
    assert here.activity[-1] == ("verify", "coder:7b", "done")
    assert (await verify("CHAT")).corrupt[0].models == ("chat:latest", "writer:latest")
    with pytest.raises(NoSuchModel):
        await verify("nothing")


async def test_litter_is_told_and_what_is_being_written_is_in_order(
    here: Place, shelf: Shelf, verify: Verify
) -> None:
    young = shelf.file(f"sha256-{'a' * 64}-partial", b"12345")
    shelf.file("sha256-4711", b"?")
    shelf.put(b"just written")
    found = await verify()
    assert found.is_good
    assert [pile.size for pile in found.being_written] == [5]
    assert found.strays == ("sha256-4711",)
    young.unlink()
    shelf.file(f"sha256-{'a' * 64}-partial-0", b"12345", hours=1)
    shelf.put(b"loose", hours=3)
    found = await verify()
    assert not found.is_good
    assert [pile.size for pile in found.partials] == [5]
    assert [pile.size for pile in found.orphans] == [5]


async def test_a_manifest_that_is_not_there_is_missing(here: Place, shelf: Shelf, verify: Verify) -> None:
    shelf.manifest_path("coder:7b").unlink()
    found = await verify()
    assert [fault.models for fault in found.missing] == [("coder:7b",)]
    assert found.orphans == ()
    assert [fault.models for fault in (await verify("coder:7b")).missing] == [("coder:7b",)]
    assert (await verify("chat")).is_good


async def test_what_cannot_be_read_is_neither_corrupt_nor_missing(
    here: Place, shelf: Shelf, verify: Verify
) -> None:
    for name, target in (
        ("chat", "/proc/self/mem"),
        ("coder:7b", str(shelf.path(weights(here, "coder:7b")))),
    ):
        path = shelf.path(weights(here, name))
        path.unlink()
        path.symlink_to(target)
    found = await verify()
    assert (found.corrupt, found.missing) == ((), ())
    assert len(found.unread) >= 2
    assert not found.is_good


async def test_what_is_deleted_meanwhile_is_not_judged(here: Place, shelf: Shelf) -> None:
    spoil(shelf, weights(here, "coder:7b"))
    verifying = Verifying(here.services, here.link)
    check = await verifying.plan(())
    shelf.path(weights(here, "coder:7b")).unlink()
    shelf.manifest_path("coder:7b").unlink()
    found = await verifying.verify(check)
    assert (found.corrupt, found.missing) == ((), ())


async def test_what_is_pulled_anew_meanwhile_is_not_judged(here: Place, shelf: Shelf) -> None:
    digest = weights(here, "coder:7b")
    spoil(shelf, digest)
    verifying = Verifying(here.services, here.link)
    found = await verifying.verify(await verifying.plan(()))
    shelf.path(digest).unlink()
    shelf.put(b"code" * 9)
    found = await verifying.quarantine(found)
    assert found.corrupt[0].moved_to is None
    assert shelf.path(digest).read_bytes() == b"code" * 9
    assert any("changed meanwhile" in note for note in here.services.notices)


async def test_quarantine(here: Place, shelf: Shelf, verify: Verify) -> None:
    digest = weights(here, "chat")
    spoil(shelf, digest)
    found = await Verifying(here.services, here.link).quarantine(await verify())
    (fault,) = found.corrupt
    assert fault.moved_to == shelf.root / ASIDE / digest.replace(":", "-")
    assert fault.moved_to.stat().st_size == 400_000
    assert not shelf.path(digest).exists()
    assert found.lacking_models == ("chat:latest", "writer:latest")
    assert here.activity[-1] == ("quarantine", f"{digest} of chat:latest, writer:latest", "done")
    again = await verify()
    assert [fault.digest for fault in again.missing] == [digest]
    assert [file.name for file in again.aside] == [fault.moved_to.name]


async def test_quarantine_where_nothing_may_be_written(here: Place, shelf: Shelf, verify: Verify) -> None:
    spoil(shelf, weights(here, "coder:7b"))
    found = await verify()
    (shelf.root / ASIDE).write_text("in the way")
    with pytest.raises(Refusal, match="nothing was changed") as refused:
        await Verifying(here.services, here.link).quarantine(found)
    assert refused.value.remedy is not None
    assert shelf.path(weights(here, "coder:7b")).exists()


async def test_a_cancel_ends_the_threads(here: Place, shelf: Shelf) -> None:
    verifying = Verifying(here.services, here.link)
    check = await verifying.plan(())
    task = asyncio.create_task(verifying.verify(check))
    await until(lambda: check.reading.done > 0 or task.done())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert check.reading.is_stopped


async def refusal(open_place: Opener, **more: Any) -> ModeltuiError:
    place = await open_place(**more)
    with pytest.raises(Refusal) as refused:
        await Verifying(place.services, place.link).plan(())
    assert refused.value.remedy
    assert refused.value.url == place.server.url
    return refused.value


async def test_a_server_elsewhere_has_no_files_here(open_place: Opener, tmp_path: Path) -> None:
    error = await refusal(open_place, local=False, environ={"OLLAMA_MODELS": str(tmp_path)})
    assert "cannot be looked at from here: the configuration says local = false" in error.message


async def test_a_directory_of_another_server_is_refused(open_place: Opener, shelf: Shelf) -> None:
    shelf.add(None, CODER, b"not what the server lists")
    error = await refusal(open_place, local=True, environ={"OLLAMA_MODELS": str(shelf.root)})
    assert "do not prove" in error.message
    assert str(shelf.root) in error.message


async def test_nothing_installed(open_place: Opener, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory without manifests is what a server without models has; one with some is another's."""
    monkeypatch.setenv("HOME", str(shelf.root / "nobody"))
    environ = {"OLLAMA_MODELS": str(shelf.root)}
    shelf.put(b"loose", hours=2)
    place = await open_place(installed=(), local=True, environ=environ)
    assert (await model_files(place.services, place.link)).root == shelf.root
    shelf.add(None, CODER, b"x")
    with pytest.raises(Refusal, match="nothing is installed that would prove"):
        await model_files(place.services, place.link)


async def test_the_directory_is_the_one_that_the_servers_own_process_was_given(
    here: Place, tmp_path: Path
) -> None:
    """Where ours names none; a real process that listens, as a server does."""
    listen = "s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)"
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"import socket, sys; {listen}; sys.stdin.read()"),
        env={**os.environ, "OLLAMA_MODELS": str(tmp_path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    nothing = replace(here.services, environ={"A": "b"})
    assert await with_the_servers(nothing, port) == {"A": "b", "OLLAMA_MODELS": str(tmp_path)}
    assert await with_the_servers(here.services, port) == here.services.environ
    await server.communicate(b"")


async def test_two_directories_with_the_same_models(
    open_place: Opener, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them a server uses cannot be told, unless OLLAMA_MODELS says so or one holds more."""
    monkeypatch.setenv("HOME", str(tmp_path))
    other = Shelf(tmp_path / ".ollama" / "models")
    place = await open_place(installed=(), local=True, environ={"OLLAMA_MODELS": str(shelf.root)})
    for each in (shelf, other):
        each.add(place.server.library, CHAT, b"x")
    assert (await model_files(place.services, place.link)).root == shelf.root
    other.add(place.server.library, CODER, b"y")
    assert (await model_files(place.services, place.link)).root == other.root
    without = replace(place.services, environ={})
    assert (await model_files(without, place.link)).root == other.root


async def test_a_directory_by_two_paths_is_one(
    open_place: Opener, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ollama").mkdir()
    (tmp_path / ".ollama" / "models").symlink_to(shelf.root)
    place = await open_place(installed=(), local=True)
    shelf.add(place.server.library, CHAT, b"x")
    assert (await model_files(place.services, place.link)).root == shelf.root
