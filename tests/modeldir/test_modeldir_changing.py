"""Removing and moving aside in real directories: only what was seen, nothing outside, nothing by a link."""

import os
from pathlib import Path

import pytest
from shelf import Shelf

from modeltui.modeldir.changing import move_aside, remove
from modeltui.modeldir.reading import ASIDE, StoredFile, read

A, B = "a" * 64, "b" * 64


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "models")
    shelf.file(f"sha256-{A}-partial", b"part")
    shelf.file(f"sha256-{B}", b"blob")
    return shelf


def files(shelf: Shelf) -> tuple[StoredFile, ...]:
    contents = read(shelf.root)
    return (*contents.partials, *contents.blobs.values())


def test_removing(shelf: Shelf) -> None:
    done = remove(shelf.root, files(shelf))
    assert [each.why for each in done] == [None, None]
    assert shelf.names() == []


def test_what_changed_went_or_became_something_else_stays(shelf: Shelf) -> None:
    seen = files(shelf)
    shelf.file(f"sha256-{A}-partial", b"longer part")
    shelf.path(f"sha256:{B}").unlink()
    assert [each.why for each in remove(shelf.root, seen)] == ["changed meanwhile", "gone meanwhile"]
    shelf.path(f"sha256:{B}").mkdir()
    assert remove(shelf.root, seen)[1].why == "not a regular file any more"
    assert len(shelf.names()) == 2


def test_a_link_is_never_followed(shelf: Shelf, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shelf.path(f"sha256:{B}").rename(outside)
    shelf.path(f"sha256:{B}").symlink_to(outside)
    assert [each.why for each in remove(shelf.root, files(shelf))] == [None, "not a file of the server's own"]
    assert outside.read_bytes() == b"blob"
    assert shelf.path(f"sha256:{B}").is_symlink()


def test_a_file_that_becomes_a_link_is_left(shelf: Shelf, tmp_path: Path) -> None:
    seen, outside = files(shelf), tmp_path / "outside"
    shelf.path(f"sha256:{B}").rename(outside)
    shelf.path(f"sha256:{B}").symlink_to(outside)
    assert remove(shelf.root, seen)[1].why == "not a regular file any more"
    assert outside.exists()


def test_blobs_behind_a_link_are_not_touched(shelf: Shelf, tmp_path: Path) -> None:
    seen = files(shelf)
    shelf.blobs.rename(tmp_path / "moved")
    shelf.blobs.symlink_to(tmp_path / "moved")
    with pytest.raises(OSError, match=r"symbolic links|directory"):
        remove(shelf.root, seen)
    with pytest.raises(OSError, match=r"symbolic links|directory"):
        move_aside(shelf.root, seen)
    assert len(shelf.names()) == 2


@pytest.mark.parametrize(
    "name", ["../sha256-" + A, f"sha256-{A}/../x", f"sha256-{A}-partial-", "sha256-", "/etc/passwd"]
)
def test_no_other_name_is_removed(shelf: Shelf, name: str) -> None:
    strange = StoredFile(name, f"sha256:{A}", 4, 4, 0, 0, 0, is_link=False)
    assert remove(shelf.root, [strange])[0].why == "not a file of the server's own"
    assert len(shelf.names()) == 2


def test_moving_aside_and_back(shelf: Shelf) -> None:
    (blob,) = read(shelf.root).blobs.values()
    assert [each.why for each in move_aside(shelf.root, [blob])] == [None]
    aside = shelf.root / ASIDE / blob.name
    assert aside.read_bytes() == b"blob"
    assert read(shelf.root).blobs == {}
    assert [file.name for file in read(shelf.root).aside] == [blob.name]
    os.rename(aside, shelf.blobs / blob.name)  # noqa: PTH104
    assert read(shelf.root).blobs == {blob.digest: blob}


def test_an_error_of_the_system_is_told_for_that_file(shelf: Shelf) -> None:
    (blob,) = read(shelf.root).blobs.values()
    (shelf.root / ASIDE / blob.name).mkdir(parents=True)
    assert move_aside(shelf.root, [blob])[0].why == "Is a directory"
    assert shelf.path(blob.digest).exists()
