"""The demonstration server answers as the recorded servers did, exchange by exchange, for both versions.

Compared are status, content type, key sets, JSON types, the order of statuses in streams (repeats
collapsed), error texts, the names and contexts that `/api/ps` lists and the texts of `/api/show`.
"""

import json
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from modeltui.demo.library import weights_digest
from modeltui.demo.server import NEWER, OLDER

RECORDED = Path(__file__).parents[1] / "data" / "recorded"
Prepared = Callable[[str, str], AbstractAsyncContextManager[httpx.AsyncClient]]

_MISSED = "the race was missed in this recording: nothing was missing there"
NOT_COMPARED = {
    (OLDER, "pull_after_kill"): "0.24 finishes the parts of a killed server silently; the demo has no parts",
    (NEWER, "load_with_missing_blob"): _MISSED,
    (NEWER, "show_with_missing_blob"): _MISSED,
}
"""Recordings that can't be asked of the demo server, with the reason."""

SHAPE_ONLY = {
    (OLDER, "ps_forever"): "0.24 showed the new keep-alive of a loaded model only a moment later",
    (OLDER, "ps_after_unload"): "0.24 still listed the unloaded model, in the past, for a moment",
}
"""Recordings of which only the shape is compared, not the names and contexts, with the reason."""

SHOW_TEXTS = ("license", "parameters", "template", "system", "capabilities", "modelfile")
LINES_BEFORE_CLOSING = 4


def _recordings() -> list[Any]:
    found = []
    for version in (OLDER, NEWER):
        for path in sorted((RECORDED / version).glob("*.json")):
            marks = []
            if reason := NOT_COMPARED.get((version, path.stem)):
                marks.append(pytest.mark.skip(reason=reason))
            found.append(pytest.param(version, path.stem, id=f"{version}-{path.stem}", marks=marks))
    return found


@pytest.mark.parametrize(("version", "stem"), _recordings())
async def test_answers_as_recorded(version: str, stem: str, prepared: Prepared) -> None:
    recorded = json.loads((RECORDED / version / f"{stem}.json").read_text("utf-8"))
    lines = _recorded_lines(recorded)
    async with prepared(version, stem) as client:
        limit = LINES_BEFORE_CLOSING if "closed_by_client_at" in recorded else None
        status, content_type, body = await _ask(client, stem, recorded["request"], limit)
    assert status == recorded["status"]
    assert content_type == recorded["content_type"]
    if lines is not None:
        _compare_lines(stem, [json.loads(line) for line in body.splitlines()], lines)
    elif "json" in recorded:
        _compare_data(version, stem, json.loads(body), recorded["json"])
    else:
        assert body == recorded["text"]


def test_every_recording_is_compared_or_named() -> None:
    stems = {(path.parent.name, path.stem) for path in RECORDED.glob("*/*.json")}
    assert len(stems) > 190
    assert set(NOT_COMPARED) | set(SHAPE_ONLY) <= stems


async def _ask(
    client: httpx.AsyncClient, stem: str, request: dict[str, Any], limit: int | None
) -> tuple[int, str | None, str]:
    """Send the recorded request, digests and the refused Host put in; stop after `limit` lines."""
    path, body = request["path"], request["body"]
    if stem == "blob_head":
        path = f"/api/blobs/{weights_digest('small')}"
    headers = {"Host": "ollama.example.com"} if stem == "host_refused" else {}
    content = body if isinstance(body, str) else None if body is None else json.dumps(body)
    async with client.stream(request["method"], path, content=content, headers=headers) as response:
        got: list[str] = []
        async for line in response.aiter_lines():
            got.append(line)
            if limit is not None and len(got) >= limit:
                break
    return response.status_code, response.headers.get("content-type"), "\n".join(got)


def _recorded_lines(recorded: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the lines of a recorded stream; two of them were kept as text."""
    if "events" in recorded:
        return [line for _, line in recorded["events"]]
    if recorded["content_type"] == "application/x-ndjson":
        return [json.loads(line) for line in recorded["text"].splitlines()]
    return None


def _compare_lines(stem: str, got: list[dict[str, Any]], recorded: list[dict[str, Any]]) -> None:
    assert _collapsed(got) == _collapsed(recorded)
    layers = [line for line in got if "digest" in line]
    if stem.startswith("pull_mid_resumed"):
        assert layers[0]["completed"] >= layers[0]["total"] // 2


def _collapsed(lines: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Return what kinds of lines came, in order: repeats collapsed, digests forgotten."""
    found: list[tuple[object, ...]] = []
    last: object = None
    for line in lines:
        status, error = str(line.get("status", "")), _neutral(str(line.get("error", "")))
        what: tuple[object, ...] = (status, error, line.get("done"), tuple(sorted(line)))
        if "digest" in line:
            assert status == f"pulling {line['digest'][7:19]}"
            small = line["total"] < 1000
            what = ("small layer" if small else "weights", "completed" in line, tuple(sorted(line)))
        elif "layer sha256:" in status:
            what = ("a layer made or used",)
        same = (what, line.get("digest"), status[-64:])
        if same != last:
            found.append(what)
        last = same
    return found


def _compare_data(version: str, stem: str, got: Any, recorded: Any) -> None:
    assert _shape(got) == _shape(recorded)
    if "error" in recorded:
        assert _neutral(got["error"]) == _neutral(recorded["error"])
    if stem.startswith("ps_") and (version, stem) not in SHAPE_ONLY:
        assert [_seen(model) for model in got["models"]] == [_seen(model) for model in recorded["models"]]
    if stem.startswith("show_"):
        for key in SHOW_TEXTS:
            assert _neutral(got.get(key)) == _neutral(recorded.get(key))
    if stem.startswith("tags"):
        assert {model["name"] for model in got["models"]} == {model["name"] for model in recorded["models"]}
    for key in ("done_reason", "model", "version", "cloud", "response", "message"):
        if key in recorded and "eval_count" not in recorded:
            assert got[key] == recorded[key]


def _seen(model: dict[str, Any]) -> tuple[object, ...]:
    return model["name"], model["context_length"], model["expires_at"][:2] == "23"


def _shape(value: Any) -> Any:
    """Return key sets and types; of a list the set of its entries' shapes."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(_shape(item), sort_keys=True) for item in value})
    return type(value).__name__


def _neutral(text: Any) -> Any:
    if isinstance(text, list):
        return text
    text = re.sub(r"\?ts=\d+", "?ts=0", text or "")
    return re.sub(r"sha256([:-])[0-9a-f]{64}", r"sha256\1", text)
