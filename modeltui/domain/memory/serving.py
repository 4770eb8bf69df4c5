"""How a server runs models: version, parallel requests, KV cache, flash attention, each with its source."""

from dataclasses import dataclass, field
from enum import StrEnum


class KvType(StrEnum):
    """In what the KV cache is kept (`OLLAMA_KV_CACHE_TYPE`)."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q4_0 = "q4_0"


@dataclass(frozen=True, slots=True)
class Serving:
    """What a server's environment says. `flash_attention` None is "as its version decides for the model".

    `version` as (major, minor, patch), None where unknown (then the newest known rules hold).
    `default_context` None is "as its version decides". `max_loaded` None is the server's own. `sources`
    says for each field's name, in words, where its value comes from ("config.toml", "systemd unit
    ollama.service", "default of 0.32").
    """

    version: tuple[int, int, int] | None = None
    num_parallel: int = 1
    kv_type: KvType = KvType.F16
    flash_attention: bool | None = None
    gpu_overhead: int = 0
    default_context: int | None = None
    max_loaded: int | None = None
    sources: tuple[tuple[str, str], ...] = field(default=())
