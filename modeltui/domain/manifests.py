"""Reads a manifest from its bytes: digests, sizes and kinds of a model's blobs, none of them believed."""

import hashlib
import json
import re

from modeltui.domain.transfers import Blob, Manifest
from modeltui.text import clean_line

LARGEST_BYTES = 4 * 2**20
_DIGEST = re.compile(r"sha256:[0-9a-fA-F]{64}")


def decode(body: bytes) -> Manifest:
    """The manifest with the config as its last blob; raises ValueError for what is none."""
    try:
        manifest = json.loads(body)
        blobs = tuple(_blob(entry) for entry in [*manifest["layers"], manifest["config"]])
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("no manifest") from None
    return Manifest(hashlib.sha256(body).hexdigest(), blobs)


def _blob(entry: dict[str, object]) -> Blob:
    """One layer; ValueError for one without a digest or a size."""
    digest, size, kind = entry["digest"], entry["size"], entry.get("mediaType")
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise ValueError("no digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**60:
        raise ValueError("no size")
    return Blob(digest, size, clean_line(kind) if isinstance(kind, str) else "")
