"""What every handler of the demonstration server works on, and how a handler reads its request."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modeltui.demo.faults import Faults, Trouble
from modeltui.demo.http1 import Request
from modeltui.demo.library import Installed, Library
from modeltui.demo.pulls import Pulls
from modeltui.demo.refusals import Refusal
from modeltui.demo.runners import Scheduler
from modeltui.demo.speech import Speech
from modeltui.errors import InvalidName

_GO_KINDS = {bool: "bool", int: "number", float: "number", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class State:
    """The server's parts; `token_rate` in tokens per second, None to follow from the model's size."""

    speech: Speech
    library: Library
    scheduler: Scheduler
    pulls: Pulls
    faults: Faults
    token_rate: float | None
    restart_soon: Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as a handler sees it: `fields` is its JSON body, read when first needed."""

    request: Request
    trouble: Trouble

    @property
    def path(self) -> str:
        return self.request.path

    def fields(self) -> dict[str, Any]:
        """Return the JSON body; raises Refusal 400 in the words of Go's decoder."""
        text = self.request.body.decode("utf-8", "replace")
        if not text.strip():
            raise Refusal(400, "missing request body")
        try:
            found = json.loads(text)
        except ValueError as error:
            raise Refusal(400, _words_of_go(error, text)) from None
        if not isinstance(found, dict):
            kind = _GO_KINDS.get(type(found), "string")
            raise Refusal(400, f"json: cannot unmarshal {kind} into Go value of type api.Request")
        return found

    def name(self) -> str:
        """Return the model asked for, by `model` or the older `name`."""
        return text_field(self.fields(), "model") or text_field(self.fields(), "name")


def text_field(fields: dict[str, Any], key: str) -> str:
    """Return a text of the request, empty when absent; raises Refusal 400 for another type."""
    value = fields.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        kind = _GO_KINDS.get(type(value), "null")
        raise Refusal(400, f"json: cannot unmarshal {kind} into Go struct field .{key} of type string")
    return value


def installed(state: State, text: str) -> Installed:
    """Return an installed model; raises Refusal 404 in the words of generate, chat and delete."""
    try:
        entry = state.library.find(text)
    except InvalidName:
        entry = None
    if entry is None:
        raise Refusal(404, f"model '{text}' not found")
    return entry


def _words_of_go(error: ValueError, text: str) -> str:
    position = getattr(error, "pos", 0)
    if position >= len(text):
        return "unexpected EOF"
    looking_for = "beginning of value"
    if "property name" in str(error):
        looking_for = "beginning of object key string"
    return f"invalid character '{text[position]}' looking for {looking_for}"
