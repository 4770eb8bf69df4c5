"""What depends on a server's version: who runs and counts a model, flash attention, context, parallelism.

Read in Ollama's source at its tags [C]: `OllamaEngineRequired` and `FlashAttention` of fs/ggml/ggml.go,
llm/server.go, llm/llama_server.go, server/routes.go and server/sched.go.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from modeltui.domain.machines.machine import Backend, Card
from modeltui.domain.memory.kinds import plain
from modeltui.domain.memory.serving import Serving

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
_RUNNER_SYNTHESIZES: Version = (0, 12, 11)
_RUNNER_DECIDES: Version = (0, 13, 4)
_LLAMA_SERVER: Version = (0, 30, 0)
_CLAMPS: Version = (0, 9, 3)
_GEMMA3_WINDOWED: Version = (0, 6, 3)
_KNOWS_RECURRENT: Version = (0, 11, 11)
_QUANTIZES: Version = (0, 5, 0)
_ONE_EMBEDDING: Version = (0, 3, 7)
_TIERS: Version = (0, 15, 5)
_PASCAL: Version = (0, 31, 2)  # llama-server's flash attention on cards of 6.0 and 6.1
_ROOMY_KINDS: dict[str, Version] = {"gptoss": (0, 11, 0), "qwen3vl": (0, 12, 7), "qwen3vlmoe": (0, 12, 7)}

# From which version on Ollama's own engine runs a kind; every release from 0.6.0 to 0.24.0 was read (0.12.5
# alone left qwen3 out again) [C].
_ENGINE: dict[str, Version] = {
    "gemma3": (0, 6, 0),
    "mistral3": (0, 6, 5),
    "llama4": (0, 6, 7),
    "mllama": (0, 7, 0),
    "qwen25vl": (0, 7, 0),
    "gemma3n": (0, 9, 3),
    "gptoss": (0, 11, 0),
    "gemmaembedding": (0, 11, 11),
    "qwen3": (0, 12, 0),
    "qwen3moe": (0, 12, 2),
    "qwen3vl": (0, 12, 7),
    "qwen3vlmoe": (0, 12, 7),
    "deepseek2": (0, 13, 0),
    "deepseekocr": (0, 13, 0),
    "nomicbert": (0, 13, 1),
    "olmo3": (0, 13, 4),
    "bert": (0, 13, 5),
    "glm4moelite": (0, 14, 3),
    "lfm2": (0, 14, 3),
    "qwen3next": (0, 15, 5),
    "glmocr": (0, 15, 5),
    "qwen35": (0, 17, 1),
    "qwen35moe": (0, 17, 1),
    "nemotronh": (0, 17, 1),
    "nemotronhmoe": (0, 17, 1),
    "lfm2moe": (0, 17, 1),
    "gemma4": (0, 20, 0),
    "laguna": (0, 22, 0),
    "nemotronhomni": (0, 22, 0),
}

# From which version on flash attention is on without being asked for, read likewise [C].
_FLASH: dict[str, Version] = {
    "gptoss": (0, 11, 8),
    "qwen3": (0, 12, 4),
    "qwen3moe": (0, 12, 4),
    "gemma3": (0, 12, 6),
    "qwen3vl": (0, 12, 8),
    "qwen3vlmoe": (0, 12, 8),
    "mistral3": (0, 13, 2),
    "olmo3": (0, 13, 4),
    "glm4moelite": (0, 14, 3),
    "lfm2": (0, 14, 3),
    "qwen3next": (0, 15, 5),
    "glmocr": (0, 15, 5),
    "qwen35": (0, 17, 1),
    "qwen35moe": (0, 17, 1),
    "nemotronh": (0, 17, 1),
    "nemotronhmoe": (0, 17, 1),
    "lfm2moe": (0, 17, 1),
    "gemma4": (0, 20, 4),
    "nemotronhomni": (0, 22, 0),
}
# Kinds whose K and V may differ in width for all that, and those that never get it, since a version
# (SupportsFlashAttention of fs/ggml/ggml.go) [C].
_ANY_WIDTHS = frozenset(("qwen35", "qwen35moe", "qwen3next"))
_NEVER_FLASH: dict[str, Version] = {"gemma2": (0, 11, 11), "grok": (0, 19, 0)}

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


def account_of(kind: str, version: Version, is_refused: bool = False) -> Account:
    """How a server of a version counts a model of a kind; `is_refused` as for `runs_in_own_engine`."""
    if version >= _LLAMA_SERVER:
        return Account.LOGS
    if runs_in_own_engine(kind, version, is_refused):
        return Account.ENGINE if version >= _ENGINE_ALLOCATES else Account.ESTIMATE
    return Account.RUNNER if version >= _RUNNER_SYNTHESIZES else Account.ESTIMATE


def runs_in_own_engine(kind: str, version: Version, is_refused: bool = False) -> bool:
    """Whether Ollama's own engine runs it (before llama-server took over).

    `is_refused`: it leaves this very file to the old runner, as it does with every separate projector
    (NewLlamaServer of llm/server.go) [C].
    """
    return not is_refused and _ENGINE.get(plain(kind), NEWEST) <= version < _LLAMA_SERVER


def clamps_context(version: Version) -> bool:
    """Whether a context above the model's own is cut: from 0.9.3 on [C]."""
    return version >= _CLAMPS


