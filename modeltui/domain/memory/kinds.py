"""What is known of each architecture beyond its metadata: windows, ties, vocabulary, recurrent layers.

[C] is read in the source of llama.cpp (`llama-model.cpp`) or Ollama (`model/models`, `convert`), [K] is the
published configuration of the models.
"""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Kind:
    """Rules of one architecture.

    Every `full_every`-th layer sees the whole context, the others a window (1: all see it). Every
    `attends_every`-th layer has a KV cache, the others are recurrent. `is_tied` None: depends on the size.
    An encoder has no cache, no output, and its embedding on the CPU.
    """

    full_every: int = 1
    window: int | None = None
    attends_every: int = 1
    is_tied: bool | None = False
    vocabulary: int | None = None
    expansion: int = 2
    state_size: int = 128
    group_count: int = 1
    conv_kernel: int = 4
    is_convolution_only: bool = False
    is_hybrid: bool = False
    is_embedding: bool = False
    is_encoder: bool = False


_GEMMA_VOCABULARY = 262144
_LLAMA = Kind(is_tied=None)
_QWEN_LINEAR = Kind(attends_every=4, is_tied=None, vocabulary=248320, group_count=16, is_hybrid=True)
_GRANITE = Kind(is_tied=True, vocabulary=49159)
_LFM = Kind(is_tied=True, vocabulary=65536, is_convolution_only=True, conv_kernel=3, is_hybrid=True)
_NEMOTRON_H = Kind(is_tied=False, vocabulary=131072, group_count=8, is_hybrid=True)
_BERT = Kind(vocabulary=30522, is_embedding=True, is_encoder=True)
_MISTRAL = Kind(is_tied=False, vocabulary=131072)

# Windows: set_swa_pattern() of llama.cpp [C]; vocabularies and ties: config.json of the published models [K].
KINDS: dict[str, Kind] = {
    "llama": _LLAMA,
    "mllama": Kind(vocabulary=128256),
    "llama4": Kind(full_every=4, window=8192, vocabulary=202048),
    "qwen2": Kind(is_tied=None, vocabulary=152064),
    "qwen2moe": Kind(vocabulary=151936),
    "qwen25vl": Kind(is_tied=None, vocabulary=152064),
    "qwen2vl": Kind(is_tied=None, vocabulary=152064),
    "qwen": Kind(vocabulary=151936),
    "qwen3": Kind(is_tied=None, vocabulary=151936),
    "qwen3moe": Kind(vocabulary=151936),
    "qwen3vl": Kind(is_tied=None, vocabulary=151936),
    "qwen3vlmoe": Kind(vocabulary=151936),
    "qwen3next": Kind(attends_every=4, vocabulary=151936, group_count=16, is_hybrid=True),
    "qwen35": _QWEN_LINEAR,
    "qwen35moe": _QWEN_LINEAR,
    "gemma": Kind(is_tied=True, vocabulary=256000),
    "gemma2": Kind(full_every=2, window=4096, is_tied=True, vocabulary=256000),
    "gemma3": Kind(full_every=6, window=1024, is_tied=True, vocabulary=_GEMMA_VOCABULARY),
    "gemma3n": Kind(full_every=5, window=512, is_tied=True, vocabulary=_GEMMA_VOCABULARY),
    "gemma4": Kind(full_every=6, window=1024, is_tied=True, vocabulary=_GEMMA_VOCABULARY),
    "gemmaembedding": Kind(is_tied=True, vocabulary=_GEMMA_VOCABULARY, is_embedding=True),
    "gptoss": Kind(full_every=2, window=128, vocabulary=201088),
    "commandr": Kind(is_tied=True, vocabulary=256000),
    "cohere2": Kind(full_every=4, window=4096, is_tied=True, vocabulary=256000),
    "olmo2": Kind(vocabulary=100352),
    "olmo3": Kind(full_every=4, window=4096, vocabulary=100278),
    "exaone": Kind(vocabulary=102400),
    "exaone4": Kind(full_every=4, window=4096, vocabulary=102400),
    "laguna": Kind(full_every=4, window=512, vocabulary=100352),
    "phi2": Kind(vocabulary=51200),
    "phi3": Kind(vocabulary=32064),
    "granite": _GRANITE,
    "granitemoe": _GRANITE,
    "granitehybrid": Kind(attends_every=10, is_tied=True, vocabulary=100352, is_hybrid=True),
    "starcoder2": Kind(is_tied=True, vocabulary=49152),
    "stablelm": Kind(vocabulary=100352),
    "falcon": Kind(is_tied=False, vocabulary=65024),
    "falcon3": Kind(vocabulary=131072),
    "chatglm": Kind(vocabulary=151552),
    "glm4": Kind(vocabulary=151552),
    "glm4moelite": Kind(vocabulary=154880),
    "glmocr": Kind(vocabulary=59392),
    "deepseek2": Kind(vocabulary=129280),
    "deepseekocr": Kind(vocabulary=129280),
    "mistral3": _MISTRAL,
    "internlm2": Kind(vocabulary=92544),
    "minimaxm2": Kind(vocabulary=200064),
    "nemotron": Kind(vocabulary=256000),
    "nemotronh": _NEMOTRON_H,
    "nemotronhmoe": _NEMOTRON_H,
    "nemotronhomni": _NEMOTRON_H,
    "lfm2": _LFM,
    "lfm2moe": _LFM,
    "bert": _BERT,
    "nomicbert": _BERT,
    "nomicbertmoe": Kind(vocabulary=250048, is_embedding=True, is_encoder=True),
    "jinabertv2": _BERT,
    "xlmroberta": Kind(vocabulary=250002, is_embedding=True, is_encoder=True),
}
UNKNOWN = Kind(is_tied=None)


@lru_cache(maxsize=1024)
def plain(kind: str) -> str:
    """A kind's name as these rules look it up: `gpt-oss` and `gptoss` are one."""
    return kind.replace("-", "").replace("_", "").casefold()


@lru_cache(maxsize=1024)
def rules_of(kind: str) -> Kind:
    """The rules of an architecture; those of an ordinary one where it is not known."""
    return KINDS.get(plain(kind), UNKNOWN)
