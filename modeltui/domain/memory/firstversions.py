"""From which version of Ollama on a kind of model runs at all, by its architecture."""

from modeltui.domain.memory.kinds import plain

Version = tuple[int, int, int]

# The first release whose source names the architecture: llama-arch.cpp of the llama.cpp that came with it
# or model.Register of its own engine (model/models), every release from 0.3.13 to 0.24.0 read [C]. Kinds
# that 0.3.13 knew already by what the library's pages ask for [S]; where those ask for none, and for what
# came with llama-server (0.30 and later), nothing is known.
_FIRST: dict[str, Version] = {
    "bert": (0, 1, 26),
    "gemma": (0, 1, 26),
    "nomicbert": (0, 1, 26),
    "dbrx": (0, 1, 32),
    "phi3": (0, 1, 39),
    "deepseek2": (0, 1, 40),
    "chatglm": (0, 2, 0),
    "granite": (0, 3, 14),
    "granitemoe": (0, 3, 14),
    "mllama": (0, 4, 0),
    "olmo2": (0, 5, 2),
    "qwen2vl": (0, 5, 3),
    "cohere2": (0, 5, 5),
    "gemma3": (0, 6, 0),
    "mistral3": (0, 6, 5),
    "glm4": (0, 6, 6),
    "llama4": (0, 6, 6),
    "qwen3": (0, 6, 6),
    "qwen3moe": (0, 6, 6),
    "nomicbertmoe": (0, 6, 8),
    "qwen25vl": (0, 7, 0),
    "gemma3n": (0, 9, 3),
    "gptoss": (0, 11, 0),
    "exaone4": (0, 11, 5),
    "glm4moe": (0, 11, 5),
    "granitehybrid": (0, 11, 5),
    "lfm2": (0, 11, 5),
    "gemmaembedding": (0, 11, 10),
    "nemotronh": (0, 12, 4),
    "lfm2moe": (0, 12, 6),
    "qwen3vl": (0, 12, 7),
    "qwen3vlmoe": (0, 12, 7),
    "deepseekocr": (0, 13, 0),
    "minimaxm2": (0, 13, 2),
    "qwen3next": (0, 13, 2),
    "nemotronhmoe": (0, 13, 4),
    "olmo3": (0, 13, 4),
    "glm4moelite": (0, 14, 3),
    "glmocr": (0, 15, 5),
    "qwen35": (0, 17, 1),
    "qwen35moe": (0, 17, 1),
    "gemma4": (0, 20, 0),
    "laguna": (0, 22, 0),
    "nemotronhomni": (0, 22, 0),
}


def first_version(kind: str) -> Version | None:
    """The first version of Ollama that runs an architecture; None where that is not known."""
    return _FIRST.get(plain(kind))