def counts_gemma3_windows(version: Version) -> bool:
    """Whether the estimate knows gemma3's windows: from 0.6.3 on [C]."""
    return version >= _GEMMA3_WINDOWED


def knows_recurrent(version: Version) -> bool:
    """Whether the estimate knows layers without a KV cache: from 0.11.11 on [C]."""
    return version >= _KNOWS_RECURRENT


def flash_attention(
    kind: str,
    version: Version,
    asked: bool | None,
    key: int,
    value: int,
    is_embedding: bool,
    is_refused: bool = False,
) -> bool:
    """Whether flash attention is on, as far as it can be told without the card (llm/server.go,
    llama_server.go) [C].

    llama.cpp decides by itself where nobody asks ("auto", from 0.13.4 on for what the old runner runs, from
    0.30.0 on for all): on wherever K and V of a head are as wide. DeepSeek's heads of 192 and 128 fall back
    (ggml_cuda_get_best_fattn_kernel wants eight of them to share a KV head; row deepseek-coder-v2 0.30).
    `is_refused` as for `runs_in_own_engine`.
    """
    name = plain(kind)
    if asked is False:
        return False
    if version >= _LLAMA_SERVER:
        return key == value
    if is_embedding or (key != value and name not in _ANY_WIDTHS):
        return False
    if asked is None and not runs_in_own_engine(kind, version, is_refused):
        return version >= _RUNNER_DECIDES
    if version >= _NEVER_FLASH.get(name, NEWEST):
        return False
    return asked is True or version >= _FLASH.get(name, NEWEST)


def for_cards(serving: Serving, cards: Iterable[Card]) -> Serving:
    """Serving as it is on these cards: no flash attention where the version finds one of them too old
    (FlashAttentionSupported of ml/device.go) [C].

    Servers before 0.30 looked at the driver's version instead of the card's, which every driver of today
    passes; a Xavier (7.2) has no kernels in any.
    """
    version = version_of(serving)
    least = (0, 0) if version < _LLAMA_SERVER else (7, 0) if version < _PASCAL else (6, 0)
    for card in cards:
        compute = card.compute if card.backend is Backend.CUDA else None
        if compute is not None and (compute < least or compute == (7, 2)):
            return replace(serving, flash_attention=False)
    return serving


def quantizes(
    kind: str, version: Version, asked: bool | None, flash: bool, is_embedding: bool, is_refused: bool = False
) -> bool:
    """Whether a q8_0 or q4_0 cache that was asked for is used: from 0.5.0 on, with flash attention, and never
    for embeddings [C].

    The old runner wants flash attention asked for; gpt-oss kept f16 before 0.12.4. `is_refused` as for
    `runs_in_own_engine`.
    """
    if is_embedding or not flash or version < _QUANTIZES:
        return False
    if plain(kind) == "gptoss" and version < (0, 12, 4):
        return False
    return asked is True or version >= _LLAMA_SERVER or runs_in_own_engine(kind, version, is_refused)


def parallel_of(kind: str, is_embedding: bool, serving: Serving) -> int:
    """How many requests at once a model is loaded for: some kinds and every embedding model take one."""
    asked = max(1, serving.num_parallel)
    if plain(kind) in _ONE_AT_A_TIME or (is_embedding and version_of(serving) >= _ONE_EMBEDDING):
        return 1
    return asked


def default_parallel(version: Version | None) -> int:
    """Requests at once where nobody says how many: 4 from 0.2.0, 2 from 0.6.7, 1 before them and from 0.10.0
    on (server/sched.go) [C]. Those of 4 and 2 load a model that does not fit so for one.
    """
    if version is None or not (0, 2, 0) <= version < (0, 10, 0):
        return 1
    return 4 if version < (0, 6, 7) else 2


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


def floored(kind: str, version: Version, tokens: int, sees: bool, total: int) -> int:
    """A default context with the floors of its version (server/routes.go) [C]: 8192 for gpt-oss from 0.11.0
    and qwen3vl from 0.12.7 to 0.15.4, from 0.11.4 on only with 20 GiB of VRAM (`total`, bytes); 2048 where
    it sees.
    """
    floor = 2048 if sees else 0
    since = _ROOMY_KINDS.get(plain(kind), NEWEST)
    if since <= version < _TIERS and (version < (0, 11, 4) or total >= 20 * GIB):
        floor = 8192
    return max(tokens, floor)
