"""What depends on a server's version: who runs and counts a model, flash attention, context, parallelism.

Read in Ollama's source at its tags [C]: `OllamaEngineRequired` and `FlashAttention` of fs/ggml/ggml.go,
llm/server.go, llm/llama_server.go, server/routes.go and server/sched.go.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from modeltui.domain.kinds import plain
from modeltui.domain.machine import Backend, Card
from modeltui.domain.serving import Serving

Version = tuple[int, int, int]
NEWEST: Version = (999, 0, 0)
GIB = 1 << 30


class Account(StrEnum):
    """How a server arrives at the size that it prints.

    ESTIMATE: predicted before loading, with margins. RUNNER: made up from the same formulas, without
    margins. ENGINE: what Ollama's own engine allocated. LOGS: read from the lines of llama-server.
    """

    ESTIMATE = "estimate"
    RUNNER = "runner"
    ENGINE = "engine"
    LOGS = "logs"


_ENGINE_ALLOCATES: Version = (0, 11, 11)
_RUNNER_SYNTHESIZES: Version = (0, 13, 0)
_LLAMA_SERVER: Version = (0, 30, 0)
_CLAMPS: Version = (0, 9, 3)
_GEMMA3_WINDOWED: Version = (0, 6, 3)
_KNOWS_RECURRENT: Version = (0, 12, 0)
_TIERS: Version = (0, 15, 5)

# From which version on Ollama's own engine runs a kind [C].
_ENGINE: dict[str, Version] = {
    "gemma3": (0, 6, 0),
    "mistral3": (0, 9, 0),
    "llama4": (0, 9, 0),
    "mllama": (0, 9, 0),
    "qwen25vl": (0, 9, 0),
    "gemma3n": (0, 10, 0),
    "gptoss": (0, 11, 0),
    "qwen3": (0, 12, 0),
    "gemmaembedding": (0, 11, 11),
    "qwen3moe": (0, 12, 3),
    "qwen3vl": (0, 12, 7),
    "qwen3vlmoe": (0, 12, 7),
    "deepseek2": (0, 13, 0),
    "deepseekocr": (0, 13, 0),
    "nomicbert": (0, 13, 4),
    "olmo3": (0, 13, 4),
    "bert": (0, 15, 5),
    "qwen3next": (0, 15, 5),
    "glm4moelite": (0, 15, 5),
    "glmocr": (0, 15, 5),
    "lfm2": (0, 15, 5),
    "qwen35": (0, 17, 4),
    "qwen35moe": (0, 17, 4),
    "nemotronh": (0, 17, 4),
    "nemotronhmoe": (0, 17, 4),
    "lfm2moe": (0, 17, 4),
    "gemma4": (0, 20, 0),
    "laguna": (0, 24, 0),
    "nemotronhomni": (0, 24, 0),
}

# From which version on flash attention is on without being asked for [C].
_FLASH: dict[str, Version] = {
    "gptoss": (0, 11, 8),
    "gemma3": (0, 12, 7),
    "qwen3": (0, 12, 7),
    "qwen3moe": (0, 12, 7),
    "qwen3vl": (0, 13, 0),
    "qwen3vlmoe": (0, 13, 0),
    "mistral3": (0, 13, 4),
    "olmo3": (0, 13, 4),
    "bert": (0, 15, 5),
    "glm4moelite": (0, 15, 5),
    "glmocr": (0, 15, 5),
    "lfm2": (0, 15, 5),
    "qwen3next": (0, 15, 5),
    "qwen35": (0, 17, 4),
    "qwen35moe": (0, 17, 4),
    "nemotronh": (0, 17, 4),
    "nemotronhmoe": (0, 17, 4),
    "lfm2moe": (0, 17, 4),
    "gemma4": (0, 24, 0),
}
_FLASH_REQUIRED = frozenset(("qwen35", "qwen35moe", "qwen3next"))
_NEVER_FLASH = frozenset(("gemma2", "grok"))

# Kinds that always run one request at a time (server/sched.go) [C].
_ONE_AT_A_TIME = frozenset(
    (
        "mllama",
        "qwen3vl",
        "qwen3vlmoe",
        "qwen35",
        "qwen35moe",
        "qwen3next",
        "lfm2",
        "lfm2moe",
        "nemotronh",
        "nemotronhmoe",
        "nemotronhomni",
    )
)


def version_of(serving: Serving) -> Version:
    """The server's version, the newest where it is not known."""
    return serving.version or NEWEST


