"""Names the GGUF architecture of a catalog row, which names a Hugging Face type."""

from collections.abc import Mapping

# Hugging Face `model_type` to `general.architecture`, as convert_hf_to_gguf.py and Ollama's convert/ name
# them [C].
_KINDS = {
    "mistral": "llama",
    "mixtral": "llama",
    "llava_mistral": "llama",
    "llava_next": "llama",
    "llava": "llama",
    "qwen2_5_vl": "qwen25vl",
    "qwen3_moe": "qwen3moe",
    "qwen3_vl": "qwen3vl",
    "qwen3_vl_moe": "qwen3vlmoe",
    "qwen3_next": "qwen3next",
    "qwen3_5": "qwen35",
    "qwen3_5_moe": "qwen35moe",
    "gemma3_text": "gemma3",
    "gpt_oss": "gptoss",
    "phi4": "phi3",
    "phi": "phi2",
    "cohere": "command-r",
    "glm": "chatglm",
    "glm4_moe_lite": "glm4moelite",
    "glm_moe_dsa": "deepseek2",
    "granitemoehybrid": "granitehybrid",
    "deepseek_v2": "deepseek2",
    "deepseek_v3": "deepseek2",
    "deepseek_vl_v2": "deepseekocr",
    "kimi_k2": "deepseek2",
    "kimi_k25": "deepseek2",
    "solar": "solar",
    "xlm-roberta": "xlmroberta",
    "nomic_bert": "nomic-bert",
    "lfm2_moe": "lfm2moe",
    "nemotron_h": "nemotron_h_moe",
    "minimax_m2": "minimax-m2",
    "minicpmv": "qwen3",
    "olmo3": "olmo3",
}

# Series whose rows carry no type, or one of another packing, by the start of their name [K].
_SERIES = (
    ("embeddinggemma", "gemma-embedding"),
    ("gemma4", "gemma4"),
    ("gemma3n", "gemma3n"),
    ("llama4", "llama4"),
    ("laguna", "laguna"),
    ("deepseek-v2", "deepseek2"),
    ("paraphrase-multilingual", "xlmroberta"),
    ("bge-m3", "xlmroberta"),
    ("snowflake-arctic-embed", "bert"),
    ("qwen", "qwen2"),
)

# Series that Ollama packs as mistral3 (with its vision part), and the earlier text-only one as llama [K].
_MISTRAL3 = ("mistral-small3.1", "mistral-small3.2", "ministral-3", "devstral-small-2")

# Granite 4 without Mamba layers, under the same type: 350m, 1b and micro, by width [K].
_DENSE_GRANITE = (1024, 2048, 2560)


def kind_of_row(row: Mapping[str, object], series: str) -> str:
    """`general.architecture` of the library's files for a row; `` where neither type nor series tells."""
    named = row.get("model_type")
    if series.startswith("embeddinggemma"):
        return "gemma-embedding"
    if named in ("mistral3", "ministral3", "mistral"):
        return "mistral3" if series.startswith(_MISTRAL3) else "llama"
    if named == "phi" and series.startswith("phi4"):
        return "phi3"
    if named == "granitemoehybrid" and row.get("embedding_length") in _DENSE_GRANITE:
        return "granite"
    if isinstance(named, str) and named:
        return _KINDS.get(named, named)
    for start, kind in _SERIES:
        if series.startswith(start):
            return kind
    return ""
