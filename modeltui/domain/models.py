"""What a server holds and runs: installed models, loaded models, details, and the words for their state."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from modeltui.domain.names import ModelName, same
from modeltui.domain.units import is_forever

if TYPE_CHECKING:
    from modeltui.domain.findings import Finding


class ModelState(StrEnum):
    """How a model stands on its server: the word of column STATE, of the filter and of JSON."""

    NOT_LOADED = "—"
    LOADING = "loading"
    GPU = "gpu"
    SPLIT = "split"
    CPU = "cpu"
    STOPPING = "stopping"
    CLOUD = "cloud"
    DAMAGED = "damaged"
    QUARANTINED = "quarantined"
    MISSING = "missing"
    UNKNOWN = "unknown"


class ModelType(StrEnum):
    """What a model is for, by `model_type`."""

    GENERAL = "general"
    CODE = "code"
    REASONING = "reasoning"
    VISION = "vision"
    EMBEDDING = "embedding"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Model:
    """One installed tag. Sizes in bytes, times in UTC milliseconds, unknown is None.

    `name` is None when what the server lists is no name: it is shown cleaned and no action is offered.
    """

    shown: str
    sent: str
    name: ModelName | None = None
    digest: str | None = None
    size: int | None = None
    modified: int | None = None
    format: str | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    context: int | None = None
    capabilities: frozenset[str] | None = None
    remote_host: str | None = None
    remote_model: str | None = None

    @property
    def is_cloud(self) -> bool:
        """A stub for a model that runs elsewhere: nothing to load, unload or measure here."""
        return bool(self.remote_host) or (self.name is not None and self.name.is_cloud)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """One row of `/api/ps`. Sizes in bytes, times in UTC milliseconds, unknown is None."""

    shown: str
    sent: str
    name: ModelName | None = None
    digest: str | None = None
    size: int | None = None
    vram: int | None = None
    expires_at: int | None = None
    context: int | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None

    @property
    def ram(self) -> int | None:
        """The part that is not in VRAM, by the server's account."""
        if self.size is None or self.vram is None:
            return None
        return max(0, self.size - self.vram)

    @property
    def gpu_share(self) -> float | None:
        """0 to 1 by the server's account; None where it makes no sense (as `ollama ps` says Unknown)."""
        if not self.size or self.vram is None or self.vram > self.size:
            return None
        return self.vram / self.size

    def state(self, now_ms: int) -> ModelState:
        """Its state by the server's account; an expiry that has passed while it is listed is stopping."""
        if self.expires_at is not None and self.expires_at < now_ms:
            return ModelState.STOPPING
        share = self.gpu_share
        if share is None:
            return ModelState.UNKNOWN
        if share == 0:
            return ModelState.CPU
        return ModelState.GPU if share == 1 else ModelState.SPLIT

    def is_kept_forever(self, now_ms: int) -> bool:
        return self.expires_at is not None and is_forever(self.expires_at, now_ms)


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What `/api/show` tells. Texts are cleaned, unknown is None (or empty where nothing is said).

    `suspicious` is what cleaning has taken out of them.

    `is_made`: somebody made it from another model (`base_model`) or a file, here or before it was pushed.
    """

    name: ModelName | None = None
    family: str | None = None
    format: str | None = None
    architecture: str | None = None
    parameter_size: str | None = None
    parameter_count: int | None = None
    quantization: str | None = None
    context: int | None = None
    embedding_length: int | None = None
    capabilities: frozenset[str] | None = None
    template: str | None = None
    system: str | None = None
    license: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    base_model: str | None = None
    is_made: bool = False
    weights: str | None = None
    adapters: tuple[str, ...] = ()
    projector: Mapping[str, object] = field(default_factory=dict)
    model_info: Mapping[str, object] = field(default_factory=dict)
    modelfile: str | None = None
    requires: str | None = None
    modified: int | None = None
    remote_host: str | None = None
    remote_model: str | None = None
    suspicious: "tuple[Finding, ...]" = ()


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in at ollama.com on that server."""

    name: str | None
    plan: str | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """The server's own measurements of one answer: counts of tokens, durations in nanoseconds."""

    total_ns: int | None = None
    load_ns: int | None = None
    prompt_tokens: int | None = None
    prompt_ns: int | None = None
    tokens: int | None = None
    generation_ns: int | None = None
    done_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of generated text; `metrics` is set on the last one only."""

    text: str = ""
    thinking: str = ""
    metrics: Metrics | None = None


def names_by_digest(models: Iterable[Model]) -> dict[str, tuple[ModelName, ...]]:
    """The names of each digest that has several."""
    found: dict[str, tuple[ModelName, ...]] = {}
    for model in models:
        if model.digest and model.name is not None:
            found[model.digest] = (*found.get(model.digest, ()), model.name)
    return {digest: names for digest, names in found.items() if len(names) > 1}


def find(models: Collection[Model], name: ModelName) -> Model | None:
    """The installed model of that name, compared as Ollama does: without case."""
    return next((model for model in models if same(model.name, name)), None)


def loaded_as(
    name: ModelName,
    digest: str | None,
    weights: str | None,
    loaded: Collection[LoadedModel],
    weights_of: Mapping[str, str],
) -> LoadedModel | None:
    """The runner that serves a model: matched by name, else digest, else weights blob.

    A runner belongs to a weights blob and `/api/ps` names only the model that loaded it first.
    `weights_of` maps manifest digests of loaded models to their weights, as far as known.
    """
    for row in loaded:
        # The same name with another digest is a runner of what the name stood for before.
        if same(row.name, name) and (not digest or not row.digest or row.digest == digest):
            return row
    for row in loaded:
        if digest and row.digest == digest:
            return row
    for row in loaded:
        if weights and row.digest and weights_of.get(row.digest) == weights:
            return row
    return None


def can_generate(capabilities: frozenset[str] | None) -> bool | None:
    """Whether a model answers prompts; None while its capabilities are unknown."""
    return None if capabilities is None else "completion" in capabilities


def model_type(name: ModelName | None, capabilities: frozenset[str] | None) -> ModelType | None:
    """A model's type, by the first rule that holds; None while its capabilities are unknown.

    The rule for what no catalog knows: `domain.purposes.type_of` asks the catalog first.

    `embedding` when it only embeds; `code` when its name says so (coder, code, starcoder, ...);
    `vision` when it reads images; `reasoning` when it thinks; `general` when it completes; else `other`.
    """
    if capabilities is None:
        return None
    if "embedding" in capabilities and "completion" not in capabilities:
        return ModelType.EMBEDDING
    if "completion" not in capabilities:
        return ModelType.OTHER
    model = name.model.casefold() if name else ""
    if "code" in model or "devstral" in model:
        return ModelType.CODE
    if "vision" in capabilities:
        return ModelType.VISION
    return ModelType.REASONING if "thinking" in capabilities else ModelType.GENERAL


def disk_total(models: Collection[Model]) -> int:
    """Bytes of all models, aliases (the same digest) counted once."""
    sizes = {model.digest or model.sent: model.size or 0 for model in models}
    return sum(sizes.values())


_COUNT_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def parameter_count(words: str | None) -> int | None:
    """Read a server's parameter size (`27.8B`, `137M`) as a number; None where it is none."""
    if not words or words[-1:].upper() not in _COUNT_UNITS:
        return None
    try:
        return round(float(words[:-1]) * _COUNT_UNITS[words[-1].upper()])
    except (ValueError, OverflowError):
        return None
