"""Model names by Ollama's exact rules: parsing, comparing, showing, and what people paste instead.

Source: ollama types/model/name.go and internal/modelref/modelref.go (v0.33).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from modeltui.errors import InvalidName
from modeltui.text import clean_line

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}", re.ASCII)
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", re.ASCII)
_WEB_ADDRESS = re.compile(r"(?i)^(?:https?://)?(?:www\.)?(ollama\.com|huggingface\.co|hf\.co)/+(.*)$")


@dataclass(frozen=True, slots=True)
class ModelName:
    """A fully qualified, valid name. Equality is exact; compare models by `key`."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def full(self) -> str:
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def key(self) -> str:
        """The case-folded full name: what models are stored and compared by."""
        return self.full.casefold()

    @property
    def short(self) -> str:
        """Ollama's shown form: default host and namespace dropped, the tag never."""
        return f"{self.series}:{self.tag}"

    @property
    def series(self) -> str:
        """The shown form without its tag."""
        if self.host.casefold() != DEFAULT_HOST:
            return f"{self.host}/{self.namespace}/{self.model}"
        if self.namespace.casefold() != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}"
        return self.model

    @property
    def is_cloud(self) -> bool:
        """Whether a server (>= 0.17.6) hands this name to ollama.com instead of running it."""
        tag = self.tag.casefold()
        return tag == "cloud" or tag.endswith("-cloud")


def parse(text: str) -> ModelName:
    """Parse `text` as Ollama does, defaults filled in; raises InvalidName with what is wrong.

    Splits from the right: tag after the last `:` behind the last `/`, then model, namespace, host.
    Nothing is trimmed and no suffix is read; see `from_typed` for what a person types.
    """
    rest, tag = text, DEFAULT_TAG
    if text.rfind(":") > text.rfind("/"):
        rest, _, tag = text.rpartition(":")
    rest, has_namespace, model = rest.rpartition("/")
    host, has_host, namespace = rest.rpartition("/") if has_namespace else ("", "", DEFAULT_NAMESPACE)
    if not has_host:
        host = DEFAULT_HOST
    else:
        _, has_scheme, behind = host.partition("://")
        host = behind if has_scheme else host
    for kind, part, pattern in (
        ("host", host, _HOST),
        ("namespace", namespace, _NAMESPACE),
        ("model", model, _PART),
        ("tag", tag, _PART),
    ):
        if pattern.fullmatch(part) is None:
            raise _invalid(text, kind, part)
    return ModelName(host, namespace, model, tag)


def from_typed(text: str) -> ModelName:
    """Read a name as a person types or pastes it; raises InvalidName.

    Trims white space, turns addresses of ollama.com, huggingface.co and hf.co into names, and reads
    the suffixes `:cloud`, `:local` and `-cloud` (`gpt-oss:20b:cloud` is `gpt-oss:20b-cloud`).
    """
    name = _without_web_address(text.strip())
    if not name:
        raise InvalidName("a model name is missing", remedy="for example: llama3.2 or qwen3:8b")
    base, source = _split_source(name)
    if source and _split_source(base)[1]:
        raise InvalidName(f"use either :local or :cloud, not both: {clean_line(name)}")
    if source == "cloud":
        explicit_tag = base.rfind(":") > base.rfind("/")
        return parse(f"{base}-cloud" if explicit_tag else f"{base}:cloud")
    return parse(base)


def from_listed(text: str) -> ModelName | None:
    """Read a name as a server lists it; None when it is no name, so that no action is offered on it."""
    try:
        return parse(text)
    except InvalidName:
        return None


def distinct(names: Iterable[ModelName]) -> list[ModelName]:
    """Each model once, as it was named first."""
    found: dict[str, ModelName] = {}
    for name in names:
        found.setdefault(name.key, name)
    return list(found.values())


def same(one: ModelName | None, other: ModelName | None) -> bool:
    """Whether both name the same model."""
    return one is not None and other is not None and one.key == other.key


def _split_source(text: str) -> tuple[str, str]:
    """Split a source suffix off as modelref.parseSourceSuffix does: (base, "cloud" | "local" | "")."""
    before, colon, suffix = text.rpartition(":")
    if colon:
        lowered = suffix.strip().lower()
        if lowered in ("cloud", "local"):
            return before, lowered
        if "/" not in suffix and lowered.endswith("-cloud"):
            return f"{before}:{suffix.strip()[: -len('-cloud')]}", "cloud"
    return text, ""


def _without_web_address(text: str) -> str:
    """Turn a pasted web address into the name it stands for; anything else stays as it is."""
    match = _WEB_ADDRESS.match(text)
    if match is None:
        return text
    site = match[1].lower()
    parts = [part for part in re.split(r"[?#]", match[2], maxsplit=1)[0].split("/") if part]
    if site == "ollama.com":
        return parts[1] if parts[:1] == ["library"] and len(parts) > 1 else "/".join(parts[:2])
    if len(parts) < 2:
        return text
    if text.lower().startswith("http"):
        site = "hf.co"
    return f"{site}/{parts[0]}/{parts[1]}"


def _invalid(text: str, kind: str, part: str) -> InvalidName:
    shown = clean_line(text, 120)
    if text != text.strip():
        return InvalidName(f"invalid model name “{shown}”: white space around it")
    if "@" in text:
        return InvalidName(
            f"invalid model name “{shown}”: a digest (@…) cannot be named", remedy="name a tag"
        )
    if kind == "namespace" and text.count("/") == 1 and ("." in part or ":" in part):
        return InvalidName(
            f"invalid model name “{shown}”: a host needs three parts",
            remedy=f"write host/namespace/model, for example {clean_line(part, 60)}/library/MODEL",
        )
    reason = f"its {kind} “{clean_line(part, 80)}” is not allowed" if part else f"its {kind} is empty"
    return InvalidName(
        f"invalid model name “{shown}”: {reason}",
        remedy="a name is [host/namespace/]model[:tag] of letters, digits, “_”, “-” and “.”",
    )
