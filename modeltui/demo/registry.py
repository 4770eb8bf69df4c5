"""The registry on the same port: manifests with their digests and push times, and small blobs."""

import re

from modeltui.demo import gotime
from modeltui.demo.http1 import JSON, Answer
from modeltui.demo.library import MANIFEST, Installed
from modeltui.demo.state import Asked, State
from modeltui.domain import names
from modeltui.errors import InvalidName

_PATH = re.compile(r"/v2/(?P<namespace>[^/]+)/(?P<model>[^/]+)/(?P<kind>manifests|blobs)/(?P<last>[^/]+)")
_UNKNOWN = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"%s"}}]}'


async def answer(state: State, asked: Asked) -> Answer:
    """Answer GET and HEAD of a manifest or of a small blob (weights have no bytes here)."""
    match = _PATH.fullmatch(asked.path)
    if match is None:
        return Answer(404, b"404 page not found", "text/plain")
    if match["kind"] == "blobs":
        content = state.library.content(match["last"])
        if content is None:
            return Answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}', JSON)
        return Answer(200, content, "application/octet-stream")
    found = _find(state, f"{match['namespace']}/{match['model']}:{match['last']}")
    if found is None:
        return Answer(404, (_UNKNOWN % match["last"].replace('"', "")).encode(), JSON)
    headers = {
        "ollama-content-digest": found.manifest.digest,
        "ollama-push-time": str(found.modified // gotime.NANOSECOND),
        "Docker-Content-Digest": f"sha256:{found.manifest.digest}",
    }
    return Answer(200, found.manifest.raw, MANIFEST, headers)


def _find(state: State, path: str) -> Installed | None:
    """Return what stands under `namespace/model:tag`, whatever its host: one port is every registry here."""
    try:
        wanted = names.parse(path)
    except InvalidName:
        return None
    exact = state.library.available.get(wanted.key)
    if exact is not None:
        return exact
    ends = wanted.key.partition("/")[2]
    return next((x for key, x in state.library.available.items() if key.partition("/")[2] == ends), None)