def account_of(kind: str, version: Version) -> Account:
    """How a server of a version counts a model of a kind."""
    if version >= _LLAMA_SERVER:
        return Account.LOGS
    if version >= _ENGINE.get(plain(kind), NEWEST):
        return Account.ENGINE if version >= _ENGINE_ALLOCATES else Account.ESTIMATE
    return Account.RUNNER if version >= _RUNNER_SYNTHESIZES else Account.ESTIMATE


def runs_in_own_engine(kind: str, version: Version) -> bool:
    """Whether Ollama's own engine runs it (before llama-server took over)."""
    return version < _LLAMA_SERVER and version >= _ENGINE.get(plain(kind), NEWEST)


def clamps_context(version: Version) -> bool:
    """Whether a context above the model's own is cut: from 0.9.3 on [C]."""
    return version >= _CLAMPS


def counts_gemma3_windows(version: Version) -> bool:
    """Whether the estimate knows gemma3's windows: from 0.6.3 on [C]."""
    return version >= _GEMMA3_WINDOWED


def knows_recurrent(version: Version) -> bool:
    """Whether the estimate knows layers without a KV cache: from 0.12.0 on [C]."""
    return version >= _KNOWS_RECURRENT


def flash_attention(
    kind: str, version: Version, asked: bool | None, key: int, value: int, is_embedding: bool
) -> bool:
    """Whether flash attention is on, as far as it can be told without the card (llm/server.go,
    llama_server.go) [C].

    llama.cpp decides by itself where nobody asks ("auto", from 0.13.0 on for what its runner runs, from
    0.30.0 on for all): on wherever K and V of a head are as wide; a DeepSeek file with heads of 192 and 128
    was seen falling back (row deepseek-coder-v2 0.30).
    """
    name = plain(kind)
    if version >= _LLAMA_SERVER:
        return key == value and asked is not False
    if name in _NEVER_FLASH or is_embedding:
        return False
    if name in _FLASH_REQUIRED:
        return True
    if key != value:
        return False
    if asked is not None:
        return asked
    if not runs_in_own_engine(kind, version):
        return version >= _RUNNER_SYNTHESIZES
    return version >= _FLASH.get(name, NEWEST)


def for_cards(serving: Serving, cards: Iterable[Card]) -> Serving:
    """Serving as it is on these cards: no flash attention where a CUDA card is older than Volta, or a Xavier
    (FlashAttentionSupported of ml/device.go) [C].
    """
    for card in cards:
        compute = card.compute if card.backend is Backend.CUDA else None
        if compute is not None and (compute < (7, 0) or compute == (7, 2)):
            return replace(serving, flash_attention=False)
    return serving


def quantizes(kind: str, version: Version, asked: bool | None, flash: bool, is_embedding: bool) -> bool:
    """Whether a q8_0 or q4_0 cache that was asked for is used: it needs flash attention, and never for
    embeddings [C].

    The runner of 0.13 to 0.24 wants it asked for; gpt-oss kept f16 before 0.12.4.
    """
    if is_embedding or not flash:
        return False
    if plain(kind) == "gptoss" and version < (0, 12, 4):
        return False
    return version >= _LLAMA_SERVER or runs_in_own_engine(kind, version) or asked is True


def parallel_of(kind: str, is_embedding: bool, serving: Serving) -> int:
    """How many requests at once a model is loaded for: some kinds and every embedding model take one."""
    asked = max(1, serving.num_parallel)
    if plain(kind) in _ONE_AT_A_TIME or (is_embedding and version_of(serving) >= (0, 12, 0)):
        return 1
    return asked


def default_tier(version: Version, total: int) -> int:
    """The context that a server takes where nobody says one. `total`: VRAM of all cards, bytes, less the
    overhead of each.
    """
    if version < (0, 6, 7):
        return 2048
    if version < _TIERS:
        return 4096
    if total >= 47 * GIB:
        return 262144
    return 32768 if total >= 23 * GIB else 4096


def floored(kind: str, version: Version, tokens: int, sees: bool) -> int:
    """A default context with the floors of its version: gpt-oss and qwen3vl 8192 in 0.11 and 0.12, 2048
    where it sees [C].
    """
    if plain(kind) in ("gptoss", "qwen3vl", "qwen3vlmoe") and (0, 11, 0) <= version < (0, 13, 0):
        return max(tokens, 8192)
    return max(tokens, 2048) if sees else tokens
