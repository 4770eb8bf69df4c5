"""Reads what the files of one model say of themselves: GGUF headers, and the texts of its config."""

import json
import os
import stat
from pathlib import Path

from modeltui.domain.findings import Finding, Kind, characters
from modeltui.domain.gguf import is_gguf, parse
from modeltui.domain.transfers import Manifest

_LARGEST_CONFIG = 4 * 2**20
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.ollama.image."
_GGUF_LAYERS = ("model", "projector", "adapter")


def look_at_files(root: Path, manifest: Manifest, *, is_gguf_model: bool) -> tuple[Finding, ...]:
    """Findings in the files of a manifest, as far as they can be read; blocks, never raises.

    `is_gguf_model`: its weights claim to be GGUF. Adapters may be of an older format, which is not looked at.
    """
    found: list[Finding] = []
    for blob in manifest.blobs:
        path = root / "blobs" / blob.digest.replace(":", "-")
        kind = "config" if blob.media_type == _CONFIG else blob.media_type.removeprefix(_LAYER)
        try:
            if kind == "config":
                found += _config(path)
            elif kind in _GGUF_LAYERS:
                found += _header(path, must_be_gguf=is_gguf_model and kind != "adapter")
        except OSError as error:
            words = f"its {kind} could not be looked at ({error.strerror or type(error).__name__})"
            found.append(Finding(Kind.LAYERS, words))
    return tuple(dict.fromkeys(found))


def _header(path: Path, *, must_be_gguf: bool) -> tuple[Finding, ...]:
    """What is wrong with the header of a file of weights."""
    handle = _opened(path)
    with os.fdopen(handle, "rb", buffering=0) as file:
        size = os.fstat(handle).st_size
        if not must_be_gguf and not is_gguf(file.read(4)):
            return ()
        file.seek(0)
        return parse(file.read, size).findings


def _config(path: Path) -> tuple[Finding, ...]:
    with os.fdopen(_opened(path), "rb") as file:
        body = file.read(_LARGEST_CONFIG + 1)
    try:
        config = json.loads(body[:_LARGEST_CONFIG])
    except (ValueError, RecursionError):
        return (Finding(Kind.LAYERS, "its config cannot be read as JSON"),)
    found: list[Finding] = []
    for key, value in config.items() if isinstance(config, dict) else ():
        if isinstance(value, str):
            found += characters(f"its config's {key[:64]}", value)
    return tuple(found)


def _opened(path: Path) -> int:
    """A descriptor of a regular file; raises OSError, also for what is none."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "no regular file")
    return handle
