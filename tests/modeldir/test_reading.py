"""What lies in a models directory, read from real ones: whole, littered, broken, and not to be read."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from shelf import Shelf

from modeltui.demo.library import DemoModel
from modeltui.modeldir.reading import Contents, read

CHAT = DemoModel("chat:latest", template="{{ .Prompt }}", licence="MIT")
HOUR = 3_600_000


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


def now(contents: Contents) -> int:
    return max(blob.modified for blob in contents.blobs.values())


def test_a_whole_directory(shelf: Shelf) -> None:
    made = shelf.add(None, CHAT, b"weights")
    contents = read(shelf.root)
    assert [stored.shown for stored in contents.manifests] == ["chat:latest"]
    assert contents.manifests[0].manifest.digest == made.digest
    assert set(contents.blobs) == {layer.digest for layer in made.all_layers}
    assert contents.is_whole
    assert (contents.partials, contents.strays, contents.aside, contents.unread) == ((), (), (), ())
    assert contents.users()[made.weights][1] == ("chat:latest",)


def test_an_empty_and_a_missing_directory(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "none"):
        contents = read(root)
        assert (contents.manifests, contents.blobs, contents.unread) == ((), {}, ())


def test_models_that_share_a_blob_are_all_named(shelf: Shelf) -> None:
    made = shelf.add(None, CHAT, b"weights")
    shelf.add(None, replace(CHAT, name="hf.co/me/writer:Q4", system="You write."), b"weights")
    assert read(shelf.root).users()[made.weights][1] == ("hf.co/me/writer:Q4", "chat:latest")


def test_kinds_of_files(shelf: Shelf) -> None:
    digits = "a" * 64
    for name in ("-partial", "-partial-0", "-partial-15", ".tmp"):
        shelf.file(f"sha256-{digits}{name}", b"12345")
    for name in (
        "sha256-123456",
        "sha256-" + "g" * 64,
        f"sha256-{digits}-partial-",
        f"sha256-{digits}-other",
    ):
        shelf.file(name, b"1")
    (shelf.blobs / ("sha256-" + "d" * 64)).mkdir()
    contents = read(shelf.root)
    (download,) = contents.downloads()
    assert download.digest == f"sha256:{digits}"
    assert len(download.files) == 4
    assert download.size == 20
    assert download.held == sum((shelf.blobs / file.name).stat().st_blocks * 512 for file in download.files)
    assert contents.blobs == {}
    assert len(contents.strays) == 4


def test_orphans_are_those_that_nobody_names_and_nobody_wrote_lately(shelf: Shelf) -> None:
    shelf.add(None, CHAT, b"weights")
    old, young = shelf.put(b"old", hours=2), shelf.put(b"young")
    contents = read(shelf.root)
    assert [pile.digest for pile in contents.orphans(now(contents), HOUR)] == [old]
    assert {pile.digest for pile in contents.orphans(now(contents) + HOUR, HOUR)} == {old, young}


def test_a_digest_in_capitals_is_the_same(shelf: Shelf) -> None:
    made = shelf.add(None, CHAT, b"weights")
    path = shelf.manifest_path("chat")
    hexadecimal = made.weights.removeprefix("sha256:")
    path.write_bytes(made.raw.replace(hexadecimal.encode(), hexadecimal.upper().encode()))
    contents = read(shelf.root)
    assert contents.orphans(now(contents) + 2 * HOUR, HOUR) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b'{"layers": [], "config": {}}',
        b'{"layers": 5, "config": {"digest": "sha256:' + b"a" * 64 + b'", "size": 1}}',
        b'{"layers": [[]], "config": {"digest": "sha256:' + b"a" * 64 + b'", "size": 1}}',
        b'{"layers": [{"digest": "../../etc", "size": 1}], "config": {}}',
        b'{"layers": [{"digest": "sha256:' + b"a" * 64 + b'", "size": -1}], "config": {}}',
        b"[" * 100_000,
        b" " * (4 * 2**20 + 1),
    ],
)
def test_a_manifest_that_is_none_leaves_no_orphans(shelf: Shelf, body: bytes) -> None:
    shelf.add(None, CHAT, b"weights")
    shelf.put(b"of the broken one", hours=9)
    broken = shelf.manifest_path("broken:1b")
    broken.parent.mkdir(parents=True)
    broken.write_bytes(body)
    contents = read(shelf.root)
    assert [entry.path for entry in contents.unread] == [str(broken)]
    assert not contents.is_whole
    assert contents.orphans(now(contents), HOUR) == ()


def test_what_is_no_name_is_no_manifest_unless_it_reads_as_one(shelf: Shelf) -> None:
    made = shelf.add(None, CHAT, b"weights")
    place = shelf.manifest_path("chat").parent
    (place / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (place / ".backup").write_bytes(made.raw)
    contents = read(shelf.root)
    assert contents.is_whole
    assert [stored.name is None for stored in contents.manifests] == [True, False]
    assert str(place / ".backup") in contents.users()[made.weights][1]


def test_a_pipe_does_not_hang_and_a_link_is_looked_through(shelf: Shelf, tmp_path: Path) -> None:
    made = shelf.add(None, CHAT, b"weights")
    os.mkfifo(shelf.manifest_path("pipe:1b").parent.parent / "chat" / "pipe")
    os.mkfifo(shelf.blobs / ("sha256-" + "b" * 64))
    elsewhere = tmp_path / "elsewhere"
    shelf.path(made.weights).rename(elsewhere)
    shelf.path(made.weights).symlink_to(elsewhere)
    (shelf.blobs / ("sha256-" + "c" * 64)).symlink_to(tmp_path / "nowhere")
    contents = read(shelf.root)
    assert contents.is_whole
    assert contents.blobs[made.weights].is_link
    assert contents.blobs[made.weights].held == 0
    assert set(contents.blobs) == {layer.digest for layer in made.all_layers}


def test_bytes_that_come_back(shelf: Shelf) -> None:
    sparse = shelf.file(f"sha256-{'a' * 64}-partial", b"")
    with sparse.open("r+b") as file:
        file.truncate(10_000_000)
        file.write(b"x" * 4096)
    linked = shelf.file(f"sha256-{'b' * 64}-partial", b"y" * 4096)
    os.link(linked, shelf.root / "second")
    found = {pile.digest[7]: pile for pile in read(shelf.root).downloads()}
    assert found["a"].size == 10_000_000
    assert 4096 <= found["a"].held < 1_000_000
    assert found["b"].size == 4096
    assert found["b"].held == 0


def test_what_cannot_be_read_is_said(shelf: Shelf) -> None:
    made = shelf.add(None, CHAT, b"weights")
    for path in (shelf.manifest_path("chat"), shelf.path(made.weights)):
        path.unlink()
        path.symlink_to(path)
    contents = read(shelf.root)
    assert len(contents.unread) == 2
    assert all("symbolic links" in entry.why for entry in contents.unread)
    assert not contents.is_whole


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said(shelf: Shelf) -> None:
    shelf.add(None, CHAT, b"weights")
    shelf.manifest_path("chat").chmod(0)
    shelf.blobs.chmod(0)
    try:
        contents = read(shelf.root)
    finally:
        shelf.blobs.chmod(0o700)
    assert [entry.why for entry in contents.unread] == ["Permission denied"] * 2
    assert not contents.is_whole


def test_hostile_names_are_cleaned(shelf: Shelf) -> None:
    shelf.file("evil\x1b[2J\u202e", b"1")
    place = shelf.root / "manifests" / "h" / "n" / "m"
    place.mkdir(parents=True)
    (place / "t\x1b[31m").write_text(
        json.dumps({"layers": [], "config": {"digest": "sha256:" + "a" * 64, "size": 1}})
    )
    contents = read(shelf.root)
    assert contents.strays == ("evil·[2J·",)
    assert contents.manifests[0].shown.endswith("/t·[31m")
