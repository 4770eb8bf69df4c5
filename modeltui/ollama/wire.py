"""Turns JSON from a server into domain objects, what `/api/show` says apart (`show`): the border of trust.

Every string is cleaned, unknown fields are ignored, and a field of the wrong type becomes unknown.
Nothing here raises on any JSON value.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from modeltui.domain.models import Account, Chunk, LoadedModel, Metrics, Model
from modeltui.domain.names import ModelName, from_listed
from modeltui.text import clean_line, clean_text, is_clean_line

MOST_INT = 2**63 - 1
_MOST_ROWS = 20_000
_MOST_LOADED = 1_000
_HEX_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def integer(value: object) -> int | None:
    """A whole number from 0 to 2^63 - 1; a float counts when it is whole."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_INT:
        return value
    return None


def line(value: object) -> str | None:
    """A one-line string, cleaned; an empty one is unknown."""
    return clean_line(value) or None if isinstance(value, str) else None


def known(value: object) -> str | None:
    """A word that the server may fill with "unknown"."""
    word = line(value)
    return None if word is None or word.casefold() == "unknown" else word


def text(value: object) -> str | None:
    """A long string, cleaned; older servers send a licence as a list of strings."""
    if isinstance(value, list):
        value = "\n\n".join(part for part in value if isinstance(part, str))
    return clean_text(value) or None if isinstance(value, str) else None


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; anything else in it is dropped."""
    if not isinstance(value, list):
        return []
    return [row for row in value[:_MOST_ROWS] if isinstance(row, dict)]


def time_ms(value: object) -> int | None:
    """RFC 3339 with up to nine fractional digits as UTC milliseconds; Go's zero time is unknown."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None or moment.year < 1970:
            return None
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def hex_digest(value: object) -> str | None:
    """64 hex digits, with or without `sha256:` before them."""
    match = _HEX_DIGEST.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def words(value: object) -> frozenset[str] | None:
    """A list of one-line words; None (unknown) where there is no list."""
    if not isinstance(value, list):
        return None
    return frozenset(clean_line(word, 64) for word in value[:100] if isinstance(word, str))


def listed_name(value: Mapping[str, Any]) -> tuple[str, str, ModelName | None]:
    """(shown, sent, name) of a row; the name only where what is shown is also what would be sent."""
    raw = value.get("model") or value.get("name")
    if not isinstance(raw, str) or not raw:
        raw = value.get("name")
    sent = raw if isinstance(raw, str) else ""
    name = from_listed(sent) if is_clean_line(sent) else None
    return (name.short if name else clean_line(sent) or "(no name)"), sent, name


def version(body: Mapping[str, Any]) -> str | None:
    """`/api/version`."""
    return line(body.get("version"))


def models(body: object) -> tuple[Model, ...]:
    """`/api/tags`."""
    return tuple(_model(row) for row in rows(mapping(body).get("models")))


def _model(row: Mapping[str, Any]) -> Model:
    shown, sent, name = listed_name(row)
    details = mapping(row.get("details"))
    return Model(
        shown=shown,
        sent=sent,
        name=name,
        digest=hex_digest(row.get("digest")),
        size=integer(row.get("size")),
        modified=time_ms(row.get("modified_at")),
        format=line(details.get("format")),
        family=line(details.get("family")),
        parameter_size=known(details.get("parameter_size")),
        quantization=known(details.get("quantization_level")),
        context=integer(details.get("context_length")),
        capabilities=words(row.get("capabilities")),
        remote_host=line(row.get("remote_host")),
        remote_model=line(row.get("remote_model")),
    )


def loaded(body: object) -> tuple[LoadedModel, ...]:
    """`/api/ps`."""
    return tuple(_loaded(row) for row in rows(mapping(body).get("models"))[:_MOST_LOADED])


def _loaded(row: Mapping[str, Any]) -> LoadedModel:
    shown, sent, name = listed_name(row)
    details = mapping(row.get("details"))
    # Before 0.1.42 a zero size_vram was left out.
    vram = integer(row["size_vram"]) if "size_vram" in row else 0
    return LoadedModel(
        shown=shown,
        sent=sent,
        name=name,
        digest=hex_digest(row.get("digest")),
        size=integer(row.get("size")),
        vram=vram,
        expires_at=time_ms(row.get("expires_at")),
        context=integer(row.get("context_length")),
        family=line(details.get("family")),
        parameter_size=known(details.get("parameter_size")),
        quantization=known(details.get("quantization_level")),
    )


def metrics(body: Mapping[str, Any]) -> Metrics:
    """The final object of generate and chat."""
    return Metrics(
        total_ns=integer(body.get("total_duration")),
        load_ns=integer(body.get("load_duration")),
        prompt_tokens=integer(body.get("prompt_eval_count")),
        prompt_ns=integer(body.get("prompt_eval_duration")),
        tokens=integer(body.get("eval_count")),
        generation_ns=integer(body.get("eval_duration")),
        done_reason=line(body.get("done_reason")),
    )


def chunk(body: Mapping[str, Any]) -> Chunk:
    """One line of a generate stream."""
    done = body.get("done") is True
    return Chunk(
        text=text(body.get("response")) or "",
        thinking=text(body.get("thinking")) or "",
        metrics=metrics(body) if done else None,
    )


def embedding(body: object) -> tuple[float, ...]:
    """The first vector of `/api/embed`."""
    vectors = mapping(body).get("embeddings")
    first = vectors[0] if isinstance(vectors, list) and vectors else []
    if not isinstance(first, list):
        return ()
    return tuple(float(x) for x in first if isinstance(x, (int, float)) and abs(x) < 1e300)


def account(body: object) -> Account:
    """`/api/me`."""
    person = mapping(body)
    return Account(name=line(person.get("name")) or line(person.get("email")), plan=line(person.get("plan")))


def error_words(body: object) -> str | None:
    """The message of an error body: `{"error": "…"}`, or an object with a message in it."""
    error = mapping(body).get("error")
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) and error else None
