"""Handlers that change the disk: pull, push, copy, delete, create, blobs."""

import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from modeltui.demo.faults import Trouble
from modeltui.demo.http1 import PLAIN_JSON, Answer, Stream, data_answer
from modeltui.demo.library import DemoModel, manifest_of
from modeltui.demo.pulls import pulled_name
from modeltui.demo.refusals import Refusal
from modeltui.demo.state import Asked, State, installed, text_field
from modeltui.domain import names
from modeltui.errors import InvalidName

_DIGEST = re.compile(r"sha256[:-][0-9a-f]{64}")
Lines = AsyncGenerator[dict[str, Any], None]


async def pull(state: State, asked: Asked) -> Answer | Stream:
    fields = asked.fields()
    name = pulled_name(asked.name())
    lines = state.pulls.pull(name, asked.trouble, insecure=fields.get("insecure") is True)
    return await _streamed_or_whole(lines, fields)


async def push(state: State, asked: Asked) -> Answer | Stream:
    """Refuse plausibly: nobody is signed in."""
    entry = installed(state, asked.name())
    return await _streamed_or_whole(_push(entry.name), asked.fields())


async def _push(name: names.ModelName) -> Lines:
    yield {"status": "retrieving manifest"}
    raise Refusal(500, f"push {name.short} denied: you are not authorized to push to this namespace")


async def copy(state: State, asked: Asked) -> Answer:
    """Copy a manifest; the destination is overwritten silently and its old layers stay (no pruning)."""
    fields = asked.fields()
    source, destination = text_field(fields, "source"), text_field(fields, "destination")
    for side, text in (("source", source), ("destination", destination)):
        if not _is_name(text):
            raise Refusal(400, f'{side} "{text}" is invalid')
    entry, target = state.library.find(source), names.parse(destination)
    if entry is None:
        raise Refusal(404, f'model "{source}" not found')
    if entry.name.key != target.key:
        state.library.write_manifest(target, entry.model, entry.manifest)
    return Answer()


async def delete(state: State, asked: Asked) -> Answer:
    """Delete a manifest and its unshared layers; what is loaded of it stays in memory."""
    text = asked.name()
    if not _is_name(text):
        raise Refusal(400, f'name "{text}" is invalid')
    state.library.remove(installed(state, text).name.key)
    return Answer()


async def create(state: State, asked: Asked) -> Answer | Stream:
    fields = asked.fields()
    if not _is_name(asked.name()):
        raise Refusal(400, "invalid model name")
    source = text_field(fields, "from")
    if not source:
        raise Refusal(400, "neither 'from' or 'files' was specified")
    if not _is_name(source):
        raise Refusal(400, "invalid model name")
    return await _streamed_or_whole(_create(state, names.parse(asked.name()), source, fields), fields)


async def _create(state: State, name: names.ModelName, source: str, fields: dict[str, Any]) -> Lines:
    library = state.library
    if library.find(source) is None:
        # A missing source is pulled first (recorded: create_from_missing).
        pulled = state.pulls.pull(names.parse(source), Trouble(), insecure=False)
        async with aclosing(pulled) as lines:
            async for line in lines:
                if line["status"] != "success":
                    yield line
    entry = installed(state, source)
    model = _changed(entry.model, entry.name.short, fields)
    if model.quantization != entry.model.quantization:
        yield {"status": f"quantizing {entry.model.quantization} model to {model.quantization}"}
    for layer in manifest_of(model).layers:
        word = "using existing" if layer.digest in library.blobs else "creating new"
        yield {"status": f"{word} layer {layer.digest}"}
    yield {"status": "writing manifest"}
    before = library.installed.get(name.key)
    library.install(name, model)
    if before is not None:
        library.drop_unused(before.manifest.all_layers)
    yield {"status": "success"}


def _changed(model: DemoModel, parent: str, fields: dict[str, Any]) -> DemoModel:
    params = fields.get("parameters")
    merged = {**(model.params or {}), **(params if isinstance(params, dict) else {})}
    licence = fields.get("license")
    if isinstance(licence, list):
        licence = "\n".join(str(part) for part in licence)
    changed = replace(
        model,
        parent=parent,
        params=merged or None,
        template=text_field(fields, "template") or model.template,
        system=text_field(fields, "system") or model.system,
        licence=licence if isinstance(licence, str) and licence else model.licence,
    )
    wanted = text_field(fields, "quantize").upper()
    if not wanted or wanted == model.quantization:
        return changed
    return replace(
        changed, quantization=wanted, weights=f"{model.weights} as {wanted}", size=model.size * 3 // 10
    )


async def blob(state: State, asked: Asked) -> Answer:
    """Answer whether a blob is there (HEAD), or take one (POST)."""
    digest = asked.path.removeprefix("/api/blobs/")
    if _DIGEST.fullmatch(digest) is None:
        raise Refusal(400, "invalid digest format")
    digest = digest.replace("-", ":")
    known = digest in state.library.blobs
    if asked.request.method == "HEAD":
        if not known:
            raise Refusal(404, f'blob "{digest}" not found')
        return Answer()
    if known:
        return Answer()
    got = f"sha256:{hashlib.sha256(asked.request.body).hexdigest()}"
    if got != digest:
        raise Refusal(400, f"digest mismatch, expected {digest!r}, got {got!r}".replace("'", '"'))
    state.library.keep_content(digest, asked.request.body)
    return Answer(201)


async def _streamed_or_whole(lines: Lines, fields: dict[str, Any]) -> Answer | Stream:
    """Return the stream, or with `stream: false` its last line as one object; a failure is status 500."""
    if fields.get("stream") is not False:
        return Stream(lines)
    last: dict[str, Any] = {}
    async with aclosing(lines):
        try:
            async for line in lines:
                last = line
        except Refusal as refusal:
            return data_answer(refusal.data, 500, PLAIN_JSON)
    return data_answer(last, content_type=PLAIN_JSON)


def _is_name(text: str) -> bool:
    try:
        names.parse(text)
    except InvalidName:
        return False
    return True
