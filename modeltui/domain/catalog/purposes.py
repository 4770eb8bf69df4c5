"""Which type and which purpose a model has: one documented rule for what is installed and what could be.

**Type**, the first that holds:
1. what the user's own catalog says, of the tag, then of the series;
2. `embedding` when it embeds and does not complete; `other` when it does neither;
3. by the series' one main use (`role`, from series.csv), when the catalog knows the series:
   chat and roleplay are `general`; code `code`; reasoning and math `reasoning`; vision `vision`; embedding
   `embedding`; everything that cannot be asked anything else (ocr, translation, safety, function-calling,
   medical, base, other) is `other`, and so is a base model that is no code model;
4. for a series that nobody knows, by its name and capabilities: `domain.models.model_type`.

So a chat model that also sees or thinks is general: its capabilities say what it can do beside.

**Purpose**: what the user's own catalog says, else `specialized` for the types embedding and other, and for
series with a narrow use (math, medical, roleplay, sql ...); else by its *weight*, the geometric mean of the
parameters it has and those it reads for each token, a rule of thumb by which a mixture of experts is compared
with a dense model (Mistral AI's, for Mixtral): up to 4.5 billion `speed`, up to 16 billion `balanced`, above
`quality`. Quantized below four bits, `quality` becomes `balanced`: what it was made large for is lost.
As long as the type is unknown, so is the purpose: what nobody has opened may be made for embedding.
"""

import math

from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.models import Model, ModelType, model_type, parameter_count
from modeltui.domain.names import ModelName, parse
from modeltui.errors import InvalidName

_BY_ROLE = {
    "chat": ModelType.GENERAL,
    "roleplay": ModelType.GENERAL,
    "code": ModelType.CODE,
    "reasoning": ModelType.REASONING,
    "math": ModelType.REASONING,
    "vision": ModelType.VISION,
    "embedding": ModelType.EMBEDDING,
    **dict.fromkeys(
        ("ocr", "translation", "safety", "function-calling", "medical", "base", "other"), ModelType.OTHER
    ),
}
ROLES = frozenset(_BY_ROLE)
# Uses so narrow that neither speed nor quality is what such a model is chosen for.
NARROW_ROLES = ROLES - {"chat", "code", "reasoning", "vision"}
_NARROW_USES = frozenset({"sql"})
_SPEED, _BALANCED = 4_500_000_000, 16_000_000_000
_COARSE = ("Q1", "Q2", "Q3", "IQ1", "IQ2", "IQ3")
# What a parameter takes in the library's usual quantization, Q4_K_M: 4.85 bits (llama.cpp's quantize table).
_BYTES_A_PARAMETER = 0.606


def type_of(
    series: Series | None,
    tag: Tag | None = None,
    *,
    name: ModelName | None = None,
    capabilities: frozenset[str] | None = None,
) -> ModelType | None:
    """A model's type by the rule above; None while too little is known.

    `capabilities` are those that a server says of the installed model; without them the series' chips count.
    """
    given = (tag.type if tag else None) or (series.type if series else None)
    if given is not None:
        return given
    if capabilities is None and series is not None:
        capabilities = series.capabilities or None
    if capabilities is not None and "completion" not in capabilities:
        return ModelType.EMBEDDING if "embedding" in capabilities else ModelType.OTHER
    role = _BY_ROLE.get(series.role or "") if series else None
    if role is None:
        return model_type(name or (_name_of(series) if series else None), capabilities)
    if tag is not None and tag.is_base and role is not ModelType.CODE:
        return ModelType.OTHER
    return role


def _name_of(series: Series) -> ModelName | None:
    try:
        return parse(series.name)
    except InvalidName:
        return None


def purpose_of(
    series: Series | None,
    tag: Tag | None = None,
    *,
    name: ModelName | None = None,
    capabilities: frozenset[str] | None = None,
    parameters: int | None = None,
    quantization: str | None = None,
    size: int | None = None,
) -> Purpose | None:
    """What a model is best taken for, by the rule above.

    None while its type is unknown, or neither its parameters nor its size are known.
    `parameters`, `quantization` and `size` (bytes of the file) are those that a server says of the installed
    model; without them the tag's count. From a size alone the parameters are guessed, as if it were Q4_K_M.
    """
    given = (tag.purpose if tag else None) or (series.purpose if series else None)
    if given is not None:
        return given
    kind = type_of(series, tag, name=name, capabilities=capabilities)
    if kind is None:
        return None
    if kind in (ModelType.EMBEDDING, ModelType.OTHER):
        return Purpose.SPECIALIZED
    if series is not None and (series.role in NARROW_ROLES or not _NARROW_USES.isdisjoint(series.use_cases)):
        return Purpose.SPECIALIZED
    total = parameters or (tag.parameters if tag else None)
    bytes_ = size or (tag.size if tag else None)
    if total is None:
        total = round(bytes_ / _BYTES_A_PARAMETER) if bytes_ else None
    if total is None:
        return None
    active = (tag.active_parameters if tag else None) or total
    weight = math.sqrt(total * min(active, total))
    if weight <= _SPEED:
        return Purpose.SPEED
    is_coarse = (quantization or (tag.quantization if tag else None) or "").upper().startswith(_COARSE)
    return Purpose.BALANCED if weight <= _BALANCED or is_coarse else Purpose.QUALITY


def type_of_model(model: Model, found: tuple[Series, Tag | None] | None) -> ModelType | None:
    """The type of an installed model; `found` is its place in the catalog, where it has one."""
    series, tag = found or (None, None)
    return type_of(series, tag, name=model.name, capabilities=model.capabilities)


def purpose_of_model(model: Model, found: tuple[Series, Tag | None] | None) -> Purpose | None:
    """The purpose of an installed model; `found` is its place in the catalog, where it has one."""
    series, tag = found or (None, None)
    return purpose_of(
        series,
        tag,
        name=model.name,
        capabilities=model.capabilities,
        parameters=parameter_count(model.parameter_size),
        quantization=model.quantization,
        size=model.size,
    )
