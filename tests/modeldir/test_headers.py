"""What the files of one model say of themselves, on a real disk."""

import json
import os
from pathlib import Path

import pytest
from ggufs import Made, said
from shelf import Shelf

from modeltui.domain.findings import Finding, Kind
from modeltui.domain.transfers import Blob, Manifest
from modeltui.modeldir.headers import look_at_files

LAYER = "application/vnd.ollama.image."
CONFIG = "application/vnd.docker.container.image.v1+json"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


def look(shelf: Shelf, kind: str, content: bytes, *, is_gguf_model: bool = True) -> tuple[Finding, ...]:
    blob = Blob(shelf.put(content), len(content), kind)
    return look_at_files(shelf.root, Manifest("d", (blob,)), is_gguf_model=is_gguf_model)


@pytest.mark.parametrize("kind", ["model", "projector", "adapter"])
def test_gguf_layers(shelf: Shelf, kind: str) -> None:
    assert look(shelf, LAYER + kind, Made().whole) == ()
    (finding,) = look(shelf, LAYER + kind, Made(entries=[said("general.name", "\x1b]0;x\x07")]).whole)
    assert finding.is_serious


def test_what_is_no_gguf(shelf: Shelf) -> None:
    (finding,) = look(shelf, f"{LAYER}model", b"#!/bin/sh\n")
    assert (finding.kind, finding.is_serious) == (Kind.HEADER, True)
    assert look(shelf, f"{LAYER}model", b"\x10\0\0\0{}", is_gguf_model=False) == ()
    assert look(shelf, f"{LAYER}adapter", b"algg....") == ()
    assert look(shelf, f"{LAYER}template", b"anything") == ()
    assert look(shelf, f"{LAYER}model", b"")[0].is_serious


def test_only_the_header_of_a_large_file_is_read(shelf: Shelf) -> None:
    whole = Made().whole
    digest = shelf.put(whole)
    with shelf.path(digest).open("r+b") as file:
        file.truncate(10**12)  # sparse
    blob = Blob(digest, 10**12, f"{LAYER}model")
    assert look_at_files(shelf.root, Manifest("d", (blob,)), is_gguf_model=True) == ()


def test_configs(shelf: Shelf) -> None:
    assert look(shelf, CONFIG, json.dumps({"model_format": "gguf", "rootfs": {}}).encode()) == ()
    (finding,) = look(shelf, CONFIG, json.dumps({"model_family": "a\u202eb"}).encode())
    assert (finding.kind, finding.is_serious) == (Kind.CHARACTERS, True)
    for body in (b"", b"{", b"[" * 100_000, b"\xff"):
        assert look(shelf, CONFIG, body)[0].words == "its config cannot be read as JSON"
    assert look(shelf, CONFIG, b"[1]") == ()


def test_what_cannot_be_read_is_told_and_not_serious(shelf: Shelf) -> None:
    blob = Blob("sha256:" + "a" * 64, 1, f"{LAYER}model")
    shelf.blobs.mkdir(parents=True)
    for is_there in (False, True):
        if is_there:
            os.mkfifo(shelf.path(blob.digest))
        (finding,) = look_at_files(shelf.root, Manifest("d", (blob,)), is_gguf_model=True)
        assert finding.words.startswith("its model could not be looked at (")
        assert not finding.is_serious
