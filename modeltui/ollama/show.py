"""Turns the answer of `/api/show` into what is known of one model: the border of trust, as `wire`.

Nothing here raises on any JSON value.
"""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modeltui.domain.models import ModelDetails
from modeltui.domain.names import ModelName, from_listed
from modeltui.ollama.wire import MOST_INT, integer, known, line, mapping, text, time_ms, words
from modeltui.text import clean_line

if TYPE_CHECKING:
    from modeltui.domain.findings import Finding

_MOST_KEYS = 2_000
_BLOB = re.compile(r"sha256[-:]([0-9a-f]{64})")
_GO_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_GO_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def details(body: object, name: ModelName) -> ModelDetails:
    """`/api/show`."""
    show = mapping(body)
    info = _facts(show.get("model_info"))
    facts = mapping(show.get("details"))
    architecture = line(info.get("general.architecture"))
    modelfile = text(show.get("modelfile"))
    parent = line(facts.get("parent_model"))
    return ModelDetails(
        name=name,
        family=line(facts.get("family")),
        format=line(facts.get("format")),
        architecture=architecture,
        parameter_size=known(facts.get("parameter_size")),
        parameter_count=integer(info.get("general.parameter_count")),
        quantization=known(facts.get("quantization_level")),
        context=integer(info.get(f"{architecture}.context_length")),
        embedding_length=integer(info.get(f"{architecture}.embedding_length")),
        capabilities=words(show.get("capabilities")),
        template=text(show.get("template")),
        system=text(show.get("system")),
        license=text(show.get("license")),
        options=options(show.get("parameters")),
        # The parent of a model made from a file is a path on the server, not a name.
        base_model=parent if parent and from_listed(parent) else None,
        is_made=parent is not None,
        weights=_weights(modelfile),
        adapters=_adapters(modelfile),
        projector=_facts(show.get("projector_info")),
        model_info=info,
        modelfile=modelfile,
        requires=line(show.get("requires")),
        modified=time_ms(show.get("modified_at")),
        remote_host=line(show.get("remote_host")),
        remote_model=line(show.get("remote_model")),
        suspicious=_suspicious(show),
    )


def _suspicious(show: Mapping[str, Any]) -> "tuple[Finding, ...]":
    """Characters in the texts of `/api/show` that no text of a model has any use for."""
    from modeltui.domain.findings import Finding, characters

    found: list[Finding] = []
    for part in ("template", "system", "parameters", "license"):
        words = show.get(part)
        if isinstance(words, str):
            # Parameters are written as Go's %#v does, with such characters as escapes.
            words = _GO_ESCAPE.sub(_unescaped, words) if part == "parameters" else words
            found += characters(f"its {part}", words)
    return tuple(found)


def options(value: object) -> dict[str, object]:
    """The PARAMETER lines of `/api/show` (`%-30s %#v`, unordered); a key that repeats becomes a list."""
    found: dict[str, list[object]] = {}
    if not isinstance(value, str):
        return {}
    for row in value[:100_000].splitlines():
        key, _, rest = row.strip().partition(" ")
        if key and rest:
            found.setdefault(clean_line(key, 64), []).append(_go_value(rest.strip()))
    return {key: many[0] if len(many) == 1 else many for key, many in sorted(found.items())}


def _facts(value: object) -> dict[str, object]:
    """A flat object of numbers, words and short lists, cleaned; the rest of it is left out."""
    found: dict[str, object] = {}
    for key, fact in list(mapping(value).items())[:_MOST_KEYS]:
        clean = _fact(fact)
        if clean is not None:
            found[clean_line(key, 128)] = clean
    return found


def _fact(fact: object) -> object:
    """A number, a word or a list of them; what lies deeper is left out, however deep a server nests it."""
    if isinstance(fact, list):
        if not 0 < len(fact) <= 1024:
            return None
        return [word for part in fact if not isinstance(part, list) and (word := _fact(part)) is not None]
    if isinstance(fact, bool):
        return fact
    if isinstance(fact, str):
        return clean_line(fact)
    if isinstance(fact, (int, float)):
        return fact if abs(fact) <= MOST_INT else None
    return None


def _weights(modelfile: str | None) -> str | None:
    """`sha256:…` of the weights: the blob in the FROM line of the modelfile."""
    for row in (modelfile or "").splitlines():
        if row.startswith("FROM "):
            match = _BLOB.search(row)
            return f"sha256:{match[1]}" if match else None
    return None


def _adapters(modelfile: str | None) -> tuple[str, ...]:
    found = [row for row in (modelfile or "").splitlines() if row.startswith("ADAPTER ")]
    return tuple(f"sha256:{match[1]}" for match in map(_BLOB.search, found) if match)


def _go_value(written: str) -> object:
    """A value as Go's %#v writes it: a quoted string, a number or a truth value."""
    if written in ("true", "false"):
        return written == "true"
    if len(written) > 1 and written[0] == written[-1] == '"':
        return clean_line(_GO_ESCAPE.sub(_unescaped, written[1:-1]))
    for kind in (int, float):
        try:
            number = kind(written)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(number) and abs(number) <= MOST_INT:
            return number
    return clean_line(written)


def _unescaped(match: re.Match[str]) -> str:
    """One escape of Go's strconv.Quote; a code that is no character stays as it is written."""
    word = match[1]
    if word[0] in "xuU" and len(word) > 1:
        code = int(word[1:], 16)
        return chr(code) if code <= 0x10FFFF else match[0]
    return _GO_LETTERS.get(word, word)
